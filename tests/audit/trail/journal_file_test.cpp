#include "audit/trail/journal_file.h"

#include <gtest/gtest.h>
#include <map>
#include <sys/stat.h>
#include <thread>

#include "tests/audit/trail/journal_fixture.h"

namespace sallyport {
namespace {

using namespace std::chrono_literals;

TEST_F(JournalTest, ReadsBackWhatWasAppendedInOrder)
{
    const auto journal = open();
    std::vector<Noted> appended;
    Position last = 0;
    for (std::uint32_t number = 1; number <= 200; ++number) {
        appended.push_back(
            {1, number, "statement " + std::to_string(number), std::string(number, 'x')});
        const auto position = append(*journal, appended.back());
        ASSERT_TRUE(position) << position.error().detail;
        EXPECT_GT(*position, last);
        last = *position;
    }
    EXPECT_EQ(journal->written(), last);
    EXPECT_EQ(read_all(*journal), appended);
    EXPECT_GT(files(".seg").size(), 3U) << "the records must have needed several segments";
}

TEST_F(JournalTest, AReaderGoesOnWithWhatIsWrittenLater)
{
    const auto journal = open();
    JournalReader reader(*journal, 0);
    EXPECT_FALSE(reader.next().value());
    for (std::uint32_t number = 1; number <= 100; ++number) {
        const Noted noted_event{1, number, std::string(150, 't'), ""};
        const Position end = append(*journal, noted_event).value();
        const auto entry = reader.next().value();
        ASSERT_TRUE(entry);
        EXPECT_EQ(noted(entry->record), noted_event);
        EXPECT_EQ(entry->end, end);
        EXPECT_EQ(reader.position(), end);
        EXPECT_FALSE(reader.next().value());
    }
}

TEST_F(JournalTest, AReaderBeginsWhereItIsTold)
{
    const auto journal = open();
    std::vector<Position> ends;
    for (std::uint32_t number = 1; number <= 50; ++number)
        ends.push_back(append(*journal, {1, number, std::string(200, 't'), ""}).value());
    for (std::size_t i = 0; i < ends.size(); ++i)
        EXPECT_EQ(read_all(*journal, ends[i]).size(), ends.size() - i - 1);
}

TEST_F(JournalTest, ARecordLargerThanASegmentGetsOneOfItsOwn)
{
    const auto journal = open();
    const std::vector<Noted> appended = {{1, 1, "first", std::string(100'000, 'a')},
                                         {1, 2, "second", "b"},
                                         {1, 3, "third", std::string(300'000, 'c')},
                                         {1, 4, "fourth", "d"}};
    for (const Noted& event : appended)
        ASSERT_TRUE(append(*journal, event));
    EXPECT_EQ(read_all(*journal), appended);
}

TEST_F(JournalTest, AnEventAboveTheRecordLimitIsRefusedAndTheJournalGoesOn)
{
    const auto journal = open();
    const std::string huge(record_size_limit, 'x');
    const auto refused = append(*journal, {1, 1, huge, ""});
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().fault, Fault::unrecorded);
    EXPECT_EQ(journal->written(), 0U);
    EXPECT_TRUE(append(*journal, {1, 1, "small", ""}));
}

TEST_F(JournalTest, FourThreadsKeepTheOrderOfEachSession)
{
    constexpr std::uint32_t events = 2000;
    const auto journal = open();
    std::vector<std::thread> threads;
    for (std::uint8_t session = 1; session <= 4; ++session)
        threads.emplace_back([&, session] {
            for (std::uint32_t number = 1; number <= events; ++number)
                ASSERT_TRUE(
                    append(*journal, {session, number, "text", std::string(number % 97, 'p')}));
        });
    // Reads while they write, as the shipper does, and deletes behind itself.
    std::map<std::uint8_t, std::uint32_t> seen;
    std::uint64_t total = 0;
    JournalReader reader(*journal, 0);
    const auto deadline = std::chrono::steady_clock::now() + 50s;
    while (total < 4 * events && journal->wait_for_work(reader.position(), deadline)) {
        while (const auto entry = reader.next().value()) {
            const Noted event = noted(entry->record);
            ASSERT_EQ(event.number, ++seen[event.session]);
            ASSERT_EQ(event.payload.size(), event.number % 97);
            ++total;
        }
        journal->mark_committed(reader.position());
    }
    for (std::thread& thread : threads)
        thread.join();
    EXPECT_EQ(total, 4 * events);
    EXPECT_LE(files(".seg").size(), 2U);
}

TEST_F(JournalTest, OnlyItsOwnerCanReadIt)
{
    const auto journal = open();
    ASSERT_TRUE(append(*journal, {1, 1, "secret", ""}));
    struct stat status {};
    ASSERT_EQ(::stat(directory_.c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777, 0700U);
    for (const std::string& name : files(".seg")) {
        ASSERT_EQ(::stat((directory_ / name).c_str(), &status), 0);
        EXPECT_EQ(status.st_mode & 0777, 0600U) << name;
    }
}

TEST_F(JournalTest, TwoGatewaysCannotShareIt)
{
    auto journal = open();
    const auto second = try_open();
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().fault, Fault::unavailable);
    EXPECT_NE(second.error().detail.find("another gateway"), std::string::npos);
    journal.reset();
    EXPECT_TRUE(try_open());
}

TEST_F(JournalTest, ADirectoryThatCannotBeMadeIsAnError)
{
    directory_ = root_ / "missing" / "journal";
    const auto journal = try_open();
    ASSERT_FALSE(journal);
    EXPECT_EQ(journal.error().fault, Fault::unrecorded);
    EXPECT_NE(journal.error().detail.find(directory_.string()), std::string::npos);
}

TEST_F(JournalTest, SegmentsBehindTheCommittedMarkAreDeleted)
{
    const auto journal = open();
    std::vector<Position> ends;
    for (std::uint32_t number = 1; number <= 200; ++number)
        ends.push_back(append(*journal, {1, number, std::string(200, 't'), ""}).value());
    const std::size_t before = files(".seg").size();
    ASSERT_GT(before, 5U);
    journal->mark_committed(ends[100]);
    EXPECT_LT(files(".seg").size(), before);
    EXPECT_EQ(read_all(*journal, ends[100]).size(), 99U);
    journal->mark_committed(ends.back());
    EXPECT_EQ(files(".seg").size(), 1U);
    EXPECT_EQ(journal->committed_up_to(), ends.back());
}

TEST_F(JournalTest, TheBacklogHasALimitInBytes)
{
    JournalSettings settings = small_segments();
    settings.backlog_limit_bytes = 1000;
    const auto journal = open(settings);
    EXPECT_TRUE(journal->admits());
    Position end = append(*journal, {1, 1, "text", ""}).value();
    EXPECT_TRUE(journal->admits());
    end = append(*journal, {1, 2, std::string(1000, 't'), ""}).value();
    const auto refused = journal->admits();
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().fault, Fault::unavailable);
    EXPECT_NE(refused.error().detail.find("behind"), std::string::npos);
    EXPECT_TRUE(append(*journal, {1, 3, "commands under way still end", ""}))
        << "only new commands are refused";
    journal->mark_committed(end);
    EXPECT_TRUE(journal->admits());
}

TEST_F(JournalTest, TheBacklogHasALimitInTime)
{
    JournalSettings settings = small_segments();
    settings.backlog_limit_age = 0ms;
    const auto journal = open(settings);
    EXPECT_TRUE(journal->admits()) << "with nothing to ship nothing is late";
    const Position end = append(*journal, {1, 1, "text", ""}).value();
    const auto refused = journal->admits();
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().fault, Fault::unavailable);
    journal->mark_committed(end);
    EXPECT_TRUE(journal->admits());

    settings.backlog_limit_age = 1h;
    directory_ = root_ / "second";
    const auto patient = open(settings);
    ASSERT_TRUE(append(*patient, {1, 1, "text", ""}));
    EXPECT_TRUE(patient->admits());
}

}  // namespace
}  // namespace sallyport
