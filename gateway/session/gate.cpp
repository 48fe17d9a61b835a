#include "gateway/session/gate.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "gateway/session/session_parts.h"

namespace sallyport {

using boost::asio::awaitable;
using nlohmann::json;

namespace {

std::int64_t now_ms()
{
    return std::chrono::duration_cast<std::chrono::milliseconds>(
               std::chrono::system_clock::now().time_since_epoch())
        .count();
}

// Names come from strangers and may not be UTF-8: what is not is shown as U+FFFD.
std::string text_of_json(const json& value)
{
    return value.dump(-1, ' ', false, json::error_handler_t::replace);
}

}  // namespace

Gate::Gate(SnapshotSource& snapshots, Journal& journal) : snapshots_(snapshots), journal_(journal)
{
}

ScramServer Gate::scram_for(std::string_view user, std::optional<std::string> channel_binding) const
{
    return snapshots_.current()->users->scram_for(user, std::move(channel_binding));
}

bool Gate::asks_for_token(std::string_view user) const
{
    return snapshots_.current()->users->asks_for_token(user);
}

Result<ProvedUser> Gate::prove_by_token(std::string_view user, const Secret& token) const
{
    return snapshots_.current()->users->prove_by_token(user, token);
}

Result<ProvedUser> Gate::prove_by_certificate(std::string_view user,
                                              std::string_view common_name) const
{
    return snapshots_.current()->users->prove_by_certificate(user, common_name);
}

awaitable<Result<std::unique_ptr<Session>>> Gate::admit(Presented presented)
{
    const Identity& who = presented.user.identity();
    auto snapshot = snapshots_.current();
    const auto found = snapshot->connections.find(presented.connection);
    std::string_view problem;
    if (found == snapshot->connections.end() || found->second->protocol != presented.protocol)
        problem = "no such connection";
    EffectivePolicy policy;
    if (problem.empty()) {
        policy = snapshot->policies->effective(who, presented.connection);
        if (!policy.applies())
            problem = "no policy names this user on this connection";
    }
    if (!problem.empty()) {
        record_refusal(presented.protocol, who.name, presented.connection, presented.peer, problem);
        co_return failure(Fault::refused,
                          "connection \"" + presented.connection + "\" does not exist");
    }
    CO_TRY_DONE(journal_.admits());

    auto parts = std::make_unique<Session::Parts>(Session::Parts{.journal = journal_,
                                                                 .snapshots = snapshots_,
                                                                 .snapshot = snapshot,
                                                                 .policy = std::move(policy)});
    // The constructor is private to the Gate.
    std::unique_ptr<Session> session(new Session(std::move(parts)));
    session->id_ = make_uuid_v7(std::chrono::system_clock::now());
    session->who_ = who;
    session->connection_ = found->second;

    const Target& target = found->second->target;
    const json opening = {{"actor", who.name},
                          {"groups", who.groups},
                          {"proof", who.proof},
                          {"peer", presented.peer.address},
                          {"port", presented.peer.port},
                          {"tls", presented.peer.encrypted},
                          {"connection", presented.connection},
                          {"protocol", presented.protocol},
                          {"client", presented.client},
                          {"target", target.host + ":" + std::to_string(target.port)},
                          {"database", target.database}};
    const std::string text = text_of_json(opening);
    Event event{.kind = EventKind::session_opened};
    event.protocol = found->second->protocol;
    event.policy = snapshot->policies->hash();
    event.text = text;
    event.session = session->id_;
    event.number = ++session->parts_->last_number;
    event.time_ms = now_ms();
    auto position = journal_.append(event);
    if (!position) {
        session->parts_->closed = true;  // an opening that is not recorded has no end to record
        co_return tl::unexpected(std::move(position).error());
    }
    if (found->second->durability == Durability::store)
        CO_TRY_DONE(co_await journal_.committed(*position));
    else
        CO_TRY_DONE(co_await journal_.synced(*position));
    co_return session;
}

void Gate::record_refusal(std::string_view protocol, std::string_view user,
                          std::string_view connection, const Peer& peer, std::string_view reason)
{
    const json refusal = {{"protocol", protocol}, {"user", user},      {"connection", connection},
                          {"peer", peer.address}, {"port", peer.port}, {"tls", peer.encrypted},
                          {"reason", reason}};
    const std::string text = text_of_json(refusal);
    Event event{.kind = EventKind::login_refused};
    event.time_ms = now_ms();
    event.protocol = protocol;
    event.text = text;
    (void)journal_.append(event);  // nothing is given to this client either way
}

}  // namespace sallyport
