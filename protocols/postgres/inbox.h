// Bytes read from one peer and not yet consumed.
//
// Small while a session exchanges small messages, large while it moves bulk, back to small when it
// falls idle: thousands of idle sessions must not hold thousands of large buffers.

#pragma once

#include <boost/asio/awaitable.hpp>
#include <cstddef>
#include <memory>

#include "gateway/edge/stream.h"
#include "gateway/vocabulary/bytes.h"
#include "gateway/vocabulary/result.h"

namespace sallyport::postgres {

class Inbox {
public:
    // already_read: bytes that came before this inbox was made. The stream outlives it.
    explicit Inbox(Stream& stream, std::string_view already_read = {});

    // Valid until the next fill() or fill_now().
    Bytes unread() const { return {space_.get() + begin_, end_ - begin_}; }
    void consume(std::size_t count) { begin_ += count; }

    // Adds at least one byte to unread(), waiting for it. Fault::closed at the end of the stream.
    boost::asio::awaitable<Result<void>> fill();

    // The same without waiting. False: there is nothing yet. Makes space for a message of `wanted`
    // bytes, which the caller has checked against its limit.
    Result<bool> fill_now(std::size_t wanted);

private:
    MutableBytes room(std::size_t wanted);
    Result<void> received(std::size_t count);
    void make_room(std::size_t capacity);

    Stream& stream_;
    std::unique_ptr<std::byte[]> space_;
    std::size_t capacity_ = 0;
    std::size_t begin_ = 0;
    std::size_t end_ = 0;
    bool busy_ = false;  // the last read filled the space: bulk is on its way
};

}  // namespace sallyport::postgres
