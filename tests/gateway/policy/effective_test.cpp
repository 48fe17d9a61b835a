// Which policies apply to whom, and what they add up to.

#include <gtest/gtest.h>

#include "tests/gateway/policy/words.h"

namespace sallyport {
namespace {

using words::effective;
using words::policy;
using words::rule;
using words::with_statement;

const Identity alice{.name = "alice", .groups = {"analysts", "staff"}, .proof = "test"};

PolicyEntry policy_for(std::vector<std::string> users, std::vector<std::string> groups,
                       std::vector<std::string> connections)
{
    PolicyEntry entry = policy("p", {rule(Verdict::allow, {words::select})});
    entry.users = std::move(users);
    entry.groups = std::move(groups);
    entry.connections = std::move(connections);
    return entry;
}

TEST(EffectivePolicyTest, AppliesByUserGroupAndConnection)
{
    const auto applies = [](PolicyEntry entry, std::string_view connection = "features") {
        std::vector<PolicyEntry> entries;
        entries.push_back(std::move(entry));
        return effective(std::move(entries), alice, connection).applies();
    };
    EXPECT_TRUE(applies(policy_for({"alice"}, {}, {"features"})));
    EXPECT_TRUE(applies(policy_for({}, {"staff"}, {"features"})));
    EXPECT_TRUE(applies(policy_for({"*"}, {}, {"features"})));
    EXPECT_TRUE(applies(policy_for({}, {"*"}, {"features"})));
    EXPECT_TRUE(applies(policy_for({"alice"}, {}, {"feat*", "x"})));
    EXPECT_FALSE(applies(policy_for({"bob"}, {"dba"}, {"features"})));
    EXPECT_FALSE(applies(policy_for({"al*"}, {"st*"}, {"features"})));
    EXPECT_FALSE(applies(policy_for({"staff"}, {"alice"}, {"features"})));
    EXPECT_FALSE(applies(policy_for({"alice"}, {}, {"warehouse"})));
    EXPECT_FALSE(applies(policy_for({"alice"}, {}, {})));
    EXPECT_FALSE(applies(policy_for({}, {}, {"*"})));
}

TEST(EffectivePolicyTest, APolicyOnRequestDoesNotApply)
{
    PolicyEntry entry = policy_for({"*"}, {}, {"*"});
    entry.on_request = true;
    EXPECT_FALSE(effective({entry}, alice).applies());
}

TEST(EffectivePolicyTest, TheSmallestLimitsHold)
{
    PolicyEntry first = policy_for({"*"}, {}, {"*"});
    first.limits = {.rows = 1000, .session = std::chrono::hours(8), .idle = std::nullopt};
    PolicyEntry second = policy_for({"*"}, {}, {"*"});
    second.limits = {.rows = 50, .session = std::chrono::hours(9), .idle = std::chrono::minutes(5)};
    PolicyEntry foreign = policy_for({"bob"}, {}, {"*"});
    foreign.limits.rows = 1;
    const SessionLimits limits = effective({first, second, foreign}, alice).limits();
    EXPECT_EQ(limits.rows, 50U);
    EXPECT_EQ(limits.session, std::chrono::hours(8));
    EXPECT_EQ(limits.idle, std::chrono::minutes(5));
    EXPECT_EQ(effective({policy_for({"*"}, {}, {"*"})}, alice).limits().rows, std::nullopt);
}

TEST(EffectivePolicyTest, MasksOfAllThatApplyInTheirOrder)
{
    const auto masking = [](std::vector<std::string> users, std::string column, std::string name) {
        PolicyEntry entry = policy_for(std::move(users), {}, {"*"});
        MaskAction action;
        action.rule = std::move(name);
        entry.masks.push_back({.columns = {std::move(column)}, .action = action});
        return entry;
    };
    const auto policy =
        effective({masking({"*"}, "users.email", "one"), masking({"bob"}, "*", "bob's"),
                   masking({"alice"}, "email", "two")},
                  alice);
    EXPECT_EQ(policy.masks().rules().size(), 2U);
    EXPECT_EQ(policy.masks().action_for("public.users.email")->rule, "one");
    EXPECT_EQ(policy.masks().action_for("public.patients.email")->rule, "two");
    EXPECT_EQ(policy.masks().action_for("public.users.id"), nullptr);
}

TEST(EffectivePolicyTest, DetectorsAndPathsOfAllThatApplyInTheirOrder)
{
    const auto masking = [](Detector detector, std::string_view path, std::string text) {
        PolicyEntry entry = policy_for({"*"}, {}, {"*"});
        const MaskAction action{
            .kind = MaskAction::Kind::replace, .keep = 0, .text = std::move(text), .rule = {}};
        entry.masks.push_back({.columns = {}, .action = action, .detect = {detector}});
        entry.masks.push_back({.columns = {}, .action = action, .json = {*JsonPath::parse(path)}});
        return entry;
    };
    const MaskRules masks =
        effective({masking(Detector::email, "$.a", "one"), masking(Detector::email, "$.*", "two"),
                   masking(Detector::ssn, "$.c", "three")},
                  alice)
            .masks();
    ASSERT_NE(masks.detectors(), nullptr);
    ASSERT_NE(masks.json(), nullptr);
    std::string text;
    masks.detectors()->hide("a@b.cc 123-45-6789", MaskKey{}, text);
    EXPECT_EQ(text, "one three");
    std::string document;
    masks.json()->hide(R"({"a":1,"b":2})", MaskKey{}, document);
    EXPECT_EQ(document, R"({"a":"one","b":"two"})");
}

TEST(EffectivePolicyTest, OnePolicyThatRefusesTheUntraceableIsEnough)
{
    PolicyEntry strict = policy_for({"*"}, {}, {"*"});
    strict.untraceable = MaskRules::Untraceable::refuse;
    const PolicyEntry mild = policy_for({"*"}, {}, {"*"});
    EXPECT_EQ(effective({mild, strict}, alice).masks().untraceable(),
              MaskRules::Untraceable::refuse);
    EXPECT_EQ(effective({mild}, alice).masks().untraceable(), MaskRules::Untraceable::mask);
}

TEST(EffectivePolicyTest, PermitsOnlyWhatSomeRuleAllowsOrHolds)
{
    const ClassSet reading = words::classes({words::select});
    const auto permits_only = [&](std::vector<PolicyRule> rules) {
        return effective({policy("p", std::move(rules))}).permits_only(words::sql, reading);
    };
    EXPECT_TRUE(permits_only({}));
    EXPECT_TRUE(permits_only({rule(Verdict::allow, {words::select}),
                              rule(Verdict::deny, {words::drop, words::insert})}));
    EXPECT_FALSE(permits_only({rule(Verdict::allow, {words::select, words::insert})}));
    EXPECT_FALSE(permits_only({rule(Verdict::hold, {words::drop})}));
    PolicyRule other = rule(Verdict::allow, {words::drop});
    other.facet = "ssh";
    EXPECT_TRUE(permits_only({other}));
}

TEST(EffectivePolicyTest, PermitsAllWhereARuleDoesAndNoneStandsAgainstIt)
{
    const std::initializer_list<words::Class> all = {words::select, words::insert, words::update,
                                                     words::drop, words::opaque};
    const auto permits_all = [](std::vector<PolicyRule> rules) {
        return effective({policy("p", std::move(rules))}).permits_all(words::sql);
    };
    EXPECT_TRUE(permits_all({rule(Verdict::allow, all)}));
    EXPECT_TRUE(permits_all({rule(Verdict::allow, {words::select}), rule(Verdict::allow, all)}));
    EXPECT_FALSE(permits_all({}));
    EXPECT_FALSE(permits_all(
        {rule(Verdict::allow, {words::select, words::insert, words::update, words::drop})}));
    EXPECT_FALSE(permits_all({rule(Verdict::allow, all, {"public.*"})}));
    EXPECT_FALSE(permits_all({with_statement(rule(Verdict::allow, all), "x")}));
    EXPECT_FALSE(
        permits_all({rule(Verdict::allow, all), rule(Verdict::deny, {words::drop}, {"x"})}));
    EXPECT_FALSE(permits_all({rule(Verdict::allow, all), rule(Verdict::hold, {words::drop})}));
    PolicyRule other = rule(Verdict::deny, {words::drop});
    other.facet = "ssh";
    EXPECT_TRUE(permits_all({rule(Verdict::allow, all), other}));
}

TEST(PolicySetTest, KnowsWhichColumnsAnybodysMasksName)
{
    const auto set = [](std::vector<MaskRules::Rule> masks) {
        PolicyEntry entry = policy_for({"bob"}, {}, {"elsewhere"});
        entry.masks = std::move(masks);
        return PolicySet({std::make_shared<const PolicyEntry>(std::move(entry))}, "", nullptr);
    };
    const PolicySet named = set({{.columns = {"users.email"}, .action = {}}});
    EXPECT_TRUE(named.masks_columns());
    EXPECT_TRUE(named.masks_for_anyone("public.users.email"));
    EXPECT_FALSE(named.masks_for_anyone("public.users.id"));
    const PolicySet found =
        set({{.columns = {}, .action = {}, .json = {}, .detect = {Detector::email}}});
    EXPECT_FALSE(found.masks_columns());
    EXPECT_FALSE(set({}).masks_columns());
}

TEST(PolicySetTest, KeepsItsHash)
{
    EXPECT_EQ(PolicySet({}, "sha256:ab", nullptr).hash(), "sha256:ab");
}

}  // namespace
}  // namespace sallyport
