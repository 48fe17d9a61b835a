// Texts are found again by their exact bytes, and the memory for them is bounded.

#include <gtest/gtest.h>
#include <string>

#include "protocols/postgres/statement.h"
#include "tests/protocols/postgres/sample_names.h"

namespace sallyport::postgres {

namespace {

constexpr std::size_t megabyte = std::size_t{1} << 20;

TEST(SqlCacheTest, FindsATextAgain)
{
    SqlCache cache(no_names(), megabyte);
    const auto first = cache.find_or_read("SELECT 'a'");
    EXPECT_EQ(cache.find_or_read(std::string("SELECT ") + "'a'"), first);
    EXPECT_EQ(first->command->text, "SELECT 'a'");
}

TEST(SqlCacheTest, TellsTextsApartThatDifferInAnyByte)
{
    SqlCache cache(no_names(), megabyte);
    std::string text =
        "SELECT 'abcdefghijklmnopqrstuvwxyz' FROM a_table_with_a_name WHERE id = 12345";
    const auto first = cache.find_or_read(text);
    for (std::size_t i = 0; i < text.size(); ++i) {
        std::string other = text;
        other[i] = static_cast<char>(other[i] ^ 1);
        EXPECT_NE(cache.find_or_read(other), first) << other;
        EXPECT_NE(cache.find_or_read(text.substr(0, i)), first);
    }
    EXPECT_EQ(cache.find_or_read(text), first);
}

TEST(SqlCacheTest, KeepsWhatDoesNotParseAsWell)
{
    SqlCache cache(no_names(), megabyte);
    const auto first = cache.find_or_read("SELEC 1");
    EXPECT_FALSE(first->problem.empty());
    EXPECT_EQ(cache.find_or_read("SELEC 1"), first);
}

TEST(SqlCacheTest, ForgetsTheLeastRecentlyUsed)
{
    SqlCache cache(no_names(), std::size_t{64} << 10);
    const auto kept = cache.find_or_read("SELECT 'kept'");
    const auto lost = cache.find_or_read("SELECT 'lost'");
    for (int i = 0; i < 1000; ++i) {
        cache.find_or_read("SELECT c" + std::to_string(i));
        EXPECT_EQ(cache.find_or_read("SELECT 'kept'"), kept);
    }
    EXPECT_NE(cache.find_or_read("SELECT 'lost'"), lost);
    // A session that still holds it is not troubled.
    EXPECT_EQ(lost->command->text, "SELECT 'lost'");
}

TEST(SqlCacheTest, OneLargeTextDoesNotPushOutTheOthers)
{
    SqlCache cache(no_names(), std::size_t{64} << 10);
    const auto kept = cache.find_or_read("SELECT 'kept'");
    const std::string large = "SELECT '" + std::string(100'000, 'x') + "'";
    EXPECT_NE(cache.find_or_read(large), cache.find_or_read(large));
    EXPECT_EQ(cache.find_or_read("SELECT 'kept'"), kept);
}

TEST(SqlCacheTest, ReadsWithTheFunctionsOfItsConnection)
{
    SqlCache trusting(no_names({"app.f"}), megabyte);
    SqlCache other(no_names(), megabyte);
    EXPECT_EQ(
        names_of(sql_vocabulary(), trusting.find_or_read("SELECT app.f()")->command->classes()),
        "select");
    EXPECT_EQ(names_of(sql_vocabulary(), other.find_or_read("SELECT app.f()")->command->classes()),
              "select opaque");
}

}  // namespace

}  // namespace sallyport::postgres
