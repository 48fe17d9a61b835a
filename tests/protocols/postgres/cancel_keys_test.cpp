#include "protocols/postgres/cancel_keys.h"

#include <atomic>
#include <gtest/gtest.h>
#include <set>
#include <thread>
#include <vector>

namespace sallyport::postgres {
namespace {

TEST(CancelKeysTest, CancelsTheSessionThatHasTheKeyAndNoOther)
{
    CancelKeys keys;
    int first = 0;
    int second = 0;
    const auto one = keys.hold([&] { ++first; });
    const auto two = keys.hold([&] { ++second; });
    EXPECT_TRUE(keys.cancel({one->process(), one->secret()}));
    EXPECT_EQ(first, 1);
    EXPECT_EQ(second, 0);
    EXPECT_FALSE(keys.cancel({one->process(), two->secret()}));
    EXPECT_FALSE(keys.cancel({two->process(), one->secret()}));
    EXPECT_EQ(second, 0);
}

TEST(CancelKeysTest, OnlyTheExactKeyCounts)
{
    CancelKeys keys;
    int cancelled = 0;
    const auto held = keys.hold([&] { ++cancelled; });
    ASSERT_EQ(held->secret().size(), 4U);
    std::string secret = held->secret();
    for (std::size_t at = 0; at < secret.size(); ++at) {
        std::string wrong = secret;
        wrong[at] = static_cast<char>(wrong[at] ^ 1);
        EXPECT_FALSE(keys.cancel({held->process(), wrong}));
    }
    EXPECT_FALSE(keys.cancel({held->process(), ""}));
    EXPECT_FALSE(keys.cancel({held->process(), secret.substr(0, 3)}));
    EXPECT_FALSE(keys.cancel({held->process(), secret + secret}));
    EXPECT_FALSE(keys.cancel({held->process() ^ 1, secret}));
    EXPECT_EQ(cancelled, 0);
}

TEST(CancelKeysTest, AKeyEndsWithItsHolder)
{
    CancelKeys keys;
    int cancelled = 0;
    auto held = keys.hold([&] { ++cancelled; });
    const CancelRequest request{held->process(), held->secret()};
    held.reset();
    EXPECT_FALSE(keys.cancel(request));
    EXPECT_EQ(cancelled, 0);
}

TEST(CancelKeysTest, KeysDifferAndArePositive)
{
    CancelKeys keys;
    std::vector<std::unique_ptr<CancelKeys::Held>> held;
    std::set<std::uint32_t> processes;
    std::set<std::string> secrets;
    for (int count = 0; count < 1000; ++count) {
        held.push_back(keys.hold([] {}));
        processes.insert(held.back()->process());
        secrets.insert(held.back()->secret());
        EXPECT_GT(static_cast<std::int32_t>(held.back()->process()), 0);
    }
    EXPECT_EQ(processes.size(), 1000U);
    EXPECT_GT(secrets.size(), 990U);
}

TEST(CancelKeysTest, NoActionRunsOnceItsHolderIsGone)
{
    CancelKeys keys;
    std::atomic<bool> stop = false;
    std::atomic<std::uint64_t> newest = 0;
    std::string newest_secret;
    std::mutex secret_mutex;
    std::thread canceller([&] {
        while (!stop) {
            std::string secret;
            {
                const std::lock_guard lock(secret_mutex);
                secret = newest_secret;
            }
            (void)keys.cancel({static_cast<std::uint32_t>(newest.load()), secret});  // may miss
        }
    });
    for (int round = 0; round < 2000; ++round) {
        auto alive = std::make_unique<int>(round);  // what the sanitizers watch
        const auto held = keys.hold([&] { ++*alive; });
        {
            const std::lock_guard lock(secret_mutex);
            newest_secret = held->secret();
        }
        newest = held->process();
    }
    stop = true;
    canceller.join();
}

}  // namespace
}  // namespace sallyport::postgres
