// Plays a recorded session: events in, one of the forms out.
//
// Knows no protocol: the program hands it the transcript of the session's protocol.

#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <ostream>
#include <string_view>

#include "audit/store/recorded_event.h"
#include "audit/store/search.h"
#include "gateway/vocabulary/transcript.h"
#include "replay/player/form.h"

namespace sallyport {

// One protocol's way to read its recordings. Lives as long as the program.
struct ProtocolTranscript {
    std::string_view protocol;  // "postgres"
    MakeTranscript make;
};

// How fast. By default at once; else as it happened, `speed` times faster, and never waiting longer
// than the idle limit (before the speed is applied).
struct Pace {
    double speed = 0;
    std::optional<std::chrono::milliseconds> idle_limit;
    std::function<void(std::chrono::milliseconds)> pause = {};  // called before an event is shown
};

class Player {
public:
    // transcript may be null: then what the protocol recorded is only counted. The form outlives
    // this.
    Player(Form& form, std::unique_ptr<Transcript> transcript, Pace pace);

    // Then every event of the session in order, then end().
    void begin(const SessionSummary& session);
    void play(const RecordedEvent& event);
    void end();

private:
    void keep_pace(std::int64_t time_ms);
    void show(const RecordedEvent& event);

    Form& form_;
    std::unique_ptr<Transcript> transcript_;
    Pace pace_;
    std::optional<std::int64_t> last_ms_;
};

}  // namespace sallyport
