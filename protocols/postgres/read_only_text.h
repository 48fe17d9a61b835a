// Transaction modes of a session that may only read.

#pragma once

#include <string>
#include <string_view>

namespace sallyport::postgres {

// A statement that sets transaction modes (PostgreSQL documentation, SET TRANSACTION, BEGIN), with
// READ ONLY in the place of each READ WRITE: drivers and pools ask for it as a matter of course
// when they hand a connection on. As long as before.
std::string read_only_text(std::string_view text);

}  // namespace sallyport::postgres
