#include "protocols/postgres/sql_shape.h"

#include <gtest/gtest.h>
#include <regex>

#include "protocols/postgres/statement.h"
#include "tests/protocols/postgres/sample_names.h"
#include "tests/protocols/postgres/sql_corpus.h"

namespace sallyport::postgres {
namespace {

std::string shape(std::string_view text)
{
    std::string written;
    return shape_of(text, written) ? written : "none";
}

TEST(SqlShapeTest, TextsThatDifferInWholeNumbersShareIt)
{
    EXPECT_EQ(shape("SELECT a FROM t WHERE id = 7"), shape("SELECT a FROM t WHERE id = 123456789"));
    EXPECT_EQ(shape("SELECT a[1],a[2:3] FROM t1"), shape("SELECT a[9],a[1:10] FROM t1"));
    EXPECT_EQ(shape("UPDATE t SET n = n + -5"), shape("UPDATE t SET n = n + -77"));
}

TEST(SqlShapeTest, NamesAndOtherNumbersStayPartOfIt)
{
    EXPECT_NE(shape("SELECT a FROM t1"), shape("SELECT a FROM t2"));
    EXPECT_NE(shape("SELECT 1.5"), shape("SELECT 1.6"));
    EXPECT_NE(shape("SELECT .5"), shape("SELECT .6"));
    EXPECT_NE(shape("SELECT 1e5"), shape("SELECT 1e6"));
    EXPECT_NE(shape("SELECT 0x1F"), shape("SELECT 0x2F"));
    EXPECT_NE(shape("SELECT 1_0"), shape("SELECT 1_1"));
    EXPECT_NE(shape("SELECT 1234567890"), shape("SELECT 1234567891"));
    EXPECT_NE(shape("SELECT 1 a"), shape("SELECT 1a"));
    EXPECT_NE(shape("SELECT 1, 2"), shape("SELECT 12"));
}

TEST(SqlShapeTest, WhatNeedsTheRealScannerHasNone)
{
    for (const std::string_view text :
         {"SELECT 'a'", "SELECT \"a\"", "SELECT $1", "SELECT 1 -- x", "SELECT 1 /* x */",
          "SELECT E'\\n'", "SELECT caf\xc3\xa9", "SELECT \x01", "SELECT $$1$$", "SELECT `1`"})
        EXPECT_EQ(shape(text), "none") << text;
    EXPECT_EQ(shape(std::string_view("SELECT 1\0", 9)), "none");
    EXPECT_EQ(shape("SELECT " + std::string(100'000, '1')), "none");
}

std::string described(const Sql& sql)
{
    std::string all = sql.problem + "\n";
    for (const Action& action : sql.command->actions())
        all +=
            std::to_string(action.action_class) + " " + action.object + " " + action.cause + "\n";
    for (const Statement& statement : sql.statements()) {
        all += names_of(sql_vocabulary(), statement.classes) + " " +
               std::to_string(static_cast<int>(statement.kind)) + statement.name + ":";
        const Lineage& lineage = *statement.lineage;
        for (const std::string& name : statement.functions)
            all += " " + name + "()";
        const auto add = [&all](std::string_view what, const Sources& sources) {
            all += " " + std::string(what) + " " + words_of(*sample_names(), sources);
        };
        for (const OutputColumn& output : lineage.outputs)
            add(output.name, output.sources);
        add(lineage.exact ? "exact" : "any", lineage.values);
        add("where", lineage.conditions);
        add("unused", lineage.unused);
        add("sunk", lineage.sunk);
        add("set", lineage.assigned);
        for (const Flow& flow : lineage.flows)
            add(flow.relation + "." + flow.column + " <", flow.sources);
        for (const std::string& name : statement.settings)
            all += " SET " + name;
        all += lineage.unknown_names || statement.unknown_names ? " unknown" : "";
        all += statement.changes_catalogue ? " ddl\n" : "\n";
    }
    return all;
}

// Every text of the corpus whose shape may stand for others, read again with other numbers in it.
TEST(SqlShapeTest, EveryTextOfASharedShapeReadsTheSame)
{
    const std::regex number("(^|[^A-Za-z0-9_.])[0-9]{1,9}(?![A-Za-z0-9_.])");
    int shared = 0;
    for (const auto& one : sql_corpus()) {
        const auto sql = read_sql(one.text, sample_names());
        if (!sql->same_for_any_numbers || shape(one.text) == "none")
            continue;
        for (const char* other : {"$010", "$017", "$01234567"}) {
            const std::string text = std::regex_replace(one.text, number, other);
            if (text == one.text)
                continue;
            ++shared;
            ASSERT_EQ(shape(text), shape(one.text)) << one.place << "\n" << text;
            const auto again = read_sql(text, sample_names());
            // FLOAT(99) and its like are refused by the grammar: the target refuses them as well.
            if (again->problem.empty())
                EXPECT_EQ(described(*again), described(*sql)) << one.place << "\n" << text;
        }
    }
    EXPECT_GT(shared, 100);
}

TEST(SqlShapeTest, NumbersThatDecideAreNotShared)
{
    for (const std::string_view text :
         {"DELETE FROM t WHERE 1 = 1", "DELETE FROM t WHERE id + 1 = id + 1",
          "UPDATE t SET a = 1 WHERE id > 1 OR id <= 1", "DELETE FROM t WHERE id + 0 IN (id + 0)",
          "DELETE FROM t WHERE NOT 1 = 2", "SET work_mem = 100", "FETCH 5 FROM c"})
        EXPECT_FALSE(read_sql(text, sample_names())->same_for_any_numbers) << text;
    for (const std::string_view text :
         {"SELECT 1", "SELECT a FROM t WHERE id = 7", "DELETE FROM t WHERE id = 7",
          "UPDATE t SET a = a + 1 WHERE id IN (1, 2)", "INSERT INTO t VALUES (1, 2)"})
        EXPECT_TRUE(read_sql(text, sample_names())->same_for_any_numbers) << text;
}

TEST(SqlShapeTest, ACachedShapeKeepsTheTextAsTyped)
{
    SqlCache cache(sample_names(), std::size_t{1} << 20);
    const auto first = cache.find_or_read("DELETE FROM t WHERE id = 7");
    const auto second = cache.find_or_read("DELETE FROM t WHERE id = 42");
    EXPECT_EQ(second->command->text, "DELETE FROM t WHERE id = 42");
    EXPECT_EQ(second->command->shared_actions, first->command->shared_actions);
    const auto all = cache.find_or_read("DELETE FROM t WHERE 7 = 7");
    EXPECT_TRUE(all->command->classes().contains(static_cast<std::size_t>(SqlClass::delete_all)));
    const auto none = cache.find_or_read("DELETE FROM t WHERE 7 = 8");
    EXPECT_FALSE(none->command->classes().contains(static_cast<std::size_t>(SqlClass::delete_all)));
}

}  // namespace
}  // namespace sallyport::postgres
