#include "audit/trail/journal_segment.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <fmt/format.h>
#include <span>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

#include "gateway/digest/digest.h"

namespace sallyport {

namespace {

constexpr std::string_view magic = "SPJRNL01";

struct Header {
    char magic[8];
    Position first;
    std::uint32_t crc;    // of the two above
    std::uint32_t zeros;  // so that every octet written is one of a member
};
static_assert(sizeof(Header) <= segment_header_size);

Header header_for(Position first)
{
    Header header{};
    std::memcpy(header.magic, magic.data(), sizeof header.magic);
    header.first = first;
    header.crc = crc32c(std::as_bytes(std::span(&header, 1)).first(offsetof(Header, crc)));
    return header;
}

tl::unexpected<Error> unrecorded(std::string_view what, const std::string& path, int error)
{
    return failure(Fault::unrecorded, fmt::format("journal: cannot {} {}: {}", what, path,
                                                  std::generic_category().message(error)));
}

std::byte* map(int file, std::uint64_t size, int protection)
{
    void* const address = ::mmap(nullptr, size, protection, MAP_SHARED, file, 0);
    return address == MAP_FAILED ? nullptr : static_cast<std::byte*>(address);
}

}  // namespace

std::string segment_file_name(Position first)
{
    return fmt::format("{:020}.seg", first);
}

Result<JournalSegment> JournalSegment::create(const std::string& path, std::uint64_t capacity,
                                              JournalDisk& disk)
{
    const std::uint64_t size = segment_header_size + capacity;
    const int file = ::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (file < 0)
        return unrecorded("create", path, errno);
    int error = disk.allocate(file, size);
    const char* step = "reserve disk space for";
    std::byte* mapping = nullptr;
    if (error == 0) {
        step = "map";
        mapping = map(file, size, PROT_READ | PROT_WRITE);
        error = mapping == nullptr ? errno : 0;
    }
    if (error != 0) {
        ::close(file);
        ::unlink(path.c_str());
        return unrecorded(step, path, error);
    }
    return JournalSegment(path, file, mapping, size);
}

Result<JournalSegment> JournalSegment::open(const std::string& path, Position first)
{
    const int file = ::open(path.c_str(), O_RDWR | O_CLOEXEC);
    if (file < 0)
        return unrecorded("open", path, errno);
    struct stat status {};
    if (::fstat(file, &status) != 0) {
        const int error = errno;
        ::close(file);
        return unrecorded("examine", path, error);
    }
    const auto size = static_cast<std::uint64_t>(status.st_size);
    std::byte* const mapping = size < segment_header_size ? nullptr : map(file, size, PROT_READ);
    if (mapping == nullptr) {
        const int error = errno;
        ::close(file);
        if (size >= segment_header_size)
            return unrecorded("map", path, error);
        return failure(Fault::malformed, "journal: " + path + " is too short for a segment");
    }
    JournalSegment segment(path, file, mapping, size);
    segment.first_ = first;
    const Header expected = header_for(first);
    if (std::memcmp(mapping, &expected, sizeof expected) != 0)
        return failure(Fault::malformed, "journal: " + path + " does not begin like that segment");
    return segment;
}

JournalSegment::JournalSegment(JournalSegment&& other) noexcept
    : path_(std::move(other.path_)),
      file_(std::exchange(other.file_, -1)),
      mapping_(std::exchange(other.mapping_, nullptr)),
      mapped_(other.mapped_),
      first_(other.first_)
{
}

JournalSegment::~JournalSegment()
{
    if (mapping_ != nullptr)
        ::munmap(mapping_, mapped_);
    if (file_ >= 0)
        ::close(file_);
}

Result<void> JournalSegment::place(const std::string& path, Position first, JournalDisk& disk)
{
    // The header first: a file with the name of a segment is one, whenever the process dies.
    const Header header = header_for(first);
    std::memcpy(mapping_, &header, sizeof header);
    if (const int error = disk.rename(path_, path); error != 0)
        return unrecorded("name a segment", path, error);
    path_ = path;
    first_ = first;
    return {};
}

Result<void> JournalSegment::cut(Position end)
{
    if (::ftruncate(file_, static_cast<off_t>(segment_header_size + (end - first_))) != 0)
        return unrecorded("cut", path_, errno);
    return {};
}

void JournalSegment::remove()
{
    // Where it fails the file is found again, and removed, at the next start.
    (void)::unlink(path_.c_str());
}

}  // namespace sallyport
