#include "replay/player/inert_text.h"

#include <fmt/format.h>

namespace sallyport {

namespace {

struct Character {
    char32_t code = 0;
    std::size_t size = 0;  // 0: the first byte is not the beginning of UTF-8
};

// text is not empty.
Character first_of(std::string_view text)
{
    const auto octet = [&](std::size_t at) { return static_cast<unsigned char>(text[at]); };
    const unsigned char first = octet(0);
    if (first < 0x80)
        return {first, 1};
    std::size_t size = 0;
    char32_t code = 0;
    char32_t least = 0;
    if (first >= 0xc2 && first < 0xe0) {
        size = 2;
        code = first & 0x1fU;
        least = 0x80;
    } else if (first >= 0xe0 && first < 0xf0) {
        size = 3;
        code = first & 0x0fU;
        least = 0x800;
    } else if (first >= 0xf0 && first < 0xf5) {
        size = 4;
        code = first & 0x07U;
        least = 0x10000;
    }
    if (size == 0 || text.size() < size)
        return {};
    for (std::size_t i = 1; i < size; ++i) {
        if ((octet(i) & 0xc0) != 0x80)
            return {};
        code = code << 6 | (octet(i) & 0x3fU);
    }
    if (code < least || code > 0x10ffff || (code >= 0xd800 && code < 0xe000))
        return {};
    return {code, size};
}

struct Range {
    char32_t first;
    char32_t last;
};

template <std::size_t Count>
bool among(const Range (&ranges)[Count], char32_t code)
{
    for (const Range& range : ranges)
        if (code >= range.first && code <= range.last)
            return true;
    return false;
}

// Invisible, or with an effect on what stands beside them.
bool acts(char32_t code)
{
    static constexpr Range ranges[] = {{0x00, 0x1f},     {0x7f, 0x9f},      {0xad, 0xad},
                                       {0x61c, 0x61c},   {0x180e, 0x180e},  {0x200b, 0x200f},
                                       {0x2028, 0x202e}, {0x2060, 0x206f},  {0xfeff, 0xfeff},
                                       {0xfff0, 0xfffb}, {0xe0000, 0xe0fff}};
    return among(ranges, code);
}

bool is_wide(char32_t code)
{
    static constexpr Range ranges[] = {{0x1100, 0x115f},   {0x2e80, 0x303e},  {0x3041, 0xa4cf},
                                       {0xac00, 0xd7a3},   {0xf900, 0xfaff},  {0xfe30, 0xfe6f},
                                       {0xff00, 0xff60},   {0xffe0, 0xffe6},  {0x1f300, 0x1f64f},
                                       {0x1f900, 0x1f9ff}, {0x20000, 0x3fffd}};
    return among(ranges, code);
}

bool is_combining(char32_t code)
{
    static constexpr Range ranges[] = {{0x300, 0x36f},   {0x1ab0, 0x1aff}, {0x1dc0, 0x1dff},
                                       {0x20d0, 0x20ff}, {0xfe00, 0xfe0f}, {0xfe20, 0xfe2f}};
    return among(ranges, code);
}

void append_escape(std::string& into, char32_t code)
{
    switch (code) {
    case '\n': into += "\\n"; break;
    case '\r': into += "\\r"; break;
    case '\t': into += "\\t"; break;
    default:
        into += code < 0x80 ? fmt::format("\\x{:02x}", static_cast<unsigned>(code))
                            : fmt::format("\\u{{{:x}}}", static_cast<unsigned>(code));
    }
}

std::string made_inert(std::string_view text, bool keep_lines)
{
    std::string made;
    made.reserve(text.size());
    while (!text.empty()) {
        const Character character = first_of(text);
        if (character.size == 0) {
            made += fmt::format("\\x{:02x}", static_cast<unsigned char>(text[0]));
            text.remove_prefix(1);
            continue;
        }
        const bool stays = keep_lines && (character.code == '\n' || character.code == '\t');
        if (acts(character.code) && !stays)
            append_escape(made, character.code);
        else
            made += text.substr(0, character.size);
        text.remove_prefix(character.size);
    }
    return made;
}

}  // namespace

std::string inert(std::string_view text)
{
    return made_inert(text, false);
}

std::string inert_lines(std::string_view text)
{
    return made_inert(text, true);
}

std::size_t width_of(std::string_view inert)
{
    std::size_t width = 0;
    while (!inert.empty()) {
        const Character character = first_of(inert);
        if (!is_combining(character.code))
            width += is_wide(character.code) ? 2 : 1;
        inert.remove_prefix(character.size == 0 ? 1 : character.size);
    }
    return width;
}

}  // namespace sallyport
