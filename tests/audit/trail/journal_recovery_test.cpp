#include <gtest/gtest.h>

#include "tests/audit/trail/journal_fixture.h"

namespace sallyport {
namespace {

class JournalRecoveryTest : public JournalTest {
protected:
    std::unique_ptr<JournalFile> open() { return open_on(plan_); }

    // A closed journal with these records, all unshipped.
    void fill(std::uint32_t count, std::size_t text_size = 40)
    {
        const auto journal = open();
        for (std::uint32_t number = 1; number <= count; ++number) {
            appended_.push_back({1, number, std::string(text_size, 't'), "payload"});
            const auto end = append(*journal, appended_.back());
            ASSERT_TRUE(end);
            ends_.push_back(*end);
        }
    }

    std::vector<Noted> first(std::size_t count) const
    {
        return {appended_.begin(), appended_.begin() + static_cast<std::ptrdiff_t>(count)};
    }

    FaultyDisk::Plan plan_{.sync_pretends = true};
    std::vector<Noted> appended_;
    std::vector<Position> ends_;
};

TEST_F(JournalRecoveryTest, KeepsEverythingAndGoesOnBehindIt)
{
    fill(100);
    for (std::uint32_t run = 0; run < 5; ++run) {
        const auto journal = open();
        EXPECT_EQ(read_all(*journal), appended_);
        EXPECT_EQ(journal->recovered().records, appended_.size());
        EXPECT_EQ(journal->recovered().discarded_bytes, 0U);
        EXPECT_EQ(journal->recovered().missing_bytes, 0U);
        EXPECT_EQ(journal->recovered().unshipped_bytes, journal->written());
        appended_.push_back({2, run + 1, "after a restart", ""});
        const auto end = append(*journal, appended_.back());
        ASSERT_TRUE(end);
        EXPECT_GT(*end, ends_.back());
        ends_.push_back(*end);
    }
}

TEST_F(JournalRecoveryTest, AnEmptyJournalStaysOneFile)
{
    for (int run = 0; run < 3; ++run) {
        const auto journal = open();
        EXPECT_EQ(journal->written(), 0U);
        EXPECT_EQ(files(".seg").size(), 1U);
    }
}

TEST_F(JournalRecoveryTest, ATornTailIsCutAtEveryByte)
{
    fill(3, 5);
    const std::string name = files(".seg").at(0);
    const std::string whole = content(name);
    const std::size_t used = segment_header_size + ends_.back();
    for (std::size_t size = segment_header_size; size <= used; ++size) {
        for (const bool zeros_follow : {false, true}) {
            std::filesystem::remove_all(directory_);
            std::filesystem::create_directory(directory_);
            std::string torn = whole.substr(0, size);
            if (zeros_follow)
                torn.resize(whole.size());
            overwrite(name, torn);
            std::size_t kept = 0;
            while (kept < ends_.size() && segment_header_size + ends_[kept] <= size)
                ++kept;
            {
                const auto journal = open();
                EXPECT_EQ(read_all(*journal), first(kept)) << size;
                EXPECT_EQ(journal->written(), kept == 0 ? 0 : ends_[kept - 1]) << size;
                ASSERT_TRUE(append(*journal, {2, 1, "next", ""}));
            }
            std::vector<Noted> expected = first(kept);
            expected.push_back({2, 1, "next", ""});
            EXPECT_EQ(read_all(*open()), expected) << size;
        }
    }
}

TEST_F(JournalRecoveryTest, ABodyWhoseHeaderWasNotWrittenYetIsSetAside)
{
    // A record's header is written last: this is what a kill between the two leaves.
    fill(3, 5);
    const std::string name = files(".seg").at(0);
    std::string torn = content(name);
    torn.replace(segment_header_size + ends_[1], record_header_size, record_header_size, '\0');
    overwrite(name, torn);
    {
        const auto journal = open();
        EXPECT_EQ(read_all(*journal), first(2));
        EXPECT_EQ(journal->written(), ends_[1]);
        EXPECT_EQ(journal->recovered().discarded_bytes, ends_[2] - ends_[1]);
        ASSERT_TRUE(append(*journal, {2, 1, "next", ""}));
    }
    std::vector<Noted> expected = first(2);
    expected.push_back({2, 1, "next", ""});
    EXPECT_EQ(read_all(*open()), expected);
    ASSERT_EQ(files(".discarded").size(), 1U);
    EXPECT_EQ(content(files(".discarded")[0]),
              torn.substr(segment_header_size + ends_[1], ends_[2] - ends_[1]));
}

TEST_F(JournalRecoveryTest, EveryFlippedBitOfARecordEndsTheJournalThere)
{
    fill(3, 5);
    const std::string name = files(".seg").at(0);
    const std::string whole = content(name);
    for (std::size_t at = ends_[0]; at < ends_[1]; ++at) {
        std::filesystem::remove_all(directory_);
        std::filesystem::create_directory(directory_);
        std::string damaged = whole;
        damaged[segment_header_size + at] ^= static_cast<char>(1 << at % 8);
        overwrite(name, damaged);
        const auto journal = open();
        EXPECT_EQ(read_all(*journal), first(1)) << at;
        EXPECT_EQ(journal->recovered().discarded_bytes, ends_[2] - ends_[0]);
        ASSERT_EQ(files(".discarded").size(), 1U);
        EXPECT_EQ(content(files(".discarded")[0]),
                  damaged.substr(segment_header_size + ends_[0], ends_[2] - ends_[0]));
    }
}

TEST_F(JournalRecoveryTest, NothingDiscardedComesBackBehindANewRecord)
{
    fill(3);
    const std::string name = files(".seg").at(0);
    std::string damaged = content(name);
    damaged[segment_header_size + ends_[0] + 30] ^= 1;
    overwrite(name, damaged);
    {
        // Exactly as long as the damaged record, so that the old third one would follow it.
        const auto journal = open();
        ASSERT_EQ(append(*journal, {9, 2, std::string(40, 'n'), "payload"}).value(), ends_[1]);
    }
    std::vector<Noted> expected = first(1);
    expected.push_back({9, 2, std::string(40, 'n'), "payload"});
    EXPECT_EQ(read_all(*open()), expected);
}

TEST_F(JournalRecoveryTest, ADamagedSegmentDoesNotCostThoseBehindIt)
{
    fill(200);
    const auto segments = files(".seg");
    ASSERT_GT(segments.size(), 4U);
    std::string damaged = content(segments[1]);
    damaged[segment_header_size + 30] ^= 1;
    overwrite(segments[1], damaged);
    const auto journal = open();
    const auto read = read_all(*journal);
    EXPECT_LT(read.size(), appended_.size());
    EXPECT_GT(read.size(), appended_.size() - 60);
    EXPECT_EQ(read.back(), appended_.back());
    EXPECT_EQ(journal->written(), ends_.back());
    EXPECT_GT(journal->recovered().missing_bytes, 0U);
    EXPECT_GT(journal->recovered().discarded_bytes, 0U);
}

TEST_F(JournalRecoveryTest, AFileThatIsNoSegmentIsSetAside)
{
    fill(2);
    overwrite("00000000000000999999.seg", "not a segment");
    overwrite("00000000000000999998.seg", std::string(200, '\0'));
    const auto journal = open();
    EXPECT_EQ(read_all(*journal), appended_);
    EXPECT_EQ(files(".discarded"),
              (std::vector<std::string>{"00000000000000999998.seg.discarded",
                                        "00000000000000999999.seg.discarded"}));
}

TEST_F(JournalRecoveryTest, TheCommittedMarkSavesReadingItAgain)
{
    fill(200);
    Position mark = 0;
    {
        const auto journal = open();
        mark = ends_[150];
        journal->mark_committed(mark);
    }
    const auto journal = open();
    EXPECT_EQ(journal->committed_up_to(), mark);
    EXPECT_EQ(journal->recovered().unshipped_bytes, ends_.back() - mark);
    EXPECT_EQ(read_all(*journal, journal->committed_up_to()).size(), 49U);
    EXPECT_TRUE(run(journal->committed(mark)));
}

TEST_F(JournalRecoveryTest, PositionsGoOnBehindTheMarkWithoutAnySegment)
{
    fill(20);
    open()->mark_committed(ends_.back());
    for (const std::string& name : files(".seg"))
        std::filesystem::remove(directory_ / name);
    const auto journal = open();
    EXPECT_EQ(journal->written(), ends_.back());
    EXPECT_EQ(journal->committed_up_to(), ends_.back());
    EXPECT_GT(append(*journal, {1, 21, "text", ""}).value(), ends_.back());
}

TEST_F(JournalRecoveryTest, ADamagedMarkMeansReadingAgain)
{
    fill(20);
    open()->mark_committed(ends_[10]);
    for (const char* mark :
         {"", "x", "-0000000000000000001\n", "99999999999999999999999\n", "12\n"}) {
        overwrite("committed", mark);
        const auto journal = open();
        EXPECT_EQ(journal->committed_up_to(), 0U) << mark;
        EXPECT_EQ(read_all(*journal, 0), appended_) << mark;
        std::filesystem::remove(directory_ / "committed");
    }
}

TEST_F(JournalRecoveryTest, HalfMadeFilesAreRemoved)
{
    fill(2);
    overwrite("spare.tmp", "half");
    overwrite("next.tmp", "half");
    const auto journal = open();
    EXPECT_TRUE(files(".tmp").empty());
    EXPECT_EQ(read_all(*journal), appended_);
}

}  // namespace
}  // namespace sallyport
