// The rules in force, as one immutable snapshot.
//
// A session keeps the snapshot it began with, so every decision in a recording can be explained by
// one policy version. Every rule of every policy that applies is weighed; deny beats approve beats
// allow; nothing matching means deny; order never matters.

#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/masking/mask_plan.h"
#include "gateway/vocabulary/command.h"
#include "gateway/vocabulary/glob.h"
#include "gateway/vocabulary/identity.h"
#include "gateway/vocabulary/limits.h"

namespace re2 {
class RE2;
}

namespace sallyport {

enum class Verdict : std::uint8_t { allow, deny, hold };

std::string_view name_of(Verdict verdict);

// What is to happen to one command, and why.
struct Ruling {
    Verdict verdict = Verdict::deny;
    std::string policy;  // the policy of the rule that decided; "default" where none matched
    std::string rule;    // "analysts read features#2": policy and the rule's position in it, from 1
    std::string reason;  // the rule's own, or why nothing allowed it
    std::string cause;   // the part of the command that decided: class, object and cause
    std::vector<std::string> matched;  // every rule that matched, for the record and `decide`
};

struct PolicyRule {
    Verdict verdict = Verdict::deny;
    std::string facet;                 // "sql": applies to commands of this vocabulary only
    ClassSet classes;                  // empty matches nothing
    std::vector<std::string> objects;  // globs; empty: any object
    std::shared_ptr<const re2::RE2> statement;  // matched anywhere in the command's text; null: any
    std::string reason;
    int line = 0;  // in the configuration file

    // approve only; used by the approval desk.
    std::vector<std::string> by_groups;
    int quorum = 1;
    std::chrono::seconds timeout{600};
};

struct PolicyEntry {
    std::string name;
    std::vector<std::string> users;        // "*": every authenticated identity
    std::vector<std::string> groups;       // "*" likewise
    std::vector<std::string> connections;  // globs
    bool on_request = false;  // needs a live grant; without one the policy does not apply
    std::vector<PolicyRule> rules;
    std::vector<MaskRules::Rule> masks;
    MaskRules::Untraceable untraceable = MaskRules::Untraceable::mask;
    SessionLimits limits;
};

// What applies to one identity on one connection: the policies that name both, flattened. Made once
// a session; immutable.
class EffectivePolicy {
public:
    // Weighs every rule against every action of the command. An action no rule allows is denied.
    Ruling rule_on(const Command& command) const;

    // Whether a rule looks at the text of commands; else commands with the same actions have the
    // same ruling.
    bool reads_texts() const { return reads_texts_; }

    const MaskRules& masks() const { return masks_; }
    const SessionLimits& limits() const { return limits_; }

    // Whether no rule allows or holds anything of another class than these.
    bool permits_only(const Vocabulary& vocabulary, ClassSet classes) const;

    // Whether a rule allows every class of it, on whatever object, and none denies or holds any.
    bool permits_all(const Vocabulary& vocabulary) const;

    // False where no policy names this identity on this connection: the login is refused.
    bool applies() const { return !policies_.empty(); }

private:
    friend class PolicySet;

    std::vector<std::shared_ptr<const PolicyEntry>> policies_;
    MaskRules masks_;
    SessionLimits limits_;  // the smallest of each
    bool reads_texts_ = false;
};

class PolicySet {
public:
    // hash: of the whole configuration's policies, "sha256:...".
    PolicySet(std::vector<std::shared_ptr<const PolicyEntry>> policies, std::string hash,
              std::shared_ptr<const MaskKey> key);

    EffectivePolicy effective(const Identity& who, std::string_view connection) const;

    // Whether a `columns:` mask of some policy names the place, on whatever connection: several may
    // lead to one database.
    bool masks_for_anyone(std::string_view place) const;

    // Whether there is any such mask.
    bool masks_columns() const;

    const std::string& hash() const { return hash_; }

private:
    std::vector<std::shared_ptr<const PolicyEntry>> policies_;
    std::string hash_;
    std::shared_ptr<const MaskKey> key_;
};

}  // namespace sallyport
