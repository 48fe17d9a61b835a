// The wildcards of the configuration: connections, objects, columns.

#pragma once

#include <string_view>

namespace sallyport {

// `*` any run of characters, also none; `?` one byte; everything else is itself. Takes time
// proportional to the product of the lengths at worst, and no memory.
bool glob_matches(std::string_view pattern, std::string_view text);

}  // namespace sallyport
