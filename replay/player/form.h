// The forms a played session can be written in.

#pragma once

#include <memory>
#include <ostream>
#include <span>

#include "audit/store/recorded_event.h"
#include "audit/store/search.h"
#include "gateway/vocabulary/transcript.h"

namespace sallyport {

// Called by the Player, in order. What a TranscriptViewer is told belongs to the event last given
// to shows().
class Form : public TranscriptViewer {
public:
    virtual void begin(const SessionSummary& session) = 0;

    virtual void opened(const RecordedEvent& event) = 0;
    virtual void decided(const RecordedEvent& event,
                         std::span<const ShownParameter> parameters) = 0;
    virtual void shows(const RecordedEvent& event) = 0;
    virtual void ended(const RecordedEvent& event) = 0;
    // Input, a cancel request, the end of the session.
    virtual void other(const RecordedEvent& event) = 0;

    virtual void end() = 0;
};

// For people, with tables as psql draws them. Nothing recorded reaches the terminal unchanged.
std::unique_ptr<Form> text_form(std::ostream& out);

// One JSON object a line, the first for the session: docs/audit-format.md, "Replay as JSON". ASCII
// only.
std::unique_ptr<Form> json_form(std::ostream& out);

// The statements that were executed, as a script; everything else is comment. inert: for a
// terminal, where control characters in statements become escapes.
std::unique_ptr<Form> sql_form(std::ostream& out, bool inert);

}  // namespace sallyport
