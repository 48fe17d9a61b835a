// Name, address, connection: each step within one deadline.

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "gateway/edge/stream.h"

namespace sallyport {

namespace {

namespace asio = boost::asio;
using asio::awaitable;
using asio::ip::tcp;
using boost::system::error_code;
using Clock = std::chrono::steady_clock;

constexpr auto as_values = asio::as_tuple(asio::deferred);

// A look-up that outlives whoever asked: the system's resolver cannot be interrupted, so the asker
// waits on the timer and leaves when it must.
struct Lookup {
    explicit Lookup(const asio::any_io_executor& executor) : resolver(executor), answered(executor)
    {
    }

    tcp::resolver resolver;
    asio::steady_timer answered;
    bool done = false;
    error_code error;
    std::vector<tcp::endpoint> endpoints;
};

tl::unexpected<Error> unreachable(const std::string& host, std::uint16_t port,
                                  const std::string& why)
{
    return failure(Fault::unavailable,
                   "cannot connect to " + host + ":" + std::to_string(port) + ": " + why);
}

awaitable<Result<std::vector<tcp::endpoint>>> look_up(const std::string& host, std::uint16_t port,
                                                      Clock::time_point until)
{
    error_code not_numeric;
    const asio::ip::address address = asio::ip::make_address(host, not_numeric);
    if (!not_numeric)
        co_return std::vector<tcp::endpoint>{tcp::endpoint(address, port)};

    const auto executor = co_await asio::this_coro::executor;
    const auto lookup = std::make_shared<Lookup>(executor);
    lookup->answered.expires_at(until);
    lookup->resolver.async_resolve(
        host, std::to_string(port), tcp::resolver::numeric_service,
        [lookup](const error_code& error, const tcp::resolver::results_type& results) {
            lookup->done = true;
            lookup->error = error;
            for (const auto& result : results)
                lookup->endpoints.push_back(result.endpoint());
            lookup->answered.cancel();
        });
    (void)co_await lookup->answered.async_wait(as_values);  // either way it is over
    if (!lookup->done)
        co_return unreachable(host, port, "the name was not resolved in time");
    if (lookup->error)
        co_return unreachable(host, port, lookup->error.message());
    if (lookup->endpoints.empty())
        co_return unreachable(host, port, "the name has no address");
    co_return std::move(lookup->endpoints);
}

awaitable<error_code> connect_one(tcp::socket& socket, tcp::endpoint endpoint)
{
    const auto [error] = co_await socket.async_connect(endpoint, as_values);
    co_return error;
}

awaitable<void> wait_until(Clock::time_point until)
{
    asio::steady_timer timer(co_await asio::this_coro::executor, until);
    (void)co_await timer.async_wait(as_values);  // ends by time or by cancellation
}

awaitable<Result<Stream>> connect_within(const std::string& host, std::uint16_t port,
                                         Clock::time_point until)
{
    using asio::experimental::awaitable_operators::operator||;
    CO_TRY(endpoints, co_await look_up(host, port, until));
    std::string why = "no time was left";
    for (std::size_t i = 0; i < endpoints.size(); ++i) {
        const auto now = Clock::now();
        const auto state = co_await asio::this_coro::cancellation_state;
        if (now >= until || state.cancelled() != asio::cancellation_type::none)
            break;
        // An address that swallows packets must leave time for the ones behind it.
        const auto share = (until - now) / static_cast<long>(endpoints.size() - i);
        tcp::socket socket(co_await asio::this_coro::executor);
        const auto outcome =
            co_await (connect_one(socket, endpoints[i]) || wait_until(now + share));
        if (outcome.index() == 0 && !std::get<0>(outcome))
            co_return Stream(std::move(socket));
        why = outcome.index() == 0 ? std::get<0>(outcome).message() : "no answer in time";
    }
    co_return unreachable(host, port, why);
}

}  // namespace

awaitable<Result<Stream>> connect_to(std::string host, std::uint16_t port,
                                     std::chrono::milliseconds deadline)
{
    // A cancelled connect leaves with an Error. Whether the caller's later waits throw is the
    // caller's choice.
    const bool throws = co_await asio::this_coro::throw_if_cancelled();
    co_await asio::this_coro::throw_if_cancelled(false);
    auto stream = co_await connect_within(host, port, Clock::now() + deadline);
    co_await asio::this_coro::throw_if_cancelled(throws);
    co_return stream;
}

}  // namespace sallyport
