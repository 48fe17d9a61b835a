// Keys beyond the sample, and what a file says by leaving keys out.

#include <gmock/gmock.h>

#include "gateway/digest/digest.h"
#include "tests/gateway/config/files.h"

namespace sallyport {
namespace {

using testing::ElementsAre;

constexpr std::string_view nothing = "connections: []\npolicies: []\n";

class GoodValuesTest : public FilesTest {
protected:
    std::shared_ptr<const Connection> connection(const std::string& extra,
                                                 const std::string& target,
                                                 const std::string& audit = "{}") const
    {
        const Configuration configuration = good(
            "audit: " + audit + "\nconnections:\n  - name: db\n    protocol: postgres\n" + extra +
            "    target: {host: h, port: 1, database: d, user: u" + target + "}\npolicies: []\n");
        return configuration.connections.empty() ? nullptr : configuration.connections[0];
    }
    MaskAction mask(const std::string& with) const
    {
        const Configuration configuration = good(
            "connections: []\npolicies:\n  - name: p\n    who: {users: [a]}\n"
            "    connections: [\"*\"]\n    mask:\n      - {columns: [x], with: " +
            with + "}\n");
        return configuration.policies.at(0)->masks.at(0).action;
    }
};

TEST_F(GoodValuesTest, TheSmallestFile)
{
    const Configuration configuration = good(nothing);
    EXPECT_EQ(configuration.gateway.name, "sallyport");
    EXPECT_EQ(configuration.gateway.state_dir, "/var/lib/sallyport");
    EXPECT_EQ(configuration.gateway.listen_postgres, "");
    EXPECT_EQ(configuration.gateway.threads, 0U);
    EXPECT_EQ(configuration.gateway.connections, 10000U);
    EXPECT_EQ(configuration.gateway.login_deadline, std::chrono::seconds(30));
    EXPECT_TRUE(configuration.store.embedded);
    EXPECT_EQ(configuration.audit.durability, Durability::standard);
    EXPECT_EQ(configuration.audit.journal_limit, std::uint64_t{4} << 30);
    EXPECT_EQ(configuration.audit.journal_age, std::chrono::hours(1));
    EXPECT_EQ(configuration.audit.recordings_retention, std::chrono::days(90));
    EXPECT_EQ(configuration.audit.records_retention, std::chrono::days(2557));
}

TEST_F(GoodValuesTest, Gateway)
{
    const Configuration configuration =
        good("gateway: {state_dir: state, threads: 3, connections: 77, login_deadline: 5s}\n" +
             std::string(nothing));
    EXPECT_EQ(configuration.gateway.state_dir, path("state"));
    EXPECT_EQ(configuration.gateway.threads, 3U);
    EXPECT_EQ(configuration.gateway.connections, 77U);
    EXPECT_EQ(configuration.gateway.login_deadline, std::chrono::seconds(5));
}

TEST_F(GoodValuesTest, Store)
{
    Configuration configuration =
        good("store: {dsn: \"postgresql://s@db/s\"}\n" + std::string(nothing));
    EXPECT_FALSE(configuration.store.embedded);
    EXPECT_EQ(configuration.store.dsn.reveal(), "postgresql://s@db/s");
    configuration = good("store: {embedded: false, dsn: x}\n" + std::string(nothing));
    EXPECT_FALSE(configuration.store.embedded);
}

TEST_F(GoodValuesTest, Audit)
{
    const Configuration configuration = good(
        "audit: {durability: strict, journal: {limit: 64MiB, age: 5m}}\n" + std::string(nothing));
    EXPECT_EQ(configuration.audit.durability, Durability::strict);
    EXPECT_EQ(configuration.audit.journal_limit, std::uint64_t{64} << 20);
    EXPECT_EQ(configuration.audit.journal_age, std::chrono::minutes(5));
}

TEST_F(GoodValuesTest, Users)
{
    const Configuration configuration = good(
        "identity: {users: [{name: 007, groups: [b, a, b]}, {name: \"null\", disabled: true}]}\n" +
        std::string(nothing));
    ASSERT_EQ(configuration.users.size(), 2U);
    EXPECT_EQ(configuration.users[0].name, "007");
    EXPECT_THAT(configuration.users[0].groups, ElementsAre("a", "b"));
    EXPECT_FALSE(configuration.users[0].password.has_value());
    EXPECT_FALSE(configuration.users[0].disabled);
    EXPECT_EQ(configuration.users[1].name, "null");
    EXPECT_TRUE(configuration.users[1].disabled);
}

TEST_F(GoodValuesTest, TokensInEitherCase)
{
    const Configuration configuration =
        good("identity: {users: [{name: a, tokens: [\"sha256:" + std::string(62, '0') +
             "aF\"]}]}\n" + std::string(nothing));
    ASSERT_EQ(configuration.users.at(0).tokens.size(), 1U);
    EXPECT_EQ(configuration.users[0].tokens[0][31], std::byte{0xaf});
}

TEST_F(GoodValuesTest, ConnectionsByDefault)
{
    const auto plain = connection("", "");
    ASSERT_NE(plain, nullptr);
    EXPECT_EQ(plain->target.tls, TargetTls::verify_full);
    EXPECT_TRUE(plain->target.password.empty());
    EXPECT_TRUE(plain->target.weak_authentication.empty());
    EXPECT_EQ(plain->durability, Durability::standard);
    EXPECT_FALSE(plain->allow_replication);
    EXPECT_EQ(plain->message_limit, std::uint64_t{1} << 30);
    EXPECT_EQ(connection("", "", "{durability: strict}")->durability, Durability::strict);
}

TEST_F(GoodValuesTest, ConnectionsInFull)
{
    for (const char* name : {"ca.crt", "c.crt", "c.key"})
        write(name, "pem");
    const auto full = connection(
        "    durability: store\n    trusted_functions: [public.g, public.f]\n"
        "    allow_replication: true\n    message_limit: 16MiB\n",
        ", tls: verify-ca, ca: ca.crt, certificate: c.crt, key: c.key, "
        "weak_authentication: [md5, cleartext]");
    ASSERT_NE(full, nullptr);
    EXPECT_EQ(full->durability, Durability::store);
    EXPECT_THAT(full->trusted_functions, ElementsAre("public.f", "public.g"));
    EXPECT_TRUE(full->allow_replication);
    EXPECT_EQ(full->message_limit, std::uint64_t{16} << 20);
    EXPECT_EQ(full->target.tls, TargetTls::verify_ca);
    EXPECT_EQ(full->target.ca_file, path("ca.crt"));
    EXPECT_EQ(full->target.certificate_file, path("c.crt"));
    EXPECT_EQ(full->target.key_file, path("c.key"));
    EXPECT_THAT(full->target.weak_authentication, ElementsAre("md5", "cleartext"));
    EXPECT_EQ(connection("", ", tls: disable")->target.tls, TargetTls::disable);
    EXPECT_EQ(connection("", ", tls: require")->target.tls, TargetTls::require);
}

TEST_F(GoodValuesTest, MaskActions)
{
    EXPECT_EQ(mask("redact").kind, MaskAction::Kind::redact);
    // The word null is YAML's own, and means this action all the same.
    EXPECT_EQ(mask("null").kind, MaskAction::Kind::null);
    EXPECT_EQ(mask("\"null\"").kind, MaskAction::Kind::null);
    EXPECT_EQ(mask("hash").kind, MaskAction::Kind::hash);
    EXPECT_EQ(mask("{keep_last: 4}").kind, MaskAction::Kind::keep_last);
    EXPECT_EQ(mask("{keep_first: 2}").keep, 2U);
    EXPECT_EQ(mask("{replace: n/a}").text, "n/a");
    EXPECT_EQ(mask("{replace: \"\"}").kind, MaskAction::Kind::replace);
}

TEST_F(GoodValuesTest, ClassesGroupsAndEverything)
{
    const Configuration configuration = good(
        "connections: []\npolicies:\n  - name: p\n    who: {users: [\"*\"], groups: [\"*\"]}\n"
        "    connections: [\"*\"]\n    access: on_request\n    untraceable: refuse\n    rules:\n"
        "      - {allow: {sql: [write, select]}}\n      - {deny: {sql: [\"*\"], statement: "
        "\"(?i)x\"}}\n");
    const PolicyEntry& policy = *configuration.policies.at(0);
    EXPECT_TRUE(policy.on_request);
    EXPECT_EQ(policy.untraceable, MaskRules::Untraceable::refuse);
    EXPECT_EQ(names_of(test_vocabulary, policy.rules[0].classes), "select insert update delete");
    EXPECT_EQ(names_of(test_vocabulary, policy.rules[1].classes),
              "select insert update delete drop opaque");
    EXPECT_EQ(policy.rules[0].facet, "sql");
    EXPECT_EQ(policy.rules[0].statement, nullptr);
    EXPECT_NE(policy.rules[1].statement, nullptr);
}

TEST_F(GoodValuesTest, MasksOfEveryKind)
{
    const Configuration configuration = good(
        "connections:\n  - {name: db, protocol: postgres, target: {host: h, port: 1, database: d, "
        "user: u}}\n"
        "policies:\n  - name: p\n    who: {users: [a]}\n    connections: [db]\n    mask:\n"
        "      - {columns: [a], with: redact}\n"
        "      - {columns: [b], with: redact, refuse: [writes, conditions]}\n"
        "      - {columns: [c], with: redact, refuse: [conditions]}\n"
        "      - {json: [\"$..email\", \"$['odd name'][0]\"], with: hash}\n"
        "      - {detect: [ssn, email], with: {keep_last: 4}}\n");
    const std::vector<MaskRules::Rule>& masks = configuration.policies.at(0)->masks;
    ASSERT_EQ(masks.size(), 5U);
    EXPECT_FALSE(masks[0].refuse_conditions || masks[0].refuse_writes);
    EXPECT_TRUE(masks[1].refuse_conditions && masks[1].refuse_writes);
    EXPECT_TRUE(masks[2].refuse_conditions && !masks[2].refuse_writes);
    EXPECT_EQ(masks[3].json.at(1).text, "$['odd name'][0]");
    EXPECT_EQ(masks[3].json.at(1).steps.at(0).name, "odd name");
    EXPECT_THAT(masks[4].detect, ElementsAre(Detector::ssn, Detector::email));
    EXPECT_EQ(masks[4].action.rule, "policy \"p\" mask 5");
}

TEST_F(GoodValuesTest, Hashes)
{
    const std::string text =
        "connections: []\npolicies:\n  - {name: p, who: {users: [a]}, connections: [b]}\n";
    const Configuration first = good(text);
    EXPECT_EQ(first.hash, "sha256:" + to_hex(sha256(bytes_of(text))));
    EXPECT_EQ(first.policies_hash.size(), 7U + 64U);
    const Configuration respelled = good(
        "connections: []\npolicies:\n  # note\n  - connections: [b]\n    who: {users: [\"a\"]}\n   "
        " name: p\n");
    EXPECT_NE(respelled.hash, first.hash);
    EXPECT_EQ(respelled.policies_hash, first.policies_hash);
    const Configuration other =
        good("connections: []\npolicies:\n  - {name: p, who: {users: [a]}, connections: [c]}\n");
    EXPECT_NE(other.policies_hash, first.policies_hash);
}

TEST_F(GoodValuesTest, AFileOnTheDisk)
{
    write("gw.yaml", nothing);
    EXPECT_TRUE(read_configuration(path("gw.yaml"), test_protocols).has_value());
    const auto none = read_configuration(path("none.yaml"), test_protocols);
    ASSERT_FALSE(none.has_value());
    EXPECT_EQ(to_string(none.error().at(0)), path("none.yaml") + ": the file does not exist");
    const auto folder = read_configuration(folder_.string(), test_protocols);
    ASSERT_FALSE(folder.has_value());
    EXPECT_EQ(to_string(folder.error().at(0)),
              folder_.string() + ": the file is not a regular file");
}

}  // namespace
}  // namespace sallyport
