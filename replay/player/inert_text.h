// Recorded text for a terminal: nothing in it can move the cursor, change a title, reach the
// clipboard or turn the reading direction around.

#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace sallyport {

// Control and formatting characters and what is not UTF-8 become escapes: "\n", "\x1b", "\u{202e}".
std::string inert(std::string_view text);

// The same for a text of several lines: line feeds and tabs stay.
std::string inert_lines(std::string_view text);

// Columns an inert text takes on a terminal.
std::size_t width_of(std::string_view inert);

}  // namespace sallyport
