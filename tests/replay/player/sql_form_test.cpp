#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/replay/player/played.h"

namespace sallyport {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string as_sql(const std::vector<RecordedEvent>& events, bool inert = false)
{
    std::ostringstream out;
    const auto form = sql_form(out, inert);
    return played(*form, out, events);
}

TEST(SqlFormTest, IsAScriptOfWhatWasExecuted)
{
    EXPECT_EQ(as_sql(test_events()),
              "-- session 019aa6bd-43d4-7c1e-8f0a-5f6d2c9b7a10, alice on featurestore, "
              "2026-11-21T10:00:00.000Z\n"
              "\n"
              "-- 2026-11-21T10:00:00.812Z #2 allowed, select, rule readers\n"
              "-- $1 = 42 (int4)\n"
              "-- $2 = NULL (text)\n"
              "-- $3 = (9000 bytes, not recorded)\n"
              "select id, email\n"
              "from users where id < $1;\n"
              "-- #2 SELECT 2, 2 rows, 1 masked values, 5.1 ms\n"
              "\n"
              "-- 2026-11-21T10:00:02.000Z #5 denied, drop, rule guard\n"
              "-- not executed:\n"
              "-- DROP TABLE users\n"
              "\n"
              "-- 2026-11-21T10:00:03.000Z #6 allowed, select, rule readers\n"
              "COPY t FROM STDIN;\n"
              "-- #6 was sent 12 bytes of input\n"
              "-- ERROR: no such table\n"
              "-- #6 failed: ERROR 42P01, 0 rows, 0 masked values, 5.1 ms\n"
              "\n"
              "-- 2026-11-21T10:00:04.000Z cancel\n"
              "\n"
              "-- 2026-11-21T10:01:00.000Z session closed: the client left\n");
}

TEST(SqlFormTest, ADeniedStatementNeverLeavesItsComment)
{
    for (const char* text : {"select 1;\nDROP TABLE a", "x\r\nDROP TABLE a", "x\rDROP TABLE a",
                             "x\n\n\nDROP TABLE a", "*/ DROP TABLE a", "x\u2028DROP TABLE a"}) {
        std::istringstream lines(as_sql({test_command(1, 0, text, Decision::denied)}));
        for (std::string line; std::getline(lines, line);) {
            EXPECT_TRUE(line.empty() || line.starts_with("--")) << line;
            EXPECT_EQ(line.find('\r'), std::string::npos);
        }
    }
}

TEST(SqlFormTest, HostileParametersAndMessagesStayComments)
{
    RecordedEvent command = test_command(1, 0, "select 1");
    command.payload = "a\nDROP TABLE b";
    const std::string script =
        as_sql({command, test_ending(2, 1, 1, "x\nDROP TABLE c", "E y\x1b[2J")});
    EXPECT_THAT(script, Not(HasSubstr("\nDROP")));
    EXPECT_THAT(script, Not(HasSubstr("\x1b")));
}

TEST(SqlFormTest, EachStatementEndsOnce)
{
    EXPECT_THAT(as_sql({test_command(1, 0, "select 1;  \n")}), HasSubstr("\nselect 1;\n"));
    EXPECT_THAT(as_sql({test_command(1, 0, "select 1 -- why")}),
                HasSubstr("\nselect 1 -- why\n;\n"));
    EXPECT_THAT(as_sql({test_command(1, 0, "select 1 -- why;")}),
                HasSubstr("\nselect 1 -- why;\n;\n"));
    EXPECT_THAT(as_sql({test_command(1, 0, "-- why\nselect 1")}), HasSubstr("\nselect 1;\n"));
}

TEST(SqlFormTest, ATerminalGetsNoControlCharacters)
{
    const std::vector<RecordedEvent> events = {test_command(1, 0, "select '\x1b[2J'")};
    EXPECT_THAT(as_sql(events, false), HasSubstr("select '\x1b[2J';"));
    EXPECT_THAT(as_sql(events, true), HasSubstr("select '\\x1b[2J';"));
}

}  // namespace
}  // namespace sallyport
