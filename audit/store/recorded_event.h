// An event as it is read back from the store.

#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "audit/trail/event.h"

namespace sallyport {

// An Event that owns what it says. Fields as in Event.
struct RecordedEvent {
    EventKind kind{};
    std::uint32_t number = 0;
    std::int64_t time_ms = 0;
    std::uint32_t command = 0;
    Decision decision = Decision::none;
    std::string classes;
    std::string rule;
    std::string protocol;
    std::string policy;
    bool succeeded = false;
    std::uint64_t rows = 0;
    std::uint64_t masked_values = 0;
    std::uint64_t bytes = 0;
    std::uint64_t bytes_left_out = 0;
    std::uint64_t duration_us = 0;
    std::optional<std::array<std::byte, 32>> digest;
    std::string text;
    std::string payload;  // bytes

    // The part that held text and payload has been erased (retention); both are empty.
    bool erased = false;
};

}  // namespace sallyport
