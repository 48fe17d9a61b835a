// Identifiers that sort by time: UUID version 7 (RFC 9562, section 5.7).

#pragma once

#include <array>
#include <chrono>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace sallyport {

struct Uuid {
    std::array<std::uint8_t, 16> octets{};

    auto operator<=>(const Uuid&) const = default;
};

// 48 bits of milliseconds since 1970, then 74 bits from the operating system's generator.
Uuid make_uuid_v7(std::chrono::system_clock::time_point now);

// Lower case, with hyphens.
std::string to_string(const Uuid& id);

// Accepts what to_string() writes, in either case; nothing for anything else.
std::optional<Uuid> parse_uuid(std::string_view text);

}  // namespace sallyport
