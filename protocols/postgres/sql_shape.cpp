#include "protocols/postgres/sql_shape.h"

#include <array>
#include <cstdint>

namespace sallyport::postgres {

namespace {

// A longer text is seldom sent twice in the same shape.
constexpr std::size_t text_limit = std::size_t{16} << 10;
constexpr std::size_t most_digits = 9;

// No text with a shape holds it, so that a shape is nobody's text.
constexpr char number = '\x01';

enum class Character : std::uint8_t { refused, plain, name, digit };

constexpr std::array<Character, 256> characters = [] {
    std::array<Character, 256> table{};
    for (const char c : std::string_view(" \t\n\r,;()[]<>=+-*/%^&|~!@#?:"))
        table[static_cast<unsigned char>(c)] = Character::plain;
    for (int c = 'a'; c <= 'z'; ++c)
        table[static_cast<std::size_t>(c)] = Character::name;
    for (int c = 'A'; c <= 'Z'; ++c)
        table[static_cast<std::size_t>(c)] = Character::name;
    for (const char c : std::string_view("_."))
        table[static_cast<unsigned char>(c)] = Character::name;
    for (int c = '0'; c <= '9'; ++c)
        table[static_cast<std::size_t>(c)] = Character::digit;
    return table;
}();

Character kind_of(char c)
{
    return characters[static_cast<unsigned char>(c)];
}

}  // namespace

bool shape_of(std::string_view text, std::string& shape)
{
    shape.clear();
    if (text.size() > text_limit)
        return false;
    std::size_t at = 0;
    while (at < text.size()) {
        const Character kind = kind_of(text[at]);
        if (kind == Character::refused)
            return false;
        if (kind == Character::plain) {
            // Comments.
            const char next = at + 1 < text.size() ? text[at + 1] : ' ';
            if ((text[at] == '-' && next == '-') || (text[at] == '/' && next == '*'))
                return false;
            shape += text[at++];
            continue;
        }
        // A word: letters, digits, '_' and '.' without a gap; replaced where it is all digits.
        const std::size_t start = at;
        bool digits_only = true;
        for (; at < text.size(); ++at) {
            const Character next = kind_of(text[at]);
            if (next != Character::name && next != Character::digit)
                break;
            digits_only = digits_only && next == Character::digit;
        }
        if (digits_only && at - start <= most_digits)
            shape += number;
        else
            shape.append(text, start, at - start);
    }
    return true;
}

}  // namespace sallyport::postgres
