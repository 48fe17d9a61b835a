// Files of the state directory: there whole or as they were, for their owner only.

#include "gateway/state/state_file.h"

#include <algorithm>
#include <array>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <iterator>
#include <stdlib.h>
#include <string>
#include <sys/resource.h>
#include <sys/stat.h>
#include <thread>
#include <unistd.h>
#include <vector>

#include "tests/temporary_directory.h"

namespace sallyport {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Optional;

class StateFileTest : public testing::Test {
protected:
    void write(std::string_view text, unsigned mode = 0600) const
    {
        std::ofstream(file_, std::ios::binary | std::ios::trunc) << text;
        std::filesystem::permissions(file_, std::filesystem::perms(mode));
    }
    std::string content() const
    {
        std::ifstream in(file_, std::ios::binary);
        return {std::istreambuf_iterator<char>(in), {}};
    }
    unsigned mode() const
    {
        struct stat status = {};
        EXPECT_EQ(::stat(file_.c_str(), &status), 0);
        return status.st_mode & 07777U;
    }
    std::vector<std::string> names() const
    {
        std::vector<std::string> all;
        for (const auto& entry : std::filesystem::directory_iterator(folder_))
            all.push_back(entry.path().filename());
        return all;
    }
    std::string problem_of_loading(std::size_t limit = 100) const
    {
        const auto loaded = load_state_file(file_, limit);
        return loaded ? "none" : loaded.error().detail;
    }

    const TemporaryDirectory directory_;
    const std::filesystem::path folder_ = directory_.path();
    const std::string file_ = directory_.file("kept");
};

// A limit of this process, while it lives.
class Limited final {
public:
    using Resource = decltype(RLIMIT_FSIZE);

    Limited(Resource resource, rlim_t limit) : resource_(resource)
    {
        EXPECT_EQ(::getrlimit(resource_, &before_), 0);
        const rlimit now = {.rlim_cur = limit, .rlim_max = before_.rlim_max};
        EXPECT_EQ(::setrlimit(resource_, &now), 0);
    }
    Limited(const Limited&) = delete;
    Limited& operator=(const Limited&) = delete;
    ~Limited() { ::setrlimit(resource_, &before_); }

private:
    Resource resource_;
    rlimit before_{};
};

// As on a full disk: no file grows beyond the size.
class FullDisk final {
public:
    explicit FullDisk(rlim_t size)
        : before_(std::signal(SIGXFSZ, SIG_IGN)), size_(RLIMIT_FSIZE, size)
    {
    }
    FullDisk(const FullDisk&) = delete;
    FullDisk& operator=(const FullDisk&) = delete;
    ~FullDisk() { (void)std::signal(SIGXFSZ, before_); }  // gives what it replaces: known

private:
    void (*before_)(int);
    Limited size_;
};

TEST_F(StateFileTest, GivesBackWhatWasPutThere)
{
    EXPECT_EQ(load_state_file(file_, 100).value(), std::nullopt);
    for (const std::string& text :
         {std::string("one\0two", 7), std::string("three"), std::string()}) {
        ASSERT_TRUE(replace_state_file(file_, text));
        EXPECT_THAT(load_state_file(file_, 7).value(), Optional(text));
        EXPECT_EQ(mode(), 0600U);
        EXPECT_THAT(names(), ElementsAre("kept"));
    }
}

TEST_F(StateFileTest, WhatOthersCanReadOrChangeIsNotLoaded)
{
    for (const unsigned mode : {0640U, 0620U, 0604U, 0602U, 0610U}) {
        write("text", mode);
        EXPECT_THAT(problem_of_loading(), HasSubstr("chmod 600")) << mode;
    }
    write("text", 0400);
    EXPECT_EQ(problem_of_loading(), "none");
}

TEST_F(StateFileTest, WhatIsNoFileIsNotLoaded)
{
    std::filesystem::create_directory(file_);
    EXPECT_THAT(problem_of_loading(), HasSubstr("is not a regular file"));
    std::filesystem::remove(file_);
    ASSERT_EQ(::mkfifo(file_.c_str(), 0600), 0);
    EXPECT_THAT(problem_of_loading(), HasSubstr("is not a regular file"));
    std::filesystem::remove(file_);
    std::ofstream(folder_ / "elsewhere") << "text";
    std::filesystem::create_symlink("elsewhere", file_);
    EXPECT_THAT(problem_of_loading(), HasSubstr("cannot be opened"));
}

TEST_F(StateFileTest, WhatIsTooLongIsNotLoaded)
{
    write("12345");
    EXPECT_EQ(problem_of_loading(5), "none");
    EXPECT_THAT(problem_of_loading(4), HasSubstr("is longer than 4 bytes"));
}

TEST_F(StateFileTest, WhatCannotBeReplacedIsAsItWas)
{
    write("before");
    {
        const FullDisk full(3);
        EXPECT_FALSE(replace_state_file(file_, "after"));
    }
    EXPECT_EQ(content(), "before");
    EXPECT_THAT(names(), ElementsAre("kept"));
    std::filesystem::remove(file_);
    std::filesystem::create_directory(file_);
    const auto refused = replace_state_file(file_, "after");
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().fault, Fault::unavailable);
    EXPECT_THAT(refused.error().detail, HasSubstr(file_ + " cannot be written"));
    EXPECT_THAT(names(), ElementsAre("kept"));
    EXPECT_FALSE(replace_state_file((folder_ / "none" / "kept").string(), "after"));
}

