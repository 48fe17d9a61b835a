// Logins to a real PostgreSQL 15.

#include <chrono>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "protocols/postgres/target_login.h"
#include "tests/protocols/postgres/private_cluster.h"

namespace sallyport::postgres {
namespace {

using namespace std::chrono_literals;
using namespace std::string_literals;
using testing::AllOf;
using testing::Contains;
using testing::HasSubstr;
using testing::Pair;

constexpr auto patience = 30s;

// One cluster for all tests of a run: making it takes longer than they do.
class TargetLoginPgTest : public testing::Test {
protected:
    static void SetUpTestSuite()
    {
        cluster = new PrivateCluster(
            "hostssl all certified 127.0.0.1/32 cert\n"
            "host all scram 127.0.0.1/32 scram-sha-256\n"
            "host all accented 127.0.0.1/32 scram-sha-256\n"
            "host all hashed 127.0.0.1/32 md5\n"
            "host all cleartext 127.0.0.1/32 password\n"
            "host all trusted 127.0.0.1/32 trust\n",
            "set password_encryption = 'scram-sha-256';\n"
            "create role scram login password 'pw-scram';\n"
            "create role accented login password U&'p\\00e4ss\\00a0w\\00aaort';\n"
            "create role cleartext login password 'pw-clear';\n"
            "create role certified login; create role trusted login;\n"
            "set password_encryption = 'md5';\n"
            "create role hashed login password 'pw-md5';\n"
            "alter role scram set standard_conforming_strings = off;\n"
            "alter role scram set client_encoding = 'LATIN1';\n");
    }
    static void TearDownTestSuite()
    {
        delete cluster;
        cluster = nullptr;
    }

    static Target target(const std::string& user, const std::string& password,
                         TargetTls tls = TargetTls::disable)
    {
        Target made;
        made.host = "127.0.0.1";
        made.port = cluster->port();
        made.database = "postgres";
        made.user = user;
        made.password = Secret(password);
        made.tls = tls;
        made.ca_file = cluster->file("ca.crt");
        return made;
    }

    Result<TargetSession> log_in(const Target& to,
                                 const std::map<std::string, std::string>& startup = {})
    {
        return run(io_, log_in_to_target(to, startup, patience));
    }

    std::string problem(const Target& to)
    {
        const auto result = log_in(to);
        EXPECT_FALSE(result);
        return result ? "none" : result.error().detail;
    }

    // Sends a query and gives everything up to ReadyForQuery.
    std::string ask(TargetSession& session, const std::string& sql,
                    const std::function<boost::asio::awaitable<void>()>& meanwhile = {})
    {
        return run(io_, converse(session, sql, meanwhile));
    }

