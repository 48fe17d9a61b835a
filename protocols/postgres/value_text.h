// Values for people: what a field of a DataRow or Bind says, in either format.

#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "gateway/vocabulary/bytes.h"

namespace sallyport::postgres {

// "int4"; empty for types that are not built in or not common.
std::string_view type_name(std::uint32_t type);

// Shown at the right of its column.
bool is_number(std::uint32_t type);

// As PostgreSQL would write it, where the type is known and the bytes are what that type has; else
// the bytes themselves where they are printable text, else "\x" and hexadecimal digits. At most
// eight times as long as the value and two hundred characters.
std::string value_text(std::uint32_t type, bool binary, Bytes value);

}  // namespace sallyport::postgres
