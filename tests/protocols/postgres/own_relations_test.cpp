// What a session made itself, and what it copied there.

#include "protocols/postgres/own_relations.h"

#include <algorithm>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/protocols/postgres/sample_names.h"

namespace sallyport::postgres {

namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;
using testing::UnorderedElementsAre;

// A session that sends one text after the other.
class OwnRelationsTest : public testing::Test {
protected:
    std::shared_ptr<const Sql> run(std::string_view text)
    {
        auto sql = read_sql(text, names());
        for (const Statement& statement : sql->statements())
            changed = own.take(statement);
        return sql;
    }
    std::shared_ptr<Resolution> names() const
    {
        return std::make_shared<Resolution>(sample_names()->catalogue(), std::vector<std::string>(),
                                            SearchPath{{"public"}, true}, own.relations());
    }
    // Places that values of the text's outputs come from.
    std::vector<std::string> places(std::string_view text)
    {
        std::vector<std::string> all;
        const auto resolution = names();
        const auto sql = read_sql(text, resolution);
        for (const CatalogueColumn* source : sql->statements().at(0).lineage->values) {
            if (source == untraced() || source->holds_values)
                all.emplace_back("?");
            for (const std::string& place : source->places)
                all.push_back(place);
        }
        std::ranges::sort(all);
        all.erase(std::ranges::unique(all).begin(), all.end());
        return all;
    }

