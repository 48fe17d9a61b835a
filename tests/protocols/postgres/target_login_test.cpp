#include "protocols/postgres/target_login.h"

#include <chrono>
#include <cstdlib>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/protocols/postgres/login_world.h"

namespace sallyport::postgres {
namespace {

using namespace std::chrono_literals;
using namespace std::string_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::Pair;

const std::string auth_ok = message('R', be32(0));
const std::string key_data = message('K', be32(4711) + "\1\2\3\4");
const std::string ready = message('Z', "I");

std::string status(const std::string& name, const std::string& value)
{
    return message('S', name + '\0' + value + '\0');
}

std::string sasl(const std::string& mechanisms = "SCRAM-SHA-256\0\0"s)
{
    return message('R', be32(10) + mechanisms);
}

Target target_at(std::uint16_t port)
{
    Target target;
    target.host = "127.0.0.1";
    target.port = port;
    target.database = "features";
    target.user = "svc";
    target.password = Secret("opensesame");
    target.tls = TargetTls::disable;
    return target;
}

using Script = ScriptedServer::Script;
using Startup = std::map<std::string, std::string>;

Result<TargetSession> log_in(const Target& target, const Startup& startup = {},
                             std::chrono::milliseconds deadline = 10s)
{
    boost::asio::io_context io;
    auto result = run(io, log_in_to_target(target, startup, deadline));
    if (result)
        result->stream.close();  // before its io_context goes
    return result;
}

// Logs in where the server follows the script after it has read the startup packet.
Result<TargetSession> log_in(const Script& script, const std::function<void(Target&)>& change = {})
{
    const ScriptedServer server([&](Wire& wire) {
        (void)wire.read_packet();  // its content has a test of its own
        script(wire);
    });
    Target target = target_at(server.port());
    if (change)
        change(target);
    return log_in(target);
}

Result<TargetSession> answered(const std::string& bytes)
{
    return log_in([&](Wire& wire) {
        (void)wire.send(bytes);  // a server that is hung up on is no failure
        (void)wire.read_to_the_end();
    });
}

std::string problem(const Result<TargetSession>& result)
{
    if (result) {
        ADD_FAILURE() << "the login succeeded";
        return {};
    }
    EXPECT_EQ(result.error().fault, Fault::unavailable);
    EXPECT_THAT(result.error().detail, Not(HasSubstr("opensesame")));
    return result.error().detail;
}

void allow_weak(Target& target)
{
    target.weak_authentication = {"md5", "cleartext"};
}

TEST(TargetLoginTest, SendsWhatEverySessionNeedsAndWhatTheClientMaySet)
{
    std::string seen;
    const ScriptedServer server([&](Wire& wire) {
        seen = wire.read_packet();
        EXPECT_TRUE(wire.send(auth_ok + ready));
        (void)wire.read_to_the_end();
    });
    const auto result = log_in(target_at(server.port()), {{"application_name", "psql"},
                                                          {"client_encoding", "SJIS"},
                                                          {"standard_conforming_strings", "off"},
                                                          {"user", "root"},
                                                          {"database", "other"}});
    ASSERT_TRUE(result) << result.error().detail;
    EXPECT_EQ(seen, packet(be32(3U << 16) +
                           "application_name\0psql\0client_encoding\0UTF8\0database\0features\0"
                           "standard_conforming_strings\0on\0user\0svc\0\0"s));
}

TEST(TargetLoginTest, KeepsParametersKeyAndWhatFollows)
{
    const std::string notice = message('N', "SNOTICE\0Mhello\0\0"s);
    const std::string bytes = message('v', be32(3U << 16) + be32(0)) + auth_ok + notice +
                              status("server_version", "15.4") + status("TimeZone", "UTC") +
                              status("TimeZone", "Etc/UTC") + key_data + ready + "tail";
    const auto whole = answered(bytes);
    ASSERT_TRUE(whole) << whole.error().detail;
    EXPECT_THAT(whole->parameters,
                ElementsAre(Pair("TimeZone", "Etc/UTC"), Pair("server_version", "15.4")));
    EXPECT_EQ(whole->key.process, 4711U);
    EXPECT_EQ(whole->key.secret, "\1\2\3\4");
    EXPECT_EQ(whole->unread, "tail");

    const auto bit_by_bit = log_in([&](Wire& wire) {
        for (const char each : bytes.substr(0, bytes.size() - 4))
            EXPECT_TRUE(wire.send({&each, 1}));
        (void)wire.read_to_the_end();
    });
    ASSERT_TRUE(bit_by_bit) << bit_by_bit.error().detail;
    EXPECT_EQ(bit_by_bit->parameters, whole->parameters);
    EXPECT_THAT(bit_by_bit->unread, IsEmpty());
}

TEST(TargetLoginTest, AServerThatEndsAtAnyByteIsAnError)
{
    const std::string bytes = auth_ok + status("a", "b") + key_data + ready;
    for (std::size_t size = 0; size < bytes.size(); ++size) {
        const auto result = log_in(
            [&](Wire& wire) { EXPECT_TRUE(wire.send(std::string_view(bytes).substr(0, size))); });
        EXPECT_THAT(problem(result), HasSubstr("ended the connection")) << size;
    }
}

TEST(TargetLoginTest, TheTargetsErrorIsPassedOnWithItsSqlstate)
{
    const auto result =
        answered(message('E', "SFATAL\0VFATAL\0C53300\0Msorry, too many\nclients\0\0"s));
    EXPECT_THAT(problem(result),
                testing::MatchesRegex("target 127.0.0.1:[0-9]+ refused the gateway: sorry, too "
                                      "many clients \\(53300\\)"));
}

TEST(TargetLoginTest, ErrorsOfStrangeFormAreErrors)
{
    EXPECT_THAT(problem(answered(message('E', "SFATAL\0Mno\0\0"s))), HasSubstr("gateway: no"));
    EXPECT_THAT(problem(answered(message('E', "SFATAL"))), HasSubstr("cannot be read"));
    EXPECT_THAT(problem(answered(message('E', "\0"s))), HasSubstr("refused the gateway"));
    EXPECT_THAT(problem(answered("Ecould not fork new process for connection: no memory\n\0"s)),
                HasSubstr("refused the gateway: could not fork new process"));
    EXPECT_THAT(problem(answered(auth_ok + message('E', "C57P03\0Mstarting up\0\0"s))),
                HasSubstr("starting up (57P03)"));
    const std::string long_text(100000, 'x');
    EXPECT_LT(problem(answered(message('E', "M" + long_text + "\0\0"s))).size(), 600U);
}

TEST(TargetLoginTest, AWeakMethodThatNobodyAllowedGetsNoPassword)
{
    for (const std::string& request : {message('R', be32(3)), message('R', be32(5) + "salt")}) {
        std::string rest = "nothing";
        const auto result = log_in([&](Wire& wire) {
            EXPECT_TRUE(wire.send(request));
            rest = wire.read_to_the_end();
        });
        EXPECT_THAT(problem(result), HasSubstr("weak_authentication"));
        EXPECT_THAT(rest, IsEmpty());
    }
}

TEST(TargetLoginTest, AWeakMethodThatIsAllowedGetsItsAnswer)
{
    std::string cleartext;
    std::string md5;
    EXPECT_TRUE(log_in(
        [&](Wire& wire) {
            EXPECT_TRUE(wire.send(message('R', be32(3))));
            cleartext = wire.read_message();
            EXPECT_TRUE(wire.send(auth_ok + ready));
            (void)wire.read_to_the_end();
        },
        allow_weak));
    EXPECT_TRUE(log_in(
        [&](Wire& wire) {
            EXPECT_TRUE(wire.send(message('R', be32(5) + "\1\2\3\4")));
            md5 = wire.read_message();
            EXPECT_TRUE(wire.send(auth_ok + ready));
            (void)wire.read_to_the_end();
        },
        allow_weak));
    EXPECT_EQ(cleartext, message('p', "opensesame\0"s));
    // md5(md5("opensesame" "svc") "\1\2\3\4"), from an implementation of its own.
    EXPECT_EQ(md5, message('p', "md581f5f705e6a390160f878ce8aa8ace5f\0"s));
}

TEST(TargetLoginTest, AMethodAllowedAloneDoesNotAllowTheOther)
{
    const auto only = [](const char* method) {
        return [method](Target& target) { target.weak_authentication = {method}; };
    };
    const auto script = [](const std::string& request) {
        return [request](Wire& wire) {
            EXPECT_TRUE(wire.send(request));
            EXPECT_THAT(wire.read_to_the_end(), IsEmpty());
        };
    };
    EXPECT_FALSE(log_in(script(message('R', be32(3))), only("md5")));
    EXPECT_FALSE(log_in(script(message('R', be32(5) + "salt")), only("cleartext")));
}

TEST(TargetLoginTest, OtherMethodsAndNoPasswordAreClearErrors)
{
    EXPECT_THAT(problem(answered(message('R', be32(7)))), HasSubstr("method 7"));
    EXPECT_THAT(problem(answered(sasl("OAUTHBEARER\0\0"s))), HasSubstr("SCRAM-SHA-256"));
    // Without TLS there is nothing to bind to.
    EXPECT_THAT(problem(answered(sasl("SCRAM-SHA-256-PLUS\0\0"s))), HasSubstr("SCRAM-SHA-256"));
    EXPECT_THAT(problem(answered(sasl("SCRAM-SHA-256"))), HasSubstr("SCRAM-SHA-256"));
    const auto without = log_in(
        [](Wire& wire) {
            EXPECT_TRUE(wire.send(sasl()));
            EXPECT_THAT(wire.read_to_the_end(), IsEmpty());
        },
        [](Target& target) { target.password = Secret(); });
    EXPECT_THAT(problem(without), HasSubstr("has none"));
}

TEST(TargetLoginTest, AServerThatProvesNothingIsRefused)
{
    const auto skips_the_proof = [](const std::string& after_first) {
        return log_in([&](Wire& wire) {
            EXPECT_TRUE(wire.send(sasl()));
            const std::string first = wire.read_message();
            EXPECT_THAT(first, HasSubstr("SCRAM-SHA-256\0"s));
            const std::string nonce = first.substr(first.find("r=") + 2);
            std::string bytes = after_first;
            if (const auto at = bytes.find("NONCE"); at != std::string::npos) {
                bytes.replace(at, 5, nonce);
                bytes = message('R', be32(11) + bytes);
            }
            (void)wire.send(bytes);  // the gateway may have gone already
            (void)wire.read_message();
            (void)wire.send(
                message('R', be32(12) + "v=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=") +
                auth_ok + ready);
            (void)wire.read_to_the_end();
        });
    };
    EXPECT_THAT(problem(skips_the_proof(auth_ok + ready)), HasSubstr("did not prove"));
    EXPECT_THAT(problem(skips_the_proof("r=NONCEserver,s=c2FsdHNhbHQ=,i=4096")),
                HasSubstr("signature is wrong"));
    EXPECT_THAT(problem(skips_the_proof("r=NONCEserver,s=c2FsdHNhbHQ=,i=1000000000")),
                HasSubstr("iterations"));
    EXPECT_THAT(problem(skips_the_proof("r=NONCE,s=c2FsdHNhbHQ=,i=4096")), HasSubstr("nonce"));
    EXPECT_THAT(problem(skips_the_proof("r=xNONCEserver,s=c2FsdHNhbHQ=,i=4096")),
                HasSubstr("nonce"));
    EXPECT_THAT(problem(skips_the_proof(message('R', be32(3)))), HasSubstr("out of order"));
    EXPECT_THAT(problem(skips_the_proof(sasl())), HasSubstr("out of order"));
    EXPECT_THAT(problem(answered(message('R', be32(11) + "r=x"))), HasSubstr("method 11"));
    EXPECT_THAT(problem(answered(message('R', be32(12) + "v=x"))), HasSubstr("method 12"));
}

TEST(TargetLoginTest, UnexpectedMessagesEndTheLogin)
{
    for (const char type : {'T', 'D', 'C', 'S', 'K', 'Z', 'A', '\0', '\x7f'})
        EXPECT_THAT(problem(answered(message(type, "x"))), HasSubstr("instead of")) << type;
    for (const char type : {'T', 'D', 'C', 'R', 'A', 'G'})
        EXPECT_THAT(problem(answered(auth_ok + message(type, "x"))),
                    HasSubstr("before it was ready"))
            << type;
    EXPECT_THAT(problem(answered("R\0\0\0\3"s)), HasSubstr("does not speak"));
    EXPECT_THAT(problem(answered("R\xff\xff\xff\xff"s)), HasSubstr("does not speak"));
    EXPECT_THAT(problem(answered("HTTP/1.1 400 Bad Request\r\n\r\n")), HasSubstr("does not speak"));
    EXPECT_THAT(problem(answered(message('R', "abc"))), HasSubstr("instead of"));
    EXPECT_THAT(problem(answered(auth_ok + message('S', "name"))), HasSubstr("cannot be read"));
    EXPECT_THAT(problem(answered(auth_ok + message('K', be32(1)))), HasSubstr("cannot be read"));
    EXPECT_THAT(problem(answered(auth_ok + message('Z', "T"))), HasSubstr("cannot be read"));
    EXPECT_THAT(problem(answered(auth_ok + message('Z', ""))), HasSubstr("cannot be read"));
}

TEST(TargetLoginTest, AFloodEndsAtItsBounds)
{
    const auto flood = [](const std::string& piece) {
        return log_in([&](Wire& wire) {
            for (bool there = wire.send(auth_ok); there;)
                there = wire.send(piece);
        });
    };
    EXPECT_THAT(problem(flood(status("a", "b"))), HasSubstr("messages before it was ready"));
    EXPECT_THAT(problem(flood(message('N', "Mhi\0\0"s))),
                HasSubstr("messages before it was ready"));
    EXPECT_THAT(problem(flood(key_data)), HasSubstr("messages before it was ready"));
    EXPECT_THAT(problem(flood(status("a", std::string(60000, 'b')))), HasSubstr("bytes before"));
    EXPECT_THAT(problem(flood(message('N', std::string(2 << 20, 'b')))), HasSubstr("limit"));
}

TEST(TargetLoginTest, ATargetThatReadsTextDifferentlyIsRefused)
{
    EXPECT_THAT(problem(answered(auth_ok + status("client_encoding", "SJIS") + ready)),
                HasSubstr("client_encoding=SJIS"));
    EXPECT_THAT(problem(answered(auth_ok + status("standard_conforming_strings", "off") + ready)),
                HasSubstr("standard_conforming_strings=off"));
    EXPECT_TRUE(answered(auth_ok + status("client_encoding", "UTF8") + ready));
}

TEST(TargetLoginTest, ASilentTargetCostsNoMoreThanTheDeadline)
{
    const ScriptedServer server([](Wire& wire) { (void)wire.read_to_the_end(); });
    const auto start = std::chrono::steady_clock::now();
    const auto result = log_in(target_at(server.port()), {}, 150ms);
    EXPECT_THAT(problem(result), HasSubstr("did not finish the login within 150 ms"));
    EXPECT_LT(std::chrono::steady_clock::now() - start, 5s);
}

TEST(TargetLoginTest, AnUnreachableTargetIsNamed)
{
    std::uint16_t port = 0;
    {
        const ScriptedServer gone([](Wire&) {});
        port = gone.port();
    }
    EXPECT_THAT(problem(log_in(target_at(port))), HasSubstr("127.0.0.1:" + std::to_string(port)));
}

TEST(TargetLoginTest, WithoutTlsOnTheTargetNothingElseIsSaid)
{
    // One CA rather than the system's hundred and more, which take a while to read.
    const Folder folder;
    const auto certificates = own_certificates(folder.path(), {});
    ASSERT_TRUE(certificates) << certificates.error().detail;
    for (const TargetTls wish :
         {TargetTls::require, TargetTls::verify_ca, TargetTls::verify_full}) {
        for (const auto& [reply, complaint] :
             {std::pair("N"s, "does not offer TLS"), std::pair("E"s, "an error"),
              std::pair(message('E', "Mno\0\0"s), "an error"), std::pair("X"s, "something else"),
              std::pair("S" + auth_ok, "unencrypted data"),
              std::pair(""s, "ended the connection")}) {
            std::string request;
            std::string rest = "nothing";
            {
                const ScriptedServer server([&](Wire& wire) {
                    request = wire.read_packet();
                    EXPECT_TRUE(wire.send(reply));
                    wire.finish();
                    rest = wire.read_to_the_end();
                });
                Target target = target_at(server.port());
                target.tls = wish;
                target.ca_file = certificates->ca_file;
                EXPECT_THAT(problem(log_in(target)), HasSubstr(complaint));
            }
            EXPECT_EQ(request, ssl_request_packet);
            EXPECT_THAT(rest, IsEmpty());
        }
    }
}

TEST(TargetLoginTest, PlainTextAfterTheAnswerGoesToTls)
{
    const ScriptedServer server([&](Wire& wire) {
        (void)wire.read_packet();
        EXPECT_TRUE(wire.send("S"));
        EXPECT_EQ(wire.read(1), "\x16");  // the handshake has begun
        (void)wire.send(auth_ok + ready);
        (void)wire.read_to_the_end();
    });
    Target target = target_at(server.port());
    target.tls = TargetTls::require;
    EXPECT_THAT(problem(log_in(target)), HasSubstr("TLS"));
}

TEST(TargetLoginTest, AMissingCertificateFileIsNamed)
{
    Target target = target_at(1);
    target.tls = TargetTls::verify_full;
    target.ca_file = "/no/such/ca.pem";
    const auto result = log_in(target);
    EXPECT_THAT(problem(result), HasSubstr("/no/such/ca.pem"));
}

Result<void> cancel(const Target& target, const CancelKey& key,
                    std::chrono::milliseconds deadline = 10s)
{
    boost::asio::io_context io;
    return run(io, cancel_on_target(target, key, deadline));
}

TEST(TargetCancelTest, SendsTheTargetsKey)
{
    for (const std::string& secret : {std::string("abcd"), std::string(256, 's')}) {
        std::string seen;
        {
            const ScriptedServer server([&](Wire& wire) { seen = wire.read_packet(); });
            EXPECT_TRUE(cancel(target_at(server.port()), {4711, secret}));
        }
        EXPECT_EQ(seen, packet(be32((1234U << 16) | 5678U) + be32(4711) + secret));
    }
}

TEST(TargetCancelTest, FailsClearlyWithoutAKeyOrAnAnswer)
{
    EXPECT_FALSE(cancel(target_at(1), {}));
    const ScriptedServer server([](Wire& wire) { (void)wire.read_to_the_end(); });
    const auto result = cancel(target_at(server.port()), {1, "abcd"}, 100ms);
    ASSERT_FALSE(result);
    EXPECT_THAT(result.error().detail, HasSubstr("cancel request"));
}

}  // namespace
}  // namespace sallyport::postgres
