// What to hide in one result, decided once per result and applied to every row of it.

#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/vocabulary/column.h"

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

// `columns:` patterns of one identity on one connection, and what each asks for.
//
// A pattern has one to three parts, "column", "table.column", "schema.table.column", each a glob
// (`*` and `?`); missing leading parts match anything. Names compare exactly as the catalogue has
// them.
class MaskRules {
public:
    struct Rule {
        std::vector<std::string> columns;
        MaskAction action;
    };

    enum class Untraceable : std::uint8_t { mask, refuse };

    MaskRules() = default;
    MaskRules(std::vector<Rule> rules, Untraceable untraceable, std::shared_ptr<const MaskKey> key);

    // True where nothing on this connection is masked for this identity: results pass untouched.
    bool hides_nothing() const { return rules_.empty(); }

    // The first rule that names the source, "schema.table.column"; null where none does. Valid for
    // the life of the rules.
    const MaskAction* action_for(std::string_view source) const;

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
