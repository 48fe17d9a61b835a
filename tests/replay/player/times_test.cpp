#include "replay/player/times.h"

#include <gtest/gtest.h>

namespace sallyport {
namespace {

TEST(TimesTest, WritesMoments)
{
    EXPECT_EQ(moment_text(0), "1970-01-01T00:00:00.000Z");
    EXPECT_EQ(moment_text(1795255200123), "2026-11-21T10:00:00.123Z");
}

TEST(TimesTest, WritesClocks)
{
    EXPECT_EQ(clock_text(0), "00:00:00.000");
    EXPECT_EQ(clock_text(3'723'456), "01:02:03.456");
    EXPECT_EQ(clock_text(-1), "-00:00:00.001");
    EXPECT_EQ(clock_text(360'000'000), "100:00:00.000");
}

TEST(TimesTest, WritesDurations)
{
    EXPECT_EQ(duration_text(12), "12 µs");
    EXPECT_EQ(duration_text(5100), "5.1 ms");
    EXPECT_EQ(duration_text(2'340'000), "2.3 s");
    EXPECT_EQ(duration_text(123'000'000), "2 m 3 s");
    EXPECT_EQ(duration_text(7'320'000'000), "2 h 2 m");
}

TEST(TimesTest, ReadsMoments)
{
    constexpr std::int64_t now = 1795255200000;
    EXPECT_EQ(read_moment("2026-11-21", now), 1795219200000);
    EXPECT_EQ(read_moment("2026-11-21T10:00", now), now);
    EXPECT_EQ(read_moment("2026-11-21 10:00:01", now), now + 1000);
    EXPECT_EQ(read_moment("2026-11-21T10:00:00.5Z", now), now + 500);
    EXPECT_EQ(read_moment("2026-11-21T10:00:00.123", now), now + 123);
    EXPECT_EQ(read_moment(moment_text(now + 7), now), now + 7);
    EXPECT_EQ(read_moment("90s", now), now - 90'000);
    EXPECT_EQ(read_moment("15m", now), now - 900'000);
    EXPECT_EQ(read_moment("2h", now), now - 7'200'000);
    EXPECT_EQ(read_moment("7d", now), now - 604'800'000);
}

TEST(TimesTest, RefusesWhatIsNoMoment)
{
    for (const char* text : {"", "yesterday", "2026", "2026-13-01", "2026-02-30", "2026-11-21T",
                             "2026-11-21T25:00", "2026-11-21T10:60", "2026-11-21T10:00:00.",
                             "2026-11-21x", "5", "h", "-2h", "2hh", "2 h", "99999999999d"})
        EXPECT_EQ(read_moment(text, 0), std::nullopt) << text;
}

}  // namespace
}  // namespace sallyport
