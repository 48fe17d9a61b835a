// What to hide in one result, decided once per result and applied to every row of it.

#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/masking/detectors.h"
#include "gateway/masking/json_mask.h"
#include "gateway/masking/mask_action.h"
#include "gateway/vocabulary/column.h"

namespace sallyport {

// The masks of one identity on one connection: `columns:` patterns and what each asks for, and what
// `detect:` and `json:` make of values whatever column they are in.
//
// A pattern has one to three parts, "column", "table.column", "schema.table.column", each a glob
// (`*` and `?`); missing leading parts match anything. Names compare exactly as the catalogue has
// them.
class MaskRules {
public:
    // One of columns, json and detect.
    struct Rule {
        std::vector<std::string> columns;
        MaskAction action;
        // A statement that uses one of the columns to choose, order or group rows is refused.
        bool refuse_conditions = false;
        // A statement that writes anything, and reads or sets one of the columns, is refused.
        bool refuse_writes = false;
        std::vector<JsonPath> json = {};
        std::vector<Detector> detect = {};
    };

    enum class Untraceable : std::uint8_t { mask, refuse };

    MaskRules() = default;
    MaskRules(std::vector<Rule> rules, Untraceable untraceable, std::shared_ptr<const MaskKey> key);

    // True where nothing on this connection is masked for this identity: results pass untouched.
    bool hides_nothing() const { return rules_.empty(); }

    // True where some rule is about columns: where none is, no column has to be traced.
    bool names_columns() const;

    // The first rule that names the source, "schema.table.column"; null where none does. Valid for
    // the life of the rules.
    const Rule* rule_for(std::string_view source) const;
    const MaskAction* action_for(std::string_view source) const;

    // The second net: what looks at values whatever column they are in. Null where no rule does.
    const std::shared_ptr<const Detectors>& detectors() const { return detectors_; }
    const std::shared_ptr<const JsonMask>& json() const { return json_; }

    // Whether a pattern of the rule names the source.
    static bool names(const Rule& rule, std::string_view source);

    // What a column that cannot be traced gets (Untraceable::mask), always redact.
    static const MaskAction& untraced_action();

    Untraceable untraceable() const { return untraceable_; }

    // In the order they are tried.
    const std::vector<Rule>& rules() const { return rules_; }

    const MaskKey& key() const { return *key_; }

private:
    std::vector<Rule> rules_;
    Untraceable untraceable_ = Untraceable::mask;
    std::shared_ptr<const MaskKey> key_;
    std::shared_ptr<const Detectors> detectors_;
    std::shared_ptr<const JsonMask> json_;
};

class MaskPlan {
public:
    // Hides everything: what a row gets that nobody announced.
    MaskPlan() = default;

    // One entry for each column, null where the column is shown as it is. The actions and the key
    // outlive the plan (they belong to the session's rules).
    MaskPlan(std::vector<const MaskAction*> actions, const MaskKey& key);

    // True where rows may be forwarded without being looked into.
    bool hides_nothing() const { return announced_ && hidden_ == 0; }

    // How the column is hidden; null where it is shown as it is. A column beyond those announced is
    // hidden.
    const MaskAction* action(std::size_t column) const;

    std::size_t columns() const { return actions_.size(); }
    bool announced() const { return announced_; }
    const MaskKey* key() const { return key_; }

private:
    std::vector<const MaskAction*> actions_;
    const MaskKey* key_ = nullptr;
    std::size_t hidden_ = 0;
    bool announced_ = false;
};

}  // namespace sallyport
