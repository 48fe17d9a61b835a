#include "audit/trail/journal_file.h"

#include <algorithm>
#include <cerrno>
#include <fmt/format.h>
#include <fstream>
#include <spdlog/spdlog.h>
#include <unistd.h>
#include <utility>
#include <vector>

#include "audit/trail/record.h"

namespace sallyport {

namespace {

using namespace std::chrono_literals;

constexpr auto mark_interval = 1s;
constexpr auto spare_retry_interval = 1s;

std::int64_t now_ns()
{
    return std::chrono::steady_clock::now().time_since_epoch() / std::chrono::nanoseconds(1);
}

}  // namespace

JournalFile::JournalFile(std::string directory, const JournalSettings& settings,
                         std::unique_ptr<JournalDisk> disk)
    : directory_(std::move(directory)),
      settings_(settings),
      disk_(std::move(disk)),
      synced_waiters_([this] {
          const std::scoped_lock lock(mutex_);
          sync_now_ = true;
          sync_wanted_.notify_one();
      }),
      committed_waiters_([this] {
          const std::scoped_lock lock(mutex_);
          work_.notify_one();
      })
{
}

JournalFile::~JournalFile()
{
    if (sync_thread_.joinable()) {
        {
            const std::scoped_lock lock(mutex_);
            stopping_ = true;
            sync_wanted_.notify_one();
        }
        sync_thread_.join();
        write_mark();
        const Error closed{Fault::closed, "the journal is closed"};
        synced_waiters_.fail(closed);
        committed_waiters_.fail(closed);
    }
    if (spare_)
        spare_->remove();
    if (lock_file_ >= 0)
        ::close(lock_file_);
    if (directory_file_ >= 0)
        ::close(directory_file_);
}

Result<Position> JournalFile::append(const Event& event)
{
    const EncodedRecord record(event);
    if (record.size() > record_size_limit)
        return failure(Fault::unrecorded,
                       fmt::format("journal: an event of {} bytes is above the limit of {}",
                                   record.size(), record_size_limit));

    const std::scoped_lock lock(mutex_);
    if (broken_)
        return tl::unexpected(*broken_);
    const Position start = written_.load(std::memory_order_relaxed);
    {
        const JournalSegment& last = *segments_.back().segment;
        if (start - last.first() + record.size() > last.capacity())
            if (auto rotated = rotate(record.size()); !rotated)
                return tl::unexpected(std::move(rotated).error());
    }
    JournalSegment& segment = *segments_.back().segment;
    record.write_to(segment.space().subspan(start - segment.first(), record.size()), start);
    const Position end = start + record.size();
    segments_.back().end = end;
    segments_.back().synced = false;
    if (start == committed_.load(std::memory_order_relaxed))
        behind_since_ns_.store(now_ns(), std::memory_order_relaxed);
    written_.store(end, std::memory_order_release);
    if (sync_asleep_)
        sync_wanted_.notify_one();
    if (shipper_asleep_)
        work_.notify_one();
    return end;
}

Result<void> JournalFile::rotate(std::uint64_t record_size)
{
    const Position start = written_.load(std::memory_order_relaxed);
    std::optional<JournalSegment> next;
    if (spare_ && spare_->capacity() >= record_size) {
        next.emplace(std::move(*spare_));
        spare_.reset();
    } else {
        // The sync thread makes spares in time; this is for a record above the usual size, a burst
        // faster than that thread, and the first segment after a full disk.
        auto made = JournalSegment::create(in_directory("next.tmp"),
                                           std::max(settings_.segment_bytes, record_size), *disk_);
        if (!made)
            return tl::unexpected(std::move(made).error());
        next.emplace(std::move(*made));
    }
    if (auto placed = next->place(in_directory(segment_file_name(start)), start, *disk_); !placed) {
        next->remove();
        return placed;
    }
    // A segment without a record has just lost its name to the new one.
    if (!segments_.empty() && segments_.back().segment->first() == start)
        segments_.pop_back();
    segments_.push_back(
        {.segment = std::make_shared<JournalSegment>(std::move(*next)), .end = start});
    new_name_ = true;
    return {};
}

Result<void> JournalFile::admits() const
{
    if (is_broken_.load(std::memory_order_acquire))
        return failure(Fault::unrecorded,
                       "the audit journal cannot be written; see the gateway's log");
    const Position committed = committed_.load(std::memory_order_acquire);
    const Position written = written_.load(std::memory_order_acquire);
    if (written <= committed)
        return {};
    if (written - committed > settings_.backlog_limit_bytes)
        return failure(
            Fault::unavailable,
            fmt::format("the audit store is behind by {} bytes, more than the {} allowed",
                        written - committed, settings_.backlog_limit_bytes));
    const std::int64_t since = behind_since_ns_.load(std::memory_order_relaxed);
    const std::chrono::nanoseconds age(since == 0 ? 0 : now_ns() - since);
    if (age > settings_.backlog_limit_age)
        return failure(Fault::unavailable,
                       fmt::format("the audit store has taken nothing for {} s, more than the {} s "
                                   "allowed",
                                   age / 1s, settings_.backlog_limit_age / 1s));
    return {};
}

boost::asio::awaitable<Result<void>> JournalFile::synced(Position position)
{
    if (synced_.load(std::memory_order_acquire) >= position)
        co_return Result<void>();
    co_return co_await synced_waiters_.wait(position);
}

boost::asio::awaitable<Result<void>> JournalFile::committed(Position position)
{
    if (committed_.load(std::memory_order_acquire) >= position)
        co_return Result<void>();
    co_return co_await committed_waiters_.wait(position);
}

void JournalFile::mark_committed(Position position)
{
    std::vector<SharedSegment> behind;
    {
        const std::scoped_lock lock(mutex_);
        if (position <= committed_.load(std::memory_order_relaxed))
            return;
        committed_.store(position, std::memory_order_release);
        const bool all = position >= written_.load(std::memory_order_relaxed);
        behind_since_ns_.store(all ? 0 : now_ns(), std::memory_order_relaxed);
        while (segments_.size() > 1 && segments_.front().end <= position) {
            behind.push_back(std::move(segments_.front().segment));
            segments_.pop_front();
        }
    }
    committed_waiters_.release(position);
    if (!behind.empty() || Clock::now() - mark_written_ >= mark_interval)
        write_mark();
    // Without the lock: giving back the space of a large file takes the kernel milliseconds.
    for (const SharedSegment& segment : behind)
        segment->remove();
}

void JournalFile::write_mark()
{
    // Neither synced nor missed when it fails: after an old mark more is shipped again, and the
    // store recognises what it has.
    const std::string made = in_directory("committed.tmp");
    {
        std::ofstream file(made, std::ios::trunc);
        file << fmt::format("{:020}\n", committed_.load(std::memory_order_relaxed));
        if (!file.flush())
            return;
    }
    if (const int error = disk_->rename(made, in_directory("committed")); error != 0)
        spdlog::warn("event=journal_mark_failed reason=\"{}\"",
                     std::generic_category().message(error));
    mark_written_ = Clock::now();
}

bool JournalFile::wait_for_work(Position read, Clock::time_point deadline)
{
    std::unique_lock lock(mutex_);
    const auto work = [&] { return written_.load(std::memory_order_relaxed) > read; };
    shipper_asleep_ = true;
    work_.wait_until(lock, deadline, [&] { return woken_ || work(); });
    shipper_asleep_ = false;
    woken_ = false;
    return work();
}

bool JournalFile::wait_for_commit_wanted(Clock::time_point deadline)
{
    std::unique_lock lock(mutex_);
    work_.wait_until(lock, deadline, [&] { return woken_ || commit_wanted(); });
    woken_ = false;
    return commit_wanted();
}

void JournalFile::wake()
{
    const std::scoped_lock lock(mutex_);
    woken_ = true;
    work_.notify_one();
}

void JournalFile::fail(const Error& error)
{
    broken_ = error;
    is_broken_.store(true, std::memory_order_release);
    synced_waiters_.fail(error);
    committed_waiters_.fail(error);
    spdlog::error("event=journal_failed reason=\"{}\"", error.detail);
}

void JournalFile::keep_synced()
{
    std::unique_lock lock(mutex_);
    Clock::time_point last_sync{};
    while (true) {
        const bool unsynced =
            written_.load(std::memory_order_relaxed) > synced_.load(std::memory_order_relaxed);
        if (broken_ || !unsynced) {
            if (stopping_)
                return;
            if (wants_spare()) {
                prepare_spare(lock);
                continue;
            }
            sync_asleep_ = true;
            sync_wanted_.wait(lock);
            sync_asleep_ = false;
            continue;
        }
        sync_wanted_.wait_until(lock, last_sync + settings_.sync_interval,
                                [&] { return stopping_ || sync_now_; });
        sync_now_ = false;
        sync_once(lock);
        last_sync = Clock::now();
        if (wants_spare())
            prepare_spare(lock);
    }
}

void JournalFile::sync_once(std::unique_lock<std::mutex>& lock)
{
    const Position target = written_.load(std::memory_order_relaxed);
    std::vector<SharedSegment> unsynced;
    for (Placed& placed : segments_) {
        if (placed.synced)
            continue;
        unsynced.push_back(placed.segment);
        placed.synced = true;  // until the next append to it; a failure is final anyhow
    }
    const bool new_name = std::exchange(new_name_, false);
    lock.unlock();

    int error = 0;
    for (const SharedSegment& segment : unsynced)
        if (error == 0)
            error = disk_->sync(segment->file());
    if (error == 0 && new_name)
        error = disk_->sync_directory(directory_file_);

    lock.lock();
    if (error != 0) {
        // Not tried again: after a failed sync the kernel may have dropped the pages and would then
        // report success.
        fail({Fault::unrecorded, fmt::format("journal: cannot sync {}: {}", directory_,
                                             std::generic_category().message(error))});
        return;
    }
    synced_.store(target, std::memory_order_release);
    lock.unlock();
    synced_waiters_.release(target);
    lock.lock();
}

bool JournalFile::wants_spare() const
{
    const JournalSegment& last = *segments_.back().segment;
    const std::uint64_t used = written_.load(std::memory_order_relaxed) - last.first();
    return !spare_ && !broken_ && used > last.capacity() / 2 && Clock::now() >= spare_retry_;
}

void JournalFile::prepare_spare(std::unique_lock<std::mutex>& lock)
{
    lock.unlock();
    auto made = JournalSegment::create(in_directory("spare.tmp"), settings_.segment_bytes, *disk_);
    lock.lock();
    if (made) {
        spare_.emplace(std::move(*made));
        return;
    }
    // Not yet a failure: the segment in use has room left, and space may come back.
    spare_retry_ = Clock::now() + spare_retry_interval;
    spdlog::warn("event=journal_space reason=\"{}\"", made.error().detail);
}

JournalFile::Readable JournalFile::readable_at(Position position) const
{
    const std::scoped_lock lock(mutex_);
    for (const Placed& placed : segments_) {
        if (placed.end <= position)
            continue;
        return {.segment = placed.segment.get(),
                .from = std::max(position, placed.segment->first()),
                .end = placed.end};
    }
    return {.segment = nullptr, .from = position, .end = position};
}

}  // namespace sallyport
