#include "replay/player/inert_text.h"

#include <gtest/gtest.h>

namespace sallyport {
namespace {

TEST(InertTextTest, LeavesOrdinaryTextAlone)
{
    for (const char* text : {"", "select 1", "naïve 日本語 🦀", "a\\b"}) {
        EXPECT_EQ(inert(text), text);
        EXPECT_EQ(inert_lines(text), text);
    }
}

TEST(InertTextTest, TerminalSequencesBecomeEscapes)
{
    EXPECT_EQ(inert("\x1b]52;c;ZXZpbA==\x07"), "\\x1b]52;c;ZXZpbA==\\x07") << "clipboard";
    EXPECT_EQ(inert("\x1b]0;title\x1b\\"), "\\x1b]0;title\\x1b\\") << "title";
    EXPECT_EQ(inert("\x1bP$qm\x1b\\"), "\\x1bP$qm\\x1b\\") << "DECRQSS";
    EXPECT_EQ(inert("\x1b[2J\b\x7f"), "\\x1b[2J\\x08\\x7f") << "clear, backspace, delete";
    EXPECT_EQ(inert("\xc2\x9b"
                    "2J"),
              "\\u{9b}2J")
        << "C1 CSI";
    EXPECT_EQ(inert("\x9b"
                    "2J"),
              "\\x9b2J")
        << "C1 CSI of an 8-bit terminal";
    EXPECT_EQ(inert("a\rb\nc\td"), "a\\rb\\nc\\td");
    EXPECT_EQ(inert(std::string_view("a\0b", 3)), "a\\x00b");
}

TEST(InertTextTest, DirectionAndInvisibleCharactersBecomeEscapes)
{
    EXPECT_EQ(inert("a\u202eb"), "a\\u{202e}b");
    EXPECT_EQ(inert("a\u2066b\u2069"), "a\\u{2066}b\\u{2069}");
    EXPECT_EQ(inert("a\u200bb\ufeff"), "a\\u{200b}b\\u{feff}");
    EXPECT_EQ(inert("a\u2028b"), "a\\u{2028}b");
}

TEST(InertTextTest, WhatIsNotUtf8BecomesEscapes)
{
    EXPECT_EQ(inert("\xff\xfe"), "\\xff\\xfe");
    EXPECT_EQ(inert("\xc0\xaf"), "\\xc0\\xaf") << "overlong";
    EXPECT_EQ(inert("\xed\xa0\x80"), "\\xed\\xa0\\x80") << "surrogate";
    EXPECT_EQ(inert("\xe6\x97"), "\\xe6\\x97") << "cut";
    EXPECT_EQ(inert("\xf4\x90\x80\x80"), "\\xf4\\x90\\x80\\x80") << "too large";
}

TEST(InertTextTest, LinesKeepLineFeedsAndTabsOnly)
{
    EXPECT_EQ(inert_lines("select\n\t1;\r\n\x1b[0m"), "select\n\t1;\\r\n\\x1b[0m");
}

TEST(InertTextTest, NoInputLeavesAControlCharacter)
{
    for (int first = 0; first < 256; ++first)
        for (int second = 0; second < 256; ++second) {
            const char bytes[] = {static_cast<char>(first), static_cast<char>(second), 'x'};
            const std::string made = inert({bytes, 3});
            for (const char c : made)
                ASSERT_TRUE(static_cast<unsigned char>(c) >= 0x20 && c != 0x7f);
            ASSERT_EQ(made.find("\xc2\x80"), std::string::npos);
        }
}

TEST(InertTextTest, CountsColumnsOfATerminal)
{
    EXPECT_EQ(width_of(""), 0U);
    EXPECT_EQ(width_of("abc"), 3U);
    EXPECT_EQ(width_of("naïve"), 5U);
    EXPECT_EQ(width_of("日本"), 4U);
    EXPECT_EQ(width_of("e\u0301"), 1U) << "a combining accent";
}

}  // namespace
}  // namespace sallyport
