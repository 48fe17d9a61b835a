#include "audit/trail/position_waiters.h"

#include <boost/asio/post.hpp>
#include <boost/asio/prefer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace sallyport {

namespace asio = boost::asio;

asio::awaitable<Result<void>> PositionWaiters::wait(Position position)
{
    const asio::any_io_executor executor = co_await asio::this_coro::executor;
    auto initiation = [this, position, &executor](auto handler) {
        const auto slot = asio::get_associated_cancellation_slot(handler);
        add(position,
            Waiter{.handler = std::move(handler),
                   .executor = asio::prefer(executor, asio::execution::outstanding_work.tracked),
                   .slot = slot});
    };
    co_return co_await asio::async_initiate<const asio::use_awaitable_t<>, void(Result<void>)>(
        initiation, asio::use_awaitable);
}

void PositionWaiters::add(Position position, Waiter waiter)
{
    Result<void> result;
    {
        const std::scoped_lock lock(mutex_);
        if (!failed_ && position > reached_) {
            const Key key(position, ++arrivals_);
            // Before it is among the waiters: from then on another thread may complete it. Emitted
            // on the waiter's own executor only, and therefore not while we are here.
            if (waiter.slot.is_connected())
                waiter.slot.assign([this, key](asio::cancellation_type) { cancel(key); });
            waiters_.emplace(key, std::move(waiter));
            waiting_.store(waiters_.size(), std::memory_order_release);
        } else {
            if (failed_)
                result = tl::unexpected(*failed_);
            complete(std::move(waiter), std::move(result));
            return;
        }
    }
    wanted_();
}

void PositionWaiters::cancel(Key key)
{
    const std::scoped_lock lock(mutex_);
    auto node = waiters_.extract(key);
    if (node.empty())
        return;  // its completion is already on the way
    waiting_.store(waiters_.size(), std::memory_order_release);
    complete(std::move(node.mapped()), failure(Fault::closed, "the wait was cancelled"));
}

void PositionWaiters::complete(Waiter waiter, Result<void> result)
{
    const asio::any_io_executor executor = waiter.executor;
    auto resume = [waiter = std::move(waiter), result = std::move(result)]() mutable {
        if (waiter.slot.is_connected())
            waiter.slot.clear();
        Handler handler = std::move(waiter.handler);
        std::move(handler)(std::move(result));
    };
    asio::post(executor, std::move(resume));
}

void PositionWaiters::release(Position position)
{
    const std::scoped_lock lock(mutex_);
    reached_ = std::max(reached_, position);
    while (!waiters_.empty() && waiters_.begin()->first.first <= reached_)
        complete(std::move(waiters_.extract(waiters_.begin()).mapped()), {});
    waiting_.store(waiters_.size(), std::memory_order_release);
}

void PositionWaiters::fail(const Error& error)
{
    const std::scoped_lock lock(mutex_);
    if (!failed_)
        failed_ = error;
    while (!waiters_.empty())
        complete(std::move(waiters_.extract(waiters_.begin()).mapped()), tl::unexpected(error));
    waiting_.store(0, std::memory_order_release);
}

}  // namespace sallyport
