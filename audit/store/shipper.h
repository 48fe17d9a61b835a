// From the journal to PostgreSQL: every event once, in order, within a second.
//
// One thread reads the journal, makes frames and writes them in one transaction a group. The same
// transaction moves the journal's position in the store, so that a group is there with its position
// or not at all, whatever breaks in between. docs/audit-format.md, "The store".

#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "audit/store/boot_key.h"
#include "audit/store/framer.h"
#include "audit/store/shipment.h"
#include "audit/store/store_writer.h"
#include "audit/trail/journal_file.h"
#include "audit/trail/journal_reader.h"
#include "gateway/vocabulary/result.h"
#include "gateway/vocabulary/secret.h"

namespace sallyport {

struct ShipperSettings {
    std::string gateway;                  // its name in the configuration
    std::string version;                  // of the program
    std::string log = "sallyport/log/1";  // the log its frames belong to
    std::string journal_directory;

    // How long the first event of a group waits for others. With the transaction it stays below the
    // second after which everything is in PostgreSQL.
    std::chrono::milliseconds linger{400};
    // A group is closed early when it holds so much.
    std::size_t group_bytes = std::size_t{8} << 20;

    // For tests: called in the shipper's thread at each step of a shipment; false breaks the
    // connection there.
    std::function<bool(ShipmentStep)> strike;
};

class Shipper {
public:
    using Deadline = std::chrono::steady_clock::time_point;

    // Does nothing yet. The journal outlives the shipper; the DSN names the store's database.
    Shipper(JournalFile& journal, Secret dsn, ShipperSettings settings);
    // stop() without grace.
    ~Shipper();

    // Connects, makes or upgrades the schema, ships what an earlier run left in the journal, and
    // closes the sessions it left open. To be called before start() and before any session is
    // accepted. Retries until the deadline: Fault::unavailable then; Fault::refused at once where a
    // person must act; Fault::unrecorded where the journal cannot be read.
    Result<void> ship_backlog(Deadline deadline);

    // Starts the thread. Called once, after ship_backlog() succeeded.
    void start();

    // Ships what has been appended so far, as long as the deadline allows, and ends the thread.
    // What is left stays in the journal for the next start.
    void stop(Deadline deadline);

    const Uuid& boot() const { return boot_; }
    // Whether the last attempt to reach the store succeeded. From any thread.
    bool store_reached() const { return reached_.load(std::memory_order_relaxed); }
    // Since the start, from any thread: for metrics.
    std::uint64_t frames_shipped() const { return frames_.load(std::memory_order_relaxed); }
    std::uint64_t events_shipped() const { return events_.load(std::memory_order_relaxed); }

private:
    void run();
    // One round: connected, a group gathered and in the store. Fault::closed when it is time to
    // end.
    Result<void> work();
    Result<void> connect(Deadline deadline);
    Result<void> choose_start();
    Result<void> ship_until(Position target, Deadline deadline);
    Result<void> abort_lost_sessions(Deadline deadline);
    Result<void> gather(bool linger);
    Result<bool> take_next();
    Result<void> ship(Deadline deadline);
    void note_store(const Result<void>& outcome);
    bool rest(std::chrono::milliseconds delay);
    bool all_shipped() const;

    JournalFile& journal_;
    const ShipperSettings settings_;
    const Uuid boot_;
    BootKey key_;
    int interrupt_ = -1;  // readable when waiting for the store must end
    StoreWriter writer_;
    Framer framer_;

    // The shipper's thread.
    std::optional<JournalReader> reader_;
    std::optional<JournalReader::Entry> held_;  // read, not yet taken
    Projection projection_;
    std::uint32_t gathered_ = 0;       // events in the group under way
    bool gateway_stopped_ = false;     // of the gateway's own events gateway_stopped came last
    std::optional<Shipment> pending_;  // not known to be in the store
    bool in_doubt_ = false;            // it may be there already
    std::uint64_t pending_events_ = 0;
    bool aborted_ = false;  // the sessions of earlier starts are closed

    std::atomic<bool> reached_ = false;
    std::atomic<std::uint64_t> frames_ = 0;
    std::atomic<std::uint64_t> events_ = 0;

    std::mutex mutex_;
    std::condition_variable changed_;
    std::atomic<bool> stopping_ = false;
    bool done_ = false;
    std::optional<Fault> last_trouble_;
    std::thread thread_;
};

}  // namespace sallyport
