// Cuts a byte stream into PostgreSQL messages (PostgreSQL documentation, "Message Formats").
//
// Knows lengths and type bytes and nothing of their meaning. No socket, no allocation: bytes in,
// views out.

#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "gateway/vocabulary/bytes.h"
#include "gateway/vocabulary/result.h"

namespace sallyport::postgres {

inline constexpr std::size_t header_size = 5;  // a type byte, then a length that counts itself

struct FrameHead {
    char type;
    std::uint64_t size;  // of the whole message, header included
};

struct Frame {
    char type;
    Bytes whole;  // header included; views the bytes given to next_frame()
    Bytes body;
};

// The head of the first message, or nothing when fewer than five bytes are there. A size above the
// limit or a length below four is malformed.
inline Result<std::optional<FrameHead>> next_head(Bytes bytes, std::uint64_t size_limit);

// The message with this head, all of which is in the bytes.
inline Frame frame_of(const FrameHead& head, Bytes bytes)
{
    const Bytes whole = bytes.first(static_cast<std::size_t>(head.size));
    return {head.type, whole, whole.subspan(header_size)};
}

// The first message in the bytes, or nothing when more bytes are needed.
Result<std::optional<Frame>> next_frame(Bytes bytes, std::uint64_t size_limit);

// Inline, as every message or every field of it goes through them.
inline std::uint16_t read_u16(Bytes bytes)
{
    return static_cast<std::uint16_t>((std::to_integer<unsigned>(bytes[0]) << 8) |
                                      std::to_integer<unsigned>(bytes[1]));
}

inline std::uint32_t read_u32(Bytes bytes)
{
    return (std::to_integer<std::uint32_t>(bytes[0]) << 24) |
           (std::to_integer<std::uint32_t>(bytes[1]) << 16) |
           (std::to_integer<std::uint32_t>(bytes[2]) << 8) |
           std::to_integer<std::uint32_t>(bytes[3]);
}

tl::unexpected<Error> wrong_length(std::uint64_t length, std::uint64_t size_limit);

inline Result<std::optional<FrameHead>> next_head(Bytes bytes, std::uint64_t size_limit)
{
    if (bytes.size() < header_size)
        return std::nullopt;
    const std::uint64_t length = read_u32(bytes.subspan(1));
    // The length does not count the type byte. 64 bits: 2^32 - 1 must not wrap to zero.
    if (length < 4 || length + 1 > size_limit)
        return wrong_length(length, size_limit);
    return FrameHead{std::to_integer<char>(bytes[0]), length + 1};
}

void write_u16(std::byte* into, std::uint16_t value);
void write_u32(std::byte* into, std::uint32_t value);

}  // namespace sallyport::postgres
