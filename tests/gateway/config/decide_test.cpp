// `sallyport decide`, over a protocol whose texts are "CLASS OBJECT".

#include "gateway/program/decide.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <gmock/gmock.h>
#include <nlohmann/json.hpp>
#include <sstream>

#include "tests/gateway/config/files.h"

namespace sallyport {
namespace {

using nlohmann::json;
using testing::HasSubstr;

Result<Understood> read_words(std::string_view text, const Connection& connection,
                              const std::string& state_dir)
{
    if (text == "unreadable")
        return failure(Fault::unavailable, "state file in " + state_dir + " is broken");
    const std::size_t space = std::min(text.find(' '), text.size());
    const auto found = std::ranges::find(test_classes, text.substr(0, space));
    std::string object(text.substr(std::min(space + 1, text.size())));
    // Stands for what a protocol makes of its connection.
    if (object.empty() && !connection.trusted_functions.empty())
        object = connection.trusted_functions[0];
    Understood understood;
    understood.command = std::make_shared<const Command>(Command{
        .vocabulary = &test_vocabulary,
        .text = std::string(text),
        .shared_actions = std::make_shared<const Actions>(
            Actions{{.action_class = static_cast<std::uint8_t>(found - test_classes.begin()),
                     .object = object,
                     .cause = std::string(text)}})});
    understood.functions = {{"f", "unknown"}};
    understood.columns = {{.label = "number", .sources = {"public.users.ssn"}},
                          {.label = "plain", .sources = {"public.users.id"}},
                          {.label = "anything", .sources = {}, .traced = false}};
    return understood;
}

const std::array<CommandReader, 1> readers = {
    {{.protocol = "postgres", .option = "--sql", .read = read_words}}};

class DecideTest : public FilesTest {
protected:
    DecideTest()
    {
        write("gw.yaml", R"(
identity: {users: [{name: alice, groups: [analysts]}, {name: bob}, {name: eve, groups: [analysts], disabled: true}]}
connections:
  - {name: db, protocol: postgres, trusted_functions: [public.f], target: {host: h, port: 1, database: d, user: u}}
policies:
  - name: analysts read
    who: {groups: [analysts]}
    connections: [db]
    rules:
      - {allow: {sql: [read]}}
      - {deny: {sql: [drop]}, reason: "never"}
      - {approve: {sql: [update]}, by: {groups: [dba]}}
    mask:
      - {columns: ["*.ssn"], with: redact}
      - {columns: [cards.pan], with: {keep_last: 4}}
      - {columns: [a.b, c], with: {replace: x}, refuse: [conditions, writes]}
      - {json: ["$..email"], with: hash}
      - {detect: [email, ssn], with: redact}
    limits: {rows: 10, idle: 5m}
)");
    }

    Question question(const std::string& text) const
    {
        Question question;
        question.config_file = path("gw.yaml");
        question.user = "alice";
        question.connection = "db";
        question.sql = text;
        return question;
    }
    int run(const Question& question)
    {
        out_.str("");
        errors_.str("");
        return decide(question, test_protocols, readers, out_, errors_);
    }
    json answer() const { return json::parse(out_.str()); }

