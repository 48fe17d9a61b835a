#include "audit/trail/event.h"

#include <gtest/gtest.h>

namespace sallyport {
namespace {

TEST(EventTest, EveryKindHasANameOfItsOwnThatLeadsBack)
{
    for (int number = 1; number <= 14; ++number) {
        const auto kind = static_cast<EventKind>(number);
        ASSERT_FALSE(name_of(kind).empty()) << number;
        EXPECT_EQ(event_kind_named(name_of(kind)), kind);
    }
    EXPECT_TRUE(name_of(static_cast<EventKind>(0)).empty());
    EXPECT_TRUE(name_of(static_cast<EventKind>(15)).empty());
    EXPECT_EQ(event_kind_named("no such event"), std::nullopt);
}

TEST(EventTest, EveryDecisionHasANameOfItsOwnThatLeadsBack)
{
    for (int number = 0; number <= 3; ++number) {
        const auto decision = static_cast<Decision>(number);
        ASSERT_FALSE(name_of(decision).empty()) << number;
        EXPECT_EQ(decision_named(name_of(decision)), decision);
    }
    EXPECT_TRUE(name_of(static_cast<Decision>(4)).empty());
    EXPECT_EQ(decision_named(""), std::nullopt);
}

}  // namespace
}  // namespace sallyport
