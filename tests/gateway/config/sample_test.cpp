// The sample of the interface's page: every key of it is known. What this build cannot do yet is
// said, line by line, and nothing else is.

#include <gmock/gmock.h>

#include "tests/gateway/config/files.h"

namespace sallyport {
namespace {

using testing::ElementsAre;

class SampleTest : public FilesTest {
protected:
    SampleTest()
    {
        write("fs", "target-password\n");
        write("id_ed25519", "ssh key\n");
        write("tls.crt", "certificate\n");
        write("tls.key", "key\n");
        ::setenv("RERANKER_KEY", "reranker-password", 1);
    }
    ~SampleTest() override { ::unsetenv("RERANKER_KEY"); }

    const std::string gateway_ = R"(gateway:
  name: gw-1                        # names this gateway's log
  state_dir: /var/lib/sallyport     # 0700: journal, keys, embedded store
  listen: {postgres: 127.0.0.1:6432, ssh: 127.0.0.1:2222, http: 127.0.0.1:8080, admin: 127.0.0.1:8443}
  tls: {certificate: tls.crt, key: tls.key}   # absent: from the gateway's own CA
store:
  embedded: true                    # or  dsn: postgresql://sallyport@db/sallyport
audit:
  durability: standard              # standard | strict | store
  retention: {recordings: 90d, records: 7y}
)";
    const std::string users_ = R"(identity:
  users:                            # local users: evaluation, service accounts, break-glass
    - {name: alice, groups: [analysts], password: ")" +
                               test_verifier + R"(", ssh_keys: ["ssh-ed25519 AAAA…"], tokens: [")" +
                               test_token_digest + R"("]}
)";
    const std::string oidc_ =
        R"(  oidc: {issuer: "https://id.example.com", audience: sallyport, client_id: sallyport, user_claim: email, groups_claim: groups}
)";
    const std::string roles_ = R"(  roles: {admin: [platform], auditor: [audit], approver: [dba]}
)";
    const std::string featurestore_ = R"(connections:
  - name: featurestore
    protocol: postgres
    target: {host: 127.0.0.1, port: 5432, database: features, user: svc_features, password: "${file:fs}", tls: verify-full}
)";
    const std::string others_ = R"(  - name: web-1
    protocol: ssh
    target: {host: 127.0.0.1, port: 22, user: deploy, key: "${file:id_ed25519}", host_key: "ssh-ed25519 AAAA…"}
  - name: reranker
    protocol: http
    target: {url: "http://127.0.0.1:9000", headers: {Authorization: "Bearer ${env:RERANKER_KEY}"}}
    hosts: [rerank.example.com]     # also reachable by this Host header
    public_paths: ["/healthz"]
)";
    const std::string policies_ = R"(policies:
  - name: analysts read features
    who: {groups: [analysts]}                  # users: [...], groups: [...]
    connections: [featurestore]                # globs
    access: standing                           # standing | on_request
    rules:
      - {allow: {sql: [read]}}
      - {deny: {sql: [drop, delete, opaque]}, reason: "destructive statements go through a migration"}
      - {approve: {sql: [update], objects: [public.ranking_scores]}, by: {groups: [dba]}, quorum: 1, timeout: 10m}
    mask:
      - {columns: ["*.ssn", public.users.email], with: redact}
      - {columns: [cards.pan], with: {keep_last: 4}}
)";
    const std::string other_masks_ =
        R"(      - {json: ["$..email", "$.results[*].user_id"], with: hash}
      - {detect: [email, credit_card, ssn, iban, phone, jwt, aws_key], with: redact}
)";
    const std::string ending_ = R"(    untraceable: mask
    limits: {rows: 100000, session: 8h, idle: 30m}
)";
};

TEST_F(SampleTest, SaysWhatThisBuildCannotDoAndNothingElse)
{
    const std::string sample = gateway_ + users_ + oidc_ + roles_ + featurestore_ + others_ +
                               policies_ + other_masks_ + ending_;
    EXPECT_THAT(
        problems_of(sample),
        ElementsAre(
            "gw.yaml:4: gateway.listen.ssh: protocol ssh is not in this build",
            "gw.yaml:4: gateway.listen.http: protocol http is not in this build",
            "gw.yaml:4: gateway.listen.admin: the admin API is not in this build",
            "gw.yaml:14: identity.oidc: logins by an identity provider are not in this build; use "
            "identity.users",
            "gw.yaml:21: connections[1].protocol: protocol ssh is not in this build; known are "
            "postgres",
            "gw.yaml:24: connections[2].protocol: protocol http is not in this build; known are "
            "postgres"));
}

