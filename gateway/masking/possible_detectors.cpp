// The look that most values stop at: which detectors their bytes do not rule out already.
//
// An address needs a '@', a token "eyJ", an access key a prefix or a name. Everything else is made
// of digits, and the shape of the groups they stand in tells dates, times, UUIDs and plain numbers
// from telephone, social security and card numbers. It may say yes too often, never no where
// find_span() would find something.

#include <bit>
#include <cstring>
#include <initializer_list>
#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include "gateway/masking/checksums.h"
#include "gateway/masking/detector.h"

namespace sallyport {

namespace {

// Fewer digits than these stand in none of the numbers.
constexpr int fewest_digits = 9;
constexpr int fewest_international_digits = 8;
constexpr std::size_t fewest_card_digits = 13;
constexpr std::size_t shortest_key = 20;
constexpr std::size_t shortest_named_key = 9 + 1 + 40;

constexpr bool is_digit(char c)
{
    return static_cast<unsigned char>(c - '0') < 10;
}

constexpr bool is_letter(char c)
{
    return static_cast<unsigned char>((c | 0x20) - 'a') < 26;
}

constexpr bool is_word(char c)
{
    return is_digit(c) || is_letter(c) || c == '_';
}

// Sixteen bytes, compared all at once.
#if defined(__SSE2__)
class Lanes {
public:
    static constexpr std::size_t width = 16;
    explicit Lanes(const char* bytes)
        : lanes_(_mm_loadu_si128(reinterpret_cast<const __m128i*>(bytes)))
    {
    }
    Lanes(std::uint64_t first, std::uint64_t last)
        : lanes_(_mm_set_epi64x(static_cast<long long>(last), static_cast<long long>(first)))
    {
    }

    // Each gives a bit for each byte.
    std::uint64_t equal(char c) const { return mask(_mm_cmpeq_epi8(lanes_, _mm_set1_epi8(c))); }
    std::uint64_t digits() const { return mask(in_range(lanes_, '0', '9')); }
    std::uint64_t letters() const  // and '_'
    {
        const __m128i lower = _mm_or_si128(lanes_, _mm_set1_epi8(0x20));
        return mask(in_range(lower, 'a', 'z')) | equal('_');
    }

private:
    explicit Lanes(__m128i lanes) : lanes_(lanes) {}
    static __m128i in_range(__m128i lanes, char first, char last)
    {
        // Signed: what is above 0x7f is below any of these.
        return _mm_and_si128(_mm_cmpgt_epi8(lanes, _mm_set1_epi8(static_cast<char>(first - 1))),
                             _mm_cmplt_epi8(lanes, _mm_set1_epi8(static_cast<char>(last + 1))));
    }
    static std::uint64_t mask(__m128i lanes)
    {
        return static_cast<std::uint64_t>(static_cast<unsigned>(_mm_movemask_epi8(lanes)));
    }

    __m128i lanes_;
};
#else
class Lanes {
public:
    static constexpr std::size_t width = 16;
    explicit Lanes(const char* bytes) { std::memcpy(bytes_, bytes, width); }
    // The bytes of each from the least significant on.
    Lanes(std::uint64_t first, std::uint64_t last)
    {
        for (std::size_t i = 0; i < width; ++i)
            bytes_[i] = static_cast<char>((i < 8 ? first : last) >> (8 * (i % 8)));
    }

    std::uint64_t equal(char c) const
    {
        return mask([c](char byte) { return byte == c; });
    }
    std::uint64_t digits() const { return mask(is_digit); }
    std::uint64_t letters() const
    {
        return mask([](char byte) { return is_letter(byte) || byte == '_'; });
    }

private:
    template <class Test>
    std::uint64_t mask(Test test) const
    {
        std::uint64_t bits = 0;
        for (std::size_t i = 0; i < width; ++i)
            bits |= std::uint64_t{test(bytes_[i]) ? 1U : 0U} << i;
        return bits;
    }

