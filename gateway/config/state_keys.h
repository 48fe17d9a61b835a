// The gateway's own random keys in its state directory: mask.key, decoy.key.

#pragma once

#include <filesystem>
#include <string>

#include "gateway/vocabulary/result.h"

namespace sallyport {

// The 32 bytes in the file; where there is none, it is made of random ones, readable by its owner
// only. The file appears with its whole content or not at all, and of two processes that make it at
// once both get the same bytes. Fault::unavailable where the file cannot be made or read, is of
// another size or can be read by others: a key is never replaced, because what was hashed or
// decoyed under it would change.
Result<std::string> load_or_make_key(const std::filesystem::path& path);

}  // namespace sallyport
