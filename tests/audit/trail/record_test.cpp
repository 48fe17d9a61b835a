#include "audit/trail/record.h"

#include <algorithm>
#include <gtest/gtest.h>
#include <string>
#include <vector>

namespace sallyport {
namespace {

using State = ReadRecord::State;

std::string encoded(const Event& event, Position start)
{
    const EncodedRecord record(event);
    std::string bytes(record.size(), '\0');
    record.write_to(std::as_writable_bytes(std::span(bytes)), start);
    return bytes;
}

// Every field set, each to something of its own.
struct FullEvent {
    Bytes pieces[3] = {bytes_of("one"), bytes_of(""), bytes_of(" and two")};
    Event event{.kind = EventKind::command_ended,
                .number = 7,
                .time_ms = 1795255200123,
                .command = 6,
                .decision = Decision::held,
                .classes = "select delete",
                .rule = "readers",
                .protocol = "postgres",
                .policy = "sha256:ab",
                .succeeded = true,
                .rows = 1,
                .masked_values = 2,
                .bytes = 3,
                .bytes_left_out = 4,
                .duration_us = 5,
                .text = "SELECT 1",
                .payload = pieces};

    FullEvent()
    {
        std::uint8_t value = 0;
        for (std::uint8_t& octet : event.session.octets)
            octet = ++value;
        event.digest.emplace();
        std::ranges::fill(*event.digest, std::byte{0x5a});
    }
};

TEST(RecordTest, GivesBackEveryField)
{
    const FullEvent full;
    const std::string bytes = encoded(full.event, 1000);
    const ReadRecord read = read_record(bytes_of(bytes), 1000);
    ASSERT_EQ(read.state, State::whole);
    EXPECT_EQ(read.size, bytes.size());
    const Event event = read.record.event();
    EXPECT_EQ(event.kind, EventKind::command_ended);
    EXPECT_EQ(event.session, full.event.session);
    EXPECT_EQ(event.number, 7U);
    EXPECT_EQ(event.time_ms, 1795255200123);
    EXPECT_EQ(event.command, 6U);
    EXPECT_EQ(event.decision, Decision::held);
    EXPECT_EQ(event.classes, "select delete");
    EXPECT_EQ(event.rule, "readers");
    EXPECT_EQ(event.protocol, "postgres");
    EXPECT_EQ(event.policy, "sha256:ab");
    EXPECT_TRUE(event.succeeded);
    EXPECT_EQ(event.rows, 1U);
    EXPECT_EQ(event.masked_values, 2U);
    EXPECT_EQ(event.bytes, 3U);
    EXPECT_EQ(event.bytes_left_out, 4U);
    EXPECT_EQ(event.duration_us, 5U);
    EXPECT_EQ(event.digest, full.event.digest);
    EXPECT_EQ(event.text, "SELECT 1");
    ASSERT_EQ(event.payload.size(), 1U);
    EXPECT_EQ(text_of(event.payload[0]), "one and two");
}

TEST(RecordTest, AnEmptyEventIsSmall)
{
    const std::string bytes = encoded({.kind = EventKind::gateway_stopped}, 0);
    EXPECT_EQ(bytes.size(), record_header_size + record_fixed_size);
    const ReadRecord read = read_record(bytes_of(bytes), 0);
    ASSERT_EQ(read.state, State::whole);
    EXPECT_EQ(read.record.event().kind, EventKind::gateway_stopped);
    EXPECT_FALSE(read.record.event().digest);
    EXPECT_FALSE(read.record.event().succeeded);
}

// The format on disk: a change of this test is a change of docs/audit-format.md and of the version.
TEST(RecordTest, HasTheDocumentedBytes)
{
    Event event{.kind = EventKind::command_decided,
                .number = 2,
                .time_ms = 3,
                .decision = Decision::denied,
                .rule = "r",
                .text = "x"};
    event.session.octets[15] = 9;
    const std::string bytes = encoded(event, 0);
    const std::string body(
        "\x01\x08\x02\x00\x02\x00\x00\x00"
        "\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x09"
        "\x03\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"
        "\x00\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00"
        "\x00\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00"
        "rx",
        62);
    EXPECT_EQ(bytes.substr(0, 4), std::string("\x3e\0\0\0", 4));
    EXPECT_EQ(bytes.substr(record_header_size), body);
}

TEST(RecordTest, IsNothingAtAnotherPosition)
{
    const std::string bytes = encoded(FullEvent().event, 1000);
    EXPECT_EQ(read_record(bytes_of(bytes), 1001).state, State::bad);
    EXPECT_EQ(read_record(bytes_of(bytes), 0).state, State::bad);
}

TEST(RecordTest, ATornRecordIsBadAtEveryByte)
{
    const std::string bytes = encoded(FullEvent().event, 0);
    EXPECT_EQ(read_record({}, 0).state, State::none);
    for (std::size_t size = 1; size < bytes.size(); ++size) {
        // Both ways a record can be cut: the file ends, or zeros follow.
        EXPECT_EQ(read_record(bytes_of(bytes).first(size), 0).state, State::bad) << size;
        std::string zeroed = bytes.substr(0, size);
        zeroed.resize(bytes.size() + 100);
        if (zeroed.substr(0, bytes.size()) != bytes)
            EXPECT_EQ(read_record(bytes_of(zeroed), 0).state, State::bad) << size;
    }
}

TEST(RecordTest, EveryFlippedBitIsNoticed)
{
    std::string bytes = encoded(FullEvent().event, 64);
    for (std::size_t bit = 0; bit < bytes.size() * 8; ++bit) {
        bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ (1 << bit % 8));
        EXPECT_EQ(read_record(bytes_of(bytes), 64).state, State::bad) << bit;
        bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ (1 << bit % 8));
    }
    EXPECT_EQ(read_record(bytes_of(bytes), 64).state, State::whole);
}

