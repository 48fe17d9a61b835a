#include "gateway/vocabulary/ids.h"

#include <gtest/gtest.h>
#include <set>

namespace sallyport::testing {
namespace {

using std::chrono::milliseconds;
using std::chrono::system_clock;

TEST(UuidTest, HoldsTheTimeAsRfc9562HasIt)
{
    // Appendix A.6: 2022-02-22 14:22:22 in America/New_York.
    const system_clock::time_point then(milliseconds(0x017f22e279b0));
    const std::string text = to_string(make_uuid_v7(then));
    EXPECT_EQ(text.substr(0, 15), "017f22e2-79b0-7");
    EXPECT_NE(std::string("89ab").find(text[19]), std::string::npos);
}

TEST(UuidTest, SortsByTime)
{
    const system_clock::time_point now = system_clock::now();
    Uuid before = make_uuid_v7(now);
    for (int i = 1; i <= 100; ++i) {
        const Uuid after = make_uuid_v7(now + milliseconds(i));
        EXPECT_LT(before, after);
        EXPECT_LT(to_string(before), to_string(after));
        before = after;
    }
}

TEST(UuidTest, IsUniqueWithinAMillisecond)
{
    const system_clock::time_point now = system_clock::now();
    std::set<Uuid> seen;
    for (int i = 0; i < 10'000; ++i)
        seen.insert(make_uuid_v7(now));
    EXPECT_EQ(seen.size(), 10'000U);
}

TEST(UuidTest, ReadsWhatItWrites)
{
    const Uuid id = make_uuid_v7(system_clock::now());
    EXPECT_EQ(parse_uuid(to_string(id)), id);
    EXPECT_EQ(parse_uuid("017F22E2-79B0-7CC3-98C4-DC0C0C07398F"),
              parse_uuid("017f22e2-79b0-7cc3-98c4-dc0c0c07398f"));
}

TEST(UuidTest, ReadsNothingElse)
{
    const std::string good = "017f22e2-79b0-7cc3-98c4-dc0c0c07398f";
    for (std::size_t cut = 0; cut < good.size(); ++cut)
        EXPECT_FALSE(parse_uuid(good.substr(0, cut)).has_value()) << cut;
    for (std::size_t at = 0; at < good.size(); ++at) {
        std::string wrong = good;
        wrong[at] = wrong[at] == '-' ? '0' : 'g';
        EXPECT_FALSE(parse_uuid(wrong).has_value()) << wrong;
    }
    EXPECT_FALSE(parse_uuid(good + "0").has_value());
    EXPECT_FALSE(parse_uuid("{" + good + "}").has_value());
}

}  // namespace
}  // namespace sallyport::testing
