// The operations of the journal on its disk that can fail, so that tests can make each of them.

#pragma once

#include <cstdint>
#include <string>

namespace sallyport {

// Each returns 0 or an errno. From any thread.
class JournalDisk {
public:
    virtual ~JournalDisk() = default;

    // posix_fallocate: afterwards writing to the file cannot fail for lack of space, which in a
    // mapping would be a SIGBUS.
    virtual int allocate(int file, std::uint64_t bytes) = 0;

    virtual int rename(const std::string& from, const std::string& to) = 0;

    // fdatasync. On Linux it covers the dirty pages of a shared mapping of the file as well.
    virtual int sync(int file) = 0;

    // fsync of a directory: the names in it.
    virtual int sync_directory(int directory) = 0;
};

class SystemDisk final : public JournalDisk {
public:
    int allocate(int file, std::uint64_t bytes) override;
    int rename(const std::string& from, const std::string& to) override;
    int sync(int file) override;
    int sync_directory(int directory) override;
};

}  // namespace sallyport
