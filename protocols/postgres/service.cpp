#include "protocols/postgres/service.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <filesystem>
#include <spdlog/spdlog.h>
#include <utility>

#include "protocols/postgres/message.h"
#include "protocols/postgres/relay.h"
#include "protocols/postgres/search_path.h"
#include "protocols/postgres/state_paths.h"
#include "protocols/postgres/statement.h"
#include "protocols/postgres/target_login.h"

namespace sallyport::postgres {

namespace asio = boost::asio;
using asio::awaitable;

namespace {

constexpr std::chrono::seconds target_deadline{15};
constexpr std::chrono::seconds watch_interval{1};

// AuthenticationOk, the target's parameters, a cancel key of our own and ReadyForQuery.
std::string welcome(const TargetSession& target, const CancelKeys::Held& key)
{
    std::string messages;
    MessageWriter(messages).begin('R').u32(0).end();
    for (const auto& [name, value] : target.parameters)
        MessageWriter(messages).begin('S').text(name).text(value).end();
    MessageWriter(messages).begin('K').u32(key.process()).bytes(bytes_of(key.secret())).end();
    MessageWriter(messages).begin('Z').u8('I').end();
    return messages;
}

}  // namespace

PostgresService::Here::Here(asio::any_io_executor its_executor) : executor(std::move(its_executor))
{
}

PostgresService::PostgresService(Gate& gate, LoginSettings login, std::string state_dir)
    : gate_(gate), login_(std::move(login)), state_dir_(std::move(state_dir))
{
}

PostgresService::~PostgresService() = default;

PostgresService::Here& PostgresService::here(const asio::any_io_executor& executor)
{
    const std::lock_guard lock(mutex_);
    auto& here = threads_[std::this_thread::get_id()];
    if (!here) {
        here = std::make_unique<Here>(executor);
        asio::co_spawn(executor, watch(*here), asio::detached);
    }
    return *here;
}

Result<PostgresService::Connected*> PostgresService::connected(
    Here& here, const std::shared_ptr<const Connection>& connection)
{
    const auto found = here.connected.find(connection.get());
    if (found != here.connected.end())
        return &found->second;
    // Connections of configurations that were replaced, once their last session has gone.
    std::erase_if(here.connected,
                  [](const auto& entry) { return entry.second.connection.use_count() == 1; });
    const std::string derived_columns = derived_file(state_dir_, connection->target);
    Everywhere shared;
    {
        const std::lock_guard lock(mutex_);
        Everywhere& everywhere = everywhere_[derived_columns];
        if (!everywhere.changes)
            everywhere.changes = std::make_shared<CatalogueChanges>();
        if (!everywhere.derived) {
            std::error_code failed;
            const std::string folder = state_folder(state_dir_);
            std::filesystem::create_directories(folder, failed);
            if (failed)
                return failure(Fault::unavailable, folder + ": " + failed.message());
            TRY(derived, DerivedColumns::open(derived_columns));
            everywhere.derived = std::move(derived);
        }
        shared = everywhere;
    }
    // All made before the entry: one that is only half there would be found next time.
    auto readings =
        std::make_unique<SqlReadings>(connection->trusted_functions, connection->target.user);
    auto catalogue =
        std::make_unique<CatalogueSource>(connection, std::move(shared.changes), shared.derived,
                                          catalogue_file(state_dir_, connection->name));
    Connected& made = here.connected[connection.get()];
    made = {connection, std::move(readings), std::move(catalogue), std::move(shared.derived)};
    return &made;
}

awaitable<void> PostgresService::watch(Here& here)
{
    asio::steady_timer timer(here.executor);
    for (;;) {
        timer.expires_after(watch_interval);
        boost::system::error_code stopped;
        co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, stopped));
        if (stopped)
            co_return;
        for (Relay* relay : here.relays)
            relay->check_limits();
    }
}

