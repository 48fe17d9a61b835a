// The TLS state of one connection: what OpenSSL keeps, the bytes that came in and the bytes that
// have to go out. It never waits; the Stream does that. Private to the edge.
//
// OpenSSL reads through this object rather than through a memory BIO, so that a large answer goes
// from the socket straight into OpenSSL's own buffer, and an idle connection keeps 4 KiB of ours
// and none of OpenSSL's 16 KiB buffers.

#pragma once

#include <boost/asio/buffer.hpp>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "gateway/edge/tls.h"
#include "gateway/vocabulary/bytes.h"
#include "gateway/vocabulary/result.h"

struct ssl_st;
struct bio_st;
struct bio_method_st;

namespace sallyport {

class TlsChannel final {
public:
    // descriptor: the connected socket, owned by the caller, who outlives this. already_read: bytes
    // of the handshake that the caller took from it. peer: for error texts.
    static Result<std::unique_ptr<TlsChannel>> accept(const ServerTls& tls, int descriptor,
                                                      Bytes already_read, std::string peer);
    static Result<std::unique_ptr<TlsChannel>> connect(const ClientTls& tls, int descriptor,
                                                       std::string peer);
    TlsChannel(const TlsChannel&) = delete;
    TlsChannel& operator=(const TlsChannel&) = delete;
    ~TlsChannel();

    // One step as far as the input goes. True: the handshake is complete; false: fill the inbox and
    // call again. Either way, and after an error too, there may be something to send.
    Result<bool> handshake();

    struct Decrypted {
        std::size_t count = 0;  // zero, and not finished: fill the inbox and call again
        bool finished = false;  // the peer has sent its last byte
        bool more = false;      // the next read() has something to tell without new input
    };
    Result<Decrypted> read(MutableBytes into);

    // Encrypts the pieces from byte `skip` on, about 64 KiB at a time; gives how many bytes it
    // took.
    Result<std::size_t> encrypt(std::span<const boost::asio::const_buffer> pieces,
                                std::size_t skip);

    // Where the next bytes of the socket go; count zero: the peer has closed. Valid until
    // received() or any other call.
    MutableBytes inbox();
    void received(std::size_t count);

    // Sends what the socket takes. True: nothing is left.
    Result<bool> send_pending();

    // Queues close_notify where the connection is still whole.
    void say_goodbye();

    // The socket is about to be closed: from here on nothing is read or sent.
    void detach();

    std::optional<std::string> channel_binding() const;
    std::optional<std::string> client_common_name() const;
    std::string alpn() const;

private:
    TlsChannel(ssl_st* ssl, int descriptor, bool server, std::string peer);

    static const bio_method_st* method();
    static int bio_read(bio_st* bio, char* into, int size);
    static int bio_write(bio_st* bio, const char* from, int size);
    static long bio_ctrl(bio_st* bio, int command, long number, void* pointer);
    int fill(char* into, int size);

    tl::unexpected<Error> failed(const char* doing, int ssl_error);

    struct Free {
        void operator()(ssl_st* ssl) const;
    };

    std::unique_ptr<ssl_st, Free> ssl_;
    int descriptor_;
    bool server_;
    std::string peer_;

    std::vector<std::byte> inbox_;
    std::size_t inbox_begin_ = 0;
    std::size_t inbox_end_ = 0;
    bool drained_ =
        false;             // the socket had less than was asked for: do not ask again before a wait
    bool ended_ = false;   // the peer has closed its side of the socket
    bool broken_ = false;  // nothing more may be written
    int receives_left_ = 0;  // before a peer that never stops sending has to let others have a turn
    int system_error_ = 0;

    std::vector<std::byte> pending_;
    std::size_t pending_sent_ = 0;
};

}  // namespace sallyport
