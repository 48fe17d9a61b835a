// `json:` masks: values of a JSON document that are hidden by the path they stand at.

#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/masking/json_path.h"
#include "gateway/masking/json_scanner.h"
#include "gateway/masking/mask_action.h"

namespace sallyport {

// Immutable: any number of threads may use one.
class JsonMask {
public:
    struct Rule {
        std::vector<JsonPath> paths;
        MaskAction action;
    };

    // Of several rules whose paths end at one value, the first is applied.
    explicit JsonMask(const std::vector<Rule>& rules);

    // Appends the document with what the paths name hidden; gives how many values were, and where
    // none was leaves `into` untouched. A value is replaced as a whole: by a JSON string of the
    // action's text, or null; a null stays. An object or array has no first or last characters
    // worth keeping: those actions redact it. Members that stand twice are both hidden, names are
    // compared with their escapes resolved.
    //
    // Nothing, with `into` untouched, where the text is no JSON, is nested too deeply or would grow
    // too large: the whole value has to be hidden.
    std::optional<std::size_t> hide(std::string_view json, const MaskKey& key,
                                    std::string& into) const;

private:
    class Walk;

    // Each step of each path is one bit: set for an object or array where the steps before have led
    // to it, so that its members are compared with that step.
    using Bits = std::vector<std::uint64_t>;
    struct Named {
        std::string name;
        Bits steps;
    };
    struct Placed {
        std::uint64_t index;
        Bits steps;
    };

    const Bits& steps_named(std::string_view name) const;
    const Bits& steps_at(std::uint64_t index) const;

    std::vector<MaskAction> actions_;
    std::vector<std::size_t> action_of_step_;
    const MaskAction* whole_document() const;
    std::optional<std::size_t> whole_document_;  // the action of a path that is only "$"
    std::size_t words_ = 1;                      // in each Bits
    Bits first_;                                 // steps a document begins with
    Bits last_;                                  // steps that end a path
    Bits every_;                                 // steps that any member fits
    Bits at_any_depth_;                          // steps that hold further down as well
    Bits none_;
    std::vector<Named> names_;
    std::vector<Placed> places_;
    std::uint64_t name_lengths_ =
        0;  // a bit for each length that a name has; the last for longer ones
};

}  // namespace sallyport
