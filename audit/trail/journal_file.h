// The journal as files of this gateway: docs/audit-format.md, "The journal".
//
// Threads: append() and the waits come from the io threads. A thread of the journal's own syncs in
// groups and keeps the next segment ready. One more thread, the shipper's, reads with a
// JournalReader, calls mark_committed() and waits for work.

#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "audit/trail/journal.h"
#include "audit/trail/journal_disk.h"
#include "audit/trail/journal_segment.h"
#include "audit/trail/position_waiters.h"

namespace sallyport {

struct JournalSettings {
    // While more than this is not yet committed, or the shipper has made no progress for longer
    // with something to ship, no new command begins.
    std::uint64_t backlog_limit_bytes = std::uint64_t{1} << 30;
    std::chrono::milliseconds backlog_limit_age = std::chrono::hours(1);

    // Nothing stays unsynced for longer; a waiter in synced() makes it happen at once.
    std::chrono::milliseconds sync_interval{10};

    std::uint64_t segment_bytes = std::uint64_t{64} << 20;
};

class JournalFile final : public Journal {
public:
    // What opening found of an earlier run.
    struct Recovered {
        std::uint64_t records = 0;  // in the segments that are still there
        std::uint64_t unshipped_bytes = 0;
        std::uint64_t discarded_bytes = 0;  // behind a torn or damaged record; kept as *.discarded
        std::uint64_t missing_bytes = 0;    // between two segments
    };

    // `directory` is the journal's own ("<state_dir>/journal"), made with mode 0700 if missing.
    // Fault::unavailable when another gateway has it, Fault::unrecorded when it cannot be used.
    static Result<std::unique_ptr<JournalFile>> open(
        const std::string& directory, const JournalSettings& settings,
        std::unique_ptr<JournalDisk> disk = std::make_unique<SystemDisk>());

    // Syncs, writes the committed mark and ends every wait with Fault::closed. Nobody may be
    // calling anything; the io_contexts of those who wait outlive this.
    ~JournalFile() override;

    Result<Position> append(const Event& event) override;
    Result<void> admits() const override;
    boost::asio::awaitable<Result<void>> synced(Position position) override;
    boost::asio::awaitable<Result<void>> committed(Position position) override;

    const Recovered& recovered() const { return recovered_; }

    // Everything before it has been given to append(). From any thread.
    Position written() const { return written_.load(std::memory_order_acquire); }
    // Where a reader begins after a start: everything before it is in the store.
    Position committed_up_to() const { return committed_.load(std::memory_order_acquire); }

    // From the shipper's thread: everything up to `position` is in the store. Releases who waits in
    // committed() and deletes the segments that are wholly behind; records read from before
    // `position` are no longer valid.
    void mark_committed(Position position);

    // Somebody waits in committed() for more than is: the shipper must not linger.
    bool commit_wanted() const { return committed_waiters_.any(); }

    // From the shipper's thread: returns once something behind `read` is written, at the deadline,
    // or when wake() is called; whether there is something.
    bool wait_for_work(Position read, std::chrono::steady_clock::time_point deadline);

    // From the shipper's thread, lingering to fill a group: returns once commit_wanted(), at the
    // deadline, or when wake() is called; whether it is wanted.
    bool wait_for_commit_wanted(std::chrono::steady_clock::time_point deadline);

    // Ends the wait that is under way, or the next one. From any thread.
    void wake();

private:
    friend class JournalReader;
    using Clock = std::chrono::steady_clock;
    // Shared by the list and by the sync thread while fdatasync runs on a file that
    // mark_committed() may be deleting.
    using SharedSegment = std::shared_ptr<JournalSegment>;
    struct Placed {
        SharedSegment segment;
        Position end = 0;  // where its records end; of the last segment that is written_
        bool synced = false;
    };

    JournalFile(std::string directory, const JournalSettings& settings,
                std::unique_ptr<JournalDisk> disk);

    // open(), in order.
    Result<void> lock_directory();
    Result<void> recover();
    Result<void> recover_segment(const std::string& path, Position first, bool last);

    // With mutex_ held: makes room for a record at written_.
    Result<void> rotate(std::uint64_t record_size);

    // The sync thread.
    void keep_synced();
    void sync_once(std::unique_lock<std::mutex>& lock);
    void prepare_spare(std::unique_lock<std::mutex>& lock);
    void fail(const Error& error);
    bool wants_spare() const;

    // For the reader: the segment that holds the record beginning at `position` or, where a damaged
    // one was cut, at the next valid position; and up to where it may be read.
    struct Readable {
        const JournalSegment* segment = nullptr;
        Position from = 0;
        Position end = 0;
    };
    Readable readable_at(Position position) const;

    void write_mark();
    std::string in_directory(const std::string& name) const { return directory_ + "/" + name; }

    const std::string directory_;
    const JournalSettings settings_;
    const std::unique_ptr<JournalDisk> disk_;
    int directory_file_ = -1;
    int lock_file_ = -1;
    Recovered recovered_;

    mutable std::mutex mutex_;     // everything down to the blank line
    std::deque<Placed> segments_;  // never empty; records are appended to the last
    bool new_name_ = false;        // the directory has a name that is not synced
    std::optional<JournalSegment> spare_;
    Clock::time_point spare_retry_{};
    std::condition_variable sync_wanted_;
    std::condition_variable work_;
    bool sync_asleep_ = false;
    bool sync_now_ = false;
    bool shipper_asleep_ = false;
    bool woken_ = false;
    bool stopping_ = false;
    std::optional<Error> broken_;  // a sync failed: nothing more is kept

    std::atomic<Position> written_ = 0;
    std::atomic<Position> synced_ = 0;
    std::atomic<Position> committed_ = 0;
    std::atomic<bool> is_broken_ = false;            // broken_ has a value
    std::atomic<std::int64_t> behind_since_ns_ = 0;  // steady clock; 0 while nothing is unshipped
    Clock::time_point mark_written_{};               // the shipper's thread only
    PositionWaiters synced_waiters_;
    PositionWaiters committed_waiters_;
    std::thread sync_thread_;
};

}  // namespace sallyport
