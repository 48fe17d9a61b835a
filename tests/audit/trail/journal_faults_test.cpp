// The disk fails: at each single operation, for good, or because it is full.

#include <gtest/gtest.h>

#include "tests/audit/trail/journal_fixture.h"

namespace sallyport {
namespace {

TEST_F(JournalTest, AFailedSyncIsTheEnd)
{
    FaultyDisk::Plan plan;
    const auto journal = open_on(plan);
    ASSERT_TRUE(run(journal->synced(append(*journal, {1, 1, "kept", ""}).value())));
    plan.sync_fails = true;
    const Position position = append(*journal, {1, 2, "lost", ""}).value();
    const auto synced = run(journal->synced(position));
    ASSERT_FALSE(synced);
    EXPECT_EQ(synced.error().fault, Fault::unrecorded);

    // It stays so, even when the disk says that all is well again.
    plan.sync_fails = false;
    const auto appended = append(*journal, {1, 3, "next", ""});
    ASSERT_FALSE(appended);
    EXPECT_EQ(appended.error().fault, Fault::unrecorded);
    const auto again = run(journal->synced(position));
    ASSERT_FALSE(again);
    EXPECT_EQ(again.error().fault, Fault::unrecorded);
    const auto committed = run(journal->committed(position));
    ASSERT_FALSE(committed);
    EXPECT_EQ(committed.error().fault, Fault::unrecorded);
    const auto admitted = journal->admits();
    ASSERT_FALSE(admitted);
    EXPECT_EQ(admitted.error().fault, Fault::unrecorded);
}

TEST_F(JournalTest, AFullDiskRefusesAppendsAndKeepsWhatWasWritten)
{
    FaultyDisk::Plan plan;
    std::vector<Noted> kept;
    {
        const auto journal = open_on(plan);
        plan.full = true;
        std::uint32_t number = 0;
        Result<Position> appended = 0;
        while (true) {
            const Noted event{1, ++number, std::string(280, 't'), ""};
            appended = append(*journal, event);
            if (!appended)
                break;
            kept.push_back(event);
            ASSERT_LT(number, 1000U) << "the first segment never filled up";
        }
        EXPECT_EQ(appended.error().fault, Fault::unrecorded);
        EXPECT_NE(appended.error().detail.find("No space left"), std::string::npos)
            << appended.error().detail;
        EXPECT_TRUE(append(*journal, {1, number, "", ""})) << "a small one still fits";
        kept.push_back({1, number, "", ""});
        EXPECT_EQ(read_all(*journal), kept);

        plan.full = false;
        kept.push_back({1, number + 1, std::string(3000, 't'), ""});
        EXPECT_TRUE(append(*journal, kept.back())) << "there is space again";
        EXPECT_EQ(read_all(*journal), kept);
    }
    EXPECT_EQ(read_all(*open()), kept);
}

TEST_F(JournalTest, AFullDiskAtTheStartIsAnError)
{
    FaultyDisk::Plan plan;
    plan.full = true;
    const auto journal = JournalFile::open(directory_.string(), small_segments(),
                                           std::make_unique<FaultyDisk>(plan));
    ASSERT_FALSE(journal);
    EXPECT_EQ(journal.error().fault, Fault::unrecorded);
    EXPECT_TRUE(files(".tmp").empty());
    EXPECT_TRUE(files(".seg").empty());
}

// Whichever operation fails: nothing crashes, and what append() returned for can be read after a
// restart on a disk that works.
TEST_F(JournalTest, SurvivesAFailureOfEachSingleOperation)
{
    bool failed = true;
    int step = 0;
    for (; failed; ++step) {
        std::filesystem::remove_all(directory_);
        FaultyDisk::Plan plan{.sync_pretends = true};
        plan.failing_operation = step;
        std::vector<Noted> kept;
        Position committed = 0;
        for (int run_of_gateway = 0; run_of_gateway < 2; ++run_of_gateway) {
            auto journal = JournalFile::open(directory_.string(), small_segments(),
                                             std::make_unique<FaultyDisk>(plan));
            if (!journal)
                continue;
            for (int i = 0; i < 40; ++i) {
                const Noted event{1, static_cast<std::uint32_t>(kept.size() + 1),
                                  std::string(300, 't'), ""};
                const auto position = append(**journal, event);
                if (!position)
                    continue;
                kept.push_back(event);
                if (i % 8 == 0 && !run((*journal)->synced(*position)))
                    break;
            }
            committed = (*journal)->committed_up_to();
        }
        failed = plan.operations > step;
        const auto journal = open();
        ASSERT_EQ(read_all(*journal, committed), kept) << "step " << step;
        ASSERT_EQ(journal->recovered().discarded_bytes, 0U) << "step " << step;
    }
    EXPECT_GT(step, 20) << "the failures were never reached";
}

}  // namespace
}  // namespace sallyport
