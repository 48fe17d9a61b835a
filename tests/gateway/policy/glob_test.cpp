// Wildcards, checked against a slow and plain version of themselves.

#include "gateway/vocabulary/glob.h"

#include <gtest/gtest.h>
#include <string>

namespace sallyport {
namespace {

// The definition, letter by letter.
bool matches_by_definition(std::string_view pattern, std::string_view text)
{
    if (pattern.empty())
        return text.empty();
    if (pattern[0] == '*')
        return matches_by_definition(pattern.substr(1), text) ||
               (!text.empty() && matches_by_definition(pattern, text.substr(1)));
    return !text.empty() && (pattern[0] == '?' || pattern[0] == text[0]) &&
           matches_by_definition(pattern.substr(1), text.substr(1));
}

TEST(GlobTest, MatchesWhatAPersonExpects)
{
    EXPECT_TRUE(glob_matches("*", ""));
    EXPECT_TRUE(glob_matches("*", "anything"));
    EXPECT_TRUE(glob_matches("public.*", "public.users"));
    EXPECT_FALSE(glob_matches("public.*", "hr.users"));
    EXPECT_TRUE(glob_matches("feature?tore", "featurestore"));
    EXPECT_FALSE(glob_matches("feature", "featurestore"));
    EXPECT_FALSE(glob_matches("", "x"));
    EXPECT_TRUE(glob_matches("[a].+", "[a].+"));
    EXPECT_FALSE(glob_matches("[a]", "a"));
}

// All patterns of up to 4 signs over all texts of up to 5.
TEST(GlobTest, AgreesWithItsDefinition)
{
    const auto words = [](std::string_view alphabet, std::size_t longest) {
        std::vector<std::string> all = {""};
        for (std::size_t from = 0, length = 0; length < longest; ++length) {
            const std::size_t to = all.size();
            for (; from < to; ++from) {
                for (const char letter : alphabet)
                    all.push_back(all[from] + letter);
            }
        }
        return all;
    };
    const auto texts = words("ab", 5);
    for (const std::string& pattern : words("ab*?", 4)) {
        for (const std::string& text : texts)
            ASSERT_EQ(glob_matches(pattern, text), matches_by_definition(pattern, text))
                << pattern << " / " << text;
    }
}

TEST(GlobTest, ManyStarsTakeNoLongTime)
{
    std::string pattern;
    for (int i = 0; i < 200; ++i)
        pattern += "a*";
    EXPECT_FALSE(glob_matches(pattern + "b", std::string(5000, 'a')));
}

}  // namespace
}  // namespace sallyport
