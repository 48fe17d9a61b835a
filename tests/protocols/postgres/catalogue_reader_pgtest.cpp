// Readings of a real PostgreSQL 15.

#include <algorithm>
#include <boost/asio/detached.hpp>
#include <chrono>
#include <cstdlib>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <iostream>
#include <optional>

#include "protocols/postgres/catalogue_reader.h"
#include "protocols/postgres/catalogue_text.h"
#include "protocols/postgres/target_login.h"
#include "tests/protocols/postgres/private_cluster.h"

namespace sallyport::postgres {
namespace {

using namespace std::chrono_literals;
using testing::AllOf;
using testing::Contains;
using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::IsSupersetOf;
using testing::Not;
using testing::SizeIs;
using testing::StartsWith;
using testing::UnorderedElementsAre;

using Reading = Result<std::shared_ptr<const Catalogue>>;

constexpr auto patience = 30s;

constexpr const char* schema_sql = R"(
create role reader login;
create schema app; create schema hidden; create schema "Odd ""Name";
alter role reader set search_path = "$user", app, nowhere, public;
grant usage on schema app to reader;

create function app.positive_number(i int) returns bool language sql immutable
    begin atomic select i > 0; end;
create domain app.amount as int check (app.positive_number(value)) check (value < 1000)
    default length('four');
create type app.pair as (left_one int, "Right" text);
create type app.colour as enum ('red');

create table app.users (
    id serial primary key,
    name text not null default upper('x'),
    gone int,
    born date check (born > '1900-01-01'),
    twice int generated always as (7 * 2) stored,
    worth app.amount,
    two app.pair);
alter table app.users drop column gone;
create index on app.users (lower(name), (worth + 1)) where (born is not null);
create table app.measures (at date, city text) partition by range (at, lower(city));
create table app.measures_1 partition of app.measures for values from ('2026-01-01', 'a')
    to ('2026-02-01', 'z');
create table app.base (x int); create table app.other (y int);
create table app.child (z int) inherits (app.base, app.other);
create sequence app.counter;

create view app.names as select u.name, users.id from app.users u join app.users on true;
create materialized view app.frozen as select count(*) from app.names;
create view app."Odd view" as select 1 as "A b";
create rule gone as on delete to app.base where old.x > 1 do also delete from app.other;
create rule off as on update to app.base do instead nothing;
alter table app.base disable rule off;

create function app.noted() returns trigger language plpgsql as $$ begin return new; end $$;
create trigger "odd "" WHEN (" before insert or update of name on app.users for each row
    when (new.name <> ') E\''' or (new.id > (1))) execute function app.noted(' WHEN (x)');
create trigger plain after delete on app.users execute function app.noted();
create trigger disabled after delete on app.users execute function app.noted();
alter table app.users disable trigger disabled;
create trigger truncated after truncate on app.base execute function app.noted();
create trigger on_parts after insert on app.measures for each row execute function app.noted();

create policy seen on app.users using (exists (select from app.base where x = id))
    with check (id > 5);
create policy unused on app.base using (true);
alter table app.users enable row level security;

create function app.find(int, text default 'x', variadic rest int[] default '{}',
    out "first one" int, out text) returns setof record language sql stable
    as $$ select id, name from app.users $$;
create function app.listed() returns table (a int, b text) language plpgsql as
    $$ begin return query execute 'select 1, 2'; end $$;
create procedure app.work(inout n int) language plpgsql as $$ begin n := 1; end $$;
create function app.builtin(float8) returns float8 language internal immutable as 'dsin';
create function app.step(int, int) returns int language sql as 'select $1 + $2';
create function app.done(int) returns int language sql as 'select $1';
create aggregate app.total(int) (sfunc = app.step, stype = int, finalfunc = app.done,
    initcond = 0);
create operator app.=== (function = app.step, leftarg = int, rightarg = int);
create function app.as_amount(app.colour) returns int language sql as 'select 1';
create cast (app.colour as int) with function app.as_amount(app.colour) as implicit;

create function app.too_long() returns text language sql as $$ select 1::text $$;
do $$ begin execute 'create or replace function app.too_long() returns text language sql as '
    || quote_literal('select ' || quote_literal(repeat('x', 1100000))); end $$;

create extension citext schema app;
create foreign data wrapper nowhere;
create server elsewhere foreign data wrapper nowhere;
create foreign table app.far (x int default 3, y int default abs(-3)) server elsewhere;
create table "Odd ""Name"."T." ("c." int);
)";

// One cluster for all tests of a run: making it takes longer than they do.
class CatalogueReaderPgTest : public testing::Test {
protected:
    static void SetUpTestSuite()
    {
        cluster = new PrivateCluster("host all all 127.0.0.1/32 trust\n", schema_sql);
    }
    static void TearDownTestSuite()
    {
        delete cluster;
        cluster = nullptr;
    }

