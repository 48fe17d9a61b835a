#include "gateway/edge/stream.h"

#include <algorithm>
#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <cerrno>
#include <exception>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>
#include <utility>

#include "gateway/edge/readiness.h"
#include "gateway/edge/tls_channel.h"

namespace sallyport {

namespace {

namespace asio = boost::asio;
using asio::awaitable;
using asio::ip::tcp;
using boost::system::error_code;

// Completes with the error as a value, and without a coroutine frame of its own.
constexpr auto as_values = asio::as_tuple(asio::deferred);

constexpr std::size_t most_pieces = 64;
constexpr int most_drains = 16;
// Turns in a row of a connection that always has more, before others have theirs.
constexpr int most_turns = 16;

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

Peer peer_of(const tcp::socket& socket)
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

// What a Stream is, at an address that stays.
struct Stream::Connection final : Readiness::Watched {
    explicit Connection(tcp::socket socket);
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;
    ~Connection() override { close(); }

    void on_ready(std::uint32_t events) noexcept override;
    void take_turns() noexcept;
    std::optional<std::size_t> receive(MutableBytes into, int flags, error_code& error);
    Result<std::optional<std::size_t>> read_encrypted(MutableBytes into);
    Error broken(const error_code& error) const;
    void close();

    Peer peer;
    asio::any_io_executor executor;
    Readiness& readiness;
    int descriptor = -1;
    error_code gone = asio::error::operation_aborted;  // why there is no descriptor
    std::unique_ptr<TlsChannel> tls;

    // What the last event and the last attempt told. Where it says no, the next event will tell
    // when that has changed.
    bool can_read = true;
    bool can_write = true;
    bool hung_up = false;  // the peer has finished, and no event will say so again

