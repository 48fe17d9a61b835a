#include "protocols/postgres/message.h"

#include <gtest/gtest.h>
#include <string>

#include "protocols/postgres/frame.h"

namespace sallyport::postgres {
namespace {

using namespace std::string_literals;

TEST(BodyReaderTest, ReadsWhatAWriterWrote)
{
    std::string bytes = "before";
    MessageWriter writer(bytes);
    writer.begin('x').u8(7).u16(0x0102).u32(0x03040506).text("hello").bytes(bytes_of("raw"));
    writer.end();
    writer.begin('y');
    writer.end();
    EXPECT_EQ(bytes, "beforex\0\0\0\x14\x07\x01\x02\x03\x04\x05\x06hello\0rawy\0\0\0\x04"s);

    const auto frame = next_frame(bytes_of(std::string_view(bytes).substr(6)), 1000);
    ASSERT_TRUE(frame && *frame);
    BodyReader reader((*frame)->body);
    EXPECT_EQ(reader.u8(), 7);
    EXPECT_EQ(reader.u16(), 0x0102);
    EXPECT_EQ(reader.u32(), 0x03040506U);
    EXPECT_EQ(reader.text(), "hello");
    EXPECT_EQ(text_of(reader.rest()), "raw");
    EXPECT_EQ(text_of(reader.bytes(3)), "raw");
    EXPECT_FALSE(reader.failed());
    EXPECT_EQ(reader.u8(), 0);
    EXPECT_TRUE(reader.failed());
}

TEST(BodyReaderTest, StaysFailed)
{
    const std::string body = "\x01\x02"s;
    BodyReader reader(bytes_of(body));
    EXPECT_EQ(reader.u32(), 0U);
    EXPECT_TRUE(reader.failed());
    EXPECT_EQ(reader.u8(), 0);
    EXPECT_EQ(reader.text(), "");
    EXPECT_TRUE(reader.bytes(0).empty());
    EXPECT_TRUE(reader.rest().empty());
    EXPECT_TRUE(reader.failed());
}

TEST(BodyReaderTest, AStringNeedsItsTerminator)
{
    BodyReader without(bytes_of("abc"));
    EXPECT_EQ(without.text(), "");
    EXPECT_TRUE(without.failed());

    BodyReader nothing(Bytes{});
    EXPECT_EQ(nothing.text(), "");
    EXPECT_TRUE(nothing.failed());

    const std::string two = "\0b\0"s;
    BodyReader reader(bytes_of(two));
    EXPECT_EQ(reader.text(), "");
    EXPECT_FALSE(reader.failed());
    EXPECT_EQ(reader.text(), "b");
    EXPECT_FALSE(reader.failed());
}

TEST(BodyReaderTest, ACountBeyondTheEndIsNotFollowed)
{
    BodyReader reader(bytes_of("abc"));
    EXPECT_TRUE(reader.bytes(~std::size_t{0}).empty());
    EXPECT_TRUE(reader.failed());
}

TEST(DiagnosticTest, KeepsFieldsInTheirOrder)
{
    const std::string body = "SERROR\0C42P01\0Mrelation \"t\" does not exist\0P15\0\0"s;
    const auto diagnostic = read_diagnostic(bytes_of(body));
    ASSERT_TRUE(diagnostic);
    EXPECT_EQ(diagnostic->field('C'), "42P01");
    EXPECT_EQ(diagnostic->field('D'), "");
    EXPECT_EQ(write_diagnostic('E', *diagnostic).substr(header_size), body);
}

TEST(DiagnosticTest, ChangesOneFieldAndAddsAnother)
{
    auto diagnostic = *read_diagnostic(bytes_of("SERROR\0Mold\0\0"s));
    diagnostic.set('M', "new");
    diagnostic.set('D', "more");
    EXPECT_EQ(write_diagnostic('N', diagnostic), "N\0\0\0\x17SERROR\0Mnew\0Dmore\0\0"s);
}

TEST(DiagnosticTest, LacksNothingWhenItHasNoSqlstate)
{
    const auto diagnostic = read_diagnostic(bytes_of("\0"s));
    ASSERT_TRUE(diagnostic);
    EXPECT_EQ(diagnostic->field('C'), "");
}

TEST(DiagnosticTest, EveryCutIsMalformed)
{
    const std::string body = "SERROR\0C42P01\0Mtext\0\0"s;
    for (std::size_t size = 0; size < body.size(); ++size) {
        const auto diagnostic = read_diagnostic(bytes_of(std::string_view(body).substr(0, size)));
        ASSERT_FALSE(diagnostic) << size;
        EXPECT_EQ(diagnostic.error().fault, Fault::malformed);
    }
    EXPECT_FALSE(read_diagnostic(bytes_of(body + "x")));
}

TEST(DiagnosticTest, AZeroByteInAValueForgesNoField)
{
    Diagnostic diagnostic;
    diagnostic.set('M', "harmless\0C00000\0"s);
    const std::string message = write_diagnostic('E', diagnostic);
    const auto read = read_diagnostic(bytes_of(std::string_view(message).substr(header_size)));
    ASSERT_TRUE(read);
    EXPECT_EQ(read->field('M'), "harmless");
    EXPECT_EQ(read->field('C'), "");
}

TEST(DiagnosticTest, ErrorsHaveWhatDriversReadAndNoEmptyFields)
{
    const std::string message = error_message("FATAL", "3D000", "no such thing", "", "look there");
    EXPECT_EQ(message, "E\0\0\0\x35SFATAL\0VFATAL\0C3D000\0Mno such thing\0Hlook there\0\0"s);
}

}  // namespace
}  // namespace sallyport::postgres
