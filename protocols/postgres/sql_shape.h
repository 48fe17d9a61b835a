// A text without its whole numbers: what SELECT ... WHERE id = 7 and ... WHERE id = 42 share.
//
// Clients that put values into their statements send a new text each time. Where no number in a
// text took part in how it was read (Sql::same_for_any_numbers), the next text of the same shape
// reads the same, and need not be parsed.

#pragma once

#include <string>
#include <string_view>

namespace sallyport::postgres {

// Writes the shape of a text. False, and nothing of use written, where the text is not plainly made
// of names, numbers and operators: quotes, comments, parameters, escapes and characters beyond
// ASCII need the real scanner to be told apart.
//
// A number is replaced where the scanner (scan.l of every supported release) makes a single integer
// constant of it that fits 32 bits: one to nine digits with no letter, digit, '_' or '.' next to
// them. Two texts of one shape are therefore the same tokens but for the values of such constants.
bool shape_of(std::string_view text, std::string& shape);

}  // namespace sallyport::postgres
