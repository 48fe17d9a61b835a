// Times as people write and read them. All are UTC.

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace sallyport {

// "2026-11-21T10:00:00.123Z", of milliseconds since 1970.
std::string moment_text(std::int64_t ms);

// "01:02:03.456", of milliseconds since something began; with a minus where it is before that.
std::string clock_text(std::int64_t ms);

// "5.1 ms", "2 m 3 s", of microseconds.
std::string duration_text(std::uint64_t us);

// "2026-11-21", "2026-11-21T10:00", "... 10:00:00.5Z", or how long before now: "90s", "15m", "2h",
// "7d". Milliseconds since 1970; nothing for anything else.
std::optional<std::int64_t> read_moment(std::string_view text, std::int64_t now_ms);

}  // namespace sallyport
