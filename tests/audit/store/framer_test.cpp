// Events to frames: exact bytes, chains, limits, hostile words. No database.

#include "audit/store/framer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <map>
#include <nlohmann/json.hpp>

#include "audit/store/json_text.h"

namespace sallyport {
namespace {

using testing::HasSubstr;

const FrameOrigin origin{"gw-1", "018f0000-0000-7000-8000-0000000000b0", "sallyport/log/1"};

Uuid session_id(std::uint8_t last)
{
    Uuid id;
    id.octets = {1, 0x93, 0, 0, 0, 0, 0x70, 0, 0x80, 0, 0, 0, 0, 0, 0, last};
    return id;
}

class KnownHeads final : public SessionHeads {
public:
    Result<std::optional<SessionHead>> head_of(const Uuid& session) override
    {
        ++asked;
        if (unreachable)
            return failure(Fault::unavailable, "the store is away");
        const auto found = heads.find(session);
        if (found == heads.end())
            return std::optional<SessionHead>();
        return std::optional<SessionHead>(found->second);
    }

    std::map<Uuid, SessionHead> heads;
    int asked = 0;
    bool unreachable = false;
};

Event event_of(EventKind kind, const Uuid& session, std::uint32_t number)
{
    Event event{.kind = kind};
    event.session = session;
    event.number = number;
    event.time_ms = 1795255200000 + number;
    return event;
}

Event command(const Uuid& session, std::uint32_t number, std::string_view text)
{
    Event event = event_of(EventKind::command_decided, session, number);
    event.decision = Decision::allowed;
    event.classes = "select";
    event.rule = "r1";
    event.text = text;
    return event;
}

class FramerTest : public testing::Test {
protected:
    bool add(const Event& event)
    {
        const auto added = framer.add(event);
        EXPECT_TRUE(added) << (added ? "" : added.error().detail);
        return added && *added;
    }

    KnownHeads heads;
    Framer framer{origin, heads};
};

TEST_F(FramerTest, WritesExactlyTheseBytes)
{
    Event opened = event_of(EventKind::session_opened, session_id(1), 1);
    opened.policy = "sha256:00ff";
    opened.protocol = "postgres";
    opened.text = R"({"user":"alice"})";
    add(opened);
    Event decided = command(session_id(1), 2, "select 1");
    decided.rule = "readers \"r\" 1";
    add(decided);
    Event ended = event_of(EventKind::command_ended, session_id(1), 3);
    ended.command = 2;
    ended.succeeded = true;
    ended.rows = 7;
    ended.masked_values = 3;
    ended.bytes = 1234;
    ended.bytes_left_out = 5;
    ended.duration_us = 88;
    ended.digest = sha256(bytes_of("shown"));
    ended.text = "SELECT 7";
    add(ended);

    const std::vector<Frame> frames = framer.take();
    ASSERT_EQ(frames.size(), 1U);
    ASSERT_TRUE(frames[0].masked && frames[0].identity);
    EXPECT_EQ(
        frames[0].leaf,
        R"({"boot":"018f0000-0000-7000-8000-0000000000b0","c":")" +
            to_hex(frames[0].masked->commitment) + R"(","ci":")" +
            to_hex(frames[0].identity->commitment) +
            R"(","ev":[{"k":"session.open","n":1,"pr":"postgres"},)"
            R"({"cls":"select","dec":"allowed","dt":1,"k":"command","n":2,"rule":"readers \"r\" 1"},)"
            R"({"bytes":1234,"dig":")" +
            to_hex(sha256(bytes_of("shown"))) +
            R"(","dt":2,"k":"command.end","left":5,"mk":3,"n":3,"of":2,"ok":true,"rows":7,"us":88}],)"
            R"("gw":"gw-1","log":"sallyport/log/1","n":1,"pol":"sha256:00ff",)"
            R"("ses":"01930000-0000-7000-8000-000000000001","t":1795255200001,"v":1,"wseq":0})");
    EXPECT_EQ(frames[0].events, 3);
    EXPECT_EQ(frames[0].first_number, 1U);
}

