#include "audit/trail/record.h"

#include <algorithm>
#include <bit>
#include <concepts>
#include <cstring>
#include <string>
#include <tuple>

#include "gateway/digest/digest.h"

namespace sallyport {

namespace {

static_assert(std::endian::native == std::endian::little, "the journal is little endian");

constexpr std::uint8_t body_version = 1;

constexpr std::uint8_t flag_succeeded = 1;
constexpr std::uint8_t flag_counts = 2;  // the five counts of command_ended follow
constexpr std::uint8_t flag_digest = 4;  // 32 octets of digest follow
constexpr std::uint8_t known_flags = flag_succeeded | flag_counts | flag_digest;

class Writer {
public:
    explicit Writer(MutableBytes into) : at_(into.data()) {}

    template <std::integral Number>
    void number(Number value)
    {
        std::memcpy(at_, &value, sizeof value);
        at_ += sizeof value;
    }
    void bytes(Bytes bytes)
    {
        if (!bytes.empty())  // an empty view may have no address
            std::memcpy(at_, bytes.data(), bytes.size());
        at_ += bytes.size();
    }
    std::byte* at() const { return at_; }

private:
    std::byte* at_;
};

// Takes nothing beyond the end: `short_of()` is asked before.
class Reader {
public:
    explicit Reader(Bytes bytes) : left_(bytes) {}

