#include "protocols/postgres/transcript.h"

#include <gtest/gtest.h>
#include <string>
#include <vector>

#include "protocols/postgres/message.h"

namespace sallyport::postgres {
namespace {

// Notes what it is told, one line for each.
class NotingViewer final : public TranscriptViewer {
public:
    void columns(std::span<const ShownColumn> columns) override
    {
        std::string line = "columns";
        for (const ShownColumn& column : columns)
            line += " " + column.label + ":" + column.type + (column.number ? "#" : "");
        lines.push_back(line);
    }
    void row(std::span<const ShownValue> values) override
    {
        std::string line = "row";
        for (const ShownValue& value : values)
            line += " " + value.value_or("(null)");
        lines.push_back(line);
    }
    void completed(std::string_view summary) override
    {
        lines.push_back("completed " + std::string(summary));
    }
    void message(const ShownMessage& message) override
    {
        lines.push_back(message.severity + " " + message.code + " " + message.text + " " +
                        message.detail + " " + message.hint);
    }
    void stream(Bytes bytes) override { lines.push_back("stream " + std::string(text_of(bytes))); }
    void aside(std::string_view text) override { lines.push_back("(" + std::string(text) + ")"); }

    std::vector<std::string> lines;
};

using Lines = std::vector<std::string>;

std::string columns_message(bool binary)
{
    std::string message;
    MessageWriter writer(message);
    writer.begin('T').u16(2);
    const std::uint16_t format = binary ? 1 : 0;
    writer.text("id").u32(0).u16(0).u32(23).u16(4).u32(0xffffffffU).u16(format);
    writer.text("email").u32(0).u16(0).u32(25).u16(0xffff).u32(0xffffffffU).u16(format);
    writer.end();
    return message;
}

std::string row_message(const std::vector<std::optional<std::string>>& values)
{
    std::string message;
    MessageWriter writer(message);
    writer.begin('D').u16(static_cast<std::uint16_t>(values.size()));
    for (const auto& value : values) {
        if (value)
            writer.u32(static_cast<std::uint32_t>(value->size())).bytes(bytes_of(*value));
        else
            writer.u32(0xffffffffU);
    }
    writer.end();
    return message;
}

std::string tagged(char type, std::string_view text)
{
    std::string message;
    MessageWriter(message).begin(type).text(text).end();
    return message;
}

std::string copy_message(std::string_view bytes)
{
    std::string message;
    MessageWriter(message).begin('d').bytes(bytes_of(bytes)).end();
    return message;
}

Lines shown(const std::vector<std::pair<std::uint32_t, std::string>>& pieces)
{
    const auto transcript = transcribe();
    NotingViewer viewer;
    for (const auto& [command, bytes] : pieces)
        transcript->shown(command, bytes_of(bytes), viewer);
    if (!pieces.empty())
        transcript->ended(pieces.back().first, viewer);
    return viewer.lines;
}

TEST(TranscriptTest, ShowsAResult)
{
    EXPECT_EQ(
        shown({{2, columns_message(false) + row_message({"1", "a***"}) +
                       row_message({"2", std::nullopt}) + tagged('C', "SELECT 2")}}),
        (Lines{"columns id:int4# email:text", "row 1 a***", "row 2 (null)", "completed SELECT 2"}));
}

TEST(TranscriptTest, ReadsBinaryValues)
{
    EXPECT_EQ(
        shown({{2, columns_message(true) + row_message({std::string("\0\0\0\x2a", 4), "text"})}}),
        (Lines{"columns id:int4# email:text", "row 42 text"}));
}

TEST(TranscriptTest, CutAtEveryByteTheResultIsTheSame)
{
    const std::string whole = columns_message(false) + row_message({"1", "a***"}) +
                              copy_message("stream") + tagged('C', "SELECT 1") +
                              error_message("ERROR", "42P01", "gone", "detail", "hint");
    const Lines expected = shown({{2, whole}});
    ASSERT_EQ(expected.size(), 5U);
    for (std::size_t size = 0; size <= whole.size(); ++size)
        EXPECT_EQ(shown({{2, whole.substr(0, size)}, {2, whole.substr(size)}}), expected) << size;
    std::vector<std::pair<std::uint32_t, std::string>> octets;
    for (const char octet : whole)
        octets.emplace_back(2, std::string(1, octet));
    EXPECT_EQ(shown(octets), expected);
}

TEST(TranscriptTest, ARecordingThatWasCutSaysSo)
{
    const std::string row = row_message({"1", "a***"});
    EXPECT_EQ(shown({{2, columns_message(false) + row + row.substr(0, 7)}}),
              (Lines{"columns id:int4# email:text", "row 1 a***",
                     "(a message of which 7 bytes were recorded)"}));
}

TEST(TranscriptTest, TheNextCommandBeginsAnew)
{
    EXPECT_EQ(shown({{2, columns_message(true) + "D"}, {3, row_message({"7", "x"})}}),
              (Lines{"columns id:int4# email:text", "(a message of which 1 bytes were recorded)",
                     "row 7 x"}))
        << "values of a result that nothing described are text where they look like it";
}

TEST(TranscriptTest, ANotificationMayComeInTheMiddleOfAMessage)
{
    std::string notification;
    MessageWriter(notification).begin('A').u32(77).text("jobs").text("done").end();
    const std::string row = columns_message(false) + row_message({"1", "a***"});
    EXPECT_EQ(shown({{2, row.substr(0, row.size() - 3)},
                     {0, notification},
                     {2, row.substr(row.size() - 3)}}),
              (Lines{"columns id:int4# email:text", "(notification on jobs: done)", "row 1 a***"}));
}

TEST(TranscriptTest, ShowsMessagesAndSettings)
{
    std::string status;
    MessageWriter(status).begin('S').text("TimeZone").text("UTC").end();
    std::string function;
    MessageWriter(function).begin('V').u32(2).bytes(bytes_of("42")).end();
    EXPECT_EQ(shown({{2, error_message("FATAL", "57P01", "going down", "why", "what to do") +
                             status + function}}),
              (Lines{"FATAL 57P01 going down why what to do", "(TimeZone is now UTC)",
                     "(function result: 42)"}));
}

TEST(TranscriptTest, BookkeepingIsNotShown)
{
    std::string messages;
    for (const char type : {'1', '2', '3', 'n', 'c'})
        MessageWriter(messages).begin(type).end();
    MessageWriter(messages).begin('Z').u8('I').end();
    MessageWriter(messages).begin('H').u8(0).u16(0).end();
    EXPECT_EQ(shown({{2, messages}}), Lines());
}

TEST(TranscriptTest, WhatIsNoMessageEndsThatCommandOnly)
{
    EXPECT_EQ(shown({{2, std::string("T\0\0\0\0rubbish", 12)},
                     {2, tagged('C', "never seen")},
                     {3, tagged('C', "SELECT 1")}}),
              (Lines{"(bytes that are no PostgreSQL message)", "completed SELECT 1"}));
}

TEST(TranscriptTest, BrokenMessagesAreAsides)
{
    std::string huge_columns;
    MessageWriter(huge_columns).begin('T').u16(0xffff).end();
    std::string long_row;
    MessageWriter(long_row).begin('D').u16(1).u32(100).end();
    std::string endless_error;
    MessageWriter(endless_error).begin('E').u8('M').bytes(bytes_of("no end")).end();
    std::string unknown;
    MessageWriter(unknown).begin('~').end();
    EXPECT_EQ(
        shown({{2, huge_columns + long_row + endless_error + unknown}}),
        (Lines{"(a description of columns that cannot be read)", "(a row that cannot be read)",
               "(an error or notice that cannot be read)", "(a message of unknown type 0x7e)"}));
}

TEST(TranscriptTest, ReadsParameters)
{
    std::string payload;
    const auto u16 = [&](std::uint16_t value) {
        payload += static_cast<char>(value >> 8);
        payload += static_cast<char>(value);
    };
    const auto u32 = [&](std::uint32_t value) {
        u16(static_cast<std::uint16_t>(value >> 16));
        u16(static_cast<std::uint16_t>(value));
    };
    u16(4);
    u32(23), u16(1), u32(4), u32(42);
    u32(25), u16(0), u32(3), payload += "abc";
    u32(0), u16(0), u32(0xffffffffU);
    u32(17), u16(1), u32(0xfffffffeU), u32(1), u32(2);
    const auto parameters = transcribe()->parameters(bytes_of(payload));
    ASSERT_EQ(parameters.size(), 4U);
    EXPECT_EQ(parameters[0].type, "int4");
    EXPECT_EQ(parameters[0].value, "42");
    EXPECT_EQ(parameters[1].value, "abc");
    EXPECT_EQ(parameters[2].value, std::nullopt);
    EXPECT_EQ(parameters[2].left_out, std::nullopt);
    EXPECT_EQ(parameters[3].left_out, (std::uint64_t{1} << 32) + 2);

    EXPECT_TRUE(transcribe()->parameters({}).empty());
    for (std::size_t size = 1; size < payload.size(); ++size)
        EXPECT_LT(transcribe()->parameters(bytes_of(payload).first(size)).size(), 4U) << size;
}

}  // namespace
}  // namespace sallyport::postgres