TEST_F(FramerTest, KeepsTextsAndPayloadsOutOfTheLeaf)
{
    Event opened = event_of(EventKind::session_opened, session_id(1), 1);
    opened.text = "alice from 10.0.0.1";
    add(opened);
    Event decided = command(session_id(1), 2, "select secret_word");
    const std::string parameters = "parameter_bytes";
    const Bytes pieces[] = {bytes_of("first "), bytes_of(parameters)};
    decided.payload = pieces;
    add(decided);

    const std::vector<Frame> frames = framer.take();
    ASSERT_EQ(frames.size(), 1U);
    for (const std::string_view word : {"alice", "secret_word", "parameter_bytes"})
        EXPECT_EQ(frames[0].leaf.find(word), std::string::npos);
    const std::string masked = open_part(*frames[0].masked).value();
    const std::string identity = open_part(*frames[0].identity).value();
    const auto commands = read_part(bytes_of(masked)).value();
    ASSERT_EQ(commands.size(), 1U);
    EXPECT_EQ(commands[0].number, 2U);
    EXPECT_EQ(commands[0].text, "select secret_word");
    EXPECT_EQ(commands[0].payload, "first parameter_bytes");
    EXPECT_EQ(read_part(bytes_of(identity)).value().at(0).text, "alice from 10.0.0.1");
}

TEST_F(FramerTest, ChainsTheFramesOfASessionAndNumbersAllOfThem)
{
    for (std::uint32_t number = 1; number <= 450; ++number) {
        add(command(session_id(1), number, "select 1"));
        add(command(session_id(2), number, "select 2"));
    }
    const std::vector<Frame> frames = framer.take();
    ASSERT_EQ(frames.size(), 6U);
    std::map<Uuid, std::optional<Sha256>> previous;
    std::map<Uuid, std::uint32_t> numbers;
    std::uint64_t wseq = 0;
    for (const Frame& frame : frames) {
        const ParsedFrame parsed = parse_frame(frame.leaf).value();
        EXPECT_EQ(parsed.wseq, wseq++);
        EXPECT_EQ(parsed.previous, previous[frame.session]);
        EXPECT_EQ(parsed.first_number, numbers[frame.session] + 1);
        EXPECT_LE(frame.events, events_in_frame);
        numbers[frame.session] += frame.events;
        previous[frame.session] = leaf_hash(frame.leaf);
    }
    EXPECT_EQ(numbers[session_id(1)], 450U);
    EXPECT_EQ(numbers[session_id(2)], 450U);
}

TEST_F(FramerTest, ChainsAcrossGroups)
{
    add(command(session_id(1), 1, "a"));
    const auto first = framer.take();
    framer.forget_ended();
    add(command(session_id(1), 2, "b"));
    const auto second = framer.take();
    EXPECT_EQ(parse_frame(second.at(0).leaf).value().previous, leaf_hash(first.at(0).leaf));
    EXPECT_TRUE(framer.take().empty());
}

TEST_F(FramerTest, ClosesAFrameAtAMebibyteOfPart)
{
    const std::string half(part_size_aim / 2 + 1000, 'x');
    const std::string huge(3 * part_size_aim, 'y');
    add(command(session_id(1), 1, half));
    add(command(session_id(1), 2, half));
    add(command(session_id(1), 3, huge));
    add(command(session_id(1), 4, "small"));
    const auto frames = framer.take();
    ASSERT_EQ(frames.size(), 4U);
    EXPECT_EQ(read_part(bytes_of(open_part(*frames[2].masked).value())).value().at(0).text.size(),
              huge.size());
}

TEST_F(FramerTest, KeepsLeavesBelowTheirLimitWhateverTheWords)
{
    const std::string hostile(5000, '\x01');
    for (std::uint32_t number = 1; number <= 300; ++number) {
        Event event = command(session_id(1), number, "");
        event.classes = hostile;
        event.rule = hostile;
        event.protocol = hostile;
        add(event);
    }
    std::uint32_t events = 0;
    for (const Frame& frame : framer.take()) {
        EXPECT_LT(frame.leaf.size(), leaf_size_limit);
        EXPECT_TRUE(parse_frame(frame.leaf));
        events += frame.events;
    }
    EXPECT_EQ(events, 300U);
}

