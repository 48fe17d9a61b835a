#include "gateway/edge/stream.h"

#include <algorithm>
#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/deferred.hpp>
#include <cerrno>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "gateway/edge/tls_channel.h"

namespace sallyport {

namespace {

namespace asio = boost::asio;
using asio::awaitable;
using boost::system::error_code;

// Completes with the error as a value, and without a coroutine frame of its own.
constexpr auto as_values = asio::as_tuple(asio::deferred);

constexpr std::size_t most_pieces = 64;
constexpr int most_drains = 16;

error_code last_error()
{
    return {errno, boost::system::system_category()};
}

std::size_t size_of(std::span<const asio::const_buffer> pieces)
{
    std::size_t size = 0;
    for (const asio::const_buffer& piece : pieces)
        size += piece.size();
    return size;
}

// One gather write of what lies behind byte `skip`. Gives how much the system took; zero: nothing
// now.
std::size_t send_from(int descriptor, std::span<const asio::const_buffer> pieces, std::size_t skip,
                      error_code& error)
{
    std::array<iovec, most_pieces> parts;  // NOLINT(*-member-init): filled before it is read
    std::size_t count = 0;
    for (const asio::const_buffer& piece : pieces) {
        if (skip >= piece.size()) {
            skip -= piece.size();
            continue;
        }
        // iovec is shared with reading, hence the cast.
        parts[count].iov_base = const_cast<char*>(static_cast<const char*>(piece.data())) + skip;
        parts[count].iov_len = piece.size() - skip;
        skip = 0;
        if (++count == parts.size())
            break;
    }
    msghdr message{};
    message.msg_iov = parts.data();
    message.msg_iovlen = count;
    constexpr int flags = MSG_DONTWAIT | MSG_NOSIGNAL;
    for (;;) {
        // One piece is the usual case, and cheaper this way.
        const ssize_t sent = count == 1
                                 ? ::send(descriptor, parts[0].iov_base, parts[0].iov_len, flags)
                                 : ::sendmsg(descriptor, &message, flags);
        if (sent >= 0)
            return static_cast<std::size_t>(sent);
        if (errno == EINTR)
            continue;
        if (errno != EAGAIN && errno != EWOULDBLOCK)
            error = last_error();
        return 0;
    }
}

Peer peer_of(const asio::ip::tcp::socket& socket)
{
    Peer peer;
    error_code error;
    const auto endpoint = socket.remote_endpoint(error);
    if (error)
        return peer;
    asio::ip::address address = endpoint.address();
    if (address.is_v6() && address.to_v6().is_v4_mapped())
        address = asio::ip::make_address_v4(asio::ip::v4_mapped, address.to_v6());
    peer.address = address.to_string();
    peer.port = endpoint.port();
    return peer;
}

std::string name_of(const Peer& peer)
{
    return peer.address + ":" + std::to_string(peer.port);
}

}  // namespace

Stream::Stream(Socket socket) : socket_(std::move(socket)), peer_(peer_of(socket_))
{
    // Neither can fail on a connected socket; on one that the peer has reset the first read tells.
    error_code ignored;
    socket_.set_option(asio::ip::tcp::no_delay(true), ignored);
    socket_.set_option(asio::socket_base::keep_alive(true), ignored);
}

Stream::Stream(Stream&&) noexcept = default;
Stream::~Stream()
{
    close();
}

Error Stream::broken(const error_code& error) const
{
    return {Fault::closed, "connection with " + name_of(peer_) + ": " +
                               (error == asio::error::operation_aborted ? "ended by the gateway"
                                                                        : error.message())};
}

awaitable<Result<std::size_t>> Stream::read_some(MutableBytes into)
{
    if (tls_ == nullptr) {
        const auto buffer = asio::buffer(into.data(), into.size());
        const auto [error, count] = co_await socket_.async_read_some(buffer, as_values);
        if (error && error != asio::error::eof)
            co_return tl::unexpected(broken(error));
        co_return count;
    }
    for (;;) {
        auto decrypted = tls_->read(into);
        // What the peer's own messages demand in answer; what the socket does not take now goes
        // with the next write.
        (void)tls_->send_pending();
        if (!decrypted)
            co_return tl::unexpected(std::move(decrypted).error());
        if (decrypted->count > 0 || decrypted->finished)
            co_return decrypted->count;
        const MutableBytes inbox = tls_->inbox();
        const auto buffer = asio::buffer(inbox.data(), inbox.size());
        const auto [error, count] = co_await socket_.async_read_some(buffer, as_values);
        if (error && error != asio::error::eof)
            co_return tl::unexpected(broken(error));
        tls_->received(count);
    }
}

Result<std::size_t> Stream::read_now(MutableBytes into)
{
    if (tls_ != nullptr) {
        tls_->look_again();
        auto decrypted = tls_->read(into);
        (void)tls_->send_pending();  // as in read_some()
        if (!decrypted)
            return tl::unexpected(std::move(decrypted).error());
        return decrypted->count;
    }
    for (;;) {
        const ssize_t count =
            ::recv(socket_.native_handle(), into.data(), into.size(), MSG_DONTWAIT);
        if (count >= 0)
            return static_cast<std::size_t>(count);
        if (errno == EAGAIN || errno == EWOULDBLOCK)
            return 0;
        if (errno != EINTR)
            return tl::unexpected(broken(last_error()));
    }
}

Result<bool> Stream::write_now(Pieces pieces, std::size_t& done)
{
    const std::size_t size = size_of(pieces);
    if (tls_ == nullptr) {
        while (done < size) {
            error_code error;
            const std::size_t sent = send_from(socket_.native_handle(), pieces, done, error);
            if (error)
                return tl::unexpected(broken(error));
            if (sent == 0)
                return false;
            done += sent;
        }
        return true;
    }
    for (;;) {
        TRY(sent, tls_->send_pending());
        if (!sent)
            return false;
        if (done == size)
            return true;
        TRY(taken, tls_->encrypt(pieces, done));
        done += taken;
    }
}

awaitable<Result<void>> Stream::write(const std::vector<asio::const_buffer>& pieces,
                                      std::size_t done)
{
    for (;;) {
        CO_TRY(sent, write_now(pieces, done));
        if (sent)
            co_return Result<void>();
        const auto [error] = co_await socket_.async_wait(Socket::wait_write, as_values);
        if (error)
            co_return tl::unexpected(broken(error));
    }
}

awaitable<Result<void>> Stream::write(Bytes bytes)
{
    const asio::const_buffer piece(bytes.data(), bytes.size());
    std::size_t done = 0;
    for (;;) {
        CO_TRY(sent, write_now({&piece, 1}, done));
        if (sent)
            co_return Result<void>();
        const auto [error] = co_await socket_.async_wait(Socket::wait_write, as_values);
        if (error)
            co_return tl::unexpected(broken(error));
    }
}

awaitable<Result<bool>> Stream::peek(MutableBytes into, std::size_t& count)
{
    const auto buffer = asio::buffer(into.data(), into.size());
    const auto [error, seen] =
        co_await socket_.async_receive(buffer, Socket::message_peek, as_values);
    count = seen;
    if (error && error != asio::error::eof)
        co_return tl::unexpected(broken(error));
    co_return seen > 0;
}

awaitable<Result<void>> Stream::accept_tls(const ServerTls& tls, Bytes already_read)
{
    CO_TRY(channel, TlsChannel::accept(tls, socket_.native_handle(), already_read, name_of(peer_)));
    tls_ = std::move(channel);
    CO_TRY_DONE(co_await shake_hands());
    co_return Result<void>();
}

awaitable<Result<void>> Stream::connect_tls(const ClientTls& tls)
{
    CO_TRY(channel, TlsChannel::connect(tls, socket_.native_handle(), name_of(peer_)));
    tls_ = std::move(channel);
    CO_TRY_DONE(co_await shake_hands());
    co_return Result<void>();
}

awaitable<Result<void>> Stream::shake_hands()
{
    for (;;) {
        auto complete = tls_->handshake();
        if (!complete) {
            (void)
                tls_->send_pending();  // the alert that tells the peer why, where it still listens
            co_return tl::unexpected(std::move(complete).error());
        }
        CO_TRY_DONE(co_await write(Bytes()));
        if (*complete)
            break;
        const MutableBytes inbox = tls_->inbox();
        const auto buffer = asio::buffer(inbox.data(), inbox.size());
        const auto [error, count] = co_await socket_.async_read_some(buffer, as_values);
        if (error && error != asio::error::eof)
            co_return tl::unexpected(broken(error));
        tls_->received(count);
    }
    peer_.encrypted = true;
    co_return Result<void>();
}

bool Stream::encrypted() const
{
    return peer_.encrypted;
}

std::optional<std::string> Stream::channel_binding() const
{
    return encrypted() ? tls_->channel_binding() : std::nullopt;
}

std::optional<std::string> Stream::client_common_name() const
{
    return encrypted() ? tls_->client_common_name() : std::nullopt;
}

std::string Stream::alpn() const
{
    return encrypted() ? tls_->alpn() : std::string();
}

Peer Stream::peer() const
{
    return peer_;
}

void Stream::close()
{
    if (!socket_.is_open())
        return;
    if (tls_ != nullptr) {
        tls_->say_goodbye();
        (void)tls_->send_pending();  // a peer that takes nothing gets no goodbye
        tls_->detach();
    }
    error_code ignored;
    socket_.shutdown(Socket::shutdown_send, ignored);
    // Closing over bytes that nobody read makes the system reset the connection, which takes away
    // from the peer what it was just told.
    std::array<std::byte, 4096> rest;  // NOLINT(*-member-init): written before it is read
    for (int i = 0; i < most_drains; ++i) {
        if (::recv(socket_.native_handle(), rest.data(), rest.size(), MSG_DONTWAIT) <= 0)
            break;
    }
    socket_.close(ignored);
}

asio::any_io_executor Stream::executor()
{
    return socket_.get_executor();
}

}  // namespace sallyport
