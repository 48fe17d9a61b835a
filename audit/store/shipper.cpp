#include "audit/store/shipper.h"

#include <algorithm>
#include <spdlog/spdlog.h>
#include <sys/eventfd.h>
#include <system_error>
#include <unistd.h>

#include "audit/store/journal_id.h"

namespace sallyport {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

constexpr auto connect_time = 10s;
constexpr auto ship_time = 60s;
constexpr auto first_delay = 50ms;
constexpr auto longest_delay = 1000ms;
constexpr std::uint32_t group_events = 100000;

std::int64_t now_ms()
{
    return std::chrono::duration_cast<std::chrono::milliseconds>(
               std::chrono::system_clock::now().time_since_epoch())
        .count();
}

int make_interrupt()
{
    const int file = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (file < 0)
        throw std::system_error(errno, std::generic_category(), "eventfd");
    return file;
}

}  // namespace

Shipper::Shipper(JournalFile& journal, Secret dsn, ShipperSettings settings)
    : journal_(journal),
      settings_(std::move(settings)),
      boot_(make_uuid_v7(std::chrono::system_clock::now())),
      interrupt_(make_interrupt()),
      writer_(WriterIdentity{settings_.gateway, settings_.version, boot_, key_.public_key()},
              std::move(dsn), interrupt_),
      framer_(FrameOrigin{settings_.gateway, to_string(boot_), settings_.log}, writer_)
{
}

Shipper::~Shipper()
{
    stop(Clock::now());
    ::close(interrupt_);
}

Result<void> Shipper::ship_backlog(Deadline deadline)
{
    const Position target = journal_.written();
    auto delay = first_delay;
    for (;;) {
        Result<void> shipped = ship_until(target, deadline);
        if (shipped)
            shipped = abort_lost_sessions(deadline);
        note_store(shipped);
        if (shipped) {
            framer_.resume(false);
            return {};
        }
        writer_.disconnect();
        if (shipped.error().fault != Fault::unavailable || Clock::now() + delay > deadline)
            return shipped;
        rest(delay);
        delay = std::min(2 * delay, std::chrono::milliseconds(longest_delay));
    }
}

void Shipper::start()
{
    thread_ = std::thread([this] { run(); });
}

void Shipper::stop(Deadline deadline)
{
    if (!thread_.joinable())
        return;
    {
        std::unique_lock lock(mutex_);
        stopping_ = true;
        changed_.notify_all();
    }
    journal_.wake();
    {
        std::unique_lock lock(mutex_);
        if (!changed_.wait_until(lock, deadline, [this] { return done_; })) {
            spdlog::warn("event=shipper_stopped_early detail=\"the rest stays in the journal\"");
            const std::uint64_t one = 1;
            // It cannot fail on a counter of 0, and a wait that is not interrupted ends by its
            // time.
            (void)!::write(interrupt_, &one, sizeof one);
            done_ = true;
            changed_.notify_all();
        }
    }
    thread_.join();
}

void Shipper::run()
{
    auto delay = first_delay;
    for (;;) {
        const Result<void> worked = work();
        note_store(worked);
        bool over = false;
        if (worked) {
            delay = first_delay;
        } else if (worked.error().fault == Fault::closed) {
            over = true;
        } else {
            writer_.disconnect();
            over = rest(delay);
            delay = std::min(2 * delay, std::chrono::milliseconds(longest_delay));
        }
        const std::unique_lock lock(mutex_);
        if (over || done_ || (stopping_ && all_shipped())) {
            done_ = true;
            changed_.notify_all();
            return;
        }
    }
}

bool Shipper::all_shipped() const
{
    return !pending_ && !held_ && gathered_ == 0 && reader_->position() >= journal_.written();
}

Result<void> Shipper::work()
{
    const auto now = Clock::now();
    if (!writer_.connected()) {
        if (auto connected = connect(now + connect_time); !connected)
            return connected;
    }
    writer_.set_deadline(now + connect_time);
    if (!pending_) {
        if (!held_ && gathered_ == 0 && !stopping_ &&
            !journal_.wait_for_work(reader_->position(), now + 10s))
            return {};
        if (auto gathered = gather(!stopping_); !gathered)
            return gathered;
    }
    return ship(Clock::now() + ship_time);
}

Result<void> Shipper::connect(Deadline deadline)
{
    if (auto connected = writer_.connect(deadline); !connected)
        return connected;
    return reader_ ? Result<void>() : choose_start();
}

