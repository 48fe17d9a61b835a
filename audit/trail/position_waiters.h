// Coroutines that wait for a position to be reached, each resumed on its own executor.

#pragma once

#include <atomic>
#include <boost/asio/any_completion_handler.hpp>
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <utility>

#include "audit/trail/journal.h"

namespace sallyport {

// From any thread. Outlives its waiters.
class PositionWaiters {
public:
    // `wanted` is called after each new waiter, on its thread and without a lock held.
    explicit PositionWaiters(std::function<void()> wanted) : wanted_(std::move(wanted)) {}

    // Completes once release() or fail() has come so far, with Fault::closed when it is cancelled.
    boost::asio::awaitable<Result<void>> wait(Position position);

    // Everything up to `position` is reached: its waiters go on.
    void release(Position position);

    // Every waiter, now and later, gets this error.
    void fail(const Error& error);

    bool any() const { return waiting_.load(std::memory_order_acquire) > 0; }

private:
    using Handler = boost::asio::any_completion_handler<void(Result<void>)>;
    struct Waiter {
        Handler handler;
        boost::asio::any_io_executor executor;  // keeps its io_context running
        boost::asio::cancellation_slot slot;
    };
    // By position, then in the order of their arrival.
    using Key = std::pair<Position, std::uint64_t>;
    using Waiters = std::map<Key, Waiter>;

    void add(Position position, Waiter waiter);
    void cancel(Key key);
    static void complete(Waiter waiter, Result<void> result);

    const std::function<void()> wanted_;
    std::mutex mutex_;  // everything down to failed_
    Waiters waiters_;
    std::uint64_t arrivals_ = 0;
    Position reached_ = 0;
    std::optional<Error> failed_;
    std::atomic<std::size_t> waiting_ = 0;
};

}  // namespace sallyport