    std::ostringstream out_;
    std::ostringstream errors_;
};

TEST_F(DecideTest, Allows)
{
    EXPECT_EQ(run(question("select public.users")), 0);
    EXPECT_EQ(answer()["verdict"], "allow");
    EXPECT_EQ(answer()["user"], "alice");
    EXPECT_EQ(answer()["connection"], "db");
    EXPECT_EQ(answer()["policy"], "analysts read");
    EXPECT_EQ(answer()["rule"], "analysts read#1");
    EXPECT_EQ(answer()["matched"], json({"analysts read#1"}));
    EXPECT_EQ(answer()["classes"], json({"select"}));
    EXPECT_EQ(answer()["objects"], json({"public.users"}));
    EXPECT_EQ(answer()["masks"], json::parse(R"([
        {"columns": ["*.ssn"], "with": "redact", "rule": "policy \"analysts read\" mask 1"},
        {"columns": ["cards.pan"], "with": {"keep_last": 4}, "rule": "policy \"analysts read\" mask 2"},
        {"columns": ["a.b", "c"], "with": {"replace": "x"},
         "refuse": ["conditions", "writes"], "rule": "policy \"analysts read\" mask 3"},
        {"json": ["$..email"], "with": "hash", "rule": "policy \"analysts read\" mask 4"},
        {"detect": ["email", "ssn"], "with": "redact", "rule": "policy \"analysts read\" mask 5"}])"));
    EXPECT_EQ(answer()["untraceable"], "mask");
    EXPECT_EQ(answer()["limits"], json::parse(R"({"rows": 10, "idle_seconds": 300})"));
    EXPECT_EQ(errors_.str(), "");
}

TEST_F(DecideTest, Denies)
{
    EXPECT_EQ(run(question("drop public.users")), 1);
    EXPECT_EQ(answer()["verdict"], "deny");
    EXPECT_EQ(answer()["rule"], "analysts read#2");
    EXPECT_EQ(answer()["reason"], "never");
    EXPECT_EQ(answer()["cause"], "drop public.users (drop public.users)");
    EXPECT_EQ(run(question("insert t")), 1);
    EXPECT_EQ(answer()["policy"], "default");
    EXPECT_EQ(answer()["matched"], json::array());
}

TEST_F(DecideTest, Holds)
{
    EXPECT_EQ(run(question("update t")), 1);
    EXPECT_EQ(answer()["verdict"], "hold");
    EXPECT_EQ(answer()["reason"], "it needs an approval");
}

TEST_F(DecideTest, TheReaderIsGivenTheConnection)
{
    EXPECT_EQ(run(question("select")), 0);
    EXPECT_EQ(answer()["objects"], json({"public.f"}));
}

TEST_F(DecideTest, SaysHowTheTextWasUnderstood)
{
    EXPECT_EQ(run(question("select public.users")), 0);
    EXPECT_EQ(answer()["actions"], json::parse(R"([
        {"class": "select", "object": "public.users", "cause": "select public.users", "needs_allow": true}])"));
    EXPECT_EQ(answer()["functions"], json::parse(R"([{"name": "f", "resolved": "unknown"}])"));
    EXPECT_EQ(answer()["columns"], json::parse(R"([
        {"name": "number", "from": ["public.users.ssn"], "traced": true, "masked": true,
         "rule": "policy \"analysts read\" mask 1"},
        {"name": "plain", "from": ["public.users.id"], "traced": true, "masked": false},
        {"name": "anything", "from": [], "traced": false, "masked": true,
         "rule": ")" + MaskRules::untraced_action().rule +
                                               R"("}])"));
}

TEST_F(DecideTest, WhatTheReaderCannotReadIsToldAndNotAnswered)
{
    EXPECT_EQ(run(question("unreadable")), 2);
    EXPECT_THAT(errors_.str(), HasSubstr("is broken"));
    EXPECT_EQ(out_.str(), "");
}

TEST_F(DecideTest, SaysWhereTheLoginItselfIsRefused)
{
    Question asked = question("select t");
    asked.user = "bob";
    EXPECT_EQ(run(asked), 1);
    EXPECT_EQ(answer()["reason"],
              "no policy names this user on this connection: the login is refused");
    asked.user = "eve";
    EXPECT_EQ(run(asked), 1);
    EXPECT_EQ(answer()["reason"], "the user is disabled: the login is refused");
}

TEST_F(DecideTest, OnOneLine)
{
    Question asked = question("select t");
    asked.json = true;
    EXPECT_EQ(run(asked), 0);
    EXPECT_EQ(out_.str().find('\n'), out_.str().size() - 1);
}

TEST_F(DecideTest, ATextThatIsNotUtf8StillHasAnAnswer)
{
    EXPECT_EQ(run(question("drop \xff")), 1);
    EXPECT_EQ(answer()["reason"], "never");
}

TEST_F(DecideTest, UnknownNamesAreWrongUse)
{
    Question asked = question("select t");
    asked.user = "mallory";
    EXPECT_EQ(run(asked), 2);
    EXPECT_EQ(errors_.str(), "sallyport decide: user \"mallory\" is not in " + path("gw.yaml") +
                                 "; known are alice, bob, eve\n");
    asked = question("select t");
    asked.connection = "warehouse";
    EXPECT_EQ(run(asked), 2);
    EXPECT_EQ(errors_.str(), "sallyport decide: connection \"warehouse\" is not in " +
                                 path("gw.yaml") + "; known are db\n");
    EXPECT_EQ(out_.str(), "");
}

TEST_F(DecideTest, OtherProtocolsAreNotInThisBuild)
{
    Question asked = question("");
    asked.sql.reset();
    asked.exec = "ls";
    EXPECT_EQ(run(asked), 2);
    EXPECT_EQ(errors_.str(), "sallyport decide: protocol ssh is not in this build\n");
    asked.exec.reset();
    asked.http = "GET /";
    EXPECT_EQ(run(asked), 2);
    EXPECT_EQ(errors_.str(), "sallyport decide: protocol http is not in this build\n");
    asked.http.reset();
    EXPECT_EQ(run(asked), 2);
}

TEST_F(DecideTest, ABadFileIsWrongUse)
{
    write("gw.yaml", "x: 1\n");
    EXPECT_EQ(run(question("select t")), 2);
    EXPECT_THAT(errors_.str(), HasSubstr("gw.yaml:1: unknown key"));
}

TEST_F(DecideTest, AsASubcommand)
{
    CLI::App app("sallyport");
    int status = -1;
    add_decide_command(app, test_protocols, readers, status);
    const std::string words =
        "decide --config " + path("gw.yaml") + " --user alice --connection db ";
    testing::internal::CaptureStdout();
    app.parse(words + "--sql 'drop t' --json");
    EXPECT_THAT(testing::internal::GetCapturedStdout(), HasSubstr("\"verdict\":\"deny\""));
    EXPECT_EQ(status, 1);
    EXPECT_THROW(app.parse(words), CLI::ParseError);
    EXPECT_THROW(app.parse(words + "--sql x --exec y"), CLI::ParseError);
}

}  // namespace
}  // namespace sallyport
