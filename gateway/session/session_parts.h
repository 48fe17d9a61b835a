// What a Session holds behind its header, so that protocols cannot name a Journal or a policy.

#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <unordered_map>
#include <vector>

#include "audit/trail/journal.h"
#include "gateway/policy/policy.h"
#include "gateway/session/session.h"
#include "gateway/session/snapshot.h"

namespace sallyport {

struct Session::Parts {
    // A ruling is kept with its command, so that an address is never taken for another command's.
    struct Ruled {
        std::shared_ptr<const Command> command;
        std::shared_ptr<const Ruling> ruling;
        std::string classes;
    };

    // Valid until the next call.
    const Ruled& rule_on(const std::shared_ptr<const Command>& command);

    Journal& journal;
    SnapshotSource& snapshots;
    std::shared_ptr<const Snapshot> snapshot;
    EffectivePolicy policy;

    // By command, or by its actions where the policy does not look at texts.
    std::unordered_map<const void*, Ruled> ruled;
    std::uint32_t last_number = 0;

    Position begun = 0;         // where the last command_decided of a permitted command ends
    Position effect_begun = 0;  // the same for commands that do more than read
    Position effect_safe = 0;   // effects up to here are as safe as durability asks
    Position shown_safe = 0;    // commands up to here are as safe as durability asks of a read

    std::vector<Bytes> pending;         // shown, not yet in the journal
    std::uint32_t pending_command = 0;  // whose; 0 for what nobody asked for

    std::optional<Error> failure;  // evidence could not be kept: no further byte
    bool closed = false;
};

}  // namespace sallyport