    asio::steady_timer read_turn;  // never expire: cancelled when there may be something
    asio::steady_timer write_turn;
    const std::function<bool()>* turn = nullptr;  // of while_readable()
    std::exception_ptr thrown;                    // by the turn
};

Stream::Connection::Connection(tcp::socket socket)
    : peer(peer_of(socket)),
      executor(socket.get_executor()),
      readiness(Readiness::of(executor)),
      read_turn(executor, asio::steady_timer::time_point::max()),
      write_turn(executor, asio::steady_timer::time_point::max())
{
    // Neither can fail on a connected socket; on one that the peer has reset the first read tells.
    error_code error;
    socket.set_option(tcp::no_delay(true), error);
    socket.set_option(asio::socket_base::keep_alive(true), error);
    descriptor = socket.release(error);
    if (!error)
        error = readiness.watch(descriptor, *this);
    if (error) {
        ::close(descriptor);
        descriptor = -1;
        gone = error;
    }
}

Error Stream::Connection::broken(const error_code& error) const
{
    return {Fault::closed, "connection with " + name_of(peer) + ": " +
                               (error == asio::error::operation_aborted ? "ended by the gateway"
                                                                        : error.message())};
}

void Stream::Connection::on_ready(std::uint32_t events) noexcept
{
    if ((events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0)
        hung_up = true;
    if ((events & EPOLLIN) != 0 || hung_up)
        can_read = true;
    if (!can_write && (events & (EPOLLOUT | EPOLLHUP | EPOLLERR)) != 0) {
        can_write = true;
        write_turn.cancel();
    }
    if (!can_read)
        return;
    if (turn != nullptr)
        take_turns();
    else
        read_turn.cancel();
}

void Stream::Connection::take_turns() noexcept
{
    try {
        for (int i = 0; i < most_turns; ++i) {
            if (!can_read || descriptor < 0)
                return;
            if (!(*turn)()) {
                turn = nullptr;
                read_turn.cancel();
                return;
            }
        }
        readiness.once_more(*this);
    } catch (...) {
        thrown = std::current_exception();
        turn = nullptr;
        read_turn.cancel();
    }
}

// Nothing: nothing has come, or an error.
std::optional<std::size_t> Stream::Connection::receive(MutableBytes into, int flags,
                                                       error_code& error)
{
    for (;;) {
        const ssize_t count = ::recv(descriptor, into.data(), into.size(), MSG_DONTWAIT | flags);
        if (count >= 0) {
            const auto size = static_cast<std::size_t>(count);
            // Less than was asked for: no more is there, and more will be an event (epoll(7)).
            // The peer's end is an event of its own, unless it is behind us already.
            if (size < into.size() && size > 0 && flags == 0)
                can_read = hung_up;
            return size;
        }
        if (errno == EINTR)
            continue;
        can_read = false;
        if (errno != EAGAIN && errno != EWOULDBLOCK)
            error = last_error();
        return std::nullopt;
    }
}

void Stream::Connection::close()
{
    if (descriptor < 0)
        return;
    if (tls != nullptr) {
        tls->say_goodbye();
        (void)tls->send_pending();  // a peer that takes nothing gets no goodbye
        tls->detach();
    }
    ::shutdown(descriptor, SHUT_WR);
    // Closing over bytes that nobody read makes the system reset the connection, which takes away
    // from the peer what it was just told.
    std::array<std::byte, 4096> rest;  // NOLINT(*-member-init): written before it is read
    for (int i = 0; i < most_drains; ++i) {
        if (::recv(descriptor, rest.data(), rest.size(), MSG_DONTWAIT) <= 0)
            break;
    }
    readiness.forget(descriptor, *this);
    ::close(descriptor);
    descriptor = -1;
    read_turn.cancel();
    write_turn.cancel();
}

Stream::Stream(tcp::socket socket) : connection_(std::make_unique<Connection>(std::move(socket))) {}

Stream::Stream(Stream&&) noexcept = default;
Stream::~Stream() = default;

awaitable<Result<void>> Stream::until(bool& possible, asio::steady_timer& turn)
{
    Connection& here = *connection_;
    while (!possible && here.descriptor >= 0) {
        const Readiness::Waiter waiter(here.readiness);
        (void)co_await turn.async_wait(as_values);
        const auto state = co_await asio::this_coro::cancellation_state;
        if (state.cancelled() != asio::cancellation_type::none)
            co_return tl::unexpected(here.broken(asio::error::operation_aborted));
    }
    if (here.descriptor < 0)
        co_return tl::unexpected(here.broken(here.gone));
    co_return Result<void>();
}

awaitable<Result<void>> Stream::readable()
{
    return until(connection_->can_read, connection_->read_turn);
}

awaitable<Result<void>> Stream::writable()
{
    return until(connection_->can_write, connection_->write_turn);
}

Result<std::optional<std::size_t>> Stream::read_now(MutableBytes into)
{
    Connection& here = *connection_;
    if (here.descriptor < 0)
        return tl::unexpected(here.broken(here.gone));
    if (here.tls != nullptr)
        return here.read_encrypted(into);
    if (!here.can_read)
        return std::nullopt;
    error_code error;
    const auto count = here.receive(into, 0, error);
    if (error)
        return tl::unexpected(here.broken(error));
    return count;
}

Result<std::optional<std::size_t>> Stream::Connection::read_encrypted(MutableBytes into)
{
    for (;;) {
        auto decrypted = tls->read(into);
        // What the peer's own messages demand in answer; what the socket does not take now goes
        // with the next write.
        (void)tls->send_pending();
        if (!decrypted)
            return tl::unexpected(std::move(decrypted).error());
        // The socket may be empty, and what it gave not yet told.
        can_read = can_read || decrypted->more;
        if (decrypted->count > 0 || decrypted->finished)
            return decrypted->count;
        if (!can_read)
            return std::nullopt;
        error_code error;
        const auto count = receive(tls->inbox(), 0, error);
        if (error)
            return tl::unexpected(broken(error));
        if (!count)
            return std::nullopt;
        tls->received(*count);
    }
}

awaitable<Result<std::size_t>> Stream::read_some(MutableBytes into)
{
    for (;;) {
        CO_TRY(count, read_now(into));
        if (count)
            co_return *count;
        CO_TRY_DONE(co_await readable());
    }
}

awaitable<Result<void>> Stream::while_readable(const std::function<bool()>& turn)
{
    Connection& here = *connection_;
    const Readiness::Waiter waiter(here.readiness);
    here.turn = &turn;
    here.take_turns();
    while (here.turn != nullptr) {
        if (here.descriptor >= 0)
            (void)co_await here.read_turn.async_wait(as_values);
        const auto state = co_await asio::this_coro::cancellation_state;
        if (state.cancelled() != asio::cancellation_type::none || here.descriptor < 0) {
            here.turn = nullptr;
            co_return tl::unexpected(here.broken(asio::error::operation_aborted));
        }
    }
    if (here.thrown)
        std::rethrow_exception(std::exchange(here.thrown, nullptr));
    co_return Result<void>();
}

Result<bool> Stream::write_now(Pieces pieces, std::size_t& done)
{
    Connection& here = *connection_;
    if (here.descriptor < 0)
        return tl::unexpected(here.broken(here.gone));
    const std::size_t size = size_of(pieces);
    if (here.tls == nullptr) {
        while (done < size) {
            error_code error;
            const std::size_t sent = send_from(here.descriptor, pieces, done, error);
            if (error)
                return tl::unexpected(here.broken(error));
            if (sent == 0) {
                here.can_write = false;
                return false;
            }
            done += sent;
        }
        return true;
    }
    for (;;) {
        TRY(sent, here.tls->send_pending());
        if (!sent) {
            here.can_write = false;
            return false;
        }
        if (done == size)
            return true;
        TRY(taken, here.tls->encrypt(pieces, done));
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
        CO_TRY_DONE(co_await writable());
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
        CO_TRY_DONE(co_await writable());
    }
}

awaitable<Result<bool>> Stream::peek(MutableBytes into, std::size_t& count)
{
    Connection& here = *connection_;
    for (;;) {
        CO_TRY_DONE(co_await readable());
        error_code error;
        const auto seen = here.receive(into, MSG_PEEK, error);
        if (error)
            co_return tl::unexpected(here.broken(error));
        if (!seen)
            continue;
        count = *seen;
        co_return count > 0;
    }
}

awaitable<Result<void>> Stream::accept_tls(const ServerTls& tls, Bytes already_read)
{
    CO_TRY(channel, TlsChannel::accept(tls, connection_->descriptor, already_read,
                                       name_of(connection_->peer)));
    connection_->tls = std::move(channel);
    CO_TRY_DONE(co_await shake_hands());
    co_return Result<void>();
}

awaitable<Result<void>> Stream::connect_tls(const ClientTls& tls)
{
    CO_TRY(channel, TlsChannel::connect(tls, connection_->descriptor, name_of(connection_->peer)));
    connection_->tls = std::move(channel);
    CO_TRY_DONE(co_await shake_hands());
    co_return Result<void>();
}

awaitable<Result<void>> Stream::shake_hands()
{
    Connection& here = *connection_;
    for (;;) {
        auto complete = here.tls->handshake();
        if (!complete) {
            // the alert that tells the peer why, where it still listens
            (void)here.tls->send_pending();
            co_return tl::unexpected(std::move(complete).error());
        }
        CO_TRY_DONE(co_await write(Bytes()));
        if (*complete)
            break;
        std::optional<std::size_t> count;
        while (!count) {
            CO_TRY_DONE(co_await readable());
            error_code error;
            count = here.receive(here.tls->inbox(), 0, error);
            if (error)
                co_return tl::unexpected(here.broken(error));
        }
        here.tls->received(*count);
    }
    here.peer.encrypted = true;
    here.can_read = true;  // what came with the peer's last message of the handshake
    co_return Result<void>();
}

bool Stream::encrypted() const
{
    return connection_->peer.encrypted;
}

std::optional<std::string> Stream::channel_binding() const
{
    return encrypted() ? connection_->tls->channel_binding() : std::nullopt;
}

std::optional<std::string> Stream::client_common_name() const
{
    return encrypted() ? connection_->tls->client_common_name() : std::nullopt;
}

std::string Stream::alpn() const
{
    return encrypted() ? connection_->tls->alpn() : std::string();
}

Peer Stream::peer() const
{
    return connection_->peer;
}

void Stream::close()
{
    connection_->close();
}

asio::any_io_executor Stream::executor()
{
    return connection_->executor;
}

}  // namespace sallyport
