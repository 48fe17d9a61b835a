// What SQL texts are taken for: the corpus, and what lines of text cannot hold.

#include "protocols/postgres/statement.h"

#include <algorithm>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <set>
#include <string>

#include "protocols/postgres/read_only_text.h"
#include "tests/protocols/postgres/deep_texts.h"
#include "tests/protocols/postgres/sample_names.h"
#include "tests/protocols/postgres/sql_corpus.h"

namespace sallyport::postgres {

namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

std::shared_ptr<const Sql> read(std::string_view text)
{
    static const std::shared_ptr<Resolution> names = no_names({"public.trusted"});
    return read_sql(text, names);
}

std::string classes(std::string_view text)
{
    return names_of(sql_vocabulary(), read(text)->command->classes());
}

std::set<std::string> objects(const Sql& sql)
{
    std::set<std::string> all;
    for (const Action& action : sql.command->actions()) {
        if (!action.object.empty())
            all.insert(action.object);
    }
    return all;
}

TEST(StatementTest, TakesTheCorpusForWhatItIs)
{
    const auto cases = sql_corpus();
    ASSERT_GE(cases.size(), 300u);
    for (const SqlCase& one : cases) {
        const auto sql = read(one.text);
        EXPECT_EQ(names_of(sql_vocabulary(), sql->command->classes()), one.classes)
            << one.place << "\n"
            << one.text << "\n"
            << sql->problem;
        if (one.names_objects) {
            EXPECT_EQ(objects(*sql), one.objects) << one.place << "\n" << one.text;
        }
        for (const Action& action : sql->command->actions())
            EXPECT_FALSE(action.cause.empty()) << one.place << "\n" << one.text;
    }
}

TEST(StatementTest, HasACaseForEveryClassButReplicationCommands)
{
    ClassSet all;
    for (const SqlCase& one : sql_corpus())
        all |= read(one.text)->command->classes();
    EXPECT_EQ(names_of(sql_vocabulary(), all), names_of(sql_vocabulary(), [] {
                  ClassSet every;
                  for (std::size_t i = 0; i < sql_vocabulary().classes.size(); ++i)
                      every |= ClassSet::of(i);
                  return every;
              }()));
}

TEST(StatementTest, KeepsItsMeaningInAnyCaseAndAmongComments)
{
    for (const SqlCase& one : sql_corpus()) {
        EXPECT_EQ(classes("/* a */ " + one.text), one.classes) << one.place;
        EXPECT_EQ(classes("-- a\n" + one.text), one.classes) << one.place;
        // Quotes of any kind may hold names that differ in case.
        if (one.text.find_first_of("'\"$\\") == std::string::npos) {
            std::string upper = one.text;
            std::transform(upper.begin(), upper.end(), upper.begin(),
                           [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
            EXPECT_EQ(classes(upper), one.classes) << one.place;
        }
    }
}

TEST(StatementTest, ASecondStatementAddsItsClasses)
{
    const ClassSet drop = ClassSet::of(static_cast<std::size_t>(SqlClass::drop));
    for (const SqlCase& one : sql_corpus()) {
        const auto alone = read(one.text);
        if (!alone->problem.empty())
            continue;
        const auto both = read("DROP TABLE x;\n" + one.text);
        if (alone->statements().empty())
            EXPECT_EQ(both->command->classes(), drop) << one.place;
        else
            EXPECT_EQ(both->command->classes(), alone->command->classes() | drop) << one.place;
        EXPECT_EQ(both->statements().size(), alone->statements().size() + 1) << one.place;
    }
}

TEST(StatementTest, ReadsOnlyAreReads)
{
    EXPECT_TRUE(read("SELECT 1")->command->only_reads());
    EXPECT_TRUE(
        read("BEGIN; SET search_path = x; COPY t TO STDOUT; COMMIT")->command->only_reads());
    EXPECT_FALSE(read("PREPARE TRANSACTION 'x'")->command->only_reads());
    EXPECT_FALSE(read("EXECUTE p")->command->only_reads());
    EXPECT_FALSE(read("NOTIFY c")->command->only_reads());
    EXPECT_FALSE(read("SELECT unknown_function()")->command->only_reads());
}

TEST(StatementTest, AnEmptyQueryReadsNothing)
{
    for (const std::string_view text : {"", " ", ";", "-- x", "/* x */", "\n\t;\n"}) {
        const auto sql = read(text);
        EXPECT_THAT(sql->statements(), IsEmpty());
        ASSERT_EQ(sql->command->actions().size(), 1u);
        EXPECT_EQ(classes(text), "select");
        EXPECT_EQ(sql->problem, "");
    }
}

TEST(StatementTest, RefusesTextsThatTheServerMightReadOtherwise)
{
    using namespace std::string_view_literals;
    EXPECT_THAT(read("SELECT 'a\0b'"sv)->problem, HasSubstr("NUL"));
    for (const std::string_view text :
         {"SELECT '\xff'", "SELECT '\xc0\xa7'", "SELECT '\xed\xa0\x80'",
          "SELECT '\xf4\x90\x80\x80'", "SELECT '\xe2\x82", "\x80"}) {
        const auto sql = read(text);
        EXPECT_THAT(sql->problem, HasSubstr("UTF-8")) << text;
        EXPECT_EQ(names_of(sql_vocabulary(), sql->command->classes()), "opaque");
    }
    EXPECT_EQ(read("SELECT '\xf0\x9f\x98\x80\xc3\xa9\xe2\x82\xac'")->problem, "");
}

TEST(StatementTest, SaysWhyATextDoesNotParse)
{
    const auto sql = read("SELECT FROM WHERE");
    EXPECT_THAT(sql->problem, HasSubstr("syntax error at or near \"WHERE\""));
    EXPECT_THAT(sql->problem, HasSubstr("PostgreSQL 15"));
    EXPECT_THAT(sql->statements(), IsEmpty());
}

TEST(StatementTest, RefusesTextsBeyondTheLimit)
{
    EXPECT_EQ(read_sql("SELECT 12", no_names(), 9)->problem, "");
    EXPECT_THAT(read_sql("SELECT 123", no_names(), 9)->problem, HasSubstr("longer than 9 bytes"));
}

void read_deep_texts()
{
    constexpr int many = 100'000;
    // Chains to the left are long, not deep.
    EXPECT_EQ(classes("SELECT 1" + repeated(" + 1", many)), "select");
    EXPECT_EQ(classes("SELECT 'a'" + repeated(" || 'a'", many)), "select");
    EXPECT_EQ(classes("SELECT 1" + repeated(" UNION ALL SELECT 1", many)), "select");
    EXPECT_EQ(classes("SELECT * FROM a" + repeated(" CROSS JOIN b", many)), "select");
    EXPECT_EQ(classes("SELECT true" + repeated(" AND true", many)), "select");
    EXPECT_EQ(classes("DELETE FROM t WHERE true" + repeated(" OR a = 1", many)),
              "delete delete_all");
    EXPECT_EQ(classes("DELETE FROM t WHERE a" + repeated(" + 1", many) + " = a"), "delete");
    EXPECT_EQ(classes("SELECT 1" + repeated(" UNION ALL SELECT 1", many) + "; DROP TABLE x"),
              "select drop");
    EXPECT_EQ(classes("INSERT INTO t VALUES (1)" + repeated(", (1)", many)), "insert");
    // The grammar's own parentheses leave no trace, up to its limit.
    EXPECT_EQ(classes("SELECT " + repeated("(", 2000) + "1" + repeated(")", 2000)), "select");
    EXPECT_EQ(classes("SELECT " + repeated("(", many) + "1" + repeated(")", many)), "opaque");
    // What nests is refused.
    for (const auto& text :
         {"SELECT " + repeated("lower(", 4000) + "'a'" + repeated(")", 4000),
          "SELECT " + repeated("NOT ", 4000) + "true",
          "SELECT " + repeated("- ", 4000) + "a FROM t",
          "SELECT a" + repeated("::int", 4000) + " FROM t",
          "SELECT " + repeated("1 + (", 2000) + "1" + repeated(")", 2000),
          repeated("SELECT * FROM (", 1500) + "SELECT 1" + repeated(") x", 1500),
          "DELETE FROM t WHERE " + repeated("NOT (a = 1 AND ", 1500) + "true" + repeated(")", 1500),
          "SELECT " + repeated("CASE WHEN true THEN ", 1500) + "1" + repeated(" END", 1500)}) {
        const auto sql = read(text);
        EXPECT_THAT(sql->problem, HasSubstr("nested more than 500 levels")) << text.substr(0, 60);
        EXPECT_EQ(names_of(sql_vocabulary(), sql->command->classes()), "opaque");
    }
    EXPECT_EQ(classes("SELECT " + repeated("lower(", 200) + "'a'" + repeated(")", 200)), "select");
}

TEST(StatementTest, DeepTextsDoNotOverflowASmallStack)
{
    on_stack(small_stack, read_deep_texts);
}

TEST(StatementTest, ATextOfTooManyTokensIsNotParsed)
{
    // Each number and each comma is one: a tree of more than half a gigabyte.
    std::string text = "SELECT 1";
    for (int i = 0; i < 3'000'000; ++i)
        text += ",1";
    EXPECT_THAT(read(text)->problem, HasSubstr("more than 5000000 words, numbers and signs"));
    // As long, and one literal.
    std::string literal(text.size(), 'x');
    literal.replace(0, 8, "SELECT '");
    literal.back() = '\'';
    EXPECT_EQ(read(literal)->problem, "");
}

TEST(StatementTest, ManyObjectsTakeNoSquareTime)
{
    std::string text = "DROP TABLE a0";
    for (int i = 1; i < 50'000; ++i)
        text += ", a" + std::to_string(i);
    EXPECT_EQ(read(text)->command->actions().size(), 50'000u);
}

TEST(StatementTest, KnowsTheKindOfEachStatement)
{
    const auto kind = [](std::string_view text) { return read(text)->statements().at(0).kind; };
    EXPECT_EQ(kind("SELECT 1"), StatementKind::query);
    EXPECT_EQ(kind("DELETE FROM t"), StatementKind::query);
    EXPECT_EQ(kind("SELECT 1 INTO t"), StatementKind::ddl);
    EXPECT_EQ(kind("SELECT 1 AS a INTO t UNION SELECT 2"), StatementKind::ddl);
    EXPECT_EQ(kind("COPY t FROM STDIN"), StatementKind::copy_in);
    EXPECT_EQ(kind("COPY t TO STDOUT"), StatementKind::copy_out);
    EXPECT_EQ(kind("COPY t FROM '/x'"), StatementKind::other);
    EXPECT_EQ(kind("COPY t TO PROGRAM 'x'"), StatementKind::other);
    EXPECT_EQ(kind("ROLLBACK"), StatementKind::transaction);
    EXPECT_EQ(kind("PREPARE p AS SELECT 1"), StatementKind::prepare);
    EXPECT_EQ(kind("EXECUTE p"), StatementKind::execute);
    EXPECT_EQ(kind("DEALLOCATE p"), StatementKind::deallocate);
    EXPECT_EQ(kind("DISCARD ALL"), StatementKind::deallocate);
    EXPECT_EQ(kind("DISCARD PLANS"), StatementKind::other);
    EXPECT_EQ(kind("EXPLAIN SELECT 1"), StatementKind::explain);
    EXPECT_EQ(kind("FETCH c"), StatementKind::fetch);
    EXPECT_EQ(kind("SHOW ALL"), StatementKind::show);
    EXPECT_EQ(kind("RESET ALL"), StatementKind::set);
    EXPECT_EQ(kind("CREATE TABLE t ()"), StatementKind::ddl);
    EXPECT_EQ(kind("VACUUM"), StatementKind::other);
}

TEST(StatementTest, NamesThePreparedStatement)
{
    const auto name = [](std::string_view text) { return read(text)->statements().at(0).name; };
    EXPECT_EQ(name("PREPARE \"P q\" AS SELECT 1"), "P q");
    EXPECT_EQ(name("EXECUTE p(1)"), "p");
    EXPECT_EQ(name("EXPLAIN EXECUTE p"), "p");
    EXPECT_EQ(name("CREATE TABLE t AS EXECUTE p"), "p");
    EXPECT_EQ(name("DEALLOCATE p"), "p");
    EXPECT_EQ(name("DEALLOCATE ALL"), "");
}

TEST(StatementTest, SaysWhatChangesTheCatalogue)
{
    const auto changes = [](std::string_view text) {
        return read(text)->statements().at(0).changes_catalogue;
    };
    for (const std::string_view text :
         {"CREATE TABLE t ()", "DROP TABLE t", "ALTER TABLE t ADD a int", "SELECT 1 INTO t",
          "DO 'begin end'", "SELECT unknown_function()", "GRANT a TO b"})
        EXPECT_TRUE(changes(text)) << text;
    for (const std::string_view text :
         {"SELECT 1", "DELETE FROM t", "COPY t FROM STDIN", "BEGIN", "VACUUM t"})
        EXPECT_FALSE(changes(text)) << text;
}

TEST(StatementTest, ReportsSettings)
{
    const auto settings = [](std::string_view text) {
        return read(text)->statements().at(0).settings;
    };
    EXPECT_THAT(settings("SET \"Search_Path\" = x"), ElementsAre("search_path"));
    EXPECT_THAT(settings("SET standard_conforming_strings = off"),
                ElementsAre("standard_conforming_strings"));
    EXPECT_THAT(settings("SET standard_conforming_strings = on"), IsEmpty());
    EXPECT_THAT(settings("SET client_encoding = 'SJIS'"), ElementsAre("client_encoding"));
    EXPECT_THAT(settings("SET NAMES 'BIG5'"), ElementsAre("client_encoding"));
    EXPECT_THAT(settings("SET client_encoding TO UTF8"), IsEmpty());
    EXPECT_THAT(settings("RESET client_encoding"), IsEmpty());
    EXPECT_THAT(settings("SET NAMES DEFAULT"), IsEmpty());
    EXPECT_THAT(settings("SELECT set_config('client_encoding', 'SJIS', false)"),
                ElementsAre("client_encoding"));
    EXPECT_THAT(settings("SELECT set_config('client_encoding', $1, false)"),
                ElementsAre("client_encoding"));
    EXPECT_THAT(settings("SELECT set_config('client_encoding', 'UTF8', false)"), IsEmpty());
    EXPECT_THAT(settings("SELECT set_config($1, $2, false)"), ElementsAre("*"));
    EXPECT_THAT(settings("ALTER ROLE x SET standard_conforming_strings = off"),
                ElementsAre("standard_conforming_strings"));
    EXPECT_THAT(settings("BEGIN READ ONLY"), IsEmpty());
}

TEST(StatementTest, ReadsTheOptionsOfCopy)
{
    const auto copied = [](std::string_view text) { return read(text)->statements().at(0).copy; };
    const CopyTarget text = copied("COPY app.t (a, \"B\") TO STDOUT");
    EXPECT_EQ(text.relation.schema, "app");
    EXPECT_EQ(text.relation.name, "t");
    EXPECT_THAT(text.columns, ElementsAre("a", "B"));
    EXPECT_EQ(text.format, CopyTarget::Format::text);
    EXPECT_EQ(text.delimiter, '\t');
    EXPECT_EQ(text.null, "\\N");

    const CopyTarget csv =
        copied("COPY t TO STDOUT WITH (FORMAT csv, HEADER true, FORCE_QUOTE *, QUOTE '!')");
    EXPECT_EQ(csv.format, CopyTarget::Format::csv);
    EXPECT_EQ(csv.delimiter, ',');
    EXPECT_EQ(csv.quote, '!');
    EXPECT_EQ(csv.escape, '!');
    EXPECT_EQ(csv.null, "");
    EXPECT_TRUE(csv.header);
    EXPECT_TRUE(csv.force_quote);

    const CopyTarget old =
        copied("COPY t FROM STDIN WITH DELIMITER AS '|' NULL AS 'nil' CSV HEADER ESCAPE '^'");
    EXPECT_EQ(old.format, CopyTarget::Format::csv);
    EXPECT_EQ(old.delimiter, '|');
    EXPECT_EQ(old.escape, '^');
    EXPECT_EQ(old.null, "nil");
    EXPECT_TRUE(old.header);
    EXPECT_FALSE(copied("COPY t TO STDOUT (HEADER off)").header);
    EXPECT_FALSE(copied("COPY t TO STDOUT (HEADER 0)").header);
    EXPECT_TRUE(copied("COPY t FROM STDIN (FORMAT csv, HEADER match)").header);
    EXPECT_EQ(copied("COPY t TO STDOUT BINARY").format, CopyTarget::Format::binary);
    EXPECT_EQ(copied("COPY t TO STDOUT (ENCODING 'SJIS')").encoding, "SJIS");
    EXPECT_EQ(copied("COPY (SELECT 1) TO STDOUT").relation.name, "");
}

TEST(StatementTest, NamesTheFunctionsOfItsText)
{
    const auto functions = [](std::string_view text) {
        return read(text)->statements().at(0).functions;
    };
    EXPECT_THAT(functions("SELECT lower(name), app.f(x), lower(y) FROM t WHERE g()"),
                UnorderedElementsAre("lower", "app.f", "lower", "g"));
    EXPECT_THAT(functions("SELECT a FROM t"), IsEmpty());
}

TEST(StatementTest, SaysWhatBecomesOfTheSearchPath)
{
    const auto path = [](std::string_view text) { return read(text)->statements().at(0).path; };
    using To = PathChange::To;
    EXPECT_EQ(path("SELECT 1"), std::nullopt);
    EXPECT_EQ(path("SET work_mem = '1MB'"), std::nullopt);
    const auto set = path("SET search_path = app, \"Odd\"");
    ASSERT_TRUE(set);
    EXPECT_EQ(set->to, To::value);
    EXPECT_THAT(set->schemas, ElementsAre("app", "Odd"));
    EXPECT_FALSE(set->local);
    // Each value of SET is one schema's name.
    EXPECT_THAT(path("SET search_path = 'app, public'")->schemas, ElementsAre("app, public"));
    EXPECT_TRUE(path("SET LOCAL search_path = app")->local);
    EXPECT_EQ(path("SET search_path FROM CURRENT")->to, To::unknown);
    for (const std::string_view text :
         {"RESET search_path", "SET search_path TO DEFAULT", "RESET ALL", "DISCARD ALL"})
        EXPECT_EQ(path(text)->to, To::as_at_login) << text;

    const auto called = path("SELECT set_config('Search_Path', 'app, \"Odd\"', false)");
    ASSERT_TRUE(called);
    EXPECT_EQ(called->to, To::value);
    EXPECT_THAT(called->schemas, ElementsAre("app", "Odd"));
    EXPECT_FALSE(called->local);
    EXPECT_TRUE(path("SELECT set_config('search_path', 'app', true)")->local);
    EXPECT_EQ(path("SELECT set_config('search_path', $1, false)")->to, To::unknown);
    EXPECT_EQ(path("SELECT set_config('search_path', 'a', false), "
                   "set_config('search_path', 'b', false)")
                  ->to,
              To::unknown);
}

// Nobody knows which statements of a body are run, and how often.
TEST(StatementTest, InABodyThePathBecomesAnything)
{
    const auto path = [](std::string_view text) { return read(text)->statements().at(0).path; };
    for (const std::string_view text :
         {"DO $$ BEGIN IF random() < 0.5 THEN SET search_path = a; END IF; END $$",
          "DO $$ BEGIN PERFORM set_config('search_path', 'a', false); END $$",
          "DO $$ BEGIN RESET ALL; END $$"}) {
        ASSERT_TRUE(path(text)) << text;
        EXPECT_EQ(path(text)->to, PathChange::To::unknown) << text;
    }
}

TEST(StatementTest, SaysWhatEndsATransaction)
{
    const auto ends = [](std::string_view text) { return read(text)->statements().at(0).ends; };
    EXPECT_EQ(ends("COMMIT"), TransactionEnd::commit);
    EXPECT_EQ(ends("END AND CHAIN"), TransactionEnd::commit);
    EXPECT_EQ(ends("ROLLBACK"), TransactionEnd::rollback);
    EXPECT_EQ(ends("ABORT"), TransactionEnd::rollback);
    EXPECT_EQ(ends("ROLLBACK TO SAVEPOINT s"), TransactionEnd::rollback_to);
    for (const std::string_view text : {"BEGIN", "SAVEPOINT s", "RELEASE s", "SELECT 1"})
        EXPECT_EQ(ends(text), TransactionEnd::none) << text;
}

TEST(StatementTest, NoticesWhoAsksToWrite)
{
    const auto has_mode = [](std::string_view text) {
        return read(text)->statements().at(0).has_mode_write;
    };
    const auto asks = [](std::string_view text) {
        return read(text)->statements().at(0).asks_to_write;
    };
    for (const std::string_view text :
         {"BEGIN READ WRITE", "SET TRANSACTION READ WRITE", "START TRANSACTION READ WRITE",
          "BEGIN ISOLATION LEVEL SERIALIZABLE, READ/**/WRITE",
          "SET SESSION CHARACTERISTICS AS TRANSACTION READ WRITE",
          "DO $$ BEGIN SET TRANSACTION READ WRITE; END $$"}) {
        EXPECT_TRUE(has_mode(text)) << text;
        EXPECT_FALSE(asks(text)) << text;
    }
    for (const std::string_view text :
         {"SET default_transaction_read_only = off", "SET transaction_read_only TO 0",
          "SELECT set_config('default_transaction_read_only', 'off', false)",
          "SELECT set_config('transaction_read_only', $1, true)"})
        EXPECT_TRUE(asks(text)) << text;
    for (const std::string_view text :
         {"BEGIN", "BEGIN READ ONLY", "SET TRANSACTION READ ONLY", "SELECT 1",
          "SET default_transaction_read_only = on", "DELETE FROM t"}) {
        EXPECT_FALSE(asks(text)) << text;
        EXPECT_FALSE(has_mode(text)) << text;
    }
}

TEST(StatementTest, MakesReadWriteReadOnly)
{
    EXPECT_EQ(read_only_text("BEGIN READ WRITE"), "BEGIN READ ONLY ");
    EXPECT_EQ(read_only_text("begin read -- a\n/* b */write, isolation level serializable"),
              "begin read -- a\n/* b */ONLY , isolation level serializable");
    EXPECT_EQ(read_only_text("SET TRANSACTION READ WRITE; SET TRANSACTION READ WRITE"),
              "SET TRANSACTION READ ONLY ; SET TRANSACTION READ ONLY ");
    for (const std::string_view text :
         {"", "BEGIN READ ONLY", "SELECT 'read write'", "SELECT \"read\" write", "read", "write"})
        EXPECT_EQ(read_only_text(text), text);
}

TEST(StatementTest, SaysWhereNobodyKnowsAName)
{
    const auto unknown = [](std::string_view text) {
        const auto sql = read_sql(text, sample_names());
        const Statement& statement = sql->statements().at(0);
        return statement.unknown_names || statement.lineage->unknown_names;
    };
    for (const std::string_view text :
         {"SELECT * FROM nothing", "SELECT nothing(1)", "SELECT nothing FROM users",
          "SELECT users.nothing, x.id FROM users", "INSERT INTO nothing VALUES (1)"})
        EXPECT_TRUE(unknown(text)) << text;
    for (const std::string_view text :
         {"SELECT 1", "SELECT * FROM users", "SELECT lower(name), last_digits(ssn) FROM users",
          "WITH x AS (SELECT 1 AS a) SELECT a FROM x", "SELECT u.ctid FROM users u"})
        EXPECT_FALSE(unknown(text)) << text;
}

TEST(StatementTest, TrustsTheFunctionsOfTheConnection)
{
    EXPECT_EQ(classes("SELECT trusted(1)"), "select");
    EXPECT_EQ(classes("SELECT public.trusted(1)"), "select");
    EXPECT_EQ(classes("SELECT \"Trusted\"(1)"), "select opaque");
    EXPECT_EQ(classes("SELECT pg_catalog.trusted(1)"), "select opaque");
    EXPECT_EQ(names_of(sql_vocabulary(),
                       read_sql("SELECT pg_reload_conf()", no_names({"pg_catalog.pg_reload_conf"}))
                           ->command->classes()),
              "select admin_function");
}

TEST(StatementTest, ExplainsEachAction)
{
    const auto sql = read("WITH x AS (DELETE FROM users WHERE id = 1) SELECT pg_reload_conf()");
    std::vector<std::string> causes;
    for (const Action& action : sql->command->actions())
        causes.push_back(action.cause);
    EXPECT_THAT(causes, Contains("DELETE in WITH"));
    EXPECT_THAT(causes, Contains("call of pg_catalog.pg_reload_conf()"));
}

TEST(SqlVocabularyTest, GroupsAreMadeOfClasses)
{
    const Vocabulary& sql = sql_vocabulary();
    EXPECT_EQ(sql.facet, "sql");
    ASSERT_EQ(sql.classes.size(), static_cast<std::size_t>(SqlClass::opaque) + 1);
    EXPECT_EQ(sql.classes[static_cast<std::size_t>(SqlClass::delete_)], "delete");
    std::vector<std::string> groups;
    for (const Vocabulary::Group& group : sql.groups)
        groups.push_back(std::string(group.name) + ": " + names_of(sql, group.members));
    EXPECT_THAT(
        groups,
        ElementsAre("read: select copy_out execute set transaction",
                    "write: insert update delete merge copy_in listen lock update_all delete_all",
                    "ddl: truncate drop alter create maintenance alter_destructive",
                    "destructive: delete truncate drop update_all delete_all alter_destructive"));
}

}  // namespace

}  // namespace sallyport::postgres
