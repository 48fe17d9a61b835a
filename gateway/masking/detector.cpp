// Where a detector finds something.
//
// RE2 finds where a candidate begins; what digits mean is checked by hand from there: which groups
// belong together, where the number may end, and whether its checksum holds. A candidate has a
// bounded length, and the search goes on behind the first group of one that failed, so that time
// stays linear even in a gigabyte of digits.
//
// Patterns see bytes (Latin-1), in which every byte of a multi-byte character counts as no letter.

#include "gateway/masking/detector.h"

#include <algorithm>
#include <memory>
#include <re2/re2.h>
#include <re2/set.h>
#include <string>

#include "gateway/masking/checksums.h"

namespace sallyport {

namespace {

constexpr std::string_view patterns[] = {
    // email: bytes of other scripts are letters here. %40 is the '@' of a URL.
    R"((?:[A-Za-z0-9._%+'~\-\x80-\xff]+|"[^"\r\n@]{1,64}")(?:@|%40))"
    R"((?:[A-Za-z0-9\x80-\xff](?:[A-Za-z0-9\-\x80-\xff]{0,62})\.)+(?:xn--[A-Za-z0-9-]{1,59}|[A-Za-z\x80-\xff]{2,63}))",
    // credit_card
    R"([0-9](?:[ -]?[0-9]){12})",
    // ssn
    R"([0-9]{3}[ -][0-9]{2}[ -][0-9]{4})",
    // iban
    R"(\b[A-Za-z]{2}[0-9]{2}[ -]?[A-Za-z0-9]{4})",
    // phone: +…, (0…) …, 0… …, and North America's 3-3-4
    R"(\+\(?[1-9](?:[ ().\-/]{0,3}[0-9]){7})"
    R"(|\(?0[0-9]{1,4}\)?[ ./-][0-9]{2})"
    R"(|(?:1[ .-])?(?:\([2-9][0-9]{2}\) ?|[2-9][0-9]{2}[ ./-])[2-9][0-9]{2}[ .-][0-9]{4})",
    // jwt: signed (three parts) and encrypted (five)
    R"(eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]*\.[A-Za-z0-9_-]*(?:\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+)?)",
    // aws_key: the id of an access key; a secret key by the name it stands behind
    R"(\b(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}\b)"
    R"(|(?i:secret_?(?:access_?)?key)["']?[ \t]{0,8}[:=][ \t]{0,8}["']?[A-Za-z0-9/+]{40})",
};

constexpr std::size_t most_card_digits = 19;
constexpr std::size_t most_phone_digits = 15;
constexpr std::size_t secret_key_length = 40;

struct Patterns {
    Patterns() : set(options(), re2::RE2::UNANCHORED)
    {
        for (std::size_t i = 0; i < detector_names.size(); ++i) {
            each[i] = std::make_unique<const re2::RE2>(patterns[i], options());
            set.Add(patterns[i], nullptr);
        }
        set.Compile();
    }

    static re2::RE2::Options options()
    {
        re2::RE2::Options options(re2::RE2::Latin1);
        options.set_log_errors(false);
        return options;
    }

    std::array<std::unique_ptr<const re2::RE2>, detector_names.size()> each;
    re2::RE2::Set set;
};

// Part of the program's text rather than of any configuration, so compiled once.
const Patterns& compiled()
{
    static const Patterns patterns_of_the_program;
    return patterns_of_the_program;
}

constexpr bool is_digit(char c)
{
    return static_cast<unsigned char>(c - '0') < 10;
}

constexpr bool is_word(char c)
{
    return is_digit(c) || static_cast<unsigned char>((c | 0x20) - 'a') < 26 || c == '_';
}

// The bytes beside a place; a space beyond the ends.
struct Around {
    std::string_view text;

    char operator[](std::size_t at) const { return at < text.size() ? text[at] : ' '; }
    char before(std::size_t at, std::size_t distance = 1) const
    {
        return at >= distance ? text[at - distance] : ' ';
    }
    // Whether a hyphen joins this place to a word, or another sign to a digit: "b-12", "1.5".
    bool joined_before(std::size_t at, std::string_view signs) const
    {
        return joins(before(at), before(at, 2), signs);
    }
    bool joined_behind(std::size_t at, std::string_view signs) const
    {
        return joins((*this)[at], (*this)[at + 1], signs);
    }
    static bool joins(char sign, char beyond, std::string_view signs)
    {
        return signs.find(sign) != std::string_view::npos &&
               (is_digit(beyond) || (sign == '-' && is_word(beyond)));
    }
    std::size_t behind_digits(std::size_t at) const
    {
        while (at < text.size() && is_digit(text[at]))
            ++at;
        return at;
    }
};

