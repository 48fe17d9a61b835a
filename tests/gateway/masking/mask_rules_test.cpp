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

TEST(MaskRulesTest, WhatCannotBeTracedIsRedacted)
{
    EXPECT_EQ(MaskRules::untraced_action().kind, MaskAction::Kind::redact);
}

}  // namespace
}  // namespace sallyport
