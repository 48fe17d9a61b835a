// Reads the journal's records in order, while it is being written: the shipper's view of it.

#pragma once

#include "audit/trail/journal_file.h"
#include "audit/trail/record.h"

namespace sallyport {

class JournalReader {
public:
    // Begins with the first record at or behind `from`, usually journal.committed_up_to(). The
    // journal outlives this. To be used on the thread that calls mark_committed().
    JournalReader(const JournalFile& journal, Position from) : journal_(journal), position_(from) {}

    struct Entry {
        Position end;
        // Views into the journal: valid until mark_committed() reaches `end`, at least until the
        // next call of next().
        EventRecord record;
    };

    // The next record, or nothing when everything written has been read. Fault::unrecorded when a
    // record does not pass its checksum any more.
    Result<std::optional<Entry>> next();

    // Behind the last record that was read.
    Position position() const { return position_; }

private:
    const JournalFile& journal_;
    Position position_;
    JournalFile::Readable here_;
};

}  // namespace sallyport
