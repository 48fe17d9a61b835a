#include "gateway/edge/stream.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <stdexcept>
#include <sys/socket.h>

#include "gateway/edge/raceable.h"
#include "gateway/edge/readiness.h"
#include "tests/gateway/edge/loopback.h"

namespace sallyport::testing {
namespace {

namespace asio = boost::asio;
using asio::awaitable;

awaitable<Result<std::size_t>> read_one(Stream& stream, std::array<std::byte, 16>& into)
{
    co_return co_await stream.read_some(into);
}

awaitable<bool> read_loses_against_a_timer(Stream& stream, std::array<std::byte, 16>& into)
{
    using asio::experimental::awaitable_operators::operator||;
    asio::steady_timer timer(co_await asio::this_coro::executor, std::chrono::milliseconds(1));
    auto winner =
        co_await (raceable(read_one(stream, into)) || timer.async_wait(asio::use_awaitable));
    co_return winner.index() == 1;
}

TEST(StreamTest, ReadsWhatThePeerWrote)
{
    Loop loop;
    Ends ends = connected(loop.io());
    EXPECT_TRUE(loop.run(write_text(ends.far, "hello")));
    EXPECT_EQ(loop.run(read_exactly(ends.near, 5)), "hello");
}

TEST(StreamTest, GivesZeroWhenThePeerHasFinished)
{
    Loop loop;
    Ends ends = connected(loop.io());
    ends.far.close();
    std::array<std::byte, 16> into{};
    const auto count = loop.run(read_one(ends.near, into));
    ASSERT_TRUE(count.has_value());
    EXPECT_EQ(*count, 0U);
}

TEST(StreamTest, TellsAResetConnectionFromAFinishedOne)
{
    Loop loop;
    auto [near, far] = connected_sockets(loop.io());
    Stream stream(std::move(near));
    far.set_option(asio::socket_base::linger(true, 0));
    far.close();
    std::array<std::byte, 16> into{};
    const auto count = loop.run(read_one(stream, into));
    ASSERT_FALSE(count.has_value());
    EXPECT_EQ(count.error().fault, Fault::closed);
    EXPECT_NE(count.error().detail.find("127.0.0.1"), std::string::npos) << count.error().detail;
}

// Hears of what another connection is told.
class Nobody final : public Readiness::Watched {
public:
    void on_ready(std::uint32_t) noexcept override {}
};

TEST(StreamTest, ASocketThatCannotBeWatchedSaysWhyAndIsClosed)
{
    Loop loop;
    auto [near, far] = connected_sockets(loop.io());
    // The kernel refuses to watch the same socket twice.
    Nobody nobody;
    ASSERT_FALSE(
        Readiness::of(loop.io().get_executor()).watch(near.native_handle(), nobody).failed());
    Stream stream(std::move(near));
    std::array<std::byte, 16> into{};
    const auto read = loop.run(read_one(stream, into));
    ASSERT_FALSE(read.has_value());
    EXPECT_EQ(read.error().fault, Fault::closed);
    EXPECT_NE(read.error().detail.find("File exists"), std::string::npos) << read.error().detail;
    EXPECT_FALSE(loop.run(write_text(stream, "hello")));

    std::array<char, 1> nothing{};
    boost::system::error_code ended;
    EXPECT_EQ(far.read_some(asio::buffer(nothing), ended), 0U);
    EXPECT_EQ(ended, asio::error::eof);
}

TEST(StreamTest, ClosingEndsAWaitingRead)
{
    Loop loop;
    Ends ends = connected(loop.io());
    std::array<std::byte, 16> into{};
    auto waiting = loop.start(read_one(ends.near, into));
    loop.io().poll();
    ends.near.close();
    const auto count = loop.finish(waiting);
    ASSERT_FALSE(count.has_value());
    EXPECT_EQ(count.error().fault, Fault::closed);
    ends.near.close();
}

TEST(StreamTest, ReadsOnAfterACancelledRead)
{
    Loop loop;
    Ends ends = connected(loop.io());
    std::array<std::byte, 16> into{};
    EXPECT_TRUE(loop.run(read_loses_against_a_timer(ends.near, into)));
    EXPECT_TRUE(loop.run(write_text(ends.far, "still here")));
    EXPECT_EQ(loop.run(read_exactly(ends.near, 10)), "still here");
}

TEST(StreamTest, CanBeDestroyedWhileSomebodyReads)
{
    std::array<std::byte, 16> into{};
    Loop loop;
    Ends ends = connected(loop.io());
    auto waiting = loop.start(read_one(ends.near, into));
    loop.io().poll();
    EXPECT_FALSE(waiting->has_value());
}

TEST(StreamTest, WritesMoreThanTheSystemTakesAtOnce)
{
    Loop loop;
    Ends ends = connected(loop.io());
    const std::string text = patterned(std::size_t{12} << 20);
    auto writing = loop.start(write_text(ends.far, text));
    EXPECT_TRUE(loop.run(read_exactly(ends.near, text.size())) == text);
    EXPECT_TRUE(loop.finish(writing));
}

awaitable<bool> write_pieces(Stream& stream, const std::vector<asio::const_buffer>& pieces)
{
    auto written = co_await stream.write(pieces);
    co_return written.has_value();
}

TEST(StreamTest, WritesEveryPieceInOrder)
{
    Loop loop;
    Ends ends = connected(loop.io());
    const std::string text = patterned(100'000);
    std::vector<asio::const_buffer> pieces;
    std::size_t at = 0;
    for (std::size_t size = 0; at < text.size(); size = (size + 7) % 1000) {
        const std::size_t count = std::min(size, text.size() - at);
        pieces.emplace_back(text.data() + at, count);
        at += count;
    }
    auto writing = loop.start(write_pieces(ends.far, pieces));
    EXPECT_TRUE(loop.run(read_exactly(ends.near, text.size())) == text);
    EXPECT_TRUE(loop.finish(writing));
}

awaitable<bool> write_rest(Stream& stream, std::vector<asio::const_buffer> pieces, std::size_t done)
{
    auto written = co_await stream.write(pieces, done);
    co_return written.has_value();
}

TEST(StreamTest, WriteGoesOnWhereWriteNowStopped)
{
    Loop loop;
    Ends ends = connected(loop.io());
    const std::string text = patterned(100'000);
    const std::vector<asio::const_buffer> pieces = {asio::buffer(text.data(), 12'345),
                                                    asio::buffer(text) + 12'345};
    std::string expected;
    std::size_t done = 0;
    bool all_sent = true;
    for (int i = 0; i < 1000 && all_sent; ++i) {
        done = 0;
        const auto sent = ends.far.write_now(pieces, done);
        ASSERT_TRUE(sent.has_value());
        all_sent = *sent;
        expected += text;
    }
    ASSERT_FALSE(all_sent);
    auto writing = loop.start(write_rest(ends.far, pieces, done));
    EXPECT_TRUE(loop.run(read_exactly(ends.near, expected.size())) == expected);
    EXPECT_TRUE(loop.finish(writing));
    const std::string more = "and on";
    const asio::const_buffer last = asio::buffer(more);
    done = 0;
    EXPECT_TRUE(*ends.far.write_now({&last, 1}, done));
    EXPECT_EQ(loop.run(read_exactly(ends.near, 6)), "and on");
}

// Reads everything that comes in turns until `size` bytes are there, the peer has finished or the
// stream is closed.
awaitable<std::string> read_in_turns(Stream& stream, std::size_t size, std::size_t& turns)
{
    std::string text;
    std::array<std::byte, 16> into{};
    std::string ending = " all";
    auto done = co_await stream.while_readable([&] {
        ++turns;
        const auto count = stream.read_now(into);
        if (count && !*count)
            return true;
        if (!count || **count == 0) {
            ending = count ? " finished" : " broken";
            return false;
        }
        text += text_of(Bytes(into).first(**count));
        return text.size() < size;
    });
    co_return text + (done ? ending : " closed");
}

TEST(StreamTest, ReadsInTurnsUntilATurnSaysStop)
{
    Loop loop;
    Ends ends = connected(loop.io());
    std::size_t turns = 0;
    auto reading = loop.start(read_in_turns(ends.near, 9, turns));
    EXPECT_TRUE(loop.run(write_text(ends.far, "now")));
    for (int i = 0; i < 10; ++i)
        loop.io().poll();
    EXPECT_FALSE(reading->has_value());
    EXPECT_TRUE(loop.run(write_text(ends.far, " later and on")));
    EXPECT_EQ(loop.finish(reading), "now later and on all");
    EXPECT_LE(turns, 4U);
}

TEST(StreamTest, ReadsInTurnsMoreThanFitsIntoOne)
{
    Loop loop;
    Ends ends = connected(loop.io());
    const std::string text = patterned(100'000);
    std::size_t turns = 0;
    auto reading = loop.start(read_in_turns(ends.near, text.size(), turns));
    auto writing = loop.start(write_text(ends.far, text));
    EXPECT_TRUE(loop.finish(reading) == text + " all");
    EXPECT_TRUE(loop.finish(writing));
}

// The end that comes with the last bytes is no event of its own.
TEST(StreamTest, TurnsHearOfAnEndRightBehindTheBytes)
{
    for (const bool waits : {true, false}) {
        Loop loop;
        Ends ends = connected(loop.io());
        std::size_t turns = 0;
        Started<std::string> reading;
        if (waits) {
            reading = loop.start(read_in_turns(ends.near, 1000, turns));
            loop.io().poll();
        }
        EXPECT_TRUE(loop.run(write_text(ends.far, "last words")));
        ends.far.close();
        if (!waits)
            reading = loop.start(read_in_turns(ends.near, 1000, turns));
        EXPECT_EQ(loop.finish(reading), "last words finished");
    }
}

TEST(StreamTest, ClosingEndsTurns)
{
    Loop loop;
    Ends ends = connected(loop.io());
    std::size_t turns = 0;
    auto reading = loop.start(read_in_turns(ends.near, 1000, turns));
    loop.io().poll();
    ends.near.close();
    EXPECT_EQ(loop.finish(reading), " closed");
}

awaitable<std::string> turn_that_throws(Stream& stream)
{
    try {
        (void)co_await stream.while_readable([]() -> bool { throw std::runtime_error("broken"); });
    } catch (const std::runtime_error& error) {
        co_return error.what();
    }
    co_return "nothing";
}

TEST(StreamTest, WhatATurnThrowsIsThrownWhereItIsAwaited)
{
    Loop loop;
    Ends ends = connected(loop.io());
    auto reading = loop.start(turn_that_throws(ends.near));
    loop.io().poll();
    EXPECT_TRUE(loop.run(write_text(ends.far, "now")));
    EXPECT_EQ(loop.finish(reading), "broken");
}

// One that always has more to read leaves turns to others of its thread.
TEST(StreamTest, TurnsAreShared)
{
    Loop loop;
    Ends greedy = connected(loop.io());
    Ends modest = connected(loop.io());
    std::size_t turns = 0;
    const std::string text = patterned(std::size_t{1} << 20);
    auto writing = loop.start(write_text(greedy.far, text));
    auto reading = loop.start(read_in_turns(greedy.near, text.size(), turns));
    EXPECT_TRUE(loop.run(write_text(modest.far, "me too")));
    EXPECT_EQ(loop.run(read_exactly(modest.near, 6)), "me too");
    EXPECT_FALSE(reading->has_value());
    EXPECT_TRUE(loop.finish(reading) == text + " all");
    EXPECT_TRUE(loop.finish(writing));
}

TEST(StreamTest, WritesOnForAPeerThatHasFinished)
{
    Loop loop;
    auto [near, far] = connected_sockets(loop.io());
    Stream stream(std::move(near));
    far.shutdown(asio::socket_base::shutdown_send);
    Stream peer(std::move(far));
    const std::string text = patterned(std::size_t{12} << 20);
    auto writing = loop.start(write_text(stream, text));
    EXPECT_TRUE(loop.run(read_exactly(peer, text.size())) == text);
    EXPECT_TRUE(loop.finish(writing));
}

awaitable<std::string> peeked(Stream& stream)
{
    std::array<std::byte, 8> into{};
    std::size_t count = 0;
    auto there = co_await stream.peek(into, count);
    co_return there.has_value() && *there ? std::string(text_of(Bytes(into).first(count)))
                                          : std::string("finished");
}

TEST(StreamTest, PeekingLeavesTheBytes)
{
    Loop loop;
    Ends ends = connected(loop.io());
    auto waiting = loop.start(peeked(ends.near));
    loop.io().poll();
    EXPECT_TRUE(loop.run(write_text(ends.far, "\x16\x03")));
    EXPECT_EQ(loop.finish(waiting), "\x16\x03");
    EXPECT_EQ(loop.run(peeked(ends.near)), "\x16\x03");
    EXPECT_EQ(loop.run(read_exactly(ends.near, 2)), "\x16\x03");
    ends.far.close();
    EXPECT_EQ(loop.run(peeked(ends.near)), "finished");
}

TEST(StreamTest, ThePeerGetsTheLastWordsAlthoughItsOwnWereNotRead)
{
    Loop loop;
    Ends ends = connected(loop.io());
    EXPECT_TRUE(loop.run(write_text(ends.far, "something nobody reads")));
    EXPECT_TRUE(loop.run(write_text(ends.near, "FATAL: too late")));
    ends.near.close();
    EXPECT_EQ(loop.run(read_exactly(ends.far, 15)), "FATAL: too late");
}

TEST(StreamTest, KnowsItsPeerAfterTheEnd)
{
    Loop loop;
    auto [near, far] = connected_sockets(loop.io());
    const std::uint16_t port = far.local_endpoint().port();
    Stream stream(std::move(near));
    stream.close();
    EXPECT_EQ(stream.peer().address, "127.0.0.1");
    EXPECT_EQ(stream.peer().port, port);
    EXPECT_FALSE(stream.peer().encrypted);
    EXPECT_FALSE(stream.channel_binding().has_value());
}

}  // namespace
}  // namespace sallyport::testing
