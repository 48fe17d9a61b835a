#include "tests/protocols/postgres/sample_names.h"

#include <algorithm>
#include <utility>

#include "protocols/postgres/lineage_walk.h"

namespace sallyport::postgres {

std::shared_ptr<Resolution> no_names(std::vector<std::string> trusted)
{
    return std::make_shared<Resolution>(nullptr, std::move(trusted), SearchPath{{"public"}, true});
}

SampleParts::SampleParts()
{
    constexpr std::size_t enough = 1000;
    parts.relations.reserve(enough);
    parts.functions.reserve(enough);
    parts.search_path = {"public"};
}

CatalogueRelation& SampleParts::relation(std::string schema, std::string name,
                                         const std::vector<std::string>& columns, char kind)
{
    CatalogueRelation& made = parts.relations.emplace_back();
    made.oid = next_oid_++;
    made.schema = std::move(schema);
    made.name = std::move(name);
    made.kind = kind;
    for (const std::string& column : columns)
        made.columns.push_back({column, 25, {}, {}, false});
    return made;
}

CatalogueRelation& SampleParts::view(std::string schema, std::string name,
                                     const std::vector<std::string>& columns, std::string query,
                                     char kind)
{
    CatalogueRelation& made = relation(std::move(schema), std::move(name), columns, kind);
    made.definition = std::move(query);
    return made;
}

CatalogueFunction& SampleParts::function(std::string schema, std::string name,
                                         std::uint16_t arguments, std::string language,
                                         std::string definition)
{
    CatalogueFunction& made = parts.functions.emplace_back();
    made.oid = next_oid_++;
    made.schema = std::move(schema);
    made.name = std::move(name);
    made.language = std::move(language);
    made.fewest_arguments = arguments;
    made.most_arguments = arguments;
    made.argument_types.assign(arguments, 25);
    made.definition = std::move(definition);
    return made;
}

void SampleParts::trigger(CatalogueRelation& on, const CatalogueFunction& function,
                          std::uint16_t events)
{
    on.triggers.push_back({function.oid, {}, events, {}});
}

CatalogueRelation& SampleParts::relation_named(std::string_view name)
{
    return *std::ranges::find(parts.relations, name, &CatalogueRelation::name);
}

SampleParts sample_parts()
{
    SampleParts made;
    const std::uint32_t users =
        made.relation("public", "users", {"id", "name", "email", "ssn", "age"}).oid;
    made.relation("public", "cards", {"id", "user_id", "pan"});
    made.relation("public", "orders", {"id", "user_id", "total", "note"});
    made.relation("public", "log", {"at", "who", "what"});
    made.relation("public", "tickets", {"id", "body"});
    // One that lost a column.
    made.relation("public", "gaps", {"a", "", "b"});
    made.relation("public", "accounts", {"id", "ssn", "last4"}).columns[2].generated =
        "\"right\"(ssn, 4)";
    made.relation("public", "staff", {"id", "name", "email", "ssn", "age", "salary"}).parents = {
        users};
    const std::uint32_t visits = made.relation("public", "visits", {"day", "ip"}, 'p').oid;
    made.relation("public", "visits_2026", {"ip", "day"}).parents = {visits};
    made.relation("public", "far", {"id", "secret"}, 'f').server = "elsewhere";
    made.relation("app", "secrets", {"id", "key"});
    made.relation("pg_catalog", "pg_stats", {"tablename", "most_common_vals"}, 'v');

    made.view("public", "people", {"id", "code", "name"},
              " SELECT users.id,\n    upper(users.ssn) AS code,\n    users.name\n"
              "   FROM public.users;");
    made.view("public", "named_people", {"code"},
              " SELECT people.code FROM public.people WHERE people.name IS NOT NULL;");
    made.view("public", "sums", {"user_id", "total"},
              " SELECT orders.user_id,\n    sum(orders.total) AS total\n   FROM public.orders\n"
              "  GROUP BY orders.user_id;",
              'm');

    made.function("public", "last_digits", 1, "sql",
                  "CREATE FUNCTION public.last_digits(text) RETURNS text LANGUAGE sql "
                  "AS $f$ SELECT right($1, 4) $f$");
    made.function("public", "first_ssn", 0, "sql",
                  "CREATE FUNCTION public.first_ssn() RETURNS text LANGUAGE sql "
                  "AS $f$ SELECT ssn FROM users LIMIT 1 $f$");
    made.function("public", "newest_ssn", 0, "sql",
                  "CREATE FUNCTION public.newest_ssn() RETURNS text LANGUAGE sql "
                  "BEGIN ATOMIC SELECT users.ssn FROM public.users; END");
    CatalogueFunction& rows =
        made.function("public", "cards_of", 1, "sql",
                      "CREATE FUNCTION public.cards_of(owner integer) RETURNS TABLE(card integer, "
                      "number text) LANGUAGE sql AS $f$ SELECT id, pan FROM cards WHERE user_id = "
                      "owner $f$");
    rows.returns_set = true;
    rows.result_columns = {"card", "number"};
    made.function("public", "email_of", 1, "plpgsql",
                  "CREATE FUNCTION public.email_of(who integer) RETURNS text LANGUAGE plpgsql AS "
                  "$f$ DECLARE e text; BEGIN SELECT email INTO e FROM users WHERE id = who; RETURN "
                  "e; END $f$");
    made.function("public", "write_down", 1, "plpgsql",
                  "CREATE FUNCTION public.write_down(message text) RETURNS void LANGUAGE plpgsql "
                  "AS $f$ BEGIN INSERT INTO log (what) VALUES (message); END $f$");
    made.function("public", "keep", 1, "sql",
                  "CREATE FUNCTION public.keep(text) RETURNS void LANGUAGE sql "
                  "AS $f$ INSERT INTO log (what) VALUES ($1) $f$");
    made.function("public", "set_aside", 1, "sql",
                  "CREATE FUNCTION public.set_aside(text) RETURNS text LANGUAGE sql "
                  "AS $f$ SELECT set_config('app.kept', $1, false) $f$");
    made.function("public", "through", 1, "sql",
                  "CREATE FUNCTION public.through(t text) RETURNS void LANGUAGE sql "
                  "AS $f$ SELECT write_down(t) $f$");
    made.function("public", "spin", 1, "plpgsql",
                  "CREATE FUNCTION public.spin(n integer) RETURNS text LANGUAGE plpgsql AS $f$ "
                  "BEGIN IF n > 0 THEN RETURN spin(n - 1); END IF; RETURN (SELECT pan FROM cards "
                  "LIMIT 1); END $f$");
    made.function("public", "anything", 1, "plpgsql",
                  "CREATE FUNCTION public.anything(query text) RETURNS text LANGUAGE plpgsql AS "
                  "$f$ DECLARE r text; BEGIN EXECUTE query INTO r; RETURN r; END $f$");
    made.function("public", "native", 1, "c");
    made.function("public", "similarity", 2, "c").extension = "pg_trgm";
    made.function("public", "look", 1, "plpython3u");
    const std::uint32_t step =
        made.function("public", "glue_step", 2, "sql",
                      "CREATE FUNCTION public.glue_step(text, text) RETURNS text LANGUAGE sql AS "
                      "$f$ SELECT $1 || $2 || (SELECT max(pan) FROM cards) $f$")
            .oid;
    CatalogueFunction& glue = made.function("public", "glue", 1, "internal");
    glue.kind = 'a';
    glue.support = {step};
    const CatalogueFunction& on_ticket =
        made.function("public", "on_ticket", 0, "plpgsql",
                      "CREATE FUNCTION public.on_ticket() RETURNS trigger LANGUAGE plpgsql AS $f$ "
                      "BEGIN INSERT INTO log (what) VALUES (NEW.body); RETURN NEW; END $f$");
    SampleParts::trigger(made.relation_named("tickets"), on_ticket, CatalogueTrigger::on_insert);
    return made;
}

std::shared_ptr<Resolution> resolved(SampleParts sample, SearchPath path,
                                     std::vector<std::string> trusted)
{
    return std::make_shared<Resolution>(std::make_shared<const Catalogue>(std::move(sample.parts)),
                                        std::move(trusted), std::move(path));
}

const std::shared_ptr<Resolution>& sample_names()
{
    static const std::shared_ptr<Resolution> names = resolved(sample_parts());
    return names;
}

std::string words_of(const Resolution& names, const Sources& sources)
{
    std::vector<std::string> words;
    for (const CatalogueColumn* source : sources) {
        if (source == untraced()) {
            words.emplace_back("?");
            continue;
        }
        if (source == LineageWalk::variable()) {
            words.emplace_back("variable");
            continue;
        }
        std::string word = "own " + source->name;
        if (names.catalogue()) {
            for (const CatalogueRelation& relation : names.catalogue()->relations()) {
                for (const CatalogueColumn& column : relation.columns) {
                    if (&column == source)
                        word = (relation.schema == "public" ? "" : relation.schema + ".") +
                               relation.name + "." + column.name;
                }
            }
        }
        words.push_back(std::move(word));
    }
    std::ranges::sort(words);
    std::string text;
    for (const std::string& word : words)
        text += (text.empty() ? "" : ",") + word;
    return text.empty() ? "-" : text;
}

}  // namespace sallyport::postgres
