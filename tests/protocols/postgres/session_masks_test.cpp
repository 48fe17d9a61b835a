// What masks make of a lineage: which columns of a result are hidden, and what is refused.

#include "protocols/postgres/session_masks.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "protocols/postgres/own_relations.h"
#include "tests/protocols/postgres/sample_names.h"

namespace sallyport::postgres {

namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

MaskRules rules_for(std::vector<std::string> columns, bool refuse_conditions = false,
                    bool refuse_writes = false)
{
    auto key = std::make_shared<MaskKey>();
    key->bytes.assign(32, 'k');
    MaskRules::Rule rule;
    rule.columns = std::move(columns);
    rule.action.rule = "mask 1";
    rule.refuse_conditions = refuse_conditions;
    rule.refuse_writes = refuse_writes;
    return MaskRules({rule}, MaskRules::Untraceable::mask, key);
}

class SessionMasksTest : public testing::Test {
protected:
    std::shared_ptr<const Sql> read(std::string_view text) const
    {
        return read_sql(text, sample_names());
    }
    bool touched(std::string_view text) { return masks.touched_by(*read(text)); }
    std::string forbidden(std::string_view text, SessionMasks& by) const
    {
        const auto sql = read(text);
        return by.forbids(sql->statements().at(0)).value_or("");
    }
    std::string forbidden(std::string_view text) { return forbidden(text, masks); }

