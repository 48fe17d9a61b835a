#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/replay/player/played.h"

namespace sallyport {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string as_text(const std::vector<RecordedEvent>& events)
{
    std::ostringstream out;
    const auto form = text_form(out);
    return played(*form, out, events);
}

TEST(TextFormTest, ShowsWhatAPersonWantsToSee)
{
    EXPECT_EQ(as_text(test_events()),
              "session    019aa6bd-43d4-7c1e-8f0a-5f6d2c9b7a10\n"
              "user       alice\n"
              "connection featurestore (words)\n"
              "gateway    gw-a\n"
              "started    2026-11-21T10:00:00.000Z\n"
              "status     closed\n"
              "commands   2, 1 denied, 0 held\n"
              "rows       2, 2 masked values\n"
              "\n"
              "[00:00:00.000] session opened\n"
              "    groups    [\"analysts\"]\n"
              "    from      10.0.0.5\n"
              "    tls       true\n"
              "    client    psql\n"
              "    policy    sha256:ab\n"
              "\n"
              "[00:00:00.812] #2 allowed, select, rule readers\n"
              "    select id, email\n"
              "    from users where id < $1\n"
              "    $1 = 42 (int4)\n"
              "    $2 = NULL (text)\n"
              "    $3 = (9000 bytes, not recorded)\n"
              "\n"
              "     id |  email\n"
              "    ----+----------\n"
              "      1 | a***@***\n"
              "     20 | NULL\n"
              "    (2 rows)\n"
              "\n"
              "    SELECT 2\n"
              "    [1 masked value, 5.1 ms]\n"
              "\n"
              "[00:00:02.000] #5 denied, drop, rule guard\n"
              "    DROP TABLE users\n"
              "\n"
              "[00:00:03.000] #6 allowed, select, rule readers\n"
              "    COPY t FROM STDIN\n"
              "    1\tone\n"
              "    2\ttwo\n"
              "\n"
              "    ERROR:  no such table (42P01)\n"
              "    HINT:  look again\n"
              "    [ERROR 42P01, 5.1 ms]\n"
              "\n"
              "[00:00:04.000] cancel requested\n"
              "\n"
              "[00:01:00.000] session closed: the client left\n");
}

TEST(TextFormTest, AnswersOfAPipelineNameTheirCommand)
{
    const std::string text =
        as_text({test_command(1, 0, "select 1"), test_command(2, 1, "select 2"),
                 test_ending(3, 1, 5, "SELECT 1", "T a#\nD 1\nC SELECT 1"),
                 test_ending(4, 2, 6, "SELECT 1", "T a#\nD 2\nC SELECT 1")});
    const auto first = text.find("#1 answered");
    const auto second = text.find("#2 answered");
    ASSERT_NE(first, std::string::npos);
    ASSERT_NE(second, std::string::npos);
    EXPECT_LT(first, second);
    EXPECT_LT(text.find("     1\n"), second);
    EXPECT_GT(text.find("     2\n"), second);
}

TEST(TextFormTest, NothingRecordedReachesTheTerminalUnchanged)
{
    const std::string evil = "\x1b]52;c;eA==\x07\x1b[2J\xc2\x9b\r\xff\u202e";
    SessionSummary session = test_session();
    session.user = session.connection = session.protocol = session.gateway = evil;
    std::vector<RecordedEvent> events = test_events();
    for (RecordedEvent& event : events) {
        event.classes = event.rule = event.policy = event.text = evil;
        if (event.kind != EventKind::command_decided)
            event.payload = "T " + evil + "\nD " + evil + "\nC " + evil + "\nE " + evil + "\nS " +
                            evil + "\n" + evil;
        else
            event.payload = evil;
    }
    events.push_back(test_opening());
    events.back().text = R"({"client":"\u001b[2J","groups":["\u001b[2J\u202e"]})";
    std::ostringstream out;
    const auto form = text_form(out);
    Player player(*form, std::make_unique<WordTranscript>(), {});
    player.begin(session);
    for (const RecordedEvent& event : events)
        player.play(event);
    player.end();
    for (const char c : out.str())
        ASSERT_TRUE(c == '\n' || c == '\t' || (static_cast<unsigned char>(c) >= 0x20 && c != 0x7f));
    EXPECT_THAT(out.str(), Not(HasSubstr("\xc2\x9b")));
    EXPECT_THAT(out.str(), Not(HasSubstr("\u202e")));
    EXPECT_THAT(out.str(), Not(HasSubstr("\xff")));
}

TEST(TextFormTest, RecordedTextCannotPassForAVerdict)
{
    const std::string text =
        as_text({test_command(1, 0, "select 1\n[00:00:09.000] #9 allowed\nrow", Decision::denied)});
    EXPECT_THAT(text, HasSubstr("\n    [00:00:09.000] #9 allowed\n"));
    EXPECT_THAT(text, Not(HasSubstr("\n[00:00:09.000]")));
}

TEST(TextFormTest, SaysWhyACommandWasRefused)
{
    RecordedEvent refusal = test_ending(2, 1, 0, "blocked by policy \"guard\": not here");
    refusal.succeeded = false;
    refusal.duration_us = 0;
    const std::string text = as_text({test_command(1, 0, "DROP x", Decision::denied), refusal});
    EXPECT_THAT(text, HasSubstr("\n    DROP x\n    [blocked by policy \"guard\": not here]\n"));
}

TEST(TextFormTest, SaysWhatWasNotRecorded)
{
    RecordedEvent ending = test_ending(2, 1, 5, "SELECT 900000");
    ending.bytes_left_out = 12345;
    ending.digest.emplace();
    ending.digest->fill(std::byte{0xab});
    const std::string text = as_text({test_command(1, 0, "select"), ending});
    EXPECT_THAT(text, HasSubstr("12345 bytes not recorded (sha256:abab"));
}

TEST(TextFormTest, SaysWhatWasErased)
{
    std::vector<RecordedEvent> events = test_events();
    for (RecordedEvent& event : events) {
        event.erased = true;
        event.text.clear();
        event.payload.clear();
    }
    const std::string text = as_text(events);
    EXPECT_THAT(text, HasSubstr("#2 allowed, select, rule readers (text erased)"));
    EXPECT_THAT(text, HasSubstr("output erased"));
    EXPECT_THAT(text, HasSubstr("input erased"));
}

TEST(TextFormTest, ASessionWithoutAnEndSaysWhy)
{
    EXPECT_THAT(as_text({test_event(EventKind::session_aborted, 2, 10)}),
                HasSubstr("session lost: the gateway died"));
}

}  // namespace
}  // namespace sallyport
