#include "audit/trail/journal_reader.h"

#include <string>

namespace sallyport {

Result<std::optional<JournalReader::Entry>> JournalReader::next()
{
    if (position_ >= here_.end) {
        here_ = journal_.readable_at(position_);
        position_ = here_.from;
        if (position_ >= here_.end)
            return std::nullopt;
    }
    const Position first = here_.segment->first();
    const Bytes bytes = here_.segment->space().subspan(position_ - first, here_.end - position_);
    const ReadRecord read = read_record(bytes, position_);
    if (read.state != ReadRecord::State::whole)
        return failure(Fault::unrecorded, "journal: " + here_.segment->path() +
                                              " has a damaged record at position " +
                                              std::to_string(position_));
    position_ += read.size;
    return Entry{.end = position_, .record = read.record};
}

}  // namespace sallyport
