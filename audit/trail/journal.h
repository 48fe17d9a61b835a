// Where events go first: the gateway's own journal.
//
// Three levels of safety, each a Position reached: *written* (append() has returned: survives the
// death of this process), *synced* (on the disk), *committed* (framed and in PostgreSQL). Which one
// a command waits for is the connection's durability, decided in gateway/session and nowhere else.

#pragma once

#include <boost/asio/awaitable.hpp>

#include "audit/trail/event.h"
#include "audit/trail/position.h"
#include "gateway/vocabulary/result.h"

namespace sallyport {

class Journal {
public:
    virtual ~Journal() = default;

    // Copies the event. From any thread; never waits for the disk. Events of one session keep the
    // order in which they were appended. Fault::unrecorded when the event cannot be kept (no space,
    // a failed sync, a record above the limit): the session must end before its next byte.
    virtual Result<Position> append(const Event& event) = 0;

    // Whether new commands may begin: false, with the reason, while the store has been unreachable
    // for longer or with more unshipped bytes than configured. Cheap enough for every command.
    virtual Result<void> admits() const = 0;

    // Completes once everything up to the position is on the disk. At once where it is already.
    virtual boost::asio::awaitable<Result<void>> synced(Position position) = 0;

    // Completes once everything up to the position is committed in PostgreSQL.
    virtual boost::asio::awaitable<Result<void>> committed(Position position) = 0;
};

}  // namespace sallyport
