#include "replay/player/player.h"

#include <gtest/gtest.h>

#include "tests/replay/player/played.h"

namespace sallyport {
namespace {

using namespace std::chrono_literals;
using Waits = std::vector<std::chrono::milliseconds>;

Waits waits_of(Pace pace, const std::vector<RecordedEvent>& events)
{
    Waits waits;
    pace.pause = [&](std::chrono::milliseconds wait) { waits.push_back(wait); };
    std::ostringstream out;
    const auto form = text_form(out);
    Player player(*form, nullptr, pace);
    player.begin(test_session());
    for (const RecordedEvent& event : events)
        player.play(event);
    player.end();
    return waits;
}

std::vector<RecordedEvent> events_at(std::initializer_list<std::int64_t> times)
{
    std::vector<RecordedEvent> events;
    for (const std::int64_t time : times)
        events.push_back(
            test_command(static_cast<std::uint32_t>(events.size() + 1), time, "select"));
    return events;
}

TEST(PlayerTest, PlaysAtOnceUnlessTold)
{
    EXPECT_EQ(waits_of({}, events_at({0, 5000})), Waits());
}

TEST(PlayerTest, WaitsAsLongAsItTookThen)
{
    EXPECT_EQ(waits_of({.speed = 1}, events_at({100, 600, 600, 2000})), (Waits{500ms, 1400ms}));
}

TEST(PlayerTest, WaitsLessWhenFaster)
{
    EXPECT_EQ(waits_of({.speed = 4}, events_at({0, 2000})), (Waits{500ms}));
    EXPECT_EQ(waits_of({.speed = 0.5}, events_at({0, 2000})), (Waits{4000ms}));
}

TEST(PlayerTest, LongWaitsAreCutBeforeTheSpeedIsApplied)
{
    EXPECT_EQ(waits_of({.speed = 2, .idle_limit = 1000ms}, events_at({0, 60'000, 60'500})),
              (Waits{500ms, 250ms}));
}

TEST(PlayerTest, AClockThatWentBackIsNoWait)
{
    EXPECT_EQ(waits_of({.speed = 1}, events_at({5000, 1000, 1500})), (Waits{500ms}));
}

TEST(PlayerTest, AnUnknownProtocolIsCountedAndNotShown)
{
    std::ostringstream out;
    const auto form = text_form(out);
    Player player(*form, nullptr, {});
    player.begin(test_session());
    for (const RecordedEvent& event : test_events())
        player.play(event);
    player.end();
    EXPECT_NE(out.str().find("bytes of a protocol this program does not know"), std::string::npos);
    EXPECT_EQ(out.str().find("a***@***"), std::string::npos);
}

}  // namespace
}  // namespace sallyport