// Each of these gives the end of what begins at `begin`, or 0 where nothing of its kind does.

std::size_t card_end(const Around& text, std::size_t begin)
{
    const bool fraction = text.before(begin) == '.' && is_digit(text.before(begin, 2));
    if (is_word(text.before(begin)) || fraction)
        return 0;
    char digits[most_card_digits];
    std::size_t count = 0;
    std::size_t found = 0;
    char separator = 0;
    for (std::size_t at = begin;;) {
        const std::size_t group = at;
        while (is_digit(text[at])) {
            if (count == most_card_digits)
                return found;
            digits[count++] = text[at++];
        }
        const bool ends = !is_word(text[at]) && !(text[at] == '.' && is_digit(text[at + 1]));
        const bool part_of_longer =
            separator == '-' && (text.joined_before(begin, "-") || text.joined_behind(at, "-"));
        const std::string_view number(digits, count);
        if (ends && !part_of_longer && has_card_issuer(number) && passes_luhn(number))
            found = at;
        // Four digits or more in every group but the last: 4-4-4-4, 4-6-5, 4-4-4-4-3.
        const bool goes_on = (text[at] == ' ' || text[at] == '-') && is_digit(text[at + 1]) &&
                             (separator == 0 || separator == text[at]);
        if (at - group < 4 || !goes_on)
            return found;
        separator = text[at++];
    }
}

std::size_t ssn_end(const Around& text, std::size_t begin)
{
    const std::size_t end = begin + 11;
    const char separator = text[begin + 3];
    if (text[begin + 6] != separator || is_word(text.before(begin)) || is_word(text[end]))
        return 0;
    if (text.joined_before(begin, "-.+/") || text.joined_behind(end, "-./"))
        return 0;
    if (separator == ' ' && ((text.before(begin) == ' ' && is_digit(text.before(begin, 2))) ||
                             (text[end] == ' ' && is_digit(text[end + 1]))))
        return 0;
    const std::string_view area = text.text.substr(begin, 3);
    if (area == "000" || area == "666" || area[0] == '9' ||
        text.text.substr(begin + 4, 2) == "00" || text.text.substr(begin + 7, 4) == "0000")
        return 0;
    return end;
}

std::size_t iban_end(const Around& text, std::size_t begin)
{
    constexpr std::size_t group = 4;
    constexpr std::size_t longest = 34;
    const auto upper = [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; };
    const std::size_t length = iban_length(upper(text[begin]), upper(text[begin + 1]));
    if (length == 0)
        return 0;
    const char separator = is_word(text[begin + group]) ? '\0' : text[begin + group];
    char compact[longest];
    std::size_t at = begin;
    for (std::size_t i = 0; i < length; ++i) {
        if (separator != 0 && i > 0 && i % group == 0 && text[at++] != separator)
            return 0;
        if (!is_word(text[at]) || text[at] == '_')
            return 0;
        compact[i] = upper(text[at++]);
    }
    if (is_word(text[at]) || !passes_mod_97({compact, length}))
        return 0;
    return at;
}

bool separates_phone(char c)
{
    return c == ' ' || c == '.' || c == '-' || c == '/' || c == '(' || c == ')';
}

// The groups of a telephone number, of which the first few decide.
struct PhoneGroups {
    static constexpr std::size_t most = 8;
    std::size_t lengths[most];
    std::size_t count = 0;
    std::size_t digits = 0;
    bool dots = false;
    bool other_signs = false;  // than dots

    bool plausible(bool international) const
    {
        if (dots && (other_signs || (international && count == 2 && lengths[0] > 3)))
            return false;  // a date and time, a coordinate, a decimal
        if (international)
            return digits >= 8 && digits <= most_phone_digits;
        if (count < 2)
            return false;
        if (lengths[0] == 2) {
            const bool pairs = count == 5 && digits == 10;
            const bool eight = count == 2 && lengths[1] == 8;
            const bool fours = count == 3 && lengths[1] == 4 && lengths[2] == 4;
            return pairs || eight || fours;
        }
        return digits <= 13 && (digits >= 10 || (digits == 9 && count <= 3));
    }
};