    char bytes_[width];
};
#endif

// What stands where in up to 64 bytes.
struct Window {
    static constexpr std::size_t width = 64;
    // Windows overlap by more than what a window is asked for is long.
    static constexpr std::size_t stride = 48;

    std::uint64_t digits = 0;
    std::uint64_t zeros = 0;
    std::uint64_t ones = 0;
    std::uint64_t dots = 0;
    std::uint64_t hyphens = 0;
    std::uint64_t letters = 0;     // and '_'
    std::uint64_t separators = 0;  // of groups of digits
    std::uint64_t joints =
        0;  // '.', '-', '/' and ':', which join digits to one date, time or number
    std::uint64_t plus = 0;
    std::uint64_t address = 0;     // '@' or '%'
    std::uint64_t token = 0;       // 'J'
    std::uint64_t access_key = 0;  // 'A', '=' or ':'

    explicit Window(std::string_view text)
    {
        std::size_t at = 0;
        for (; at + Lanes::width <= text.size(); at += Lanes::width)
            look(Lanes(text.data() + at), at);
        if (at < text.size())
            look(few_lanes(text.substr(at)), at);
    }

    // Whether something stands here without which no number is worth a closer look. Digits at the
    // edges may go on beyond them.
    bool has_sign_of_number() const
    {
        const std::uint64_t begins = digits & ~(digits << 1 | letters << 1);
        const std::uint64_t three = digits & digits >> 1 & digits >> 2;
        const std::uint64_t four = three & digits >> 3;
        // ssn and phone: a group of three, between signs.
        if ((begins & three & ~(digits >> 3) & ~(letters >> 3)) != 0)
            return true;
        // credit_card: ten digits on end that are no fraction and do not begin with 0 or 1, or two
        // groups of four and more.
        const std::uint64_t fraction = dots << 1 & digits << 2;
        const std::uint64_t ten =
            begins & ~(zeros | ones | fraction) & four & four >> 4 & digits >> 8 & digits >> 9;
        const std::uint64_t pair = ~dots & separators & four << 4 & four >> 1;
        if ((ten | pair) != 0)
            return true;
        // phone: a '+' and no zero, or a zero at the beginning of a group of two to five with
        // another behind it, and not the part of a date or time.
        const std::uint64_t in_one = (digits << 2 & joints << 1) | (letters << 2 & hyphens << 1);
        const std::uint64_t behind = digits & digits >> 1;
        const std::uint64_t joins = separators & ~digits;
        const std::uint64_t ends =
            joins >> 2 | (digits >> 2 & (joins >> 3 | joins >> 4 | joins >> 5));
        const std::uint64_t country = plus << 1 & ~zeros & ~letters;
        if ((country | (begins & zeros & behind & ends & ~in_one)) != 0)
            return true;
        // iban: two letters at the beginning of a word, two digits.
        const std::uint64_t words = digits | letters;
        return (digits & digits >> 1 & letters << 1 & letters << 2 & ~(words << 3)) != 0;
    }

private:
    // Less than sixteen bytes, filled up with zeros, without a way through memory.
    static Lanes few_lanes(std::string_view text)
    {
        const auto read = [&text]<class Word>(Word word, std::size_t at) {
            std::memcpy(&word, text.data() + at, sizeof word);
            return std::uint64_t{word};
        };
        const std::size_t size = text.size();
        if (size > 8)
            return Lanes(read(std::uint64_t{}, 0),
                         read(std::uint64_t{}, size - 8) >> (8 * (16 - size)));
        if (size == 8)
            return Lanes(read(std::uint64_t{}, 0), 0);
        if (size >= 4)
            return Lanes(
                read(std::uint32_t{}, 0) | read(std::uint32_t{}, size - 4) << (8 * (size - 4)), 0);
        std::uint64_t bytes = 0;
        for (std::size_t i = 0; i < size; ++i)
            bytes |= read(std::uint8_t{}, i) << (8 * i);
        return Lanes(bytes, 0);
    }

