#include "protocols/postgres/target_login.h"

#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <optional>
#include <utility>

#include "gateway/edge/raceable.h"
#include "protocols/postgres/target_authentication.h"

namespace sallyport::postgres {

namespace {

namespace asio = boost::asio;
using asio::awaitable;
using namespace asio::experimental::awaitable_operators;

constexpr std::uint32_t ssl_request = (1234U << 16) | 5679U;
constexpr std::uint32_t cancel_request = (1234U << 16) | 5678U;

// Where gateway and target would read different texts, nothing the gateway decides holds.
Result<void> check_reading(const Target& target, const TargetSession& session)
{
    for (const auto& [name, wanted] :
         {std::pair("client_encoding", "UTF8"), std::pair("standard_conforming_strings", "on")}) {
        const auto found = session.parameters.find(name);
        if (found != session.parameters.end() && found->second != wanted)
            return failure(Fault::unavailable, name_of(target) + " insists on " + name + "=" +
                                                   printable(found->second) +
                                                   "; the gateway needs " + wanted);
    }
    return {};
}

// A connection to the target, with TLS where its configuration wants it.
awaitable<Result<Stream>> connect(const Target& target, std::chrono::milliseconds deadline)
{
    std::optional<ClientTls> tls;
    if (target.tls != TargetTls::disable) {
        ClientTls::Wish wish;
        wish.verify_chain =
            target.tls == TargetTls::verify_ca || target.tls == TargetTls::verify_full;
        wish.verify_host = target.tls == TargetTls::verify_full;
        wish.host = target.host;
        wish.ca_file = target.ca_file;
        wish.certificate_file = target.certificate_file;
        wish.key_file = target.key_file;
        CO_TRY(loaded, ClientTls::load(wish));
        tls.emplace(std::move(loaded));
    }
    CO_TRY(stream, co_await connect_to(target.host, target.port, deadline));
    if (!tls)
        co_return std::move(stream);

    const std::string request = untyped_packet(four_bytes(ssl_request));
    CO_TRY_DONE(co_await stream.write(bytes_of(request)));
    // Room for more than the one byte: what comes behind it was sent by somebody who could not wait
    // for TLS, and must not be taken for the target's (CVE-2021-23222).
    std::array<std::byte, 64> reply{};
    CO_TRY(count, co_await stream.read_some(reply));
    if (count == 0)
        co_return failure(Fault::unavailable,
                          name_of(target) + " ended the connection when asked for TLS");
    const char said = std::to_integer<char>(reply[0]);
    if (said == 'N')
        co_return failure(Fault::unavailable,
                          name_of(target) +
                              " does not offer TLS: turn it on there, or set tls: disable on the "
                              "connection if its network is trusted");
    if (said != 'S')
        co_return failure(Fault::unavailable, name_of(target) + " answered the wish for TLS with " +
                                                  (said == 'E' ? "an error" : "something else"));
    if (count > 1)
        co_return failure(Fault::unavailable,
                          name_of(target) +
                              " sent unencrypted data behind its answer to the wish "
                              "for TLS");
    auto encrypted = co_await stream.connect_tls(*tls);
    if (!encrypted)
        co_return failure(Fault::unavailable,
                          name_of(target) + ": " + printable(encrypted.error().detail));
    co_return std::move(stream);
}

awaitable<Result<TargetSession>> log_in(const Target& target,
                                        const std::map<std::string, std::string>& startup,
                                        std::chrono::milliseconds deadline)
{
    CO_TRY(stream, co_await connect(target, deadline));
    TargetSession session{.stream = std::move(stream),
                          .parameters = {},
                          .key = {},
                          .unread = {},
                          .replication = startup.contains("replication")};
    TargetAuthentication login(target, session.stream);
    CO_TRY_DONE(co_await login.authenticate(startup));
    CO_TRY_DONE(co_await login.read_until_ready(session));
    CO_TRY_DONE(check_reading(target, session));
    co_return std::move(session);
}

awaitable<Result<void>> send_cancel(const Target& target, const CancelKey& key,
                                    std::chrono::milliseconds deadline)
{
    CO_TRY(stream, co_await connect(target, deadline));
    const std::string packet =
        untyped_packet(four_bytes(cancel_request) + four_bytes(key.process) + key.secret);
    CO_TRY_DONE(co_await stream.write(bytes_of(packet)));
    // The server closes once the signal is sent. What it says, or how it closes, does not matter.
    std::array<std::byte, 64> ignored{};
    (void)co_await stream.read_some(ignored);
    co_return Result<void>();
}

awaitable<void> wait_for(std::chrono::milliseconds duration)
{
    asio::steady_timer timer(co_await asio::this_coro::executor, duration);
    (void)co_await timer.async_wait(asio::as_tuple(asio::use_awaitable));
}

tl::unexpected<Error> too_late(const Target& target, std::string_view what,
                               std::chrono::milliseconds deadline)
{
    return failure(Fault::unavailable, name_of(target) + " did not finish the " +
                                           std::string(what) + " within " +
                                           std::to_string(deadline.count()) + " ms");
}

}  // namespace

awaitable<Result<TargetSession>> log_in_to_target(const Target& target,
                                                  const std::map<std::string, std::string>& startup,
                                                  std::chrono::milliseconds deadline)
{
    auto race = raceable(log_in(target, startup, deadline)) || wait_for(deadline);
    auto winner = co_await std::move(race);
    if (winner.index() != 0)
        co_return too_late(target, "login", deadline);
    co_return std::move(*std::get<0>(winner));
}

awaitable<Result<void>> cancel_on_target(const Target& target, const CancelKey& key,
                                         std::chrono::milliseconds deadline)
{
    if (key.secret.empty())
        co_return failure(Fault::unavailable,
                          name_of(target) + " gave no key to cancel this session with");
    auto race = raceable(send_cancel(target, key, deadline)) || wait_for(deadline);
    auto winner = co_await std::move(race);
    if (winner.index() != 0)
        co_return too_late(target, "cancel request", deadline);
    co_return std::move(*std::get<0>(winner));
}

}  // namespace sallyport::postgres
