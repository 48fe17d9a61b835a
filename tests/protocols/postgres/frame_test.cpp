#include "protocols/postgres/frame.h"

#include <array>
#include <gtest/gtest.h>
#include <string>

namespace sallyport::postgres {
namespace {

std::string message(char type, std::string_view body)
{
    std::string whole(5, type);
    write_u32(std::as_writable_bytes(std::span(whole)).data() + 1,
              static_cast<std::uint32_t>(body.size() + 4));
    whole += body;
    return whole;
}

std::string head(char type, std::uint32_t length)
{
    std::string bytes(5, type);
    write_u32(std::as_writable_bytes(std::span(bytes)).data() + 1, length);
    return bytes;
}

constexpr std::uint64_t limit = 1 << 20;

TEST(FrameTest, NumbersAreInNetworkOrder)
{
    std::array<std::byte, 4> bytes{};
    write_u32(bytes.data(), 0x01f2a3b4);
    EXPECT_EQ(text_of(bytes), std::string_view("\x01\xf2\xa3\xb4"));
    EXPECT_EQ(read_u32(bytes), 0x01f2a3b4U);
    write_u16(bytes.data(), 0xfe01);
    EXPECT_EQ(text_of(bytes).substr(0, 2), std::string_view("\xfe\x01"));
    EXPECT_EQ(read_u16(bytes), 0xfe01);
}

TEST(FrameTest, CutsAStreamAtEveryByte)
{
    const std::string stream = message('Q', "select 1") + message('S', "") + message('X', "abc");
    for (std::size_t cut = 0; cut <= stream.size(); ++cut) {
        std::string seen;
        std::size_t start = 0;
        for (const std::size_t end : {cut, stream.size()}) {
            for (;;) {
                const auto frame = next_frame(
                    bytes_of(std::string_view(stream).substr(start, end - start)), limit);
                ASSERT_TRUE(frame);
                if (!*frame)
                    break;
                EXPECT_EQ((*frame)->whole.size(), (*frame)->body.size() + header_size);
                seen += (*frame)->type;
                seen += text_of((*frame)->body);
                start += (*frame)->whole.size();
            }
        }
        EXPECT_EQ(seen, "Qselect 1SXabc") << cut;
        EXPECT_EQ(start, stream.size());
    }
}

TEST(FrameTest, GivesTheHeadBeforeTheBodyIsThere)
{
    const auto found = next_head(bytes_of(head('D', 1000)), limit);
    ASSERT_TRUE(found && *found);
    EXPECT_EQ((*found)->type, 'D');
    EXPECT_EQ((*found)->size, 1001U);
    const auto frame = next_frame(bytes_of(head('D', 1000)), limit);
    ASSERT_TRUE(frame);
    EXPECT_FALSE(*frame);
}

TEST(FrameTest, RefusesLengthsBelowTheirOwnSize)
{
    for (const std::uint32_t length : {0U, 1U, 2U, 3U}) {
        const auto frame = next_frame(bytes_of(head('Q', length)), limit);
        ASSERT_FALSE(frame) << length;
        EXPECT_EQ(frame.error().fault, Fault::malformed);
    }
}

TEST(FrameTest, RefusesLengthsAboveTheLimitWithoutWrapping)
{
    for (const std::uint32_t length : {0x7fffffffU, 0x80000000U, 0xfffffffeU, 0xffffffffU}) {
        const auto found = next_head(bytes_of(head('B', length)), limit);
        ASSERT_FALSE(found) << length;
        EXPECT_EQ(found.error().fault, Fault::malformed);
    }
    const auto largest = next_head(bytes_of(head('B', 0xffffffffU)), std::uint64_t{1} << 33);
    ASSERT_TRUE(largest && *largest);
    EXPECT_EQ((*largest)->size, std::uint64_t{1} << 32);
}

TEST(FrameTest, TheLimitItselfIsAllowed)
{
    EXPECT_TRUE(next_head(bytes_of(head('B', limit - 1)), limit));
    EXPECT_FALSE(next_head(bytes_of(head('B', limit)), limit));
}

}  // namespace
}  // namespace sallyport::postgres
