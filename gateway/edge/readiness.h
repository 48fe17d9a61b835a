// Tells the connections of one thread when their sockets can be read or written.
//
// Asio starts a read by trying it, and so asks every socket twice for each message: once when it
// came and once more to hear that there is nothing yet. An edge-triggered epoll of our own
// (epoll(7)) asks once, and calls the connection instead of resuming a coroutine. Asio waits for
// this epoll as for any other descriptor, so timers and posted work go on beside it. Private to the
// edge.

#pragma once

#include <array>
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/execution_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/system/error_code.hpp>
#include <cstddef>
#include <cstdint>
#include <sys/epoll.h>
#include <vector>

namespace sallyport {

class Readiness final : public boost::asio::execution_context::service {
public:
    // A connection that wants to know.
    class Watched {
    public:
        virtual ~Watched() = default;
        // events: as epoll_wait(2) gives them; none: a turn asked for with once_more().
        virtual void on_ready(std::uint32_t events) noexcept = 0;
    };

    // While one lives somebody waits, and the thread's loop has work to wait for.
    class Waiter final {
    public:
        explicit Waiter(Readiness& readiness);
        Waiter(const Waiter&) = delete;
        Waiter& operator=(const Waiter&) = delete;
        ~Waiter();

    private:
        Readiness& readiness_;
    };

    static boost::asio::execution_context::id id;

    // The one of this executor's thread. Its context is an io_context.
    static Readiness& of(const boost::asio::any_io_executor& executor);

    explicit Readiness(boost::asio::execution_context& owner);

    // From here on the connection hears of every change of its socket, until forget(), at the
    // latest when somebody waits. All on the thread of the context.
    boost::system::error_code watch(int descriptor, Watched& connection);
    void forget(int descriptor, Watched& connection);

    // Another turn for a connection that has more to do, after all others had theirs.
    void once_more(Watched& connection);

private:
    void shutdown() noexcept override;
    void wait();
    void give_turns();

    boost::asio::posix::stream_descriptor epoll_;
    std::size_t waiters_ = 0;
    bool waiting_ = false;
    std::array<epoll_event, 64> events_{};  // of the round under way
    std::size_t next_ = 0;
    std::size_t ready_ = 0;
    std::vector<Watched*> more_;    // whose turn comes again
    std::vector<Watched*> taking_;  // those among them being called
};

}  // namespace sallyport
