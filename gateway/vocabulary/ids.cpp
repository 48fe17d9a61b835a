#include "gateway/vocabulary/ids.h"

#include <cerrno>
#include <cstdlib>
#include <span>
#include <sys/random.h>

namespace sallyport {

namespace {

void fill_random(std::span<std::uint8_t> into)
{
    std::size_t done = 0;
    while (done < into.size()) {
        const ssize_t got = getrandom(into.data() + done, into.size() - done, 0);
        // The kernel's generator cannot fail once it is seeded; an identifier that is not random
        // would break uniqueness silently, so there is nothing to do but stop.
        if (got < 0 && errno != EINTR)
            std::abort();
        if (got > 0)
            done += static_cast<std::size_t>(got);
    }
}

int hex_value(char digit)
{
    if (digit >= '0' && digit <= '9')
        return digit - '0';
    if (digit >= 'a' && digit <= 'f')
        return digit - 'a' + 10;
    if (digit >= 'A' && digit <= 'F')
        return digit - 'A' + 10;
    return -1;
}

constexpr bool hyphen_before(std::size_t octet)
{
    return octet == 4 || octet == 6 || octet == 8 || octet == 10;
}

}  // namespace

Uuid make_uuid_v7(std::chrono::system_clock::time_point now)
{
    Uuid id;
    fill_random(id.octets);
    const auto since_epoch =
        std::chrono::duration_cast<std::chrono::milliseconds>(now.time_since_epoch()).count();
    const auto ms = static_cast<std::uint64_t>(since_epoch);
    for (std::size_t i = 0; i < 6; ++i)
        id.octets[i] = static_cast<std::uint8_t>(ms >> (8 * (5 - i)));
    id.octets[6] = static_cast<std::uint8_t>(0x70 | (id.octets[6] & 0x0f));
    id.octets[8] = static_cast<std::uint8_t>(0x80 | (id.octets[8] & 0x3f));
    return id;
}

std::string to_string(const Uuid& id)
{
    static constexpr std::string_view digits = "0123456789abcdef";
    std::string text;
    text.reserve(36);
    for (std::size_t i = 0; i < id.octets.size(); ++i) {
        if (hyphen_before(i))
            text += '-';
        text += digits[id.octets[i] >> 4];
        text += digits[id.octets[i] & 0x0f];
    }
    return text;
}

std::optional<Uuid> parse_uuid(std::string_view text)
{
    if (text.size() != 36)
        return std::nullopt;
    Uuid id;
    std::size_t at = 0;
    for (std::size_t i = 0; i < id.octets.size(); ++i) {
        if (hyphen_before(i) && text[at++] != '-')
            return std::nullopt;
        const int high = hex_value(text[at]);
        const int low = hex_value(text[at + 1]);
        if (high < 0 || low < 0)
            return std::nullopt;
        id.octets[i] = static_cast<std::uint8_t>(high * 16 + low);
        at += 2;
    }
    return id;
}

}  // namespace sallyport
