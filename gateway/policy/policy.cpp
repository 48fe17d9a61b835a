#include "gateway/policy/policy.h"

#include <algorithm>
#include <re2/re2.h>
#include <utility>

namespace sallyport {

namespace {

// Deny beats approve beats allow.
constexpr int strictness(Verdict verdict)
{
    switch (verdict) {
    case Verdict::allow: return 0;
    case Verdict::hold: return 1;
    case Verdict::deny: return 2;
    }
    return 2;
}

bool names_object(const PolicyRule& rule, const std::string& object)
{
    return rule.objects.empty() || std::ranges::any_of(rule.objects, [&](const std::string& glob) {
               return glob_matches(glob, object);
           });
}

std::string rule_id(const PolicyEntry& policy, const PolicyRule& rule)
{
    return policy.name + "#" + std::to_string(&rule - policy.rules.data() + 1);
}

// "drop public.users (DROP TABLE users)"
std::string described(const Vocabulary& vocabulary, const Action& action)
{
    std::string text(action.action_class < vocabulary.classes.size()
                         ? vocabulary.classes[action.action_class]
                         : "opaque");
    if (!action.object.empty())
        text += " " + action.object;
    if (!action.cause.empty())
        text += " (" + action.cause + ")";
    return text;
}

// The strictest rule seen so far, and the action it was about.
struct Decider {
    const PolicyEntry* policy = nullptr;
    const PolicyRule* rule = nullptr;
    const Action* action = nullptr;

