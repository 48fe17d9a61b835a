#include "gateway/edge/stream.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <sys/socket.h>

#include "gateway/edge/raceable.h"
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

TEST(StreamTest, ReadNowNeverWaits)
{
    Loop loop;
    Ends ends = connected(loop.io());
    std::array<std::byte, 16> into{};
    EXPECT_EQ(*ends.near.read_now(into), 0U);
    EXPECT_TRUE(loop.run(write_text(ends.far, "now")));
    EXPECT_EQ(*ends.near.read_now(into), 3U);
    EXPECT_EQ(*ends.near.read_now(into), 0U);
    auto waiting = loop.start(read_one(ends.near, into));
    EXPECT_TRUE(loop.run(write_text(ends.far, "later")));
    EXPECT_EQ(*loop.finish(waiting), 5U);
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
