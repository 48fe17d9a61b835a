// From the configuration to what the engine works with.

#include "gateway/program/make_snapshot.h"

#include "tests/gateway/config/files.h"

namespace sallyport {
namespace {

class MakeSnapshotTest : public FilesTest {};

TEST_F(MakeSnapshotTest, CarriesUsersConnectionsPoliciesAndKeys)
{
    const Configuration configuration = good(
        "identity: {users: [{name: alice}]}\n"
        "connections:\n  - {name: db, protocol: postgres, target: {host: h, port: 1, database: d, "
        "user: u}}\n"
        "policies:\n  - {name: p, who: {users: [alice]}, connections: [db], mask: [{columns: [x], "
        "with: hash}]}\n");
    const Snapshot snapshot =
        make_snapshot(configuration, std::string(32, 'm'), std::string(32, 'd'));
    const Identity alice{.name = "alice", .groups = {}, .proof = "test"};
    EXPECT_EQ(snapshot.hash, configuration.hash);
    ASSERT_NE(snapshot.users, nullptr);
    EXPECT_TRUE(snapshot.users->still_holds(alice));
    ASSERT_EQ(snapshot.connections.size(), 1U);
    EXPECT_EQ(snapshot.connections.at("db"), configuration.connections[0]);
    ASSERT_NE(snapshot.policies, nullptr);
    EXPECT_EQ(snapshot.policies->hash(), configuration.policies_hash);
    const EffectivePolicy effective = snapshot.policies->effective(alice, "db");
    EXPECT_TRUE(effective.applies());
    EXPECT_EQ(effective.masks().key().bytes, std::string(32, 'm'));
}

}  // namespace
}  // namespace sallyport
