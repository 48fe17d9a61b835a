#include "protocols/postgres/startup.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "protocols/postgres/frame.h"

namespace sallyport::postgres {
namespace {

using namespace std::string_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;

std::string number(std::uint32_t value)
{
    std::string bytes(4, '\0');
    write_u32(std::as_writable_bytes(std::span(bytes)).data(), value);
    return bytes;
}

std::string packet(std::uint32_t code, const std::string& body)
{
    return number(static_cast<std::uint32_t>(body.size() + 8)) + number(code) + body;
}

constexpr std::uint32_t version(unsigned major, unsigned minor)
{
    return (major << 16) | minor;
}

std::string login(const std::string& parameters, std::uint32_t code = version(3, 0))
{
    return packet(code, parameters + '\0');
}

Result<std::optional<StartupPacket>> read(const std::string& bytes)
{
    std::size_t consumed = 0;
    return read_startup(bytes_of(bytes), consumed);
}

StartupMessage message(const std::string& bytes)
{
    auto result = read(bytes);
    EXPECT_TRUE(result) << result.error().detail;
    if (!result || !*result)
        return {};
    return std::get<StartupMessage>(std::move(**result));
}

Error refusal(const std::string& bytes)
{
    const auto result = read(bytes);
    EXPECT_FALSE(result);
    return result ? Error{Fault::closed, "was accepted"} : result.error();
}

StartupMessage with_options(const std::string& options)
{
    return message(login("user\0alice\0options\0"s + options + '\0'));
}

TEST(StartupTest, ReadsUserDatabaseAndSettings)
{
    const StartupMessage startup =
        message(login("user\0alice\0database\0features\0application_name\0psql\0TimeZone\0UTC\0"s));
    EXPECT_EQ(startup.user, "alice");
    EXPECT_EQ(startup.database, "features");
    EXPECT_EQ(startup.replication, "");
    EXPECT_THAT(startup.parameters,
                ElementsAre(Pair("application_name", "psql"), Pair("timezone", "UTC")));
}

TEST(StartupTest, WaitsForTheLastByteAndLeavesWhatFollows)
{
    const std::string whole = login("user\0alice\0"s);
    for (std::size_t size = 0; size < whole.size(); ++size) {
        std::size_t consumed = 1;
        const auto result = read_startup(bytes_of(whole.substr(0, size)), consumed);
        ASSERT_TRUE(result) << size;
        EXPECT_FALSE(*result) << size;
        EXPECT_EQ(consumed, 0U);
    }
    std::size_t consumed = 0;
    const std::string more = whole + "Q\0\0\0\4"s;
    ASSERT_TRUE(read_startup(bytes_of(more), consumed));
    EXPECT_EQ(consumed, whole.size());
}

TEST(StartupTest, TheDatabaseDefaultsToTheUser)
{
    EXPECT_EQ(message(login("user\0alice\0"s)).database, "alice");
    EXPECT_EQ(message(login("user\0alice\0database\0\0"s)).database, "alice");
}

TEST(StartupTest, AUserIsNeeded)
{
    for (const std::string& parameters : {""s, "database\0x\0"s, "user\0\0"s, "USER\0x\0"s}) {
        const Error error = refusal(login(parameters));
        EXPECT_EQ(error.fault, Fault::malformed);
        EXPECT_EQ(error.context, "28000");
        EXPECT_EQ(error.detail, "no PostgreSQL user name specified in startup packet");
    }
}

TEST(StartupTest, LengthsOutOfBoundsAreRefusedBeforeTheBodyIsThere)
{
    for (const std::uint32_t length : {0U, 3U, 4U, 7U, 10005U, 0x7fffffffU, 0xffffffffU}) {
        const Error error = refusal(number(length));
        EXPECT_EQ(error.fault, Fault::malformed) << length;
        EXPECT_EQ(error.context, "") << length;
    }
    const std::string name(startup_limit - 4 - 1 - "user\0alice\0application_name\0\0"s.size(),
                           'x');
    const std::string largest = login("user\0alice\0application_name\0"s + name + '\0');
    EXPECT_EQ(largest.size(), startup_limit + 4);
    EXPECT_EQ(message(largest).parameters.at("application_name"), name);
}

TEST(StartupTest, KnowsTheOtherRequests)
{
    EXPECT_TRUE(std::holds_alternative<SslRequest>(**read(packet(version(1234, 5679), ""))));
    EXPECT_TRUE(std::holds_alternative<GssEncRequest>(**read(packet(version(1234, 5680), ""))));
    EXPECT_EQ(refusal(packet(version(1234, 5679), "x")).fault, Fault::malformed);
    EXPECT_EQ(refusal(packet(version(1234, 5680), "x")).fault, Fault::malformed);
}

TEST(StartupTest, ReadsCancelKeysOfBothProtocols)
{
    const auto short_key =
        std::get<CancelRequest>(**read(packet(version(1234, 5678), number(77) + "abcd")));
    EXPECT_EQ(short_key.process, 77U);
    EXPECT_EQ(short_key.secret, "abcd");
    const std::string secret(256, 's');
    const auto long_key =
        std::get<CancelRequest>(**read(packet(version(1234, 5678), number(78) + secret)));
    EXPECT_EQ(long_key.secret, secret);
    EXPECT_EQ(refusal(packet(version(1234, 5678), number(77) + "abc")).fault, Fault::malformed);
    EXPECT_EQ(refusal(packet(version(1234, 5678), number(77) + secret + "s")).fault,
              Fault::malformed);
    EXPECT_EQ(refusal(packet(version(1234, 5678), "")).fault, Fault::malformed);
}

TEST(StartupTest, OtherMajorVersionsAreRefusedAsTheServerDoes)
{
    for (const auto& [major, minor] : {std::pair(2U, 0U), std::pair(4U, 0U), std::pair(1U, 9U),
                                       std::pair(1234U, 5681U), std::pair(0U, 0U)}) {
        const Error error = refusal(login("user\0a\0"s, version(major, minor)));
        EXPECT_EQ(error.context, "0A000");
        EXPECT_EQ(error.detail, "unsupported frontend protocol " + std::to_string(major) + "." +
                                    std::to_string(minor) + ": server supports 3.0 to 3.0");
    }
}

TEST(StartupTest, NewerMinorsAndUnknownProtocolOptionsAreReported)
{
    const StartupMessage startup =
        message(login("user\0a\0_pq_.report\0x\0_pq_.more\0\0"s, version(3, 9999)));
    EXPECT_EQ(startup.minor, 9999);
    EXPECT_THAT(startup.unknown_protocol_options, ElementsAre("_pq_.report", "_pq_.more"));
    EXPECT_THAT(startup.parameters, IsEmpty());
}

TEST(StartupTest, TheLayoutIsCheckedToTheLastByte)
{
    const std::uint32_t code = version(3, 0);
    for (const std::string& body :
         {"user\0alice\0"s, "user\0alice"s, "user\0"s, "user"s, ""s, "user\0alice\0\0\0"s,
          "user\0alice\0\0x"s, "user\0alice\0database\0"s}) {
        const Error error = refusal(packet(code, body));
        EXPECT_EQ(error.fault, Fault::malformed) << testing::PrintToString(body);
        EXPECT_EQ(error.context, "08P01") << testing::PrintToString(body);
    }
}

TEST(StartupTest, TakesOptionsApartAsTheServerDoes)
{
    const StartupMessage startup = with_options(
        "-c geqo=off \t--statement-timeout=5s -cWork_Mem=64MB -c search_path=a\\ b\\\\c,\\d");
    EXPECT_THAT(startup.parameters,
                ElementsAre(Pair("geqo", "off"), Pair("search_path", "a b\\c,d"),
                            Pair("statement_timeout", "5s"), Pair("work_mem", "64MB")));
    EXPECT_THAT(with_options("").parameters, IsEmpty());
    EXPECT_THAT(with_options("  \n ").parameters, IsEmpty());
    EXPECT_THAT(with_options("-c a=").parameters, ElementsAre(Pair("a", "")));
    EXPECT_THAT(with_options("-c a=b=c").parameters, ElementsAre(Pair("a", "b=c")));
}

TEST(StartupTest, OptionsThatAreNoSettingsAreRefused)
{
    for (const std::string options : {"-e", "-c", "-c work_mem", "--work_mem", "--", "work_mem=1",
                                      "-W 3", "-ec a=b", "- a=b"}) {
        const Error error = refusal(login("user\0alice\0options\0"s + options + '\0'));
        EXPECT_EQ(error.context, "42601") << options;
    }
}

TEST(StartupTest, AParameterOfItsOwnWinsOverOptions)
{
    const StartupMessage startup = message(login("geqo\0on\0user\0alice\0options\0-c geqo=off\0"s));
    EXPECT_THAT(startup.parameters, ElementsAre(Pair("geqo", "on")));
}

TEST(StartupTest, OptionsNeverBecomeUserDatabaseOrReplication)
{
    const StartupMessage startup =
        with_options("-c user=root -c database=secret -c replication=true");
    EXPECT_EQ(startup.user, "alice");
    EXPECT_EQ(startup.database, "alice");
    EXPECT_EQ(startup.replication, "");
    EXPECT_FALSE(passed_on(startup));
}

TEST(PassedOnTest, HarmlessSettingsReachTheTarget)
{
    const StartupMessage startup = message(
        login("user\0a\0application_name\0p\0DateStyle\0ISO\0TimeZone\0UTC\0extra_float_digits\0"
              "2\0"
              "search_path\0app\0statement_timeout\0"
              "5000\0options\0-c enable_seqscan=off -c jit=off\0"s));
    const auto passed = passed_on(startup);
    ASSERT_TRUE(passed) << passed.error().detail;
    EXPECT_EQ(passed->size(), 8U);
    EXPECT_EQ(passed->at("enable_seqscan"), "off");
}

TEST(PassedOnTest, EverythingElseIsRefusedByName)
{
    for (const std::string name :
         {"role", "session_authorization", "session_preload_libraries", "local_preload_libraries",
          "session_replication_role", "backslash_quote", "is_superuser", "no_such_setting",
          "app.user", "lc_messages", "USER", "transform_null_equals", "log_statement"}) {
        const auto passed = passed_on(message(login("user\0a\0"s + name + "\0on\0"s)));
        ASSERT_FALSE(passed) << name;
        EXPECT_EQ(passed.error().fault, Fault::refused);
    }
    EXPECT_THAT(passed_on(message(login("user\0a\0role\0postgres\0"s))).error().detail,
                HasSubstr("\"role\""));
    EXPECT_FALSE(passed_on(with_options("-c ROLE=postgres")));
    EXPECT_FALSE(passed_on(with_options("--session-authorization=postgres")));
}

TEST(PassedOnTest, TextIsReadAsUtf8AndStandardStrings)
{
    for (const std::string encoding :
         {"UTF8", "utf-8", "'utf-8'", "Unicode", "UTF_8", "SQL_ASCII"}) {
        const auto passed =
            passed_on(message(login("user\0a\0client_encoding\0"s + encoding + '\0')));
        ASSERT_TRUE(passed) << encoding;
        EXPECT_THAT(*passed, IsEmpty());
    }
    for (const std::string encoding : {"SJIS", "GBK", "BIG5", "LATIN1", "", "utf88", "auto"})
        EXPECT_FALSE(passed_on(message(login("user\0a\0client_encoding\0"s + encoding + '\0'))))
            << encoding;
    EXPECT_TRUE(passed_on(with_options("-c standard_conforming_strings=on")));
    for (const std::string value : {"off", "0", "", "false"})
        EXPECT_FALSE(passed_on(with_options("-c standard_conforming_strings=" + value))) << value;
}

}  // namespace
}  // namespace sallyport::postgres
