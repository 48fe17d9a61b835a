// Files of the state directory: private, whole, durable.

#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "gateway/vocabulary/result.h"

namespace sallyport {

// Nothing where there is no such file. Fault::unavailable where it cannot be read, is longer than
// the limit, is no regular file, or others than its owner can read or change it.
Result<std::optional<std::string>> load_state_file(const std::string& file, std::size_t limit);

// Makes the file with the whole text: true. Where the name is taken, by whatever, that stays as it
// is: false; so of several who make it at once one is told true. Durable once this returns, whoever
// made it. Fault::unavailable where it cannot be made.
Result<bool> create_state_file(const std::string& file, std::string_view text);

// The whole text in the file's place, or the file as it was; durable once this returns.
// Fault::unavailable where that fails.
Result<void> replace_state_file(const std::string& file, std::string_view text);

// Appends, making the file where there is none, which is `size` bytes long. Durable once this
// returns, where it shall be. Where it fails the file is as it was, unless that cannot be done
// either: then `spoilt` is true, and the file has to be replaced before anything is appended.
Result<void> append_to_state_file(const std::string& file, std::string_view text, std::size_t size,
                                  bool durable, bool& spoilt);

}  // namespace sallyport
