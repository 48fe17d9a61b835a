// Which columns a pattern names.

#include <gtest/gtest.h>

#include "gateway/masking/mask_plan.h"

namespace sallyport {
namespace {

MaskRules rules_of(const std::vector<std::vector<std::string>>& columns)
{
    std::vector<MaskRules::Rule> rules;
    for (std::size_t i = 0; i < columns.size(); ++i) {
        MaskAction action;
        action.rule = std::to_string(i);
        rules.push_back({.columns = columns[i], .action = action});
    }
    return {std::move(rules), MaskRules::Untraceable::mask, std::make_shared<const MaskKey>()};
}

struct Match {
    std::string pattern;
    std::string_view source;
    bool names;
};

class ColumnPatternTest : public testing::TestWithParam<Match> {};

TEST_P(ColumnPatternTest, NamesTheColumnOrDoesNot)
{
    const Match& match = GetParam();
    const MaskRules rules = rules_of({{match.pattern}});
    EXPECT_EQ(rules.action_for(match.source) != nullptr, match.names)
        << match.pattern << " / " << match.source;
}

INSTANTIATE_TEST_SUITE_P(
    MaskRules, ColumnPatternTest,
    testing::Values(
        Match{"ssn", "public.users.ssn", true}, Match{"ssn", "public.users.ssn2", false},
        Match{"ssn", "public.ssn.id", false}, Match{"*.ssn", "hr.people.ssn", true},
        Match{"users.email", "public.users.email", true},
        Match{"users.email", "archive.users.email", true},
        Match{"users.email", "public.superusers.email", false},
        Match{"users.email", "users.email.id", false},
        Match{"public.users.email", "public.users.email", true},
        Match{"public.users.email", "hr.users.email", false},
        Match{"cards.*", "public.cards.pan", true}, Match{"cards.*", "cards.clients.name", false},
        Match{"*", "public.users.id", true}, Match{"public.*.*", "public.users.id", true},
        Match{"public.*.*", "hr.users.id", false}, Match{"us?rs.em*", "public.users.email", true},
        // Exactly as the catalogue has it.
        Match{"users.Email", "public.users.email", false},
        Match{"users.Email", "public.users.Email", true},
        // A source of which less is known could be any: hidden.
        Match{"public.users.email", "users.email", true},
        Match{"public.users.email", "email", true},
        Match{"public.users.email", "users.phone", false},
        // Dots inside of quoted names: hidden rather than not.
        Match{"ssn", "public.odd.name.ssn", true}, Match{"*.ssn", "public.odd.name.ssn", true},
        Match{"public.odd?name.ssn", "public.odd.name.ssn", true},
        Match{"name.ssn", "public.odd.name.ssn", true},
        Match{"users.*", "public.odd.name.ssn", false}));

TEST(MaskRulesTest, TheFirstRuleThatNamesTheColumnWins)
{
    const MaskRules rules = rules_of({{"cards.pan"}, {"phone", "*.ssn"}, {"*"}});
    EXPECT_EQ(rules.action_for("public.cards.pan")->rule, "0");
    EXPECT_EQ(rules.action_for("public.users.ssn")->rule, "1");
    EXPECT_EQ(rules.action_for("public.users.phone")->rule, "1");
    EXPECT_EQ(rules.action_for("public.users.id")->rule, "2");
}

TEST(MaskRulesTest, WithoutRulesNothingIsHidden)
{
    EXPECT_TRUE(MaskRules().hides_nothing());
    EXPECT_EQ(MaskRules().action_for("public.users.ssn"), nullptr);
    EXPECT_FALSE(rules_of({{"ssn"}}).hides_nothing());
}

TEST(MaskRulesTest, ColumnsMayBeRefusedInConditionsAndWrites)
{
    MaskRules::Rule rule;
    rule.columns = {"users.ssn"};
    rule.refuse_conditions = true;
    const MaskRules rules({rule}, MaskRules::Untraceable::mask, std::make_shared<const MaskKey>());
    ASSERT_NE(rules.rule_for("public.users.ssn"), nullptr);
    EXPECT_TRUE(rules.rule_for("public.users.ssn")->refuse_conditions);
    EXPECT_FALSE(rules.rule_for("public.users.ssn")->refuse_writes);
    EXPECT_EQ(rules.rule_for("public.users.id"), nullptr);
}

TEST(MaskRulesTest, TheSecondNetNamesNoColumns)
{
    MaskRules::Rule detect;
    detect.detect = {Detector::email};
    MaskRules::Rule json;
    json.json.push_back(*JsonPath::parse("$.a"));
    const auto key = std::make_shared<const MaskKey>(MaskKey{std::string(32, 'k')});
    const MaskRules rules({detect, json}, MaskRules::Untraceable::mask, key);
    EXPECT_FALSE(rules.hides_nothing());
    EXPECT_FALSE(rules.names_columns());
    EXPECT_EQ(rules.action_for("public.users.email"), nullptr);
    std::string into;
    EXPECT_EQ(rules.detectors()->hide("a@b.cc", *key, into).spans, 1U);
    EXPECT_EQ(rules.json()->hide(R"({"a":1})", *key, into), 1U);
    EXPECT_EQ(into, R"([masked]{"a":"[masked]"})");
    const MaskRules columns = rules_of({{"ssn"}});
    EXPECT_TRUE(columns.names_columns());
    EXPECT_EQ(columns.detectors(), nullptr);
    EXPECT_EQ(columns.json(), nullptr);
}

TEST(MaskRulesTest, WhatCannotBeTracedIsRedacted)
{
    EXPECT_EQ(MaskRules::untraced_action().kind, MaskAction::Kind::redact);
}

}  // namespace
}  // namespace sallyport
