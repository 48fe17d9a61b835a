#include <sys/socket.h>

#include "gateway/edge/stream.h"
#include "tests/gateway/edge/loopback.h"

namespace sallyport::testing {
namespace {

namespace asio = boost::asio;
using asio::awaitable;
using asio::ip::tcp;

struct Attempt {
    bool connected = false;
    Fault fault = Fault::closed;
    std::string detail;
};

awaitable<Attempt> attempt(std::string host, std::uint16_t port, std::chrono::milliseconds deadline)
{
    auto stream = co_await connect_to(std::move(host), port, deadline);
    if (stream)
        co_return Attempt{true, Fault::closed, {}};
    co_return Attempt{false, stream.error().fault, stream.error().detail};
}

TEST(ConnectTest, ReachesAnAddressAndAName)
{
    Loop loop;
    tcp::acceptor acceptor(loop.io(), tcp::endpoint(asio::ip::address_v4::loopback(), 0));
    const std::uint16_t port = acceptor.local_endpoint().port();
    EXPECT_TRUE(loop.run(attempt("127.0.0.1", port, patience)).connected);
    // Where localhost is ::1 first, nobody listens there and the next address is tried.
    EXPECT_TRUE(loop.run(attempt("localhost", port, patience)).connected);
}

TEST(ConnectTest, NamesHostAndPortOfWhoRefused)
{
    Loop loop;
    tcp::acceptor acceptor(loop.io(), tcp::endpoint(asio::ip::address_v4::loopback(), 0));
    const std::uint16_t port = acceptor.local_endpoint().port();
    acceptor.close();
    const Attempt outcome = loop.run(attempt("127.0.0.1", port, patience));
    EXPECT_FALSE(outcome.connected);
    EXPECT_EQ(outcome.fault, Fault::unavailable);
    EXPECT_EQ(outcome.detail,
              "cannot connect to 127.0.0.1:" + std::to_string(port) + ": Connection refused");
}

TEST(ConnectTest, GivesUpAtTheDeadline)
{
    Loop loop;
    // A listener whose queue is full answers nothing, like a host behind a dropping firewall.
    tcp::acceptor acceptor(loop.io());
    acceptor.open(tcp::v4());
    acceptor.bind(tcp::endpoint(asio::ip::address_v4::loopback(), 0));
    acceptor.listen(0);
    std::vector<std::unique_ptr<tcp::socket>> queue;
    for (int i = 0; i < 4; ++i) {
        queue.push_back(std::make_unique<tcp::socket>(loop.io()));
        queue.back()->async_connect(acceptor.local_endpoint(), asio::detached);
    }
    const auto begun = std::chrono::steady_clock::now();
    const Attempt outcome = loop.run(
        attempt("127.0.0.1", acceptor.local_endpoint().port(), std::chrono::milliseconds(200)));
    EXPECT_FALSE(outcome.connected);
    EXPECT_EQ(outcome.fault, Fault::unavailable);
    EXPECT_NE(outcome.detail.find("no answer in time"), std::string::npos) << outcome.detail;
    EXPECT_LT(std::chrono::steady_clock::now() - begun, std::chrono::seconds(10));
}

TEST(ConnectTest, NamesAHostThatDoesNotExist)
{
    Loop loop;
    const Attempt outcome =
        loop.run(attempt("no-such-host.invalid", 5432, std::chrono::seconds(5)));
    EXPECT_FALSE(outcome.connected);
    EXPECT_EQ(outcome.fault, Fault::unavailable);
    EXPECT_NE(outcome.detail.find("no-such-host.invalid:5432"), std::string::npos);
}

}  // namespace
}  // namespace sallyport::testing
