#include "gateway/program/running_gateway.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <spdlog/spdlog.h>
#include <sys/stat.h>
#include <utility>

#include "gateway/config/state_keys.h"
#include "gateway/edge/own_ca.h"
#include "gateway/program/make_snapshot.h"

namespace sallyport {

namespace {

constexpr std::string_view version = "0.1.0";
constexpr std::chrono::seconds store_deadline{90};
constexpr std::chrono::seconds backlog_deadline{60};
constexpr std::chrono::seconds farewell{3};
constexpr std::chrono::seconds last_shipment{10};

using Clock = std::chrono::steady_clock;

std::string json_text(const nlohmann::json& value)
{
    return value.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

// With fewer connections on each thread one core is left to the journal, the shipper and an
// embedded store; with more, what all cores together get done counts for more
// (docs/performance.md).
constexpr std::size_t few_connections = 16;

std::vector<std::string> listen_hosts(const GatewaySettings& settings)
{
    std::vector<std::string> hosts;
    if (const auto colon = settings.listen_postgres.rfind(':'); colon != std::string::npos)
        hosts.push_back(settings.listen_postgres.substr(0, colon));
    return hosts;
}

}  // namespace

Result<std::unique_ptr<RunningGateway>> RunningGateway::start(
    const std::string& config_file, Configuration configuration,
    std::span<const ProtocolWords> protocols)
{
    std::unique_ptr<RunningGateway> gateway(new RunningGateway(config_file, protocols));
    TRY_DONE(gateway->prepare(std::move(configuration)));
    return gateway;
}

Result<std::shared_ptr<const Snapshot>> RunningGateway::snapshot_of(
    const Configuration& configuration) const
{
    const std::filesystem::path state(state_dir_);
    TRY(mask_key, load_or_make_key(state / "mask.key"));
    TRY(decoy_key, load_or_make_key(state / "decoy.key"));
    return std::make_shared<const Snapshot>(
        make_snapshot(configuration, std::move(mask_key), std::move(decoy_key)));
}

Result<void> RunningGateway::prepare(Configuration configuration)
{
    state_dir_ = configuration.gateway.state_dir;
    store_choice_ = configuration.store.embedded ? "embedded" : "dsn";
    std::error_code failed;
    std::filesystem::create_directories(state_dir_, failed);
    if (failed)
        return failure(Fault::unavailable,
                       "state_dir " + state_dir_ + " cannot be made: " + failed.message());
    TRY(snapshot, snapshot_of(configuration));
    snapshots_ = std::make_unique<SnapshotSource>(snapshot);

    const unsigned wanted = configuration.gateway.threads != 0
                                ? configuration.gateway.threads
                                : std::thread::hardware_concurrency();
    for (unsigned i = 0; i < std::max(1U, wanted); ++i)
        threads_.push_back(std::make_unique<Thread>());

    const std::string journal_directory = state_dir_ + "/journal";
    JournalSettings journal;
    journal.backlog_limit_bytes = configuration.audit.journal_limit;
    journal.backlog_limit_age = configuration.audit.journal_age;
    TRY(opened, JournalFile::open(journal_directory, journal));
    journal_ = std::move(opened);

    Secret dsn = configuration.store.dsn.duplicate();
    if (configuration.store.embedded) {
        TRY(embedded, EmbeddedStore::start(state_dir_, Clock::now() + store_deadline));
        embedded_ = std::move(embedded);
        dsn = Secret(embedded_->dsn());
    }
    ShipperSettings shipping;
    shipping.gateway = configuration.gateway.name;
    shipping.version = version;
    shipping.journal_directory = journal_directory;
    shipper_ = std::make_unique<Shipper>(*journal_, std::move(dsn), std::move(shipping));
    TRY_DONE(shipper_->ship_backlog(Clock::now() + backlog_deadline));
    shipper_->start();

    record(EventKind::gateway_started,
           json_text({{"version", version}, {"configuration", configuration.hash}}));
    return listen(configuration.gateway);
}

Result<void> RunningGateway::listen(const GatewaySettings& settings)
{
    TRY(own, own_certificates(state_dir_, listen_hosts(settings)));
    const bool given = !settings.tls_certificate.empty();
    TRY(tls, ServerTls::load(given ? settings.tls_certificate : own.certificate_file,
                             given ? settings.tls_key : own.key_file, own.ca_file, "postgresql"));
    gate_ = std::make_unique<Gate>(*snapshots_, *journal_);

    std::vector<boost::asio::io_context*> contexts;
    contexts.reserve(threads_.size());
    for (const auto& thread : threads_)
        contexts.push_back(&thread->context);
    if (!settings.listen_postgres.empty()) {
        postgres::LoginSettings login{std::make_shared<const ServerTls>(std::move(tls)),
                                      settings.login_deadline};
        postgres_ =
            std::make_unique<postgres::PostgresService>(*gate_, std::move(login), state_dir_);
        TRY(listener,
            Listener::open(settings.listen_postgres, contexts, *postgres_, settings.connections,
                           settings.threads == 0 ? few_connections : 0));
        postgres_listener_ = std::move(listener);
    }
    for (const auto& thread : threads_)
        running_.emplace_back([&context = thread->context] { context.run(); });
    if (postgres_listener_) {
        postgres_listener_->start();
        spdlog::info("event=listening protocol=postgres port={}", postgres_listener_->port());
    }
    return {};
}

void RunningGateway::record(EventKind kind, const std::string& text)
{
    Event event{.kind = kind};
    event.time_ms = std::chrono::duration_cast<std::chrono::milliseconds>(
                        std::chrono::system_clock::now().time_since_epoch())
                        .count();
    event.text = text;
    if (const auto recorded = journal_->append(event); !recorded)
        spdlog::error("event=unrecorded what={} reason=\"{}\"", name_of(kind),
                      recorded.error().detail);
}

void RunningGateway::reload()
{
    const std::string before = snapshots_->current()->hash;
    auto configuration = read_configuration(config_file_, protocols_);
    nlohmann::json problems = nlohmann::json::array();
    if (!configuration) {
        for (const Problem& problem : configuration.error()) {
            spdlog::warn("event=configuration_problem {}", to_string(problem));
            problems.push_back(to_string(problem));
        }
    } else if (configuration->gateway.state_dir != state_dir_ ||
               (configuration->store.embedded ? "embedded" : "dsn") != store_choice_) {
        problems.push_back("gateway.state_dir and store cannot change without a restart");
    }
    if (problems.empty()) {
        if (auto snapshot = snapshot_of(*configuration); snapshot)
            snapshots_->replace(std::move(*snapshot));
        else
            problems.push_back(snapshot.error().detail);
    }
    if (!problems.empty()) {
        record(EventKind::configuration_refused,
               json_text({{"by", "SIGHUP"}, {"in_force", before}, {"problems", problems}}));
        spdlog::warn("event=configuration_refused in_force={}", before);
        return;
    }
    record(EventKind::configuration_loaded,
           json_text({{"by", "SIGHUP"}, {"before", before}, {"after", configuration->hash}}));
    spdlog::info("event=configuration_loaded hash={}", configuration->hash);
}

RunningGateway::~RunningGateway()
{
    if (postgres_listener_) {
        postgres_listener_->stop();
        postgres_->end_sessions("terminating connection: the gateway is shutting down");
        const auto deadline = Clock::now() + farewell;
        while (postgres_listener_->connections() > 0 && Clock::now() < deadline)
            std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    for (const auto& thread : threads_)
        thread->context.stop();
    for (std::thread& thread : running_)
        thread.join();
    if (journal_ && shipper_) {
        record(EventKind::gateway_stopped, "{}");
        shipper_->stop(Clock::now() + last_shipment);
    }
}

}  // namespace sallyport
