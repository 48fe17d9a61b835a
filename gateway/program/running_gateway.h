// Everything a running gateway is made of, in the order it is made; destroyed the other way round.

#pragma once

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <memory>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "audit/store/embedded.h"
#include "audit/store/shipper.h"
#include "audit/trail/journal_file.h"
#include "gateway/config/configuration.h"
#include "gateway/edge/listener.h"
#include "gateway/session/gate.h"
#include "gateway/session/snapshot.h"
#include "protocols/postgres/service.h"

namespace sallyport {

class RunningGateway {
public:
    // Journal, store and what an earlier run left are in order and the listeners accept when this
    // returns. The Error says what to do about it.
    static Result<std::unique_ptr<RunningGateway>> start(const std::string& config_file,
                                                         Configuration configuration,
                                                         std::span<const ProtocolWords> protocols);

    // Ends the sessions, ships what can be shipped within seconds, stops the store.
    ~RunningGateway();

    // Reads the file again. A good one replaces the snapshot for new sessions, a bad one changes
    // nothing; both are recorded and logged.
    void reload();

private:
    RunningGateway(std::string config_file, std::span<const ProtocolWords> protocols)
        : config_file_(std::move(config_file)), protocols_(protocols)
    {
    }

    Result<void> prepare(Configuration configuration);
    Result<void> listen(const GatewaySettings& settings);
    Result<std::shared_ptr<const Snapshot>> snapshot_of(const Configuration& configuration) const;
    void record(EventKind kind, const std::string& text);

    struct Thread {
        // One thread runs it, and its sockets are used from that thread only: no lock around them.
        boost::asio::io_context context{BOOST_ASIO_CONCURRENCY_HINT_UNSAFE_IO};
        boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work{
            context.get_executor()};
    };

    const std::string config_file_;
    const std::span<const ProtocolWords> protocols_;
    std::string state_dir_;
    std::string store_choice_;

    std::unique_ptr<SnapshotSource> snapshots_;
    std::vector<std::unique_ptr<Thread>> threads_;  // outlive the journal: it resumes waits on them
    std::unique_ptr<JournalFile> journal_;
    std::unique_ptr<EmbeddedStore> embedded_;
    std::unique_ptr<Shipper> shipper_;
    std::unique_ptr<Gate> gate_;
    std::unique_ptr<postgres::PostgresService> postgres_;
    std::unique_ptr<Listener> postgres_listener_;
    std::vector<std::thread> running_;
};

}  // namespace sallyport
