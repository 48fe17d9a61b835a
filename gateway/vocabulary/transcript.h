// What a recording shows, in words every protocol shares.
//
// Recordings are the very bytes a client saw. Each protocol brings a Transcript that turns its own
// bytes into these words, for viewers that know no protocol. All text here comes from strangers: a
// viewer makes it harmless for whatever it writes to.

#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/vocabulary/bytes.h"

namespace sallyport {

struct ShownColumn {
    std::string label;
    std::string type;  // the target's word for it; empty where not known
    bool number = false;
};

// Nothing for the target's null.
using ShownValue = std::optional<std::string>;

struct ShownParameter {
    std::string type;
    ShownValue value;
    std::optional<std::uint64_t> left_out;  // its size, where it was not recorded
};

// A notice or an error.
struct ShownMessage {
    std::string severity;
    std::string code;
    std::string text;
    std::string detail;
    std::string hint;
};

// Told what a command showed, in order.
class TranscriptViewer {
public:
    virtual ~TranscriptViewer() = default;

    // A table begins, the rows follow. Rows without it have no known columns.
    virtual void columns(std::span<const ShownColumn> columns) = 0;
    virtual void row(std::span<const ShownValue> values) = 0;
    // One result of the command is complete: "SELECT 3".
    virtual void completed(std::string_view summary) = 0;
    virtual void message(const ShownMessage& message) = 0;
    // Bytes that are a stream rather than a table.
    virtual void stream(Bytes bytes) = 0;
    // Anything else worth a line: a notification, or what could not be understood.
    virtual void aside(std::string_view text) = 0;
};

// The recording of one session, given in order. Never fails: what cannot be understood is an aside.
class Transcript {
public:
    virtual ~Transcript() = default;

    // What command_decided recorded beside its text.
    virtual std::vector<ShownParameter> parameters(Bytes payload) = 0;

    // What output_shown or command_ended recorded, for a command's number; 0 for what was not asked
    // for.
    virtual void shown(std::uint32_t command, Bytes payload, TranscriptViewer& viewer) = 0;

    // Nothing more of this command follows.
    virtual void ended(std::uint32_t command, TranscriptViewer& viewer) = 0;
};

using MakeTranscript = std::unique_ptr<Transcript> (*)();

}  // namespace sallyport
