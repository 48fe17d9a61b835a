// Passwords do not reach the record.

#include "protocols/postgres/password_redaction.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "protocols/postgres/sql_tokens.h"
#include "protocols/postgres/statement.h"
#include "tests/protocols/postgres/sample_names.h"

namespace sallyport::postgres {

namespace {

using testing::HasSubstr;
using testing::Not;

std::string recorded(std::string_view text)
{
    return read_sql(text, no_names())->command->text;
}

TEST(PasswordRedactionTest, LeavesOrdinaryTextsAsTheyAre)
{
    for (const std::string_view text :
         {"SELECT 1", "SELECT 'password'", "INSERT INTO users (name, password) VALUES ('a', 'b')",
          "CREATE ROLE x VALID UNTIL '2030-01-01'", "ALTER ROLE x PASSWORD NULL",
          "SELECT dblink('conn', 'select 1')", "DO 'begin end'", "SELECT FROM WHERE 'x'"})
        EXPECT_EQ(recorded(text), text);
}

TEST(PasswordRedactionTest, HidesPasswordsOfRoles)
{
    EXPECT_EQ(recorded("CREATE USER x PASSWORD 'geheim' VALID UNTIL '2030-01-01'"),
              "CREATE USER x PASSWORD '[secret]' VALID UNTIL '2030-01-01'");
    EXPECT_EQ(recorded("alter role x with encrypted password 'ge''heim'; SELECT 'y'"),
              "alter role x with encrypted password '[secret]'; SELECT 'y'");
    EXPECT_EQ(recorded("ALTER USER x PASSWORD E'ge\\'heim'"), "ALTER USER x PASSWORD '[secret]'");
    EXPECT_EQ(recorded("ALTER USER x PASSWORD U&'g\\0065heim'"),
              "ALTER USER x PASSWORD '[secret]'");
    EXPECT_EQ(recorded("ALTER USER x PASSWORD $a$geheim$a$"), "ALTER USER x PASSWORD '[secret]'");
    EXPECT_EQ(recorded("ALTER USER x PASSWORD/*'*/'geheim'"),
              "ALTER USER x PASSWORD/*'*/'[secret]'");
    EXPECT_EQ(recorded("SELECT 'a'; CREATE GROUP g PASSWORD 'geheim'; SELECT 'b'"),
              "SELECT 'a'; CREATE GROUP g PASSWORD '[secret]'; SELECT 'b'");
    // A literal may go on in the next line.
    EXPECT_THAT(recorded("ALTER USER x PASSWORD 'ge'\n'heim'"), Not(HasSubstr("heim")));
}

TEST(PasswordRedactionTest, HidesWhatOpensOtherServers)
{
    EXPECT_EQ(recorded("CREATE USER MAPPING FOR x SERVER s OPTIONS (user 'u', password 'geheim')"),
              "CREATE USER MAPPING FOR x SERVER s OPTIONS (user 'u', password '[secret]')");
    EXPECT_EQ(recorded("ALTER USER MAPPING FOR x SERVER s OPTIONS (SET \"password\" 'geheim')"),
              "ALTER USER MAPPING FOR x SERVER s OPTIONS (SET \"password\" '[secret]')");
    EXPECT_EQ(
        recorded("CREATE SERVER s FOREIGN DATA WRAPPER w OPTIONS (host 'h', api_token 'geheim')"),
        "CREATE SERVER s FOREIGN DATA WRAPPER w OPTIONS (host 'h', api_token '[secret]')");
    EXPECT_EQ(recorded("CREATE SUBSCRIPTION s CONNECTION 'host=h password=geheim' PUBLICATION p"),
              "CREATE SUBSCRIPTION s CONNECTION '[secret]' PUBLICATION p");
    EXPECT_EQ(recorded("SELECT 'a'; ALTER SUBSCRIPTION s CONNECTION 'password=geheim'"),
              "SELECT 'a'; ALTER SUBSCRIPTION s CONNECTION '[secret]'");
    EXPECT_EQ(recorded("SELECT * FROM dblink('host=h password=geheim', 'select 1') AS t(a int)"),
              "SELECT * FROM dblink('[secret]', 'select 1') AS t(a int)");
    EXPECT_EQ(recorded("SELECT dblink_connect('n', 'postgresql://u:geheim@h/d')"),
              "SELECT dblink_connect('n', '[secret]')");
    EXPECT_EQ(recorded("ALTER SYSTEM SET primary_conninfo = 'host=h password=geheim'"),
              "ALTER SYSTEM SET primary_conninfo = '[secret]'");
}

TEST(PasswordRedactionTest, LooksIntoFunctionBodies)
{
    EXPECT_EQ(recorded("DO $$ BEGIN ALTER USER x PASSWORD 'geheim'; PERFORM 'y'; END $$"),
              "DO $$ BEGIN ALTER USER x PASSWORD '[secret]'; PERFORM 'y'; END $$");
    EXPECT_EQ(recorded("CREATE FUNCTION f() RETURNS void LANGUAGE sql AS $a$ ALTER USER x PASSWORD "
                       "$b$geheim$b$ $a$"),
              "CREATE FUNCTION f() RETURNS void LANGUAGE sql AS $a$ ALTER USER x PASSWORD "
              "'[secret]' $a$");
    EXPECT_THAT(recorded("DO 'BEGIN ALTER USER x PASSWORD ''geheim''; END'"),
                Not(HasSubstr("geheim")));
    EXPECT_THAT(recorded("DO $$ BEGIN EXECUTE 'ALTER USER x PASSWORD ''geheim'''; END $$"),
                Not(HasSubstr("geheim")));
    EXPECT_THAT(recorded("CREATE FUNCTION f() RETURNS void LANGUAGE sql BEGIN ATOMIC ALTER USER x "
                         "PASSWORD 'geheim'; END"),
                Not(HasSubstr("geheim")));
}

TEST(PasswordRedactionTest, HidesLiteralsOfWhatDoesNotParse)
{
    for (const std::string_view text :
         {"ALTER USER x PASSWORD 'geheim' OOPS", "ALTER USER x PASSWORD 'geheim",
          "ALTER USER x PASSWORD geheim", "ALTER USER x WITH PASWORD 'geheim'",
          "CREATE ROLE x 'geheim'", "CREATE USER x PASSWORD \"geheim\"",
          "ALTER USER x PASSWORD = 'geheim'", "SELEC dblink('host=h password=geheim')",
          "CREATE USER x IDENTIFIED BY 'geheim'", "ALTER USER x PASSWORD $$geheim"}) {
        const auto sql = read_sql(text, no_names());
        EXPECT_FALSE(sql->problem.empty());
        EXPECT_THAT(sql->command->text, Not(HasSubstr("geheim"))) << text;
        EXPECT_THAT(sql->problem, Not(HasSubstr("geheim")));
        EXPECT_THAT(sql->command->actions().at(0).cause, Not(HasSubstr("geheim")));
    }
}

TEST(PasswordRedactionTest, HidesEveryCutOfAPasswordStatement)
{
    const std::string whole =
        "ALTER USER x WITH ENCRYPTED PASSWORD 'geheim' VALID UNTIL 'infinity'";
    for (std::size_t size = 0; size <= whole.size(); ++size)
        EXPECT_THAT(recorded(std::string_view(whole).substr(0, size)), Not(HasSubstr("gehe")))
            << size;
}

std::vector<std::string> tokens(std::string_view text)
{
    std::vector<std::string> all;
    SqlTokens lexer(text);
    while (const auto token = lexer.next())
        all.emplace_back(token->text);
    return all;
}

TEST(SqlTokensTest, FindsLiteralsAndNames)
{
    using testing::ElementsAre;
    EXPECT_THAT(tokens("SELECT 'a''b', E'c\\'d', \"e\"\"f\""),
                ElementsAre("SELECT", "'a''b'", ",", "E'c\\'d'", ",", "\"e\"\"f\""));
    EXPECT_THAT(tokens("$$a$$ $x$ $y$ $x$ a$$b $1"),
                ElementsAre("$$a$$", "$x$ $y$ $x$", "a$$b", "$", "1"));
    EXPECT_THAT(tokens("a -- 'x\nb /* ' /* */ */ c"), ElementsAre("a", "b", "c"));
    EXPECT_THAT(tokens("u&'a' U&\"b\" n'c' xx'd'"),
                ElementsAre("u&'a'", "U&\"b\"", "n'c'", "xx", "'d'"));
    EXPECT_THAT(tokens("'a' -- b\n  'c''d' 'e'"), ElementsAre("'a' -- b\n  'c''d'", "'e'"));
    EXPECT_THAT(tokens("'open"), ElementsAre("'open"));
    EXPECT_THAT(tokens("E'open\\"), ElementsAre("E'open\\"));
    EXPECT_THAT(tokens("$a$open"), ElementsAre("$a$open"));
    EXPECT_THAT(tokens("/* open"), ElementsAre());
    EXPECT_THAT(tokens("$"), ElementsAre("$"));
}

}  // namespace

}  // namespace sallyport::postgres
