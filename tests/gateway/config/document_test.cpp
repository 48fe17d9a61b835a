// docs/configuration.md keeps up: its example is good, and it has every key that the reader knows.

#include <gmock/gmock.h>
#include <sstream>

#include "tests/gateway/config/files.h"

namespace sallyport {
namespace {

using testing::HasSubstr;

class DocumentTest : public FilesTest {
protected:
    DocumentTest()
    {
        std::ifstream stream(SALLYPORT_SOURCE_FOLDER "/docs/configuration.md");
        std::ostringstream text;
        text << stream.rdbuf();
        document_ = text.str();
    }

    std::string document_;
};

TEST_F(DocumentTest, ItsExampleIsGood)
{
    const std::size_t begin = document_.find("```yaml\n");
    ASSERT_NE(begin, std::string::npos);
    std::string example = document_.substr(begin + 8, document_.find("```", begin + 8) - begin - 8);
    for (const auto& [reference, value] :
         {std::pair<std::string, std::string>{"${file:/run/secrets/alice.scram}", test_verifier},
          {"${file:/run/secrets/fs}", "secret"},
          {"truncate, ", ""}}) {
        const std::size_t at = example.find(reference);
        ASSERT_NE(at, std::string::npos) << reference;
        example.replace(at, reference.size(), value);
    }
    EXPECT_EQ(good(example).policies.size(), 1U);
}

// Each text has a key that nobody knows in one of the maps; the problem lists those that are known.
TEST_F(DocumentTest, ItHasEveryKey)
{
    const std::string db = "connections:\n  - {name: db, protocol: postgres, ";
    const std::string policy = "policies:\n  - {name: p, who: {users: [a]}, connections: [b], ";
    for (const std::string& text :
         std::vector<std::string>{"x: 1\n",
                                  "gateway: {x: 1}\n",
                                  "gateway: {listen: {x: 1}}\n",
                                  "gateway: {tls: {x: 1}}\n",
                                  "store: {x: 1}\n",
                                  "audit: {x: 1}\n",
                                  "audit: {journal: {x: 1}}\n",
                                  "audit: {retention: {x: 1}}\n",
                                  "identity: {x: 1}\n",
                                  "identity: {users: [{name: a, x: 1}]}\n",
                                  "identity: {oidc: {x: 1}}\n",
                                  "identity: {roles: {x: 1}}\n",
                                  db + "x: 1}\n",
                                  db + "target: {x: 1}}\n",
                                  policy + "x: 1}\n",
                                  "policies:\n  - {name: p, who: {x: 1}}\n",
                                  policy + "limits: {x: 1}}\n",
                                  policy + "rules: [{x: 1, approve: {sql: [read]}}]}\n",
                                  policy + "rules: [{approve: {sql: [read], x: 1}}]}\n",
                                  policy + "rules: [{approve: {sql: [read]}, by: {x: 1}}]}\n",
                                  policy + "mask: [{x: 1}]}\n",
                                  policy + "mask: [{columns: [a], with: {x: 1}}]}\n"}) {
        std::string known;
        for (const std::string& line : problems_of(text)) {
            const std::size_t at = line.find("known keys are ");
            if (line.find("unknown key \"x\"") != std::string::npos)
                known = line.substr(at + 15);
        }
        ASSERT_FALSE(known.empty()) << text;
        for (std::size_t at = known.find(" and "); at != std::string::npos;
             at = known.find(" and "))
            known.replace(at, 5, ", ");
        std::istringstream keys(known);
        for (std::string key; std::getline(keys, key, ',');) {
            key.erase(0, key.find_first_not_of(' '));
            const bool described = document_.find("`" + key + "`") != std::string::npos ||
                                   document_.find("." + key + "`") != std::string::npos ||
                                   document_.find("`" + key + ".") != std::string::npos ||
                                   document_.find("`" + key + ":") != std::string::npos ||
                                   document_.find("`{" + key + ":") != std::string::npos ||
                                   document_.find("## " + key + "\n") != std::string::npos;
            EXPECT_TRUE(described) << key << ", of " << text;
        }
    }
}

TEST_F(DocumentTest, TheErrorsNameIt)
{
    EXPECT_THAT(problems_of("").at(0), HasSubstr("docs/configuration.md"));
}

}  // namespace
}  // namespace sallyport