TEST_F(SampleTest, IsGoodWithoutWhatComesLater)
{
    std::string gateway = gateway_;
    const std::string later = ", ssh: 127.0.0.1:2222, http: 127.0.0.1:8080, admin: 127.0.0.1:8443";
    gateway.erase(gateway.find(later), later.size());
    const Configuration configuration =
        good(gateway + users_ + roles_ + featurestore_ + policies_ + other_masks_ + ending_);

    EXPECT_EQ(configuration.gateway.name, "gw-1");
    EXPECT_EQ(configuration.gateway.state_dir, "/var/lib/sallyport");
    EXPECT_EQ(configuration.gateway.listen_postgres, "127.0.0.1:6432");
    EXPECT_EQ(configuration.gateway.tls_certificate, path("tls.crt"));
    EXPECT_EQ(configuration.gateway.tls_key, path("tls.key"));
    EXPECT_TRUE(configuration.store.embedded);
    EXPECT_EQ(configuration.audit.durability, Durability::standard);
    EXPECT_EQ(configuration.audit.recordings_retention, std::chrono::days(90));
    EXPECT_EQ(configuration.audit.records_retention, std::chrono::days(2557));

    ASSERT_EQ(configuration.users.size(), 1U);
    const LocalUser& alice = configuration.users[0];
    EXPECT_EQ(alice.name, "alice");
    EXPECT_THAT(alice.groups, ElementsAre("analysts"));
    EXPECT_TRUE(alice.password.has_value());
    EXPECT_EQ(alice.tokens.size(), 1U);
    EXPECT_THAT(alice.ssh_keys, ElementsAre("ssh-ed25519 AAAA…"));
    EXPECT_THAT(configuration.roles.at("admin"), ElementsAre("platform"));
    EXPECT_THAT(configuration.roles.at("auditor"), ElementsAre("audit"));
    EXPECT_THAT(configuration.roles.at("approver"), ElementsAre("dba"));

    ASSERT_EQ(configuration.connections.size(), 1U);
    const Connection& connection = *configuration.connections[0];
    EXPECT_EQ(connection.name, "featurestore");
    EXPECT_EQ(connection.protocol, "postgres");
    EXPECT_EQ(connection.target.host, "127.0.0.1");
    EXPECT_EQ(connection.target.port, 5432);
    EXPECT_EQ(connection.target.database, "features");
    EXPECT_EQ(connection.target.user, "svc_features");
    EXPECT_EQ(connection.target.password.reveal(), "target-password");
    EXPECT_EQ(connection.target.tls, TargetTls::verify_full);

    ASSERT_EQ(configuration.policies.size(), 1U);
    const PolicyEntry& policy = *configuration.policies[0];
    EXPECT_EQ(policy.name, "analysts read features");
    EXPECT_THAT(policy.groups, ElementsAre("analysts"));
    EXPECT_THAT(policy.users, ElementsAre());
    EXPECT_THAT(policy.connections, ElementsAre("featurestore"));
    EXPECT_FALSE(policy.on_request);
    ASSERT_EQ(policy.rules.size(), 3U);
    EXPECT_EQ(policy.rules[0].verdict, Verdict::allow);
    EXPECT_EQ(policy.rules[0].classes, ClassSet::of(0));
    EXPECT_EQ(policy.rules[1].verdict, Verdict::deny);
    EXPECT_EQ(policy.rules[1].reason, "destructive statements go through a migration");
    EXPECT_EQ(policy.rules[2].verdict, Verdict::hold);
    EXPECT_EQ(policy.rules[2].line, 27);
    EXPECT_THAT(policy.rules[2].objects, ElementsAre("public.ranking_scores"));
    EXPECT_THAT(policy.rules[2].by_groups, ElementsAre("dba"));
    EXPECT_EQ(policy.rules[2].quorum, 1);
    EXPECT_EQ(policy.rules[2].timeout, std::chrono::minutes(10));
    ASSERT_EQ(policy.masks.size(), 4U);
    EXPECT_THAT(policy.masks[0].columns, ElementsAre("*.ssn", "public.users.email"));
    EXPECT_EQ(policy.masks[0].action.kind, MaskAction::Kind::redact);
    EXPECT_EQ(policy.masks[1].action.kind, MaskAction::Kind::keep_last);
    EXPECT_EQ(policy.masks[1].action.keep, 4U);
    EXPECT_EQ(policy.masks[1].action.rule, "policy \"analysts read features\" mask 2");
    ASSERT_EQ(policy.masks[2].json.size(), 2U);
    EXPECT_EQ(policy.masks[2].json[1].text, "$.results[*].user_id");
    EXPECT_EQ(policy.masks[2].action.kind, MaskAction::Kind::hash);
    EXPECT_EQ(policy.masks[3].detect.size(), 7U);
    EXPECT_EQ(policy.masks[3].detect.back(), Detector::aws_key);
    EXPECT_EQ(policy.untraceable, MaskRules::Untraceable::mask);
    EXPECT_EQ(policy.limits.rows, 100000U);
    EXPECT_EQ(policy.limits.session, std::chrono::hours(8));
    EXPECT_EQ(policy.limits.idle, std::chrono::minutes(30));
}

}  // namespace
}  // namespace sallyport
