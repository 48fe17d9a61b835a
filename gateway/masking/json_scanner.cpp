#include "gateway/masking/json_scanner.h"

#include <algorithm>
#include <bit>
#include <cstring>

namespace sallyport {

namespace {

constexpr bool is_digit(char c)
{
    return static_cast<unsigned char>(c - '0') < 10;
}

constexpr bool is_space(char c)
{
    return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

// Bytes that end a run of plain ones in a string: the quote, the backslash, control characters.
constexpr bool is_plain(char c)
{
    return c != '"' && c != '\\' && static_cast<unsigned char>(c) >= 0x20;
}

// The first byte at or behind `at` that is not plain, eight at a time: in each byte of `special`
// the highest bit is set where that byte of the text is not plain. A borrow may set it in a byte
// too far, never in the lowest that counts.
std::size_t behind_plain(std::string_view text, std::size_t at)
{
    constexpr std::uint64_t ones = 0x0101010101010101U;
    constexpr std::uint64_t highs = ones * 0x80;
    if constexpr (std::endian::native == std::endian::little) {
        while (at + 8 <= text.size()) {
            std::uint64_t bytes = 0;
            std::memcpy(&bytes, text.data() + at, 8);
            const std::uint64_t quotes = bytes ^ (ones * '"');
            const std::uint64_t slashes = bytes ^ (ones * '\\');
            const std::uint64_t special =
                (((quotes - ones) & ~quotes) | ((slashes - ones) & ~slashes) |
                 ((bytes - ones * 0x20) & ~bytes)) &
                highs;
            if (special != 0)
                return at + static_cast<std::size_t>(std::countr_zero(special)) / 8;
            at += 8;
        }
    }
    while (at < text.size() && is_plain(text[at]))
        ++at;
    return at;
}

int hex_value(char c)
{
    if (is_digit(c))
        return c - '0';
    const char lower = static_cast<char>(c | 0x20);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

// The number of four hex digits; the scanner has checked that they are there.
std::uint32_t code_unit(std::string_view digits)
{
    std::uint32_t value = 0;
    for (const char c : digits.substr(0, 4))
        value = value * 16 + static_cast<std::uint32_t>(hex_value(c));
    return value;
}

void append_utf8(std::string& into, std::uint32_t point)
{
    const auto put = [&into](std::uint32_t byte) { into += static_cast<char>(byte); };
    if (point < 0x80) {
        put(point);
    } else if (point < 0x800) {
        put(0xc0 | point >> 6);
        put(0x80 | (point & 0x3f));
    } else if (point < 0x10000) {
        put(0xe0 | point >> 12);
        put(0x80 | (point >> 6 & 0x3f));
        put(0x80 | (point & 0x3f));
    } else {
        put(0xf0 | point >> 18);
        put(0x80 | (point >> 12 & 0x3f));
        put(0x80 | (point >> 6 & 0x3f));
        put(0x80 | (point & 0x3f));
    }
}

// The character of the escape \uHHHH whose digits begin at `at`; moves behind it, and behind the
// second half of a pair. A half alone is no character.
std::uint32_t escaped_character(std::string_view text, std::size_t& at)
{
    constexpr std::uint32_t no_character = 0xfffd;
    const std::uint32_t unit = code_unit(text.substr(at));
    at += 4;
    if (unit < 0xd800 || unit > 0xdfff)
        return unit;
    if (unit > 0xdbff || text.substr(at, 2) != "\\u")
        return no_character;
    const std::uint32_t low = code_unit(text.substr(at + 2));
    if (low < 0xdc00 || low > 0xdfff)
        return no_character;
    at += 6;
    return 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00);
}

}  // namespace

void JsonScanner::skip_space()
{
    while (at_ < text_.size() && is_space(text_[at_]))
        ++at_;
}

JsonToken JsonScanner::wrong()
{
    text_ = {};
    begin_ = end_ = at_ = 0;
    expect_ = Expect::value;
    return JsonToken::wrong;
}

JsonToken JsonScanner::next()
{
    skip_space();
    if (at_ == text_.size()) {
        begin_ = end_ = at_;
        return expect_ == Expect::nothing ? JsonToken::end : wrong();
    }
    char first = text_[at_];
    if (expect_ == Expect::comma_or_end) {
        const bool object = in_object();
        if (first == (object ? '}' : ']'))
            return close(object);
        if (first != ',')
            return wrong();
        ++at_;
        skip_space();
        if (at_ == text_.size())
            return wrong();
        first = text_[at_];
        expect_ = object ? Expect::key : Expect::value;
    }
    switch (expect_) {
    case Expect::value: return value(first);
    case Expect::value_or_end: return first == ']' ? close(false) : value(first);
    case Expect::key_or_end:
        if (first == '}')
            return close(true);
        [[fallthrough]];
    case Expect::key:
        if (first != '"' || !read_string())
            return wrong();
        skip_space();
        if (at_ == text_.size() || text_[at_] != ':')
            return wrong();
        ++at_;
        expect_ = Expect::value;
        return JsonToken::key;
    case Expect::comma_or_end:
    case Expect::nothing: break;
    }
    return wrong();
}

JsonToken JsonScanner::value(char first)
{
    switch (first) {
    case '"':
        if (!read_string())
            return wrong();
        value_ended();
        return JsonToken::string;
    case '{': return open(true);
    case '[': return open(false);
    case 't': return word("true", JsonToken::boolean);
    case 'f': return word("false", JsonToken::boolean);
    case 'n': return word("null", JsonToken::null);
    default:
        if (!read_number())
            return wrong();
        value_ended();
        return JsonToken::number;
    }
}

JsonToken JsonScanner::open(bool object)
{
    if (depth_ == deepest)
        return wrong();
    const std::uint64_t bit = std::uint64_t{1} << (depth_ % 64);
    std::uint64_t& word = objects_[depth_ / 64];
    word = object ? word | bit : word & ~bit;
    ++depth_;
    begin_ = at_++;
    end_ = at_;
    expect_ = object ? Expect::key_or_end : Expect::value_or_end;
    return object ? JsonToken::object_begin : JsonToken::array_begin;
}

JsonToken JsonScanner::close(bool object)
{
    --depth_;
    begin_ = at_++;
    end_ = at_;
    value_ended();
    return object ? JsonToken::object_end : JsonToken::array_end;
}

JsonToken JsonScanner::word(std::string_view literal, JsonToken token)
{
    if (text_.substr(at_, literal.size()) != literal)
        return wrong();
    begin_ = at_;
    end_ = at_ += literal.size();
    value_ended();
    return token;
}

bool JsonScanner::read_string()
{
    begin_ = at_++;
    escaped_ = false;
    for (;;) {
        at_ = behind_plain(text_, at_);
        if (at_ == text_.size())
            return false;
        if (text_[at_] == '"') {
            end_ = ++at_;
            return true;
        }
        if (text_[at_] != '\\' || at_ + 1 == text_.size())
            return false;
        escaped_ = true;
        const char kind = text_[at_ + 1];
        at_ += 2;
        if (kind == 'u') {
            if (text_.size() - at_ < 4)
                return false;
            for (std::size_t i = 0; i < 4; ++i, ++at_) {
                if (hex_value(text_[at_]) < 0)
                    return false;
            }
        } else if (std::string_view("\"\\/bfnrt").find(kind) == std::string_view::npos) {
            return false;
        }
    }
}

bool JsonScanner::read_number()
{
    const auto digits = [this] {
        const std::size_t first = at_;
        while (at_ < text_.size() && is_digit(text_[at_]))
            ++at_;
        return at_ > first;
    };
    begin_ = at_;
    if (text_[at_] == '-')
        ++at_;
    const bool zero = at_ < text_.size() && text_[at_] == '0';
    const std::size_t whole = at_;
    if (!digits() || (zero && at_ > whole + 1))
        return false;
    if (at_ < text_.size() && text_[at_] == '.') {
        ++at_;
        if (!digits())
            return false;
    }
    if (at_ < text_.size() && (text_[at_] | 0x20) == 'e') {
        ++at_;
        if (at_ < text_.size() && (text_[at_] == '+' || text_[at_] == '-'))
            ++at_;
        if (!digits())
            return false;
    }
    end_ = at_;
    return true;
}

std::string JsonScanner::decoded() const
{
    const std::string_view raw = content();
    std::string text;
    text.reserve(raw.size());
    for (std::size_t at = 0; at < raw.size();) {
        const std::size_t slash = std::min(raw.find('\\', at), raw.size());
        text.append(raw, at, slash - at);
        if (slash == raw.size())
            break;
        at = slash + 2;
        switch (const char kind = raw[slash + 1]) {
        case 'b': text += '\b'; break;
        case 'f': text += '\f'; break;
        case 'n': text += '\n'; break;
        case 'r': text += '\r'; break;
        case 't': text += '\t'; break;
        case 'u': append_utf8(text, escaped_character(raw, at)); break;
        default: text += kind;
        }
    }
    return text;
}

void quote_json(std::string& into, std::string_view text)
{
    constexpr char hex[] = "0123456789abcdef";
    into += '"';
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte < 0x20) {
            into += "\\u00";
            into += hex[byte >> 4];
            into += hex[byte & 0xf];
            continue;
        }
        if (c == '"' || c == '\\')
            into += '\\';
        into += c;
    }
    into += '"';
}

}  // namespace sallyport
