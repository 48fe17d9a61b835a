// A masked value in the form its column has on the wire.

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "gateway/masking/mask_plan.h"

namespace sallyport::postgres {

// The bytes to send instead of a value that is not NULL; nothing for a NULL. Types that hold text
// get the action's text (JSON types as a JSON string); every other type gets NULL, in text and in
// binary format alike.
std::optional<std::string> masked_value(const MaskAction& action, const MaskKey& key,
                                        std::uint32_t type, bool binary, std::string_view value);

}  // namespace sallyport::postgres
