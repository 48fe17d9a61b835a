#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <gtest/gtest.h>
#include <thread>

#include "tests/audit/trail/journal_fixture.h"

namespace sallyport {
namespace {

using namespace std::chrono_literals;
namespace asio = boost::asio;

// Long enough that only the thing waited for can end the wait.
const auto far = [] { return std::chrono::steady_clock::now() + 50s; };

JournalSettings without_timer()
{
    JournalSettings settings;
    settings.segment_bytes = 4096;
    settings.sync_interval = 1h;
    return settings;
}

TEST_F(JournalTest, AWaiterMakesTheSyncHappen)
{
    FaultyDisk::Plan plan;
    auto journal =
        JournalFile::open(directory_.string(), without_timer(), std::make_unique<FaultyDisk>(plan))
            .value();
    // The first record after a rest is synced at once; those after it wait for the interval.
    ASSERT_TRUE(run(journal->synced(append(*journal, {1, 1, "a", ""}).value())));
    const int before = plan.syncs;
    const Position position = append(*journal, {1, 2, "b", ""}).value();
    ASSERT_TRUE(run(journal->synced(position)));
    EXPECT_EQ(plan.syncs, before + 1);
    ASSERT_TRUE(run(journal->synced(position))) << "a position already reached is no wait";
    EXPECT_EQ(plan.syncs, before + 1);
}

TEST_F(JournalTest, NobodyNeedsToWaitForASync)
{
    FaultyDisk::Plan plan;
    const auto journal = open_on(plan);
    const int before = plan.syncs;
    ASSERT_TRUE(append(*journal, {1, 1, "a", ""}));
    while (plan.syncs == before)
        std::this_thread::sleep_for(1ms);
}

TEST_F(JournalTest, ManyWaitersOnTwoThreadsAllGoOn)
{
    const auto journal = open();
    std::atomic<int> done = 0;
    std::vector<std::thread> threads;
    for (std::uint8_t session = 1; session <= 2; ++session)
        threads.emplace_back([&, session] {
            asio::io_context context;
            const auto wait = [](Journal& own, std::uint8_t number,
                                 std::atomic<int>& finished) -> asio::awaitable<void> {
                for (std::uint32_t event = 1; event <= 20; ++event) {
                    const auto position = append(own, {number, event, "text", ""});
                    EXPECT_TRUE(position);
                    const auto synced = co_await own.synced(*position);
                    EXPECT_TRUE(synced);
                    ++finished;
                }
            };
            for (int i = 0; i < 10; ++i)
                asio::co_spawn(context, wait(*journal, session, done),
                               [](std::exception_ptr thrown) { EXPECT_FALSE(thrown); });
            context.run();
        });
    for (std::thread& thread : threads)
        thread.join();
    EXPECT_EQ(done, 400);
}

TEST_F(JournalTest, CommittedWaitsForTheShipper)
{
    const auto journal = open();
    const Position first = append(*journal, {1, 1, "a", ""}).value();
    const Position second = append(*journal, {1, 2, "b", ""}).value();
    EXPECT_FALSE(journal->commit_wanted());

    std::vector<int> order;
    asio::io_context context;
    const auto wait = [&](int name, Position position) {
        asio::co_spawn(context, journal->committed(position),
                       [&order, name](const std::exception_ptr&, const Result<void>& result) {
                           EXPECT_TRUE(result);
                           order.push_back(name);
                       });
    };
    wait(2, second);
    wait(1, first);
    context.poll();  // both are waiting before the shipper begins
    std::thread shipper([&] {
        while (!journal->commit_wanted())
            EXPECT_TRUE(journal->wait_for_commit_wanted(far()));
        journal->mark_committed(first);
        EXPECT_TRUE(journal->wait_for_commit_wanted(far()));
        journal->mark_committed(second);
    });
    context.run();
    shipper.join();
    EXPECT_EQ(order, (std::vector<int>{1, 2}));
    EXPECT_FALSE(journal->commit_wanted());
    EXPECT_TRUE(run(journal->committed(first)));
}

TEST_F(JournalTest, AWaitCanBeCancelled)
{
    const auto journal = open();
    const Position position = append(*journal, {1, 1, "a", ""}).value();
    asio::io_context context;
    asio::cancellation_signal signal;
    std::optional<Result<void>> result;
    asio::co_spawn(context, journal->committed(position),
                   asio::bind_cancellation_slot(signal.slot(),
                                                [&](std::exception_ptr thrown, Result<void> done) {
                                                    EXPECT_FALSE(thrown);
                                                    result = done;
                                                }));
    asio::post(context, [&] { signal.emit(asio::cancellation_type::terminal); });
    context.run();
    ASSERT_TRUE(result);
    ASSERT_FALSE(*result);
    EXPECT_EQ(result->error().fault, Fault::closed);
    EXPECT_FALSE(journal->commit_wanted());
    journal->mark_committed(position);
}

TEST_F(JournalTest, ClosingEndsEveryWait)
{
    auto journal = open();
    const Position position = append(*journal, {1, 1, "a", ""}).value();
    asio::io_context context;
    std::optional<Result<void>> result;
    asio::co_spawn(context, journal->committed(position),
                   [&](std::exception_ptr, Result<void> done) { result = done; });
    asio::post(context, [&] { journal.reset(); });
    context.run();
    ASSERT_TRUE(result);
    ASSERT_FALSE(*result);
    EXPECT_EQ(result->error().fault, Fault::closed);
}

TEST_F(JournalTest, TheShipperSleepsUntilThereIsWork)
{
    const auto journal = open();
    EXPECT_FALSE(journal->wait_for_work(0, std::chrono::steady_clock::now()));
    EXPECT_FALSE(journal->wait_for_commit_wanted(std::chrono::steady_clock::now()));
    std::thread writer([&] { ASSERT_TRUE(append(*journal, {1, 1, "a", ""})); });
    EXPECT_TRUE(journal->wait_for_work(0, far()));
    writer.join();
    EXPECT_FALSE(journal->wait_for_work(journal->written(), std::chrono::steady_clock::now()));
    std::thread stopper([&] { journal->wake(); });
    EXPECT_FALSE(journal->wait_for_work(journal->written(), far()));
    stopper.join();
}

}  // namespace
}  // namespace sallyport
