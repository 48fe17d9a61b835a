// `detect:` and `json:` masks on one value in the form it has on the wire.

#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "gateway/masking/mask_plan.h"

namespace sallyport::postgres {

// What looks at values whatever column they are in; either may be null. Outlived by the rules it
// was made from.
struct SecondNet {
    const Detectors* detectors = nullptr;
    const JsonMask* json = nullptr;
    const MaskKey* key = nullptr;

    static SecondNet of(const MaskRules& rules)
    {
        return {
            .detectors = rules.detectors().get(), .json = rules.json().get(), .key = &rules.key()};
    }

    // Values pass as they are.
    bool empty() const { return detectors == nullptr && json == nullptr; }
};

// Whether values of the type are looked at: text, JSON, XML, their arrays, and whatever is not
// known. Numbers, times, UUIDs, addresses of networks and their like are not, nor are their arrays.
bool is_looked_at(std::uint32_t type);

enum class Detected : std::uint8_t {
    nothing,  // the value goes on as it is; nothing was appended
    hidden,   // what was appended goes on in its place
    null,     // NULL goes on in its place; nothing was appended
};

// Looks at a value that is not NULL, of a type (an OID) that is_looked_at().
//
// Text is text, and a JSON object or array that stands in a text is JSON. The elements of arrays
// and the fields of rows are looked at one by one, in text and in binary form, and written again as
// the server would. What cannot be taken apart is searched as it stands; what is found there, and
// could not be replaced, makes the value NULL.
Detected detect_in_value(const SecondNet& net, std::uint32_t type, bool binary,
                         std::string_view value, std::string& into);

}  // namespace sallyport::postgres
