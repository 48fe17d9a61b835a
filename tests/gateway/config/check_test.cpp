// `sallyport check`.

#include "gateway/program/check.h"

#include <CLI/CLI.hpp>
#include <gmock/gmock.h>
#include <sstream>

#include "tests/gateway/config/files.h"

namespace sallyport {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

class CheckTest : public FilesTest {
protected:
    int run(bool json = false)
    {
        out_.str("");
        return check(path("gw.yaml"), test_protocols, json, out_);
    }
    std::ostringstream out_;
};

TEST_F(CheckTest, AGoodFile)
{
    write("gw.yaml",
          "connections: []\npolicies: [{name: p, who: {users: [a]}, connections: [b]}]\n");
    EXPECT_EQ(run(), 0);
    EXPECT_THAT(out_.str(),
                StartsWith(path("gw.yaml") + ": good: 0 users, 0 connections, 1 policy, sha256:"));
    EXPECT_EQ(run(true), 0);
    EXPECT_THAT(out_.str(), HasSubstr("\"policies\":1"));
}

TEST_F(CheckTest, ABadFile)
{
    write("gw.yaml", "connections: []\npolicies: []\nx: 1\nstore: {embedded: 7}\n");
    EXPECT_EQ(run(), 1);
    EXPECT_EQ(out_.str(),
              path("gw.yaml") +
                  ":3: unknown key \"x\"; known keys are gateway, store, audit, identity, "
                  "connections and policies\n" +
                  path("gw.yaml") + ":4: store.embedded: true or false is expected\n");
    EXPECT_EQ(run(true), 1);
    EXPECT_THAT(out_.str(),
                HasSubstr("\"line\":4,\"text\":\"store.embedded: true or false is expected\"}\n"));
}

TEST_F(CheckTest, AFileThatIsNotThere)
{
    EXPECT_EQ(run(), 1);
    EXPECT_EQ(out_.str(), path("gw.yaml") + ": the file does not exist\n");
}

TEST_F(CheckTest, AsASubcommand)
{
    write("gw.yaml", "x: 1\n");
    CLI::App app("sallyport");
    int status = 0;
    add_check_command(app, test_protocols, status);
    testing::internal::CaptureStdout();
    app.parse("check --config " + path("gw.yaml"));
    EXPECT_THAT(testing::internal::GetCapturedStdout(), HasSubstr("gw.yaml:1: unknown key"));
    EXPECT_EQ(status, 1);
    EXPECT_THROW(app.parse("check"), CLI::ParseError);
}

}  // namespace
}  // namespace sallyport
