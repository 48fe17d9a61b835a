#include "audit/store/framer.h"

#include <cstring>
#include <spdlog/spdlog.h>

namespace sallyport {
namespace {

bool ends_session(EventKind kind)
{
    return kind == EventKind::session_closed || kind == EventKind::session_aborted;
}

}  // namespace

std::size_t Framer::HashOfUuid::operator()(const Uuid& id) const
{
    // The second half is random in every UUID this gateway makes.
    std::uint64_t half = 0;
    std::memcpy(&half, id.octets.data() + 8, sizeof half);
    return half;
}

Result<Framer::Thread*> Framer::thread_of(const Event& event)
{
    if (last_used_ != nullptr && last_used_->session == event.session)
        return last_used_;
    const auto found = threads_.find(event.session);
    if (found != threads_.end())
        return last_used_ = &found->second;

    std::optional<SessionHead> head;
    const bool of_gateway = event.session == Uuid{};
    if (!of_gateway && (resuming_ || event.number != 1)) {
        TRY(known, heads_.head_of(event.session));
        head = std::move(known);
    }
    Thread& thread = threads_[event.session];
    thread.session = event.session;
    if (head) {
        thread.number = head->number;
        thread.previous = head->hash;
        thread.policy = std::move(head->policy);
    }
    return last_used_ = &thread;
}

Result<bool> Framer::add(const Event& event)
{
    TRY(thread, thread_of(event));
    // The gateway's own events are numbered here, from 1 in every start.
    const bool of_gateway = event.session == Uuid{};
    const std::uint32_t number = of_gateway ? thread->number + 1 : event.number;
    if (number <= thread->number)
        return false;
    if (number != thread->number + 1) {
        // A damaged record was cut from the journal. The gap is kept for everybody to see.
        spdlog::error("event=gap session={} after={} next={}", to_string(event.session),
                      thread->number, number);
        close(*thread);
    }
    append(*thread, event, number, nullptr);
    return true;
}

Result<void> Framer::add_aborted(const Uuid& session, std::int64_t time_ms)
{
    Event event{.kind = EventKind::session_aborted};
    event.session = session;
    event.time_ms = time_ms;
    TRY(thread, thread_of(event));
    if (thread->ended)
        return {};
    append(*thread, event, thread->number + 1, nullptr);
    return {};
}

void Framer::add_lost(const LostBoot& lost, std::int64_t time_ms)
{
    Event event{.kind = EventKind::gateway_lost};
    event.time_ms = time_ms;
    Thread& thread = threads_[event.session];
    append(thread, event, thread.number + 1, &lost);
}

void Framer::append(Thread& thread, const Event& event, std::uint32_t number, const LostBoot* lost)
{
    if (thread.open.full_for(event))
        close(thread);
    if (event.kind == EventKind::session_opened)
        thread.policy = event.policy;

    const std::size_t before = thread.open.size();
    thread.open.add(event, number, lost);
    open_size_ += thread.open.size() - before;
    thread.number = number;
    if (!thread.listed) {
        thread.listed = true;
        open_.push_back(&thread);
    }
    if (ends_session(event.kind)) {
        close(thread);
        thread.ended = true;
        ended_.push_back(thread.session);
    }
}

void Framer::close(Thread& thread)
{
    if (thread.open.empty())
        return;
    open_size_ -= thread.open.size();
    closed_.push_back(thread.open.finish(origin_, next_wseq_, thread.session, thread.policy,
                                         thread.previous, sealer_));
    ++next_wseq_;
    closed_size_ += closed_.back().size();
    thread.previous = leaf_hash(closed_.back().leaf);
}

std::vector<Frame> Framer::take()
{
    for (Thread* thread : open_) {
        close(*thread);
        thread->listed = false;
    }
    open_.clear();
    closed_size_ = 0;
    return std::exchange(closed_, {});
}

void Framer::forget_ended()
{
    for (const Uuid& session : ended_)
        threads_.erase(session);
    ended_.clear();
    last_used_ = nullptr;
}

}  // namespace sallyport
