// kill -9 in the middle of appends: whatever append() had returned for is there afterwards.

#include <array>
#include <gtest/gtest.h>
#include <map>
#include <signal.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

#include "tests/audit/trail/journal_fixture.h"

namespace sallyport {
namespace {

struct Report {
    std::uint32_t session;
    std::uint32_t number;
};

// The life of the child: appends from two threads and reports each event when append() is back.
[[noreturn]] void append_until_killed(const std::string& directory, std::uint32_t run, int reports)
{
    JournalSettings settings;
    settings.segment_bytes = 64 * 1024;
    auto journal = JournalFile::open(directory, settings);
    if (!journal)
        ::_exit(1);
    const auto write = [&](std::uint32_t session) {
        for (std::uint32_t number = 1;; ++number) {
            const Noted event{static_cast<std::uint8_t>(session), number, "statement",
                              std::string(number * 37 % 3000, 'p')};
            if (!append(**journal, event))
                ::_exit(2);
            const Report report{session, number};
            if (::write(reports, &report, sizeof report) != sizeof report)
                ::_exit(3);
        }
    };
    std::thread second(write, run * 2 + 1);
    write(run * 2);
    ::_exit(4);
}

TEST_F(JournalTest, WrittenRecordsSurviveKillMinusNine)
{
    std::map<std::uint32_t, std::uint32_t> reported;
    for (std::uint32_t run = 0; run < 6; ++run) {
        std::array<int, 2> pipe_ends;
        ASSERT_EQ(::pipe(pipe_ends.data()), 0);
        const pid_t child = ::fork();
        ASSERT_GE(child, 0);
        if (child == 0) {
            ::close(pipe_ends[0]);
            append_until_killed(directory_.string(), run, pipe_ends[1]);
        }
        ::close(pipe_ends[1]);
        // Dies at another number of events each time, in the middle of whatever it does then.
        std::uint32_t received = 0;
        Report report{};
        while (::read(pipe_ends[0], &report, sizeof report) == sizeof report) {
            reported[report.session] = report.number;
            if (++received == 100 + run * 333)
                ASSERT_EQ(::kill(child, SIGKILL), 0);
        }
        ::close(pipe_ends[0]);
        int status = 0;
        ASSERT_EQ(::waitpid(child, &status, 0), child);
        ASSERT_TRUE(WIFSIGNALED(status)) << "the child ended by itself: " << WEXITSTATUS(status);

        const auto journal = open();
        std::map<std::uint32_t, std::uint32_t> found;
        for (const Noted& event : read_all(*journal)) {
            ASSERT_EQ(event.number, ++found[event.session]) << "a gap, or out of order";
            ASSERT_EQ(event.payload.size(), event.number * 37 % 3000);
        }
        for (const auto& [session, number] : reported) {
            EXPECT_GE(found[session], number) << "a written record is lost";
            EXPECT_LE(found[session], number + 1) << "there is more than was appended";
        }
        EXPECT_EQ(journal->recovered().missing_bytes, 0U);
    }
}

}  // namespace
}  // namespace sallyport
