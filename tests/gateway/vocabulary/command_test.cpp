#include "gateway/vocabulary/command.h"

#include <array>
#include <gtest/gtest.h>

namespace sallyport::testing {
namespace {

constexpr std::array<std::string_view, 3> classes = {"select", "update", "update_all"};
constexpr Vocabulary words = {"sql", classes, {}, ClassSet::of(0)};

Command command_of(std::vector<Action> actions)
{
    return {&words, "text", std::make_shared<const Actions>(std::move(actions))};
}

TEST(CommandTest, HasEveryClassOfItsActions)
{
    const Command command = command_of({{0, "public.a", ""}, {2, "public.b", ""}});
    EXPECT_EQ(command.classes(), ClassSet::of(0) | ClassSet::of(2));
    EXPECT_EQ(names_of(words, command.classes()), "select update_all");
    EXPECT_EQ(names_of(words, {}), "");
}

TEST(CommandTest, OnlyReadsWhereNothingElseIsDone)
{
    EXPECT_TRUE(command_of({{0, "", ""}}).only_reads());
    EXPECT_TRUE(command_of({{0, "", ""}, {0, "x", ""}}).only_reads());
    EXPECT_FALSE(command_of({{0, "", ""}, {1, "", ""}}).only_reads());
}

TEST(CommandTest, SetsOfClassesReachToTheLastOfThem)
{
    const ClassSet last = ClassSet::of(63);
    EXPECT_TRUE(last.contains(63));
    EXPECT_FALSE(last.contains(62));
    EXPECT_FALSE(last.empty());
    EXPECT_TRUE(ClassSet().empty());
    EXPECT_TRUE(ClassSet().within(last));
    EXPECT_FALSE(last.within(ClassSet::of(62)));
    EXPECT_TRUE((last & ClassSet::of(62)).empty());
}

}  // namespace
}  // namespace sallyport::testing
