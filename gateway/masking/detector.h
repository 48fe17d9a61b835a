// What `detect:` masks look for, and where in a text it stands.

#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace sallyport {

enum class Detector : std::uint8_t { email, credit_card, ssn, iban, phone, jwt, aws_key };

// In the order of the enumeration.
inline constexpr std::array<std::string_view, 7> detector_names = {
    "email", "credit_card", "ssn", "iban", "phone", "jwt", "aws_key"};

std::string_view name_of(Detector detector);

// Nothing for a name that is none.
std::optional<Detector> detector_named(std::string_view name);

// A set of them.
class DetectorSet {
public:
    constexpr DetectorSet() = default;
    static constexpr DetectorSet all() { return DetectorSet((1U << detector_names.size()) - 1); }

    constexpr void add(Detector detector) { bits_ |= bit_of(detector); }
    constexpr bool contains(Detector detector) const { return (bits_ & bit_of(detector)) != 0; }
    constexpr bool contains_any(DetectorSet other) const { return (bits_ & other.bits_) != 0; }
    constexpr bool empty() const { return bits_ == 0; }
    constexpr DetectorSet operator&(DetectorSet other) const
    {
        return DetectorSet(bits_ & other.bits_);
    }

private:
    constexpr explicit DetectorSet(std::uint32_t bits) : bits_(bits) {}
    static constexpr std::uint32_t bit_of(Detector detector)
    {
        return std::uint32_t{1} << static_cast<unsigned>(detector);
    }

    std::uint32_t bits_ = 0;
};

// Which of the detectors a look at the bytes does not rule out. Most values have none left.
DetectorSet possible_in(std::string_view text, DetectorSet wanted);

struct Span {
    std::size_t begin = 0;
    std::size_t end = 0;
};

// The first thing of its kind that begins at `from` or behind it; everything before is context,
// such as the letter before a digit that makes it part of a word. Looking for one after the other
// takes time in proportion to the text.
std::optional<Span> find_span(Detector detector, std::string_view text, std::size_t from);

// Whether any of the patterns may occur in a text, by one search for all of them. What it says to
// be there still has to be found, and checked, by find_span().
bool any_pattern_in(std::string_view text);

}  // namespace sallyport
