#include "protocols/postgres/value_text.h"

#include <gtest/gtest.h>
#include <string>

namespace sallyport::postgres {
namespace {

// From hexadecimal digits, as `select encode(int4send(42), 'hex')` prints them.
std::string binary(std::uint32_t type, std::string_view hex)
{
    std::string bytes;
    for (std::size_t i = 0; i + 1 < hex.size(); i += 2)
        bytes += static_cast<char>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16));
    return value_text(type, true, bytes_of(bytes));
}

TEST(ValueTextTest, TextFormatIsTheValueItself)
{
    EXPECT_EQ(value_text(23, false, bytes_of("42")), "42");
    EXPECT_EQ(value_text(0, false, bytes_of("\x1b[0m")), "\x1b[0m");
    EXPECT_EQ(value_text(25, true, bytes_of("naïve")), "naïve");
}

TEST(ValueTextTest, BinaryNumbers)
{
    EXPECT_EQ(binary(16, "01"), "t");
    EXPECT_EQ(binary(16, "00"), "f");
    EXPECT_EQ(binary(21, "ffff"), "-1");
    EXPECT_EQ(binary(23, "0000002a"), "42");
    EXPECT_EQ(binary(23, "80000000"), "-2147483648");
    EXPECT_EQ(binary(20, "8000000000000000"), "-9223372036854775808");
    EXPECT_EQ(binary(26, "ffffffff"), "4294967295");
    EXPECT_EQ(binary(700, "3fc00000"), "1.5");
    EXPECT_EQ(binary(701, "3fb999999999999a"), "0.1");
    EXPECT_EQ(binary(701, "7ff0000000000000"), "Infinity");
    EXPECT_EQ(binary(701, "fff0000000000000"), "-Infinity");
    EXPECT_EQ(binary(701, "7ff8000000000000"), "NaN");
}

TEST(ValueTextTest, BinaryNumerics)
{
    EXPECT_EQ(binary(1700, "0000000000000000"), "0");
    EXPECT_EQ(binary(1700, "0000000000000002"), "0.00");
    EXPECT_EQ(binary(1700, "00010000000000000007"), "7");
    EXPECT_EQ(binary(1700, "00030001400000030001092914d4"), "-12345.533");
    EXPECT_EQ(binary(1700, "0001ffff000000040001"), "0.0001");
    EXPECT_EQ(binary(1700, "0001fffe000000060064"), "0.000001");
    EXPECT_EQ(binary(1700, "00010002000000000001"), "100000000");
    EXPECT_EQ(binary(1700, "00000000c0000000"), "NaN");
    EXPECT_EQ(binary(1700, "00000000d0000000"), "Infinity");
    EXPECT_EQ(binary(1700, "00000000f0000000"), "-Infinity");
}

TEST(ValueTextTest, AFewOctetsCannotBecomeAHundredThousandDigits)
{
    EXPECT_EQ(binary(1700, "00017fff000000000001"), "\\x00017fff000000000001");
    EXPECT_EQ(binary(1700, "00018000000000000001"), "\\x00018000000000000001");
    EXPECT_EQ(binary(1700, "0000000000003fff"), "\\x0000000000003fff");
}

TEST(ValueTextTest, BinaryTimes)
{
    EXPECT_EQ(binary(1082, "00000000"), "2000-01-01");
    EXPECT_EQ(binary(1082, "0000265d"), "2026-11-21");
    EXPECT_EQ(binary(1082, "fff4dbf8"), "0001-12-31 BC");
    EXPECT_EQ(binary(1082, "7fffffff"), "infinity");
    EXPECT_EQ(binary(1083, "0000000861c46800"), "10:00:00");
    EXPECT_EQ(binary(1114, "0000000000000000"), "2000-01-01 00:00:00");
    EXPECT_EQ(binary(1184, "000000000007a120"), "2000-01-01 00:00:00.5+00");
    EXPECT_EQ(binary(1184, "ffffffffffffffff"), "1999-12-31 23:59:59.999999+00");
    EXPECT_EQ(binary(1114, "8000000000000000"), "-infinity");
    EXPECT_EQ(binary(1186, "00000000000f42400000000200000019"), "2 years 1 mon 2 days 00:00:01");
    EXPECT_EQ(binary(1186, "00000000000000000000000000000000"), "00:00:00");
    EXPECT_EQ(binary(1186, "fffffffffff0bdc00000000000000000"), "-00:00:01");
}

TEST(ValueTextTest, OtherBinaryTypes)
{
    EXPECT_EQ(binary(2950, "00112233445566778899aabbccddeeff"),
              "00112233-4455-6677-8899-aabbccddeeff");
    EXPECT_EQ(binary(17, "00ff"), "\\x00ff");
    EXPECT_EQ(binary(3802, "017b7d"), "{}");
}

TEST(ValueTextTest, WhatTheTypeCannotHaveIsShownAsBytes)
{
    for (const std::uint32_t type :
         {16U, 20U, 21U, 23U, 26U, 700U, 701U, 1082U, 1083U, 1114U, 1184U, 1186U, 1700U, 2950U}) {
        EXPECT_EQ(binary(type, ""), "") << type;
        EXPECT_EQ(binary(type, "0102030405060708090a0b0c0d0e0f101112"),
                  "\\x0102030405060708090a0b0c0d0e0f101112")
            << type;
    }
    EXPECT_EQ(binary(3802, "027b7d"), "\\x027b7d");
    EXPECT_EQ(binary(1083, "ffffffffffffffff"), "\\xffffffffffffffff");
    EXPECT_EQ(binary(1700, "00010000000000002710"), "\\x00010000000000002710");
}

TEST(ValueTextTest, AnUnknownTypeIsTextWhereItLooksLikeIt)
{
    EXPECT_EQ(value_text(0, true, bytes_of("plain")), "plain");
    EXPECT_EQ(binary(0, "00000001"), "\\x00000001");
    EXPECT_EQ(binary(0, "c3"), "\\xc3");
}

TEST(ValueTextTest, CommonTypesHaveNames)
{
    EXPECT_EQ(type_name(23), "int4");
    EXPECT_EQ(type_name(1184), "timestamptz");
    EXPECT_EQ(type_name(99999), "");
    EXPECT_TRUE(is_number(1700));
    EXPECT_FALSE(is_number(25));
}

}  // namespace
}  // namespace sallyport::postgres
