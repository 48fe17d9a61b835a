// One value, hidden. Characters are UTF-8 code points; a byte that belongs to none counts as one.

#include "gateway/digest/digest.h"
#include "gateway/masking/mask_action.h"

namespace sallyport {

namespace {

// Bytes of the character that begins at `at`. Anything malformed is a character of one byte, so
// that no value, whatever its encoding, shows more characters than the rule keeps.
std::size_t character_length(std::string_view text, std::size_t at)
{
    const auto lead = static_cast<unsigned char>(text[at]);
    const std::size_t length = lead < 0x80                    ? 1
                               : lead >= 0xc2 && lead <= 0xdf ? 2
                               : lead >= 0xe0 && lead <= 0xef ? 3
                               : lead >= 0xf0 && lead <= 0xf4 ? 4
                                                              : 1;
    if (length > text.size() - at)
        return 1;
    for (std::size_t i = 1; i < length; ++i) {
        if ((static_cast<unsigned char>(text[at + i]) & 0xc0) != 0x80)
            return 1;
    }
    return length;
}

std::size_t characters_in(std::string_view text)
{
    std::size_t count = 0;
    for (std::size_t at = 0; at < text.size(); at += character_length(text, at))
        ++count;
    return count;
}

// The value with a '*' for each character outside [first, last).
std::string starred(std::string_view value, std::size_t first, std::size_t last)
{
    std::string shown;
    shown.reserve(value.size());
    std::size_t number = 0;
    for (std::size_t at = 0; at < value.size(); ++number) {
        const std::size_t length = character_length(value, at);
        if (number >= first && number < last)
            shown.append(value, at, length);
        else
            shown += '*';
        at += length;
    }
    return shown;
}

}  // namespace

std::optional<std::string> masked_text(const MaskAction& action, const MaskKey& key,
                                       std::string_view value)
{
    switch (action.kind) {
    case MaskAction::Kind::redact: return "[masked]";
    case MaskAction::Kind::null: return std::nullopt;
    case MaskAction::Kind::hash: {
        const Sha256 digest = hmac_sha256(bytes_of(key.bytes), bytes_of(value));
        return to_hex(Bytes(digest).first(16));
    }
    case MaskAction::Kind::keep_last: {
        const std::size_t count = characters_in(value);
        return count <= action.keep ? std::string(count, '*')
                                    : starred(value, count - action.keep, count);
    }
    case MaskAction::Kind::keep_first: {
        const std::size_t count = characters_in(value);
        return count <= action.keep ? std::string(count, '*') : starred(value, 0, action.keep);
    }
    case MaskAction::Kind::replace: return action.text;
    }
    return "[masked]";
}

}  // namespace sallyport
