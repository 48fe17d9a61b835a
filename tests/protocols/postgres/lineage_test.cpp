// Which columns the values of a result come from, and where a statement copies values to: over the
// database of sample_names.h, text by text.

#include "protocols/postgres/lineage.h"

#include <algorithm>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <set>
#include <string>

#include "protocols/postgres/own_relations.h"
#include "protocols/postgres/statement.h"
#include "tests/protocols/postgres/sample_names.h"

namespace sallyport::postgres {

namespace {

using testing::HasSubstr;

struct Read {
    std::shared_ptr<const Sql> sql;

    const Lineage& lineage() const { return *sql->statements().at(0).lineage; }
    std::string words(const Sources& sources) const { return words_of(*sql->names, sources); }
};

Read read(std::string_view text, const std::shared_ptr<Resolution>& names = sample_names())
{
    Read made{read_sql(text, names)};
    EXPECT_EQ(made.sql->problem, "") << text;
    return made;
}

// The sources of each output: "users.ssn | -"; of a result whose columns are not known one for one,
// "any " and what any of them may hold.
std::string outputs(std::string_view text,
                    const std::shared_ptr<Resolution>& names = sample_names())
{
    const Read one = read(text, names);
    if (!one.lineage().exact)
        return "any " + one.words(one.lineage().values);
    std::string all;
    for (const OutputColumn& output : one.lineage().outputs)
        all += (all.empty() ? "" : " | ") + one.words(output.sources);
    return all;
}

std::string labels(std::string_view text)
{
    std::string all;
    const Read one = read(text);
    for (const OutputColumn& output : one.lineage().outputs)
        all += (all.empty() ? "" : " ") + output.name;
    return all;
}

std::string conditions(std::string_view text)
{
    const Read one = read(text);
    return one.words(one.lineage().conditions);
}

// "log.what < users.ssn", sorted, with semicolons.
std::string flows(std::string_view text, const std::shared_ptr<Resolution>& names = sample_names())
{
    const Read one = read(text, names);
    std::set<std::string> all;
    for (const Flow& flow : one.lineage().flows) {
        const std::string schema = flow.schema == "public" ? "" : flow.schema + ".";
        all.insert(schema + flow.relation + "." + flow.column + " < " + one.words(flow.sources));
    }
    std::string joined;
    for (const std::string& flow : all)
        joined += (joined.empty() ? "" : "; ") + flow;
    return joined;
}

std::string sunk(std::string_view text)
{
    const Read one = read(text);
    return one.lineage().sunk.empty() ? ""
                                      : one.lineage().sink + " < " + one.words(one.lineage().sunk);
}

struct Case {
    const char* text;
    const char* expected;
};

template <std::size_t n>
void expect_each(const Case (&cases)[n], const auto& found)
{
    for (const Case& one : cases)
        EXPECT_EQ(found(one.text), one.expected) << one.text;
}

constexpr auto outputs_of = [](std::string_view text) { return outputs(text); };
constexpr auto flows_of = [](std::string_view text) { return flows(text); };

TEST(LineageTest, ColumnsAndExpressions)
{
    const Case cases[] = {
        {"SELECT upper(ssn), id FROM users", "users.ssn | users.id"},
        {"SELECT 1, 'x', $1, now(), current_user", "- | - | - | - | -"},
        {"SELECT u.ssn FROM users u", "users.ssn"},
        {"SELECT users.ssn FROM users", "users.ssn"},
        {"SELECT public.users.ssn FROM public.users", "users.ssn"},
        {"SELECT \"ssn\" AS id FROM users", "users.ssn"},
        {"SELECT ssn || email || 'x' FROM users", "users.email,users.ssn"},
        {"SELECT ssn::text, CAST(age AS text) FROM users", "users.ssn | users.age"},
        {"SELECT ssn COLLATE \"C\" FROM users", "users.ssn"},
        {"SELECT ssn = '1', ssn IS NULL, ssn IS NOT NULL FROM users", "users.ssn | - | -"},
        {"SELECT ssn IS DISTINCT FROM email FROM users", "users.email,users.ssn"},
        {"SELECT ssn IN ('a', email) FROM users", "users.email,users.ssn"},
        {"SELECT ssn BETWEEN name AND email FROM users", "users.email,users.name,users.ssn"},
        {"SELECT ssn LIKE 'a%', ssn ~ '^1' FROM users", "users.ssn | users.ssn"},
        {"SELECT age > 5 AND NOT ssn = '1' OR (age < 2) IS TRUE FROM users", "users.age,users.ssn"},
        {"SELECT CASE WHEN ssn = '1' THEN name ELSE 'x' END FROM users", "users.name,users.ssn"},
        {"SELECT CASE ssn WHEN '1' THEN 1 END FROM users", "users.ssn"},
        {"SELECT coalesce(ssn, name), nullif(email, 'x'), greatest(age, id) FROM users",
         "users.name,users.ssn | users.email | users.age,users.id"},
        {"SELECT ARRAY[ssn, name], ROW(ssn, 1), (email, age) FROM users",
         "users.name,users.ssn | users.ssn | users.age,users.email"},
        {"SELECT (ARRAY[ssn])[age] FROM users", "users.age,users.ssn"},
        {"SELECT -age, @ age, age + id FROM users", "users.age | users.age | users.age,users.id"},
        {"SELECT ctid, tableoid, xmin FROM users", "- | - | -"},
        {"SELECT count(*), count(ssn), count(DISTINCT ssn) FROM users", "- | - | -"},
        {"SELECT xmlelement(name a, xmlattributes(ssn AS b), email), xmlforest(name) FROM users",
         "users.email,users.ssn | users.name"},
        {"SELECT extract(year FROM age), position('a' IN ssn), substring(ssn FROM 2) FROM users",
         "users.age | users.ssn | users.ssn"},
        {"SELECT overlay(ssn PLACING name FROM 1), trim(both email FROM ssn) FROM users",
         "users.name,users.ssn | users.email,users.ssn"},
        {"SELECT format('%s', VARIADIC ARRAY[ssn]), concat(ssn, id) FROM users",
         "users.ssn | users.id,users.ssn"},
        {"SELECT make_interval(days => age) FROM users", "users.age"},
        {"SELECT json_build_object('a', ssn), to_jsonb(email) FROM users",
         "users.ssn | users.email"},
        {"SELECT ssn AT TIME ZONE email FROM users", "users.email,users.ssn"},
        {"SELECT (ssn, age) < (name, id) FROM users", "users.age,users.id,users.name,users.ssn"},
        {"SELECT DISTINCT ssn FROM users", "users.ssn"},
        {"SELECT DISTINCT ON (ssn) id FROM users ORDER BY ssn", "users.id"},
        {"SELECT a, b FROM gaps", "gaps.a | gaps.b"},
        {"SELECT most_common_vals FROM pg_stats", "pg_catalog.pg_stats.most_common_vals"},
        {"SELECT id FROM app.secrets", "app.secrets.id"},
    };
    expect_each(cases, outputs_of);
}

TEST(LineageTest, AggregatesAndWindows)
{
    const Case cases[] = {
        {"SELECT max(ssn), min(age) FROM users", "users.ssn | users.age"},
        {"SELECT string_agg(ssn, ',' ORDER BY age) FROM users", "users.ssn"},
        {"SELECT array_agg(DISTINCT email) FILTER (WHERE ssn = '1') FROM users", "users.email"},
        {"SELECT percentile_disc(0.5) WITHIN GROUP (ORDER BY age) FROM users", "users.age"},
        {"SELECT mode() WITHIN GROUP (ORDER BY ssn) FROM users", "users.ssn"},
        {"SELECT rank() OVER (ORDER BY ssn), lag(ssn) OVER w FROM users WINDOW w AS (ORDER BY age)",
         "- | users.ssn"},
        {"SELECT first_value(email) OVER (PARTITION BY ssn) FROM users", "users.email"},
        {"SELECT sum(age) OVER (ORDER BY id ROWS 1 PRECEDING), ntile(3) OVER () FROM users",
         "users.age | -"},
        {"SELECT name, count(*) FROM users GROUP BY name HAVING max(ssn) > '1'", "users.name | -"},
        {"SELECT age, grouping(age) FROM users GROUP BY ROLLUP (age, name)", "users.age | -"},
        {"SELECT glue(email) FROM users", "cards.pan,users.email"},
        {"SELECT json_agg(u) FROM users u", "users.age,users.email,users.id,users.name,users.ssn"},
        {"SELECT json_object_agg(name, ssn) FROM users", "users.name,users.ssn"},
    };
    expect_each(cases, outputs_of);
}

TEST(LineageTest, StarsInTheServersOrder)
{
    const Case cases[] = {
        {"SELECT * FROM cards", "cards.id | cards.user_id | cards.pan"},
        {"TABLE cards", "cards.id | cards.user_id | cards.pan"},
        {"SELECT c.*, 1 FROM cards c", "cards.id | cards.user_id | cards.pan | -"},
        {"SELECT (c).* FROM cards c", "cards.id | cards.user_id | cards.pan"},
        {"SELECT * FROM gaps", "gaps.a | gaps.b"},
        {"SELECT * FROM app.secrets, gaps", "app.secrets.id | app.secrets.key | gaps.a | gaps.b"},
        {"SELECT * FROM gaps x(b, a)", "gaps.a | gaps.b"},
        {"SELECT b FROM gaps x(b, a)", "gaps.a"},
        {"SELECT x, b FROM gaps g(x)", "gaps.a | gaps.b"},
        {"SELECT * FROM gaps CROSS JOIN app.secrets",
         "gaps.a | gaps.b | app.secrets.id | app.secrets.key"},
        {"SELECT * FROM cards JOIN far USING (id)",
         "cards.id,far.id | cards.user_id | cards.pan | far.secret"},
        {"SELECT * FROM cards JOIN orders USING (user_id, id)",
         "cards.user_id,orders.user_id | cards.id,orders.id | cards.pan | orders.total | "
         "orders.note"},
        {"SELECT * FROM cards NATURAL JOIN orders",
         "cards.id,orders.id | cards.user_id,orders.user_id | cards.pan | orders.total | "
         "orders.note"},
        {"SELECT * FROM gaps NATURAL JOIN app.secrets",
         "gaps.a | gaps.b | app.secrets.id | app.secrets.key"},
        {"SELECT * FROM cards RIGHT JOIN far ON cards.id = far.id",
         "cards.id | cards.user_id | cards.pan | far.id | far.secret"},
        {"SELECT * FROM (cards JOIN far USING (id)) j",
         "cards.id,far.id | cards.user_id | cards.pan | far.secret"},
        {"SELECT j.c, j.a FROM (cards JOIN far USING (id)) AS j(a, b, c, d)",
         "cards.pan | cards.id,far.id"},
        {"SELECT x.id FROM cards JOIN far USING (id) AS x", "cards.id,far.id"},
        {"SELECT * FROM far JOIN cards USING (id) JOIN accounts USING (id)",
         "accounts.id,cards.id,far.id | far.secret | cards.user_id | cards.pan | accounts.ssn | "
         "accounts.last4,accounts.ssn"},
        {"SELECT far.* FROM cards FULL JOIN far USING (id)", "far.id | far.secret"},
        {"SELECT id FROM cards LEFT JOIN far USING (id)", "cards.id,far.id"},
    };
    expect_each(cases, outputs_of);
    EXPECT_EQ(labels("SELECT * FROM cards JOIN far USING (id)"), "id user_id pan secret");
    EXPECT_EQ(
        labels("SELECT upper(ssn), ssn x, ssn::text, 1, email || '', (SELECT age FROM users), "
               "EXISTS (SELECT 1), CASE 1 WHEN 2 THEN name END, ARRAY[1], coalesce(1, 2), "
               "current_date, ROW(1), nullif(1, 2), greatest(1, 2), count(*) FROM users"),
        "upper x ssn ?column? ?column? age exists case array coalesce current_date row "
        "nullif greatest count");
}

TEST(LineageTest, WholeRowsAndFunctionalNotation)
{
    const char* const all = "users.age,users.email,users.id,users.name,users.ssn";
    const Case cases[] = {
        {"SELECT u FROM users u", all},
        {"SELECT users FROM users", all},
        {"SELECT row_to_json(u) FROM users u", all},
        {"SELECT u::text FROM users u", all},
        {"SELECT to_jsonb(public.users) FROM public.users",
         "?"},  // the server takes it for a column
        {"SELECT ROW(u.*) FROM users u", all},
        {"SELECT u.to_json FROM users u", all},
        {"SELECT (u).ssn FROM users u", "users.ssn"},
        {"SELECT (u).to_json FROM users u", all},
        {"SELECT jsonb_build_array(u.*) FROM users u", all},
        {"SELECT (SELECT u FROM users u LIMIT 1)", all},
        {"SELECT array_agg(users) FROM users", all},
        {"SELECT u IS NULL FROM users u", "-"},
        {"SELECT x FROM (SELECT ssn, age FROM users) x", "users.age,users.ssn"},
        {"SELECT (x).ssn FROM (SELECT u AS x FROM users u) y", all},
        {"SELECT ((y.x)).ssn FROM (SELECT u AS x FROM users u) y", all},
        {"WITH c AS (SELECT ssn FROM users) SELECT c FROM c", "users.ssn"},
        {"SELECT hstore(u) -> 'ssn' FROM users u",
         "?,users.age,users.email,users.id,users.name,users.ssn"},
        {"SELECT u.last_digits FROM users u", all},
    };
    expect_each(cases, outputs_of);
}

TEST(LineageTest, SubqueriesAndScopes)
{
    const Case cases[] = {
        {"SELECT x FROM (SELECT ssn AS x, id FROM users) s", "users.ssn"},
        {"SELECT * FROM (SELECT ssn, id FROM users) s(a, b)", "users.ssn | users.id"},
        {"SELECT s.b FROM (SELECT ssn, id FROM users) s(a, b)", "users.id"},
        {"SELECT (SELECT ssn FROM users LIMIT 1)", "users.ssn"},
        {"SELECT (SELECT ssn) FROM users", "users.ssn"},
        {"SELECT (SELECT u.ssn FROM cards LIMIT 1) FROM users u", "users.ssn"},
        {"SELECT (SELECT id FROM cards LIMIT 1) FROM users", "cards.id"},
        {"SELECT (SELECT (SELECT ssn FROM cards LIMIT 1) FROM orders LIMIT 1) FROM users",
         "users.ssn"},
        {"SELECT ARRAY(SELECT ssn FROM users)", "users.ssn"},
        {"SELECT EXISTS (SELECT ssn FROM users WHERE id = 1)", "-"},
        {"SELECT 'x' IN (SELECT ssn FROM users)", "users.ssn"},
        {"SELECT name = ANY (SELECT pan FROM cards) FROM users", "cards.pan,users.name"},
        {"SELECT (name, ssn) = (SELECT pan, id FROM cards LIMIT 1) FROM users",
         "cards.id,cards.pan,users.name,users.ssn"},
        {"SELECT l.x FROM users, LATERAL (SELECT ssn || 'x' AS x) l", "users.ssn"},
        {"SELECT l.x FROM users u LEFT JOIN LATERAL (SELECT pan, u.email AS x FROM cards) l ON "
         "true",
         "users.email"},
        {"SELECT * FROM (VALUES (1, 'a'), (2, 'b')) v(n, t)", "- | -"},
        {"VALUES ((SELECT ssn FROM users LIMIT 1), 1), ('x', 2)", "users.ssn | -"},
        {"SELECT column1 FROM (VALUES ((SELECT pan FROM cards LIMIT 1))) v", "cards.pan"},
        {"SELECT n FROM users u, LATERAL (VALUES (u.ssn), (u.name)) v(n)", "users.name,users.ssn"},
        {"SELECT id FROM users WHERE ssn = '1' ORDER BY email", "users.id"},
        {"SELECT id FROM users LIMIT (SELECT max(age) FROM users)", "users.id"},
        {"SELECT ssn FROM users TABLESAMPLE system (10)", "users.ssn"},
        {"SELECT ssn FROM ONLY users", "users.ssn"},
        {"SELECT ssn FROM users FOR UPDATE", "users.ssn"},
        // What nobody knows inside does not hide what is known outside.
        {"SELECT (SELECT ssn FROM unnest(ARRAY[1]) x LIMIT 1) FROM users", "users.ssn"},
        {"SELECT (SELECT u.ssn FROM unnest(ARRAY[1]) x LIMIT 1) FROM users u", "users.ssn"},
    };
    expect_each(cases, outputs_of);
}

TEST(LineageTest, SetOperations)
{
    const Case cases[] = {
        {"SELECT ssn, 1 FROM users UNION SELECT pan, id FROM cards",
         "cards.pan,users.ssn | cards.id"},
        {"SELECT 1 UNION ALL SELECT ssn FROM users", "users.ssn"},
        {"SELECT 'a' UNION SELECT 'b' UNION ALL SELECT ssn FROM users", "users.ssn"},
        {"SELECT ssn FROM users EXCEPT SELECT pan FROM cards", "cards.pan,users.ssn"},
        {"SELECT name FROM users INTERSECT (SELECT pan FROM cards ORDER BY id)",
         "cards.pan,users.name"},
        {"(SELECT 1 AS a ORDER BY 1) UNION (SELECT ssn FROM users LIMIT 1) ORDER BY a",
         "users.ssn"},
        {"SELECT a FROM (SELECT 1 AS a UNION SELECT age FROM users) x", "users.age"},
        {"SELECT * FROM cards UNION ALL SELECT id, age, ssn FROM users",
         "cards.id,users.id | cards.user_id,users.age | cards.pan,users.ssn"},
        {"TABLE gaps UNION VALUES ((SELECT ssn FROM users LIMIT 1), 'x')",
         "gaps.a,users.ssn | gaps.b"},
        // Names of a WITH end with the parentheses it stands in.
        {"(WITH users AS (SELECT 'x' AS ssn) SELECT ssn FROM users) UNION ALL SELECT ssn FROM "
         "users",
         "users.ssn"},
        {"SELECT ssn FROM users UNION ALL (WITH users AS (SELECT 'x' AS ssn) SELECT ssn FROM "
         "users)",
         "users.ssn"},
        {"WITH u AS (SELECT ssn FROM users) SELECT 'x' UNION SELECT ssn FROM u", "users.ssn"},
    };
    expect_each(cases, outputs_of);
}

TEST(LineageTest, WithQueries)
{
    const Case cases[] = {
        {"WITH x AS (SELECT ssn, id FROM users) SELECT id, ssn FROM x", "users.id | users.ssn"},
        {"WITH x(a, b) AS (SELECT ssn, id FROM users) SELECT b, a FROM x", "users.id | users.ssn"},
        {"WITH x(a) AS (SELECT ssn, id FROM users) SELECT a, id FROM x", "users.ssn | users.id"},
        {"WITH x AS (SELECT ssn FROM users), y AS (SELECT ssn || 'a' AS z FROM x) SELECT z FROM y",
         "users.ssn"},
        {"WITH users AS (SELECT pan AS ssn FROM cards) SELECT ssn FROM users", "cards.pan"},
        {"WITH users AS (SELECT pan AS ssn FROM cards) SELECT ssn FROM public.users", "users.ssn"},
        {"WITH users AS (SELECT ssn FROM users) SELECT ssn FROM users", "users.ssn"},
        {"WITH x AS MATERIALIZED (SELECT ssn FROM users) SELECT (SELECT ssn FROM x LIMIT 1)",
         "users.ssn"},
        {"WITH x AS (SELECT 1 AS a) SELECT a FROM (WITH x AS (SELECT ssn AS a FROM users) SELECT a "
         "FROM x) y",
         "users.ssn"},
        {"SELECT (WITH x AS (SELECT u.ssn) SELECT * FROM x) FROM users u", "users.ssn"},
        {"WITH RECURSIVE r(n, s) AS (SELECT 1, '' UNION ALL SELECT n + 1, s || ssn FROM r, users) "
         "SELECT n, s FROM r",
         "- | users.ssn"},
        {"WITH RECURSIVE r(a, b, c) AS (SELECT '', '', '' UNION ALL SELECT b, c, ssn FROM r, "
         "users) "
         "SELECT a, b, c FROM r",
         "users.ssn | users.ssn | users.ssn"},
        {"WITH RECURSIVE r AS (SELECT id, ssn FROM users UNION SELECT r.id, r.ssn FROM r) SELECT "
         "id FROM r",
         "users.id"},
        {"WITH RECURSIVE r(i) AS (SELECT id FROM users UNION ALL SELECT i + 1 FROM r) SEARCH DEPTH "
         "FIRST BY i SET o SELECT i, o FROM r",
         "users.id | users.id"},
        {"WITH RECURSIVE r(i) AS (SELECT ssn FROM users UNION ALL SELECT i FROM r) CYCLE i SET c "
         "USING p SELECT i, c, p FROM r",
         "users.ssn | users.ssn | users.ssn"},
        // Under RECURSIVE a query may name one that comes after it, which is not known yet.
        {"WITH RECURSIVE a AS (SELECT id FROM orders), orders(id) AS (SELECT ssn FROM users) "
         "SELECT "
         "id FROM a",
         "?"},
        {"WITH d AS (DELETE FROM users RETURNING ssn, id) SELECT ssn FROM d", "users.ssn"},
        {"WITH i AS (INSERT INTO log (what) SELECT ssn FROM users RETURNING what) SELECT what FROM "
         "i",
         "log.what,users.ssn"},
        {"WITH u AS (UPDATE users SET name = email RETURNING name) SELECT * FROM u",
         "users.email,users.name"},
    };
    expect_each(cases, outputs_of);
}

TEST(LineageTest, FunctionsInFrom)
{
    const Case cases[] = {
        {"SELECT g FROM generate_series(1, 3) g", "-"},
        {"SELECT x FROM users, generate_series(1, age) x", "users.age"},
        {"SELECT x, n FROM users, unnest(ARRAY[ssn]) WITH ORDINALITY AS t(x, n)",
         "users.ssn | users.ssn"},
        {"SELECT n FROM generate_series(1, 3) WITH ORDINALITY AS t(x, n)", "-"},
        {"SELECT key, value FROM users, json_each(to_json(users))",
         "users.age,users.email,users.id,users.name,users.ssn | "
         "users.age,users.email,users.id,users.name,users.ssn"},
        {"SELECT value FROM orders o, jsonb_array_elements(o.note::jsonb) AS e", "orders.note"},
        {"SELECT e->>'a' FROM orders o, jsonb_array_elements(o.note::jsonb) AS e", "orders.note"},
        {"SELECT e.value FROM orders o, jsonb_array_elements(o.note::jsonb) AS e", "orders.note"},
        {"SELECT e.x FROM orders o, jsonb_array_elements(o.note::jsonb) AS e(x)", "orders.note"},
        {"SELECT a FROM users, json_to_record(ssn::json) AS r(a int, b text)", "users.ssn"},
        {"SELECT a, d FROM users, ROWS FROM (json_to_record(ssn::json) AS (a int), "
         "generate_series(1, id)) AS r(a, d)",
         "users.ssn | users.id"},
        {"SELECT * FROM unnest(ARRAY[1]) u", "any -"},
        {"SELECT * FROM users u, unnest(ARRAY[u.ssn]) x",
         "any users.age,users.email,users.id,users.name,users.ssn"},
        {"SELECT r FROM users, regexp_split_to_table(ssn, '') r", "users.ssn"},
        {"SELECT card, number FROM cards_of(1)", "cards.id | cards.pan"},
        {"SELECT * FROM cards_of(1) c", "cards.id | cards.pan"},
        {"SELECT c.n FROM cards_of(1) c(i, n)", "cards.pan"},
        {"SELECT (cards_of(id)).number FROM users", "cards.id,cards.pan,users.id"},
        {"SELECT (cards_of(1)).*", "any cards.id,cards.pan"},
        {"SELECT x.a, x.c FROM users u, XMLTABLE('/r' PASSING (u.ssn::xml) COLUMNS a text PATH 'a' "
         "DEFAULT u.name, b FOR ORDINALITY, c text) x",
         "users.name,users.ssn | users.ssn"},
        {"SELECT first_ssn FROM first_ssn()", "users.ssn"},
        {"SELECT f FROM first_ssn() f", "users.ssn"},
        {"SELECT current_database FROM current_database()", "-"},
    };
    expect_each(cases, outputs_of);
}

TEST(LineageTest, ViewsTablesOfTablesAndGeneratedColumns)
{
    const Case cases[] = {
        {"SELECT code, name FROM people", "people.code,users.ssn | people.name,users.name"},
        {"SELECT p.code || 'x' FROM people p", "people.code,users.ssn"},
        {"SELECT * FROM people",
         "people.id,users.id | people.code,users.ssn | people.name,users.name"},
        {"SELECT code FROM named_people", "named_people.code,people.code,users.ssn"},
        {"SELECT total FROM sums", "orders.total,sums.total"},
        {"SELECT last4, id FROM accounts", "accounts.last4,accounts.ssn | accounts.id"},
        {"SELECT * FROM accounts", "accounts.id | accounts.ssn | accounts.last4,accounts.ssn"},
        {"SELECT ip FROM visits", "visits.ip"},
        {"SELECT ip FROM visits_2026", "visits_2026.ip"},
        {"SELECT ssn, salary FROM staff", "staff.ssn | staff.salary"},
        {"SELECT secret FROM far", "far.secret"},
        {"SELECT c FROM people p(a, b, c)", "people.name,users.name"},
    };
    expect_each(cases, outputs_of);
    // A table shows its children's rows, and a child has what its parent's mask names.
    const auto places = [](std::string_view text) {
        const Read one = read(text);
        return one.lineage().values.at(0)->places;
    };
    EXPECT_THAT(places("SELECT ip FROM visits"),
                testing::ElementsAre("public.visits.ip", "public.visits_2026.ip"));
    EXPECT_THAT(places("SELECT ssn FROM staff"),
                testing::ElementsAre("public.staff.ssn", "public.users.ssn"));
}

TEST(LineageTest, FunctionsBringWhatTheirBodiesRead)
{
    const Case cases[] = {
        {"SELECT last_digits(ssn) FROM users", "users.ssn"},
        {"SELECT last_digits('x')", "-"},
        {"SELECT first_ssn()", "users.ssn"},
        {"SELECT newest_ssn()", "users.ssn"},
        {"SELECT public.first_ssn() || name FROM cards, people",
         "people.name,users.name,users.ssn"},
        {"SELECT email_of(1)", "users.email"},
        {"SELECT email_of(age) FROM users", "users.age,users.email"},
        {"SELECT spin(3)", "cards.pan"},
        {"SELECT anything('x')", "?"},
        {"SELECT native(ssn) FROM users", "?,users.ssn"},
        {"SELECT look(1)", "?"},
        {"SELECT similarity(ssn, name) FROM users", "users.name,users.ssn"},
        {"SELECT nobody_knows(1)", "?"},
        {"SELECT query_to_xml('select 1', true, true, '')", "?"},
        {"SELECT lo_get(1), pg_read_file('x')", "? | ?"},
        {"CALL write_down((SELECT ssn FROM users))", "any users.ssn"},
    };
    expect_each(cases, outputs_of);
    EXPECT_EQ(outputs("SELECT trusted.f(ssn) FROM users",
                      resolved(sample_parts(), {{"public"}, true}, {"trusted.f"})),
              "users.ssn");
}

TEST(LineageTest, ConditionsAreNoSources)
{
    const auto conditions_of = [](std::string_view text) { return conditions(text); };
    const Case cases[] = {
        {"SELECT id FROM users WHERE ssn = '1'", "users.ssn"},
        {"SELECT id FROM users ORDER BY ssn, upper(email)", "users.email,users.ssn"},
        {"SELECT ssn AS x FROM users ORDER BY x", "users.ssn"},
        {"SELECT ssn FROM users ORDER BY 1", "users.ssn"},
        {"SELECT 1 FROM users GROUP BY ssn HAVING max(age) > 3", "users.age,users.ssn"},
        {"SELECT 1 FROM users u JOIN cards c ON u.ssn = c.pan", "cards.pan,users.ssn"},
        {"SELECT 1 FROM cards JOIN far USING (id)", "cards.id,far.id"},
        {"SELECT count(ssn) FROM users", "users.ssn"},
        {"SELECT count(*) FILTER (WHERE ssn = '1') FROM users", "users.ssn"},
        {"SELECT rank() OVER (PARTITION BY name ORDER BY ssn) FROM users", "users.name,users.ssn"},
        {"SELECT EXISTS (SELECT 1 FROM users WHERE ssn = '1')", "users.ssn"},
        {"SELECT ssn IS NULL FROM users", "users.ssn"},
        {"SELECT DISTINCT ssn FROM users", "users.ssn"},
        {"SELECT DISTINCT ON (email) id FROM users", "users.email"},
        {"SELECT id FROM users UNION SELECT id FROM cards ORDER BY id", "cards.id,users.id"},
        {"SELECT string_agg(name, ',' ORDER BY ssn) FROM users", "users.ssn"},
        {"UPDATE users SET name = 'x' WHERE ssn = '1'", "users.ssn"},
        {"DELETE FROM users USING cards WHERE pan = ssn", "cards.pan,users.ssn"},
        {"MERGE INTO users u USING cards c ON c.pan = u.ssn WHEN MATCHED AND u.age > 3 THEN DELETE",
         "cards.pan,users.age,users.ssn"},
        {"INSERT INTO log (what) VALUES ('x') ON CONFLICT (at) DO UPDATE SET what = 'y' WHERE "
         "log.who = 'z'",
         "log.who"},
        {"SELECT 1 FROM named_people WHERE code = 'x'", "named_people.code,people.code,users.ssn"},
        {"EXPLAIN ANALYZE SELECT id FROM users WHERE ssn = '1'", "users.ssn"},
        {"PREPARE p AS SELECT id FROM users WHERE ssn = $1", "users.ssn"},
        {"DECLARE c CURSOR FOR SELECT id FROM users ORDER BY ssn", "users.ssn"},
        {"COPY (SELECT id FROM users WHERE ssn = '1') TO STDOUT", "users.ssn"},
        {"SELECT id FROM users LIMIT (SELECT max(age) FROM users)", "users.age"},
        {"SELECT id FROM users OFFSET (SELECT length(min(ssn)) FROM users)", "users.ssn"},
    };
    expect_each(cases, conditions_of);
}

TEST(LineageTest, WritesAndWhatTheyReturn)
{
    const Case cases[] = {
        {"INSERT INTO log (what) VALUES ('x') RETURNING at, what", "log.at | log.what"},
        {"INSERT INTO log SELECT 1, ssn, name FROM users RETURNING who, what",
         "log.who,users.ssn | log.what,users.name"},
        {"INSERT INTO log (what) SELECT ssn FROM users RETURNING upper(what) || 'x'",
         "log.what,users.ssn"},
        {"INSERT INTO log (what) VALUES ('x') RETURNING *", "log.at | log.who | log.what"},
        {"UPDATE users SET name = ssn RETURNING name, id", "users.name,users.ssn | users.id"},
        {"UPDATE users u SET name = c.pan FROM cards c RETURNING u.name, c.id",
         "cards.pan,users.name | cards.id"},
        {"DELETE FROM users RETURNING ssn", "users.ssn"},
        {"DELETE FROM users u USING cards c WHERE u.id = c.user_id RETURNING c.pan", "cards.pan"},
        {"INSERT INTO accounts (ssn) SELECT pan FROM cards RETURNING last4",
         "accounts.last4,accounts.ssn,cards.pan"},
        {"UPDATE users SET name = 'x'", ""},
        // What is shown may have come through another column of the same row.
        {"INSERT INTO log (at, what) SELECT id, ssn FROM users ON CONFLICT (at) DO UPDATE SET who "
         "= "
         "excluded.what RETURNING who",
         "log.what,log.who,users.ssn"},
    };
    expect_each(cases, outputs_of);

    SampleParts sample = sample_parts();
    const CatalogueFunction& moves =
        sample.function("public", "moves", 0, "plpgsql",
                        "CREATE FUNCTION public.moves() RETURNS trigger LANGUAGE plpgsql AS $f$ "
                        "BEGIN NEW.at := NEW.what; RETURN NEW; END $f$");
    SampleParts::trigger(sample.relation_named("log"), moves, CatalogueTrigger::on_insert);
    EXPECT_THAT(outputs("INSERT INTO log (what) SELECT ssn FROM users RETURNING at",
                        resolved(std::move(sample))),
                HasSubstr("users.ssn"));
}

TEST(LineageTest, Flows)
{
    const Case cases[] = {
        {"INSERT INTO log (what, who) SELECT ssn, name FROM users",
         "log.what < users.ssn; log.who < users.name"},
        {"INSERT INTO log SELECT id, ssn FROM users", "log.at < users.id; log.who < users.ssn"},
        {"INSERT INTO log VALUES (1, 'a', (SELECT ssn FROM users LIMIT 1))",
         "log.what < users.ssn"},
        {"INSERT INTO log (what) VALUES ('x')", ""},
        {"INSERT INTO log (what) SELECT u FROM users u",
         "log.what < users.age,users.email,users.id,users.name,users.ssn"},
        {"INSERT INTO log (what) SELECT count(ssn) FROM users", ""},
        {"INSERT INTO log (what) WITH x AS (SELECT ssn FROM users) SELECT * FROM x",
         "log.what < users.ssn"},
        {"WITH x AS (SELECT ssn FROM users) INSERT INTO log (what) SELECT * FROM x",
         "log.what < users.ssn"},
        {"INSERT INTO gaps SELECT ssn, name FROM users", "gaps.a < users.ssn; gaps.b < users.name"},
        {"INSERT INTO log (at, what) VALUES (1, 'x') ON CONFLICT (at) DO UPDATE SET what = "
         "excluded.what || log.who",
         "log.what < log.what,log.who"},
        {"INSERT INTO log (at, what) SELECT id, ssn FROM users ON CONFLICT (at) DO UPDATE SET who "
         "= "
         "excluded.what",
         "log.at < users.id; log.what < users.ssn; log.who < log.what"},
        {"UPDATE log SET what = (SELECT ssn FROM users LIMIT 1)", "log.what < users.ssn"},
        {"UPDATE log SET what = u.ssn, who = 'x' FROM users u", "log.what < users.ssn"},
        {"UPDATE log SET (who, what) = (SELECT name, ssn FROM users LIMIT 1)",
         "log.what < users.ssn; log.who < users.name"},
        {"UPDATE users SET (name, email) = (ssn, 'x')", "users.name < users.ssn"},
        {"UPDATE users SET (name, email) = ROW(ssn, age)",
         "users.email < users.age; users.name < users.ssn"},
        {"UPDATE users SET name = name || ssn", "users.name < users.name,users.ssn"},
        {"WITH d AS (DELETE FROM users RETURNING ssn) INSERT INTO log (what) SELECT ssn FROM d",
         "log.what < users.ssn"},
        {"MERGE INTO log l USING users u ON l.at = u.id WHEN MATCHED THEN UPDATE SET what = u.ssn "
         "WHEN NOT MATCHED THEN INSERT (at, who) VALUES (u.id, u.name)",
         "log.at < users.id; log.what < users.ssn; log.who < users.name"},
        {"MERGE INTO log USING users u ON at = id WHEN NOT MATCHED THEN INSERT VALUES (1, 'x', "
         "ssn)",
         "log.what < users.ssn"},
        {"CREATE TABLE t AS SELECT ssn, id AS x, 1 AS one FROM users",
         "t.ssn < users.ssn; t.x < users.id"},
        {"CREATE TABLE t (a, b) AS SELECT ssn, id FROM users", "t.a < users.ssn; t.b < users.id"},
        {"CREATE TEMP TABLE t AS SELECT ssn FROM users", "pg_temp.t.ssn < users.ssn"},
        {"CREATE TABLE app.t AS TABLE app.secrets",
         "app.t.id < app.secrets.id; app.t.key < app.secrets.key"},
        {"SELECT ssn INTO t FROM users", "t.ssn < users.ssn"},
        {"SELECT ssn AS a INTO TEMP t FROM users UNION SELECT pan FROM cards",
         "pg_temp.t.a < cards.pan,users.ssn"},
        {"CREATE VIEW v AS SELECT upper(ssn) FROM users", "v.upper < users.ssn"},
        {"CREATE VIEW v (a) AS SELECT ssn FROM users", "v.a < users.ssn"},
        {"CREATE TEMP VIEW v AS SELECT ssn FROM users", "pg_temp.v.ssn < users.ssn"},
        {"CREATE MATERIALIZED VIEW m AS SELECT ssn FROM users", "m.ssn < users.ssn"},
        {"EXPLAIN ANALYZE CREATE TABLE t AS SELECT ssn FROM users", "t.ssn < users.ssn"},
        {"EXPLAIN ANALYZE INSERT INTO log (what) SELECT ssn FROM users", "log.what < users.ssn"},
        {"PREPARE p AS INSERT INTO log (what) SELECT ssn FROM users", "log.what < users.ssn"},
        {"COPY (INSERT INTO log (what) SELECT ssn FROM users RETURNING 1) TO STDOUT",
         "log.what < users.ssn"},
        {"ALTER TABLE users ALTER name TYPE text USING ssn || name",
         "users.name < users.name,users.ssn"},
        {"ALTER TABLE users ADD twice text GENERATED ALWAYS AS (ssn || ssn) STORED",
         "users.twice < users.ssn"},
        {"CREATE TABLE t AS SELECT * FROM people",
         "t.code < people.code,users.ssn; t.id < people.id,users.id; t.name < "
         "people.name,users.name"},
    };
    expect_each(cases, flows_of);
}

TEST(LineageTest, FlowsOfFunctionsAndTriggers)
{
    const Case cases[] = {
        {"SELECT write_down(ssn) FROM users", "log.what < users.ssn"},
        {"SELECT write_down('x')", ""},
        {"SELECT keep(ssn) FROM users", "log.what < users.ssn"},
        {"SELECT through(ssn) FROM users", "log.what < users.ssn"},
        {"CALL write_down((SELECT ssn FROM users))", "log.what < users.ssn"},
        {"SELECT * FROM users, write_down(ssn)", "log.what < users.ssn"},
        {"SELECT u.ssn FROM users u WHERE write_down(u.name) IS NULL", "log.what < users.name"},
        {"INSERT INTO tickets (body) VALUES ('x')", "log.what < tickets.body"},
        {"INSERT INTO tickets (body) SELECT ssn FROM users",
         "log.what < tickets.body; tickets.body < users.ssn"},
        {"UPDATE tickets SET body = 'x'", ""},
        {"DO $$ BEGIN INSERT INTO log (what) SELECT ssn FROM users; END $$",
         "log.what < users.ssn"},
        {"DO $$ DECLARE v text; BEGIN SELECT ssn INTO v FROM users; INSERT INTO log (what) VALUES "
         "(v); END $$",
         "log.what < users.ssn"},
        {"DO $$ DECLARE r record; BEGIN FOR r IN SELECT ssn, id FROM users LOOP UPDATE log SET "
         "what "
         "= r.ssn WHERE at = r.id; END LOOP; END $$",
         "log.what < users.id,users.ssn"},
        {"DO $$ DECLARE v text; w text; BEGIN v := (SELECT ssn FROM users); w := v || 'x'; PERFORM "
         "write_down(w); END $$",
         "log.what < users.ssn"},
        {"DO $$ BEGIN CREATE TEMP TABLE t AS SELECT ssn FROM users; END $$",
         "pg_temp.t.ssn < users.ssn"},
    };
    expect_each(cases, flows_of);
}

TEST(LineageTest, RulesCopyAsWell)
{
    SampleParts sample = sample_parts();
    sample.relation_named("orders").rules.emplace_back(
        "CREATE RULE keep_notes AS ON INSERT TO public.orders DO ALSO INSERT INTO public.log "
        "(what) "
        "VALUES (new.note)");
    const auto names = resolved(std::move(sample));
    EXPECT_EQ(flows("INSERT INTO orders (id) VALUES (1)", names), "log.what < orders.note");
}

TEST(LineageTest, OperatorsAndCastsFlowAsFunctionsDo)
{
    SampleParts sample = sample_parts();
    const CatalogueFunction& tell = sample.function(
        "public", "tell", 2, "sql",
        "CREATE FUNCTION public.tell(a text, b text) RETURNS text LANGUAGE sql AS $f$ INSERT INTO "
        "log (what) VALUES (a) RETURNING (SELECT pan FROM cards LIMIT 1) $f$");
    sample.parts.operators.push_back({"public", "<<<", tell.oid, false});
    const CatalogueFunction& make = sample.function(
        "public", "make_odd", 1, "sql",
        "CREATE FUNCTION public.make_odd(a text) RETURNS odd LANGUAGE sql AS $f$ INSERT INTO log "
        "(what) VALUES (a) RETURNING (SELECT pan FROM cards LIMIT 1) $f$");
    CatalogueType odd;
    odd.oid = 30000;
    odd.schema = "public";
    odd.name = "odd";
    sample.parts.types.push_back(odd);
    sample.parts.casts.push_back({25, 30000, make.oid, 'e'});
    const auto names = resolved(std::move(sample));
    EXPECT_EQ(outputs("SELECT ssn <<< 'x' FROM users", names), "cards.pan,users.ssn");
    EXPECT_EQ(flows("SELECT ssn <<< 'x' FROM users", names), "log.what < users.ssn");
    EXPECT_EQ(outputs("SELECT ssn::odd FROM users", names), "cards.pan,users.ssn");
    EXPECT_EQ(flows("SELECT ssn::odd FROM users", names), "log.what < users.ssn");
    EXPECT_EQ(flows("SELECT (email).write_down FROM users", names), "log.what < users.email");
}

TEST(LineageTest, ValuesThatSink)
{
    const auto sunk_by = [](std::string_view text) { return sunk(text); };
    const Case cases[] = {
        {"SELECT set_config('a.b', ssn, false) FROM users", "set_config() < users.ssn"},
        {"SELECT pg_catalog.set_config('a.b', max(ssn), false) FROM users",
         "set_config() < users.ssn"},
        {"SELECT set_config('a.b', 'x', false)", ""},
        {"SELECT pg_notify('c', ssn) FROM users", "pg_notify() < users.ssn"},
        {"SELECT lo_from_bytea(0, ssn::bytea) FROM users", "lo_from_bytea() < users.ssn"},
        {"SELECT lo_put(1, 0, ssn::bytea) FROM users", "lo_put() < users.ssn"},
        {"SELECT setval('s', age) FROM users", "setval() < users.age"},
        {"SELECT pg_advisory_lock(age) FROM users", "pg_advisory_lock() < users.age"},
        {"SELECT pg_logical_emit_message(false, 'x', ssn) FROM users",
         "pg_logical_emit_message() < users.ssn"},
        {"SELECT dblink('c', ssn) FROM users", "dblink() < users.ssn"},
        {"SELECT id FROM users WHERE set_config('a.b', ssn, false) IS NULL",
         "set_config() < users.ssn"},
        {"SELECT set_aside(ssn) FROM users", "set_config() < users.ssn"},
        {"SELECT set_aside('x')", ""},
        {"COPY users (ssn) TO '/tmp/x'", "COPY to a file or program of the server < users.ssn"},
        {"COPY (SELECT ssn FROM users) TO PROGRAM 'cat'",
         "COPY to a file or program of the server < users.ssn"},
        {"COPY users TO STDOUT", ""},
        {"INSERT INTO people (name) SELECT ssn FROM users", "a view < users.ssn"},
        {"INSERT INTO nothing (x) SELECT ssn FROM users",
         "a table that the gateway does not know < users.ssn"},
        {"EXPLAIN ANALYZE SELECT set_config('a.b', ssn, false) FROM users",
         "set_config() < users.ssn"},
        {"DO $$ DECLARE v text; BEGIN SELECT ssn INTO v FROM users; PERFORM set_config('a.b', v, "
         "false); END $$",
         "set_config() < users.ssn"},
    };
    expect_each(cases, sunk_by);
    EXPECT_THAT(sunk("CREATE TABLE t AS SELECT * FROM unnest(ARRAY[(SELECT ssn FROM users)])"),
                HasSubstr("users.ssn"));
    // Into a foreign table: to another server.
    EXPECT_THAT(sunk("INSERT INTO far (secret) SELECT ssn FROM users"), HasSubstr("users.ssn"));
}

TEST(LineageTest, CopyPlansAndWhatWasSentBefore)
{
    const Case cases[] = {
        {"COPY users (ssn, id) TO STDOUT", "users.ssn | users.id"},
        {"COPY cards TO STDOUT", "cards.id | cards.user_id | cards.pan"},
        {"COPY (SELECT upper(ssn) FROM users) TO STDOUT", "users.ssn"},
        {"COPY accounts TO STDOUT", "accounts.id | accounts.ssn"},
        {"COPY (DELETE FROM users RETURNING ssn) TO STDOUT", "users.ssn"},
        {"EXPLAIN SELECT id FROM users WHERE ssn = 'x'", "users.id,users.ssn"},
        {"PREPARE p AS SELECT ssn FROM users", "users.ssn"},
        {"DECLARE c CURSOR FOR SELECT ssn FROM users", "users.ssn"},
        {"EXECUTE p", "any -"},
        {"EXECUTE p((SELECT ssn FROM users))", "any users.ssn"},
        {"FETCH ALL FROM c", "any -"},
    };
    expect_each(cases, outputs_of);
}

TEST(LineageTest, NamesThatNobodyKnows)
{
    const Case cases[] = {
        {"SELECT * FROM nothing", "any ?"},
        {"SELECT a FROM nothing", "?"},
        {"SELECT n.a, u.ssn FROM nothing n, users u", "? | users.ssn"},
        {"SELECT nothing FROM users", "?"},
        {"SELECT x.ssn FROM users", "?"},
        {"SELECT ssn FROM app.users", "?"},
        {"SELECT (SELECT a FROM nothing) FROM users", "?"},
        {"SELECT ssn FROM users, nothing", "users.ssn"},
        {"SELECT upper(a) || ssn FROM nothing n, users u", "?,users.ssn"},
        {"SELECT count(*) FROM nothing", "-"},
    };
    expect_each(cases, outputs_of);
}

TEST(LineageTest, WhatIsMade)
{
    const auto made = [](std::string_view text) {
        const Read one = read(text);
        std::string all;
        for (const auto& relation : one.lineage().made) {
            all += (all.empty() ? "" : "; ") + relation->schema + "." + relation->name;
            for (const CatalogueColumn& column : relation->columns)
                all += " " + column.name;
        }
        return all;
    };
    const Case cases[] = {
        {"CREATE TABLE t (a int, b text)", "public.t a b"},
        {"CREATE TABLE app.t (a int)", "app.t a"},
        {"CREATE TEMP TABLE t (a int)", "pg_temp.t a"},
        {"CREATE TABLE t (LIKE users, x int)", "public.t id name email ssn age x"},
        {"CREATE TABLE t (x int) INHERITS (cards)", "public.t id user_id pan x"},
        {"CREATE TABLE t AS SELECT ssn, 1 FROM users", "public.t ssn ?column?"},
        {"CREATE TEMP TABLE t (a) AS SELECT ssn, id FROM users", "pg_temp.t a id"},
        {"SELECT ssn INTO t FROM users", "public.t ssn"},
        {"CREATE VIEW v AS SELECT ssn FROM users", "public.v ssn"},
        {"CREATE TEMP VIEW v (a) AS SELECT ssn FROM users", "pg_temp.v a"},
        {"SELECT 1", ""},
        {"INSERT INTO log (what) VALUES ('x')", ""},
        {"DO $$ BEGIN CREATE TEMP TABLE a AS SELECT 1 AS x; CREATE TEMP TABLE b (y int); END $$",
         "pg_temp.a x; pg_temp.b y"},
        {"EXPLAIN ANALYZE CREATE TABLE t AS SELECT 1 AS x", "public.t x"},
    };
    expect_each(cases, made);
}

TEST(LineageTest, WhatIsWritten)
{
    const auto assigned = [](std::string_view text) {
        const Read one = read(text);
        return one.words(one.lineage().assigned);
    };
    const Case cases[] = {
        {"UPDATE users SET ssn = 'x'", "users.ssn"},
        {"INSERT INTO users (id, ssn) VALUES (1, 'x')", "users.id,users.ssn"},
        {"MERGE INTO users u USING cards c ON u.id = c.user_id WHEN MATCHED THEN UPDATE SET ssn = "
         "'x'",
         "users.ssn"},
        {"INSERT INTO users (id) VALUES (1) ON CONFLICT (id) DO UPDATE SET email = 'x'",
         "users.email,users.id"},
        {"EXPLAIN ANALYZE UPDATE users SET ssn = 'x'", "users.ssn"},
        {"COPY users (id, ssn) FROM STDIN", "users.id,users.ssn"},
        {"SELECT ssn FROM users", "-"},
    };
    expect_each(cases, assigned);
    const Read one = read("WITH x AS (DELETE FROM cards) UPDATE users SET name = 'x'");
    EXPECT_EQ(one.lineage().written.size(), 2U);
}

TEST(LineageTest, AnUnknownPathMeansEveryRelationOfTheName)
{
    SampleParts sample = sample_parts();
    sample.relation("app", "users", {"ssn", "id"});
    const auto names = resolved(std::move(sample), SearchPath{{}, false});
    EXPECT_EQ(outputs("SELECT ssn FROM users", names), "app.users.ssn,users.ssn");
    EXPECT_EQ(outputs("SELECT email FROM users", names), "users.email");
    EXPECT_THAT(outputs("SELECT * FROM users", names), HasSubstr("any "));
    EXPECT_EQ(outputs("SELECT ssn FROM public.users", names), "users.ssn");
    // Positions are those of the one or of the other.
    EXPECT_THAT(flows("INSERT INTO users SELECT pan, 1 FROM cards", names),
                HasSubstr("app.users.ssn < cards.pan"));
    EXPECT_THAT(flows("INSERT INTO users SELECT 1, pan FROM cards", names),
                HasSubstr("app.users.id < cards.pan"));
}

TEST(LineageTest, FunctionsThatCallEachOtherReadTheSame)
{
    SampleParts sample = sample_parts();
    sample.function("public", "ping", 1, "sql",
                    "CREATE FUNCTION public.ping(int) RETURNS text LANGUAGE sql AS $f$ SELECT ssn "
                    "FROM users UNION SELECT pong($1) $f$");
    sample.function("public", "pong", 1, "sql",
                    "CREATE FUNCTION public.pong(int) RETURNS text LANGUAGE sql AS $f$ SELECT "
                    "ping($1) $f$");
    const auto names = resolved(std::move(sample));
    EXPECT_EQ(outputs("SELECT ping(1)", names), "users.ssn");
    EXPECT_EQ(outputs("SELECT pong(1)", names), "users.ssn");
}

// Read as often as something is added, not once for each way through them.
TEST(LineageTest, CirclesOfFunctionsAndTriggersEnd)
{
    constexpr int members = 14;
    SampleParts sample = sample_parts();
    for (int i = 0; i < members; ++i) {
        const std::string name = "f" + std::to_string(i);
        std::string body = "SELECT $1";
        for (int other = 0; other < members; ++other)
            body += " UNION SELECT f" + std::to_string(other) + "($1)";
        if (i == members - 1)
            body += " UNION SELECT ssn FROM users";
        sample.function("public", name, 1, "sql",
                        "CREATE FUNCTION public." + name +
                            "(text) RETURNS text LANGUAGE sql AS $f$ " + body + " $f$");
        sample.relation("public", "t" + std::to_string(i), {"a", "b"});
    }
    for (int i = 0; i < members; ++i) {
        const std::string name = "on_t" + std::to_string(i);
        std::string body;
        for (int other = 0; other < members; ++other)
            body += "INSERT INTO t" + std::to_string(other) +
                    " (a) VALUES (NEW.a) RETURNING b INTO x; ";
        const CatalogueFunction& function = sample.function(
            "public", name, 0, "plpgsql",
            "CREATE FUNCTION public." + name +
                "() RETURNS trigger LANGUAGE plpgsql AS $f$ DECLARE x text; BEGIN " + body +
                "RETURN NEW; END $f$");
        SampleParts::trigger(sample.relation_named("t" + std::to_string(i)), function,
                             CatalogueTrigger::on_insert);
    }
    const auto names = resolved(std::move(sample));
    for (int i = 0; i < members; ++i) {
        EXPECT_EQ(outputs("SELECT f" + std::to_string(i) + "(name) FROM users", names),
                  "users.name,users.ssn");
    }
    const std::string written = flows("INSERT INTO t0 (a) SELECT ssn FROM users", names);
    EXPECT_THAT(written, HasSubstr("t0.a < "));
    EXPECT_THAT(written, HasSubstr("users.ssn"));
    EXPECT_THAT(written, HasSubstr("t13.a < "));
}

TEST(LineageTest, FunctionsWithPathsOfTheirOwnMayCallEachOther)
{
    SampleParts sample = sample_parts();
    sample.function("public", "ping", 0, "sql",
                    "CREATE FUNCTION public.ping() RETURNS text LANGUAGE sql SET search_path TO "
                    "'public', 'app' AS $f$ SELECT ssn FROM users UNION SELECT pong() $f$");
    sample.function("public", "pong", 0, "sql",
                    "CREATE FUNCTION public.pong() RETURNS text LANGUAGE sql SET search_path TO "
                    "'app', 'public' AS $f$ SELECT key FROM secrets UNION SELECT ping() $f$");
    const auto names = resolved(std::move(sample));
    EXPECT_EQ(outputs("SELECT ping()", names), "app.secrets.key,users.ssn");
    EXPECT_EQ(outputs("SELECT pong()", names), "app.secrets.key,users.ssn");
}

TEST(LineageTest, WhatAFunctionWritesSetsOffTriggersToo)
{
    SampleParts sample = sample_parts();
    sample.function("public", "file_ticket", 1, "sql",
                    "CREATE FUNCTION public.file_ticket(text) RETURNS void LANGUAGE sql AS $f$ "
                    "INSERT INTO tickets (body) VALUES ($1) $f$");
    EXPECT_EQ(flows("SELECT file_ticket(ssn) FROM users", resolved(std::move(sample))),
              "log.what < tickets.body; tickets.body < users.ssn");
}

TEST(LineageTest, AKeyIsCopiedToWhatRefersToIt)
{
    SampleParts sample = sample_parts();
    sample.relation_named("users").references = {
        {sample.relation_named("tickets").oid, 'c', 'c', {2}, {4}}};
    const auto names = resolved(std::move(sample));
    EXPECT_EQ(flows("UPDATE users SET ssn = 'x' WHERE id = 1", names), "tickets.body < users.ssn");
    EXPECT_EQ(flows("UPDATE users SET name = 'x' WHERE id = 1", names), "");
    EXPECT_EQ(flows("DELETE FROM users WHERE id = 1", names), "");
}

TEST(LineageTest, RowsOfAFunctionColumnByColumn)
{
    SampleParts sample = sample_parts();
    const CatalogueRelation& cards = sample.relation_named("cards");
    constexpr std::uint32_t row = 40000;
    sample.parts.types.push_back(
        {.oid = row, .schema = "public", .name = "cards", .kind = 'c', .relation = cards.oid});
    sample
        .function("public", "all_cards", 0, "sql",
                  "CREATE FUNCTION public.all_cards() RETURNS SETOF public.cards LANGUAGE sql AS "
                  "$f$ SELECT * FROM cards $f$")
        .result_type = row;
    sample
        .function("public", "some_cards", 0, "plpgsql",
                  "CREATE FUNCTION public.some_cards() RETURNS SETOF public.cards LANGUAGE plpgsql "
                  "AS $f$ BEGIN RETURN QUERY SELECT * FROM cards; END $f$")
        .result_type = row;
    const auto names = resolved(std::move(sample));
    EXPECT_EQ(outputs("SELECT c.id, c.pan FROM all_cards() c", names), "cards.id | cards.pan");
    EXPECT_EQ(outputs("SELECT * FROM all_cards()", names), "cards.id | cards.user_id | cards.pan");
    EXPECT_EQ(outputs("SELECT c.id FROM some_cards() c", names),
              "cards.id,cards.pan,cards.user_id");
}

TEST(LineageTest, AFunctionOfTheDatabaseMayHideABuiltInOne)
{
    SampleParts sample = sample_parts();
    sample.function("public", "upper", 1, "sql",
                    "CREATE FUNCTION public.upper(text) RETURNS text LANGUAGE sql AS $f$ SELECT "
                    "pan FROM cards $f$");
    const auto names = resolved(std::move(sample));
    EXPECT_EQ(outputs("SELECT upper('x')", names), "cards.pan");
    EXPECT_EQ(outputs("SELECT pg_catalog.upper('x')", names), "-");
}

TEST(LineageTest, MentionsWhatIsShownCopiedOrCompared)
{
    const Read one = read("SELECT id FROM users WHERE ssn = 'x'");
    const auto& users = *sample_names()->relations({}, "users").at(0);
    EXPECT_TRUE(one.lineage().mentions(&users.columns[0]));
    EXPECT_TRUE(one.lineage().mentions(&users.columns[3]));
    EXPECT_FALSE(one.lineage().mentions(&users.columns[2]));
    EXPECT_TRUE(read("SELECT set_config('a.b', ssn, true) FROM users")
                    .lineage()
                    .mentions(&users.columns[3]));
}

TEST(LineageTest, WhatAQueryWithinEvaluatesAndNobodyShowsIsUnused)
{
    const auto unused = [](std::string_view text) {
        const Read one = read(text);
        return one.words(one.lineage().unused);
    };
    const Case cases[] = {
        {"SELECT id FROM (SELECT id, ssn FROM users) s", "users.ssn"},
        {"WITH x AS (SELECT ssn FROM users) SELECT 1", "users.ssn"},
        {"SELECT EXISTS (SELECT ssn FROM users)", "users.ssn"},
    };
    for (const Case& one : cases)
        EXPECT_THAT(unused(one.text), HasSubstr(one.expected)) << one.text;
    EXPECT_EQ(unused("SELECT id FROM users"), "-");
}

TEST(LineageTest, LaterStatementsSeeWhatEarlierOnesHaveDone)
{
    const auto last = [](std::string_view text) {
        const Read one = read(text);
        const Lineage& lineage = *one.sql->statements().back().lineage;
        std::string all;
        for (const CatalogueColumn* source : lineage.values) {
            if (source == untraced() || source->holds_values)
                all += "? ";
            for (const std::string& place : source->places)
                all += place + " ";
        }
        return all;
    };
    EXPECT_THAT(last("CREATE TEMP TABLE orders AS SELECT pan AS total FROM cards; SELECT "
                     "upper(total) FROM orders"),
                HasSubstr("public.cards.pan"));
    EXPECT_THAT(
        last("CREATE TABLE fresh AS SELECT pan AS total FROM cards; SELECT total FROM fresh"),
        HasSubstr("public.cards.pan"));
    EXPECT_THAT(last("INSERT INTO log (what) SELECT pan FROM cards; SELECT upper(what) FROM log"),
                HasSubstr("public.cards.pan"));
    EXPECT_THAT(last("SET search_path = app; SELECT key FROM secrets"),
                HasSubstr("app.secrets.key"));
    // What has been changed in a way that nobody follows may be anything.
    EXPECT_THAT(last("ALTER TABLE orders RENAME TO x; ALTER TABLE cards RENAME TO orders; SELECT "
                     "upper(id) FROM orders"),
                HasSubstr("?"));
    EXPECT_THAT(
        last("CREATE OR REPLACE FUNCTION public.last_digits(text) RETURNS text LANGUAGE sql "
             "AS 'SELECT pan FROM cards'; SELECT last_digits('x')"),
        HasSubstr("?"));
    EXPECT_EQ(last("SELECT pan FROM cards; SELECT upper(note) FROM orders"), "public.orders.note ");
}

TEST(LineageTest, LongChainsTakeNoLongTime)
{
    std::string names = "SELECT ssn";
    for (int i = 0; i < 2000; ++i)
        names += " || ssn";
    EXPECT_EQ(outputs(names + " FROM users"), "users.ssn");
    // A thousand statements that copy, each seen by those behind it.
    std::string copies;
    for (int i = 0; i < 1000; ++i)
        copies += "INSERT INTO log (what) SELECT body FROM tickets; ";
    EXPECT_EQ(flows(copies), "log.what < tickets.body");
    std::string joins = "SELECT u0.ssn FROM users u0";
    for (int i = 1; i < 300; ++i)
        joins += " JOIN users u" + std::to_string(i) + " ON u" + std::to_string(i) + ".id = u0.id";
    EXPECT_EQ(outputs(joins), "users.ssn");
    std::string chain = "WITH RECURSIVE r(c0";
    for (int i = 1; i < 40; ++i)
        chain += ", c" + std::to_string(i);
    chain += ") AS (SELECT ''";
    for (int i = 1; i < 40; ++i)
        chain += ", ''";
    chain += " UNION ALL SELECT c1";
    for (int i = 2; i < 40; ++i)
        chain += ", c" + std::to_string(i);
    chain += ", ssn FROM r, users) SELECT c0 FROM r";
    EXPECT_THAT(outputs(chain), HasSubstr("users.ssn"));
}

}  // namespace

}  // namespace sallyport::postgres