    MaskRules rules = rules_for({"users.ssn", "pan"});
    SessionMasks masks{rules};
};

TEST_F(SessionMasksTest, KnowsWhatIsHidden)
{
    const auto& names = sample_names();
    const CatalogueRelation& users = *names->relations({}, "users").at(0);
    EXPECT_TRUE(masks.hides(&users.columns[3]));
    EXPECT_FALSE(masks.hides(&users.columns[2]));
    // A mask of a table's column holds for its children's.
    EXPECT_TRUE(masks.hides(&names->relations({}, "staff").at(0)->columns[3]));
    EXPECT_TRUE(masks.hides(untraced()));
    EXPECT_TRUE(masks.hides(&names->relations({}, "pg_stats").at(0)->columns[1]));
    EXPECT_FALSE(masks.hides(&names->relations({}, "pg_stats").at(0)->columns[0]));
    EXPECT_FALSE(masks.hides_nothing());
}

TEST_F(SessionMasksTest, KnowsWhatAStatementCouldTouch)
{
    for (const std::string_view text :
         {"select upper(ssn) from users", "select * from users union select * from users",
          "select row_to_json(u) from users u", "select code || 'x' from people",
          "select most_common_vals::text from pg_stats", "select id from users where ssn = '1'",
          "insert into users (id) values (1)", "update cards set id = 1", "select first_ssn()",
          "select salary, ssn from staff", "select a from nothing", "delete from users",
          "select set_config('a.b', pan, false) from cards", "copy users from stdin",
          "select id from (select id, ssn::int from users) s"})
        EXPECT_TRUE(touched(text)) << text;
    for (const std::string_view text :
         {"select count(*) from users", "select id + 1 from users", "select email from users",
          "insert into log (what) values ('x')", "select 1", "select name from people",
          "copy log from stdin", "begin"})
        EXPECT_FALSE(touched(text)) << text;
}

TEST_F(SessionMasksTest, AsksAgainForAnotherText)
{
    const auto first = read("select ssn from users");
    const auto second = read("select id from users");
    EXPECT_TRUE(masks.touched_by(*first));
    EXPECT_FALSE(masks.touched_by(*second));
    EXPECT_TRUE(masks.touched_by(*first));
    EXPECT_TRUE(masks.touched_by(*first));
}

TEST_F(SessionMasksTest, ForbidsWhatMasksCannotFollow)
{
    EXPECT_THAT(forbidden("select set_config('a.b', ssn, false) from users"),
                HasSubstr("set_config()"));
    EXPECT_THAT(forbidden("copy (select ssn from users) to '/tmp/x'"), HasSubstr("file"));
    EXPECT_THAT(forbidden("insert into people (name) select ssn from users"), HasSubstr("view"));
    EXPECT_EQ(forbidden("select set_config('a.b', email, false) from users"), "");
    EXPECT_EQ(forbidden("insert into log (what) select ssn from users"), "");
    EXPECT_EQ(forbidden("select ssn from users where ssn = '1'"), "");
}

TEST_F(SessionMasksTest, RefusesConditionsWhereAskedTo)
{
    const MaskRules strict = rules_for({"users.ssn"}, true, false);
    SessionMasks by(strict);
    for (const std::string_view text :
         {"select id from users where ssn = '1'", "select id from users order by ssn",
          "select count(*) from users group by ssn", "select count(ssn) from users",
          "select 1 from users join cards on ssn = pan", "delete from users where ssn = '1'",
          "select id from people where code = 'x'",
          "explain analyze select id from users where ssn = '1'"})
        EXPECT_THAT(forbidden(text, by), HasSubstr("conditions")) << text;
    for (const std::string_view text :
         {"select ssn from users", "select ssn from users where id = 1",
          "select pan from cards where pan = 'x'"})
        EXPECT_EQ(forbidden(text, by), "") << text;
}

TEST_F(SessionMasksTest, RefusesWritesWhereAskedTo)
{
    const MaskRules strict = rules_for({"users.ssn"}, false, true);
    SessionMasks by(strict);
    for (const std::string_view text :
         {"update users set ssn = 'x'", "insert into log (what) select ssn from users",
          "create table t as select ssn from users", "insert into users (ssn) values ('x')",
          "update users set name = 'x' where ssn = '1'",
          "with x as (insert into log (what) select ssn from users) select 1",
          "explain analyze update users set ssn = 'x'", "copy users (ssn) from stdin"})
        EXPECT_THAT(forbidden(text, by), HasSubstr("write")) << text;
    for (const std::string_view text :
         {"select ssn from users where ssn = '1'", "update users set name = 'x' where id = 1",
          "delete from users where id = 1", "insert into log (what) values ('x')"})
        EXPECT_EQ(forbidden(text, by), "") << text;
}

FieldShape field(std::string label, std::uint32_t relation = 0, std::int16_t attribute = 0)
{
    FieldShape made;
    made.label = std::move(label);
    made.relation = relation;
    made.attribute = attribute;
    return made;
}

std::uint32_t oid(std::string_view name)
{
    return sample_names()->relations({}, name).at(0)->oid;
}

class TraceTest : public SessionMasksTest {
protected:
    Traced trace(const std::vector<FieldShape>& fields, std::string_view text,
                 bool otherwise = true)
    {
        const auto sql = read(text);
        return masks.trace(fields, sql->statements().at(0).lineage.get(), *sample_names(),
                           otherwise);
    }
};

TEST_F(TraceTest, TheServersWordAndTheTextsCountTogether)
{
    const Traced traced =
        trace({field("id", oid("users"), 1), field("upper")}, "select id, upper(ssn) from users");
    EXPECT_TRUE(traced.complete);
    EXPECT_THAT(traced.columns.at(0).sources, ElementsAre("public.staff.id", "public.users.id"));
    EXPECT_THAT(traced.columns.at(1).sources, ElementsAre("public.staff.ssn", "public.users.ssn"));
    EXPECT_TRUE(traced.columns.at(1).traced);
    // The server names a view's column; what is behind it comes from its query.
    const Traced view = trace({field("code", oid("people"), 2)}, "select code from people");
    EXPECT_THAT(view.columns.at(0).sources, Contains("public.users.ssn"));
}

TEST_F(TraceTest, AWholeRowIsAllOfItsColumns)
{
    // The server gives the relation, and no column of it.
    const Traced row = trace({field("users", oid("users"), 0)}, "select users from users");
    EXPECT_TRUE(row.complete);
    EXPECT_TRUE(row.columns.at(0).traced);
    EXPECT_THAT(row.columns.at(0).sources, Contains("public.users.ssn"));
    const Traced view = trace({field("sums", oid("sums"), 0)}, "select sums from sums");
    EXPECT_TRUE(view.columns.at(0).traced);
    EXPECT_THAT(view.columns.at(0).sources, Contains("public.orders.total"));
}

TEST_F(TraceTest, ATemporaryTablesValuesAreThoseTheSessionKnowsOf)
{
    SampleParts sample = sample_parts();
    const std::uint32_t made = sample.relation("pg_temp_3", "t", {"a", "b"}).oid;
    const std::uint32_t unseen = sample.relation("pg_temp_3", "u", {"a"}).oid;
    const auto before = resolved(std::move(sample));
    OwnRelations own;
    const auto text =
        read_sql("create temp table t as select ssn as a, id as b from users", before);
    own.take(text->statements().at(0));
    Resolution names(before->catalogue(), {}, SearchPath{{"public"}, true}, own.relations());
    const Traced traced = masks.trace(
        {field("a", made, 1), field("b", made, 2), field("t", made, 0), field("a", unseen, 1)},
        nullptr, names, true);
    EXPECT_THAT(traced.columns.at(0).sources, Contains("public.users.ssn"));
    EXPECT_TRUE(traced.columns.at(0).traced);
    EXPECT_THAT(traced.columns.at(1).sources, testing::Not(Contains("public.users.ssn")));
    EXPECT_TRUE(traced.columns.at(1).traced);
    EXPECT_THAT(traced.columns.at(2).sources, Contains("public.users.ssn"));
    EXPECT_FALSE(traced.columns.at(3).traced);
}

TEST_F(TraceTest, AnOtherNumberOfColumnsMeansAnyOfTheValues)
{
    const Traced traced = trace({field("a"), field("b")}, "select ssn from users");
    for (const Column& column : traced.columns)
        EXPECT_THAT(column.sources, Contains("public.users.ssn"));
}

TEST_F(TraceTest, WithoutALineageOnlyTheServerKnows)
{
    const Traced traced =
        masks.trace({field("x", oid("cards"), 3), field("y")}, nullptr, *sample_names(), true);
    EXPECT_THAT(traced.columns.at(0).sources, ElementsAre("public.cards.pan"));
    EXPECT_TRUE(traced.columns.at(0).traced);
    EXPECT_FALSE(traced.columns.at(1).traced);
    const Traced harmless = masks.trace({field("y")}, nullptr, *sample_names(), false);
    EXPECT_TRUE(harmless.columns.at(0).traced);
}

TEST_F(TraceTest, ARelationThatTheCatalogueDoesNotKnowIsNotComplete)
{
    const Traced traced = trace({field("a", 99999, 1)}, "select a from nothing");
    EXPECT_FALSE(traced.complete);
    EXPECT_FALSE(traced.columns.at(0).traced);
    const Traced blind = masks.trace({field("a", 99999, 1)}, nullptr, *sample_names(), false);
    EXPECT_FALSE(blind.complete);
    EXPECT_FALSE(blind.columns.at(0).traced);
}

TEST_F(TraceTest, SystemColumnsHoldNoValues)
{
    const Traced traced =
        masks.trace({field("ctid", oid("users"), -1)}, nullptr, *sample_names(), true);
    EXPECT_TRUE(traced.columns.at(0).traced);
    EXPECT_THAT(traced.columns.at(0).sources, IsEmpty());
}

TEST_F(TraceTest, ACopyIsDescribedByItsTextAlone)
{
    const Traced traced =
        traced_columns(*read("copy users (id, ssn) to stdout")->statements().at(0).lineage);
    EXPECT_TRUE(traced.complete);
    ASSERT_EQ(traced.columns.size(), 2U);
    EXPECT_EQ(traced.columns[1].label, "ssn");
    EXPECT_THAT(traced.columns[1].sources, Contains("public.users.ssn"));
    const Traced unknown =
        traced_columns(*read("copy nothing to stdout")->statements().at(0).lineage);
    EXPECT_FALSE(unknown.complete);
}

}  // namespace

}  // namespace sallyport::postgres
