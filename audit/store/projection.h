// What proj.session has to learn from new events: one row for each session, counted up.

#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "audit/trail/event.h"
#include "gateway/vocabulary/ids.h"

namespace sallyport {

struct OpenedSession {
    Uuid id;
    std::int64_t time_ms = 0;
    std::string user;
    std::string address;
    std::string protocol;
    std::string connection;
};

// Added to a session's row.
struct SessionProgress {
    std::int64_t last_ms = 0;
    std::int64_t commands = 0;
    std::int64_t denied = 0;
    std::int64_t held = 0;
    std::int64_t rows = 0;
    std::int64_t masked_values = 0;
    std::int64_t bytes = 0;
    EventKind ended_by{};  // session_closed, session_aborted or neither
};

class Projection {
public:
    // An event that the framer took as new.
    void note(const Event& event);
    void note_aborted(const Uuid& session, std::int64_t time_ms);
    void clear();

    bool empty() const { return opened_.empty() && progress_.empty(); }
    const std::vector<OpenedSession>& opened() const { return opened_; }

    struct HashOfUuid {
        std::size_t operator()(const Uuid& id) const;
    };
    using Progress = std::unordered_map<Uuid, SessionProgress, HashOfUuid>;
    const Progress& progress() const { return progress_; }

private:
    std::vector<OpenedSession> opened_;
    Progress progress_;
};

}  // namespace sallyport
