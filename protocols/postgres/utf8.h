// Which bytes are UTF-8, as the server judges it.

#pragma once

#include <string_view>

namespace sallyport::postgres {

// No overlong forms, no surrogates, nothing above U+10FFFF.
bool is_utf8(std::string_view text);

}  // namespace sallyport::postgres
