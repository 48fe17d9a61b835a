// A store and a journal for one test: a database of its own in one cluster for the whole program.

#pragma once

#include <filesystem>
#include <gtest/gtest.h>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "audit/store/embedded.h"
#include "audit/store/search.h"
#include "audit/store/shipper.h"
#include "audit/store/store_connection.h"
#include "audit/trail/journal_file.h"

namespace sallyport {

// Removed with everything in it.
class TempFolder {
public:
    TempFolder();
    TempFolder(const TempFolder&) = delete;
    TempFolder& operator=(const TempFolder&) = delete;
    ~TempFolder();

    const std::string& path() const { return path_; }

private:
    std::string path_;
};

// The program's cluster; started at first use, stopped by end().
class TestCluster {
public:
    static EmbeddedStore& get();
    static void end();
};

std::chrono::steady_clock::time_point in_seconds(int seconds);

class StoreTest : public testing::Test {
protected:
    StoreTest();

    // As superuser, in the test's database.
    StoreConnection connect();
    // The first column of the first row; fails the test on an error.
    std::string ask(const std::string& sql);
    // The SQLSTATE of its refusal; empty where it succeeds.
    std::string refusal_of(const std::string& sql);

    void open_journal();
    // A shipper for the journal, with the test's strike.
    std::unique_ptr<Shipper> make_shipper(std::function<bool(ShipmentStep)> strike = {});
    // As serve does: the backlog, then the thread.
    std::unique_ptr<Shipper> start_shipper(std::function<bool(ShipmentStep)> strike = {});
    void stop(std::unique_ptr<Shipper>& shipper);

    // Opens a session, with `commands` commands each of two events, and leaves it open.
    Uuid write_session(std::uint32_t commands);
    void write_commands(const Uuid& session, std::uint32_t first_event, std::uint32_t commands);
    void write_close(const Uuid& session, std::uint32_t number);
    void append(const Event& event);

    // Every event of the session as the store has it, checked on the way.
    std::vector<RecordedEvent> events_of(const Uuid& session);
    // wseq of every writer is 0, 1, 2 ... without a gap.
    void expect_contiguous_writers();

    std::string dsn;
    TempFolder folder;
    std::unique_ptr<JournalFile> journal;
};

}  // namespace sallyport
