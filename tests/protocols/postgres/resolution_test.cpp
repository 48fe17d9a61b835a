// What names mean, and what a statement does by what it calls and touches.

#include "protocols/postgres/resolution.h"

#include <algorithm>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <set>

#include "protocols/postgres/statement.h"
#include "tests/protocols/postgres/sample_names.h"

namespace sallyport::postgres {

namespace {

using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::UnorderedElementsAre;

using Names = std::shared_ptr<Resolution>;

std::string classes(std::string_view text, const Names& names)
{
    const auto sql = read_sql(text, names);
    EXPECT_EQ(sql->problem, "") << text;
    return sallyport::names_of(sql_vocabulary(), sql->command->classes());
}

// "select public.users", "select public.users behind": class, object, and whether it is asked for.
std::set<std::string> actions(std::string_view text, const Names& names)
{
    std::set<std::string> all;
    const auto sql = read_sql(text, names);
    for (const Action& action : sql->command->actions())
        all.insert(std::string(sql_vocabulary().classes[action.action_class]) +
                   (action.object.empty() ? "" : " " + action.object) +
                   (action.behind ? " behind" : ""));
    return all;
}

std::vector<std::string> found(const std::vector<const CatalogueRelation*>& relations)
{
    std::vector<std::string> all;
    for (const CatalogueRelation* relation : relations)
        all.push_back(relation->schema + "." + relation->name);
    return all;
}

SampleParts schemas()
{
    SampleParts made;
    made.relation("public", "t", {"a"});
    made.relation("app", "t", {"a"});
    made.relation("app", "lone", {"a"});
    made.relation("pg_catalog", "pg_class", {"relname"});
    made.relation("public", "pg_class", {"relname"});
    made.relation("pg_temp_3", "t", {"a"});
    return made;
}

TEST(ResolutionTest, TheFirstSchemaOfThePathThatHasTheNameCounts)
{
    EXPECT_THAT(found(resolved(schemas())->relations({}, "t")), ElementsAre("public.t"));
    EXPECT_THAT(found(resolved(schemas(), {{"app", "public"}, true})->relations({}, "t")),
                ElementsAre("app.t"));
    EXPECT_THAT(
        found(resolved(schemas(), {{"nowhere", "public", "app"}, true})->relations({}, "t")),
        ElementsAre("public.t"));
    EXPECT_THAT(found(resolved(schemas())->relations({}, "lone")), IsEmpty());
    EXPECT_THAT(found(resolved(schemas())->relations("app", "t")), ElementsAre("app.t"));
    EXPECT_THAT(found(resolved(schemas())->relations("nowhere", "t")), IsEmpty());
    EXPECT_THAT(found(resolved(schemas(), {{}, true})->relations({}, "t")), IsEmpty());
}

TEST(ResolutionTest, TheSystemsSchemaComesFirstUnlessThePathNamesIt)
{
    EXPECT_THAT(found(resolved(schemas())->relations({}, "pg_class")),
                ElementsAre("pg_catalog.pg_class"));
    EXPECT_THAT(
        found(resolved(schemas(), {{"public", "pg_catalog"}, true})->relations({}, "pg_class")),
        ElementsAre("public.pg_class"));
}

TEST(ResolutionTest, UnderAnUnknownPathANameMeansEverythingThatHasIt)
{
    const Names names = resolved(schemas(), {{}, false});
    EXPECT_THAT(found(names->relations({}, "t")), UnorderedElementsAre("public.t", "app.t"));
    EXPECT_THAT(found(names->relations("app", "t")), ElementsAre("app.t"));
    EXPECT_THAT(actions("SELECT * FROM t", names),
                UnorderedElementsAre("select public.t", "select app.t"));
    EXPECT_THAT(actions("DELETE FROM t WHERE a = 1", names),
                UnorderedElementsAre("delete public.t", "delete app.t"));
}

TEST(ResolutionTest, ObjectsAreNamedByTheSchemaTheyAreFoundIn)
{
    const Names names = resolved(schemas(), {{"app", "public"}, true});
    EXPECT_EQ(actions("SELECT * FROM t", names), std::set<std::string>{"select app.t"});
    EXPECT_EQ(actions("SELECT * FROM public.t", names), std::set<std::string>{"select public.t"});
    EXPECT_EQ(actions("DROP TABLE lone", names), std::set<std::string>{"drop app.lone"});
    EXPECT_EQ(actions("CREATE TABLE t2 ()", names), std::set<std::string>{"create app.t2"});
    // It is made where the path begins, wherever another one of its name is.
    EXPECT_EQ(actions("CREATE TABLE pg_class ()", names),
              std::set<std::string>{"create app.pg_class"});
    EXPECT_EQ(actions("SELECT * FROM nothing", names), std::set<std::string>{"select app.nothing"});
    EXPECT_EQ(names->creation_schema(), "app");
    EXPECT_EQ(names->relation_name({}, "t"), "app.t");
    EXPECT_EQ(names->relation_name("x", "t"), "x.t");
}

TEST(ResolutionTest, OwnRelationsStandBesideWhatTheCatalogueHas)
{
    const auto own = [](std::string schema, std::string name) {
        auto made = std::make_shared<CatalogueRelation>();
        made->schema = std::move(schema);
        made->name = std::move(name);
        return std::shared_ptr<const CatalogueRelation>(std::move(made));
    };
    const Names base = resolved(schemas());
    const Resolution names(
        base->catalogue(), {}, {{"public"}, true},
        {own("pg_temp", "t"), own("public", "fresh"), own("app", "fresh"), own("public", "t")});
    EXPECT_THAT(found(names.relations({}, "t")), UnorderedElementsAre("pg_temp.t", "public.t"));
    EXPECT_EQ(names.relations("public", "t").at(0)->oid, base->relations({}, "t").at(0)->oid);
    EXPECT_THAT(found(names.relations("pg_temp", "t")), ElementsAre("pg_temp.t"));
    EXPECT_THAT(found(names.relations({}, "fresh")), ElementsAre("public.fresh"));
    EXPECT_THAT(found(names.relations("app", "fresh")), ElementsAre("app.fresh"));
    const Resolution lost(nullptr, {}, {{"public"}, true}, {own("pg_temp", "t")});
    EXPECT_THAT(found(lost.relations({}, "t")), ElementsAre("pg_temp.t"));
}

SampleParts with_function(std::string schema, std::string name, std::uint16_t arguments,
                          std::string language, std::string definition = {})
{
    SampleParts made = sample_parts();
    made.function(std::move(schema), std::move(name), arguments, std::move(language),
                  std::move(definition));
    return made;
}

// CREATE FUNCTION public.f(a int) in PL/pgSQL with this body.
Names with_f(const std::string& body, std::vector<std::string> trusted = {})
{
    return resolved(with_function("public", "f", 1, "plpgsql",
                                  "CREATE FUNCTION public.f(a int) RETURNS int LANGUAGE plpgsql AS "
                                  "$f$ BEGIN " +
                                      body + " END $f$"),
                    {{"public"}, true}, std::move(trusted));
}

TEST(ResolutionTest, AFunctionDoesWhatItsBodyDoes)
{
    EXPECT_EQ(classes("SELECT f(1)", with_f("RETURN a + 1;")), "select");
    EXPECT_THAT(actions("SELECT f(1)", with_f("DELETE FROM users WHERE id = a; RETURN 1;")),
                Contains("delete public.users"));
    EXPECT_EQ(classes("SELECT f(1)", with_f("DELETE FROM users; RETURN 1;")),
              "select delete delete_all");
    EXPECT_EQ(classes("SELECT f(1)", with_f("EXECUTE 'x' || a; RETURN 1;")), "select opaque");
    EXPECT_EQ(classes("SELECT f(1)", with_f("PERFORM pg_reload_conf(); RETURN 1;")),
              "select admin_function");
    EXPECT_EQ(classes("SELECT f(1)", with_f("PERFORM nobody_knows(); RETURN 1;")), "select opaque");
    EXPECT_EQ(classes("SELECT f(1)", with_f("is no block")), "select opaque");
    EXPECT_EQ(classes("CALL f(1)", with_f("INSERT INTO log (what) VALUES (a);")),
              "insert call code");
    // Each says where it comes from.
    const auto sql = read_sql("SELECT f(1)", with_f("DELETE FROM users; RETURN 1;"));
    EXPECT_TRUE(std::ranges::any_of(sql->command->actions(), [](const Action& action) {
        return action.cause.find("public.f()") != std::string::npos;
    }));
}

TEST(ResolutionTest, ACallMeansEveryFunctionThatTakesAsManyArguments)
{
    SampleParts sample = with_function("public", "g", 1, "sql",
                                       "CREATE FUNCTION public.g(int) RETURNS int LANGUAGE sql AS "
                                       "$f$ DELETE FROM cards WHERE id = $1 RETURNING 1 $f$");
    sample.function("public", "g", 1, "sql",
                    "CREATE FUNCTION public.g(text) RETURNS int LANGUAGE sql AS $f$ SELECT 1 $f$");
    sample.function(
        "public", "g", 2, "sql",
        "CREATE FUNCTION public.g(int, int) RETURNS int LANGUAGE sql AS $f$ DELETE FROM "
        "orders WHERE id = $1 RETURNING 1 $f$");
    sample.function("app", "g", 1, "sql",
                    "CREATE FUNCTION app.g(int) RETURNS int LANGUAGE sql AS $f$ DELETE FROM users "
                    "WHERE id = $1 RETURNING 1 $f$");
    CatalogueFunction& many =
        sample.function("public", "many", 1, "sql",
                        "CREATE FUNCTION public.many(int, VARIADIC int[]) RETURNS int LANGUAGE sql "
                        "AS $f$ DELETE FROM cards WHERE id = $1 RETURNING 1 $f$");
    many.variadic = true;
    const Names names = resolved(std::move(sample));
    EXPECT_THAT(actions("SELECT g(1)", names),
                AllOf(Contains("delete public.cards"), Not(Contains("delete public.orders")),
                      Not(Contains("delete public.users"))));
    EXPECT_THAT(actions("SELECT g(1, 2)", names), Contains("delete public.orders"));
    EXPECT_THAT(actions("SELECT app.g(1)", names), Contains("delete public.users"));
    EXPECT_EQ(classes("SELECT g(1, 2, 3)", names), "select opaque");
    EXPECT_THAT(actions("SELECT many(1, 2, 3, 4)", names), Contains("delete public.cards"));
}

TEST(ResolutionTest, FunctionsThatCallFunctionsAreFollowed)
{
    SampleParts sample =
        with_function("public", "outer_one", 0, "sql",
                      "CREATE FUNCTION public.outer_one() RETURNS int LANGUAGE sql "
                      "AS $f$ SELECT inner_one() $f$");
    sample.function("public", "inner_one", 0, "plpgsql",
                    "CREATE FUNCTION public.inner_one() RETURNS int LANGUAGE plpgsql AS $f$ BEGIN "
                    "TRUNCATE users; RETURN outer_one(); END $f$");
    const Names names = resolved(std::move(sample));
    EXPECT_EQ(actions("SELECT outer_one()", names),
              (std::set<std::string>{"select", "truncate public.users"}));
    EXPECT_EQ(classes("SELECT spin(3)", sample_names()), "select");
}

TEST(ResolutionTest, AThousandFunctionsBehindOneEndInOpaque)
{
    SampleParts sample;
    sample.parts.functions.reserve(6000);
    for (int i = 0; i < 5000; ++i) {
        const std::string name = "f" + std::to_string(i);
        sample.function("public", name, 0, "sql",
                        "CREATE FUNCTION public." + name +
                            "() RETURNS int LANGUAGE sql AS $f$ "
                            "SELECT f" +
                            std::to_string(i + 1) + "() $f$");
    }
    EXPECT_THAT(classes("SELECT f0()", resolved(std::move(sample))), HasSubstr("opaque"));
}

TEST(ResolutionTest, TheBodysOwnSearchPathCounts)
{
    const auto names_with = [](const std::string& option) {
        SampleParts sample = schemas();
        sample.function("public", "f", 0, "sql",
                        "CREATE FUNCTION public.f() RETURNS int LANGUAGE sql " + option +
                            " AS $f$ DELETE FROM t WHERE a = 1 RETURNING 1 $f$");
        return resolved(std::move(sample));
    };
    EXPECT_THAT(actions("SELECT f()", names_with("")), Contains("delete public.t"));
    EXPECT_THAT(actions("SELECT f()", names_with("SET search_path TO 'app', 'pg_temp'")),
                AllOf(Contains("delete app.t"), Not(Contains("delete public.t"))));
    EXPECT_THAT(actions("SELECT f()", names_with("SET search_path TO \"$user\", 'app'")),
                AllOf(Contains("delete app.t"), Contains("delete public.t")));
}

TEST(ResolutionTest, TrustedFunctionsDoNothing)
{
    EXPECT_EQ(classes("SELECT f(1)", with_f("EXECUTE 'x' || a; RETURN 1;", {"public.f"})),
              "select");
    EXPECT_EQ(classes("SELECT public.f(1)", with_f("EXECUTE 'x' || a; RETURN 1;", {"public.f"})),
              "select");
    EXPECT_EQ(classes("SELECT native(1)",
                      resolved(sample_parts(), {{"public"}, true}, {"public.native"})),
              "select");
    // One of the same name in another schema of the path is not the trusted one.
    SampleParts two = sample_parts();
    two.function("app", "native", 1, "c");
    const Names both = resolved(std::move(two), {{"app", "public"}, true}, {"public.native"});
    EXPECT_EQ(classes("SELECT native(1)", both), "select opaque");
    EXPECT_EQ(classes("SELECT public.native(1)", both), "select");
    EXPECT_TRUE(both->is_trusted("public", "native"));
    EXPECT_FALSE(both->is_trusted("", "native"));
}

TEST(ResolutionTest, CodeThatCannotBeReadIsOpaque)
{
    EXPECT_EQ(classes("SELECT native(1)", sample_names()), "select opaque");
    EXPECT_EQ(classes("SELECT look(1)", sample_names()), "select opaque");
    EXPECT_EQ(classes("SELECT similarity('a', 'b')", sample_names()), "select");
    EXPECT_EQ(classes("SELECT anything('x')", sample_names()), "select opaque");
    EXPECT_EQ(classes("SELECT f(1)", resolved(with_function("public", "f", 1, "sql"))),
              "select opaque");
    EXPECT_EQ(
        classes("SELECT f(1)", resolved(with_function("public", "f", 1, "plpgsql", "SELECT 1"))),
        "select opaque");
    SampleParts other = with_function("public", "dblink", 2, "c");
    other.parts.functions.back().extension = "dblink";
    EXPECT_THAT(classes("SELECT dblink('a', 'b')", resolved(std::move(other))),
                HasSubstr("remote"));
    SampleParts odd = with_function("public", "odd", 1, "c");
    odd.parts.functions.back().extension = "nobody_knows";
    EXPECT_EQ(classes("SELECT odd(1)", resolved(std::move(odd))), "select opaque");
}

TEST(ResolutionTest, ADefaultOfAParameterIsCalledAsWell)
{
    SampleParts sample = with_function(
        "public", "f", 0, "sql",
        "CREATE FUNCTION public.f(a int DEFAULT pg_advisory_lock(1)) RETURNS int LANGUAGE sql AS "
        "$f$ SELECT a $f$");
    sample.parts.functions.back().most_arguments = 1;
    EXPECT_EQ(classes("SELECT f()", resolved(std::move(sample))), "select lock");
}

TEST(ResolutionTest, ARoleThatAFunctionSetsIsAnIdentity)
{
    EXPECT_THAT(classes("SELECT f(1)",
                        resolved(with_function("public", "f", 1, "sql",
                                               "CREATE FUNCTION public.f(int) RETURNS int LANGUAGE "
                                               "sql SET role TO 'admin' AS $f$ SELECT 1 $f$"))),
                HasSubstr("identity"));
}

TEST(ResolutionTest, SettingsOfABodyAreTheStatements)
{
    const auto sql = read_sql(
        "SELECT f(1)", with_f("PERFORM set_config('client_encoding', 'SJIS', false); RETURN 1;"));
    EXPECT_THAT(sql->statements().at(0).settings, Contains("client_encoding"));
    const auto path = read_sql("SELECT f(1)", with_f("SET search_path = app; RETURN 1;"));
    EXPECT_THAT(path->statements().at(0).settings, Contains("search_path"));
    ASSERT_TRUE(path->statements().at(0).path);
    EXPECT_EQ(path->statements().at(0).path->to, PathChange::To::unknown);
}

TEST(ResolutionTest, AViewIsReadAndItsTablesBehindIt)
{
    EXPECT_THAT(actions("SELECT code FROM people", sample_names()),
                UnorderedElementsAre("select public.people", "select public.users behind"));
    EXPECT_THAT(actions("SELECT code FROM named_people", sample_names()),
                UnorderedElementsAre("select public.named_people", "select public.people behind",
                                     "select public.users behind"));
    // Asked for by name as well, it is not behind.
    EXPECT_THAT(actions("SELECT code FROM people, users", sample_names()),
                UnorderedElementsAre("select public.people", "select public.users"));
    EXPECT_THAT(actions("SELECT 1 FROM users, people", sample_names()),
                UnorderedElementsAre("select public.people", "select public.users"));
    // A materialised view is read from its own file.
    EXPECT_THAT(actions("SELECT total FROM sums", sample_names()),
                UnorderedElementsAre("select public.sums"));
}

TEST(ResolutionTest, AViewDoesWhatItsFunctionsDo)
{
    SampleParts sample = sample_parts();
    sample.function("public", "kill", 0, "sql",
                    "CREATE FUNCTION public.kill() RETURNS int LANGUAGE sql AS $f$ DELETE FROM "
                    "cards RETURNING 1 $f$");
    sample.view("public", "trap", {"a"}, " SELECT public.kill() AS a;");
    sample.view("public", "broken", {"a"}, "");
    sample.view("public", "garbled", {"a"}, " SELEC x");
    sample.view("public", "loud", {"a"}, " SELECT pg_read_file('x'::text) AS a;");
    const Names names = resolved(std::move(sample));
    EXPECT_EQ(classes("SELECT * FROM trap", names), "select delete delete_all");
    EXPECT_EQ(classes("SELECT * FROM broken", names), "select opaque");
    EXPECT_EQ(classes("SELECT * FROM garbled", names), "select opaque");
    EXPECT_EQ(classes("SELECT * FROM loud", names), "select server_file");
}

TEST(ResolutionTest, WritingIntoAViewWritesIntoItsTable)
{
    const auto written = actions("UPDATE people SET name = 'x' WHERE id = 1", sample_names());
    EXPECT_THAT(written, Contains("update public.people"));
    EXPECT_THAT(written, Contains(HasSubstr("public.users")));
    // With what its table's triggers do.
    SampleParts sample = sample_parts();
    sample.view("public", "ticket_list", {"id", "body"},
                " SELECT tickets.id, tickets.body FROM public.tickets;");
    EXPECT_THAT(actions("INSERT INTO ticket_list (body) VALUES ('x')", resolved(std::move(sample))),
                Contains("insert public.log"));
}

TEST(ResolutionTest, TriggersRunOnTheirEvents)
{
    EXPECT_THAT(actions("INSERT INTO tickets (body) VALUES ('x')", sample_names()),
                UnorderedElementsAre("insert public.tickets", "insert public.log"));
    EXPECT_EQ(actions("UPDATE tickets SET body = 'x' WHERE id = 1", sample_names()),
              std::set<std::string>{"update public.tickets"});
    EXPECT_THAT(actions("MERGE INTO tickets t USING cards c ON t.id = c.id WHEN NOT MATCHED THEN "
                        "INSERT VALUES (1, 'x')",
                        sample_names()),
                Contains("insert public.log"));
    EXPECT_THAT(actions("COPY tickets FROM STDIN", sample_names()), Contains("insert public.log"));
    EXPECT_THAT(actions("INSERT INTO tickets (id) VALUES (1) ON CONFLICT (id) DO UPDATE SET body = "
                        "'x'",
                        sample_names()),
                Contains("insert public.log"));

    const auto on = [](std::uint16_t event, const std::string& condition = {}) {
        SampleParts sample = sample_parts();
        const CatalogueFunction& alarm = sample.function(
            "public", "alarm", 0, "plpgsql",
            "CREATE FUNCTION public.alarm() RETURNS trigger LANGUAGE plpgsql AS $f$ "
            "BEGIN PERFORM pg_notify('a', 'b'); RETURN NULL; END $f$");
        CatalogueRelation& cards = sample.relation_named("cards");
        SampleParts::trigger(cards, alarm, event);
        cards.triggers.back().condition = condition;
        return resolved(std::move(sample));
    };
    EXPECT_THAT(classes("DELETE FROM cards WHERE id = 1", on(CatalogueTrigger::on_delete)),
                HasSubstr("listen"));
    EXPECT_THAT(classes("TRUNCATE cards", on(CatalogueTrigger::on_truncate)), HasSubstr("listen"));
    EXPECT_EQ(classes("TRUNCATE cards", on(CatalogueTrigger::on_delete)), "truncate");
    EXPECT_EQ(classes("UPDATE cards SET pan = 'x' WHERE id = 1",
                      on(CatalogueTrigger::on_update, "pg_read_file('x') IS NULL")),
              "update listen server_file");
}

TEST(ResolutionTest, RulesDefaultsChecksAndPoliciesRunAsWell)
{
    SampleParts sample = sample_parts();
    sample.relation_named("orders").rules.emplace_back(
        "CREATE RULE r AS ON INSERT TO public.orders DO ALSO DELETE FROM public.cards WHERE "
        "cards.id = new.id");
    sample.relation_named("cards").written_expressions = {
        "nextval('public.cards_id_seq'::regclass)", "pg_advisory_lock(1) IS NULL, lower(pan)"};
    sample.relation_named("log").policy_expressions = {"pg_read_file('x'::text) IS NULL"};
    sample.relation_named("far").written_expressions = {")"};
    const Names names = resolved(std::move(sample));
    EXPECT_THAT(actions("INSERT INTO orders (id) VALUES (1)", names),
                UnorderedElementsAre("insert public.orders", "delete public.cards"));
    EXPECT_EQ(classes("INSERT INTO cards (id) VALUES (1)", names), "insert lock");
    EXPECT_EQ(classes("UPDATE cards SET pan = 'x' WHERE id = 1", names), "update lock");
    EXPECT_EQ(classes("DELETE FROM cards WHERE id = 1", names), "delete");
    EXPECT_EQ(classes("SELECT at FROM log", names), "select server_file");
    EXPECT_THAT(classes("INSERT INTO far (id) VALUES (1)", names), HasSubstr("opaque"));
}

TEST(ResolutionTest, ANextValueIsPartOfAnInsertAndADefaultsOwnDeedIsNot)
{
    SampleParts sample = sample_parts();
    sample.relation_named("cards").written_expressions = {"setval('s'::regclass, 1)"};
    EXPECT_EQ(classes("INSERT INTO cards (id) VALUES (1)", resolved(std::move(sample))),
              "insert update");
}

TEST(ResolutionTest, ForeignTablesAreOnOtherServers)
{
    EXPECT_EQ(classes("SELECT secret FROM far", sample_names()), "select remote");
    EXPECT_EQ(classes("INSERT INTO far (id) VALUES (1)", sample_names()), "insert remote");
    EXPECT_THAT(actions("SELECT secret FROM far", sample_names()), Contains("remote public.far"));
}

TEST(ResolutionTest, OperatorsCastsDomainsAndAggregatesAreFunctions)
{
    SampleParts sample = sample_parts();
    const std::uint32_t bang =
        sample
            .function(
                "public", "bang", 2, "sql",
                "CREATE FUNCTION public.bang(int, int) RETURNS int LANGUAGE sql AS $f$ DELETE "
                "FROM cards WHERE id = $1 RETURNING 1 $f$")
            .oid;
    sample.parts.operators.push_back({"public", "!!!", bang, false});
    CatalogueType odd;
    odd.oid = 30000;
    odd.schema = "public";
    odd.name = "odd";
    sample.parts.types.push_back(odd);
    sample.parts.casts.push_back({25, 30000, bang, 'e'});
    CatalogueType amount;
    amount.oid = 30001;
    amount.schema = "public";
    amount.name = "amount";
    amount.kind = 'd';
    amount.constraints = {"(VALUE > 0)", "pg_advisory_lock(VALUE) IS NULL"};
    sample.parts.types.push_back(amount);
    CatalogueFunction& sum = sample.function("public", "add_up", 1, "internal");
    sum.kind = 'a';
    sum.support = {bang};
    CatalogueFunction& window = sample.function("public", "win", 1, "internal");
    window.kind = 'w';
    const Names names = resolved(std::move(sample));
    EXPECT_THAT(actions("SELECT 1 !!! 2", names), Contains("delete public.cards"));
    EXPECT_THAT(actions("SELECT 1 OPERATOR(public.!!!) 2", names), Contains("delete public.cards"));
    EXPECT_EQ(classes("SELECT 1 OPERATOR(app.!!!) 2", names), "select opaque");
    EXPECT_EQ(classes("SELECT 1 + 2", names), "select");
    EXPECT_THAT(actions("SELECT 'x'::odd", names), Contains("delete public.cards"));
    EXPECT_THAT(actions("SELECT 'x'::public.odd", names), Contains("delete public.cards"));
    EXPECT_EQ(classes("SELECT 1::amount", names), "select lock");
    EXPECT_EQ(classes("SELECT 1::int", names), "select");
    EXPECT_THAT(actions("SELECT add_up(id) FROM users", names), Contains("delete public.cards"));
    EXPECT_EQ(classes("SELECT win(id) OVER () FROM users", names), "select opaque");
    EXPECT_THAT(actions("SELECT x FROM users ORDER BY x USING OPERATOR(public.!!!)", names),
                Contains("delete public.cards"));
}

TEST(ResolutionTest, ImplicitCastsRunUnwritten)
{
    SampleParts sample = sample_parts();
    const std::uint32_t convert =
        sample
            .function("public", "convert_it", 1, "sql",
                      "CREATE FUNCTION public.convert_it(int) RETURNS text LANGUAGE sql AS $f$ "
                      "DELETE FROM cards WHERE id = $1 RETURNING '' $f$")
            .oid;
    sample.parts.casts.push_back({23, 30000, convert, 'i'});
    const Names names = resolved(std::move(sample));
    EXPECT_THAT(actions("INSERT INTO users (id) VALUES (1)", names),
                Contains("delete public.cards"));
}

TEST(ResolutionTest, AnImplicitCastRunsWhereItsTypeIs)
{
    SampleParts sample = sample_parts();
    const CatalogueFunction& convert = sample.function(
        "public", "convert_it", 1, "sql",
        "CREATE FUNCTION public.convert_it(public.colour) RETURNS text LANGUAGE sql AS $f$ "
        "DELETE FROM cards WHERE id = 1 RETURNING '' $f$");
    constexpr std::uint32_t colour = 30000;
    sample.parts.types.push_back({.oid = colour, .schema = "public", .name = "colour"});
    sample.parts.types.push_back(
        {.oid = colour + 1, .schema = "public", .name = "_colour", .element = colour});
    sample.parts.types.push_back(
        {.oid = colour + 2, .schema = "public", .name = "hue", .base = colour});
    sample.parts.casts.push_back({colour, 25, convert.oid, 'i'});
    sample.relation("public", "walls", {"paint"}).columns[0].type = colour;
    sample.relation("public", "houses", {"paints"}).columns[0].type = colour + 1;
    sample.relation("public", "skies", {"hue"}).columns[0].type = colour + 2;
    sample.view("public", "wall_paints", {"paint"}, " SELECT walls.paint FROM public.walls;")
        .columns[0]
        .type = colour;
    sample
        .function("public", "favourite", 0, "sql",
                  "CREATE FUNCTION public.favourite() RETURNS public.colour LANGUAGE sql AS $f$ "
                  "SELECT NULL $f$")
        .result_type = colour;
    const Names names = resolved(std::move(sample));
    for (const char* text :
         {"SELECT * FROM walls", "INSERT INTO walls DEFAULT VALUES", "SELECT 1 FROM houses",
          "SELECT 1 FROM skies", "SELECT 1 FROM wall_paints", "SELECT favourite()",
          "SELECT upper($1::colour) FROM users", "SELECT NULL::public.hue FROM users"})
        EXPECT_THAT(actions(text, names), Contains("delete public.cards")) << text;
    for (const char* text : {"SELECT * FROM users", "SELECT upper($1) FROM users",
                             "INSERT INTO users (id) VALUES (1)", "SELECT 1"})
        EXPECT_THAT(actions(text, names), Not(Contains("delete public.cards"))) << text;
    EXPECT_TRUE(names->is_cast_unwritten(colour));
    EXPECT_FALSE(names->is_cast_unwritten(25));
}

// As the server's lookup drops a function that one of an earlier schema takes the arguments of.
TEST(ResolutionTest, ABuiltInFunctionHidesOneWithItsArguments)
{
    const auto names_under = [](SearchPath path) {
        SampleParts sample = sample_parts();
        sample
            .function("evil", "lower", 1, "sql",
                      "CREATE FUNCTION evil.lower(text) RETURNS text LANGUAGE sql AS $f$ "
                      "DELETE FROM public.cards WHERE id = 1 RETURNING '' $f$")
            .as_built_in = true;
        const CatalogueFunction& plus =
            sample.function("evil", "plus", 2, "sql",
                            "CREATE FUNCTION evil.plus(int, int) RETURNS int LANGUAGE sql AS $f$ "
                            "DELETE FROM public.orders WHERE id = 1 RETURNING 1 $f$");
        sample.parts.operators.push_back({"evil", "+", plus.oid, true});
        return resolved(std::move(sample), std::move(path));
    };
    const auto deletes = Contains("delete public.cards");
    EXPECT_THAT(actions("SELECT lower('X')", names_under({{"evil", "public"}, true})),
                Not(deletes));
    EXPECT_THAT(actions("SELECT evil.lower('X')", names_under({{"public"}, true})), deletes);
    EXPECT_THAT(actions("SELECT lower('X')", names_under({{"evil", "pg_catalog"}, true})), deletes);
    EXPECT_THAT(actions("SELECT lower('X')", names_under({{}, false})), deletes);
    const auto adds = Contains("delete public.orders");
    EXPECT_THAT(actions("SELECT 1 + 1", names_under({{"evil", "public"}, true})), Not(adds));
    EXPECT_THAT(actions("SELECT 1 OPERATOR(evil.+) 1", names_under({{"public"}, true})), adds);
    EXPECT_THAT(actions("SELECT 1 + 1", names_under({{"evil", "pg_catalog"}, true})), adds);
}

TEST(ResolutionTest, ForeignKeysAreFollowed)
{
    SampleParts sample = sample_parts();
    const std::uint32_t cards = sample.relation_named("cards").oid;
    const std::uint32_t orders = sample.relation_named("orders").oid;
    // cards(user_id) and orders(user_id) refer to users(id), tickets(id) to cards(user_id).
    sample.relation_named("users").references = {{cards, 'c', 'c', {2}, {1}},
                                                 {orders, 'a', 'n', {2}, {1}}};
    sample.relation_named("cards").references = {
        {sample.relation_named("tickets").oid, 'c', 'a', {1}, {2}}};
    const Names names = resolved(std::move(sample));
    EXPECT_THAT(actions("DELETE FROM users WHERE id = 1", names),
                UnorderedElementsAre("delete public.users", "delete public.cards behind",
                                     "update public.orders behind"));
    EXPECT_THAT(actions("UPDATE users SET id = 2 WHERE id = 1", names),
                UnorderedElementsAre("update public.users", "update public.cards behind",
                                     "update public.tickets behind"));
    EXPECT_THAT(
        actions("INSERT INTO users (id) VALUES (1) ON CONFLICT (id) DO UPDATE SET id = 2", names),
        Contains("update public.cards behind"));
    EXPECT_THAT(actions("UPDATE users SET name = 'x' WHERE id = 1", names),
                UnorderedElementsAre("update public.users"));
    EXPECT_THAT(actions("TRUNCATE users", names), UnorderedElementsAre("truncate public.users"));
    EXPECT_THAT(actions("TRUNCATE users CASCADE", names),
                UnorderedElementsAre("truncate public.users", "truncate public.cards",
                                     "truncate public.orders", "truncate public.tickets"));
}

TEST(ResolutionTest, ViewsOfServerFilesAreServerFiles)
{
    for (const char* text : {"SELECT * FROM pg_hba_file_rules", "TABLE pg_catalog.pg_file_settings",
                             "SELECT count(*) FROM pg_ident_file_mappings"})
        EXPECT_THAT(classes(text, no_names()), HasSubstr("server_file")) << text;
    EXPECT_EQ(classes("SELECT * FROM app.pg_file_settings", no_names()), "select");
}

TEST(ResolutionTest, FunctionalNotationIsACall)
{
    SampleParts sample = sample_parts();
    sample.function(
        "public", "wipe", 1, "sql",
        "CREATE FUNCTION public.wipe(users) RETURNS int LANGUAGE sql AS $f$ DELETE FROM "
        "cards WHERE id = 1 RETURNING 1 $f$");
    const Names names = resolved(std::move(sample));
    for (const std::string_view text :
         {"SELECT u.wipe FROM users u", "SELECT (u).wipe FROM users u",
          "SELECT wipe(u) FROM users u", "SELECT 1 FROM users u WHERE u.wipe = 1"})
        EXPECT_THAT(actions(text, names), Contains("delete public.cards")) << text;
}

TEST(ResolutionTest, SaysHowNamesWereResolved)
{
    const Names names = sample_names();
    EXPECT_EQ(names->function_name({}, "native"), "public.native");
    EXPECT_EQ(names->function_name({}, "nothing"), "public.nothing");
    EXPECT_EQ(names->function_name("app", "f"), "app.f");
    EXPECT_EQ(names->functions({}, "native", 1).size(), 1U);
    EXPECT_TRUE(names->functions({}, "native", 2).empty());
    EXPECT_EQ(names->functions_named({}, "native").size(), 1U);
    EXPECT_TRUE(names->functions_named("app", "native").empty());
}

TEST(ResolutionTest, WithoutACatalogueOnlyBuiltInNamesAreKnown)
{
    const Names names = no_names();
    EXPECT_TRUE(names->relations({}, "users").empty());
    EXPECT_EQ(names->relation_name({}, "users"), "public.users");
    EXPECT_EQ(names->relation_name({}, "pg_class"), "pg_catalog.pg_class");
    EXPECT_EQ(classes("SELECT lower('x')", names), "select");
    EXPECT_EQ(classes("SELECT last_digits('x')", names), "select opaque");
}

TEST(ResolutionTest, AViewThatLeadsBackToItselfEnds)
{
    SampleParts sample = sample_parts();
    sample.view("public", "egg", {"a"}, " SELECT hen.a FROM public.hen;");
    sample.view("public", "hen", {"a"}, " SELECT egg.a FROM public.egg;");
    const Names names = resolved(std::move(sample));
    EXPECT_EQ(classes("SELECT a FROM hen", names), "select");
}

}  // namespace

}  // namespace sallyport::postgres