TEST_F(FramerTest, WritesValidJsonForHostileWords)
{
    std::string every;
    for (int octet = 0; octet < 256; ++octet)
        every += static_cast<char>(octet);
    every +=
        "\xE2\x82\xAC \xED\xA0\x80 \xF4\x90\x80\x80 \xC0\xAF \xE2\x82";  // euro sign, then bad ones
    Event event = command(session_id(1), 1, "x");
    event.classes = every;
    event.rule = every;
    add(event);
    const std::string leaf = framer.take().at(0).leaf;
    const auto json = nlohmann::json::parse(leaf);
    const std::string rule = json.at("ev").at(0).at("rule");
    EXPECT_THAT(rule, HasSubstr("\xE2\x82\xAC"));
    EXPECT_THAT(rule, HasSubstr("\"#$"));
    EXPECT_THAT(rule, HasSubstr("\\]"));
    EXPECT_EQ(json.dump(), leaf);  // sorted keys, no white space
}

TEST_F(FramerTest, ClosesTheFrameWithTheSession)
{
    add(command(session_id(1), 1, "x"));
    add(event_of(EventKind::session_closed, session_id(1), 2));
    add(command(session_id(2), 1, "x"));
    const auto frames = framer.take();
    ASSERT_EQ(frames.size(), 2U);
    EXPECT_EQ(frames[0].events, 2);
    EXPECT_EQ(framer.size(), 0U);
}

TEST_F(FramerTest, SkipsWhatTheStoreHas)
{
    heads.heads[session_id(1)] = SessionHead{2, sha256(bytes_of("leaf")), "sha256:aa"};
    framer.resume(true);
    EXPECT_FALSE(add(command(session_id(1), 1, "a")));
    EXPECT_FALSE(add(command(session_id(1), 2, "b")));
    EXPECT_TRUE(add(command(session_id(1), 3, "c")));
    EXPECT_EQ(heads.asked, 1);
    const ParsedFrame frame = parse_frame(framer.take().at(0).leaf).value();
    EXPECT_EQ(frame.first_number, 3U);
    EXPECT_EQ(frame.previous, sha256(bytes_of("leaf")));
    EXPECT_EQ(frame.policy, "sha256:aa");
}

TEST_F(FramerTest, AsksNobodyAboutASessionThatBegins)
{
    EXPECT_TRUE(add(command(session_id(1), 1, "a")));
    EXPECT_EQ(heads.asked, 0);
    EXPECT_TRUE(add(command(session_id(2), 5, "a")));
    EXPECT_EQ(heads.asked, 1);
}

TEST_F(FramerTest, TakesTheSameEventAgainAfterTheStoreDidNotAnswer)
{
    framer.resume(true);
    heads.unreachable = true;
    EXPECT_FALSE(framer.add(command(session_id(1), 1, "a")));
    EXPECT_TRUE(framer.take().empty());
    heads.unreachable = false;
    EXPECT_TRUE(add(command(session_id(1), 1, "a")));
    EXPECT_EQ(framer.take().size(), 1U);
}

TEST_F(FramerTest, KeepsAGapInTheNumbersVisible)
{
    add(command(session_id(1), 1, "a"));
    add(command(session_id(1), 4, "d"));
    const auto frames = framer.take();
    ASSERT_EQ(frames.size(), 2U);
    EXPECT_EQ(frames[1].first_number, 4U);
}

TEST_F(FramerTest, GivesTheGatewaysOwnEventsFramesOfTheirOwn)
{
    Event started = event_of(EventKind::gateway_started, Uuid{}, 99);
    started.text = "0.1.0";
    add(started);
    add(command(session_id(1), 1, "a"));
    framer.add_lost(LostBoot{"018f0000-0000-7000-8000-0000000000a0", 41}, 1795255200000);
    const auto frames = framer.take();
    ASSERT_EQ(frames.size(), 2U);
    EXPECT_EQ(frames[0].session, Uuid{});
    EXPECT_THAT(frames[0].leaf, HasSubstr(R"("k":"gateway.start","n":1)"));
    EXPECT_THAT(
        frames[0].leaf,
        HasSubstr(
            R"("k":"gateway.lost","last":41,"lost":"018f0000-0000-7000-8000-0000000000a0","n":2)"));
    EXPECT_EQ(frames[0].leaf.find("\"ses\""), std::string::npos);
}

