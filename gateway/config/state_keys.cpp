#include "gateway/config/state_keys.h"

#include <cstddef>
#include <optional>
#include <span>
#include <utility>

#include "gateway/digest/digest.h"
#include "gateway/state/state_file.h"

namespace sallyport {

namespace {

constexpr std::size_t key_size = 32;
// More than a key, so that the message can say how much a wrong file holds.
constexpr std::size_t longest_file = 4096;

// Nothing where there is no such file.
Result<std::optional<std::string>> load(const std::string& file)
{
    TRY(key, load_state_file(file, longest_file));
    if (key && key->size() != key_size)
        return failure(Fault::unavailable,
                       "state file " + file + " holds " + std::to_string(key->size()) +
                           " bytes instead of 32; restore it from a backup, or remove it and "
                           "accept that hashed values change");
    return std::move(key);
}

}  // namespace

Result<std::string> load_or_make_key(const std::filesystem::path& path)
{
    const std::string file = path.string();
    TRY(found, load(file));
    if (found)
        return *std::move(found);

    std::string key(key_size, '\0');
    fill_random(std::as_writable_bytes(std::span(key)));
    TRY(made, create_state_file(file, key));
    if (made)
        return key;
    // Another process was first, and uses its own already.
    TRY(other, load(file));
    if (!other)
        return failure(Fault::unavailable, "state file " + file + " disappeared while it was made");
    return *std::move(other);
}

}  // namespace sallyport