    void look(const Lanes& lanes, std::size_t at)
    {
        const std::uint64_t colon = lanes.equal(':');
        const std::uint64_t dot = lanes.equal('.');
        const std::uint64_t hyphen = lanes.equal('-');
        const std::uint64_t slash = lanes.equal('/');
        digits |= lanes.digits() << at;
        zeros |= lanes.equal('0') << at;
        ones |= lanes.equal('1') << at;
        letters |= lanes.letters() << at;
        dots |= dot << at;
        hyphens |= hyphen << at;
        separators |= (dot | hyphen | lanes.equal(' ') | slash | lanes.equal(')')) << at;
        joints |= (dot | hyphen | slash | colon) << at;
        plus |= lanes.equal('+') << at;
        address |= lanes.equal('@') | lanes.equal('%');
        token |= lanes.equal('J');
        access_key |= lanes.equal('A') | lanes.equal('=') | colon;
    }
};

bool may_hold_token(std::string_view text)
{
    for (std::size_t at = 0;;) {
        const void* found = std::memchr(text.data() + at, 'J', text.size() - at);
        if (found == nullptr)
            return false;
        at = static_cast<std::size_t>(static_cast<const char*>(found) - text.data());
        if (at >= 2 && text[at - 1] == 'y' && text[at - 2] == 'e')
            return true;
        ++at;
    }
}

bool may_hold_access_key(std::string_view text)
{
    if (text.size() < shortest_key)
        return false;
    // AKIA, ASIA, ABIA, ACCA
    for (std::size_t at = 0; at + shortest_key <= text.size(); ++at) {
        const void* found = std::memchr(text.data() + at, 'A', text.size() - at - 3);
        if (found == nullptr)
            break;
        at = static_cast<std::size_t>(static_cast<const char*>(found) - text.data());
        if (text[at + 3] == 'A' && (text[at + 2] == 'I' || text[at + 2] == 'C'))
            return true;
    }
    // A secret key of 40 characters, behind a name in any case that ends in "key".
    if (text.size() < shortest_named_key)
        return false;
    for (std::size_t at = 0; at + shortest_named_key - 9 < text.size(); ++at) {
        if ((text[at] | 0x20) == 'k' && (text[at + 1] | 0x20) == 'e' &&
            (text[at + 2] | 0x20) == 'y')
            return true;
    }
    return false;
}

// The groups of digits of a text and how they follow each other.
class Groups {
public:
    explicit Groups(std::string_view text) : text_(text) {}

    DetectorSet possible()
    {
        for (std::size_t at = 0; at < text_.size();) {
            if (!is_digit(text_[at])) {
                ++at;
                continue;
            }
            const std::size_t begin = at;
            while (at < text_.size() && is_digit(text_[at]))
                ++at;
            weigh(begin, at);
        }
        return found_;
    }

private:
    char before(std::size_t at, std::size_t distance = 1) const
    {
        return at >= distance ? text_[at - distance] : ' ';
    }

    static bool separates(char c)
    {
        return c == ' ' || c == '-' || c == '.' || c == '/' || c == '(' || c == ')';
    }

    // Whether the group goes on from the one before it: a separator between them, or two or three
    // around a parenthesis.
    bool continues(std::size_t begin) const
    {
        if (shape_ == 0 || begin - end_ > 3)
            return false;
        for (std::size_t at = end_; at < begin; ++at) {
            if (!separates(text_[at]))
                return false;
        }
        return true;
    }

    void weigh(std::size_t begin, std::size_t end)
    {
        const std::size_t length = end - begin;
        if (is_word(before(begin)) || (end < text_.size() && is_word(text_[end]))) {
            // Part of a word, as an IBAN is.
            shape_ = 0;
            if (length >= 2 && may_begin_iban(begin))
                found_.add(Detector::iban);
            return;
        }
        if (!continues(begin)) {
            shape_ = 0;
            card_digits_ = 0;
            phone_digits_ = 0;
        }
        weigh_card(begin, length);
        weigh_phone(begin, length);
        // One byte for each of the last groups.
        shape_ = (shape_ << 8) | (length < 0xff ? length : 0xff);
        if ((shape_ & 0xffffff) == 0x030204)
            found_.add(Detector::ssn);
        if ((shape_ & 0xffffff) == 0x030304)
            found_.add(Detector::phone);
        end_ = end;
    }

