#include "protocols/postgres/sql_shape.h"

#include <array>
#include <cstddef>
#include <cstdint>

namespace sallyport::postgres {

namespace {

// A longer text is seldom sent twice in the same shape.
constexpr std::size_t text_limit = std::size_t{16} << 10;
constexpr std::ptrdiff_t most_digits = 9;

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
    if (text.size() > text_limit)
        return false;
    shape.resize(text.size());
    char* out = shape.data();
    const char* at = text.data();
    const char* const end = at + text.size();
    while (at != end) {
        const Character kind = kind_of(*at);
        if (kind == Character::refused)
            return false;
        if (kind == Character::plain) {
            // Comments.
            const char next = at + 1 != end ? at[1] : ' ';
            if ((*at == '-' && next == '-') || (*at == '/' && next == '*'))
                return false;
            *out++ = *at++;
            continue;
        }
        // A word: letters, digits, '_' and '.' without a gap; replaced where it is all digits.
        const char* const start = at;
        char* const word = out;
        bool digits_only = true;
        for (; at != end; ++at) {
            const Character next = kind_of(*at);
            if (next != Character::name && next != Character::digit)
                break;
            digits_only = digits_only && next == Character::digit;
            *out++ = *at;
        }
        if (digits_only && at - start <= most_digits) {
            out = word;
            *out++ = number;
        }
    }
    shape.resize(static_cast<std::size_t>(out - shape.data()));
    return true;
}

}  // namespace sallyport::postgres
