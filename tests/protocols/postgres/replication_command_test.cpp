#include "protocols/postgres/replication_command.h"

#include <gtest/gtest.h>

#include "protocols/postgres/statement.h"
#include "tests/protocols/postgres/sample_names.h"

namespace sallyport::postgres {
namespace {

TEST(ReplicationCommandTest, KnowsTheCommandsOfTheWalsender)
{
    for (const char* const text :
         {"IDENTIFY_SYSTEM", "identify_system;", " \n\tIDENTIFY_SYSTEM ", "BASE_BACKUP",
          "BASE_BACKUP ( LABEL 'x', PROGRESS )", "START_REPLICATION SLOT s LOGICAL 0/0 (a 'b')",
          "START_REPLICATION 0/1000000 TIMELINE 1", "CREATE_REPLICATION_SLOT s LOGICAL p",
          "ALTER_REPLICATION_SLOT s (FAILOVER)", "DROP_REPLICATION_SLOT s WAIT",
          "READ_REPLICATION_SLOT s", "TIMELINE_HISTORY 2", "UPLOAD_MANIFEST"})
        EXPECT_TRUE(is_replication_command(text)) << text;
}

TEST(ReplicationCommandTest, LeavesEverythingElseToTheGrammarOfSql)
{
    for (const char* const text :
         {"", " ", ";IDENTIFY_SYSTEM", "SHOW wal_level", "SELECT 1", "IDENTIFY_SYSTEMS", "IDENTIFY",
          "\"IDENTIFY_SYSTEM\"", "/* x */ IDENTIFY_SYSTEM", "-- x\nBASE_BACKUP",
          "START_REPLICATION$ SLOT s", "START_REPLICATION\xc3\xa9", "DROP TABLE t",
          "DROP_REPLICATION_SLOTS; DROP TABLE t"})
        EXPECT_FALSE(is_replication_command(text)) << text;
}

TEST(ReplicationCommandTest, NoneOfThemIsSql)
{
    // Taken for a replication command, an SQL text would be decided by the wrong class.
    for (const char* const text :
         {"IDENTIFY_SYSTEM", "BASE_BACKUP", "START_REPLICATION 0/0; DROP TABLE t",
          "TIMELINE_HISTORY 1; SELECT 1", "UPLOAD_MANIFEST"})
        EXPECT_FALSE(read_sql(text, no_names())->problem.empty()) << text;
}

TEST(ReplicationCommandTest, ABackupThatStaysOnTheServerWritesItsFiles)
{
    const auto classes = [](std::string_view text) {
        return names_of(sql_vocabulary(), read_replication_command(text)->command->classes());
    };
    for (const char* const text :
         {"IDENTIFY_SYSTEM", "BASE_BACKUP", "BASE_BACKUP LABEL 'target' FAST",
          "BASE_BACKUP ( LABEL 'TARGET server', TARGET 'client', PROGRESS )"})
        EXPECT_EQ(classes(text), "replication") << text;
    for (const char* const text :
         {"BASE_BACKUP (TARGET 'server', TARGET_DETAIL '/tmp/x')",
          "base_backup ( label 'x' , target 'blackhole' )", "BASE_BACKUP (\"target\" 'server')",
          "BASE_BACKUP (TARGET 'client', TARGET 'shell')", "BASE_BACKUP (TARGET server)",
          "BASE_BACKUP (TARGET", "BASE_BACKUP (TARGET 'client''s')"})
        EXPECT_EQ(classes(text), "server_file replication") << text;
}

}  // namespace
}  // namespace sallyport::postgres
