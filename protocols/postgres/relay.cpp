#include "protocols/postgres/relay.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <spdlog/spdlog.h>
#include <utility>

#include "protocols/postgres/refusal.h"

namespace sallyport::postgres {

namespace asio = boost::asio;
using asio::awaitable;
using namespace asio::experimental::awaitable_operators;

namespace {

constexpr std::chrono::seconds cancel_deadline{10};
constexpr std::chrono::seconds farewell_deadline{5};

awaitable<Result<void>> wait_for(asio::steady_timer& timer)
{
    boost::system::error_code ignored;
    co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
    co_return Result<void>();
}

// The target and the key are copied: the session may be gone before the cancel has been sent.
awaitable<void> send_cancel(std::shared_ptr<const Target> target, CancelKey key)
{
    const auto sent = co_await cancel_on_target(*target, key, cancel_deadline);
    if (!sent)
        spdlog::warn("event=cancel_failed target={}:{} reason=\"{}\"", target->host, target->port,
                     sent.error().detail);
}

}  // namespace

Relay::Relay(Stream& client, TargetSession& target, Session& session, Shared shared,
             std::optional<std::vector<std::string>> search_path, bool read_only)
    : client_stream_(client),
      target_stream_(target.stream),
      target_(target.stream),
      client_(client),
      session_(session),
      net_(SecondNet::of(session.masks())),
      readings_(shared.readings),
      catalogue_source_(shared.catalogue),
      derived_(shared.derived),
      disk_(shared.disk),
      cancel_key_(target.key),
      client_in_(client),
      target_in_(target.stream, target.unread),
      settled_(client.executor(), asio::steady_timer::time_point::max()),
      ended_(client.executor(), asio::steady_timer::time_point::max()),
      path_(std::move(search_path)),
      read_only_(read_only),
      masks_(session.masks()),
      replication_(target.replication),
      last_message_(std::chrono::steady_clock::now())
{
    if (const auto strings = target.parameters.find("standard_conforming_strings");
        strings != target.parameters.end())
        standard_strings_ = strings->second == "on";
    if (const auto encoding = target.parameters.find("client_encoding");
        encoding != target.parameters.end())
        utf8_ = encoding->second == "UTF8";
}

awaitable<void> Relay::run()
{
    // Named on its own line: see docs/architecture.md, "The compiler".
    auto race = from_client() || from_target() || wait_for(ended_);
    const auto outcome = co_await std::move(race);

    Error why{Fault::closed, "the client closed the connection"};
    if (end_reason_)
        why = *end_reason_;
    else
        std::visit(
            [&why](const auto& result) {
                if (!result)
                    why = result.error();
            },
            outcome);

    // A statement that is still running must not outlive the session that the gateway ends.
    if (end_reason_ && !conversation_.empty())
        cancel_statement();
    target_.close();
    // Nothing can follow half a message; a client that has left, or was told by the target itself,
    // needs no farewell.
    const bool tell = !showing_ && !client_left_ && !target_said_goodbye_;
    session_.close(why.detail);
    if (tell) {
        const std::string message = farewell(why);
        asio::steady_timer deadline(client_stream_.executor(), farewell_deadline);
        auto last = client_stream_.write(bytes_of(message)) || wait_for(deadline);
        (void)co_await std::move(last);  // it is the last message either way
    }
    client_stream_.close();
    spdlog::info("session={} event=session_closed reason=\"{}\"", to_string(session_.id()),
                 why.detail);
}

void Relay::end(Error why)
{
    if (end_reason_)
        return;
    end_reason_ = std::move(why);
    ended_.cancel();
}

void Relay::check_limits()
{
    const auto now = std::chrono::steady_clock::now();
    constexpr std::chrono::seconds recently{2};
    if (now - last_message_ < recently && catalogue_source_.ageing())
        catalogue_source_.refresh();
    const SessionLimits& limits = session_.limits();
    if (!session_.still_holds())
        end({Fault::refused, "this session's user or a group of it is no longer configured"});
    else if (limits.session && now - session_.opened_at() > *limits.session)
        end({Fault::closed, "this session has reached the longest time the policy allows"});
    else if (limits.idle && conversation_.empty() && now - last_message_ > *limits.idle)
        end({Fault::closed, "this session was idle for longer than the policy allows"});
}

void Relay::cancel()
{
    session_.record_cancel();
    cancel_statement();
}

void Relay::cancel_statement()
{
    auto target = std::make_shared<Target>();
    const Target& from = session_.connection().target;
    target->host = from.host;
    target->port = from.port;
    target->tls = from.tls;
    target->ca_file = from.ca_file;
    auto sending = send_cancel(std::move(target), cancel_key_);
    asio::co_spawn(client_stream_.executor(), std::move(sending), asio::detached);
}

}  // namespace sallyport::postgres
