// The pieces of JSON that frames are written with: docs/audit-format.md, "Frames".

#pragma once

#include <charconv>
#include <concepts>
#include <string>
#include <string_view>

namespace sallyport {

// Appends `text` in quotes. Whatever it holds, the result is valid JSON in valid UTF-8: control
// characters are escaped, octets that are not UTF-8 become U+FFFD.
void append_json_string(std::string& to, std::string_view text);

// `text` as PostgreSQL's text type takes it: no NUL, valid UTF-8 as above, at most `limit` octets.
std::string storable_text(std::string_view text, std::size_t limit);

template <std::integral Number>
void append_number(std::string& to, Number number)
{
    char digits[24];
    const auto end = std::to_chars(digits, digits + sizeof digits, number).ptr;
    to.append(digits, end);
}

}  // namespace sallyport
