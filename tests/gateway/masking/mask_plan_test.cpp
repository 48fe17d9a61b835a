// What one result hides.

#include "gateway/masking/mask_plan.h"

#include <gtest/gtest.h>

namespace sallyport {
namespace {

const MaskKey key{std::string(32, 'k')};

TEST(MaskPlanTest, HidesEverythingUntilItIsMade)
{
    const MaskPlan plan;
    EXPECT_FALSE(plan.announced());
    EXPECT_FALSE(plan.hides_nothing());
    ASSERT_NE(plan.action(0), nullptr);
    EXPECT_EQ(plan.action(0)->kind, MaskAction::Kind::redact);
    EXPECT_EQ(plan.key(), nullptr);
}

TEST(MaskPlanTest, HidesTheColumnsItNames)
{
    const MaskAction hash{.kind = MaskAction::Kind::hash, .keep = 0, .text = {}, .rule = {}};
    const MaskPlan plan({nullptr, &hash}, key);
    EXPECT_FALSE(plan.hides_nothing());
    EXPECT_EQ(plan.columns(), 2U);
    EXPECT_EQ(plan.action(0), nullptr);
    EXPECT_EQ(plan.action(1), &hash);
    EXPECT_EQ(plan.key(), &key);
}

TEST(MaskPlanTest, HidesAColumnBeyondThoseAnnounced)
{
    const MaskPlan plan({nullptr, nullptr}, key);
    EXPECT_TRUE(plan.hides_nothing());
    ASSERT_NE(plan.action(2), nullptr);
    EXPECT_EQ(plan.action(2)->kind, MaskAction::Kind::redact);
}

TEST(MaskPlanTest, AResultWithoutColumnsHidesNothing)
{
    const MaskPlan plan({}, key);
    EXPECT_TRUE(plan.announced());
    EXPECT_TRUE(plan.hides_nothing());
}

}  // namespace
}  // namespace sallyport
