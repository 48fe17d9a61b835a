#include "audit/trail/journal_disk.h"

#include <cerrno>
#include <cstdio>
#include <fcntl.h>
#include <unistd.h>

namespace sallyport {

int SystemDisk::allocate(int file, std::uint64_t bytes)
{
    return ::posix_fallocate(file, 0, static_cast<off_t>(bytes));
}

int SystemDisk::rename(const std::string& from, const std::string& to)
{
    return std::rename(from.c_str(), to.c_str()) == 0 ? 0 : errno;
}

int SystemDisk::sync(int file)
{
    return ::fdatasync(file) == 0 ? 0 : errno;
}

int SystemDisk::sync_directory(int directory)
{
    return ::fsync(directory) == 0 ? 0 : errno;
}

}  // namespace sallyport
