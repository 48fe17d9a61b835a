// Accepts connections on one address and deals them out to the threads.

#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "gateway/edge/stream.h"
#include "gateway/vocabulary/result.h"

namespace sallyport {

// What a listener hands a connection to. Outlives the listener. serve() is run on the connection's
// own thread; it never throws.
class Service {
public:
    virtual ~Service() = default;

    virtual boost::asio::awaitable<void> serve(Stream client) = 0;
};

class Listener {
public:
    // threads: one io_context for each, all outlive the listener; connections go to the one that
    // has the fewest, to the last only once each of the others has `last_from` more than it.
    // Binds at once; the error names the address and says why. "127.0.0.1:6432", "[::1]:6432";
    // port 0 picks one. limit: connections at a time; more are closed at once.
    static Result<std::unique_ptr<Listener>> open(const std::string& address,
                                                  std::vector<boost::asio::io_context*> threads,
                                                  Service& service, std::size_t limit,
                                                  std::size_t last_from = 0);
    virtual ~Listener() = default;

    virtual void start() = 0;
    virtual std::uint16_t port() const = 0;
    virtual std::size_t connections() const = 0;

    // Takes no new connections; those there go on.
    virtual void stop() = 0;
};

}  // namespace sallyport
