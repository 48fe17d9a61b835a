// One value, hidden: every action over values in every shape.

#include <gtest/gtest.h>

#include "gateway/masking/mask_plan.h"

namespace sallyport {
namespace {

using Kind = MaskAction::Kind;

const MaskKey key{std::string(32, 'k')};

MaskAction action_of(Kind kind, std::size_t keep = 0)
{
    return {.kind = kind, .keep = keep, .text = {}, .rule = {}};
}

struct Kept {
    Kind kind;
    std::size_t keep;
    std::string_view value;
    std::string_view shown;
};

class KeptTest : public testing::TestWithParam<Kept> {};

TEST_P(KeptTest, ShowsWhatIsKeptAndAStarForEachOtherCharacter)
{
    const Kept& kept = GetParam();
    EXPECT_EQ(masked_text(action_of(kept.kind, kept.keep), key, kept.value), kept.shown);
}

INSTANTIATE_TEST_SUITE_P(
    MaskedText, KeptTest,
    testing::Values(
        Kept{Kind::keep_last, 4, "4111111111111111", "************1111"},
        Kept{Kind::keep_last, 4, "12345", "*2345"},
        // Not longer than what is kept: hidden whole.
        Kept{Kind::keep_last, 4, "1234", "****"}, Kept{Kind::keep_last, 4, "12", "**"},
        Kept{Kind::keep_last, 4, "", ""}, Kept{Kind::keep_first, 1, "alice", "a****"},
        Kept{Kind::keep_first, 3, "abc", "***"}, Kept{Kind::keep_first, 2, "abc", "ab*"},
        // Characters, not bytes.
        Kept{Kind::keep_last, 2, "Zoë", "*oë"}, Kept{Kind::keep_first, 1, "Ångström", "Å*******"},
        Kept{Kind::keep_last, 1, "日本語", "**語"}, Kept{Kind::keep_first, 1, "😀😁", "😀*"},
        Kept{Kind::keep_last, 3, "日本語", "***"},
        // What is not UTF-8 counts byte by byte: never more is shown than was asked for.
        Kept{Kind::keep_last, 1, "a\xff\xfe", "**\xfe"},
        Kept{Kind::keep_first, 1, "\xe6\x97", "\xe6*"},
        Kept{Kind::keep_last, 1, "ab\xc3", "**\xc3"}, Kept{Kind::keep_last, 1, "\xc0\x80z", "**z"},
        Kept{Kind::keep_first, 1, "\xf5\x80\x80\x80", "\xf5***"}));

TEST(MaskedTextTest, RedactsWhatever)
{
    EXPECT_EQ(masked_text(action_of(Kind::redact), key, "secret"), "[masked]");
    EXPECT_EQ(masked_text(action_of(Kind::redact), key, ""), "[masked]");
}

TEST(MaskedTextTest, TurnsAValueIntoNull)
{
    EXPECT_EQ(masked_text(action_of(Kind::null), key, "secret"), std::nullopt);
}

TEST(MaskedTextTest, ReplacesByTheConfiguredText)
{
    MaskAction action = action_of(Kind::replace);
    action.text = "n/a";
    EXPECT_EQ(masked_text(action, key, "secret"), "n/a");
}

TEST(MaskedTextTest, HashesUnderTheKey)
{
    const auto hash = masked_text(action_of(Kind::hash), key, "secret");
    // python3: hmac.new(b'k'*32, b'secret', 'sha256').hexdigest()[:32]
    EXPECT_EQ(hash, "ead256ccb47a97d5f4efd6f4da905f03");
    EXPECT_EQ(hash, masked_text(action_of(Kind::hash), key, "secret"));
    EXPECT_NE(hash, masked_text(action_of(Kind::hash), key, "Secret"));
    EXPECT_NE(hash, masked_text(action_of(Kind::hash), MaskKey{std::string(32, 'x')}, "secret"));
}

}  // namespace
}  // namespace sallyport
