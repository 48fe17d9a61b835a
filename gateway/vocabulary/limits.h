// Bounds a policy puts on a session.

#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

namespace sallyport {

struct SessionLimits {
    std::optional<std::uint64_t> rows;  // of one command's result
    std::optional<std::chrono::seconds> session;
    std::optional<std::chrono::seconds> idle;
};

}  // namespace sallyport