Result<void> Shipper::choose_start()
{
    TRY(journal, journal_id_in(settings_.journal_directory));
    Position from = journal_.committed_up_to();
    const StoreWriter::Earlier& earlier = writer_.earlier();
    if (earlier.journal == journal) {
        if (earlier.position > journal_.written()) {
            // The machine lost power: the store has events that never reached the gateway's disk.
            // Everything that is left in the journal is in the store, and new events will stand at
            // positions that the store has seen.
            spdlog::warn("event=journal_behind_store journal={} store={}", journal_.written(),
                         earlier.position);
            TRY(renewed, renew_journal_id_in(settings_.journal_directory));
            journal = renewed;
            from = journal_.written();
        } else {
            from = std::max(from, earlier.position);
        }
    }
    writer_.count_positions_of(journal);
    reader_.emplace(journal_, from);
    return {};
}

Result<void> Shipper::ship_until(Position target, Deadline deadline)
{
    framer_.resume(true);
    writer_.set_deadline(deadline);
    if (!writer_.connected()) {
        if (auto connected = connect(std::min(deadline, Clock::now() + connect_time)); !connected)
            return connected;
    }
    for (;;) {
        if (auto shipped = ship(deadline); !shipped)
            return shipped;
        if (!held_ && gathered_ == 0 && reader_->position() >= target)
            return {};
        if (auto gathered = gather(false); !gathered)
            return gathered;
    }
}

Result<void> Shipper::abort_lost_sessions(Deadline deadline)
{
    if (aborted_)
        return {};
    TRY(sessions, writer_.open_sessions(deadline));
    const std::int64_t now = now_ms();
    for (const Uuid& session : sessions) {
        if (auto added = framer_.add_aborted(session, now); !added)
            return added;
        projection_.note_aborted(session, now);
        ++gathered_;
    }
    const StoreWriter::Earlier& earlier = writer_.earlier();
    if (earlier.last_boot && !earlier.stopped && !gateway_stopped_) {
        framer_.add_lost(*earlier.last_boot, now);
        ++gathered_;
    }
    aborted_ = true;
    if (gathered_ > 0)
        spdlog::warn("event=earlier_start_lost sessions_aborted={}", sessions.size());
    if (auto gathered = gather(false); !gathered)
        return gathered;
    return ship(deadline);
}

Result<bool> Shipper::take_next()
{
    if (!held_) {
        TRY(next, reader_->next());
        if (!next)
            return false;
        held_ = next;
    }
    const Event event = held_->record.event();
    TRY(fresh, framer_.add(event));
    if (fresh) {
        projection_.note(event);
        if (event.session == Uuid{})
            gateway_stopped_ = event.kind == EventKind::gateway_stopped;
        ++gathered_;
    }
    held_.reset();
    return true;
}

Result<void> Shipper::gather(bool linger)
{
    const auto ship_at = Clock::now() + settings_.linger;
    bool last_round = !linger;
    for (std::uint32_t taken = 0;; ++taken) {
        const bool enough = framer_.size() >= settings_.group_bytes || gathered_ >= group_events ||
                            (taken % 256 == 255 && Clock::now() > ship_at);
        if (enough)
            break;
        TRY(taken_one, take_next());
        if (taken_one)
            continue;
        if (last_round || journal_.commit_wanted() || stopping_)
            break;
        journal_.wait_for_commit_wanted(ship_at);
        last_round = true;
    }

    pending_.emplace();
    pending_->frames = framer_.take();
    pending_->projection = std::exchange(projection_, {});
    pending_->end = reader_->position();
    pending_->stopped = gateway_stopped_;
    pending_events_ = std::exchange(gathered_, 0);
    in_doubt_ = false;
    return {};
}

Result<void> Shipper::ship(Deadline deadline)
{
    if (!pending_)
        return {};
    if (!pending_->frames.empty()) {
        bool there = false;
        if (in_doubt_) {
            TRY(known, writer_.has(pending_->frames.back().wseq, deadline));
            there = known;
        }
        if (!there) {
            in_doubt_ = true;
            if (auto put = writer_.put(*pending_, deadline, settings_.strike); !put)
                return put;
        }
    }
    frames_.fetch_add(pending_->frames.size(), std::memory_order_relaxed);
    events_.fetch_add(pending_events_, std::memory_order_relaxed);
    framer_.forget_ended();
    journal_.mark_committed(pending_->end);
    pending_.reset();
    return {};
}

void Shipper::note_store(const Result<void>& outcome)
{
    if (outcome) {
        if (!reached_.exchange(true))
            spdlog::info("event=store_reached gateway={}", settings_.gateway);
        last_trouble_.reset();
        return;
    }
    if (outcome.error().fault == Fault::closed)
        return;
    const bool was_reached = reached_.exchange(false);
    const bool changed = was_reached || last_trouble_ != outcome.error().fault;
    last_trouble_ = outcome.error().fault;
    spdlog::log(changed ? spdlog::level::warn : spdlog::level::debug,
                "event=store_unreachable gateway={} detail=\"{}\" action=\"kept in the journal, "
                "tried again\"",
                settings_.gateway, outcome.error().detail);
}

bool Shipper::rest(std::chrono::milliseconds delay)
{
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, delay, [this] { return done_; });
}

}  // namespace sallyport
