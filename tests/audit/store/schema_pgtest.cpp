// The store's tables: made once, by whoever may, and never altered by anybody.

#include <gmock/gmock.h>

#include "audit/store/schema.h"
#include "tests/audit/store/store_fixture.h"

namespace sallyport {
namespace {

using testing::HasSubstr;

using SchemaTest = StoreTest;

constexpr const char* not_allowed = "42501";

TEST_F(SchemaTest, IsMadeOnceAndFoundAgain)
{
    for (int i = 0; i < 2; ++i) {
        auto store = connect();
        EXPECT_TRUE(apply_schema(store, "test", in_seconds(30)));
    }
    EXPECT_EQ(ask("SELECT string_agg(version || ' ' || program, ',') FROM audit.schema_version"),
              "1 test");
}

TEST_F(SchemaTest, IsMadeOnceByTwoGatewaysAtATime)
{
    std::vector<std::thread> gateways;
    for (int i = 0; i < 4; ++i) {
        gateways.emplace_back([this] {
            auto store = connect();
            const auto made = apply_schema(store, "test", in_seconds(30));
            EXPECT_TRUE(made) << (made ? "" : made.error().detail);
        });
    }
    for (std::thread& gateway : gateways)
        gateway.join();
    EXPECT_EQ(ask("SELECT count(*) FROM audit.schema_version"), "1");
}

TEST_F(SchemaTest, RefusesAStoreThatANewerProgramHasUsed)
{
    auto store = connect();
    ASSERT_TRUE(apply_schema(store, "test", in_seconds(30)));
    ASSERT_TRUE(store.execute("INSERT INTO audit.schema_version VALUES (99, 'sallyport 9')",
                              in_seconds(5)));
    const auto made = apply_schema(store, "test", in_seconds(30));
    ASSERT_FALSE(made);
    EXPECT_EQ(made.error().fault, Fault::refused);
    EXPECT_THAT(made.error().detail, HasSubstr("version 99"));
    EXPECT_FALSE(check_schema(store, in_seconds(5)));
}

TEST_F(SchemaTest, LeavesNothingBehindWhereItCannotBeMade)
{
    auto store = connect();
    ASSERT_TRUE(store.execute("CREATE SCHEMA proj", in_seconds(5)));
    const auto made = apply_schema(store, "test", in_seconds(30));
    ASSERT_FALSE(made);
    EXPECT_EQ(ask("SELECT to_regnamespace('audit') IS NULL"), "t");
    EXPECT_TRUE(store.execute("DROP SCHEMA proj", in_seconds(5)));
    EXPECT_TRUE(apply_schema(store, "test", in_seconds(30)));
}

TEST_F(SchemaTest, SaysWhatAPoorLoginNeeds)
{
    auto store = connect();
    ASSERT_TRUE(store.execute("DROP ROLE IF EXISTS poor", in_seconds(5)));
    ASSERT_TRUE(store.execute("CREATE ROLE poor LOGIN", in_seconds(5)));
    ASSERT_TRUE(store.execute("SET SESSION AUTHORIZATION poor", in_seconds(5)));
    const auto refused = apply_schema(store, "test", in_seconds(30));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().fault, Fault::refused);
    EXPECT_THAT(refused.error().detail,
                HasSubstr("GRANT sp_owner, sp_writer, sp_reader TO \"poor\""));

    // With what the message asks for, and nothing else, the login can do its work.
    ASSERT_TRUE(store.execute("RESET SESSION AUTHORIZATION", in_seconds(5)));
    for (const std::string role : {"sp_owner", "sp_writer", "sp_reader", "sp_auditor"})
        ASSERT_TRUE(store.execute("DO $$ BEGIN CREATE ROLE " + role +
                                      " NOLOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END $$",
                                  in_seconds(5)));
    ASSERT_TRUE(store.execute("GRANT sp_owner, sp_writer, sp_reader TO poor", in_seconds(5)));
    const std::string database = ask("SELECT current_database()");
    ASSERT_TRUE(store.execute("GRANT CREATE ON DATABASE " + database + " TO poor", in_seconds(5)));
    ASSERT_TRUE(store.execute("SET SESSION AUTHORIZATION poor", in_seconds(5)));
    const auto made = apply_schema(store, "test", in_seconds(30));
    ASSERT_TRUE(made) << made.error().detail;
    ASSERT_TRUE(store.execute("SET ROLE sp_writer", in_seconds(5)));
    EXPECT_TRUE(store.execute("SELECT audit.ensure_day(current_date)", in_seconds(5)));
    ASSERT_TRUE(store.execute("RESET SESSION AUTHORIZATION; DROP OWNED BY poor; DROP ROLE poor",
                              in_seconds(5)));
}

class AppendOnlyTest : public StoreTest {
protected:
    AppendOnlyTest()
    {
        auto shipper = start_shipper();
        write_close(write_session(10), 22);
        stop(shipper);
        frame_day = ask("SELECT tableoid::regclass FROM audit.frame LIMIT 1");
        frames = ask("SELECT count(*) FROM audit.frame");
        part_day = ask("SELECT tableoid::regclass FROM audit.part WHERE class = 'masked' LIMIT 1");
    }