awaitable<void> PostgresService::serve(Stream client)
{
    auto login = co_await log_in_client(client, gate_, login_);
    if (!login) {
        const Error& end = login.error();
        spdlog::info("peer={} event=login_ended {}reason={}", client.peer().address,
                     end.context.empty() ? "" : end.context + " ", in_quotes(end.detail));
        client.close();
        co_return;
    }
    if (const auto* cancel = std::get_if<CancelRequest>(&*login)) {
        if (!cancel_keys_.cancel(*cancel))
            spdlog::warn("peer={} event=cancel_refused reason=\"no session has this key\"",
                         client.peer().address);
        client.close();
        co_return;
    }
    co_await run_session(client, std::move(std::get<LoggedIn>(*login)));
}

awaitable<void> PostgresService::run_session(Stream& client, LoggedIn login)
{
    Session& session = *login.session;
    const std::string id = to_string(session.id());
    spdlog::info("session={} event=session_opened user={} connection={} peer={}", id,
                 session.who().name, session.connection().name, client.peer().address);
    std::map<std::string, std::string> startup = std::move(login.parameters);
    // Lets the target's own log be held against the gateway's.
    startup.try_emplace("application_name", "sallyport/" + id);
    // A second lock on the door: the target itself refuses to write.
    const bool read_only = !startup.contains("replication") &&
                           session.permits_only(sql_vocabulary(), reading_classes());
    if (read_only)
        startup["default_transaction_read_only"] = "on";
    std::optional<std::vector<std::string>> search_path;
    if (const auto asked = startup.find("search_path"); asked != startup.end())
        search_path = read_search_path(asked->second);

    Here& place = here(client.executor());
    auto connected_here = connected(place, session.shared_connection());
    if (!connected_here) {
        spdlog::error("session={} event=session_refused reason=\"{}\"", id,
                      connected_here.error().detail);
        const std::string message = error_message(
            "FATAL", "58000", "the gateway cannot read what it has to know about masked values",
            "session " + id);
        session.close(connected_here.error().detail);
        (void)co_await client.write(bytes_of(message));  // the connection ends either way
        client.close();
        co_return;
    }
    Connected& shared = **connected_here;
    auto target = co_await log_in_to_target(session.connection().target, startup, target_deadline);
    if (!target) {
        spdlog::warn("session={} event=target_refused reason=\"{}\"", id, target.error().detail);
        const std::string message =
            error_message("FATAL", "08001", target.error().detail, "session " + id);
        session.close(target.error().detail);
        (void)co_await client.write(bytes_of(message));  // the connection ends either way
        client.close();
        co_return;
    }

    Relay relay(client, *target, session,
                {*shared.readings, *shared.catalogue, *shared.derived, disk_},
                std::move(search_path), read_only);
    const auto executor = client.executor();
    // Runs on the thread that read the CancelRequest; the session may end meanwhile, so it is
    // looked for among those of its own thread.
    const auto cancel = [executor, &place, wanted = &relay] {
        asio::post(executor, [&place, wanted] {
            for (Relay* live : place.relays)
                if (live == wanted)
                    live->cancel();
        });
    };
    const auto key = cancel_keys_.hold(cancel);
    const std::string greeting = welcome(*target, *key);
    const auto greeted = co_await client.write(bytes_of(greeting));
    if (!greeted) {
        session.close("the client closed the connection");
        target->stream.close();
        co_return;
    }
    place.relays.push_back(&relay);
    const auto self = std::prev(place.relays.end());
    co_await relay.run();
    place.relays.erase(self);
}

void PostgresService::end_sessions(const std::string& why)
{
    const std::lock_guard lock(mutex_);
    for (const auto& [thread, here] : threads_) {
        Here& there = *here;
        asio::post(there.executor, [&there, why] {
            for (Relay* relay : there.relays)
                relay->end({Fault::closed, why});
        });
    }
}

}  // namespace sallyport::postgres
