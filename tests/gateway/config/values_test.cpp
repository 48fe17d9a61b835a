// Written numbers, durations, sizes and addresses.

#include "gateway/config/values.h"

#include <gtest/gtest.h>

namespace sallyport {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

TEST(ValuesTest, Durations)
{
    EXPECT_EQ(parse_duration("30s"), seconds(30));
    EXPECT_EQ(parse_duration("10m"), minutes(10));
    EXPECT_EQ(parse_duration("8h"), hours(8));
    EXPECT_EQ(parse_duration("90d"), hours(90 * 24));
    EXPECT_EQ(parse_duration("2w"), hours(14 * 24));
    EXPECT_EQ(parse_duration("1y"), hours(366 * 24));
    EXPECT_EQ(parse_duration("7y"), hours(2557 * 24));
    EXPECT_EQ(parse_duration("1000y"), hours(365250 * 24));
    for (const char* bad :
         {"", "s", "10", "0s", "-1s", "+1s", "1.5h", "10 m", "10M", "10ms", "1h30m", "1001y",
          "99999999999999999999s", "18446744073709551615w", "s10"})
        EXPECT_EQ(parse_duration(bad), std::nullopt) << bad;
}

TEST(ValuesTest, Sizes)
{
    EXPECT_EQ(parse_size("0"), 0U);
    EXPECT_EQ(parse_size("1073741824"), 1073741824U);
    EXPECT_EQ(parse_size("512KiB"), 524288U);
    EXPECT_EQ(parse_size("64MiB"), 67108864U);
    EXPECT_EQ(parse_size("4GiB"), 4294967296U);
    EXPECT_EQ(parse_size("1TiB"), 1099511627776U);
    EXPECT_EQ(parse_size("3kB"), 3000U);
    EXPECT_EQ(parse_size("3MB"), 3000000U);
    EXPECT_EQ(parse_size("3GB"), 3000000000U);
    EXPECT_EQ(parse_size("3TB"), 3000000000000U);
    for (const char* bad : {"", "GiB", "1 GiB", "1G", "1gib", "-1", "1.5GiB",
                            "18446744073709551616", "18446744073709551615KiB"})
        EXPECT_EQ(parse_size(bad), std::nullopt) << bad;
}

TEST(ValuesTest, Numbers)
{
    EXPECT_EQ(parse_number("0"), 0U);
    EXPECT_EQ(parse_number("007"), 7U);
    EXPECT_EQ(parse_number("18446744073709551615"), 18446744073709551615U);
    for (const char* bad : {"", " 1", "1 ", "+1", "-1", "0x1", "1e3", "18446744073709551616"})
        EXPECT_EQ(parse_number(bad), std::nullopt) << bad;
}

TEST(ValuesTest, ListenAddresses)
{
    for (const char* good :
         {"127.0.0.1:6432", "[::1]:6432", "[::]:0", "0.0.0.0:65535", "gw.local:1"})
        EXPECT_TRUE(is_listen_address(good)) << good;
    for (const char* bad :
         {"", "6432", ":6432", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "::1:6432", "[::1]",
          "[]:1", "[::1:1", "a b:1", "127.0.0.1:x", "127.0.0.1:-1"})
        EXPECT_FALSE(is_listen_address(bad)) << bad;
}

}  // namespace
}  // namespace sallyport
