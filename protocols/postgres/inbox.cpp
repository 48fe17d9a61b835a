#include "protocols/postgres/inbox.h"

#include <algorithm>
#include <cstring>

namespace sallyport::postgres {

namespace {

constexpr std::size_t small_space = std::size_t{8} << 10;
constexpr std::size_t bulk_space = std::size_t{128} << 10;

}  // namespace

Inbox::Inbox(Stream& stream, std::string_view already_read) : stream_(stream)
{
    make_room(std::max(small_space, already_read.size()));
    std::memcpy(space_.get(), already_read.data(), already_read.size());
    end_ = already_read.size();
}

void Inbox::make_room(std::size_t capacity)
{
    if (capacity != capacity_) {
        auto next = std::make_unique_for_overwrite<std::byte[]>(capacity);
        if (end_ > begin_)  // there is no space yet at first
            std::memcpy(next.get(), space_.get() + begin_, end_ - begin_);
        space_ = std::move(next);
        capacity_ = capacity;
    } else if (begin_ > 0) {
        std::memmove(space_.get(), space_.get() + begin_, end_ - begin_);
    }
    end_ -= begin_;
    begin_ = 0;
}

boost::asio::awaitable<Result<void>> Inbox::fill()
{
    CO_TRY(count, co_await stream_.read_some(room(0)));
    co_return received(count);
}

Result<bool> Inbox::fill_now(std::size_t wanted)
{
    TRY(count, stream_.read_now(room(wanted)));
    if (!count)
        return false;
    TRY_DONE(received(*count));
    return true;
}

MutableBytes Inbox::room(std::size_t wanted)
{
    const std::size_t waiting = end_ - begin_;
    std::size_t capacity = busy_ ? bulk_space : small_space;
    // Doubling, so that a peer that announces a large message and sends little costs little.
    if (waiting >= capacity)
        capacity = std::max(capacity, waiting * 2);
    if (wanted > waiting)
        capacity = std::max(capacity, std::min(wanted, std::max(bulk_space, waiting * 2)));
    make_room(capacity);
    return {space_.get() + end_, capacity_ - end_};
}

Result<void> Inbox::received(std::size_t count)
{
    if (count == 0)
        return failure(Fault::closed, "the peer closed the connection");
    const std::size_t free = capacity_ - end_;
    end_ += count;
    busy_ = count == free || (busy_ && count * 2 >= free);
    return {};
}

}  // namespace sallyport::postgres
