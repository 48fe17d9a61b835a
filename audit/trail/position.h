// A place in the journal's stream of bytes.

#pragma once

#include <cstdint>

namespace sallyport {

// Where a record ends, counted from the first journal of this state directory. Never reused.
using Position = std::uint64_t;

}  // namespace sallyport