TEST_F(StateFileTest, IsCreatedOnce)
{
    EXPECT_EQ(create_state_file(file_, "first").value(), true);
    EXPECT_EQ(mode(), 0600U);
    EXPECT_EQ(create_state_file(file_, "second").value(), false);
    EXPECT_EQ(content(), "first");
    EXPECT_THAT(names(), ElementsAre("kept"));
}

TEST_F(StateFileTest, OfManyWhoCreateItOneDoes)
{
    std::array<int, 8> made{};
    {
        std::vector<std::jthread> makers;
        for (std::size_t i = 0; i < made.size(); ++i)
            makers.emplace_back([this, i, &mine = made[i]] {
                const auto created = create_state_file(file_, std::string(1000, char('a' + i)));
                mine = created ? int{*created} : -1;
            });
    }
    EXPECT_EQ(std::count(made.begin(), made.end(), 1), 1);
    EXPECT_EQ(std::count(made.begin(), made.end(), 0), 7);
    const auto winner = std::find(made.begin(), made.end(), 1) - made.begin();
    EXPECT_EQ(content(), std::string(1000, static_cast<char>('a' + winner)));
    EXPECT_THAT(names(), ElementsAre("kept"));
}

TEST_F(StateFileTest, IsNotCreatedOverAnything)
{
    std::filesystem::create_symlink("nowhere", file_);
    EXPECT_EQ(create_state_file(file_, "text").value(), false);
    EXPECT_TRUE(std::filesystem::is_symlink(file_));
    EXPECT_THAT(names(), ElementsAre("kept"));
    std::filesystem::remove(file_);
    std::filesystem::create_directory(file_);
    EXPECT_EQ(create_state_file(file_, "text").value(), false);
    EXPECT_TRUE(std::filesystem::is_directory(file_));
    EXPECT_THAT(names(), ElementsAre("kept"));
}

TEST_F(StateFileTest, IsCreatedWholeOrNotAtAll)
{
    for (rlim_t size = 0; size <= 4; ++size) {
        Result<bool> created = false;
        {
            const FullDisk full(size);
            created = create_state_file(file_, "text");
        }
        EXPECT_EQ(created.has_value(), size == 4) << size;
        EXPECT_EQ(names().size(), size == 4 ? 1U : 0U) << size;
    }
    const auto refused = create_state_file((folder_ / "none" / "kept").string(), "text");
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().fault, Fault::unavailable);
    EXPECT_THAT(refused.error().detail, HasSubstr("cannot be made"));
}

TEST_F(StateFileTest, IsAppendedTo)
{
    bool spoilt = false;
    EXPECT_TRUE(append_to_state_file(file_, "one ", 0, true, spoilt));
    EXPECT_EQ(mode(), 0600U);
    EXPECT_TRUE(append_to_state_file(file_, "two", 4, false, spoilt));
    EXPECT_EQ(content(), "one two");
    EXPECT_FALSE(spoilt);
}

TEST_F(StateFileTest, IsNotAppendedToWhereSomebodyElseDid)
{
    write("one other");
    bool spoilt = false;
    const auto refused = append_to_state_file(file_, "two", 4, true, spoilt);
    ASSERT_FALSE(refused);
    EXPECT_THAT(refused.error().detail, HasSubstr("is not as this gateway left it"));
    EXPECT_TRUE(spoilt);
    EXPECT_EQ(content(), "one other");
}

TEST_F(StateFileTest, IsAsItWasWhereItCannotBeAppendedTo)
{
    write("one ");
    for (const bool durable : {false, true}) {
        bool spoilt = false;
        {
            const FullDisk full(6);
            EXPECT_FALSE(append_to_state_file(file_, "two", 4, durable, spoilt));
        }
        // Nobody knows what a disk that failed has.
        EXPECT_EQ(spoilt, durable);
        if (!durable) {
            EXPECT_EQ(content(), "one ");
        }
    }
    bool spoilt = false;
    EXPECT_FALSE(append_to_state_file((folder_ / "none" / "kept").string(), "x", 0, true, spoilt));
    EXPECT_FALSE(spoilt);
}

TEST_F(StateFileTest, WhatIsWrittenAndNotDurableIsSpoilt)
{
    // One descriptor is left: none to open the folder with.
    const int next = ::dup(0);
    ASSERT_GE(next, 0);
    ASSERT_EQ(::close(next), 0);
    bool spoilt = false;
    Result<void> appended;
    {
        const Limited descriptors(RLIMIT_NOFILE, static_cast<rlim_t>(next) + 1);
        appended = append_to_state_file(file_, "text", 0, true, spoilt);
    }
    ASSERT_FALSE(appended);
    EXPECT_THAT(appended.error().detail, HasSubstr("cannot be made durable"));
    EXPECT_TRUE(spoilt);
}

}  // namespace
}  // namespace sallyport
