// A small vocabulary and shorthand for policies, for tests of what is decided.

#pragma once

#include <array>
#include <memory>
#include <re2/re2.h>
#include <string>
#include <vector>

#include "gateway/policy/policy.h"

namespace sallyport::words {

enum Class : std::uint8_t { select, insert, update, drop, opaque };

inline constexpr std::array<std::string_view, 5> class_names = {"select", "insert", "update",
                                                                "drop", "opaque"};
inline const Vocabulary sql = {
    .facet = "sql", .classes = class_names, .groups = {}, .reads = ClassSet::of(select)};
inline const Vocabulary shell = {
    .facet = "ssh", .classes = class_names, .groups = {}, .reads = ClassSet::of(select)};

inline ClassSet classes(std::initializer_list<Class> members)
{
    ClassSet set;
    for (const Class member : members)
        set |= ClassSet::of(member);
    return set;
}

inline PolicyRule rule(Verdict verdict, std::initializer_list<Class> members,
                       std::vector<std::string> objects = {}, std::string reason = {})
{
    PolicyRule made;
    made.verdict = verdict;
    made.facet = "sql";
    made.classes = classes(members);
    made.objects = std::move(objects);
    made.reason = std::move(reason);
    return made;
}

inline PolicyRule with_statement(PolicyRule made, const std::string& pattern)
{
    made.statement = std::make_shared<const re2::RE2>(pattern);
    return made;
}

// A policy for everybody everywhere.
inline PolicyEntry policy(std::string name, std::vector<PolicyRule> rules)
{
    PolicyEntry made;
    made.name = std::move(name);
    made.users = {"*"};
    made.connections = {"*"};
    made.rules = std::move(rules);
    return made;
}

inline EffectivePolicy effective(std::vector<PolicyEntry> policies, const Identity& who = {},
                                 std::string_view connection = "db")
{
    std::vector<std::shared_ptr<const PolicyEntry>> entries;
    for (PolicyEntry& entry : policies)
        entries.push_back(std::make_shared<const PolicyEntry>(std::move(entry)));
    return PolicySet(std::move(entries), "sha256:0", std::make_shared<const MaskKey>())
        .effective(who, connection);
}

inline Action action(Class action_class, std::string object = {}, std::string cause = {})
{
    return {.action_class = action_class, .object = std::move(object), .cause = std::move(cause)};
}

inline Command command(std::vector<Action> actions, std::string text = "text")
{
    return {.vocabulary = &sql,
            .text = std::move(text),
            .shared_actions = std::make_shared<const Actions>(std::move(actions))};
}

}  // namespace sallyport::words
