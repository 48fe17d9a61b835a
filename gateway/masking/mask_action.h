// How one value is hidden.

#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace sallyport {

// The deployment's key for `hash`, made at first start and kept in the state directory.
struct MaskKey {
    std::string bytes;  // 32
};

// How one value is hidden (interface.md, "Mask actions").
struct MaskAction {
    enum class Kind : std::uint8_t { redact, null, hash, keep_last, keep_first, replace };

    Kind kind = Kind::redact;
    std::size_t keep = 0;  // keep_last, keep_first: characters (UTF-8), not bytes
    std::string text;      // replace
    std::string rule;      // where it was configured, for the record: "policy \"x\" mask 2"
};

// The text to show instead of a value, or nothing for a NULL. A value shorter than what is kept is
// hidden whole. hash: the first 32 hex digits of HMAC-SHA-256(key, value).
std::optional<std::string> masked_text(const MaskAction& action, const MaskKey& key,
                                       std::string_view value);

// No value may grow by more than this through what is put in the place of its parts.
inline constexpr std::size_t most_growth = std::size_t{64} << 20;

}  // namespace sallyport
