// One file of the journal, preallocated and mapped: docs/audit-format.md, "Journal segments".
//
// A write is a copy into the mapping: the kernel has it from then on, so it survives the death of
// the process, and fdatasync makes it survive the death of the machine. The whole file has its disk
// space before it is mapped; a full disk is an error there and never a SIGBUS here.

#pragma once

#include <cstdint>
#include <string>

#include "audit/trail/journal_disk.h"
#include "audit/trail/position.h"
#include "gateway/vocabulary/bytes.h"
#include "gateway/vocabulary/result.h"

namespace sallyport {

// The header of a segment: magic, first position, CRC-32C of both, zeros.
inline constexpr std::size_t segment_header_size = 64;

// "00000000000000000000.seg": the file of the segment that begins at this position.
std::string segment_file_name(Position first);

class JournalSegment {
public:
    // A new file with room for `capacity` octets of records, not yet at a position. The file must
    // not exist. Fault::unrecorded on any failure, and then there is no file.
    static Result<JournalSegment> create(const std::string& path, std::uint64_t capacity,
                                         JournalDisk& disk);

    // An existing file, checked against the position in its name. Fault::malformed when it is not a
    // segment of that position, Fault::unrecorded when it cannot be read.
    static Result<JournalSegment> open(const std::string& path, Position first);

    JournalSegment(JournalSegment&& other) noexcept;
    JournalSegment& operator=(JournalSegment&&) = delete;
    ~JournalSegment();

    // Gives a created segment its position and its final name. Called once.
    Result<void> place(const std::string& path, Position first, JournalDisk& disk);

    // Cuts an opened file behind this position; it is only read from now on.
    Result<void> cut(Position end);

    // Removes the file; the mapping stays.
    void remove();

    Position first() const { return first_; }
    std::uint64_t capacity() const { return mapped_ - segment_header_size; }
    int file() const { return file_; }
    const std::string& path() const { return path_; }

    // The octets of records, used and unused. Valid until this segment is destroyed; after cut(),
    // not to be touched behind the cut.
    MutableBytes space() { return {mapping_ + segment_header_size, capacity()}; }
    Bytes space() const { return {mapping_ + segment_header_size, capacity()}; }

private:
    JournalSegment(std::string path, int file, std::byte* mapping, std::uint64_t mapped)
        : path_(std::move(path)), file_(file), mapping_(mapping), mapped_(mapped)
    {
    }

    std::string path_;
    int file_;
    std::byte* mapping_;
    std::uint64_t mapped_;
    Position first_ = 0;
};

}  // namespace sallyport
