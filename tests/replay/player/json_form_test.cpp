#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/replay/player/played.h"

namespace sallyport {
namespace {

using nlohmann::json;

std::vector<json> lines_of(const std::vector<RecordedEvent>& events)
{
    std::ostringstream out;
    const auto form = json_form(out);
    std::istringstream in(played(*form, out, events));
    std::vector<json> lines;
    for (std::string line; std::getline(in, line);) {
        for (const char c : line)
            EXPECT_TRUE(c >= 0x20 && c < 0x7f) << "not printable ASCII";
        lines.push_back(json::parse(line));
        EXPECT_TRUE(lines.back().is_object());
    }
    return lines;
}

json with_code(const std::vector<json>& lines, const std::string& code)
{
    for (const json& line : lines)
        if (line.value("code", "") == code)
            return line;
    ADD_FAILURE() << "no line with code " << code;
    return {};
}

TEST(JsonFormTest, BeginsWithTheSession)
{
    const json header = lines_of(test_events()).at(0);
    EXPECT_EQ(header.at("sqlt"), 1);
    EXPECT_EQ(header.at("session"), "019aa6bd-43d4-7c1e-8f0a-5f6d2c9b7a10");
    EXPECT_EQ(header.at("started"), "2026-11-21T10:00:00.000Z");
    EXPECT_EQ(header.at("actor"), "alice");
    EXPECT_EQ(header.at("connection"), "featurestore");
}

TEST(JsonFormTest, HasALineForEachThingThatHappened)
{
    std::string codes;
    std::int64_t total_ms = 0;
    for (const json& line : lines_of(test_events())) {
        codes += line.value("code", "#");
        total_ms += line.value("dt", 0);
    }
    EXPECT_EQ(codes, "#oqcdrzbqiezkx");
    EXPECT_EQ(total_ms, 60'000) << "intervals add up to the time of the last event";
}

TEST(JsonFormTest, SaysEverythingAboutACommand)
{
    const auto lines = lines_of(test_events());
    EXPECT_EQ(with_code(lines, "q"),
              json::parse(
                  R"({"dt":812,"code":"q","n":2,"sql":"select id, email\nfrom users where id < $1",
                  "params":[{"t":"int4","v":"42"},{"t":"text","v":null},{"left_out":9000}],
                  "class":"select","decision":"allowed","rule":"readers"})"));
    EXPECT_EQ(with_code(lines, "b").at("sql"), "DROP TABLE users");
    EXPECT_EQ(with_code(lines, "b").at("decision"), "denied");
    EXPECT_EQ(with_code(lines, "c").at("cols"),
              json::parse(R"([{"name":"id","type":"int4"},{"name":"email","type":"text"}])"));
    EXPECT_EQ(with_code(lines, "d").at("rows"), json::parse(R"([["1","a***@***"],["20",null]])"));
    const json ended = with_code(lines, "z");
    EXPECT_EQ(ended.at("n"), 2);
    EXPECT_EQ(ended.at("tag"), "SELECT 2");
    EXPECT_EQ(ended.at("masked"), 1);
    EXPECT_EQ(ended.at("ms"), 5.1);
    EXPECT_EQ(with_code(lines, "e").at("sqlstate"), "42P01");
    EXPECT_EQ(with_code(lines, "i").at("data"), "1\tone\n2\ttwo\n");
    EXPECT_EQ(with_code(lines, "x").at("reason"), "the client left");
}

TEST(JsonFormTest, ManyRowsComeInLinesThatSayWhereTheyBegin)
{
    std::string payload = "T a#\n";
    for (int i = 0; i < 250; ++i)
        payload += "D " + std::to_string(i) + "\n";
    std::vector<json> rows;
    for (const json& line :
         lines_of({test_command(1, 0, "select"), test_ending(2, 1, 1, "SELECT 250", payload)}))
        if (line.value("code", "") == "d")
            rows.push_back(line);
    ASSERT_EQ(rows.size(), 3U);
    EXPECT_EQ(rows[0].at("from"), 0);
    EXPECT_EQ(rows[1].at("from"), 100);
    EXPECT_EQ(rows[2].at("from"), 200);
    EXPECT_EQ(rows[2].at("rows").size(), 50U);
    EXPECT_EQ(rows[2].at("rows")[49][0], "249");
}

TEST(JsonFormTest, HostileBytesAreEscaped)
{
    const auto lines = lines_of({test_command(1, 0, "\x1b]0;x\x07\xc2\x9b\x7f\xff\u202e"),
                                 test_ending(2, 1, 1, "\xff", "D \xfe\x1b[2J")});
    EXPECT_EQ(with_code(lines, "d").at("rows")[0][0], "\ufffd\x1b[2J");
}

TEST(JsonFormTest, SaysWhatWasCut)
{
    RecordedEvent ending = test_ending(2, 1, 5, "SELECT 900000");
    ending.bytes_left_out = 12345;
    ending.digest.emplace();
    const json line = with_code(lines_of({test_command(1, 0, "select"), ending}), "z");
    EXPECT_EQ(line.at("truncated"), true);
    EXPECT_EQ(line.at("left_out"), 12345);
    EXPECT_EQ(line.at("digest"), "sha256:" + std::string(64, '0'));
}

}  // namespace
}  // namespace sallyport