    static PrivateCluster* cluster;
    boost::asio::io_context io_;

private:
    static boost::asio::awaitable<std::string> converse(
        TargetSession& session, std::string sql,
        std::function<boost::asio::awaitable<void>()> meanwhile)
    {
        const std::string query = message('Q', sql + '\0');
        EXPECT_TRUE(co_await session.stream.write(bytes_of(query)));
        if (meanwhile)
            co_await meanwhile();
        std::string answer;
        while (!answer.ends_with(message('Z', "I"))) {
            std::string piece(4096, '\0');
            const auto room = std::as_writable_bytes(std::span(piece));
            const auto count = co_await session.stream.read_some(room);
            if (!count || *count == 0)
                co_return answer + "<closed>";
            answer += piece.substr(0, *count);
        }
        co_return answer;
    }
};

PrivateCluster* TargetLoginPgTest::cluster = nullptr;

TEST_F(TargetLoginPgTest, ScramOverEveryKindOfConnection)
{
    for (const TargetTls tls :
         {TargetTls::disable, TargetTls::require, TargetTls::verify_ca, TargetTls::verify_full}) {
        auto session = log_in(target("scram", "pw-scram", tls), {{"application_name", "test"}});
        ASSERT_TRUE(session) << session.error().detail;
        EXPECT_EQ(session->stream.encrypted(), tls != TargetTls::disable);
        // Although the role's own settings say otherwise.
        EXPECT_THAT(session->parameters, AllOf(Contains(Pair("client_encoding", "UTF8")),
                                               Contains(Pair("standard_conforming_strings", "on")),
                                               Contains(Pair("application_name", "test"))));
        EXPECT_NE(session->key.process, 0U);
        EXPECT_EQ(session->key.secret.size(), 4U);
        EXPECT_EQ(session->unread, "");
        EXPECT_THAT(ask(*session, "select 'hal' || 'lo'"), HasSubstr("hallo"));
    }
}

TEST_F(TargetLoginPgTest, APasswordIsPreparedAsTheServerDoes)
{
    // A no-break space becomes a space, the ordinal indicator an a.
    for (const char* spelling : {"p\xc3\xa4ss\xc2\xa0w\xc2\xaaort", "p\xc3\xa4ss waort"})
        EXPECT_TRUE(log_in(target("accented", spelling))) << spelling;
}

TEST_F(TargetLoginPgTest, WrongPasswordsAndDatabasesSayWhatTheServerSaid)
{
    EXPECT_THAT(problem(target("scram", "wrong", TargetTls::require)),
                AllOf(HasSubstr("target 127.0.0.1:"),
                      HasSubstr("refused the gateway: password authentication failed for user "
                                "\"scram\" (28P01)")));
    Target nowhere = target("scram", "pw-scram");
    nowhere.database = "nowhere";
    EXPECT_THAT(problem(nowhere), HasSubstr("database \"nowhere\" does not exist (3D000)"));
    EXPECT_THAT(problem(target("nobody", "x")), HasSubstr("(28000)"));
    EXPECT_THAT(problem(target("scram", "")), HasSubstr("has none"));
}

TEST_F(TargetLoginPgTest, CertificatesAreVerifiedAsFarAsTheWishGoes)
{
    Target strange = target("scram", "pw-scram", TargetTls::verify_ca);
    strange.ca_file = cluster->file("other.crt");
    EXPECT_THAT(problem(strange), HasSubstr("certificate"));
    strange.tls = TargetTls::require;
    EXPECT_TRUE(log_in(strange));

    // 127.0.0.2 is no name of the certificate; the server listens on 127.0.0.1 only, so a name that
    // leads there and is not in the certificate does it.
    Target named = target("scram", "pw-scram", TargetTls::verify_full);
    named.host = "localhost";
    EXPECT_TRUE(log_in(named));
    named.host = "127.1";
    EXPECT_FALSE(log_in(named));
}

TEST_F(TargetLoginPgTest, AClientCertificateLogsIn)
{
    Target certified = target("certified", "", TargetTls::verify_full);
    EXPECT_FALSE(log_in(certified));
    certified.certificate_file = cluster->file("client.crt");
    certified.key_file = cluster->file("client.key");
    const auto session = log_in(certified);
    EXPECT_TRUE(session) << session.error().detail;
}

TEST_F(TargetLoginPgTest, WeakMethodsWorkWhereTheyAreAllowed)
{
    for (const auto& [user, password, method] :
         {std::tuple("hashed", "pw-md5", "md5"),
          std::tuple("cleartext", "pw-clear", "cleartext")}) {
        Target weak = target(user, password, TargetTls::verify_full);
        EXPECT_THAT(problem(weak), HasSubstr("name "s + method));
        weak.weak_authentication = {method};
        const auto session = log_in(weak);
        EXPECT_TRUE(session) << session.error().detail;
        Target wrong = target(user, "wrong", TargetTls::verify_full);
        wrong.weak_authentication = {method};
        EXPECT_THAT(problem(wrong), HasSubstr("28P01"));
    }
    EXPECT_TRUE(log_in(target("trusted", "")));
}

TEST_F(TargetLoginPgTest, AServerWithoutTlsIsRefusedWhereTlsIsWanted)
{
    cluster->set("ssl=off");
    // The server takes a moment to reload.
    std::string said;
    const auto until = std::chrono::steady_clock::now() + patience;
    do {
        const auto result = log_in(target("scram", "pw-scram", TargetTls::require));
        said = result ? "still on" : result.error().detail;
    } while (said == "still on" && std::chrono::steady_clock::now() < until);
    EXPECT_THAT(said, HasSubstr("does not offer TLS"));
    EXPECT_TRUE(log_in(target("scram", "pw-scram")));
    cluster->set("ssl=on");
    bool back = false;
    while (!back && std::chrono::steady_clock::now() < until)
        back = log_in(target("scram", "pw-scram", TargetTls::require)).has_value();
    EXPECT_TRUE(back);
}

TEST_F(TargetLoginPgTest, ACancelRequestEndsTheStatementAndNothingElse)
{
    for (const TargetTls tls : {TargetTls::disable, TargetTls::verify_full}) {
        const Target to = target("scram", "pw-scram", tls);
        auto session = log_in(to);
        ASSERT_TRUE(session) << session.error().detail;
        // The server forgets a cancel request that comes before the statement: a second session
        // sees when it runs.
        auto watcher = log_in(target("scram", "pw-scram"));
        ASSERT_TRUE(watcher);
        const std::string process = std::to_string(session->key.process);
        const auto wait_and_cancel = [&]() -> boost::asio::awaitable<void> {
            const std::string running = message(
                'Q',
                "do $$ begin while not exists (select from pg_stat_activity where pid=" + process +
                    " and state='active') loop perform pg_stat_clear_snapshot(); end "
                    "loop; end $$" +
                    '\0');
            EXPECT_TRUE(co_await watcher->stream.write(bytes_of(running)));
            std::string piece(4096, '\0');
            EXPECT_TRUE(
                co_await watcher->stream.read_some(std::as_writable_bytes(std::span(piece))));
            const CancelKey wrong{session->key.process, "nope"};
            EXPECT_TRUE(co_await cancel_on_target(to, wrong, patience));
            EXPECT_TRUE(co_await cancel_on_target(to, session->key, patience));
        };
        EXPECT_THAT(ask(*session, "select pg_sleep(60)", wait_and_cancel), HasSubstr("57014"));
        EXPECT_THAT(ask(*session, "select 'still' || ' here'"), HasSubstr("still here"));
    }
}

}  // namespace
}  // namespace sallyport::postgres
