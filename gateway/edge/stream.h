// A connection to a client or a target: a TCP socket, with TLS once asked for.
//
// One concrete class, so that protocol code is compiled once and needs no templates. Closing it
// ends every wait on it. Used from one thread, that of the socket's context. One reader and one
// writer at a time.

#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "gateway/edge/tls.h"
#include "gateway/vocabulary/bytes.h"
#include "gateway/vocabulary/identity.h"
#include "gateway/vocabulary/result.h"

namespace sallyport {

class Stream {
public:
    // Takes the socket out of Asio's hands. On a broken one every read and write fails.
    explicit Stream(boost::asio::ip::tcp::socket socket);
    Stream(Stream&&) noexcept;
    Stream& operator=(Stream&&) = delete;
    ~Stream();

    // Reads at least one byte; zero means the peer has finished. Fault::closed on a broken
    // connection. `into` is not empty and stays valid until this completes.
    boost::asio::awaitable<Result<std::size_t>> read_some(MutableBytes into);

    // What has come, without waiting: nothing, where there is nothing yet; zero, where the peer has
    // finished. As read_some() else.
    Result<std::optional<std::size_t>> read_now(MutableBytes into);

    // Calls `turn` now and whenever something has come, as a plain call from the thread's loop,
    // until it gives false; then this completes. A turn reads with read_now(), once; other
    // connections have theirs between its turns. What it throws is thrown here. Fault::closed where
    // the wait was cancelled or the stream closed.
    boost::asio::awaitable<Result<void>> while_readable(const std::function<bool()>& turn);

    // Writes every piece from byte `done` on, in order, as one gather write where the system can.
    // One write at a time. Reads may go on meanwhile.
    boost::asio::awaitable<Result<void>> write(const std::vector<boost::asio::const_buffer>& pieces,
                                               std::size_t done = 0);
    boost::asio::awaitable<Result<void>> write(Bytes bytes);

    // What goes at once, without a coroutine: counts it in `done`. False: the rest is for write(),
    // with the same pieces and `done`, before anything else is written.
    Result<bool> write_now(std::span<const boost::asio::const_buffer> pieces, std::size_t& done);

    // Completes when at least one byte can be read, which it leaves unread; for TLS detection.
    // Plain streams only. False: the peer has finished.
    boost::asio::awaitable<Result<bool>> peek(MutableBytes into, std::size_t& count);

    // Both sides of a TLS handshake. `already_read` are bytes that the caller took from the socket
    // and that belong to the handshake; everything else that is buffered stays with TLS. After
    // success every read and write is TLS. Bounded by the caller's deadline.
    boost::asio::awaitable<Result<void>> accept_tls(const ServerTls& tls, Bytes already_read = {});
    boost::asio::awaitable<Result<void>> connect_tls(const ClientTls& tls);

    bool encrypted() const;

    // tls-server-end-point (RFC 5929) of the certificate the server side of this connection
    // showed; nothing on a plain connection.
    std::optional<std::string> channel_binding() const;

    // The protocol that both sides of the handshake agreed on (ALPN); empty where none was offered.
    std::string alpn() const;

    // The common name of the client certificate that the handshake verified; nothing without one.
    std::optional<std::string> client_common_name() const;

    // As it was when the connection was made; still there after close().
    Peer peer() const;

    // Orderly where the peer is still there: sends TLS's close_notify if it can without waiting.
    // May be called again.
    void close();

    boost::asio::any_io_executor executor();

private:
    using Pieces = std::span<const boost::asio::const_buffer>;
    struct Connection;

    boost::asio::awaitable<Result<void>> shake_hands();
    // Waits on the turn's timer until the flag, which events set, says so.
    boost::asio::awaitable<Result<void>> until(bool& possible, boost::asio::steady_timer& turn);
    boost::asio::awaitable<Result<void>> readable();
    boost::asio::awaitable<Result<void>> writable();

    std::unique_ptr<Connection> connection_;
};

// Connects to the first address of the host that answers. Fault::unavailable, with host and port,
// where none does before the deadline.
boost::asio::awaitable<Result<Stream>> connect_to(std::string host, std::uint16_t port,
                                                  std::chrono::milliseconds deadline);

}  // namespace sallyport
