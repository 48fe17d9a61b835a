#include "gateway/edge/system_authorities.h"

#include <array>
#include <cstdint>
#include <cstdlib>
#include <mutex>
#include <openssl/x509.h>
#include <sys/stat.h>
#include <sys/types.h>

namespace sallyport {

namespace {

// Tells one content of a file or folder from the next; zeros where it is not there.
struct Version {
    ino_t file = 0;
    off_t size = 0;
    std::int64_t seconds = 0;
    std::int64_t nanoseconds = 0;

    bool operator==(const Version&) const = default;
};

Version version_of(const char* variable, const char* usual)
{
    const char* const named = std::getenv(variable);
    struct stat status {};
    if (::stat(named != nullptr ? named : usual, &status) != 0)
        return {};
    return {status.st_ino, status.st_size, status.st_mtim.tv_sec, status.st_mtim.tv_nsec};
}

struct Kept {
    std::mutex mutex;
    std::shared_ptr<X509_STORE> store;
    std::array<Version, 2> of{};
};

}  // namespace

std::shared_ptr<X509_STORE> system_authorities()
{
    static Kept kept;
    const std::array now{version_of(X509_get_default_cert_file_env(), X509_get_default_cert_file()),
                         version_of(X509_get_default_cert_dir_env(), X509_get_default_cert_dir())};
    // Whoever comes while they are read waits for them, instead of reading them as well.
    const std::scoped_lock lock(kept.mutex);
    if (kept.store && kept.of == now)
        return kept.store;
    std::shared_ptr<X509_STORE> made(X509_STORE_new(), X509_STORE_free);
    if (!made || X509_STORE_set_default_paths(made.get()) != 1)
        return nullptr;
    kept.store = made;
    kept.of = now;
    return made;
}

}  // namespace sallyport
