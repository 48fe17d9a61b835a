// The decision: every rule against every action; deny beats approve beats allow.

#include <algorithm>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/gateway/policy/words.h"

namespace sallyport {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using words::action;
using words::command;
using words::effective;
using words::policy;
using words::rule;
using words::with_statement;

TEST(RuleOnTest, AllowsWhatARuleAllows)
{
    const auto rules = effective({policy("readers", {rule(Verdict::allow, {words::select})})});
    const Ruling ruling = rules.rule_on(command({action(words::select, "public.users")}));
    EXPECT_EQ(ruling.verdict, Verdict::allow);
    EXPECT_EQ(ruling.policy, "readers");
    EXPECT_EQ(ruling.rule, "readers#1");
    EXPECT_THAT(ruling.matched, ElementsAre("readers#1"));
}

TEST(RuleOnTest, DeniesWhatNothingNames)
{
    const auto rules = effective({policy("readers", {rule(Verdict::allow, {words::select})})});
    const Ruling ruling =
        rules.rule_on(command({action(words::drop, "public.users", "DROP TABLE users")}));
    EXPECT_EQ(ruling.verdict, Verdict::deny);
    EXPECT_EQ(ruling.policy, "default");
    EXPECT_EQ(ruling.rule, "default");
    EXPECT_EQ(ruling.reason, "no rule allows drop on public.users");
    EXPECT_EQ(ruling.cause, "drop public.users (DROP TABLE users)");
    EXPECT_THAT(ruling.matched, IsEmpty());
}

TEST(RuleOnTest, WithoutAnyPolicyEverythingIsDenied)
{
    const Ruling ruling = EffectivePolicy().rule_on(command({action(words::select)}));
    EXPECT_EQ(ruling.verdict, Verdict::deny);
    EXPECT_EQ(ruling.policy, "default");
}

TEST(RuleOnTest, ACommandWithoutActionsIsDenied)
{
    const auto rules =
        effective({policy("all", {rule(Verdict::allow, {words::select, words::drop})})});
    EXPECT_EQ(rules.rule_on(command({})).verdict, Verdict::deny);
}

TEST(RuleOnTest, EveryActionNeedsARuleThatAllowsIt)
{
    const auto rules = effective({policy("readers", {rule(Verdict::allow, {words::select})})});
    const Ruling ruling =
        rules.rule_on(command({action(words::select, "a"), action(words::update, "b")}));
    EXPECT_EQ(ruling.verdict, Verdict::deny);
    EXPECT_EQ(ruling.reason, "no rule allows update on b");
    EXPECT_THAT(ruling.matched, ElementsAre("readers#1"));
}

TEST(RuleOnTest, DenyBeatsApproveBeatsAllowInAnyOrder)
{
    std::vector<PolicyRule> rules = {rule(Verdict::allow, {words::drop}),
                                     rule(Verdict::hold, {words::drop}),
                                     rule(Verdict::deny, {words::drop}, {}, "never")};
    std::vector<int> order = {0, 1, 2};
    do {
        std::vector<PolicyRule> ordered;
        for (const int i : order)
            ordered.push_back(rules[static_cast<std::size_t>(i)]);
        const Ruling ruling =
            effective({policy("p", ordered)}).rule_on(command({action(words::drop, "t")}));
        EXPECT_EQ(ruling.verdict, Verdict::deny);
        EXPECT_EQ(ruling.reason, "never");
        EXPECT_EQ(ruling.matched.size(), 3U);
    } while (std::ranges::next_permutation(order).found);

    const Ruling held =
        effective({policy("p", {rules[0], rules[1]})}).rule_on(command({action(words::drop)}));
    EXPECT_EQ(held.verdict, Verdict::hold);
    EXPECT_EQ(held.rule, "p#2");
    EXPECT_EQ(held.cause, "drop");
}

TEST(RuleOnTest, PoliciesAreWeighedTogether)
{
    const auto rules =
        effective({policy("wide", {rule(Verdict::allow, {words::select, words::drop})}),
                   policy("guard", {rule(Verdict::allow, {words::insert}),
                                    rule(Verdict::deny, {words::drop}, {}, "no")})});
    const Ruling ruling = rules.rule_on(command({action(words::drop, "t", "DROP TABLE t")}));
    EXPECT_EQ(ruling.verdict, Verdict::deny);
    EXPECT_EQ(ruling.policy, "guard");
    EXPECT_EQ(ruling.rule, "guard#2");
    EXPECT_EQ(ruling.reason, "no");
    EXPECT_EQ(ruling.cause, "drop t (DROP TABLE t)");
    EXPECT_THAT(ruling.matched, ElementsAre("wide#1", "guard#2"));
}

TEST(RuleOnTest, TheStrictestActionDecides)
{
    const auto rules = effective(
        {policy("p", {rule(Verdict::allow, {words::select}), rule(Verdict::hold, {words::update}),
                      rule(Verdict::deny, {words::drop}, {}, "never")})});
    EXPECT_EQ(rules.rule_on(command({action(words::select), action(words::update)})).verdict,
              Verdict::hold);
    EXPECT_EQ(rules.rule_on(command({action(words::update), action(words::drop)})).verdict,
              Verdict::deny);
    // Approval cannot stand in for a rule that nobody wrote.
    const Ruling ruling =
        rules.rule_on(command({action(words::update, "a"), action(words::insert, "b")}));
    EXPECT_EQ(ruling.verdict, Verdict::deny);
    EXPECT_EQ(ruling.policy, "default");
}

TEST(RuleOnTest, ARuleThatDeniesIsNamedRatherThanTheDefault)
{
    const auto rules = effective({policy("p", {rule(Verdict::deny, {words::drop}, {}, "never")})});
    const Ruling ruling = rules.rule_on(command({action(words::insert), action(words::drop)}));
    EXPECT_EQ(ruling.rule, "p#1");
    EXPECT_EQ(ruling.reason, "never");
}

TEST(RuleOnTest, ObjectsNarrowARule)
{
    const auto rules = effective({policy(
        "p", {rule(Verdict::allow, {words::select, words::update}, {"public.scores", "lab.*"}),
              rule(Verdict::deny, {words::update}, {"lab.frozen_?"}, "frozen")})});
    EXPECT_EQ(rules.rule_on(command({action(words::select, "public.scores")})).verdict,
              Verdict::allow);
    EXPECT_EQ(rules.rule_on(command({action(words::select, "lab.x")})).verdict, Verdict::allow);
    EXPECT_EQ(rules.rule_on(command({action(words::select, "public.users")})).verdict,
              Verdict::deny);
    EXPECT_EQ(rules.rule_on(command({action(words::select)})).verdict, Verdict::deny);
    EXPECT_EQ(rules.rule_on(command({action(words::update, "lab.frozen_1")})).reason, "frozen");
    EXPECT_EQ(rules.rule_on(command({action(words::update, "lab.frozen")})).verdict,
              Verdict::allow);
}

TEST(RuleOnTest, StatementNarrowsARule)
{
    const auto rules = effective({policy(
        "p", {rule(Verdict::allow, {words::select}),
              with_statement(rule(Verdict::deny, {words::select}, {}, "slow"), "(?i)pg_sleep")})});
    EXPECT_EQ(rules.rule_on(command({action(words::select)}, "SELECT 1")).verdict, Verdict::allow);
    const Ruling ruling = rules.rule_on(command({action(words::select)}, "SELECT PG_SLEEP(1)"));
    EXPECT_EQ(ruling.reason, "slow");
    EXPECT_THAT(ruling.matched, ElementsAre("p#1", "p#2"));
}

TEST(RuleOnTest, ARuleOfAnotherProtocolNeverMatches)
{
    const auto rules = effective({policy("p", {rule(Verdict::allow, {words::select})})});
    Command foreign = command({action(words::select)});
    foreign.vocabulary = &words::shell;
    EXPECT_EQ(rules.rule_on(foreign).verdict, Verdict::deny);
}

TEST(RuleOnTest, DenialsWithoutAReasonSayWhatIsDenied)
{
    const auto rules = effective({policy("p", {rule(Verdict::deny, {words::opaque})})});
    EXPECT_EQ(rules.rule_on(command({action(words::opaque)})).reason, "opaque is denied");
}

}  // namespace
}  // namespace sallyport
