// Reading the store, for people: which sessions there were, and everything one of them recorded.
//
// Nothing is believed that can be checked: each part must match its commitment, each frame must
// name the one before it, and event numbers must have no gap. Format: docs/audit-format.md.

#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "audit/store/recorded_event.h"
#include "gateway/vocabulary/ids.h"
#include "gateway/vocabulary/result.h"

namespace sallyport {

// Every field that is set must match. Times are milliseconds since 1970; since <= start < until.
struct SessionFilter {
    std::optional<std::string> user;
    std::optional<std::string> connection;
    std::optional<std::int64_t> since_ms;
    std::optional<std::int64_t> until_ms;
    // Some command or answer of the session contains it (ASCII letters match either case). Opens
    // the parts of every session that the other fields match, newest first, until the limit is met.
    std::optional<std::string> text;
    std::size_t limit = 100;
};

enum class SessionStatus : std::uint8_t {
    open,
    closed,
    aborted,  // the gateway died during it; closed by the next start
};

std::string_view name_of(SessionStatus status);

struct SessionSummary {
    Uuid id;
    std::string gateway;
    std::string user;
    std::string connection;
    std::string protocol;
    std::string address;  // of the client
    SessionStatus status = SessionStatus::open;
    std::int64_t started_ms = 0;
    std::optional<std::int64_t> ended_ms;
    std::uint64_t commands = 0;
    std::uint64_t denied = 0;
    std::uint64_t held = 0;
    std::uint64_t rows = 0;
    std::uint64_t masked_values = 0;
    std::uint64_t bytes = 0;  // shown to the client
};

// Called for each event in order; an Error ends the reading and is passed on.
using EventVisitor = std::function<Result<void>(const RecordedEvent&)>;

// One connection to the store; not for two threads at once.
class StoreReader {
public:
    // Connects. Fault::unavailable, with what to do about it, where that fails.
    static Result<StoreReader> open(const std::string& dsn);

    StoreReader(StoreReader&&) noexcept;
    StoreReader& operator=(StoreReader&&) noexcept;
    ~StoreReader();

    // Newest first.
    Result<std::vector<SessionSummary>> sessions(const SessionFilter& filter);

    // Fault::refused where there is no such session.
    Result<SessionSummary> session(const Uuid& id);

    // Reads a session frame by frame, so that memory stays bounded by one frame and its part.
    // Frames of a session that is still open are included as far as they are in the store.
    // Fault::unrecorded, naming the frame, where a check fails: the record was altered or has a
    // gap.
    Result<void> visit_session(const Uuid& id, const EventVisitor& visit);

    // All of it at once.
    Result<std::vector<RecordedEvent>> session_events(const Uuid& id);

private:
    struct State;
    explicit StoreReader(std::unique_ptr<State> state);

    std::unique_ptr<State> state_;
};

// Where the store is, as the configuration says (StoreSettings and state_dir).
struct StorePlace {
    bool embedded = true;
    std::string state_dir;
    std::string_view
        dsn;  // where not embedded; may hold a password. Outlives the call it is passed to
};

// The store for the time of one command on the gateway's own machine. Where the store is embedded
// and no gateway runs, its cluster is started and stopped again on destruction.
class StoreVisit {
public:
    // Fault::unavailable where there is no store yet or it cannot be reached.
    static Result<StoreVisit> begin(const StorePlace& place);

    StoreVisit(StoreVisit&&) noexcept;
    StoreVisit& operator=(StoreVisit&&) noexcept;
    ~StoreVisit();

    StoreReader& reader();

private:
    struct State;
    explicit StoreVisit(std::unique_ptr<State> state);

    std::unique_ptr<State> state_;
};

}  // namespace sallyport
