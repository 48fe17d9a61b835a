// The gateway's own keys: made once, whole, for the owner only, and never replaced.

#include "gateway/config/state_keys.h"

#include <gmock/gmock.h>
#include <set>
#include <sys/stat.h>
#include <thread>

#include "tests/gateway/config/files.h"

namespace sallyport {
namespace {

using testing::HasSubstr;

class StateKeysTest : public FilesTest {};

TEST_F(StateKeysTest, AreMadeOnceAndKept)
{
    const auto made = load_or_make_key(path("mask.key"));
    ASSERT_TRUE(made.has_value()) << made.error().detail;
    EXPECT_EQ(made->size(), 32U);
    EXPECT_EQ(load_or_make_key(path("mask.key")).value(), *made);
    EXPECT_NE(load_or_make_key(path("decoy.key")).value(), *made);
}

TEST_F(StateKeysTest, AreForTheirOwnerOnlyAndLeaveNothingBehind)
{
    ASSERT_TRUE(load_or_make_key(path("mask.key")).has_value());
    struct stat status = {};
    ASSERT_EQ(::stat(path("mask.key").c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 07777U, 0600U);
    std::size_t files = 0;
    for (const auto& entry : std::filesystem::directory_iterator(folder_)) {
        EXPECT_EQ(entry.path().filename(), "mask.key");
        ++files;
    }
    EXPECT_EQ(files, 1U);
}

TEST_F(StateKeysTest, ManyWhoMakeItAtOnceGetTheSame)
{
    std::array<std::string, 8> keys;
    {
        std::vector<std::jthread> makers;
        for (std::string& key : keys)
            makers.emplace_back([&] { key = load_or_make_key(path("mask.key")).value_or(""); });
    }
    EXPECT_EQ(std::set<std::string>(keys.begin(), keys.end()).size(), 1U);
    EXPECT_EQ(keys[0].size(), 32U);
}

TEST_F(StateKeysTest, AKeyThatOthersCanReadIsRefused)
{
    ASSERT_TRUE(load_or_make_key(path("mask.key")).has_value());
    ASSERT_EQ(::chmod(path("mask.key").c_str(), 0640), 0);
    const auto refused = load_or_make_key(path("mask.key"));
    ASSERT_FALSE(refused.has_value());
    EXPECT_THAT(refused.error().detail, HasSubstr("chmod 600"));
}

TEST_F(StateKeysTest, AKeyOfAnotherSizeIsNotReplaced)
{
    write("mask.key", "short");
    ASSERT_EQ(::chmod(path("mask.key").c_str(), 0600), 0);
    const auto refused = load_or_make_key(path("mask.key"));
    ASSERT_FALSE(refused.has_value());
    EXPECT_THAT(refused.error().detail, HasSubstr("holds 5 bytes instead of 32"));
    EXPECT_EQ(std::filesystem::file_size(path("mask.key")), 5U);
}

TEST_F(StateKeysTest, WhatIsNoFileIsRefused)
{
    std::filesystem::create_directory(path("mask.key"));
    EXPECT_FALSE(load_or_make_key(path("mask.key")).has_value());
    EXPECT_FALSE(load_or_make_key(path("none/mask.key")).has_value());
    std::filesystem::create_symlink("elsewhere", path("link.key"));
    EXPECT_FALSE(load_or_make_key(path("link.key")).has_value());
}

}  // namespace
}  // namespace sallyport