TEST_F(FramerTest, ReadsBackWhatItWrote)
{
    Event ended = event_of(EventKind::command_ended, session_id(1), 1);
    ended.command = 9;
    ended.succeeded = true;
    ended.rows = ended.bytes = ended.masked_values = ended.duration_us = ended.bytes_left_out =
        0x7FFFFFFFFFFFFFFF;
    ended.digest = sha256(bytes_of("x"));
    add(ended);
    const RecordedEvent read = parse_frame(framer.take().at(0).leaf).value().events.at(0);
    EXPECT_EQ(read.kind, EventKind::command_ended);
    EXPECT_EQ(read.command, 9U);
    EXPECT_TRUE(read.succeeded);
    EXPECT_EQ(read.rows, ended.rows);
    EXPECT_EQ(read.bytes_left_out, ended.bytes_left_out);
    EXPECT_EQ(read.digest, ended.digest);
    EXPECT_EQ(read.time_ms, ended.time_ms);
}

TEST(ParseFrameTest, RefusesWhatIsNoFrame)
{
    for (const std::string_view leaf :
         {"", "{", "[]", "null", R"({"v":2})", R"({"v":1})",
          R"({"v":1,"n":1,"t":1,"wseq":0,"ev":[{}]})", R"({"v":1,"n":-1,"t":"x","wseq":0,"ev":[]})",
          R"({"v":1,"n":1,"t":1,"wseq":0,"ev":[],"c":"zz"})",
          R"({"v":1,"n":1,"t":1,"wseq":0,"ev":[],"ses":"nobody"})"})
        EXPECT_FALSE(parse_frame(leaf)) << leaf;
}

TEST(PartTest, OpensWhatWasSealed)
{
    PartSealer sealer;
    for (const std::size_t size :
         {std::size_t{1}, std::size_t{95}, std::size_t{96}, std::size_t{100000}}) {
        const std::string part(size, 'p');
        const SealedPart sealed = sealer.seal(bytes_of(part));
        EXPECT_EQ(open_part(sealed).value(), part);
    }
}

TEST(PartTest, ShowsEveryAlteration)
{
    PartSealer sealer;
    const SealedPart sealed = sealer.seal(bytes_of(std::string(1000, 'p')));
    SealedPart altered = sealed;
    altered.salt[5] ^= std::byte{1};
    EXPECT_FALSE(open_part(altered));
    altered = sealed;
    altered.commitment[0] ^= std::byte{1};
    EXPECT_FALSE(open_part(altered));
    altered = sealed;
    altered.size = 0xFFFFFFFF;
    EXPECT_FALSE(open_part(altered));
    altered = sealed;
    altered.codec = static_cast<PartCodec>(9);
    EXPECT_FALSE(open_part(altered));
    for (std::size_t at = 0; at < sealed.data.size(); ++at) {
        altered = sealed;
        altered.data[at] = static_cast<char>(altered.data[at] ^ 1);
        const auto opened = open_part(altered);
        EXPECT_TRUE(!opened || *opened == std::string(1000, 'p')) << at;
        altered.data.resize(at);
        EXPECT_FALSE(open_part(altered)) << at;
    }
}

TEST(PartTest, RefusesAPartCutAnywhere)
{
    PartWriter writer;
    writer.add(1, "text", {});
    const std::string bytes(text_of(writer.bytes()));
    for (std::size_t size = 1; size < bytes.size(); ++size)
        EXPECT_FALSE(read_part(bytes_of(std::string_view(bytes).substr(0, size)))) << size;
    EXPECT_EQ(read_part(bytes_of(bytes)).value().at(0).text, "text");
    EXPECT_TRUE(read_part({}).value().empty());
}

TEST(StorableTextTest, IsWhatPostgresqlTakes)
{
    EXPECT_EQ(storable_text(std::string_view("a\0b", 3), 100),
              "a\xEF\xBF\xBD"
              "b");
    EXPECT_EQ(storable_text("\xFF", 100), "\xEF\xBF\xBD");
    EXPECT_EQ(storable_text("abc", 2), "ab");
    EXPECT_EQ(storable_text("a\xC3\xA4", 2), "a");
}

}  // namespace
}  // namespace sallyport
