// A journal in a directory of the test's own, and events to put into it.

#pragma once

#include <atomic>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

#include "audit/trail/journal_file.h"
#include "audit/trail/journal_reader.h"

namespace sallyport {

// What is compared after an event has been through the journal.
struct Noted {
    std::uint8_t session;
    std::uint32_t number;
    std::string text;
    std::string payload;

    bool operator==(const Noted&) const = default;
};

inline Noted noted(const EventRecord& record)
{
    const Event event = record.event();
    return {event.session.octets[0], event.number, std::string(event.text),
            std::string(text_of(record.payload()))};
}

inline void PrintTo(const Noted& noted, std::ostream* out)
{
    *out << "session " << int{noted.session} << " number " << noted.number << " text of "
         << noted.text.size() << " payload of " << noted.payload.size();
}

inline Result<Position> append(Journal& journal, const Noted& noted)
{
    const Bytes pieces[] = {bytes_of(noted.payload)};
    Event event{.kind = EventKind::command_decided,
                .number = noted.number,
                .text = noted.text,
                .payload = pieces};
    event.session.octets[0] = noted.session;
    return journal.append(event);
}

// The system's disk until told to fail.
class FaultyDisk final : public JournalDisk {
public:
    // Shared with the test, because the journal owns its disk.
    struct Plan {
        std::atomic<int> operations = 0;
        std::atomic<int> failing_operation = -1;  // the first is 0
        std::atomic<bool> full = false;
        std::atomic<bool> sync_fails = false;
        std::atomic<bool> sync_pretends = false;  // for tests that open hundreds of journals
        std::atomic<int> syncs = 0;
    };

    explicit FaultyDisk(Plan& plan) : plan_(plan) {}

    int allocate(int file, std::uint64_t bytes) override
    {
        return counted() || plan_.full ? ENOSPC : disk_.allocate(file, bytes);
    }
    int rename(const std::string& from, const std::string& to) override
    {
        return counted() ? EIO : disk_.rename(from, to);
    }
    int sync(int file) override
    {
        ++plan_.syncs;
        if (counted() || plan_.sync_fails)
            return EIO;
        return plan_.sync_pretends ? 0 : disk_.sync(file);
    }
    int sync_directory(int directory) override
    {
        if (counted())
            return EIO;
        return plan_.sync_pretends ? 0 : disk_.sync_directory(directory);
    }

private:
    bool counted() { return plan_.operations++ == plan_.failing_operation; }

    SystemDisk disk_;
    Plan& plan_;
};

class JournalTest : public testing::Test {
protected:
    JournalTest()
    {
        std::string name = (std::filesystem::temp_directory_path() / "journal-XXXXXX").string();
        root_ = ::mkdtemp(name.data());
        directory_ = root_ / "journal";
    }
    ~JournalTest() override
    {
        std::error_code ignored;
        std::filesystem::remove_all(root_, ignored);
    }

    static JournalSettings small_segments()
    {
        JournalSettings settings;
        settings.segment_bytes = 4096;
        return settings;
    }

    Result<std::unique_ptr<JournalFile>> try_open(
        const JournalSettings& settings = small_segments())
    {
        return JournalFile::open(directory_.string(), settings);
    }

    std::unique_ptr<JournalFile> open(const JournalSettings& settings = small_segments())
    {
        auto journal = try_open(settings);
        EXPECT_TRUE(journal) << journal.error().detail;
        return journal ? std::move(*journal) : nullptr;
    }

    std::unique_ptr<JournalFile> open_on(FaultyDisk::Plan& plan)
    {
        auto journal = JournalFile::open(directory_.string(), small_segments(),
                                         std::make_unique<FaultyDisk>(plan));
        EXPECT_TRUE(journal) << journal.error().detail;
        return journal ? std::move(*journal) : nullptr;
    }

    static std::vector<Noted> read_all(const JournalFile& journal, Position from = 0)
    {
        JournalReader reader(journal, from);
        std::vector<Noted> all;
        while (true) {
            auto entry = reader.next();
            if (!entry) {
                ADD_FAILURE() << entry.error().detail;
                break;
            }
            if (!*entry)
                break;
            all.push_back(noted((*entry)->record));
        }
        return all;
    }

    // The names of files that end so, in order.
    std::vector<std::string> files(const std::string& extension) const
    {
        std::vector<std::string> names;
        for (const auto& entry : std::filesystem::directory_iterator(directory_))
            if (entry.path().extension() == extension)
                names.push_back(entry.path().filename().string());
        std::sort(names.begin(), names.end());
        return names;
    }

    std::string content(const std::string& name) const
    {
        std::ifstream file(directory_ / name, std::ios::binary);
        return {std::istreambuf_iterator<char>(file), {}};
    }

    void overwrite(const std::string& name, const std::string& bytes) const
    {
        std::ofstream file(directory_ / name, std::ios::binary | std::ios::trunc);
        file << bytes;
        ASSERT_TRUE(file.flush());
    }

    // Runs one wait to its end on an io_context of its own.
    static Result<void> run(boost::asio::awaitable<Result<void>> wait)
    {
        boost::asio::io_context context;
        Result<void> result = failure(Fault::closed, "never completed");
        boost::asio::co_spawn(context, std::move(wait),
                              [&](std::exception_ptr thrown, Result<void> done) {
                                  EXPECT_FALSE(thrown);
                                  result = std::move(done);
                              });
        context.run();
        return result;
    }

    std::filesystem::path root_;
    std::filesystem::path directory_;
};

}  // namespace sallyport
