// The messages of one batch on their way to one peer.
//
// Messages that need no change stay views of the bytes they arrived in, and neighbours join into
// one piece; what the gateway writes itself is kept in the outbox's own space. Both are valid until
// clear().

#pragma once

#include <boost/asio/buffer.hpp>
#include <cstddef>
#include <deque>
#include <string>
#include <vector>

#include "gateway/vocabulary/bytes.h"

namespace sallyport::postgres {

class Outbox {
public:
    // Forgets what was added and keeps a little of the space.
    void clear();

    // Adds bytes that go as they are. The piece they become part of is known when its
    // run ends: end_run().
    void pass(Bytes whole);

    // Adds a copy of a message of our own or a rewritten one, and gives the copy. Ends the run:
    // call end_run() first where the run's bytes are wanted.
    Bytes add(std::string_view message);

    // The run of passed bytes not yet given to anybody; empty where there is none. Called before
    // every change of the command that the bytes belong to, and at the end.
    Bytes end_run();

    const std::vector<boost::asio::const_buffer>& pieces() const { return pieces_; }
    bool empty() const { return pieces_.empty() && run_.empty(); }

private:
    void push(Bytes piece);

    std::vector<boost::asio::const_buffer> pieces_;
    std::deque<std::string> own_;  // blocks; their addresses are stable
    Bytes run_;
};

}  // namespace sallyport::postgres
