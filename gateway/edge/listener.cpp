#include "gateway/edge/listener.h"

#include <algorithm>
#include <atomic>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstring>
#include <exception>
#include <spdlog/spdlog.h>
#include <sys/socket.h>
#include <unistd.h>
#include <utility>

#include "gateway/edge/readiness.h"

namespace sallyport {

namespace {

namespace asio = boost::asio;
using asio::awaitable;
using asio::ip::tcp;
using boost::system::error_code;

constexpr auto as_values = asio::as_tuple(asio::deferred);
constexpr auto back_off = std::chrono::milliseconds(100);
constexpr auto quiet_time = std::chrono::seconds(1);

// A socket nobody has made an object of yet.
class Descriptor final {
public:
    explicit Descriptor(int number) : number_(number) {}
    Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
    Descriptor& operator=(Descriptor&&) = delete;
    ~Descriptor()
    {
        if (number_ >= 0)
            ::close(number_);
    }

    int number() const { return number_; }
    void release() { number_ = -1; }

private:
    int number_;
};

struct Thread {
    Thread(asio::io_context& context, std::size_t head_start) : io(context), behind(head_start)
    {
        // Makes its epolls now: its first connection may come when descriptors are short.
        (void)Readiness::of(context.get_executor());
    }

    asio::io_context& io;
    std::size_t behind;  // how many more connections the others have before it gets its first
    std::atomic<std::size_t> connections = 0;
};

// One more connection on a thread, for as long as this lives.
class Place final {
public:
    explicit Place(Thread& thread) : thread_(&thread) { ++thread_->connections; }
    Place(Place&& other) noexcept : thread_(std::exchange(other.thread_, nullptr)) {}
    Place& operator=(Place&&) = delete;
    ~Place()
    {
        if (thread_ != nullptr)
            --thread_->connections;
    }

private:
    Thread* thread_;
};

// How many connections there are. Shared: connections end after the listener does, and after the
// threads of other connections.
struct Counter {
    Counter(const std::vector<asio::io_context*>& contexts, Service& served, std::size_t most,
            std::size_t last_from)
        : service(served), limit(most)
    {
        for (asio::io_context* context : contexts)
            threads.push_back(
                std::make_unique<Thread>(*context, context == contexts.back() ? last_from : 0));
    }

    std::size_t connections() const
    {
        std::size_t sum = 0;
        for (const auto& thread : threads)
            sum += thread->connections;
        return sum;
    }

    Thread& least_loaded()
    {
        return **std::min_element(
            threads.begin(), threads.end(), [](const auto& left, const auto& right) {
                return left->connections + left->behind < right->connections + right->behind;
            });
    }

    Service& service;
    std::size_t limit;
    std::vector<std::unique_ptr<Thread>> threads;
};

// Where connections come in. Shared by the listener and its loop, which ends a moment later. Lives
// on the first thread.
struct Door {
    explicit Door(asio::io_context& io) : acceptor(io), pause(io) {}