TEST(RecordTest, ABodyWithImpossibleFieldsIsRefused)
{
    const std::string whole = encoded(FullEvent().event, 0).substr(record_header_size);
    ASSERT_TRUE(EventRecord::parse(bytes_of(whole)));
    const auto refuses = [&](std::size_t at, unsigned char value) {
        std::string body = whole;
        body[at] = static_cast<char>(value);
        const auto parsed = EventRecord::parse(bytes_of(body));
        return !parsed && parsed.error().fault == Fault::malformed;
    };
    EXPECT_TRUE(refuses(0, 2)) << "version";
    EXPECT_TRUE(refuses(1, 0)) << "kind";
    EXPECT_TRUE(refuses(1, 99)) << "kind";
    EXPECT_TRUE(refuses(2, 4)) << "decision";
    EXPECT_TRUE(refuses(3, 0xff)) << "flags";
    for (std::size_t length = 0; length < 6; ++length) {
        EXPECT_TRUE(refuses(36 + length * 4, 0xff)) << "length " << length;
        EXPECT_TRUE(refuses(36 + length * 4 + 3, 0xff)) << "length " << length;
    }
    EXPECT_FALSE(EventRecord::parse(bytes_of(whole + "x")));
    for (std::size_t size = 0; size < whole.size(); ++size)
        EXPECT_FALSE(EventRecord::parse(bytes_of(whole).first(size))) << size;
}

TEST(RecordTest, ALengthOfFourGigabytesReadsNothing)
{
    std::string bytes = encoded(FullEvent().event, 0);
    bytes.replace(0, 4, "\xff\xff\xff\xff");
    EXPECT_EQ(read_record(bytes_of(bytes), 0).state, State::bad);
}

class ScanTest : public testing::Test {
protected:
    ScanTest()
    {
        for (std::uint32_t number = 1; number <= 3; ++number) {
            const Position start = first_ + bytes_.size();
            bytes_ +=
                encoded({.kind = EventKind::input_sent, .number = number, .text = "text"}, start);
            ends_.push_back(first_ + bytes_.size());
        }
    }

    std::vector<std::uint32_t> numbers(Bytes bytes, ScannedRecords& scanned) const
    {
        std::vector<std::uint32_t> numbers;
        Position expected_end = 0;
        scanned = scan_records(bytes, first_, [&](const EventRecord& record, Position end) {
            numbers.push_back(record.event().number);
            EXPECT_GT(end, expected_end);
            expected_end = end;
        });
        return numbers;
    }

    const Position first_ = 5000;
    std::string bytes_;
    std::vector<Position> ends_;
};

TEST_F(ScanTest, EndsAtTheZerosBehindTheLastRecord)
{
    bytes_.resize(bytes_.size() + 1000);
    ScannedRecords scanned;
    EXPECT_EQ(numbers(bytes_of(bytes_), scanned), (std::vector<std::uint32_t>{1, 2, 3}));
    EXPECT_EQ(scanned.end, ends_.back());
    EXPECT_EQ(scanned.records, 3U);
    EXPECT_EQ(scanned.discarded, 0U);
}

TEST_F(ScanTest, CutAtEveryByteKeepsTheWholeRecordsBefore)
{
    for (std::size_t size = 0; size <= bytes_.size(); ++size) {
        ScannedRecords scanned;
        const auto found = numbers(bytes_of(bytes_).first(size), scanned);
        std::size_t whole = 0;
        while (whole < ends_.size() && ends_[whole] - first_ <= size)
            ++whole;
        EXPECT_EQ(found.size(), whole) << size;
        const Position end = whole == 0 ? first_ : ends_[whole - 1];
        EXPECT_EQ(scanned.end, end);
        EXPECT_LE(scanned.discarded, size - (end - first_));
    }
}

TEST_F(ScanTest, WhatIsBehindABadRecordIsDiscardedAndCounted)
{
    bytes_[ends_[0] - first_ + 20] ^= 1;
    bytes_.resize(bytes_.size() + 100);
    ScannedRecords scanned;
    EXPECT_EQ(numbers(bytes_of(bytes_), scanned), (std::vector<std::uint32_t>{1}));
    EXPECT_EQ(scanned.end, ends_[0]);
    EXPECT_EQ(scanned.discarded, ends_[2] - ends_[0]);
}

}  // namespace
}  // namespace sallyport
