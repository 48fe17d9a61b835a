#include "gateway/vocabulary/result.h"

#include <gtest/gtest.h>
#include <memory>

namespace sallyport::testing {
namespace {

Result<std::unique_ptr<int>> half_of(int number)
{
    if (number % 2 != 0)
        return failure(Fault::malformed, "an odd number has no half");
    return std::make_unique<int>(number / 2);
}

Result<int> quarter_of(int number)
{
    TRY(half, half_of(number));
    TRY(quarter, half_of(*half));
    return *quarter;
}

TEST(ResultTest, TryNamesTheValueOrLeavesWithTheError)
{
    EXPECT_EQ(quarter_of(12), 3);
    const auto failed = quarter_of(6);
    ASSERT_FALSE(failed.has_value());
    EXPECT_EQ(failed.error().fault, Fault::malformed);
    EXPECT_EQ(failed.error().detail, "an odd number has no half");
}

}  // namespace
}  // namespace sallyport::testing
