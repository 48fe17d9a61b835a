#include "gateway/config/state_keys.h"

#include <array>
#include <cerrno>
#include <fcntl.h>
#include <optional>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>
#include <utility>

#include "gateway/digest/digest.h"

namespace sallyport {

namespace {

constexpr std::size_t key_size = 32;

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

tl::unexpected<Error> trouble(const std::filesystem::path& path, const std::string& what)
{
    return failure(Fault::unavailable, "key file " + path.string() + " " + what);
}

std::string reason(int number)
{
    return std::generic_category().message(number);
}

// Nothing where there is no such file.
Result<std::optional<std::string>> load(const std::filesystem::path& path)
{
    const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
    if (!file.is_open()) {
        if (errno == ENOENT)
            return std::nullopt;
        return trouble(path, "cannot be opened: " + reason(errno));
    }
    struct stat status = {};
    if (::fstat(file.number(), &status) != 0)
        return trouble(path, "cannot be examined: " + reason(errno));
    if (!S_ISREG(status.st_mode))
        return trouble(path, "is not a regular file");
    if ((status.st_mode & (S_IRWXG | S_IRWXO)) != 0)
        return trouble(path, "can be read or changed by others than its owner; chmod 600 it");
    if (std::cmp_not_equal(status.st_size, key_size))
        return trouble(path, "holds " + std::to_string(status.st_size) +
                                 " bytes instead of 32; restore it from a backup, or remove it and "
                                 "accept that hashed values change");
    std::string key(key_size, '\0');
    if (::pread(file.number(), key.data(), key.size(), 0) != std::ssize(key))
        return trouble(path, "cannot be read: " + reason(errno));
    return key;
}

// A whole, synced file beside the path, under a name nobody else uses.
Result<std::filesystem::path> write_beside(const std::filesystem::path& path, std::string_view key)
{
    std::array<std::byte, 8> suffix{};
    fill_random(suffix);
    std::filesystem::path draft = path;
    draft += "." + to_hex(suffix);
    const Descriptor file(
        ::open(draft.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (!file.is_open())
        return trouble(path, "cannot be made: " + reason(errno));
    if (::write(file.number(), key.data(), key.size()) != std::ssize(key) ||
        ::fsync(file.number()) != 0) {
        const int number = errno;
        ::unlink(draft.c_str());
        return trouble(path, "cannot be written: " + reason(number));
    }
    return draft;
}

Result<void> sync_folder(const std::filesystem::path& path)
{
    const std::filesystem::path folder = path.has_parent_path() ? path.parent_path() : ".";
    const Descriptor descriptor(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!descriptor.is_open() || ::fsync(descriptor.number()) != 0)
        return trouble(path, "cannot be made durable: " + reason(errno));
    return {};
}

}  // namespace

Result<std::string> load_or_make_key(const std::filesystem::path& path)
{
    TRY(found, load(path));
    if (found)
        return *std::move(found);

    std::string key(key_size, '\0');
    fill_random(std::as_writable_bytes(std::span(key.data(), key.size())));
    TRY(draft, write_beside(path, key));
    // A link fails where the name is taken; a rename would replace another process's key.
    const bool linked = ::link(draft.c_str(), path.c_str()) == 0;
    const int number = errno;
    ::unlink(draft.c_str());
    if (!linked && number != EEXIST)
        return trouble(path, "cannot be made: " + reason(number));
    if (auto synced = sync_folder(path); !synced)
        return tl::unexpected(std::move(synced).error());
    TRY(made, load(path));
    if (!made)
        return trouble(path, "disappeared while it was made");
    return *std::move(made);
}

}  // namespace sallyport