    static Target target(const std::string& user)
    {
        Target made;
        made.host = "127.0.0.1";
        made.port = cluster->port();
        made.database = "postgres";
        made.user = user;
        made.tls = TargetTls::disable;
        return made;
    }

    static std::shared_ptr<const Connection> connection(Target to)
    {
        auto made = std::make_shared<Connection>();
        made->name = "test";
        made->target = std::move(to);
        return made;
    }

    std::shared_ptr<const Catalogue> read(CatalogueSource& source)
    {
        Reading reading = run(io_, source.read());
        EXPECT_TRUE(reading) << reading.error().detail;
        return reading ? *reading : nullptr;
    }

    std::shared_ptr<const Catalogue> read_as(const std::string& user)
    {
        CatalogueSource source(connection(target(user)), std::make_shared<CatalogueChanges>());
        return read(source);
    }

    // A session of somebody's, on which statements run one after the other.
    TargetSession log_in(const std::string& user = "postgres")
    {
        auto session = run(io_, log_in_to_target(target(user), {}, patience));
        EXPECT_TRUE(session);
        return *std::move(session);
    }
    std::string ask(TargetSession& session, const std::string& sql)
    {
        return run(io_, converse(session, sql));
    }

    static const CatalogueRelation& relation(const Catalogue& catalogue, const std::string& name,
                                             const std::string& schema = "app")
    {
        for (const CatalogueRelation* one : catalogue.relations_named(name))
            if (one->schema == schema)
                return *one;
        static const CatalogueRelation none;
        ADD_FAILURE() << "no " << schema << "." << name;
        return none;
    }
    static const CatalogueFunction& function(const Catalogue& catalogue, const std::string& name)
    {
        static const CatalogueFunction none;
        const auto found = catalogue.functions_named(name);
        EXPECT_EQ(found.size(), 1U) << name;
        return found.empty() ? none : *found[0];
    }
    static const CatalogueType& type(const Catalogue& catalogue, const std::string& name)
    {
        static const CatalogueType none;
        const auto found = catalogue.types_named(name);
        EXPECT_EQ(found.size(), 1U) << name;
        return found.empty() ? none : *found[0];
    }
    static std::vector<std::string> column_names(const CatalogueRelation& relation)
    {
        std::vector<std::string> names;
        for (const CatalogueColumn& column : relation.columns)
            names.push_back(column.name);
        return names;
    }

