#include "audit/store/json_text.h"

#include <algorithm>
#include <cstdint>

namespace sallyport {
namespace {

constexpr std::string_view replacement = "\xEF\xBF\xBD";

std::uint8_t octet(std::string_view text, std::size_t at)
{
    return static_cast<std::uint8_t>(text[at]);
}

// Octets of the well-formed UTF-8 sequence (Unicode, table 3-7) at `at`; 0 where there is none.
std::size_t sequence_at(std::string_view text, std::size_t at)
{
    const std::uint8_t first = octet(text, at);
    if (first < 0x80)
        return 1;
    std::size_t size = 0;
    std::uint8_t low = 0x80;
    std::uint8_t high = 0xBF;
    if (first >= 0xC2 && first <= 0xDF) {
        size = 2;
    } else if (first >= 0xE0 && first <= 0xEF) {
        size = 3;
        low = first == 0xE0 ? 0xA0 : 0x80;
        high = first == 0xED ? 0x9F : 0xBF;
    } else if (first >= 0xF0 && first <= 0xF4) {
        size = 4;
        low = first == 0xF0 ? 0x90 : 0x80;
        high = first == 0xF4 ? 0x8F : 0xBF;
    } else {
        return 0;
    }
    if (text.size() - at < size)
        return 0;
    if (octet(text, at + 1) < low || octet(text, at + 1) > high)
        return 0;
    for (std::size_t i = 2; i < size; ++i) {
        if (octet(text, at + i) < 0x80 || octet(text, at + i) > 0xBF)
            return 0;
    }
    return size;
}

bool plain(char letter)
{
    return letter >= 0x20 && letter < 0x7F && letter != '"' && letter != '\\';
}

}  // namespace

void append_json_string(std::string& to, std::string_view text)
{
    to += '"';
    if (std::all_of(text.begin(), text.end(), plain)) {
        to += text;
        to += '"';
        return;
    }
    constexpr std::string_view hex = "0123456789abcdef";
    for (std::size_t at = 0; at < text.size();) {
        const char letter = text[at];
        const std::size_t size = sequence_at(text, at);
        if (letter == '"' || letter == '\\') {
            to += '\\';
            to += letter;
        } else if (const std::size_t known = std::string_view("\b\t\n\f\r").find(letter);
                   known != std::string_view::npos) {
            to += '\\';
            to += "btnfr"[known];
        } else if (size == 1 && octet(text, at) < 0x20) {
            to += "\\u00";
            to += hex[octet(text, at) >> 4];
            to += hex[octet(text, at) & 15];
        } else if (size == 0) {
            to += replacement;
        } else {
            to += text.substr(at, size);
        }
        at += std::max<std::size_t>(size, 1);
    }
    to += '"';
}

std::string storable_text(std::string_view text, std::size_t limit)
{
    std::string stored;
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t size = sequence_at(text, at);
        const std::string_view piece =
            size == 0 || text[at] == '\0' ? replacement : text.substr(at, size);
        if (stored.size() + piece.size() > limit)
            break;
        stored += piece;
        at += std::max<std::size_t>(size, 1);
    }
    return stored;
}

}  // namespace sallyport