    void weigh_card(std::size_t begin, std::size_t length)
    {
        const char first = text_[begin];
        const char gap = before(begin);
        const bool goes_on =
            begin - end_ == 1 && (gap == ' ' || gap == '-') && (shape_ & 0xff) >= 4;
        const bool fraction = gap == '.' && is_digit(before(begin, 2));
        // Every network's numbers begin with one of these.
        const bool begins = first >= '2' && first != '7' && !fraction;
        if (card_digits_ > 0 && goes_on)
            card_digits_ += length;
        else
            card_digits_ = begins ? length : 0;
        if (card_digits_ >= fewest_card_digits)
            found_.add(Detector::credit_card);
    }

    void weigh_phone(std::size_t begin, std::size_t length)
    {
        const char sign = before(begin);
        const bool plus = sign == '+' || (sign == '(' && before(begin, 2) == '+');
        const char beyond = before(begin, 2);
        const bool joined =
            (sign == '-' && is_word(beyond)) || ((sign == '.' || sign == '/') && is_digit(beyond));
        const bool zero = text_[begin] == '0' && length >= 2 && length <= 5 && !joined;
        if (phone_digits_ == 0 && !plus && !zero)
            return;
        // Eight digits are enough behind a '+', nine behind a zero.
        phone_digits_ += length + (plus ? 1 : 0);
        if (phone_digits_ >= std::size_t{fewest_digits})
            found_.add(Detector::phone);
    }

    // begin: of the check digits.
    bool may_begin_iban(std::size_t begin) const
    {
        const char first = before(begin, 2);
        const char second = before(begin);
        if (!is_letter(first) || !is_letter(second) || is_word(before(begin, 3)))
            return false;
        const auto upper = [](char c) { return static_cast<char>(c & 0xdf); };
        const std::size_t shortest = iban_length(upper(first), upper(second));
        return shortest != 0 && text_.size() - (begin - 2) >= shortest;
    }

    std::string_view text_;
    DetectorSet found_;
    std::size_t end_ = 0;      // of the group before
    std::uint64_t shape_ = 0;  // 0: nothing goes on from there
    std::size_t card_digits_ = 0;
    std::size_t phone_digits_ = 0;
};

constexpr DetectorSet set_of(std::initializer_list<Detector> detectors)
{
    DetectorSet set;
    for (const Detector detector : detectors)
        set.add(detector);
    return set;
}

constexpr DetectorSet of_digits =
    set_of({Detector::credit_card, Detector::ssn, Detector::iban, Detector::phone});

}  // namespace

DetectorSet possible_in(std::string_view text, DetectorSet wanted)
{
    DetectorSet possible;
    bool number = false;
    bool address = false;
    bool token = false;
    bool access_key = false;
    for (std::size_t at = 0;; at += Window::stride) {
        const Window window(text.substr(at, Window::width));
        address = address || window.address != 0;
        token = token || window.token != 0;
        access_key = access_key || window.access_key != 0;
        number = number || window.has_sign_of_number();
        if (text.size() - at <= Window::width) {
            // Fewer digits than these are no number.
            const int fewest = window.plus != 0 ? fewest_international_digits : fewest_digits;
            if (number && (at > 0 || std::popcount(window.digits) >= fewest) &&
                wanted.contains_any(of_digits))
                possible = Groups(text).possible() & wanted;
            break;
        }
    }
    if (address && wanted.contains(Detector::email))
        possible.add(Detector::email);
    if (token && wanted.contains(Detector::jwt) && may_hold_token(text))
        possible.add(Detector::jwt);
    if (access_key && wanted.contains(Detector::aws_key) && may_hold_access_key(text))
        possible.add(Detector::aws_key);
    return possible;
}

}  // namespace sallyport
