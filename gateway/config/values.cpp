#include "gateway/config/values.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <utility>

namespace sallyport {

namespace {

constexpr std::uint64_t day = 86400;
constexpr std::uint64_t longest = 365250 * day;

// Splits "90d" into 90 and "d".
std::optional<std::pair<std::uint64_t, std::string_view>> split_unit(std::string_view text)
{
    const std::size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
    const auto number = parse_number(text.substr(0, digits));
    if (!number)
        return std::nullopt;
    return std::pair(*number, text.substr(digits));
}

}  // namespace

std::optional<std::uint64_t> parse_number(std::string_view text)
{
    std::uint64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc() || end != text.data() + text.size())
        return std::nullopt;
    return number;
}

std::optional<std::chrono::seconds> parse_duration(std::string_view text)
{
    const auto parts = split_unit(text);
    if (!parts || parts->first == 0 || parts->first > longest)
        return std::nullopt;
    const auto [number, unit] = *parts;
    std::uint64_t seconds = 0;
    if (unit == "s")
        seconds = number;
    else if (unit == "m")
        seconds = number * 60;
    else if (unit == "h")
        seconds = number * 3600;
    else if (unit == "d")
        seconds = number * day;
    else if (unit == "w")
        seconds = number * 7 * day;
    else if (unit == "y")
        seconds = (number * 1461 + 3) / 4 * day;
    if (seconds == 0 || seconds > longest)
        return std::nullopt;
    return std::chrono::seconds(seconds);
}

std::optional<std::uint64_t> parse_size(std::string_view text)
{
    static constexpr std::array<std::pair<std::string_view, std::uint64_t>, 9> units = {{
        {"", 1},
        {"KiB", std::uint64_t{1} << 10},
        {"MiB", std::uint64_t{1} << 20},
        {"GiB", std::uint64_t{1} << 30},
        {"TiB", std::uint64_t{1} << 40},
        {"kB", 1000},
        {"MB", 1000000},
        {"GB", 1000000000},
        {"TB", 1000000000000},
    }};
    const auto parts = split_unit(text);
    if (!parts)
        return std::nullopt;
    for (const auto& [name, factor] : units) {
        if (name == parts->second &&
            parts->first <= std::numeric_limits<std::uint64_t>::max() / factor)
            return parts->first * factor;
    }
    return std::nullopt;
}

bool is_listen_address(std::string_view text)
{
    const std::size_t colon = text.rfind(':');
    if (colon == std::string_view::npos || colon == 0)
        return false;
    const auto port = parse_number(text.substr(colon + 1));
    if (!port || *port > 65535)
        return false;
    const std::string_view host = text.substr(0, colon);
    if (host.front() == '[')
        return host.size() > 2 && host.back() == ']';
    return host.find_first_of(":[] \t") == std::string_view::npos;
}

}  // namespace sallyport
