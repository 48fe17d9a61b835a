// ${env:NAME} and ${file:PATH}.

#include <gmock/gmock.h>

#include "tests/gateway/config/files.h"

namespace sallyport {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

class ReferencesTest : public FilesTest {
protected:
    // The resolved text of gateway.name.
    std::string name_of(const std::string& written) const
    {
        return good("gateway: {name: \"" + written + "\"}\nconnections: []\npolicies: []\n")
            .gateway.name;
    }
    std::vector<std::string> problems_with(const std::string& written) const
    {
        return problems_of("connections: []\npolicies: []\nstore:\n  dsn: \"" + written + "\"\n");
    }
};

TEST_F(ReferencesTest, StandForTheEnvironment)
{
    ::setenv("SALLYPORT_TEST_NAME", "gw-7", 1);
    EXPECT_EQ(name_of("${env:SALLYPORT_TEST_NAME}"), "gw-7");
    EXPECT_EQ(name_of("a-${env:SALLYPORT_TEST_NAME}-${env:SALLYPORT_TEST_NAME}"), "a-gw-7-gw-7");
    // What was put in is not looked at again.
    ::setenv("SALLYPORT_TEST_NAME", "${env:HOME}", 1);
    EXPECT_EQ(name_of("${env:SALLYPORT_TEST_NAME}"), "${env:HOME}");
    ::unsetenv("SALLYPORT_TEST_NAME");
}

TEST_F(ReferencesTest, StandForAFileBesideTheConfiguration)
{
    write("name", "gw-8\n");
    EXPECT_EQ(name_of("${file:name}"), "gw-8");
    EXPECT_EQ(name_of("${file:" + path("name") + "}"), "gw-8");
    write("name", "gw-9\r\n");
    EXPECT_EQ(name_of("${file:name}"), "gw-9");
    write("name", "gw 10");
    EXPECT_EQ(name_of("${file:name}"), "gw 10");
}

TEST_F(ReferencesTest, OnlyOneNewlineIsDropped)
{
    write("secret", "two\n\n");
    const auto configuration =
        good("store: {dsn: \"${file:secret}\"}\nconnections: []\npolicies: []\n");
    EXPECT_EQ(configuration.store.dsn.reveal(), "two\n");
}

TEST_F(ReferencesTest, DollarsAreOrdinary)
{
    EXPECT_EQ(name_of("a$b$$c$"), "a$b$$c$");
    EXPECT_EQ(name_of("$${env:HOME}"), "${env:HOME}");
    EXPECT_EQ(name_of("{env:HOME}"), "{env:HOME}");
}

TEST_F(ReferencesTest, WhatCannotBeResolvedIsNamedWithItsLine)
{
    ::unsetenv("SALLYPORT_TEST_NONE");
    EXPECT_THAT(
        problems_with("${env:SALLYPORT_TEST_NONE}"),
        ElementsAre(
            "gw.yaml:4: store.dsn: environment variable \"SALLYPORT_TEST_NONE\" is not set"));
    EXPECT_THAT(problems_with("${file:none}"),
                ElementsAre("gw.yaml:4: store.dsn: file none does not exist"));
    std::filesystem::create_directory(folder_ / "folder");
    EXPECT_THAT(problems_with("${file:folder}"),
                ElementsAre("gw.yaml:4: store.dsn: file folder is not a regular file"));
    write("zero", std::string_view("a\0b", 3));
    EXPECT_THAT(problems_with("${file:zero}"),
                ElementsAre("gw.yaml:4: store.dsn: file zero holds a zero byte: not a text"));
    write("long", std::string(1 << 21, 'x'));
    EXPECT_THAT(problems_with("${file:long}"),
                ElementsAre("gw.yaml:4: store.dsn: file long is longer than 1048576 bytes"));
}

TEST_F(ReferencesTest, WhatOnlyLooksLikeAReferenceIsNotShown)
{
    EXPECT_THAT(
        problems_with("pass${word}"),
        ElementsAre("gw.yaml:4: store.dsn: a ${...} in it is neither ${env:NAME} nor ${file:PATH}; "
                    "write $${ where the two characters themselves are meant"));
    EXPECT_THAT(
        problems_with("pass${word"),
        ElementsAre(
            "gw.yaml:4: store.dsn: a ${ in it has no closing brace; write $${ where the two "
            "characters themselves are meant"));
}

TEST_F(ReferencesTest, ABrokenReferenceIsOneProblemOnly)
{
    EXPECT_THAT(problems_of("identity:\n  users:\n    - {name: alice, password: \"${file:none}\"}\n"
                            "connections: []\npolicies: []\n"),
                ElementsAre("gw.yaml:3: identity.users[0].password: file none does not exist"));
}

TEST_F(ReferencesTest, ResolvedValuesAreNeverInMessages)
{
    write("secret", "hunter2\n");
    for (const char* text : {"audit: {durability: \"${file:secret}\"}\n",
                             "gateway: {listen: {postgres: \"${file:secret}\"}}\n",
                             "gateway: {threads: \"${file:secret}\"}\n",
                             "identity: {users: [{name: a, password: \"${file:secret}\"}]}\n",
                             "identity: {users: [{name: a, tokens: [\"${file:secret}\"]}]}\n",
                             "identity: {users: [{name: a, ssh_keys: [\"${file:secret}\"]}]}\n"}) {
        const auto lines = problems_of(std::string(text) + "connections: []\npolicies: []\n");
        ASSERT_EQ(lines.size(), 1U) << text;
        EXPECT_THAT(lines[0], Not(HasSubstr("hunter2")));
    }
    write("pattern", "hunter2(");
    const auto lines = problems_of(
        "connections: []\npolicies:\n  - name: p\n    who: {users: [a]}\n    connections: [\"*\"]\n"
        "    rules: [{deny: {sql: [\"*\"], statement: \"${file:pattern}\"}}]\n");
    EXPECT_THAT(
        lines,
        ElementsAre("gw.yaml:6: policies[0].rules[0].deny.statement: is not a pattern that RE2 "
                    "knows"));
}

}  // namespace
}  // namespace sallyport