    bool short_of(std::uint64_t size) const { return left_.size() < size; }
    template <std::integral Number>
    Number number()
    {
        Number value;
        std::memcpy(&value, left_.data(), sizeof value);
        left_ = left_.subspan(sizeof value);
        return value;
    }
    Bytes bytes(std::size_t size)
    {
        const Bytes taken = left_.first(size);
        left_ = left_.subspan(size);
        return taken;
    }
    std::size_t left() const { return left_.size(); }

private:
    Bytes left_;
};

std::size_t payload_size(const Event& event)
{
    std::size_t size = 0;
    for (const Bytes piece : event.payload)
        size += piece.size();
    return size;
}

bool has_counts(const Event& event)
{
    return (event.rows | event.masked_values | event.bytes | event.bytes_left_out |
            event.duration_us) != 0;
}

std::uint32_t length_of(std::size_t size)
{
    return static_cast<std::uint32_t>(size);
}

// The checksum of a record: its body, then where it stands and how long it is, so that neither a
// record moved elsewhere nor one of another length passes.
std::uint32_t record_crc(std::uint32_t body_crc, Position start, std::uint32_t body_size)
{
    std::array<std::byte, 12> place{};
    Writer writer(place);
    writer.number(start);
    writer.number(body_size);
    return crc32c(place, body_crc);
}

}  // namespace

EncodedRecord::EncodedRecord(const Event& event) : event_(event)
{
    const bool counts = has_counts(event);
    std::uint8_t flags = 0;
    if (event.succeeded)
        flags |= flag_succeeded;
    if (counts)
        flags |= flag_counts;
    if (event.digest)
        flags |= flag_digest;
    const std::size_t payload = payload_size(event);

    Writer writer(head_);
    writer.number(body_version);
    writer.number(static_cast<std::uint8_t>(event.kind));
    writer.number(static_cast<std::uint8_t>(event.decision));
    writer.number(flags);
    writer.number(event.number);
    writer.bytes(std::as_bytes(std::span(event.session.octets)));
    writer.number(event.time_ms);
    writer.number(event.command);
    for (const std::size_t size : {event.classes.size(), event.rule.size(), event.protocol.size(),
                                   event.policy.size(), event.text.size(), payload})
        writer.number(length_of(size));
    if (counts) {
        writer.number(event.rows);
        writer.number(event.masked_values);
        writer.number(event.bytes);
        writer.number(event.bytes_left_out);
        writer.number(event.duration_us);
    }
    if (event.digest)
        writer.bytes(*event.digest);
    head_size_ = static_cast<std::size_t>(writer.at() - head_.data());

    body_size_ = head_size_ + payload;
    for (const std::string_view text :
         {event.classes, event.rule, event.protocol, event.policy, event.text})
        body_size_ += text.size();
}

void EncodedRecord::write_to(MutableBytes into, Position start) const
{
    Writer body(into.subspan(record_header_size));
    body.bytes(Bytes(head_).first(head_size_));
    for (const std::string_view text :
         {event_.classes, event_.rule, event_.protocol, event_.policy, event_.text})
        body.bytes(bytes_of(text));
    for (const Bytes piece : event_.payload)
        body.bytes(piece);
    // The checksum of what was written, in one go: pieces cost more than bytes.
    const std::uint32_t crc = crc32c(into.subspan(record_header_size));
    const std::uint32_t body_size = length_of(body_size_);
    Writer header(into);
    header.number(body_size);
    header.number(record_crc(crc, start, body_size));
}

Result<EventRecord> EventRecord::parse(Bytes body)
{
    const auto malformed = [](const char* what) {
        return failure(Fault::malformed, std::string("journal record: ") + what);
    };
    Reader reader(body);
    if (reader.short_of(record_fixed_size))
        return malformed("shorter than its fixed fields");
    if (reader.number<std::uint8_t>() != body_version)
        return malformed("unknown version");

    EventRecord record;
    Event& event = record.event_;
    event.kind = static_cast<EventKind>(reader.number<std::uint8_t>());
    event.decision = static_cast<Decision>(reader.number<std::uint8_t>());
    const auto flags = reader.number<std::uint8_t>();
    if (name_of(event.kind).empty())
        return malformed("unknown kind of event");
    if (name_of(event.decision).empty())
        return malformed("unknown decision");
    if ((flags & ~known_flags) != 0)
        return malformed("unknown flags");
    event.number = reader.number<std::uint32_t>();
    const Bytes session = reader.bytes(event.session.octets.size());
    std::memcpy(event.session.octets.data(), session.data(), session.size());
    event.time_ms = reader.number<std::int64_t>();
    event.command = reader.number<std::uint32_t>();
    std::array<std::uint32_t, 6> sizes{};
    std::uint64_t total = 0;
    for (std::uint32_t& size : sizes) {
        size = reader.number<std::uint32_t>();
        total += size;
    }
    event.succeeded = (flags & flag_succeeded) != 0;
    const bool counts = (flags & flag_counts) != 0;
    const bool digest = (flags & flag_digest) != 0;
    if (counts)
        total += record_counts_size;
    if (digest)
        total += std::tuple_size_v<Sha256>;
    if (reader.left() != total)
        return malformed("its lengths do not add up");

    if (counts) {
        event.rows = reader.number<std::uint64_t>();
        event.masked_values = reader.number<std::uint64_t>();
        event.bytes = reader.number<std::uint64_t>();
        event.bytes_left_out = reader.number<std::uint64_t>();
        event.duration_us = reader.number<std::uint64_t>();
        if (!has_counts(event))
            return malformed("counts that are all zero");
    }
    if (digest) {
        Sha256 value;
        std::ranges::copy(reader.bytes(value.size()), value.begin());
        event.digest = value;
    }
    event.classes = text_of(reader.bytes(sizes[0]));
    event.rule = text_of(reader.bytes(sizes[1]));
    event.protocol = text_of(reader.bytes(sizes[2]));
    event.policy = text_of(reader.bytes(sizes[3]));
    event.text = text_of(reader.bytes(sizes[4]));
    record.payload_ = reader.bytes(sizes[5]);
    return record;
}

ReadRecord read_record(Bytes bytes, Position start)
{
    using State = ReadRecord::State;
    Reader reader(bytes);
    if (reader.short_of(record_header_size)) {
        const bool zeros =
            std::ranges::all_of(bytes, [](std::byte octet) { return octet == std::byte{}; });
        return {.state = zeros ? State::none : State::bad};
    }
    const auto body_size = reader.number<std::uint32_t>();
    const auto crc = reader.number<std::uint32_t>();
    if (body_size == 0)
        return {.state = crc == 0 ? State::none : State::bad};
    if (body_size > record_size_limit - record_header_size || reader.short_of(body_size))
        return {.state = State::bad};
    const Bytes body = reader.bytes(body_size);
    if (record_crc(crc32c(body), start, body_size) != crc)
        return {.state = State::bad};
    const auto record = EventRecord::parse(body);
    if (!record)
        return {.state = State::bad};
    return {.state = State::whole, .size = record_header_size + body_size, .record = *record};
}

ScannedRecords scan_records(Bytes bytes, Position start,
                            const std::function<void(const EventRecord&, Position end)>& each)
{
    ScannedRecords scanned{.end = start};
    std::size_t at = 0;
    while (true) {
        const ReadRecord read = read_record(bytes.subspan(at), scanned.end);
        if (read.state != ReadRecord::State::whole)
            break;
        at += read.size;
        scanned.end += read.size;
        ++scanned.records;
        if (each)
            each(read.record, scanned.end);
    }
    std::size_t used = bytes.size();
    while (used > at && bytes[used - 1] == std::byte{})
        --used;
    scanned.discarded = used - at;
    return scanned;
}

}  // namespace sallyport
