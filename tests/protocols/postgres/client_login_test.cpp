#include "protocols/postgres/client_login.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/protocols/postgres/login_world.h"

namespace sallyport::postgres {
namespace {

using namespace std::chrono_literals;
using namespace std::string_literals;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;
using testing::SizeIs;
using testing::StartsWith;

using Outcome = LoginWorld::Outcome;

constexpr std::uint32_t cancel_code = (1234U << 16) | 5678U;
const std::string a_query = message('Q', "drop table users\0"s);

// The fields of an error as "FATAL 28P01 text", or the bytes where it is none.
std::string told(const std::string& bytes)
{
    if (!bytes.starts_with("E"))
        return testing::PrintToString(bytes);
    const auto diagnostic = read_diagnostic(bytes_of(std::string_view(bytes).substr(header_size)));
    if (!diagnostic)
        return "an error that cannot be read";
    return std::string(diagnostic->field('S')) + " " + std::string(diagnostic->field('C')) + " " +
           std::string(diagnostic->field('M'));
}

// What the server says to a client that only sends these bytes.
std::string reply_to(LoginWorld& world, const std::string& bytes)
{
    std::string reply;
    const Outcome outcome = world.serve([&](Wire& wire) {
        (void)wire.send(bytes);  // a refusal may come before the last byte
        wire.finish();
        reply = wire.read_to_the_end();
    });
    EXPECT_FALSE(outcome.logged_in);
    return reply;
}

// Logs in with TLS, then the rest as on a plain connection.
void secure(Wire& wire)
{
    EXPECT_TRUE(wire.send(ssl_request_packet));
    EXPECT_EQ(wire.read(1), "S");
    EXPECT_TRUE(wire.begin_tls());
}

TEST(ClientLoginTest, APasswordOnAPlainConnection)
{
    LoginWorld world;
    std::string last;
    std::string rest;
    const Outcome outcome = world.serve([&](Wire& wire) {
        EXPECT_TRUE(wire.send(startup_packet(
            "alice", "application_name\0ps\nql\0TimeZone\0UTC\0client_encoding\0'utf-8'\0"s)));
        last = prove(wire, "wonder land");
        rest = wire.read_to_the_end();
    });
    ASSERT_TRUE(outcome.logged_in) << outcome.result.error().detail;
    EXPECT_EQ(outcome.user, "alice");
    EXPECT_EQ(outcome.application_name, "ps?ql");
    EXPECT_THAT(outcome.parameters,
                ElementsAre(Pair("application_name", "ps\nql"), Pair("timezone", "UTC")));
    EXPECT_THAT(last, StartsWith("R"));
    EXPECT_THAT(rest, IsEmpty());  // AuthenticationOk waits for the target
    EXPECT_THAT(world.openings(), SizeIs(1));
    EXPECT_THAT(world.refusals(), IsEmpty());
}

TEST(ClientLoginTest, OffersOnlyWhatTheConnectionCanDo)
{
    LoginWorld world;
    std::string plain;
    std::string encrypted;
    (void)world.serve([&](Wire& wire) {
        wire.send(startup_packet("alice"));
        plain = wire.read_message();
    });
    (void)world.serve([&](Wire& wire) {
        secure(wire);
        wire.send(startup_packet("alice"));
        encrypted = wire.read_message();
    });
    EXPECT_EQ(plain, message('R', be32(10) + "SCRAM-SHA-256\0\0"s));
    EXPECT_EQ(encrypted, message('R', be32(10) + "SCRAM-SHA-256-PLUS\0SCRAM-SHA-256\0\0"s));
    EXPECT_THAT(world.refusals(), IsEmpty());  // clients that only looked
}

TEST(ClientLoginTest, BindsTheChannelOverTls)
{
    LoginWorld world;
    const Outcome outcome = world.serve([&](Wire& wire) {
        secure(wire);
        wire.send(startup_packet("bob"));
        EXPECT_THAT(prove(wire, "p\xc3\xa4sswort", wire.channel_binding()), StartsWith("R"));
    });
    EXPECT_TRUE(outcome.logged_in);
    EXPECT_EQ(outcome.user, "bob");
    const Outcome unbound = world.serve([&](Wire& wire) {
        secure(wire);
        wire.send(startup_packet("bob"));
        EXPECT_THAT(prove(wire, "p\xc3\xa4sswort"), StartsWith("R"));
    });
    EXPECT_TRUE(unbound.logged_in);
}

TEST(ClientLoginTest, AChannelOfSomebodyElseOrADowngradeIsRefused)
{
    LoginWorld world;
    const Outcome other = world.serve([&](Wire& wire) {
        secure(wire);
        wire.send(startup_packet("alice"));
        EXPECT_THAT(told(prove(wire, "wonder land", std::string(32, 'x'))), HasSubstr("FATAL 28"));
    });
    EXPECT_FALSE(other.logged_in);
    const Outcome downgrade = world.serve([&](Wire& wire) {
        secure(wire);
        wire.send(startup_packet("alice"));
        EXPECT_EQ(told(prove(wire, "wonder land", std::string(32, 'x'), false)),
                  "FATAL 28000 SCRAM channel binding negotiation error");
    });
    EXPECT_FALSE(downgrade.logged_in);
    EXPECT_THAT(world.refusals(), SizeIs(2));
}

TEST(ClientLoginTest, OneByteAtATimeIsEnough)
{
    LoginWorld world;
    const Outcome outcome = world.serve([&](Wire& wire) {
        for (const char each : gss_request_packet)
            EXPECT_TRUE(wire.send({&each, 1}));
        EXPECT_EQ(wire.read(1), "N");
        for (const char each : ssl_request_packet)
            EXPECT_TRUE(wire.send({&each, 1}));
        EXPECT_EQ(wire.read(1), "S");
        EXPECT_TRUE(wire.begin_tls());
        for (const char each : startup_packet("alice"))
            EXPECT_TRUE(wire.send({&each, 1}));
        EXPECT_THAT(prove(wire, "wonder land"), StartsWith("R"));
    });
    EXPECT_TRUE(outcome.logged_in);
}

TEST(ClientLoginTest, GssIsDeclinedAndPlainStillWorks)
{
    LoginWorld world;
    const Outcome outcome = world.serve([&](Wire& wire) {
        wire.send(gss_request_packet);
        EXPECT_EQ(wire.read(1), "N");
        wire.send(startup_packet("alice"));
        EXPECT_THAT(prove(wire, "wonder land"), StartsWith("R"));
    });
    EXPECT_TRUE(outcome.logged_in);
}

TEST(ClientLoginTest, EachRequestForEncryptionIsAnsweredOnce)
{
    LoginWorld world;
    EXPECT_EQ(told(reply_to(world, gss_request_packet + gss_request_packet).substr(1)),
              "FATAL 0A000 unsupported frontend protocol 1234.5680: server supports 3.0 to 3.0");
    for (const std::string& second : {ssl_request_packet, gss_request_packet}) {
        const Outcome outcome = world.serve([&](Wire& wire) {
            secure(wire);
            wire.send(second);
            EXPECT_THAT(told(wire.read_message()), StartsWith("FATAL 0A000 unsupported frontend"));
            EXPECT_THAT(wire.read_to_the_end(), IsEmpty());
        });
        EXPECT_FALSE(outcome.logged_in);
    }
    EXPECT_THAT(world.refusals(), SizeIs(3));
}

TEST(ClientLoginTest, BytesBehindTheRequestForTlsNeverReachTheParser)
{
    LoginWorld world;
    for (const std::string& behind :
         {startup_packet("alice"), a_query, packet(be32(cancel_code) + be32(1) + "abcd"),
          ssl_request_packet, "x"s}) {
        const std::string reply = reply_to(world, ssl_request_packet + behind);
        // Nothing but S and a TLS alert.
        EXPECT_THAT(reply, StartsWith("S"));
        EXPECT_EQ(reply.find("FATAL"), std::string::npos);
        EXPECT_EQ(reply.find("SCRAM"), std::string::npos);
    }
    EXPECT_THAT(world.openings(), IsEmpty());
}

TEST(ClientLoginTest, DirectTlsNeedsItsProtocolName)
{
    LoginWorld world;
    const Outcome direct = world.serve([&](Wire& wire) {
        EXPECT_TRUE(wire.begin_tls("postgresql"));
        wire.send(startup_packet("alice"));
        EXPECT_THAT(prove(wire, "wonder land", wire.channel_binding()), StartsWith("R"));
    });
    EXPECT_TRUE(direct.logged_in);
    const Outcome without = world.serve([&](Wire& wire) {
        (void)wire.begin_tls();  // may succeed: the end comes after it
        wire.send(startup_packet("alice"));
        EXPECT_THAT(wire.read_to_the_end(), IsEmpty());
    });
    EXPECT_FALSE(without.logged_in);
    const Outcome other =
        world.serve([&](Wire& wire) { EXPECT_FALSE(wire.begin_tls("http/1.1")); });
    EXPECT_FALSE(other.logged_in);
    const Outcome twice = world.serve([&](Wire& wire) {
        EXPECT_TRUE(wire.begin_tls("postgresql"));
        wire.send(ssl_request_packet);
        EXPECT_THAT(told(wire.read_message()), StartsWith("FATAL 0A000"));
    });
    EXPECT_FALSE(twice.logged_in);
}

TEST(ClientLoginTest, FailuresLookAlikeWhoeverIsNamed)
{
    LoginWorld world;
    for (const bool encrypted : {false, true}) {
        // carol has tokens only: over TLS she is asked for one.
        for (const std::string user : {"alice", "nobody", "dora", "erik", "carol"}) {
            if (encrypted && user == "carol")
                continue;
            const Outcome outcome = world.serve([&](Wire& wire) {
                if (encrypted)
                    secure(wire);
                wire.send(startup_packet(user));
                EXPECT_EQ(told(prove(wire, user == "erik" ? "was once" : "wrong")),
                          "FATAL 28P01 password authentication failed for user \"" + user + "\"");
                EXPECT_THAT(wire.read_to_the_end(), IsEmpty());
            });
            EXPECT_FALSE(outcome.logged_in);
        }
    }
    EXPECT_THAT(world.refusals(), SizeIs(9));
    EXPECT_THAT(world.refusals()[0],
                AllOf(HasSubstr("\"user\":\"alice\""), HasSubstr("featurestore"),
                      HasSubstr("127.0.0.1"), HasSubstr("proof is wrong")));
    EXPECT_THAT(world.openings(), IsEmpty());
}

TEST(ClientLoginTest, AConnectionThatIsNotHisDoesNotExist)
{
    LoginWorld world;
    for (const std::string name : {"no such thing", "other", "FeatureStore", "featurestore "}) {
        (void)world.serve([&](Wire& wire) {
            wire.send(startup_packet("alice", {}, name));
            EXPECT_THAT(prove(wire, "wonder land"), StartsWith("R"));
            EXPECT_EQ(told(wire.read_message()),
                      "FATAL 3D000 database \"" + name + "\" does not exist");
        });
    }
    EXPECT_THAT(world.refusals(), SizeIs(4));
    (void)world.serve([&](Wire& wire) {
        wire.send(startup_packet("alice", {}, "no such thing"));
        EXPECT_THAT(told(prove(wire, "wrong")), StartsWith("FATAL 28P01"));
    });
    (void)world.serve([&](Wire& wire) {
        wire.send(startup_packet("alice", {}, ""));
        EXPECT_THAT(prove(wire, "wonder land"), StartsWith("R"));
        EXPECT_THAT(told(wire.read_message()), HasSubstr("database \"alice\" does not exist"));
    });
}

TEST(ClientLoginTest, ATokenCrossesTlsOnly)
{
    LoginWorld world;
    const Outcome right = world.serve([&](Wire& wire) {
        secure(wire);
        wire.send(startup_packet("carol"));
        EXPECT_EQ(wire.read_message(), message('R', be32(3)));
        wire.send(message('p', "carols token\0"s));
        EXPECT_THAT(wire.read_to_the_end(), IsEmpty());
    });
    EXPECT_TRUE(right.logged_in);
    EXPECT_EQ(right.proof, "token");
    for (const std::string& wrong : {"carols toke"s, ""s, "both"s, std::string(60000, 'x')}) {
        const Outcome outcome = world.serve([&](Wire& wire) {
            secure(wire);
            wire.send(startup_packet("carol"));
            EXPECT_EQ(wire.read_message(), message('R', be32(3)));
            wire.send(message('p', wrong + '\0'));
            EXPECT_EQ(told(wire.read_message()),
                      "FATAL 28P01 password authentication failed for user \"carol\"");
        });
        EXPECT_FALSE(outcome.logged_in);
    }
    for (const std::string& broken :
         {""s, "carols token"s, "carols token\0x"s, "carols token\0\0"s}) {
        const Outcome outcome = world.serve([&](Wire& wire) {
            secure(wire);
            wire.send(startup_packet("carol"));
            (void)wire.read_message();
            wire.send(message('p', broken));
            EXPECT_EQ(told(wire.read_message()), "FATAL 08P01 invalid password packet size");
        });
        EXPECT_FALSE(outcome.logged_in);
    }
}

TEST(ClientLoginTest, AVerifiedCertificateIsEnoughForItsOwnUser)
{
    LoginWorld world;
    const auto issued = issue_client_certificate(world.folder.path(), "alice", 1);
    ASSERT_TRUE(issued) << issued.error().detail;
    const std::string certificate = world.folder.write("client.crt", issued->certificate);
    const std::string key = world.folder.write("client.key", issued->key.reveal());
    const auto with_certificate = [&](Wire& wire) {
        wire.send(ssl_request_packet);
        EXPECT_EQ(wire.read(1), "S");
        EXPECT_TRUE(wire.begin_tls({}, certificate, key));
    };
    const Outcome own = world.serve([&](Wire& wire) {
        with_certificate(wire);
        wire.send(startup_packet("alice"));
        EXPECT_THAT(wire.read_to_the_end(), IsEmpty());
    });
    EXPECT_TRUE(own.logged_in);
    EXPECT_EQ(own.proof, "certificate");
    const Outcome others = world.serve([&](Wire& wire) {
        with_certificate(wire);
        wire.send(startup_packet("bob"));
        EXPECT_THAT(told(prove(wire, "wrong")), StartsWith("FATAL 28P01"));
    });
    EXPECT_FALSE(others.logged_in);
}

TEST(ClientLoginTest, ParametersThatMustNotPassAreNamed)
{
    LoginWorld world;
    for (const auto& [parameter, answer] :
         {std::pair("role\0postgres\0"s, "FATAL 42501 startup parameter \"role\" is not accepted"s),
          std::pair("options\0-c session_authorization=x\0"s,
                    "FATAL 42501 startup parameter \"session_authorization\" is not"s),
          std::pair("client_encoding\0SJIS\0"s, "FATAL 22023 client_encoding \"SJIS\" is not"s),
          std::pair("replication\0perhaps\0"s,
                    "FATAL 22023 invalid value for parameter \"replication\": \"perhaps\""s),
          std::pair("replication\0true\0"s, "FATAL 42501 replication connections to"s),
          std::pair("replication\0database\0"s, "FATAL 42501 replication connections to"s)}) {
        const Outcome outcome = world.serve([&](Wire& wire) {
            wire.send(startup_packet("alice", parameter));
            EXPECT_THAT(prove(wire, "wonder land"), StartsWith("R"));
            EXPECT_THAT(told(wire.read_message()), StartsWith(answer));
            EXPECT_THAT(wire.read_to_the_end(), IsEmpty());
        });
        EXPECT_FALSE(outcome.logged_in);
    }
    EXPECT_THAT(world.refusals(), SizeIs(4));
    // Refused with a session's own record, which names the connection.
    EXPECT_THAT(world.journal.texts(EventKind::session_closed), SizeIs(2));
    EXPECT_EQ(told(reply_to(world, startup_packet("alice", "options\0-e\0"s))),
              "FATAL 42601 invalid command-line argument for server process: -e");
}

TEST(ClientLoginTest, ReplicationPassesWhereItIsAllowedOrNotMeant)
{
    LoginWorld world;
    const auto log_in = [&](const std::string& value, const std::string& connection) {
        return world.serve([&](Wire& wire) {
            wire.send(startup_packet("alice", "replication\0"s + value + '\0', connection));
            EXPECT_THAT(prove(wire, "wonder land"), StartsWith("R"));
            (void)wire.read_to_the_end();
        });
    };
    for (const std::string value : {"false", "off", "no", "0", "F", "of"}) {
        const Outcome outcome = log_in(value, "featurestore");
        EXPECT_TRUE(outcome.logged_in) << value;
        EXPECT_THAT(outcome.parameters, IsEmpty());
    }
    EXPECT_THAT(log_in("database", "replica").parameters,
                ElementsAre(Pair("replication", "database")));
    EXPECT_FALSE(log_in("o", "replica").logged_in);
}

TEST(ClientLoginTest, NewerProtocolsAreToldWhatThereIs)
{
    LoginWorld world;
    const Outcome outcome = world.serve([&](Wire& wire) {
        wire.send(
            startup_packet("alice", "_pq_.one\0on\0_pq_.two\0\0"s, "featurestore", (3U << 16) | 2));
        EXPECT_EQ(wire.read_message(),
                  message('v', be32(3U << 16) + be32(2) + "_pq_.one\0_pq_.two\0"s));
        EXPECT_THAT(prove(wire, "wonder land"), StartsWith("R"));
    });
    EXPECT_TRUE(outcome.logged_in);
    const Outcome minor = world.serve([&](Wire& wire) {
        wire.send(startup_packet("alice", {}, "featurestore", (3U << 16) | 9999));
        EXPECT_EQ(wire.read_message(), message('v', be32(3U << 16) + be32(0)));
        EXPECT_THAT(prove(wire, "wonder land"), StartsWith("R"));
    });
    EXPECT_TRUE(minor.logged_in);
    EXPECT_EQ(told(reply_to(world, startup_packet("alice", {}, "featurestore", 4U << 16))),
              "FATAL 0A000 unsupported frontend protocol 4.0: server supports 3.0 to 3.0");
    EXPECT_EQ(reply_to(world, startup_packet("alice", {}, "featurestore", 2U << 16)),
              "EFATAL:  unsupported frontend protocol 2.0: server supports 3.0 to 3.0\n\0"s);
}

TEST(ClientLoginTest, ACancelRequestIsReadOnEveryKindOfConnection)
{
    LoginWorld world;
    const std::string request = packet(be32(cancel_code) + be32(77) + "abcd");
    for (const int kind : {0, 1, 2}) {
        const Outcome outcome = world.serve([&](Wire& wire) {
            if (kind == 1)
                secure(wire);
            if (kind == 2)
                EXPECT_TRUE(wire.begin_tls("postgresql"));
            wire.send(request);
            EXPECT_THAT(wire.read_to_the_end(), IsEmpty());
        });
        ASSERT_TRUE(outcome.cancel) << kind;
        EXPECT_EQ(outcome.cancel->process, 77U);
        EXPECT_EQ(outcome.cancel->secret, "abcd");
    }
    EXPECT_THAT(world.refusals(), IsEmpty());
}

TEST(ClientLoginTest, WhatIsNoClientGetsNoAnswer)
{
    LoginWorld world;
    for (const std::string& bytes :
         {"GET / HTTP/1.1\r\n\r\n"s, be32(0), be32(3), be32(7), be32(10005), be32(0x7fffffff),
          be32(0xffffffff), packet(be32(cancel_code) + be32(1)), "SSH-2.0-OpenSSH_9.2\r\n"s})
        EXPECT_THAT(reply_to(world, bytes), IsEmpty());
    EXPECT_THAT(world.refusals(), SizeIs(9));
}

TEST(ClientLoginTest, BadStartupPacketsGetTheServersAnswer)
{
    LoginWorld world;
    EXPECT_EQ(told(reply_to(world, startup_packet(""))),
              "FATAL 28000 no PostgreSQL user name specified in startup packet");
    EXPECT_EQ(told(reply_to(world, packet(be32(3U << 16) + "user\0alice\0"s))),
              "FATAL 08P01 invalid startup packet layout: expected terminator as last byte");
    EXPECT_THAT(told(reply_to(world, startup_packet(std::string(64, 'a')))),
                StartsWith("FATAL 28000 user names have at most 63 bytes"));
    EXPECT_THAT(told(reply_to(world, startup_packet("alice\nevent=ok"))),
                StartsWith("FATAL 28000"));
    EXPECT_THAT(told(reply_to(world, startup_packet("alice", {}, "a\rb"))),
                StartsWith("FATAL 28000"));
    EXPECT_THAT(world.refusals(), SizeIs(5));
}

TEST(ClientLoginTest, TheLogIsToldWhoWasRefused)
{
    LoginWorld world;
    const auto context = [&world](const std::string& bytes) {
        const auto outcome = world.serve([&bytes](Wire& wire) {
            (void)wire.send(bytes);
            wire.finish();
            (void)wire.read_to_the_end();
        });
        return outcome.result ? "no error" : outcome.result.error().context;
    };
    EXPECT_EQ(context(startup_packet("nobody", {}, "featurestore")),
              R"(user="nobody" connection="featurestore")");
    EXPECT_EQ(context(startup_packet("a\" event=ok x=\"\\\n", {}, "b c")),
              R"(user="a\" event=ok x=\"\\" connection="b c")");
    EXPECT_EQ(context(startup_packet(std::string(5000, 'a'), {}, "b")).size(), 400 + 22U);
    EXPECT_EQ(context(packet(be32(3))), "");
}

TEST(ClientLoginTest, ClientsThatLeaveAreNoRefusals)
{
    LoginWorld world;
    const std::string whole = ssl_request_packet + startup_packet("alice");
    for (const std::size_t size : {0U, 1U, 3U, 7U})
        EXPECT_THAT(reply_to(world, whole.substr(0, size)), IsEmpty());
    const std::string plain = startup_packet("alice");
    for (std::size_t size = 0; size < plain.size(); size += 5)
        EXPECT_THAT(reply_to(world, plain.substr(0, size)), IsEmpty());
    EXPECT_THAT(reply_to(world, plain), StartsWith("R"));
    EXPECT_THAT(reply_to(world, plain + "p"), StartsWith("R"));
    EXPECT_THAT(reply_to(world, plain + message('p', "SCRAM-SHA-256\0"s).substr(0, 12)),
                StartsWith("R"));
    EXPECT_THAT(reply_to(world, ssl_request_packet), StartsWith("S"));
    EXPECT_THAT(world.refusals(), IsEmpty());
}

TEST(ClientLoginTest, AMechanismMayBeChosenBeforeAnythingIsSaid)
{
    LoginWorld world;
    const Outcome outcome = world.serve([&](Wire& wire) {
        wire.send(startup_packet("alice"));
        (void)wire.read_message();
        wire.send(message('p', "SCRAM-SHA-256\0\xff\xff\xff\xff"s));
        EXPECT_EQ(wire.read_message(), message('R', be32(11)));
        const Secret password("wonder land");
        ScramClient scram(password, std::nullopt, false);
        wire.send(message('p', scram.first()));
        const auto final = scram.final(wire.read_message().substr(9));
        EXPECT_TRUE(final);
        wire.send(message('p', *final));
        EXPECT_TRUE(scram.verify(wire.read_message().substr(9)));
    });
    EXPECT_TRUE(outcome.logged_in);
}

TEST(ClientLoginTest, BrokenSaslMessagesEndTheLogin)
{
    LoginWorld world;
    const auto initial = [](const std::string& mechanism, std::uint32_t size,
                            const std::string& rest) {
        return message('p', mechanism + '\0' + be32(size) + rest);
    };
    const std::string first = "n,,n=,r=abcdefghijklmnop";
    const auto size = static_cast<std::uint32_t>(first.size());
    for (const auto& [answer, expected] :
         {std::pair(a_query, "FATAL 08P01 expected SASL response, got message type 81"s),
          std::pair(initial("SCRAM-SHA-1", size, first),
                    "FATAL 08P01 client selected an invalid SASL authentication mechanism"s),
          std::pair(initial("SCRAM-SHA-256-PLUS", size, first),
                    "FATAL 08P01 client selected an invalid SASL authentication mechanism"s),
          std::pair(initial("SCRAM-SHA-256", 0x7fffffff, first),
                    "FATAL 08P01 insufficient data left in message"s),
          std::pair(initial("SCRAM-SHA-256", size - 1, first),
                    "FATAL 08P01 invalid message format"s),
          std::pair(message('p', "SCRAM-SHA-256"), "FATAL 08P01 invalid string in message"s),
          std::pair(message('p', ""), "FATAL 08P01 invalid string in message"s),
          std::pair(initial("SCRAM-SHA-256", 3, "n,,"), "FATAL 08P01 malformed SCRAM message"s),
          std::pair(initial("SCRAM-SHA-256", 0, ""), "FATAL 08P01 malformed SCRAM message"s)}) {
        std::string reply;
        const Outcome outcome = world.serve([&](Wire& wire) {
            wire.send(startup_packet("alice"));
            (void)wire.read_message();
            wire.send(answer);
            reply = wire.read_message();
            EXPECT_THAT(wire.read_to_the_end(), IsEmpty());
        });
        EXPECT_FALSE(outcome.logged_in);
        EXPECT_EQ(told(reply), expected);
    }
    const auto refused = world.refusals().size();
    for (const std::string& answer : {"p\0\0\0\3"s, "p\xff\xff\xff\xff"s, "p" + be32(1024 + 5),
                                      message('p', std::string(2000, 'x'))}) {
        const std::string reply = reply_to(world, startup_packet("alice") + answer);
        const std::string offer = message('R', be32(10) + "SCRAM-SHA-256\0\0"s);
        EXPECT_THAT(reply, StartsWith(offer));
        EXPECT_EQ(told(reply.substr(offer.size())),
                  "FATAL 28P01 password authentication failed for user \"alice\"");
    }
    EXPECT_EQ(world.refusals().size(), refused + 4);
}

TEST(ClientLoginTest, ASlowLoginEndsAtTheDeadlineWithoutAWord)
{
    LoginWorld world;
    world.settings.deadline = 400ms;
    for (const std::string& bytes :
         {""s, "\0"s, startup_packet("alice").substr(0, 20), startup_packet("alice")}) {
        std::string reply;
        const Outcome outcome = world.serve([&](Wire& wire) {
            wire.send(bytes);
            reply = wire.read_to_the_end();
        });
        ASSERT_FALSE(outcome.result);
        EXPECT_THAT(outcome.result.error().detail, HasSubstr("within 400 ms"));
        EXPECT_EQ(reply.find("FATAL"), std::string::npos);
    }
    const Outcome in_tls = world.serve([&](Wire& wire) {
        wire.send(ssl_request_packet);
        (void)wire.read_to_the_end();
    });
    EXPECT_FALSE(in_tls.result);
    ASSERT_THAT(world.refusals(), SizeIs(5));
    EXPECT_THAT(world.refusals()[3], HasSubstr("alice"));
}

TEST(ClientLoginTest, NobodyIsLetInUnrecorded)
{
    LoginWorld world;
    const auto log_in = [&] {
        std::string answer;
        const Outcome outcome = world.serve([&](Wire& wire) {
            wire.send(startup_packet("alice"));
            (void)prove(wire, "wonder land");
            answer = told(wire.read_message());
        });
        EXPECT_FALSE(outcome.logged_in);
        return answer;
    };
    world.journal.store_down = true;
    EXPECT_EQ(log_in(), "FATAL 53300 the gateway cannot open this session now");
    world.journal.store_down = false;
    world.journal.disk_full = true;
    EXPECT_EQ(log_in(), "FATAL 58030 the gateway cannot record this session");
}

}  // namespace
}  // namespace sallyport::postgres