    OwnRelations own;
    bool changed = false;
};

TEST_F(OwnRelationsTest, AStatementThatMakesNothingChangesNothing)
{
    run("SELECT ssn FROM users");
    EXPECT_FALSE(changed);
    run("INSERT INTO log (what) SELECT ssn FROM users");
    EXPECT_FALSE(changed);
    EXPECT_THAT(own.relations(), IsEmpty());
}

TEST_F(OwnRelationsTest, WhatWasCopiedIntoATemporaryTableComesOutOfIt)
{
    run("CREATE TEMP TABLE t AS SELECT ssn, 1 AS one FROM users");
    EXPECT_TRUE(changed);
    EXPECT_THAT(places("SELECT upper(ssn) FROM t"),
                ElementsAre("pg_temp.t.ssn", "public.staff.ssn", "public.users.ssn"));
    EXPECT_THAT(places("SELECT ssn FROM pg_temp.t"), Contains("public.users.ssn"));
    EXPECT_THAT(places("SELECT one FROM t"), ElementsAre("pg_temp.t.one"));
}

TEST_F(OwnRelationsTest, WhatIsCopiedLaterIsAdded)
{
    run("CREATE TEMP TABLE t (a text, b text)");
    EXPECT_THAT(places("SELECT a FROM t"), ElementsAre("pg_temp.t.a"));
    run("INSERT INTO t (b) SELECT pan FROM cards");
    EXPECT_TRUE(changed);
    EXPECT_THAT(places("SELECT b FROM t"), ElementsAre("pg_temp.t.b", "public.cards.pan"));
    EXPECT_THAT(places("SELECT a FROM t"), ElementsAre("pg_temp.t.a"));
    run("UPDATE t SET a = b");
    EXPECT_THAT(places("SELECT a FROM t"), Contains("public.cards.pan"));
    run("UPDATE t SET a = b");
    EXPECT_FALSE(changed);
}

TEST_F(OwnRelationsTest, CopiesOfCopiesAreFollowed)
{
    run("CREATE TEMP TABLE t AS SELECT ssn AS a FROM users");
    run("CREATE TEMP TABLE u AS SELECT a || 'x' AS b FROM t");
    EXPECT_THAT(places("SELECT b FROM u"), Contains("public.users.ssn"));
    run("CREATE TEMP VIEW v AS SELECT b AS c FROM u");
    EXPECT_THAT(places("SELECT c FROM v"), Contains("public.users.ssn"));
}

TEST_F(OwnRelationsTest, WhatNobodyCanTraceStaysSo)
{
    run("CREATE TEMP TABLE t AS SELECT a FROM nothing");
    EXPECT_THAT(places("SELECT a FROM t"), Contains("?"));
}

TEST_F(OwnRelationsTest, ATemporaryTableDoesNotHideWhatItMayHaveGivenWay)
{
    run("CREATE TEMP TABLE orders AS SELECT ssn AS total FROM users");
    // Nobody tells when it is dropped.
    EXPECT_THAT(places("SELECT total FROM orders"),
                testing::AllOf(Contains("public.users.ssn"), Contains("public.orders.total")));
    EXPECT_THAT(places("SELECT total FROM public.orders"), ElementsAre("public.orders.total"));
}

TEST_F(OwnRelationsTest, ANameUsedAgainMayBeEither)
{
    run("CREATE TEMP TABLE t AS SELECT ssn AS a FROM users");
    run("DROP TABLE t");
    run("CREATE TEMP TABLE t AS SELECT pan AS a, 1 AS b FROM cards");
    EXPECT_THAT(own.relations(), SizeIs(1));
    EXPECT_THAT(places("SELECT a FROM t"),
                testing::AllOf(Contains("public.users.ssn"), Contains("public.cards.pan")));
}

TEST_F(OwnRelationsTest, WhatABlockMakesIsTheSessionsAsWell)
{
    run("DO $$ BEGIN CREATE TEMP TABLE orders AS SELECT ssn AS total FROM users; CREATE TEMP TABLE "
        "z AS SELECT 1 AS a; END $$");
    EXPECT_THAT(places("SELECT upper(total) FROM orders"), Contains("public.users.ssn"));
    EXPECT_THAT(places("SELECT a FROM z"), ElementsAre("pg_temp.z.a"));
}

TEST_F(OwnRelationsTest, StatementsOfOneTextSeeWhatThoseBeforeThemMade)
{
    const auto resolution = names();
    const auto sql = read_sql(
        "CREATE TEMP TABLE orders AS SELECT ssn AS total FROM users; SELECT upper(total) FROM "
        "orders",
        resolution);
    std::vector<std::string> all;
    for (const CatalogueColumn* source : sql->statements().at(1).lineage->values) {
        if (source == untraced() || source->holds_values)
            all.emplace_back("?");
        all.insert(all.end(), source->places.begin(), source->places.end());
    }
    EXPECT_THAT(all, testing::AnyOf(Contains("public.users.ssn"), Contains("?")));
}

TEST_F(OwnRelationsTest, ForgetsWhatTheCatalogueHasButNotWhatIsTemporary)
{
    run("CREATE TABLE users AS SELECT pan AS ssn FROM cards");
    run("CREATE TEMP TABLE users AS SELECT pan AS ssn FROM cards");
    run("CREATE TABLE fresh AS SELECT pan FROM cards");
    ASSERT_THAT(own.relations(), SizeIs(3));
    EXPECT_TRUE(own.forget_known(*sample_names()->catalogue()));
    std::vector<std::string> left;
    for (const auto& relation : own.relations())
        left.push_back(relation->schema + "." + relation->name);
    EXPECT_THAT(left, UnorderedElementsAre("pg_temp.users", "public.fresh"));
    EXPECT_FALSE(own.forget_known(*sample_names()->catalogue()));
}

TEST_F(OwnRelationsTest, ARenamedRelationHoldsWhatItHeld)
{
    run("CREATE TEMP TABLE t AS SELECT ssn, id FROM users");
    run("ALTER TABLE t RENAME TO u");
    EXPECT_THAT(places("SELECT ssn FROM u"), Contains("public.users.ssn"));
    EXPECT_THAT(places("SELECT id FROM u"), testing::Not(Contains("public.users.ssn")));
    run("ALTER TABLE u RENAME COLUMN ssn TO code");
    EXPECT_THAT(places("SELECT code FROM u"), Contains("public.users.ssn"));
    EXPECT_THAT(places("SELECT id FROM u"), testing::Not(Contains("public.users.ssn")));
    // One of the catalogue's, in a transaction that nobody else sees.
    run("ALTER TABLE cards RENAME TO cards_moved");
    EXPECT_THAT(places("SELECT pan FROM cards_moved"), Contains("public.cards.pan"));
    run("ALTER TABLE orders SET SCHEMA app");
    EXPECT_THAT(places("SELECT note FROM app.orders"), Contains("public.orders.note"));
}

// A renamed table still has its triggers.
TEST_F(OwnRelationsTest, ARenamedRelationDoesWhatItDid)
{
    run("ALTER TABLE tickets RENAME TO cases");
    const auto sql = read_sql("INSERT INTO cases (body) VALUES ('x')", names());
    std::vector<std::string> objects;
    for (const Action& action : sql->command->actions())
        objects.push_back(action.object);
    EXPECT_THAT(objects, Contains("public.log"));
}

TEST_F(OwnRelationsTest, AColumnAddedLaterKeepsWhatGoesIntoIt)
{
    run("CREATE TEMP TABLE t (a text)");
    run("ALTER TABLE t ADD COLUMN b text");
    run("UPDATE t SET b = (SELECT ssn FROM users LIMIT 1)");
    EXPECT_THAT(places("SELECT b FROM t"), Contains("public.users.ssn"));
    EXPECT_THAT(places("SELECT a FROM t"), ElementsAre("pg_temp.t.a"));
}

TEST_F(OwnRelationsTest, KeepsNoMoreThanAThousand)
{
    for (int i = 0; i < 1005; ++i)
        run("CREATE TEMP TABLE t" + std::to_string(i) + " (a text)");
    EXPECT_THAT(own.relations(), SizeIs(1000));
    // The oldest are unknown, and what comes out of them is hidden.
    EXPECT_THAT(places("SELECT a FROM t0"), ElementsAre("?"));
    EXPECT_THAT(places("SELECT a FROM t1004"), ElementsAre("pg_temp.t1004.a"));
}

std::vector<std::string> derived(std::string_view text)
{
    std::vector<std::string> all;
    const auto sql = read_sql(text, sample_names());
    for (const Statement& statement : sql->statements()) {
        for (const DerivedColumn& column : statement.derived) {
            std::string one = column.schema + "." + column.relation + "." + column.column + " <";
            for (const std::string& place : column.places)
                one += " " + place;
            all.push_back(std::move(one));
        }
    }
    return all;
}

TEST(DerivedByTest, NamesThePlacesThatAreCopied)
{
    EXPECT_THAT(derived("INSERT INTO log (what) SELECT pan FROM cards"),
                ElementsAre("public.log.what < public.cards.pan"));
    EXPECT_THAT(derived("INSERT INTO log (what) SELECT code FROM people"),
                ElementsAre("public.log.what < public.people.code public.staff.ssn "
                            "public.users.ssn"));
    EXPECT_THAT(derived("CREATE TEMP TABLE t AS SELECT a FROM nothing"),
                ElementsAre("pg_temp.t.a < ?"));
    EXPECT_THAT(derived("INSERT INTO log (what) SELECT most_common_vals::text FROM pg_stats"),
                ElementsAre("public.log.what < ? pg_catalog.pg_stats.most_common_vals"));
    // To where it came from is no copy.
    EXPECT_THAT(derived("UPDATE cards SET pan = pan || 'x'"), IsEmpty());
    EXPECT_THAT(derived("INSERT INTO log (what) VALUES ('x')"), IsEmpty());
    EXPECT_THAT(derived("SELECT ssn FROM users"), IsEmpty());
}

TEST(DerivedByTest, OfSeveralStatementsInOneTextTheLastKnowsTheFirst)
{
    EXPECT_THAT(derived("INSERT INTO log (what) SELECT pan FROM cards; INSERT INTO tickets (body) "
                        "SELECT what FROM log"),
                Contains(testing::ContainsRegex("public.tickets.body <.* public.cards.pan")));
}

TEST(DerivedByTest, AnotherColumnOfTheSameRowPassesOnWhatWasWritten)
{
    EXPECT_THAT(derived("INSERT INTO log (at, what) SELECT id, pan FROM cards ON CONFLICT (at) DO "
                        "UPDATE SET who = excluded.what"),
                Contains(testing::ContainsRegex("public.log.who <.*public.cards.pan")));
}

TEST_F(OwnRelationsTest, WhatAPlanMadeWhileItRanIsTheSessionsAsWell)
{
    run("EXPLAIN ANALYZE CREATE TEMP TABLE orders AS SELECT ssn AS total FROM users");
    EXPECT_THAT(places("SELECT upper(total) FROM orders"), Contains("public.users.ssn"));
}

TEST(DerivedByTest, ATriggerPassesOnWhatItsStatementHasWritten)
{
    EXPECT_THAT(derived("INSERT INTO tickets (body) SELECT pan FROM cards"),
                Contains(testing::ContainsRegex("public.log.what <.*public.cards.pan")));
}

}  // namespace

}  // namespace sallyport::postgres