    void weigh(const PolicyEntry& other_policy, const PolicyRule& other, const Action& about)
    {
        if (rule != nullptr && strictness(rule->verdict) >= strictness(other.verdict))
            return;
        policy = &other_policy;
        rule = &other;
        action = &about;
    }
};

bool names_identity(const PolicyEntry& policy, const Identity& who)
{
    const auto is_everybody = [](const std::string& name) { return name == "*"; };
    if (std::ranges::any_of(policy.users, is_everybody) ||
        std::ranges::any_of(policy.groups, is_everybody))
        return true;
    return std::ranges::find(policy.users, who.name) != policy.users.end() ||
           std::ranges::any_of(policy.groups, [&](const std::string& group) {
               return std::ranges::find(who.groups, group) != who.groups.end();
           });
}

template <class T>
void keep_smaller(std::optional<T>& limit, const std::optional<T>& other)
{
    if (other && (!limit || *other < *limit))
        limit = other;
}

}  // namespace

std::string_view name_of(Verdict verdict)
{
    switch (verdict) {
    case Verdict::allow: return "allow";
    case Verdict::deny: return "deny";
    case Verdict::hold: return "hold";
    }
    return "deny";
}

Ruling EffectivePolicy::rule_on(const Command& command) const
{
    const Vocabulary& vocabulary = *command.vocabulary;
    const ClassSet classes = command.classes();
    Ruling ruling;

    // One slot for each action: what was the strictest for it. Few commands have more than a
    // handful.
    std::vector<Decider> deciders(command.actions().size());
    for (const auto& policy : policies_) {
        for (const PolicyRule& rule : policy->rules) {
            if ((rule.classes & classes).empty() || rule.facet != vocabulary.facet)
                continue;
            // The pattern is about the text as a whole: it is tried once and only where the rest
            // fits.
            bool matched = false;
            for (std::size_t i = 0; i < command.actions().size(); ++i) {
                const Action& action = command.actions()[i];
                if (!rule.classes.contains(action.action_class) ||
                    !names_object(rule, action.object))
                    continue;
                if (!matched && rule.statement &&
                    !re2::RE2::PartialMatch(command.text, *rule.statement))
                    break;
                matched = true;
                deciders[i].weigh(*policy, rule, action);
            }
            if (matched)
                ruling.matched.push_back(rule_id(*policy, rule));
        }
    }

    Decider strictest;
    const Action* unnamed = nullptr;  // the first action that no rule names
    for (std::size_t i = 0; i < deciders.size(); ++i) {
        if (deciders[i].rule != nullptr)
            strictest.weigh(*deciders[i].policy, *deciders[i].rule, *deciders[i].action);
        else if (unnamed == nullptr && !command.actions()[i].behind)
            unnamed = &command.actions()[i];
    }

    // A rule that denies says more than the default, so it is the one to be named; anything milder
    // gives way to an action that nothing allows.
    const bool by_rule = strictest.rule != nullptr &&
                         (unnamed == nullptr || strictest.rule->verdict == Verdict::deny);
    if (by_rule) {
        ruling.verdict = strictest.rule->verdict;
        ruling.policy = strictest.policy->name;
        ruling.rule = rule_id(*strictest.policy, *strictest.rule);
        ruling.reason = strictest.rule->reason;
        if (ruling.reason.empty() && ruling.verdict == Verdict::deny)
            ruling.reason =
                std::string(vocabulary.classes[strictest.action->action_class]) + " is denied";
        if (ruling.verdict != Verdict::allow)
            ruling.cause = described(vocabulary, *strictest.action);
        return ruling;
    }

    ruling.verdict = Verdict::deny;
    ruling.policy = "default";
    ruling.rule = "default";
    if (unnamed == nullptr) {
        ruling.reason = "nothing in it can be weighed";
        return ruling;
    }
    ruling.reason =
        "no rule allows " + (unnamed->action_class < vocabulary.classes.size()
                                 ? std::string(vocabulary.classes[unnamed->action_class])
                                 : std::string("it"));
    if (!unnamed->object.empty())
        ruling.reason += " on " + unnamed->object;
    ruling.cause = described(vocabulary, *unnamed);
    return ruling;
}

bool EffectivePolicy::permits_only(const Vocabulary& vocabulary, ClassSet classes) const
{
    ClassSet permitted;
    for (const auto& policy : policies_) {
        for (const PolicyRule& rule : policy->rules) {
            if (rule.facet == vocabulary.facet && rule.verdict != Verdict::deny)
                permitted |= rule.classes;
        }
    }
    return permitted.within(classes);
}

bool EffectivePolicy::permits_all(const Vocabulary& vocabulary) const
{
    ClassSet all;
    for (std::size_t i = 0; i < vocabulary.classes.size(); ++i)
        all |= ClassSet::of(i);
    bool permits = false;
    for (const auto& policy : policies_) {
        for (const PolicyRule& rule : policy->rules) {
            if (rule.facet != vocabulary.facet)
                continue;
            if (rule.verdict != Verdict::allow)
                return false;
            permits = permits || (all.within(rule.classes) && rule.objects.empty() &&
                                  rule.statement == nullptr);
        }
    }
    return permits;
}

PolicySet::PolicySet(std::vector<std::shared_ptr<const PolicyEntry>> policies, std::string hash,
                     std::shared_ptr<const MaskKey> key)
    : policies_(std::move(policies)), hash_(std::move(hash)), key_(std::move(key))
{
}

bool PolicySet::masks_for_anyone(std::string_view place) const
{
    return std::ranges::any_of(policies_, [&](const auto& policy) {
        return std::ranges::any_of(policy->masks, [&](const MaskRules::Rule& rule) {
            return MaskRules::names(rule, place);
        });
    });
}

bool PolicySet::masks_columns() const
{
    return std::ranges::any_of(policies_, [](const auto& policy) {
        return std::ranges::any_of(
            policy->masks, [](const MaskRules::Rule& rule) { return !rule.columns.empty(); });
    });
}

EffectivePolicy PolicySet::effective(const Identity& who, std::string_view connection) const
{
    EffectivePolicy effective;
    std::vector<MaskRules::Rule> masks;
    auto untraceable = MaskRules::Untraceable::mask;
    for (const auto& policy : policies_) {
        // Nothing can grant access on request in this version, so there is never a live grant.
        if (policy->on_request || !names_identity(*policy, who))
            continue;
        if (std::ranges::none_of(policy->connections, [&](const std::string& glob) {
                return glob_matches(glob, connection);
            }))
            continue;
        effective.policies_.push_back(policy);
        effective.reads_texts_ = effective.reads_texts_ ||
                                 std::ranges::any_of(policy->rules, [](const PolicyRule& rule) {
                                     return rule.statement != nullptr;
                                 });
        masks.insert(masks.end(), policy->masks.begin(), policy->masks.end());
        if (policy->untraceable == MaskRules::Untraceable::refuse)
            untraceable = MaskRules::Untraceable::refuse;
        keep_smaller(effective.limits_.rows, policy->limits.rows);
        keep_smaller(effective.limits_.session, policy->limits.session);
        keep_smaller(effective.limits_.idle, policy->limits.idle);
    }
    effective.masks_ = MaskRules(std::move(masks), untraceable, key_);
    return effective;
}

}  // namespace sallyport
