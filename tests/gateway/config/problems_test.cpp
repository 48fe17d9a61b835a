// Every mistake has a message that names file, line and key. The messages are golden: whoever
// changes one sees it here.

#include <gmock/gmock.h>

#include "tests/gateway/config/files.h"

namespace sallyport {
namespace {

using testing::ElementsAre;

struct Mistake {
    std::string text;     // a section; connections and policies are added where they are missing
    std::string problem;  // after "gw.yaml:"
};

void PrintTo(const Mistake& mistake, std::ostream* out)
{
    *out << mistake.text;
}

class ProblemTest : public FilesTest, public testing::WithParamInterface<Mistake> {
protected:
    static std::string whole(std::string text)
    {
        if (text.find("connections:\n") == std::string::npos)
            text += "connections: []\n";
        if (text.find("policies:\n") == std::string::npos)
            text += "policies: []\n";
        return text;
    }
};

TEST_P(ProblemTest, IsNamed)
{
    EXPECT_THAT(problems_of(whole(GetParam().text)), ElementsAre("gw.yaml:" + GetParam().problem));
}

const std::string duration = "a duration such as 30s, 10m, 8h, 90d or 7y is expected";

INSTANTIATE_TEST_SUITE_P(
    Gateway, ProblemTest,
    testing::Values(
        Mistake{"polcies: []\n",
                "1: unknown key \"polcies\"; known keys are gateway, store, audit, identity, "
                "connections and policies"},
        Mistake{"gateway:\n  nam: x\n",
                "2: unknown key \"nam\" in gateway; known keys are name, state_dir, listen, "
                "tls, threads, connections and login_deadline"},
        Mistake{"gateway: [x]\n", "1: gateway: a map of keys is expected"},
        Mistake{"gateway:\n", "1: gateway: a map of keys is expected"},
        Mistake{"gateway:\n  name: [x]\n", "2: gateway.name: a text is expected"},
        Mistake{"gateway:\n  name:\n", "2: gateway.name: a text is expected"},
        Mistake{"gateway:\n  name: \"\"\n", "2: gateway.name: a text is expected"},
        Mistake{"gateway:\n  name: \"a\\nb\"\n",
                "2: gateway.name: has a control character or a line break in it"},
        Mistake{"gateway:\n  listen: {postgres: 6432}\n",
                "2: gateway.listen.postgres: an address and a port are expected, as in "
                "127.0.0.1:6432 or [::1]:6432"},
        Mistake{"gateway:\n  listen: {postgresql: \"[::1]:1\"}\n",
                "2: unknown key \"postgresql\" in gateway.listen; known keys are postgres, ssh, "
                "http and admin"},
        Mistake{"gateway:\n  threads: many\n",
                "2: gateway.threads: a number from 0 to 1024 is expected"},
        Mistake{"gateway:\n  threads: -1\n",
                "2: gateway.threads: a number from 0 to 1024 is expected"},
        Mistake{"gateway:\n  connections: 0\n",
                "2: gateway.connections: a number from 1 to 1000000 is expected"},
        Mistake{"gateway:\n  login_deadline: 30\n", "2: gateway.login_deadline: " + duration},
        Mistake{"gateway:\n  login_deadline: 2h\n",
                "2: gateway.login_deadline: at most 1h is expected"}));

INSTANTIATE_TEST_SUITE_P(
    StoreAndAudit, ProblemTest,
    testing::Values(
        Mistake{"store:\n  embedded: yes\n", "2: store.embedded: true or false is expected"},
        Mistake{"store:\n  embedded: false\n",
                "2: store.embedded: false needs store.dsn, the store to use instead"},
        Mistake{"store:\n  embedded: true\n  dsn: secret\n",
                "3: store.dsn: stands beside embedded: true; one of them is expected"},
        Mistake{"store:\n  path: x\n",
                "2: unknown key \"path\" in store; known keys are embedded and dsn"},
        Mistake{"audit:\n  durability: fast\n",
                "2: audit.durability: \"fast\" is not known; known are standard, strict and store"},
        Mistake{"audit:\n  journal: {limit: 4G}\n",
                "2: audit.journal.limit: a size such as 512KiB, 64MiB or 4GiB, from 1048576 to "
                "1125899906842624 "
                "bytes, is expected"},
        Mistake{"audit:\n  journal: {age: soon}\n", "2: audit.journal.age: " + duration},
        Mistake{"audit:\n  journal: {size: 1}\n",
                "2: unknown key \"size\" in audit.journal; known keys are limit and age"},
        Mistake{"audit:\n  retention: {recordings: 12h}\n",
                "2: audit.retention.recordings: whole days are expected, as in 90d or 7y"},
        Mistake{"audit:\n  retention: {records: ever}\n",
                "2: audit.retention.records: " + duration},
        Mistake{
            "audit:\n  retention: {logs: 1d}\n",
            "2: unknown key \"logs\" in audit.retention; known keys are recordings and records"}));

const std::string users = "identity:\n  users:\n    - ";
const std::string no_verifier =
    "3: identity.users[0].password: a SCRAM-SHA-256 verifier is expected, never the password "
    "itself; "
    "`sallyport user hash-password` makes one";
const std::string no_token =
    "3: identity.users[0].tokens: sha256: and 64 hex digits are expected, never the token itself; "
    "`sallyport "
    "user token` makes one";

INSTANTIATE_TEST_SUITE_P(
    Identity, ProblemTest,
    testing::Values(
        Mistake{users + "{groups: [a]}\n", "3: identity.users[0].name is missing"},
        Mistake{users + "alice\n", "3: identity.users[0]: a map of keys is expected"},
        Mistake{"identity:\n  users: {alice: x}\n", "2: identity.users: a list is expected"},
        Mistake{users + "{name: a, password: hunter2}\n", no_verifier},
        Mistake{users + "{name: a, password: \"SCRAM-SHA-256$1:AAAA$AAAA:AAAA\"}\n", no_verifier},
        Mistake{users + "{name: a, tokens: [hunter2]}\n", no_token},
        Mistake{users + "{name: a, tokens: [\"sha256:" + std::string(63, 'a') + "\"]}\n", no_token},
        Mistake{users + "{name: a, tokens: [\"sha256:" + std::string(63, 'a') + "g\"]}\n",
                no_token},
        Mistake{users + "{name: a, ssh_keys: [AAAA]}\n",
                "3: identity.users[0].ssh_keys: a public key as in an authorized_keys file is "
                "expected, \"ssh-ed25519 "
                "AAAA...\""},
        Mistake{users + "{name: a, groups: analysts}\n",
                "3: identity.users[0].groups: a list is expected: [...]"},
        Mistake{users + "{name: a, groups: [[x]]}\n",
                "3: identity.users[0].groups: a list of texts is expected"},
        Mistake{
            users + "{name: a, groups: [\"*\"]}\n",
            "3: identity.users[0].groups: \"*\" stands for everybody and can be no group's name"},
        Mistake{users + "{name: \"*\"}\n",
                "3: identity.users[0].name: \"*\" stands for everybody and can be no user's name"},
        Mistake{users + "{name: a}\n    - {name: a}\n",
                "4: identity.users[1].name: \"a\" stands twice; first on line 3"},
        Mistake{users + "{name: a, name: b}\n", "3: key \"name\" stands twice; first on line 3"},
        Mistake{users + "{name: a, role: b}\n",
                "3: unknown key \"role\" in identity.users[0]; known keys are name, groups, "
                "password, tokens, "
                "ssh_keys and disabled"},
        Mistake{"identity:\n  roles: {root: [a]}\n",
                "2: unknown key \"root\" in identity.roles; known keys are admin, auditor and "
                "approver"}));

std::string connection(const std::string& line, const std::string& target = "")
{
    return "connections:\n  - " + line + "\n    target: {host: h, port: 1, database: d, user: u" +
           target + "}\n";
}
const std::string db = "name: db\n    protocol: postgres";

INSTANTIATE_TEST_SUITE_P(
    Connections, ProblemTest,
    testing::Values(
        Mistake{connection("protocol: postgres"), "2: connections[0].name is missing"},
        Mistake{connection("name: db"), "2: connections[0].protocol is missing"},
        Mistake{
            connection("name: db\n    protocol: mysql"),
            "3: connections[0].protocol: protocol mysql is not in this build; known are postgres"},
        Mistake{connection("name: a+b\n    protocol: postgres"),
                "2: connections[0].name: spaces, quotes and any of + : / \\ @ * ? cannot stand in "
                "the name"},
        Mistake{connection(db) + "  - " + db +
                    "\n    target: {host: h, port: 1, database: d, user: u}\n",
                "5: connections[1].name: \"db\" stands twice; first on line 2"},
        Mistake{"connections:\n  - " + db + "\n", "2: connections[0].target is missing"},
        Mistake{"connections:\n  - " + db + "\n    target: {port: 1, database: d, user: u}\n",
                "4: connections[0].target.host is missing"},
        Mistake{"connections:\n  - " + db + "\n    target: {host: h, database: d, user: u}\n",
                "4: connections[0].target.port is missing"},
        Mistake{"connections:\n  - " + db +
                    "\n    target: {host: h, port: 65536, database: d, user: u}\n",
                "4: connections[0].target.port: a number from 1 to 65535 is expected"},
        Mistake{
            "connections:\n  - " + db + "\n    target: {host: h, port: 0, database: d, user: u}\n",
            "4: connections[0].target.port: a number from 1 to 65535 is expected"},
        Mistake{"connections:\n  - " + db +
                    "\n    target: {host: /run/x, port: 1, database: d, user: u}\n",
                "4: connections[0].target.host: a host name or an address is expected; socket "
                "files are not "
                "supported"},
        Mistake{connection(db, ", tls: prefer"),
                "4: connections[0].target.tls: \"prefer\" is not known; known are disable, "
                "require, verify-ca and "
                "verify-full"},
        Mistake{connection(db, ", ca: none.crt"),
                "4: connections[0].target.ca: file none.crt does not exist"},
        Mistake{connection(db, ", weak_authentication: [md4]"),
                "4: connections[0].target.weak_authentication: \"md4\" is not known; known are md5 "
                "and cleartext"},
        Mistake{connection(db, ", passwd: hunter2"),
                "4: unknown key \"passwd\" in connections[0].target; known keys are host, port, "
                "database, user, "
                "password, tls, ca, certificate, key and weak_authentication"},
        Mistake{connection(db + "\n    durability: none"),
                "4: connections[0].durability: \"none\" is not known; known are standard, strict "
                "and store"},
        Mistake{"audit: {durability: store}\n" + connection(db + "\n    durability: strict"),
                "5: connections[0].durability: is less than audit.durability; a connection may "
                "only ask for more"},
        Mistake{connection(db + "\n    trusted_functions: [f]"),
                "4: connections[0].trusted_functions: \"f\": a function's schema and name are "
                "expected, as in "
                "public.f"},
        Mistake{connection(db + "\n    allow_replication: 1"),
                "4: connections[0].allow_replication: true or false is expected"},
        Mistake{connection(db + "\n    message_limit: 1"),
                "4: connections[0].message_limit: a size such as 512KiB, 64MiB or 4GiB, from 1024 "
                "to 2147483647 "
                "bytes, is expected"},
        Mistake{connection(db + "\n    hosts: [x]"),
                "4: unknown key \"hosts\" in connections[0]; known keys are name, protocol, "
                "target, durability, "
                "trusted_functions, allow_replication and message_limit"}));

std::string policy(const std::string& lines)
{
    return "policies:\n  - name: p\n    who: {users: [a]}\n    connections: [\"*\"]\n" + lines;
}
std::string policy_rule(const std::string& rule)
{
    return policy("    rules:\n      - " + rule + "\n");
}
std::string policy_mask(const std::string& mask)
{
    return policy("    mask:\n      - " + mask + "\n");
}
const std::string mask_actions =
    "6: policies[0].mask[0].with: redact, null, hash, {keep_last: N}, {keep_first: N} or {replace: "
    "TEXT} is "
    "expected";

INSTANTIATE_TEST_SUITE_P(
    Policies, ProblemTest,
    testing::Values(
        Mistake{"policies:\n  - who: {users: [a]}\n    connections: [b]\n",
                "2: policies[0].name is missing"},
        Mistake{"policies:\n  - name: p\n    connections: [b]\n", "2: policies[0].who is missing"},
        Mistake{"policies:\n  - name: p\n    who: {users: [a]}\n",
                "2: policies[0].connections is missing"},
        Mistake{"policies:\n  - name: p\n    who: {}\n    connections: [b]\n",
                "3: policies[0].who: users, groups or both are expected"},
        Mistake{"policies:\n  - name: p\n    who: {users: []}\n    connections: [b]\n",
                "3: policies[0].who.users: at least one is expected"},
        Mistake{"policies:\n  - name: p\n    who: {user: [a], groups: [b]}\n    connections: [b]\n",
                "3: unknown key \"user\" in policies[0].who; known keys are users and groups"},
        Mistake{policy("") + "  - {name: p, who: {users: [a]}, connections: [b]}\n",
                "5: policies[1].name: \"p\" stands twice; first on line 2"},
        Mistake{
            policy("    access: sometimes\n"),
            "5: policies[0].access: \"sometimes\" is not known; known are standing and on_request"},
        Mistake{policy("    untraceable: show\n"),
                "5: policies[0].untraceable: \"show\" is not known; known are mask and refuse"},
        Mistake{policy("    limits: {rows: 0}\n"),
                "5: policies[0].limits.rows: a number from 1 to 4611686018427387904 is expected"},
        Mistake{policy("    limits: {idle: 30}\n"), "5: policies[0].limits.idle: " + duration},
        Mistake{
            policy("    limits: {time: 30s}\n"),
            "5: unknown key \"time\" in policies[0].limits; known keys are rows, session and idle"},
        Mistake{policy("    masks: []\n"),
                "5: unknown key \"masks\" in policies[0]; known keys are name, who, "
                "connections, access, rules, mask, untraceable and limits"}));

INSTANTIATE_TEST_SUITE_P(
    Rules, ProblemTest,
    testing::Values(
        Mistake{policy_rule("{reason: x}"),
                "6: policies[0].rules[0]: one of allow, deny and approve is expected"},
        Mistake{policy_rule("{allow: {sql: [read]}, deny: {sql: [drop]}}"),
                "6: policies[0].rules[0]: one of allow, deny and approve is expected"},
        Mistake{policy_rule("{alow: {sql: [read]}, allow: {sql: [read]}}"),
                "6: unknown key \"alow\" in policies[0].rules[0]; known keys are allow, deny, "
                "approve and reason"},
        Mistake{policy_rule("{deny: {sql: [read]}, quorum: 2}"),
                "6: unknown key \"quorum\" in policies[0].rules[0]; known keys are allow, deny, "
                "approve and reason"},
        Mistake{policy_rule("{deny: {sql: [reed]}}"),
                "6: policies[0].rules[0].deny.sql: \"reed\" is no class or group; known are "
                "select, insert, update, "
                "delete, drop, opaque, read, write and \"*\""},
        Mistake{policy_rule("{deny: {sql: []}}"),
                "6: policies[0].rules[0].deny.sql: at least one is expected"},
        Mistake{policy_rule("{deny: {sql: drop}}"),
                "6: policies[0].rules[0].deny.sql: a list is expected: [...]"},
        Mistake{policy_rule("{deny: {objects: [x]}}"),
                "6: policies[0].rules[0].deny: names no classes; one of sql is expected, as in "
                "sql: [\"*\"]"},
        Mistake{policy_rule("{deny: {sql: [drop], objects: []}}"),
                "6: policies[0].rules[0].deny.objects: at least one is expected"},
        Mistake{policy_rule("{deny: {sql: [drop], object: [x]}}"),
                "6: unknown key \"object\" in policies[0].rules[0].deny; known keys are sql, "
                "objects and statement"},
        Mistake{policy_rule("{deny: {sql: [drop], statement: \"a(\"}}"),
                "6: policies[0].rules[0].deny.statement: is not a pattern that RE2 knows: missing "
                "): a("},
        Mistake{policy_rule("{deny: {ssh: [exec]}}"),
                "6: policies[0].rules[0].deny.ssh: rules for ssh are not in this build"},
        Mistake{policy_rule("{deny: drop}"),
                "6: policies[0].rules[0].deny: a map of keys is expected"},
        Mistake{policy_rule("{approve: {sql: [drop]}}"), "6: policies[0].rules[0].by is missing"},
        Mistake{policy_rule("{approve: {sql: [drop]}, by: {}}"),
                "6: policies[0].rules[0].by.groups is missing"},
        Mistake{policy_rule("{approve: {sql: [drop]}, by: {groups: []}}"),
                "6: policies[0].rules[0].by.groups: at least one is expected"},
        Mistake{policy_rule("{approve: {sql: [drop]}, by: {groups: [a]}, quorum: 0}"),
                "6: policies[0].rules[0].quorum: a number from 1 to 100 is expected"},
        Mistake{policy_rule("{approve: {sql: [drop]}, by: {groups: [a]}, timeout: 10}"),
                "6: policies[0].rules[0].timeout: " + duration}));

INSTANTIATE_TEST_SUITE_P(
    Masks, ProblemTest,
    testing::Values(
        Mistake{policy_mask("{columns: [a]}"), "6: policies[0].mask[0].with is missing"},
        Mistake{policy_mask("{columns: [a], with: redcat}"), mask_actions},
        Mistake{policy_mask("{columns: [a], with: [redact]}"), mask_actions},
        Mistake{policy_mask("{columns: [a], with: {}}"), mask_actions},
        Mistake{policy_mask("{columns: [a], with: {keep_last: 1, keep_first: 1}}"), mask_actions},
        Mistake{policy_mask("{columns: [a], with: {keep_last: 0}}"),
                "6: policies[0].mask[0].with.keep_last: a number from 1 to 1000 is expected"},
        Mistake{policy_mask("{columns: [a], with: {keep: 4}}"),
                "6: unknown key \"keep\" in policies[0].mask[0].with; known keys are keep_last, "
                "keep_first and "
                "replace"},
        Mistake{policy_mask("{columns: [], with: redact}"),
                "6: policies[0].mask[0].columns: at least one is expected"},
        Mistake{policy_mask("{columns: [a.b.c.d], with: redact}"),
                "6: policies[0].mask[0].columns: \"a.b.c.d\": column, table.column or "
                "schema.table.column is "
                "expected"},
        Mistake{policy_mask("{columns: [a..b], with: redact}"),
                "6: policies[0].mask[0].columns: \"a..b\": column, table.column or "
                "schema.table.column is expected"},
        Mistake{policy_mask("{with: redact}"),
                "6: policies[0].mask[0]: one of columns, json and detect is expected"},
        Mistake{policy_mask("{columns: [a], json: [\"$.b\"], with: redact}"),
                "6: policies[0].mask[0]: one of columns, json and detect is expected"},
        Mistake{policy_mask("{json: [], with: redact}"),
                "6: policies[0].mask[0].json: at least one is expected"},
        Mistake{policy_mask("{json: [\"$.a\", email], with: redact}"),
                "6: policies[0].mask[0].json: \"email\": a path begins with $, as in $.user.email "
                "and $..email"},
        Mistake{policy_mask("{json: [\"$[?(@.a)]\"], with: redact}"),
                "6: policies[0].mask[0].json: \"$[?(@.a)]\": filters and scripts are not "
                "supported"},
        Mistake{policy_mask("{detect: [], with: redact}"),
                "6: policies[0].mask[0].detect: at least one is expected"},
        Mistake{policy_mask("{detect: [email, e-mail], with: redact}"),
                "6: policies[0].mask[0].detect: \"e-mail\" is not known; known are email, "
                "credit_card, ssn, iban, phone, jwt and aws_key"},
        Mistake{policy_mask("{columns: [a], with: redact, refuse: []}"),
                "6: policies[0].mask[0].refuse: at least one is expected"},
        Mistake{policy_mask("{columns: [a], with: redact, refuse: [reads]}"),
                "6: policies[0].mask[0].refuse: \"reads\" is not known; known are conditions and "
                "writes"},
        Mistake{policy_mask("{detect: [email], with: redact, refuse: [writes]}"),
                "6: policies[0].mask[0].refuse: is for masks by columns only"},
        Mistake{policy_mask("{columns: [a], with: redact, rows: 1}"),
                "6: unknown key \"rows\" in policies[0].mask[0]; known keys are columns, json, "
                "detect, with and refuse"}));

class ProblemsTest : public FilesTest {};

TEST_F(ProblemsTest, SectionsThatMayNotBeMissing)
{
    EXPECT_THAT(problems_of("gateway: {}\n"),
                ElementsAre("gw.yaml:1: connections is missing", "gw.yaml:1: policies is missing"));
}

TEST_F(ProblemsTest, AnEmptyFile)
{
    const std::string empty = "gw.yaml: the file is empty; docs/configuration.md has an example";
    EXPECT_THAT(problems_of(""), ElementsAre(empty));
    EXPECT_THAT(problems_of("# nothing\n"), ElementsAre(empty));
    EXPECT_THAT(problems_of("---\n"), ElementsAre(empty));
}

TEST_F(ProblemsTest, ATextThatIsNoMap)
{
    EXPECT_THAT(problems_of("hello\n"),
                ElementsAre("gw.yaml:1: the file: a map of keys is expected"));
}

TEST_F(ProblemsTest, AllOfThemInTheOrderOfTheirLines)
{
    EXPECT_THAT(
        problems_of(
            "policies:\n  - {name: p, who: {users: [a]}}\nconnections: []\ngateway:\n  thread: 1\n"
            "audit: {durability: fast}\n"),
        ElementsAre(
            "gw.yaml:2: policies[0].connections is missing",
            "gw.yaml:5: unknown key \"thread\" in gateway; known keys are name, state_dir, listen, "
            "tls, threads, connections and login_deadline",
            "gw.yaml:6: audit.durability: \"fast\" is not known; known are standard, strict and "
            "store"));
}

TEST_F(ProblemsTest, KeyAndCertificateOfATargetGoTogether)
{
    write("c.crt", "pem");
    write("ca.crt", "pem");
    EXPECT_THAT(
        problems_of(connection(db, ", certificate: c.crt") + "policies: []\n"),
        ElementsAre(
            "gw.yaml:4: connections[0].target.certificate: target.certificate and target.key are "
            "expected together"));
    EXPECT_THAT(
        problems_of(connection(db, ", tls: disable, ca: ca.crt") + "policies: []\n"),
        ElementsAre("gw.yaml:4: connections[0].target.ca: has no effect with tls: disable"));
    EXPECT_THAT(
        problems_of(connection(db, ", tls: require, ca: ca.crt") + "policies: []\n"),
        ElementsAre(
            "gw.yaml:4: connections[0].target.ca: has no effect with tls: require; verify-ca and "
            "verify-full use it"));
    EXPECT_THAT(
        problems_of("gateway:\n  tls: {certificate: c.crt}\nconnections: []\npolicies: []\n"),
        ElementsAre("gw.yaml:2: gateway.tls.key is missing"));
    EXPECT_THAT(problems_of("gateway:\n  tls: {certificate: c.crt, key: none.key}\nconnections: "
                            "[]\npolicies: []\n"),
                ElementsAre("gw.yaml:2: gateway.tls.key: file none.key does not exist"));
}

}  // namespace
}  // namespace sallyport
