// A frame: the leaf of the log, hashed and stored exactly as written here.
// Format: docs/audit-format.md, "Frames". One writer (FrameBuilder), one reader (parse_frame).

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "audit/store/part.h"
#include "audit/store/recorded_event.h"
#include "audit/trail/event.h"
#include "gateway/digest/digest.h"
#include "gateway/vocabulary/ids.h"
#include "gateway/vocabulary/result.h"

namespace sallyport {

inline constexpr std::size_t leaf_size_limit = 65536;  // a leaf is smaller
inline constexpr std::size_t events_in_frame = 200;
// A frame is closed before its part grows beyond; a single larger event stands alone.
inline constexpr std::size_t part_size_aim = std::size_t{1} << 20;

struct Frame {
    std::string leaf;
    std::int64_t time_ms = 0;  // of its first event, as the leaf has it
    Uuid session;              // all zero: the gateway's own
    std::uint32_t first_number = 0;
    std::uint16_t events = 0;
    std::uint64_t wseq = 0;
    std::optional<SealedPart> masked;
    std::optional<SealedPart> identity;

    std::size_t size() const;
};

// RFC 6962, section 2.1: SHA-256 of a zero octet and the leaf.
Sha256 leaf_hash(std::string_view leaf);

// No frame of the session is older: its id holds the time it was made, if this gateway made it.
std::int64_t earliest_frame_ms(const Uuid& session);

// The time under which the store keeps a frame of `session`, and its parts: the leaf's, but not
// before earliest_frame_ms(), so that a clock set back hides nothing from a search.
std::int64_t kept_at_ms(const Uuid& session, std::int64_t time_ms);

// The same for every frame of this start of the gateway.
struct FrameOrigin {
    std::string gateway;
    std::string boot;  // a UUID
    std::string log;   // the log's name
};

// What a gateway that did not stop in order leaves behind.
struct LostBoot {
    std::string boot;
    std::uint64_t last_wseq = 0;
};

// Gathers the events of one session, or of the gateway itself, into one frame at a time.
class FrameBuilder {
public:
    bool empty() const { return events_ == 0; }
    // Octets held for the frame that is being built.
    std::size_t size() const { return skeletons_.size() + masked_.size() + identity_.size(); }

    // Whether the event would break a limit of the frame that is being built.
    bool full_for(const Event& event) const;

    // The event counts as number `number`. `lost` belongs to gateway_lost.
    void add(const Event& event, std::uint32_t number, const LostBoot* lost = nullptr);

    // The frame of everything added since; not empty. `previous` is the hash of the session's last
    // frame, absent for its first.
    Frame finish(const FrameOrigin& origin, std::uint64_t wseq, const Uuid& session,
                 std::string_view policy, const std::optional<Sha256>& previous,
                 PartSealer& sealer);

private:
    void write_skeleton(const Event& event, std::uint32_t number, const LostBoot* lost);

    std::string skeletons_;  // JSON objects, separated by commas
    PartWriter masked_;
    PartWriter identity_;
    std::uint16_t events_ = 0;
    std::uint32_t first_number_ = 0;
    std::int64_t time_ms_ = 0;
};

// A leaf as it is read back.
struct ParsedFrame {
    std::string gateway;
    std::string boot;
    std::string log;
    std::string policy;
    std::optional<Uuid> session;
    std::optional<Sha256> previous;
    std::optional<Sha256> masked;  // commitments
    std::optional<Sha256> identity;
    std::uint32_t first_number = 0;
    std::int64_t time_ms = 0;
    std::uint64_t wseq = 0;
    std::vector<RecordedEvent> events;  // without text and payload
};

// Fault::malformed where the leaf is not a frame of version 1.
Result<ParsedFrame> parse_frame(std::string_view leaf);

}  // namespace sallyport
