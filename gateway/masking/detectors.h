// `detect:` masks: what is hidden wherever it stands, by what it looks like. The second net of
// masking and never the first: it knows no column, and a value that was changed before slips
// through.

#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/masking/detector.h"
#include "gateway/masking/mask_action.h"

namespace sallyport {

// Immutable: any number of threads may use one.
class Detectors {
public:
    struct Rule {
        std::vector<Detector> detect;
        MaskAction action;
    };

    // A detector that stands in several rules belongs to the first.
    explicit Detectors(const std::vector<Rule>& rules);

    struct Hidden {
        std::size_t spans = 0;
        bool whole = false;  // the value as a whole becomes NULL
    };

    // Appends the text with everything found in it hidden. Where nothing is, or where the value has
    // to go as a whole (the action null, or a result too large), `into` stays untouched. Findings
    // that overlap are one, hidden as the first rule among them says.
    Hidden hide(std::string_view text, const MaskKey& key, std::string& into) const;

    // The same for a JSON text: in strings and member names with their escapes resolved, and in
    // numbers, which then become strings. What goes on is JSON again; a string or number that has
    // to go as a whole is null there, and a member's name is redacted. A text that is no JSON, or
    // is nested too deeply, is a text like any other, except that one whose escapes hide something
    // goes as a whole.
    Hidden hide_in_json(std::string_view json, const MaskKey& key, std::string& into) const;

private:
    Hidden hide_found(std::string_view text, DetectorSet possible, const MaskKey& key,
                      std::string& into) const;
    Hidden hide_in_broken_json(std::string_view text, const MaskKey& key, std::string& into) const;

    DetectorSet wanted_;
    std::vector<MaskAction> actions_;
    std::array<std::size_t, detector_names.size()> action_of_{};
};

}  // namespace sallyport