std::size_t phone_end(const Around& text, std::size_t begin)
{
    const bool plus = text[begin] == '+';
    if (plus ? is_digit(text.before(begin))
             : is_word(text.before(begin)) || text.joined_before(begin, "-./+:"))
        return 0;
    std::size_t at = begin;
    while (at < text.text.size() && (text[at] == '+' || text[at] == '('))
        ++at;
    const bool zeros = text[at] == '0' && text[at + 1] == '0' && text[at + 2] != '0';
    if (text[at] == '0' && text[at + 1] == '0' && !zeros)
        return 0;
    PhoneGroups groups;
    std::size_t found = 0;
    while (groups.count < PhoneGroups::most && groups.digits <= most_phone_digits) {
        const std::size_t end = text.behind_digits(at);
        groups.lengths[groups.count++] = end - at;
        groups.digits += end - at;
        if (!plus && groups.count <= 2 && end - at < 2)
            break;
        const bool ends = !is_word(text[end]) && !text.joined_behind(end, "-./:");
        const bool fits =
            groups.plausible(plus) || (zeros && groups.count > 1 && groups.digits >= 10 &&
                                       groups.digits <= most_phone_digits && !groups.dots);
        if (ends && fits)
            found = end;
        at = end;
        while (at < end + 3 && separates_phone(text[at])) {
            groups.dots = groups.dots || text[at] == '.';
            groups.other_signs = groups.other_signs || text[at] != '.';
            ++at;
        }
        if (at == end || !is_digit(text[at]))
            break;
    }
    return found;
}

// North America's numbers are their whole pattern.
std::size_t american_phone_end(const Around& text, Span match)
{
    if (is_word(text.before(match.begin)) || is_word(text[match.end]) ||
        text.joined_before(match.begin, "-./") || text.joined_behind(match.end, "-./"))
        return 0;
    return match.end;
}

// What a candidate turns out to be: empty where it is nothing, and then the search goes on at
// `next`.
struct Checked {
    Span span;
    std::size_t next = 0;
};

Checked found_between(std::size_t begin, std::size_t end, std::size_t next)
{
    return end > begin ? Checked{{begin, end}, end} : Checked{{}, next};
}

Checked check(Detector detector, std::string_view whole, Span match)
{
    const Around text{whole};
    const std::size_t begin = match.begin;
    switch (detector) {
    case Detector::email:
    case Detector::jwt: return {match, match.end};
    case Detector::credit_card:
        return found_between(begin, card_end(text, begin), text.behind_digits(begin));
    case Detector::ssn: return found_between(begin, ssn_end(text, begin), begin + 1);
    case Detector::iban: return found_between(begin, iban_end(text, begin), begin + 1);
    case Detector::phone: {
        const char first = text[begin] == '(' ? text[begin + 1] : text[begin];
        const std::size_t end = first == '0' || text[begin] == '+'
                                    ? phone_end(text, begin)
                                    : american_phone_end(text, match);
        return found_between(begin, end, begin + 1);
    }
    case Detector::aws_key: {
        if (text[begin] == 'A' && match.end - begin == 20)
            return {match, match.end};
        const std::size_t key = match.end - secret_key_length;
        const char behind = text[match.end];
        const bool longer = is_word(behind) || behind == '/' || behind == '+' || behind == '=';
        return found_between(key, longer ? 0 : match.end, begin + 1);
    }
    }
    return {{}, match.end};
}

}  // namespace

std::string_view name_of(Detector detector)
{
    return detector_names[static_cast<std::size_t>(detector)];
}

std::optional<Detector> detector_named(std::string_view name)
{
    const auto found = std::ranges::find(detector_names, name);
    if (found == detector_names.end())
        return std::nullopt;
    return static_cast<Detector>(found - detector_names.begin());
}

std::optional<Span> find_span(Detector detector, std::string_view text, std::size_t from)
{
    const re2::RE2& pattern = *compiled().each[static_cast<std::size_t>(detector)];
    while (from < text.size()) {
        re2::StringPiece match;
        if (!pattern.Match(text, from, text.size(), re2::RE2::UNANCHORED, &match, 1))
            return std::nullopt;
        const auto begin = static_cast<std::size_t>(match.data() - text.data());
        const Checked checked = check(detector, text, {begin, begin + match.size()});
        if (checked.span.end > checked.span.begin)
            return checked.span;
        from = checked.next;
    }
    return std::nullopt;
}

bool any_pattern_in(std::string_view text)
{
    re2::RE2::Set::ErrorInfo error{};
    // Without memory for an answer the answer is yes: find_span() can do with less.
    return compiled().set.Match(text, nullptr, &error) || error.kind != re2::RE2::Set::kNoError;
}

}  // namespace sallyport
