// From events in the journal's order to frames: who follows whom, and what is known already.
// No database here; docs/audit-format.md, "Frames".

#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "audit/store/frame.h"
#include "audit/trail/event.h"
#include "gateway/vocabulary/result.h"

namespace sallyport {

// The last frame of a session in the store.
struct SessionHead {
    std::uint32_t number = 0;  // of its last event
    Sha256 hash{};             // of its leaf
    std::string policy;
};

// What the store knows of sessions that an earlier start of the gateway began.
class SessionHeads {
public:
    virtual ~SessionHeads() = default;

    // Nothing where the store has no frame of the session.
    virtual Result<std::optional<SessionHead>> head_of(const Uuid& session) = 0;
};

class Framer {
public:
    // `heads` outlives the framer.
    Framer(FrameOrigin origin, SessionHeads& heads) : origin_(std::move(origin)), heads_(heads) {}

    // While true, every session seen for the first time is looked up, whatever its number: events
    // may come that are in the store already.
    void resume(bool resuming) { resuming_ = resuming; }

    // Takes the next event of the journal; whether it was new. Fails, having changed nothing, where
    // the store must be asked and does not answer.
    Result<bool> add(const Event& event);

    // The event's number is given here: the next of its session.
    Result<void> add_aborted(const Uuid& session, std::int64_t time_ms);
    void add_lost(const LostBoot& lost, std::int64_t time_ms);

    // Closes what is open and hands over every frame since the last call, in order.
    std::vector<Frame> take();

    // The frames taken so far are in the store: sessions that have ended are forgotten.
    void forget_ended();

    // Octets in frames, open and closed, that were not taken.
    std::size_t size() const { return closed_size_ + open_size_; }
    std::uint64_t next_wseq() const { return next_wseq_; }

private:
    struct Thread {
        Uuid session;
        std::uint32_t number = 0;  // of the last event taken
        std::optional<Sha256> previous;
        std::string policy;
        FrameBuilder open;
        bool listed = false;  // in open_
        bool ended = false;
    };
    struct HashOfUuid {
        std::size_t operator()(const Uuid& id) const;
    };

    Result<Thread*> thread_of(const Event& event);
    void append(Thread& thread, const Event& event, std::uint32_t number, const LostBoot* lost);
    void close(Thread& thread);

    const FrameOrigin origin_;
    SessionHeads& heads_;
    PartSealer sealer_;
    bool resuming_ = false;
    std::uint64_t next_wseq_ = 0;

    // Node-based: a Thread stays where it is until it is erased.
    std::unordered_map<Uuid, Thread, HashOfUuid> threads_;
    Thread* last_used_ = nullptr;
    std::vector<Thread*> open_;  // with a frame under way, in order of its first event
    std::vector<Uuid> ended_;
    std::size_t open_size_ = 0;

    std::vector<Frame> closed_;
    std::size_t closed_size_ = 0;
};

}  // namespace sallyport
