// How a JournalFile begins: what an earlier run left, however it ended.

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <fcntl.h>
#include <filesystem>
#include <fmt/format.h>
#include <fstream>
#include <spdlog/spdlog.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>
#include <vector>

#include "audit/trail/journal_file.h"
#include "audit/trail/record.h"

namespace sallyport {

namespace {

tl::unexpected<Error> unrecorded(std::string_view what, const std::string& path, int error)
{
    return failure(Fault::unrecorded, fmt::format("journal: cannot {} {}: {}", what, path,
                                                  std::generic_category().message(error)));
}

std::optional<Position> position_in(std::string_view digits)
{
    Position position = 0;
    const auto [end, error] =
        std::from_chars(digits.data(), digits.data() + digits.size(), position);
    if (digits.size() != 20 || error != std::errc() || end != digits.data() + digits.size())
        return std::nullopt;
    return position;
}

std::optional<Position> read_mark(const std::string& path)
{
    std::ifstream file(path);
    std::string line;
    if (!std::getline(file, line))
        return std::nullopt;
    return position_in(line);
}

// Evidence that cannot be read is not thrown away: a person may still make sense of it.
Result<void> keep_discarded(const std::string& path, Bytes bytes)
{
    std::ofstream file(path, std::ios::binary | std::ios::trunc);
    file.write(text_of(bytes).data(), static_cast<std::streamsize>(bytes.size()));
    if (!file.flush())
        return unrecorded("write", path, errno);
    return {};
}

}  // namespace

Result<std::unique_ptr<JournalFile>> JournalFile::open(const std::string& directory,
                                                       const JournalSettings& settings,
                                                       std::unique_ptr<JournalDisk> disk)
{
    std::unique_ptr<JournalFile> journal(new JournalFile(directory, settings, std::move(disk)));
    if (auto locked = journal->lock_directory(); !locked)
        return tl::unexpected(std::move(locked).error());
    if (auto recovered = journal->recover(); !recovered)
        return tl::unexpected(std::move(recovered).error());
    journal->sync_thread_ = std::thread([raw = journal.get()] { raw->keep_synced(); });
    return journal;
}

Result<void> JournalFile::lock_directory()
{
    if (::mkdir(directory_.c_str(), 0700) != 0 && errno != EEXIST)
        return unrecorded("create", directory_, errno);
    directory_file_ = ::open(directory_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (directory_file_ < 0)
        return unrecorded("open", directory_, errno);
    if (::fchmod(directory_file_, 0700) != 0)
        return unrecorded("protect", directory_, errno);
    const std::string path = in_directory("lock");
    lock_file_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (lock_file_ < 0)
        return unrecorded("open", path, errno);
    if (::flock(lock_file_, LOCK_EX | LOCK_NB) == 0)
        return {};
    if (errno != EWOULDBLOCK)
        return unrecorded("lock", path, errno);
    return failure(Fault::unavailable, "journal: another gateway is using " + directory_ +
                                           "; stop it, or give this one its own state_dir");
}

Result<void> JournalFile::recover()
{
    const Position mark = read_mark(in_directory("committed")).value_or(0);
    std::vector<std::pair<Position, std::string>> found;
    std::error_code error;
    for (const auto& entry : std::filesystem::directory_iterator(directory_, error)) {
        const std::filesystem::path& path = entry.path();
        if (path.extension() == ".tmp")
            ::unlink(path.c_str());
        if (const auto first = position_in(path.stem().native());
            first && path.extension() == ".seg")
            found.emplace_back(*first, path.native());
    }
    if (error)
        return unrecorded("list", directory_, error.value());
    std::ranges::sort(found);

    Position end = mark;
    for (std::size_t i = 0; i < found.size(); ++i) {
        const auto& [first, path] = found[i];
        const bool last = i + 1 == found.size();
        if (!last && found[i + 1].first <= mark) {
            ::unlink(path.c_str());  // in the store already
            continue;
        }
        if (auto done = recover_segment(path, first, last); !done)
            return done;
    }
    for (std::size_t i = 0; i < segments_.size(); ++i) {
        const Placed& placed = segments_[i];
        end = std::max(end, placed.end);
        if (i > 0)
            recovered_.missing_bytes += placed.segment->first() - segments_[i - 1].end;
        if (const int failed = disk_->sync(placed.segment->file()); failed != 0)
            return unrecorded("sync", placed.segment->path(), failed);
    }
    written_ = end;
    committed_ = mark;
    recovered_.unshipped_bytes = end - mark;
    if (end > mark)
        behind_since_ns_ = Clock::now().time_since_epoch() / std::chrono::nanoseconds(1);
    if (auto begun = rotate(0); !begun)
        return begun;
    new_name_ = false;
    segments_.back().synced = true;
    if (const int failed = disk_->sync(segments_.back().segment->file()); failed != 0)
        return unrecorded("sync", segments_.back().segment->path(), failed);
    if (const int failed = disk_->sync_directory(directory_file_); failed != 0)
        return unrecorded("sync", directory_, failed);
    synced_ = end;
    synced_waiters_.release(end);
    committed_waiters_.release(mark);

    spdlog::info("event=journal_opened directory=\"{}\" records={} unshipped_bytes={}", directory_,
                 recovered_.records, recovered_.unshipped_bytes);
    if (recovered_.discarded_bytes + recovered_.missing_bytes > 0)
        spdlog::warn("event=journal_damaged directory=\"{}\" discarded_bytes={} missing_bytes={}",
                     directory_, recovered_.discarded_bytes, recovered_.missing_bytes);
    return {};
}

Result<void> JournalFile::recover_segment(const std::string& path, Position first, bool last)
{
    auto opened = JournalSegment::open(path, first);
    if (!opened && opened.error().fault == Fault::malformed) {
        // Its header is not on the disk, so nothing in it was ever synced; or it is somebody
        // else's.
        recovered_.discarded_bytes += std::filesystem::file_size(path);
        if (const int error = disk_->rename(path, path + ".discarded"); error != 0)
            return unrecorded("set aside", path, error);
        spdlog::warn("event=journal_discarded reason=\"{}\"", opened.error().detail);
        return {};
    }
    if (!opened)
        return tl::unexpected(std::move(opened).error());

    JournalSegment& segment = *opened;
    const Bytes space = std::as_const(segment).space();
    const ScannedRecords scanned = scan_records(space, first);
    recovered_.records += scanned.records;
    if (scanned.discarded > 0) {
        recovered_.discarded_bytes += scanned.discarded;
        const std::string kept = in_directory(fmt::format("{:020}.discarded", scanned.end));
        if (auto done = keep_discarded(kept, space.subspan(scanned.end - first, scanned.discarded));
            !done)
            return done;
        spdlog::warn("event=journal_discarded segment=\"{}\" position={} bytes={}", path,
                     scanned.end, scanned.discarded);
    }
    if (scanned.records == 0) {
        segment.remove();
        return {};
    }
    // The last one is not continued: what a record leaves behind it must never be taken for one.
    if (last || scanned.discarded > 0)
        if (auto done = segment.cut(scanned.end); !done)
            return done;
    segments_.push_back({.segment = std::make_shared<JournalSegment>(std::move(segment)),
                         .end = scanned.end,
                         .synced = true});
    return {};
}

}  // namespace sallyport
