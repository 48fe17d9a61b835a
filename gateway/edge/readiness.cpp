#include "gateway/edge/readiness.h"

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/system/system_error.hpp>
#include <cerrno>

namespace sallyport {

namespace {

namespace asio = boost::asio;
using boost::system::error_code;

// Rounds before timers and posted work have a turn.
constexpr int most_rounds = 4;

int made_epoll()
{
    const int made = ::epoll_create1(EPOLL_CLOEXEC);
    if (made < 0)
        throw boost::system::system_error(errno, boost::system::system_category(), "epoll_create1");
    return made;
}

}  // namespace

asio::execution_context::id Readiness::id;

Readiness& Readiness::of(const asio::any_io_executor& executor)
{
    return asio::use_service<Readiness>(asio::query(executor, asio::execution::context));
}

Readiness::Readiness(asio::execution_context& owner)
    : service(owner), epoll_(static_cast<asio::io_context&>(owner), made_epoll())
{
}

void Readiness::shutdown() noexcept
{
    error_code ignored;
    epoll_.close(ignored);
}

error_code Readiness::watch(int descriptor, Watched& connection)
{
    epoll_event interest{};
    interest.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
    interest.data.ptr = &connection;
    if (::epoll_ctl(epoll_.native_handle(), EPOLL_CTL_ADD, descriptor, &interest) != 0)
        return {errno, boost::system::system_category()};
    return {};
}

void Readiness::forget(int descriptor, Watched& connection)
{
    if (!epoll_.is_open())
        return;  // the thread has ended before its connections
    ::epoll_ctl(epoll_.native_handle(), EPOLL_CTL_DEL, descriptor, nullptr);
    for (std::size_t i = next_; i < ready_; ++i)
        if (events_[i].data.ptr == &connection)
            events_[i].data.ptr = nullptr;
    std::ranges::replace(more_, &connection, nullptr);
    std::ranges::replace(taking_, &connection, nullptr);
}

Readiness::Waiter::Waiter(Readiness& readiness) : readiness_(readiness)
{
    ++readiness.waiters_;
    if (!readiness.waiting_)
        readiness.wait();
}

Readiness::Waiter::~Waiter()
{
    if (--readiness_.waiters_ > 0 || !readiness_.epoll_.is_open())
        return;
    error_code ignored;
    readiness_.epoll_.cancel(ignored);  // nothing to wait for: the loop may end
}

void Readiness::once_more(Watched& connection)
{
    if (more_.empty() && taking_.empty() && ready_ == 0)
        asio::post(epoll_.get_executor(), [this] { give_turns(); });
    if (std::ranges::find(more_, &connection) == more_.end())
        more_.push_back(&connection);
}

void Readiness::wait()
{
    waiting_ = true;
    epoll_.async_wait(asio::posix::stream_descriptor::wait_read, [this](error_code error) {
        waiting_ = false;
        if (!error)
            give_turns();
        else if (waiters_ > 0)
            wait();  // cancelled when there was nobody, and now there is
    });
}

void Readiness::give_turns()
{
    // Whoever is woken by a turn has often answered by the end of the round.
    for (int round = 0; round < most_rounds; ++round) {
        const int count = ::epoll_wait(epoll_.native_handle(), events_.data(),
                                       static_cast<int>(events_.size()), 0);
        if (count <= 0)
            break;
        ready_ = static_cast<std::size_t>(count);
        for (next_ = 0; next_ < ready_;) {
            const epoll_event event = events_[next_++];
            if (event.data.ptr != nullptr)
                static_cast<Watched*>(event.data.ptr)->on_ready(event.events);
        }
        next_ = ready_ = 0;
    }
    taking_.swap(more_);
    for (std::size_t i = 0; i < taking_.size(); ++i)
        if (taking_[i] != nullptr)
            taking_[i]->on_ready(0);
    taking_.clear();
    if (!more_.empty())
        asio::post(epoll_.get_executor(), [this] { give_turns(); });
    if (!waiting_ && waiters_ > 0)
        wait();
}

}  // namespace sallyport