    std::string frame_day;
    std::string part_day;
    std::string frames;
};

TEST_F(AppendOnlyTest, TheWriterMayNeitherReadNorAlterFrames)
{
    for (const std::string statement :
         {"UPDATE audit.frame SET leaf = 'x'", "DELETE FROM audit.frame", "TRUNCATE audit.frame",
          "SELECT leaf FROM audit.frame", "UPDATE audit.part SET data = 'x'",
          "DELETE FROM audit.part", "DROP TABLE audit.frame", "SELECT data FROM audit.part",
          "DELETE FROM audit.writer", "INSERT INTO audit.schema_version VALUES (9, 'x')",
          "SELECT audit.guard('audit.frame')"})
        EXPECT_EQ(refusal_of("SET ROLE sp_writer; " + statement), not_allowed) << statement;
}

TEST_F(AppendOnlyTest, NobodyAltersWhatIsThere)
{
    for (const std::string who :
         {"SET ROLE sp_owner; ", "", "SET session_replication_role = replica; "}) {
        for (const std::string& table :
             {std::string("audit.frame"), std::string("audit.part"), frame_day, part_day,
              std::string("audit.writer"), std::string("audit.schema_version")}) {
            for (const std::string& statement :
                 {"UPDATE " + table + " SET " +
                      (table.find("frame") != std::string::npos  ? "n_ev = 1"
                       : table.find("part") != std::string::npos ? "size = 1"
                       : table == "audit.writer"                 ? "gateway = 'x'"
                                                                 : "program = 'x'"),
                  "DELETE FROM " + table, "TRUNCATE " + table}) {
                EXPECT_EQ(refusal_of(who + statement), not_allowed) << who << statement;
            }
        }
        EXPECT_EQ(refusal_of(who + "TRUNCATE audit.part_masked"), not_allowed);
        EXPECT_EQ(refusal_of(who + "UPDATE audit.part_identity SET size = 1"), not_allowed);
    }
    EXPECT_EQ(ask("SELECT count(*) FROM audit.frame"), frames);
}

TEST_F(AppendOnlyTest, ReadersReadAndNothingElse)
{
    EXPECT_EQ(
        refusal_of("SET ROLE sp_reader; SELECT leaf FROM audit.frame; SELECT data FROM audit.part; "
                   "SELECT * FROM proj.session"),
        "");
    for (const std::string statement :
         {"UPDATE proj.session SET actor = 'x'", "INSERT INTO audit.frame DEFAULT VALUES",
          "SELECT audit.ensure_day(current_date)"})
        EXPECT_EQ(refusal_of("SET ROLE sp_reader; " + statement), not_allowed) << statement;
}

TEST_F(AppendOnlyTest, PartitionsAreMadeAheadAndGuarded)
{
    EXPECT_EQ(ask("SELECT count(*) FROM pg_inherits WHERE inhparent = 'audit.frame'::regclass"),
              "8");
    const std::string ahead =
        "audit.frame_" +
        ask("SELECT to_char(now() AT TIME ZONE 'UTC' + interval '7 days', 'YYYYMMDD')");
    EXPECT_EQ(refusal_of("TRUNCATE " + ahead), not_allowed);
    EXPECT_EQ(
        ask("SELECT count(*) FROM pg_trigger t JOIN pg_inherits i ON i.inhrelid = t.tgrelid WHERE "
            "i.inhparent = 'audit.frame'::regclass AND t.tgenabled <> 'A'"),
        "0");
}

}  // namespace
}  // namespace sallyport
