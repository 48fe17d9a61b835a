#include "protocols/postgres/utf8.h"

#include <cstdint>
#include <cstring>

namespace sallyport::postgres {

bool is_utf8(std::string_view text)
{
    constexpr std::uint64_t high_bits = 0x8080808080808080;
    std::size_t i = 0;
    const auto byte = [&](std::size_t at) { return static_cast<unsigned char>(text[at]); };
    while (i < text.size()) {
        if (text.size() - i >= sizeof(std::uint64_t)) {
            std::uint64_t eight = 0;
            std::memcpy(&eight, text.data() + i, sizeof eight);
            if ((eight & high_bits) == 0) {
                i += sizeof eight;
                continue;
            }
        }
        const unsigned char first = byte(i);
        if (first < 0x80) {
            ++i;
            continue;
        }
        std::size_t more = 0;
        unsigned char lowest = 0x80;
        unsigned char highest = 0xbf;
        if (first >= 0xc2 && first <= 0xdf) {
            more = 1;
        } else if (first >= 0xe0 && first <= 0xef) {
            more = 2;
            lowest = first == 0xe0 ? 0xa0 : 0x80;
            highest = first == 0xed ? 0x9f : 0xbf;
        } else if (first >= 0xf0 && first <= 0xf4) {
            more = 3;
            lowest = first == 0xf0 ? 0x90 : 0x80;
            highest = first == 0xf4 ? 0x8f : 0xbf;
        } else {
            return false;
        }
        if (text.size() - i <= more || byte(i + 1) < lowest || byte(i + 1) > highest)
            return false;
        for (std::size_t next = 2; next <= more; ++next) {
            if ((byte(i + next) & 0xc0) != 0x80)
                return false;
        }
        i += more + 1;
    }
    return true;
}

}  // namespace sallyport::postgres
