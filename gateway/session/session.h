// The session engine: one verified person speaking to one target.
//
// Protocols call it and it calls no protocol. It is the only place that combines policy, masking,
// audit and recording, and it never sees a wire byte it has to understand. A Session stays on one
// thread.
//
//     begin(command) -> Exchange          decided and recorded, or refused
//     permit_to_forward() -> ForwardPermit   what was begun may go to the target
//     exchange.shown(bytes)               what the client is about to see, masked already
//     permit_to_show() -> ShowPermit      it may go to the client
//     exchange.finish(outcome)            how the command ended

#pragma once

#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/masking/mask_plan.h"
#include "gateway/session/exchange.h"
#include "gateway/session/permit.h"
#include "gateway/targets/target.h"
#include "gateway/vocabulary/column.h"
#include "gateway/vocabulary/command.h"
#include "gateway/vocabulary/identity.h"
#include "gateway/vocabulary/ids.h"
#include "gateway/vocabulary/limits.h"
#include "gateway/vocabulary/result.h"

namespace sallyport {

class EffectivePolicy;
class Journal;
struct Ruling;
struct Event;
enum class EventKind : std::uint8_t;

class Session {
public:
    Session(const Session&) = delete;
    Session& operator=(const Session&) = delete;
    // Records that the session ended, if close() did not.
    ~Session();

    const Uuid& id() const { return id_; }
    const Identity& who() const { return who_; }
    const Connection& connection() const { return *connection_; }
    const std::shared_ptr<const Connection>& shared_connection() const { return connection_; }
    const MaskRules& masks() const;
    const SessionLimits& limits() const;
    std::chrono::steady_clock::time_point opened_at() const { return opened_at_; }

    // Whether begin() would permit the command; records nothing.
    bool allows(const std::shared_ptr<const Command>& command) const;

    // Whether nothing of another class than these is allowed or held for approval.
    bool permits_only(const Vocabulary& vocabulary, ClassSet classes) const;

    // Whether a `columns:` mask of anybody's names the place, on whatever connection.
    bool masked_for_anyone(std::string_view place) const;

    // Whether everything in the vocabulary is allowed, and nobody's mask names a column: then what
    // a command is called decides nothing.
    bool is_unrestricted(const Vocabulary& vocabulary) const;

    // What a result with these columns must not show. Fault::refused where a column cannot be
    // traced and the policy refuses such results. The plan is valid as long as the session.
    Result<MaskPlan> plan(std::span<const Column> columns) const;

    // Decides on a command and records decision, text and parameters (the protocol's own bytes).
    // An Exchange where it may be sent, once permit_to_forward() says so; Fault::refused with the
    // reason for the client in Error::detail and rule and session in Error::context;
    // Fault::unrecorded where it could not be recorded: the session must end. Valid until the
    // session is destroyed.
    Result<Exchange> begin(const std::shared_ptr<const Command>& command,
                           std::span<const Bytes> parameters);

    // Refuses a command for a reason of the protocol's own (a column that cannot be traced, a
    // message that must not pass) and records it like any refusal. The Error is what begin() would
    // have given.
    Error refuse(const std::shared_ptr<const Command>& command, std::span<const Bytes> parameters,
                 std::string_view reason);

    // Completes once every command begun that does more than read is as safe as the connection's
    // durability asks. At once where only reads were begun.
    boost::asio::awaitable<Result<ForwardPermit>> permit_to_forward();

    // Records what was shown since the last call and completes once every command begun is as safe
    // as the connection's durability asks of a read.
    boost::asio::awaitable<Result<ShowPermit>> permit_to_show();

    // The same permits where nothing has to be waited for, without a coroutine. Nothing where it
    // has, or where evidence could not be kept: then the awaited one waits, or says why.
    std::optional<ForwardPermit> forward_permit_now() const;
    std::optional<ShowPermit> show_permit_now();

    // Records what the client is about to see outside any exchange (a notification).
    void shown_unasked(Bytes bytes);

    void record_cancel();

    // Records the end of the session. Nothing may be begun or shown afterwards.
    void close(std::string_view why);

    // False once the configuration in force no longer has this identity: the session must end.
    bool still_holds() const;

private:
    friend class Gate;
    friend class Exchange;
    struct Parts;

    explicit Session(std::unique_ptr<Parts> parts);

    Result<void> append(Event& event);
    Error refusal(std::uint32_t command, std::string words, std::string context);
    void show_pending();

    std::unique_ptr<Parts> parts_;
    Uuid id_;
    Identity who_;
    std::shared_ptr<const Connection> connection_;
    std::chrono::steady_clock::time_point opened_at_;
};

}  // namespace sallyport