    static PrivateCluster* cluster;
    boost::asio::io_context io_;

private:
    static boost::asio::awaitable<std::string> converse(TargetSession& session, std::string sql)
    {
        const std::string query = message('Q', sql + '\0');
        EXPECT_TRUE(co_await session.stream.write(bytes_of(query)));
        std::string answer;
        const auto ready = [&answer] {
            return answer.size() >= 6 &&
                   answer.substr(answer.size() - 6, 5) == message('Z', "I").substr(0, 5);
        };
        while (!ready()) {
            std::string piece(4096, '\0');
            const auto room = std::as_writable_bytes(std::span(piece));
            const auto count = co_await session.stream.read_some(room);
            if (!count || *count == 0)
                co_return answer + "<closed>";
            answer += piece.substr(0, *count);
        }
        co_return answer;
    }
};

PrivateCluster* CatalogueReaderPgTest::cluster = nullptr;

TEST_F(CatalogueReaderPgTest, RelationsAndTheirColumns)
{
    const auto catalogue = read_as("reader");
    ASSERT_NE(catalogue, nullptr);
    const CatalogueRelation& users = relation(*catalogue, "users");
    EXPECT_EQ(users.kind, 'r');
    EXPECT_THAT(column_names(users),
                ElementsAre("id", "name", "", "born", "twice", "worth", "two"));
    EXPECT_EQ(users.columns[1].type, 25U);
    EXPECT_EQ(users.columns[4].generated, "(7 * 2)");
    EXPECT_EQ(users.columns[1].generated, "");
    EXPECT_EQ(users.columns[5].type, type(*catalogue, "amount").oid);
    EXPECT_EQ(catalogue->relation(users.oid), &users);
    EXPECT_EQ(relation(*catalogue, "measures").kind, 'p');
    EXPECT_EQ(relation(*catalogue, "names").kind, 'v');
    EXPECT_EQ(relation(*catalogue, "frozen").kind, 'm');
    EXPECT_EQ(relation(*catalogue, "far").kind, 'f');
    EXPECT_EQ(relation(*catalogue, "far").server, "elsewhere");
    EXPECT_EQ(relation(*catalogue, "counter").kind, 'S');
    EXPECT_THAT(column_names(relation(*catalogue, "pair")), ElementsAre("left_one", "Right"));
    EXPECT_EQ(relation(*catalogue, "pair").kind, 'c');
    const CatalogueRelation& odd = relation(*catalogue, "T.", "Odd \"Name");
    EXPECT_THAT(odd.columns.at(0).places, ElementsAre("Odd \"Name.T..c."));

    const CatalogueRelation& base = relation(*catalogue, "base");
    const CatalogueRelation& child = relation(*catalogue, "child");
    EXPECT_THAT(child.parents, ElementsAre(base.oid, relation(*catalogue, "other").oid));
    EXPECT_THAT(base.columns[0].places, ElementsAre("app.base.x", "app.child.x"));
    EXPECT_THAT(relation(*catalogue, "measures_1").parents,
                ElementsAre(relation(*catalogue, "measures").oid));

    EXPECT_TRUE(relation(*catalogue, "pg_class", "pg_catalog").columns.size() > 20);
    EXPECT_FALSE(relation(*catalogue, "columns", "information_schema").columns.empty());
    const auto holds = [&](const std::string& name, const std::string& column) {
        for (const CatalogueColumn& one : relation(*catalogue, name, "pg_catalog").columns)
            if (one.name == column)
                return one.holds_values;
        ADD_FAILURE() << name << "." << column;
        return false;
    };
    EXPECT_TRUE(holds("pg_stats", "most_common_vals"));
    EXPECT_FALSE(holds("pg_stats", "tablename"));
    EXPECT_TRUE(holds("pg_stat_activity", "query"));
    EXPECT_TRUE(holds("pg_attribute", "attmissingval"));
    EXPECT_TRUE(holds("pg_authid", "rolpassword"));
}

TEST_F(CatalogueReaderPgTest, WhatRunsWhenARelationIsReadOrWritten)
{
    const auto catalogue = read_as("reader");
    ASSERT_NE(catalogue, nullptr);
    EXPECT_THAT(relation(*catalogue, "names").definition,
                AllOf(HasSubstr("app.users u"), HasSubstr("JOIN app.users")));
    EXPECT_THAT(relation(*catalogue, "frozen").definition, HasSubstr("FROM app.names"));
    EXPECT_THAT(relation(*catalogue, "Odd view").definition, HasSubstr("1 AS \"A b\""));
    EXPECT_EQ(relation(*catalogue, "users").definition, "");
    EXPECT_EQ(relation(*catalogue, "pg_stats", "pg_catalog").definition, "");

    const CatalogueRelation& base = relation(*catalogue, "base");
    EXPECT_THAT(base.rules, ElementsAre(AllOf(StartsWith("CREATE RULE gone AS"),
                                              HasSubstr("DELETE FROM app.other"))));
    EXPECT_THAT(relation(*catalogue, "names").rules, IsEmpty());

    const CatalogueRelation& users = relation(*catalogue, "users");
    const std::uint32_t noted = function(*catalogue, "noted").oid;
    ASSERT_THAT(users.triggers, SizeIs(2));
    EXPECT_EQ(users.triggers[0].function, noted);
    EXPECT_EQ(users.triggers[0].condition, "((new.name <> ') E\\'''::text) OR (new.id > 1))");
    EXPECT_NE(users.triggers[0].events & CatalogueTrigger::on_insert, 0);
    EXPECT_NE(users.triggers[0].events & CatalogueTrigger::on_update, 0);
    EXPECT_EQ(users.triggers[0].events & CatalogueTrigger::on_delete, 0);
    EXPECT_EQ(users.triggers[1].condition, "");
    EXPECT_NE(users.triggers[1].events & CatalogueTrigger::on_delete, 0);
    EXPECT_NE(base.triggers.at(0).events & CatalogueTrigger::on_truncate, 0);
    EXPECT_THAT(relation(*catalogue, "measures").triggers, SizeIs(1));
    ASSERT_THAT(relation(*catalogue, "measures_1").triggers, SizeIs(1));
    EXPECT_EQ(relation(*catalogue, "measures_1").triggers[0].function, noted);

    EXPECT_THAT(users.written_expressions,
                UnorderedElementsAre("nextval('app.users_id_seq'::regclass)", "upper('x'::text)",
                                     "(7 * 2)", "(born > '1900-01-01'::date)",
                                     "lower(name), ((worth)::integer + 1)", "(born IS NOT NULL)"));
    EXPECT_THAT(relation(*catalogue, "measures").written_expressions, ElementsAre("lower(city)"));
    EXPECT_THAT(relation(*catalogue, "far").written_expressions, ElementsAre("abs('-3'::integer)"));
    EXPECT_THAT(users.policy_expressions,
                UnorderedElementsAre(HasSubstr("FROM app.base"), "(id > 5)"));
    EXPECT_THAT(base.policy_expressions, IsEmpty());
}

TEST_F(CatalogueReaderPgTest, FunctionsOperatorsCastsAndTypes)
{
    const auto catalogue = read_as("reader");
    ASSERT_NE(catalogue, nullptr);
    const CatalogueFunction& find = function(*catalogue, "find");
    EXPECT_EQ(find.schema, "app");
    EXPECT_EQ(find.kind, 'f');
    EXPECT_EQ(find.language, "sql");
    EXPECT_EQ(find.fewest_arguments, 1);
    EXPECT_EQ(find.most_arguments, 3);
    EXPECT_TRUE(find.variadic);
    EXPECT_TRUE(find.returns_set);
    EXPECT_THAT(find.argument_types, ElementsAre(23, 25, 1007));
    EXPECT_THAT(find.result_columns, ElementsAre("first one", "column2"));
    EXPECT_THAT(find.definition, AllOf(StartsWith("CREATE OR REPLACE FUNCTION app.find("),
                                       HasSubstr("from app.users")));
    EXPECT_EQ(catalogue->function(find.oid), &find);

    EXPECT_THAT(function(*catalogue, "listed").result_columns, ElementsAre("a", "b"));
    EXPECT_THAT(function(*catalogue, "listed").definition, HasSubstr("execute 'select"));
    EXPECT_EQ(function(*catalogue, "work").kind, 'p');
    EXPECT_THAT(function(*catalogue, "work").definition, HasSubstr("PROCEDURE app.work"));
    EXPECT_THAT(function(*catalogue, "positive_number").definition, HasSubstr("BEGIN ATOMIC"));
    EXPECT_EQ(function(*catalogue, "positive_number").result_type, 16U);
    EXPECT_EQ(function(*catalogue, "builtin").language, "internal");
    EXPECT_EQ(function(*catalogue, "builtin").definition, "");
    EXPECT_EQ(function(*catalogue, "too_long").definition, "");
    EXPECT_EQ(function(*catalogue, "too_long").extension, "");
    EXPECT_EQ(function(*catalogue, "citextin").extension, "citext");
    EXPECT_THAT(catalogue->functions_named("lower"), IsEmpty());

    const CatalogueFunction& total = function(*catalogue, "total");
    EXPECT_EQ(total.kind, 'a');
    EXPECT_EQ(total.definition, "");
    const std::uint32_t step = function(*catalogue, "step").oid;
    EXPECT_THAT(total.support, UnorderedElementsAre(step, function(*catalogue, "done").oid));

    ASSERT_THAT(catalogue->operators_named("==="), SizeIs(1));
    EXPECT_EQ(catalogue->operators_named("===")[0]->function, step);
    EXPECT_EQ(catalogue->operators_named("===")[0]->schema, "app");
    EXPECT_THAT(catalogue->operators_named("||"), IsEmpty());

    const CatalogueType& colour = type(*catalogue, "colour");
    EXPECT_EQ(colour.kind, 'e');
    const auto cast =
        std::find_if(catalogue->casts().begin(), catalogue->casts().end(),
                     [&](const CatalogueCast& one) { return one.source == colour.oid; });
    ASSERT_NE(cast, catalogue->casts().end());
    EXPECT_EQ(cast->target, 23U);
    EXPECT_EQ(cast->function, function(*catalogue, "as_amount").oid);
    EXPECT_EQ(cast->context, 'i');

    const CatalogueType& amount = type(*catalogue, "amount");
    EXPECT_EQ(amount.kind, 'd');
    EXPECT_EQ(amount.base, 23U);
    EXPECT_EQ(amount.element, 0U);
    EXPECT_THAT(amount.constraints, UnorderedElementsAre("app.positive_number(VALUE)",
                                                         "(VALUE < 1000)", "length('four'::text)"));
    EXPECT_EQ(type(*catalogue, "pair").relation, relation(*catalogue, "pair").oid);
    EXPECT_EQ(type(*catalogue, "_colour").element, colour.oid);
}

TEST_F(CatalogueReaderPgTest, TheSearchPathIsTheRolesOwn)
{
    const auto catalogue = read_as("reader");
    ASSERT_NE(catalogue, nullptr);
    EXPECT_THAT(catalogue->search_path(), ElementsAre("app", "public"));
    EXPECT_THAT(catalogue->schemas(), AllOf(IsSupersetOf({"app", "hidden", "Odd \"Name", "public",
                                                          "pg_catalog", "information_schema"}),
                                            Each(Not(StartsWith("pg_toast")))));
    EXPECT_THAT(read_as("postgres")->search_path(), ElementsAre("public"));
}

TEST_F(CatalogueReaderPgTest, NobodyElsesFunctionsRunInIt)
{
    TargetSession owner = log_in();
    ask(owner,
        "create role careless login; create schema trap; grant usage on schema trap to careless;"
        "alter role careless set search_path = trap, pg_catalog, public;"
        "create table trap.log (x int);"
        "create function trap.note() returns bool language plpgsql as"
        " $$ begin raise exception 'trapped'; end $$;"
        "create function trap.same(oid, oid) returns bool language sql as 'select trap.note()';"
        "create operator trap.= (function = trap.same, leftarg = oid, rightarg = oid);"
        "create function trap.unnest(name[]) returns setof name language sql as"
        " 'select ''x''::name from trap.note()';"
        "create function trap.pg_get_viewdef(oid) returns text language sql as"
        " 'select trap.note()::text'");
    const auto catalogue = read_as("careless");
    ASSERT_NE(catalogue, nullptr);
    EXPECT_THAT(catalogue->search_path(), ElementsAre("trap", "pg_catalog", "public"));
    EXPECT_NE(relation(*catalogue, "names").definition, "");
    ask(owner, "drop schema trap cascade; drop role careless");
}

TEST_F(CatalogueReaderPgTest, WhatSomebodyHasLockedIsNotWaitedFor)
{
    TargetSession owner = log_in();
    ask(owner, "begin");
    ask(owner, "lock table app.users in access exclusive mode");
    const auto begin = std::chrono::steady_clock::now();
    CatalogueSource source(connection(target("reader")), std::make_shared<CatalogueChanges>());
    const auto catalogue = read(source);
    EXPECT_LT(std::chrono::steady_clock::now() - begin, patience / 3);
    ASSERT_NE(catalogue, nullptr);
    const CatalogueRelation& users = relation(*catalogue, "users");
    EXPECT_THAT(users.columns, SizeIs(7));
    EXPECT_THAT(
        users.written_expressions,
        UnorderedElementsAre("nextval('app.users_id_seq'::regclass)", "upper('x'::text)",
                             unreadable_text, unreadable_text, unreadable_text, unreadable_text));
    EXPECT_THAT(users.policy_expressions, AllOf(SizeIs(2), Each(std::string(unreadable_text))));
    EXPECT_EQ(users.columns[4].generated, unreadable_text);
    EXPECT_EQ(users.triggers.at(0).condition, unreadable_text);
    EXPECT_EQ(users.triggers.at(1).condition, "");
    EXPECT_EQ(relation(*catalogue, "names").definition, "");
    EXPECT_NE(relation(*catalogue, "frozen").definition, "");
    ask(owner, "rollback");
    const auto later = read_as("reader");
    EXPECT_NE(relation(*later, "names").definition, "");
    EXPECT_THAT(relation(*later, "users").written_expressions,
                Each(Not(std::string(unreadable_text))));
}

TEST_F(CatalogueReaderPgTest, WithoutTheRightToReadDefinitionsTheRestIsRead)
{
    TargetSession owner = log_in();
    const std::string functions =
        "pg_catalog.pg_get_viewdef(oid), pg_catalog.pg_get_expr(pg_node_tree, oid), "
        "pg_catalog.pg_get_functiondef(oid), pg_catalog.pg_get_triggerdef(oid), "
        "pg_catalog.pg_get_ruledef(oid)";
    ask(owner, "revoke execute on function " + functions + " from public");
    const auto catalogue = read_as("reader");
    ask(owner, "grant execute on function " + functions + " to public");
    ASSERT_NE(catalogue, nullptr);
    const CatalogueRelation& users = relation(*catalogue, "users");
    EXPECT_THAT(users.columns, SizeIs(7));
    EXPECT_THAT(users.written_expressions, AllOf(SizeIs(6), Each(std::string(unreadable_text))));
    EXPECT_EQ(users.triggers.at(0).condition, unreadable_text);
    EXPECT_THAT(relation(*catalogue, "base").rules, ElementsAre(std::string(unreadable_text)));
    EXPECT_EQ(relation(*catalogue, "names").definition, "");
    EXPECT_EQ(function(*catalogue, "find").definition, "");
    EXPECT_THAT(type(*catalogue, "amount").constraints,
                AllOf(SizeIs(3), Each(std::string(unreadable_text))));
}

TEST_F(CatalogueReaderPgTest, AReadingIsKeptUntilSomethingPassed)
{
    const auto changes = std::make_shared<CatalogueChanges>();
    auto opened = DerivedColumns::open("");
    ASSERT_TRUE(opened);
    const std::shared_ptr<DerivedColumns> derived = *std::move(opened);
    CatalogueSource source(connection(target("reader")), changes, derived);
    EXPECT_EQ(source.current(), nullptr);
    EXPECT_FALSE(source.ageing());
    source.refresh();  // nothing to renew
    const auto first = read(source);
    ASSERT_NE(first, nullptr);
    EXPECT_EQ(source.current(), first);
    EXPECT_FALSE(source.ageing());

    changes->count.fetch_add(1);
    EXPECT_EQ(source.current(), nullptr);
    // DDL that changed nothing leaves the object what it was.
    EXPECT_EQ(read(source), first);
    EXPECT_EQ(source.current(), first);

    ASSERT_TRUE(derived->add({{"app", "base", "x", {"app.users.name"}}}));
    EXPECT_EQ(source.current(), nullptr);
    const auto second = read(source);
    ASSERT_NE(second, nullptr);
    EXPECT_THAT(relation(*second, "base").columns[0].places,
                ElementsAre("app.base.x", "app.child.x", "app.users.name"));
    EXPECT_EQ(source.current(), second);

    TargetSession owner = log_in();
    ask(owner, "create table app.fresh (x int)");
    changes->count.fetch_add(1);
    EXPECT_THAT(read(source)->relations_named("fresh"), SizeIs(1));
    ask(owner, "alter table app.base rename to renamed; drop table app.fresh");
    changes->count.fetch_add(1);
    const auto third = read(source);
    EXPECT_THAT(third->relations_named("fresh"), IsEmpty());
    EXPECT_THAT(relation(*third, "renamed").columns[0].places, Contains("app.users.name"));
    ask(owner, "alter table app.renamed rename to base");
}

TEST_F(CatalogueReaderPgTest, ManyWaitForOneReading)
{
    CatalogueSource source(connection(target("reader")), std::make_shared<CatalogueChanges>());
    std::vector<std::optional<Reading>> readings(20);
    for (auto& reading : readings)
        boost::asio::co_spawn(io_, keep(source.read(), reading), boost::asio::detached);
    io_.run();
    io_.restart();
    for (const auto& reading : readings) {
        ASSERT_TRUE(reading && *reading);
        EXPECT_EQ(**reading, *readings[0]);
    }
}

TEST_F(CatalogueReaderPgTest, AReadingOutlivesWhoAskedForIt)
{
    auto source = std::make_unique<CatalogueSource>(connection(target("reader")),
                                                    std::make_shared<CatalogueChanges>());
    ASSERT_NE(read(*source), nullptr);
    source->refresh();
    source.reset();
    io_.run();
}

TEST_F(CatalogueReaderPgTest, WhereTheTargetCannotBeReadTheErrorSaysWhy)
{
    CatalogueSource source(connection(target("nobody")), std::make_shared<CatalogueChanges>());
    for (int i = 0; i < 2; ++i) {
        const Reading reading = run(io_, source.read());
        ASSERT_FALSE(reading);
        EXPECT_THAT(reading.error().detail, HasSubstr("nobody"));
        EXPECT_EQ(source.current(), nullptr);
        EXPECT_FALSE(source.ageing());
    }
}

TEST_F(CatalogueReaderPgTest, AReadingIsSaved)
{
    std::string folder = (std::filesystem::temp_directory_path() / "catalogue-XXXXXX").string();
    ASSERT_NE(::mkdtemp(folder.data()), nullptr);
    std::shared_ptr<const Catalogue> catalogue;
    {
        CatalogueSource source(connection(target("reader")), std::make_shared<CatalogueChanges>(),
                               nullptr, folder + "/catalogue");
        catalogue = read(source);
    }
    ASSERT_NE(catalogue, nullptr);
    const auto saved = load_catalogue(folder + "/catalogue");
    ASSERT_TRUE(saved) << saved.error().detail;
    EXPECT_EQ(write_catalogue(*saved), write_catalogue(catalogue->parts()));
    std::filesystem::remove_all(folder);
}

// A schema of ordinary size. How long its reading takes is printed with the test's result; that it
// ends in good time at all is what is checked.
TEST_F(CatalogueReaderPgTest, TakesLittleTime)
{
    TargetSession owner = log_in();
    ask(owner,
        "create schema big; do $$ declare columns text; begin"
        " select string_agg(format('c%s text default ''x''', i), ', ') into columns"
        "   from generate_series(1, 14) i;"
        " for i in 1..300 loop"
        "   execute format('create table big.t%s (id serial primary key, %s)', i, columns);"
        " end loop;"
        " for i in 1..50 loop execute format('create view big.v%s as select t.*, u.c1 as other"
        "   from big.t%s t join big.t%s u on t.id = u.id where t.c2 <> ''''', i, i, i + 1);"
        " end loop;"
        " for i in 1..100 loop execute format('create function big.f%s(a int) returns text"
        "   language plpgsql as $f$ begin return (select c1 from big.t%s where id = a);"
        "   end $f$', i, i); end loop; end $$; analyze pg_catalog.pg_attribute");
    std::vector<double> milliseconds;
    for (int i = 0; i < 15; ++i) {
        CatalogueSource source(connection(target("reader")), std::make_shared<CatalogueChanges>());
        const auto begin = std::chrono::steady_clock::now();
        const auto catalogue = read(source);
        milliseconds.push_back(
            std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin)
                .count());
        ASSERT_NE(catalogue, nullptr);
        EXPECT_NE(relation(*catalogue, "v50", "big").definition, "");
        EXPECT_NE(function(*catalogue, "f100").definition, "");
    }
    std::sort(milliseconds.begin(), milliseconds.end());
    RecordProperty("median_milliseconds", std::to_string(milliseconds[7]));
    RecordProperty("least_milliseconds", std::to_string(milliseconds[0]));
    std::cout << "a reading: " << milliseconds[0] << " to " << milliseconds[14] << " ms, median "
              << milliseconds[7] << '\n';
    EXPECT_LT(milliseconds[7], 5000);
    ask(owner, "drop schema big cascade");
}

}  // namespace
}  // namespace sallyport::postgres
