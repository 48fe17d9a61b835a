#include "protocols/postgres/frame.h"

#include <string>

namespace sallyport::postgres {

void write_u16(std::byte* into, std::uint16_t value)
{
    into[0] = static_cast<std::byte>(value >> 8);
    into[1] = static_cast<std::byte>(value & 0xff);
}

void write_u32(std::byte* into, std::uint32_t value)
{
    into[0] = static_cast<std::byte>(value >> 24);
    into[1] = static_cast<std::byte>((value >> 16) & 0xff);
    into[2] = static_cast<std::byte>((value >> 8) & 0xff);
    into[3] = static_cast<std::byte>(value & 0xff);
}

tl::unexpected<Error> wrong_length(std::uint64_t length, std::uint64_t size_limit)
{
    if (length < 4)
        return failure(Fault::malformed,
                       "message length " + std::to_string(length) + " is below its own size");
    return failure(Fault::malformed, "message of " + std::to_string(length + 1) +
                                         " bytes is above the limit of " +
                                         std::to_string(size_limit));
}

Result<std::optional<Frame>> next_frame(Bytes bytes, std::uint64_t size_limit)
{
    TRY(head, next_head(bytes, size_limit));
    if (!head || bytes.size() < head->size)
        return std::nullopt;
    return frame_of(*head, bytes);
}

}  // namespace sallyport::postgres
