// The written forms of numbers, durations, sizes and addresses.

#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>

namespace sallyport {

// Decimal digits only.
std::optional<std::uint64_t> parse_number(std::string_view text);

// A whole number and a unit: s, m, h, d, w, y ("30s", "10m", "8h", "90d", "7y"). A year is 365.25
// days, rounded up to a whole day. Nothing for zero, and for more than 1000 years.
std::optional<std::chrono::seconds> parse_duration(std::string_view text);

// Bytes: a whole number, alone or with KiB, MiB, GiB, TiB (1024) or kB, MB, GB, TB (1000).
std::optional<std::uint64_t> parse_size(std::string_view text);

// "127.0.0.1:6432", "[::1]:6432", "gw.example.com:0": something before the last colon, brackets
// around whatever holds colons itself, and a port from 0 to 65535.
bool is_listen_address(std::string_view text);

}  // namespace sallyport
