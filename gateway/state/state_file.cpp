#include "gateway/state/state_file.h"

#include <array>
#include <cerrno>
#include <fcntl.h>
#include <filesystem>
#include <sys/stat.h>
#include <sys/types.h>
#include <system_error>
#include <unistd.h>
#include <utility>

#include "gateway/digest/digest.h"

namespace sallyport {

namespace {

class Descriptor final {
public:
    explicit Descriptor(int number) : number_(number) {}
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    ~Descriptor()
    {
        if (number_ >= 0)
            ::close(number_);
    }

    int number() const { return number_; }
    bool is_open() const { return number_ >= 0; }

private:
    int number_;
};

tl::unexpected<Error> trouble(const std::string& file, const std::string& what)
{
    return failure(Fault::unavailable, "state file " + file + " " + what);
}

std::string reason(int number)
{
    return std::generic_category().message(number);
}

bool write_all(int descriptor, std::string_view text)
{
    while (!text.empty()) {
        const ssize_t count = ::write(descriptor, text.data(), text.size());
        if (count < 0 && errno == EINTR)
            continue;
        if (count <= 0)
            return false;
        text.remove_prefix(static_cast<std::size_t>(count));
    }
    return true;
}

// Writes and syncs a file beside it, under a name nobody else uses; returns that name.
Result<std::string> write_beside(const std::string& file, std::string_view text)
{
    std::array<std::byte, 8> suffix{};
    fill_random(suffix);
    std::string draft = file + "." + to_hex(suffix);
    const Descriptor descriptor(
        ::open(draft.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (!descriptor.is_open())
        return trouble(file, "cannot be made: " + reason(errno));
    if (!write_all(descriptor.number(), text) || ::fsync(descriptor.number()) != 0) {
        const int number = errno;
        ::unlink(draft.c_str());
        return trouble(file, "cannot be written: " + reason(number));
    }
    return draft;
}

// The names in a file's directory.
Result<void> sync_folder(const std::string& file)
{
    std::filesystem::path folder = std::filesystem::path(file).parent_path();
    if (folder.empty())
        folder = ".";
    const Descriptor descriptor(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!descriptor.is_open() || ::fsync(descriptor.number()) != 0)
        return trouble(file, "cannot be made durable: " + reason(errno));
    return {};
}

}  // namespace

Result<std::optional<std::string>> load_state_file(const std::string& file, std::size_t limit)
{
    const Descriptor descriptor(
        ::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
    if (!descriptor.is_open()) {
        if (errno == ENOENT)
            return std::nullopt;
        return trouble(file, "cannot be opened: " + reason(errno));
    }
    struct stat status = {};
    if (::fstat(descriptor.number(), &status) != 0)
        return trouble(file, "cannot be examined: " + reason(errno));
    if (!S_ISREG(status.st_mode))
        return trouble(file, "is not a regular file");
    if ((status.st_mode & (S_IRWXG | S_IRWXO)) != 0)
        return trouble(file, "can be read or changed by others than its owner; chmod 600 it");
    if (std::cmp_greater(status.st_size, limit))
        return trouble(file, "is longer than " + std::to_string(limit) + " bytes");
    std::string text(static_cast<std::size_t>(status.st_size), '\0');
    std::size_t have = 0;
    while (have < text.size()) {
        const ssize_t count = ::pread(descriptor.number(), text.data() + have, text.size() - have,
                                      static_cast<off_t>(have));
        if (count < 0 && errno == EINTR)
            continue;
        if (count <= 0)
            return trouble(file, "cannot be read: " + reason(count < 0 ? errno : EIO));
        have += static_cast<std::size_t>(count);
    }
    return text;
}

Result<bool> create_state_file(const std::string& file, std::string_view text)
{
    TRY(draft, write_beside(file, text));
    // A link fails where the name is taken; a rename would replace what somebody else put there.
    const bool linked = ::link(draft.c_str(), file.c_str()) == 0;
    const int number = errno;
    ::unlink(draft.c_str());
    if (!linked && number != EEXIST)
        return trouble(file, "cannot be made: " + reason(number));
    // The name another process took may not be on the disk yet.
    TRY_DONE(sync_folder(file));
    return linked;
}

Result<void> replace_state_file(const std::string& file, std::string_view text)
{
    TRY(draft, write_beside(file, text));
    if (::rename(draft.c_str(), file.c_str()) != 0) {
        const int number = errno;
        ::unlink(draft.c_str());
        return trouble(file, "cannot be written: " + reason(number));
    }
    return sync_folder(file);
}

Result<void> append_to_state_file(const std::string& file, std::string_view text, std::size_t size,
                                  bool durable, bool& spoilt)
{
    const Descriptor descriptor(
        ::open(file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (!descriptor.is_open())
        return trouble(file, "cannot be opened: " + reason(errno));
    struct stat status = {};
    // Somebody else's bytes would make its lines mean something else.
    if (::fstat(descriptor.number(), &status) != 0 || std::cmp_not_equal(status.st_size, size)) {
        spoilt = true;
        return trouble(file, "is not as this gateway left it");
    }
    if (write_all(descriptor.number(), text) &&
        (!durable || ::fdatasync(descriptor.number()) == 0)) {
        if (size != 0 || !durable)
            return {};
        auto synced = sync_folder(file);
        spoilt = !synced;
        return synced;
    }
    const int number = errno;
    // After a failed sync nobody knows what the disk has: only a new file is certain.
    spoilt = durable || ::ftruncate(descriptor.number(), static_cast<off_t>(size)) != 0;
    return trouble(file, "cannot be written: " + reason(number));
}

}  // namespace sallyport
