// One event as bytes in the journal: docs/audit-format.md, "Journal records".
//
// One writer (EncodedRecord), one reader (read_record). No files here: the bytes may come from a
// mapping, a damaged disk or a fuzzer.

#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>

#include "audit/trail/event.h"
#include "audit/trail/position.h"
#include "gateway/vocabulary/bytes.h"
#include "gateway/vocabulary/result.h"

namespace sallyport {

// Header of a record: body length and CRC-32C, four octets each, little endian.
inline constexpr std::size_t record_header_size = 8;

// The fields of a body that have a fixed place, before the optional and the variable ones.
inline constexpr std::size_t record_fixed_size = 60;

// The five counts of command_ended, where there are any.
inline constexpr std::size_t record_counts_size = 40;

// A record with its header is never larger; a larger event cannot be kept.
inline constexpr std::size_t record_size_limit = std::size_t{64} << 20;

// A decoded event. A view: valid as long as the bytes it was read from.
class EventRecord {
public:
    // The body of a record, without its header. Fault::malformed when it is not one; accepts
    // exactly what EncodedRecord writes.
    static Result<EventRecord> parse(Bytes body);

    // Its payload points into this EventRecord: valid until that is moved or destroyed.
    Event event() const
    {
        Event whole = event_;
        whole.payload = {&payload_, 1};
        return whole;
    }

    Bytes payload() const { return payload_; }

private:
    Event event_{.kind = EventKind::gateway_started};
    Bytes payload_;
};

// An event on its way into the journal. Keeps views of the event, which outlives it. The checksum
// of the body is computed here, so that write_to() is little more than a copy.
class EncodedRecord {
public:
    explicit EncodedRecord(const Event& event);

    // Octets the record takes in the journal, its header included.
    std::size_t size() const { return record_header_size + body_size_; }

    // `into` has exactly size() octets. `start` is the position at which the record begins: a
    // record that turns up anywhere else does not pass its checksum.
    void write_to(MutableBytes into, Position start) const;

private:
    const Event& event_;
    std::array<std::byte, record_fixed_size + record_counts_size + 32> head_{};
    std::size_t head_size_ = 0;
    std::size_t body_size_ = 0;
};

// What stands at the beginning of some bytes of the journal.
struct ReadRecord {
    enum class State : std::uint8_t {
        whole,  // a record; `size` octets with its header
        none,   // no bytes, or the zeros of space not yet used
        bad,    // torn, damaged or not a record
    };

    State state = State::none;
    std::size_t size = 0;
    EventRecord record{};
};

// `start` is the position at which these bytes begin. Never reads beyond them.
ReadRecord read_record(Bytes bytes, Position start);

// How far the valid records of some bytes reach.
struct ScannedRecords {
    Position end = 0;  // behind the last valid record
    std::uint64_t records = 0;
    // Octets from `end` to the last one that is not zero: a torn record and what comes behind it.
    std::uint64_t discarded = 0;
};

// Reads records from the start of `bytes`, which is at position `start`, until the first that is
// not whole. `each` is called for every record; views are valid as long as `bytes`.
ScannedRecords scan_records(Bytes bytes, Position start,
                            const std::function<void(const EventRecord&, Position end)>& each = {});

}  // namespace sallyport
