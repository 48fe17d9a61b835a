// What the gateway remembers: one thing that happened in a session, or to the gateway itself.
//
// An Event is split in two by who may see it. The skeleton (everything but text and payload) goes
// into the signed log and stays for years: it holds no statement, name or address. Text and payload
// go into parts, which are committed to by the log and can be erased without breaking it.
// Encoded form: docs/audit-format.md.

#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "gateway/vocabulary/bytes.h"
#include "gateway/vocabulary/ids.h"

namespace sallyport {

enum class EventKind : std::uint8_t {
    gateway_started = 1,  // text: version and configuration hash
    gateway_stopped = 2,
    configuration_loaded = 3,   // text: JSON, what changed and the hash
    configuration_refused = 4,  // text: JSON, where and why
    login_refused = 5,          // text (identity class): JSON, who, from where and why
    session_opened = 6,         // text (identity class): JSON, see docs/audit-format.md
    session_closed = 7,         // text: why it ended
    command_decided = 8,        // text: the command; payload: its parameters, protocol's own bytes
    output_shown = 9,           // payload: what the client saw, protocol's own bytes, masked
    input_sent = 10,            // payload: what followed the command (COPY data, standard input)
    command_ended = 11,         // text: summary or refusal; payload: output not in an output_shown
    cancel_requested = 12,
    gateway_lost = 13,  // an earlier start ended without gateway_stopped; found at the next start
    session_aborted = 14,  // open when the gateway was lost; written by the next start
};

// The name used in frames: "command", "output", "session.open" ...; empty for no kind.
std::string_view name_of(EventKind kind);
std::optional<EventKind> event_kind_named(std::string_view name);

enum class Decision : std::uint8_t { none = 0, allowed = 1, denied = 2, held = 3 };

std::string_view name_of(Decision decision);  // "none", "allowed" ...; empty for no decision
std::optional<Decision> decision_named(std::string_view name);

// A view: everything it points to must be valid for the call it is passed to.
struct Event {
    EventKind kind;
    Uuid session{};            // all zero for events of the gateway itself
    std::uint32_t number = 0;  // 1, 2, 3 ... within the session, without gaps
    std::int64_t time_ms = 0;  // since 1970, the gateway's clock

    std::uint32_t command = 0;  // the number of the command_decided event this one belongs to
    Decision decision = Decision::none;
    std::string_view classes;   // command_decided: "select delete"
    std::string_view rule;      // command_decided: the rule that decided
    std::string_view protocol;  // session_opened: "postgres"
    std::string_view policy;    // session_opened: hash of the policy snapshot, "sha256:..."

    // command_ended only.
    bool succeeded = false;
    std::uint64_t rows = 0;
    std::uint64_t masked_values = 0;
    std::uint64_t bytes = 0;           // shown to the client in answer to this command
    std::uint64_t bytes_left_out = 0;  // of these, not recorded because a cap was met
    std::uint64_t duration_us = 0;
    std::optional<std::array<std::byte, 32>>
        digest;  // SHA-256 of everything shown, when some was left out

    std::string_view text;
    std::span<const Bytes> payload;  // in this order, as one run of bytes
};

}  // namespace sallyport