    tcp::acceptor acceptor;
    asio::steady_timer pause;
    std::chrono::steady_clock::time_point complained;
};

awaitable<void> serve(std::shared_ptr<Counter> counter, Thread& thread, tcp protocol,
                      Descriptor descriptor, Place place)
{
    try {
        error_code error;
        tcp::socket socket(thread.io);
        socket.assign(protocol, descriptor.number(), error);
        if (error) {
            spdlog::warn("event=connection_lost reason=\"{}\"", error.message());
            co_return;
        }
        descriptor.release();
        Stream client(std::move(socket));
        co_await counter->service.serve(std::move(client));
    } catch (const std::exception& exception) {
        // Nothing a peer does may end here: an exception is a broken invariant of ours. It costs
        // this connection and no other.
        spdlog::error("event=connection_failed reason=\"{}\"", exception.what());
    } catch (...) {
        spdlog::error("event=connection_failed reason=\"unknown exception\"");
    }
    (void)place;  // given back here, whichever way the connection went
}

void complain(Door& door, const Counter& counter, const std::string& reason)
{
    const auto now = std::chrono::steady_clock::now();
    if (now - door.complained < quiet_time)
        return;
    door.complained = now;
    spdlog::warn("event=connections_refused reason=\"{}\" connections={}", reason,
                 counter.connections());
}

// Takes every connection that waits. False where the system has no more descriptors for now.
bool take_all(Door& door, const std::shared_ptr<Counter>& counter, tcp protocol)
{
    for (;;) {
        const int accepted = ::accept4(door.acceptor.native_handle(), nullptr, nullptr,
                                       SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (accepted < 0) {
            if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
                complain(door, *counter, ::strerrordesc_np(errno));
                return false;
            }
            if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EBADF)
                return true;
            // The rest concerns one connection that went away before it was taken (accept(2)).
            continue;
        }
        Descriptor descriptor(accepted);
        if (counter->connections() >= counter->limit) {
            complain(door, *counter, "the limit of connections is reached");
            continue;
        }
        Thread& thread = counter->least_loaded();
        try {
            asio::co_spawn(thread.io,
                           serve(counter, thread, protocol, std::move(descriptor), Place(thread)),
                           asio::detached);
        } catch (const std::exception& exception) {
            complain(door, *counter,
                     exception.what());  // out of memory: others may end and free some
            return false;
        }
    }
}

awaitable<void> accept_connections(std::shared_ptr<Door> door, std::shared_ptr<Counter> counter,
                                   tcp protocol)
{
    while (door->acceptor.is_open()) {
        const auto [error] =
            co_await door->acceptor.async_wait(tcp::acceptor::wait_read, as_values);
        if (error == asio::error::operation_aborted || !door->acceptor.is_open())
            co_return;
        if (!error && take_all(*door, counter, protocol))
            continue;
        door->pause.expires_after(back_off);
        (void)co_await door->pause.async_wait(as_values);  // stop() ends it early
    }
}

class AcceptingListener final : public Listener {
public:
    AcceptingListener(std::shared_ptr<Door> door, std::shared_ptr<Counter> counter,
                      tcp::endpoint endpoint)
        : door_(std::move(door)), counter_(std::move(counter)), endpoint_(std::move(endpoint))
    {
    }
    ~AcceptingListener() override { close(); }

    void start() override
    {
        asio::co_spawn(door_->acceptor.get_executor(),
                       accept_connections(door_, counter_, endpoint_.protocol()), asio::detached);
    }

    std::uint16_t port() const override { return endpoint_.port(); }
    std::size_t connections() const override { return counter_->connections(); }
    void stop() override { close(); }

private:
    void close()
    {
        asio::post(door_->acceptor.get_executor(), [door = door_] {
            error_code ignored;
            door->acceptor.close(ignored);
            door->pause.cancel();
        });
    }

    std::shared_ptr<Door> door_;
    std::shared_ptr<Counter> counter_;
    tcp::endpoint endpoint_;
};

// "127.0.0.1:6432", "[::1]:6432"
Result<tcp::endpoint> parse_endpoint(const std::string& text)
{
    const auto wrong = [&text] {
        return failure(Fault::unavailable, "listen address \"" + text +
                                               "\" is not ADDRESS:PORT, such as 127.0.0.1:6432 or "
                                               "[::1]:6432");
    };
    const std::size_t colon = text.rfind(':');
    if (colon == std::string::npos || colon == 0)
        return wrong();
    std::string host = text.substr(0, colon);
    const std::string digits = text.substr(colon + 1);
    const bool bracketed = host.front() == '[' && host.back() == ']';
    if (bracketed)
        host = host.substr(1, host.size() - 2);
    std::uint16_t port = 0;
    const auto [end, fault] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
    error_code error;
    const asio::ip::address address = asio::ip::make_address(host, error);
    if (error || fault != std::errc() || end != digits.data() + digits.size() ||
        address.is_v6() != bracketed)
        return wrong();
    return tcp::endpoint(address, port);
}

}  // namespace

Result<std::unique_ptr<Listener>> Listener::open(const std::string& address,
                                                 std::vector<asio::io_context*> threads,
                                                 Service& service, std::size_t limit,
                                                 std::size_t last_from)
{
    TRY(endpoint, parse_endpoint(address));
    auto door = std::make_shared<Door>(*threads.front());
    tcp::acceptor& acceptor = door->acceptor;
    error_code error;
    acceptor.open(endpoint.protocol(), error);
    if (!error)
        acceptor.set_option(tcp::acceptor::reuse_address(true), error);
    if (!error)
        acceptor.bind(endpoint, error);
    if (!error)
        acceptor.listen(asio::socket_base::max_listen_connections, error);
    if (!error)
        acceptor.non_blocking(true, error);
    if (!error)
        endpoint = acceptor.local_endpoint(error);
    if (error)
        return failure(Fault::unavailable, "cannot listen on " + address + ": " + error.message());
    return std::make_unique<AcceptingListener>(
        std::move(door), std::make_shared<Counter>(threads, service, limit, last_from), endpoint);
}

}  // namespace sallyport
