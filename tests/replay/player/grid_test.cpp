#include "replay/player/grid.h"

#include <gtest/gtest.h>
#include <sstream>

namespace sallyport {
namespace {

std::string drawn(const Grid& grid, std::string_view margin = "")
{
    std::ostringstream out;
    grid.write(out, margin);
    return out.str();
}

void add(Grid& grid, std::vector<ShownValue> values)
{
    grid.add(values);
}

TEST(GridTest, LooksLikePsql)
{
    const ShownColumn columns[] = {{"id", "int4", true}, {"email", "text", false}};
    Grid grid(columns);
    add(grid, {"1", "a***@***"});
    add(grid, {"1000", "b"});
    EXPECT_EQ(drawn(grid),
              "  id  |  email\n"
              "------+----------\n"
              "    1 | a***@***\n"
              " 1000 | b\n"
              "(2 rows)\n");
}

TEST(GridTest, NullIsNotTheEmptyString)
{
    const ShownColumn columns[] = {{"a", "", false}, {"b", "", false}};
    Grid grid(columns);
    add(grid, {std::nullopt, ""});
    EXPECT_EQ(drawn(grid),
              "  a   | b\n"
              "------+---\n"
              " NULL |\n"
              "(1 row)\n");
}

TEST(GridTest, EveryLineHasTheMargin)
{
    const ShownColumn columns[] = {{"a\nb", "", false}};
    Grid grid(columns);
    add(grid, {"x\ny\x1b[2J"});
    EXPECT_EQ(drawn(grid, "    "),
              "        a\\nb\n"
              "    -------------\n"
              "     x\\ny\\x1b[2J\n"
              "    (1 row)\n");
}

TEST(GridTest, ALongValueIsWholeAndCostsTheOthersNothing)
{
    const ShownColumn columns[] = {{"a", "", false}, {"b", "", false}};
    Grid grid(columns);
    const std::string long_value(100'000, 'x');
    add(grid, {long_value, "1"});
    for (int i = 0; i < 1000; ++i)
        add(grid, {"y", "2"});
    const std::string text = drawn(grid);
    EXPECT_NE(text.find(" " + long_value + " | 1\n"), std::string::npos);
    EXPECT_LT(text.size(), 100'000U + 1000 * 100);
}

TEST(GridTest, ColumnsWithoutNamesAreNumbered)
{
    Grid grid(2);
    add(grid, {"1", "2"});
    EXPECT_NE(drawn(grid).find("column 1 | column 2"), std::string::npos);
}

TEST(GridTest, AResultWithoutColumnsStillHasRows)
{
    Grid grid(0);
    add(grid, {});
    add(grid, {});
    EXPECT_EQ(drawn(grid), "(2 rows)\n");
}

TEST(GridTest, ARowOfAnotherSizeDoesNotBreakIt)
{
    Grid grid(2);
    add(grid, {"only"});
    add(grid, {"1", "2", "3"});
    EXPECT_NE(drawn(grid).find("(2 rows)"), std::string::npos);
}

}  // namespace
}  // namespace sallyport
