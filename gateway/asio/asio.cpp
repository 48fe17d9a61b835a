// What of Boost.Asio is no template: compiled here once instead of in every file that waits.
#include <boost/asio/impl/src.hpp>
