#include "gateway/identity/user_directory.h"

#include <gtest/gtest.h>

#include "tests/gateway/identity/scram_client.h"

namespace sallyport::testing {
namespace {

constexpr std::string_view plain = "SCRAM-SHA-256";
constexpr std::string_view first = "n,,n=,r=abc";

std::vector<LocalUser> some_users()
{
    std::vector<LocalUser> users(4);
    users[0].name = "alice";
    users[0].groups = {"writers", "analysts"};
    users[0].password = make_scram_verifier(Secret("pencil"), 5000);
    users[1].name = "robot";
    users[1].tokens = {sha256(bytes_of("sp_one")), sha256(bytes_of("sp_two"))};
    users[2].name = "gone";
    users[2].groups = {"analysts"};
    users[2].password = make_scram_verifier(Secret("pencil"), 5000);
    users[2].tokens = {sha256(bytes_of("sp_gone"))};
    users[2].disabled = true;
    users[3].name = "keyless";
    return users;
}

Result<ScramServer::Finished> log_in(const UserDirectory& directory, std::string_view user,
                                     std::string_view password)
{
    ScramServer scram = directory.scram_for(user, std::nullopt);
    const auto answer = scram.first(plain, first);
    EXPECT_TRUE(answer.has_value());
    return scram.final(answer_scram(password, first, *answer).client_final);
}

TEST(UserDirectoryTest, ProvesAUserByHisPassword)
{
    const UserDirectory directory(some_users(), "key");
    const auto finished = log_in(directory, "alice", "pencil");
    ASSERT_TRUE(finished.has_value());
    EXPECT_EQ(finished->user.identity().name, "alice");
    EXPECT_EQ(finished->user.identity().groups, (std::vector<std::string>{"analysts", "writers"}));
    for (const char* user : {"gone", "robot", "keyless", "nobody", "", "Alice"}) {
        const auto refused = log_in(directory, user, "pencil");
        ASSERT_FALSE(refused.has_value()) << user;
        EXPECT_EQ(refused.error().fault, Fault::unauthentic);
        EXPECT_EQ(refused.error().detail, log_in(directory, "alice", "wrong").error().detail);
    }
}

TEST(UserDirectoryTest, DoesNotTellWhichUsersExist)
{
    const UserDirectory directory(some_users(), "key");
    const UserDirectory restarted(some_users(), "key");
    const auto challenge = [](const UserDirectory& users, std::string_view user) {
        return *users.scram_for(user, std::nullopt).first(plain, first);
    };
    const std::string real = challenge(directory, "alice");
    for (const char* user : {"robot", "keyless", "nobody", "gone"}) {
        const std::string decoy = challenge(directory, user);
        EXPECT_EQ(decoy.size(), real.size());
        EXPECT_EQ(attribute_of(decoy, 'i'), "5000");
        EXPECT_EQ(attribute_of(decoy, 's').size(), attribute_of(real, 's').size());
        EXPECT_EQ(attribute_of(decoy, 's'), attribute_of(challenge(directory, user), 's'));
        EXPECT_NE(attribute_of(decoy, 's'), attribute_of(real, 's'));
    }
    EXPECT_EQ(attribute_of(challenge(directory, "nobody"), 's'),
              attribute_of(challenge(restarted, "nobody"), 's'));
    const UserDirectory empty({}, "key");
    EXPECT_EQ(attribute_of(challenge(empty, "nobody"), 'i'), "4096");
}

TEST(UserDirectoryTest, DecoysTakeTheSaltLengthOfTheOthers)
{
    std::vector<LocalUser> users(1);
    users[0].name = "alice";
    users[0].password = make_scram_verifier(Secret("pencil"));
    users[0].password->salt.assign(64, 's');
    const UserDirectory directory(std::move(users), "key");
    const std::string decoy = *directory.scram_for("nobody", std::nullopt).first(plain, first);
    EXPECT_EQ(from_base64(attribute_of(decoy, 's'))->size(), 64U);
}

TEST(UserDirectoryTest, ProvesAUserByAnyOfHisTokens)
{
    const UserDirectory directory(some_users(), "key");
    EXPECT_TRUE(directory.asks_for_token("robot"));
    for (const char* user : {"alice", "gone", "keyless", "nobody"})
        EXPECT_FALSE(directory.asks_for_token(user)) << user;
    for (const char* token : {"sp_one", "sp_two"}) {
        const auto proved = directory.prove_by_token("robot", Secret(token));
        ASSERT_TRUE(proved.has_value());
        EXPECT_EQ(proved->identity().proof, "token");
    }
    EXPECT_FALSE(directory.prove_by_token("robot", Secret("sp_three")).has_value());
    EXPECT_FALSE(directory.prove_by_token("robot", Secret("")).has_value());
    EXPECT_FALSE(directory.prove_by_token("alice", Secret("sp_one")).has_value());
    EXPECT_FALSE(directory.prove_by_token("nobody", Secret("sp_one")).has_value());
    const auto disabled = directory.prove_by_token("gone", Secret("sp_gone"));
    ASSERT_FALSE(disabled.has_value());
    EXPECT_EQ(disabled.error().fault, Fault::unauthentic);
}

TEST(UserDirectoryTest, ProvesAUserByACertificateOfHisName)
{
    const UserDirectory directory(some_users(), "key");
    EXPECT_TRUE(directory.prove_by_certificate("alice", "alice").has_value());
    EXPECT_EQ(directory.prove_by_certificate("keyless", "keyless")->identity().proof,
              "certificate");
    EXPECT_FALSE(directory.prove_by_certificate("alice", "robot").has_value());
    EXPECT_FALSE(directory.prove_by_certificate("alice", "Alice").has_value());
    EXPECT_FALSE(directory.prove_by_certificate("nobody", "nobody").has_value());
    EXPECT_FALSE(directory.prove_by_certificate("gone", "gone").has_value());
}

TEST(UserDirectoryTest, ForgetsIdentitiesThatLostSomething)
{
    const UserDirectory before(some_users(), "key");
    const Identity alice = before.prove_by_certificate("alice", "alice")->identity();
    EXPECT_TRUE(before.still_holds(alice));

    auto changed = some_users();
    changed[0].groups = {"analysts", "writers", "admins"};
    EXPECT_TRUE(UserDirectory(changed, "key").still_holds(alice));
    changed[0].groups = {"analysts"};
    EXPECT_FALSE(UserDirectory(changed, "key").still_holds(alice));
    changed = some_users();
    changed[0].disabled = true;
    EXPECT_FALSE(UserDirectory(changed, "key").still_holds(alice));
    EXPECT_FALSE(UserDirectory({}, "key").still_holds(alice));
}

}  // namespace
}  // namespace sallyport::testing
