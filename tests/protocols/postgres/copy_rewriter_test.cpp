#include "protocols/postgres/copy_rewriter.h"

#include <gtest/gtest.h>

#include "protocols/postgres/frame.h"

namespace sallyport::postgres {
namespace {

const MaskKey key{std::string(32, 'k')};
const MaskAction redact{};
const MaskAction last_two{MaskAction::Kind::keep_last, 2, {}, {}};
constexpr std::uint32_t text_type = 25;
constexpr std::uint32_t int_type = 23;

CopyRewriter rewriter(CopyTarget form, std::vector<std::uint32_t> types = {int_type, text_type})
{
    return {std::move(form), MaskPlan({nullptr, &redact}, key), std::move(types)};
}

std::string rewritten(CopyRewriter& rewriter, std::string_view rows, std::size_t masked)
{
    std::size_t hidden = 0;
    const auto result = rewriter.rewrite(bytes_of(rows), hidden);
    EXPECT_TRUE(result);
    EXPECT_EQ(hidden, masked);
    return result.value_or("");
}

TEST(CopyRewriterTest, MasksAColumnOfTextAndKeepsNull)
{
    auto copy = rewriter({});
    EXPECT_EQ(rewritten(copy, "1\tbob\n", 1), "1\t[masked]\n");
    EXPECT_EQ(rewritten(copy, "2\t\\N\n", 0), "2\t\\N\n");
}

TEST(CopyRewriterTest, AnEscapedDelimiterDoesNotEndAField)
{
    CopyTarget form;
    form.delimiter = '|';
    CopyRewriter copy(form, MaskPlan({&redact, nullptr}, key), {text_type, int_type});
    EXPECT_EQ(rewritten(copy, "a\\|b|7\n", 1), "[masked]|7\n");
    EXPECT_EQ(rewritten(copy, "a\\\\|7\n", 1), "[masked]|7\n");
}

TEST(CopyRewriterTest, KeepsTheEndOfAValueAndNotOfItsEscapedForm)
{
    CopyRewriter copy({}, MaskPlan({&last_two}, key), {text_type});
    EXPECT_EQ(rewritten(copy, "abc\\td\n", 1), "***\\td\n");
}

TEST(CopyRewriterTest, ATypeThatCannotHoldTextBecomesNull)
{
    CopyRewriter copy({}, MaskPlan({&redact, nullptr}, key), {int_type, text_type});
    EXPECT_EQ(rewritten(copy, "42\tx\n", 1), "\\N\tx\n");
}

TEST(CopyRewriterTest, PassesTheHeaderOnce)
{
    CopyTarget form;
    form.header = true;
    auto copy = rewriter(form);
    EXPECT_EQ(rewritten(copy, "id\temail\n", 0), "id\temail\n");
    EXPECT_EQ(rewritten(copy, "1\tx\n", 1), "1\t[masked]\n");
}

TEST(CopyRewriterTest, CsvQuotesNewlinesAndDoubledQuotes)
{
    CopyTarget form;
    form.format = CopyTarget::Format::csv;
    form.delimiter = ',';
    form.null = "";
    auto copy = rewriter(form);
    EXPECT_EQ(rewritten(copy, "1,\"a,b\"\"c\nd\"\n", 1), "1,\"[masked]\"\n");
    EXPECT_EQ(rewritten(copy, "2,\n", 0), "2,\n");
    EXPECT_EQ(rewritten(copy, "3,\"\"\n", 1), "3,\"[masked]\"\n");
}

TEST(CopyRewriterTest, BinaryRowsKeepHeaderAndTrailer)
{
    CopyTarget form;
    form.format = CopyTarget::Format::binary;
    auto copy = rewriter(form);
    const std::string header("PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\0", 19);
    const std::string row("\0\2\0\0\0\4\0\0\0\1\0\0\0\3bob", 17);
    const std::string expected = header + std::string("\0\2\0\0\0\4\0\0\0\1\0\0\0\10[masked]", 22);
    EXPECT_EQ(rewritten(copy, header + row, 1), expected);
    EXPECT_EQ(rewritten(copy, std::string("\377\377", 2), 0), std::string("\377\377", 2));
}

TEST(CopyRewriterTest, RefusesEveryRowCutShort)
{
    CopyTarget form;
    form.format = CopyTarget::Format::binary;
    const std::string whole = std::string("PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\0", 19) +
                              std::string("\0\2\0\0\0\4\0\0\0\1\0\0\0\3bob", 17);
    for (std::size_t cut = 1; cut < whole.size(); ++cut) {
        if (cut == 19)
            continue;  // a header alone is whole
        auto copy = rewriter(form);
        std::size_t hidden = 0;
        EXPECT_FALSE(copy.rewrite(bytes_of(std::string_view(whole).substr(0, cut)), hidden)) << cut;
    }
}

TEST(CopyRewriterTest, RefusesARowOfAnotherWidth)
{
    auto copy = rewriter({});
    std::size_t hidden = 0;
    EXPECT_FALSE(copy.rewrite(bytes_of("1\n"), hidden));
    EXPECT_FALSE(copy.rewrite(bytes_of("1\t2\t3\n"), hidden));
}

TEST(CopyRewriterTest, UnknownColumnsAreHiddenAllOfThem)
{
    CopyRewriter copy({}, MaskPlan(), {});
    EXPECT_EQ(rewritten(copy, "1\tbob\t\\N\n", 2), "[masked]\t[masked]\t\\N\n");
}

}  // namespace
}  // namespace sallyport::postgres
