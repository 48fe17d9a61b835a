#include "protocols/postgres/result_shape.h"

#include <gtest/gtest.h>

#include "protocols/postgres/masked_value.h"
#include "protocols/postgres/message.h"
#include "protocols/postgres/parameters.h"
#include "protocols/postgres/scrub.h"

namespace sallyport::postgres {
namespace {

const MaskKey key{std::string(32, 'k')};
const MaskAction redact{};
constexpr std::size_t header = 5;

std::string description()
{
    std::string message;
    MessageWriter(message)
        .begin('T')
        .u16(2)
        .text("id")
        .u32(100)
        .u16(1)
        .u32(23)
        .u16(4)
        .u32(0xffffffff)
        .u16(1)
        .text("email")
        .u32(100)
        .u16(2)
        .u32(25)
        .u16(0xffff)
        .u32(0xffffffff)
        .u16(0)
        .end();
    return message;
}

std::string row(std::string_view email)
{
    std::string message;
    MessageWriter(message)
        .begin('D')
        .u16(2)
        .u32(4)
        .u32(7)
        .u32(static_cast<std::uint32_t>(email.size()))
        .bytes(bytes_of(email))
        .end();
    return message;
}

ResultShape shape()
{
    ResultShape made;
    made.fields = *read_row_description(bytes_of(description()).subspan(header));
    made.plan = MaskPlan({nullptr, &redact}, key);
    return made;
}

TEST(ResultShapeTest, ReadsADescription)
{
    const ResultShape made = shape();
    ASSERT_EQ(made.fields.size(), 2U);
    EXPECT_EQ(made.fields[1].label, "email");
    EXPECT_EQ(made.fields[1].relation, 100U);
    EXPECT_EQ(made.fields[1].attribute, 2);
    EXPECT_TRUE(made.fields[0].binary);
}

TEST(ResultShapeTest, RefusesADescriptionCutAtAnyByte)
{
    const std::string whole = description();
    for (std::size_t cut = header; cut < whole.size(); ++cut)
        EXPECT_FALSE(
            read_row_description(bytes_of(std::string_view(whole).substr(header, cut - header))))
            << cut;
}

TEST(MaskRowTest, ReplacesTheMaskedValueAndNothingElse)
{
    std::string masked;
    const auto count = mask_row(bytes_of(row("bob@x")).subspan(header), shape(), masked);
    ASSERT_TRUE(count);
    EXPECT_EQ(*count, 1U);
    EXPECT_EQ(masked, row("[masked]"));
}

TEST(MaskRowTest, RefusesRowsCutAtAnyByteAndRowsOfAnotherWidth)
{
    const std::string whole = row("bob@x");
    for (std::size_t cut = header; cut < whole.size(); ++cut) {
        std::string masked;
        EXPECT_FALSE(mask_row(bytes_of(std::string_view(whole).substr(header, cut - header)),
                              shape(), masked))
            << cut;
    }
    std::string narrow;
    MessageWriter(narrow).begin('D').u16(1).u32(0xffffffff).end();
    std::string masked;
    EXPECT_FALSE(mask_row(bytes_of(narrow).subspan(header), shape(), masked));
}

TEST(MaskRowTest, ARowNobodyAnnouncedIsHiddenWhole)
{
    std::string masked;
    const auto count = mask_row(bytes_of(row("bob@x")).subspan(header), ResultShape(), masked);
    ASSERT_TRUE(count);
    EXPECT_EQ(*count, 2U);
    EXPECT_EQ(masked.find("bob"), std::string::npos);
}

TEST(MaskedValueTest, KeepsTheTypesForm)
{
    EXPECT_EQ(masked_value(redact, key, 25, true, "x"), "[masked]");
    EXPECT_EQ(masked_value(redact, key, 114, false, "{\"a\":1}"), "\"[masked]\"");
    EXPECT_EQ(masked_value(redact, key, 3802, true, "\x01{}"), "\x01\"[masked]\"");
    EXPECT_EQ(masked_value(redact, key, 23, true, "1234"), std::nullopt);
    EXPECT_EQ(masked_value(redact, key, 1007, false, "{1,2}"), std::nullopt);
}

TEST(ParametersTest, RecordsValuesNullsAndWhatIsLeftOut)
{
    std::string message;
    MessageWriter(message)
        .begin('B')
        .text("")
        .text("s")
        .u16(1)
        .u16(1)
        .u16(2)
        .u32(3)
        .bytes(bytes_of("abc"))
        .u32(0xffffffff)
        .u16(0)
        .end();
    const auto bind = read_bind(bytes_of(message).subspan(header));
    ASSERT_TRUE(bind);
    EXPECT_EQ(bind->statement, "s");
    const std::string kept = recorded_parameters(*bind, {25}, false);
    EXPECT_EQ(kept, std::string("\0\2\0\0\0\x19\0\1\0\0\0\3"
                                "abc"
                                "\0\0\0\0\0\1\377\377\377\377",
                                25));
    const std::string hidden = recorded_parameters(*bind, {25}, true);
    EXPECT_EQ(hidden.find("abc"), std::string::npos);
    for (std::size_t cut = header; cut < message.size(); ++cut)
        EXPECT_FALSE(read_bind(bytes_of(std::string_view(message).substr(header, cut - header))));
}

TEST(ScrubTest, TakesOutWhatCouldQuoteAValueAndKeepsWhatCannot)
{
    const std::string duplicate =
        error_message("ERROR", "23505", "duplicate key", "Key (email)=(bob@x) already exists.");
    const std::string scrubbed_one = scrubbed('E', bytes_of(duplicate).subspan(header));
    EXPECT_EQ(scrubbed_one.find("bob@x"), std::string::npos);
    EXPECT_NE(scrubbed_one.find("23505"), std::string::npos);
    Diagnostic missing;
    missing.fields = {{'S', "ERROR"}, {'C', "42P01"}, {'M', "relation \"bob@x\" does not exist"}};
    const auto text = [](const Diagnostic& diagnostic) {
        const std::string message = write_diagnostic('E', diagnostic);
        return scrubbed('E', bytes_of(message).subspan(header));
    };
    EXPECT_EQ(text(missing).find("bob@x"), std::string::npos);
    missing.fields.emplace_back('P', "15");
    EXPECT_NE(text(missing).find("bob@x"), std::string::npos);
}

}  // namespace
}  // namespace sallyport::postgres
