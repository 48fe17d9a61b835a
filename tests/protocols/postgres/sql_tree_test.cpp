// The walks against the parser library's own printing of the same tree.
//
// The structs the walks read come from the server's headers, the tree from the library: were one of
// them another version, names and flags would be read from the wrong places. Here the library
// prints each tree as JSON, and a plain search through that must find the same names. What it finds
// as a column must be in the statement's lineage: in a database where every relation of the text
// has every column of it, nothing that is named may get lost on the way.

#include <algorithm>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <pg_query.h>
#include <set>
#include <string>

#include "protocols/postgres/statement.h"
#include "tests/protocols/postgres/sample_names.h"
#include "tests/protocols/postgres/sql_corpus.h"

namespace sallyport::postgres {

namespace {

using nlohmann::json;
using Names = std::set<std::string>;

struct Found {
    Names relations;
    Names columns;
    Names functions;
    Names with_names;
    Names given;  // names that the text itself gives to columns and rows
};

std::string last_name(const json& list)
{
    const json& last = list.back();
    return last.contains("String") ? last["String"].value("sval", "") : "";
}

std::string dotted(const json& list)
{
    const std::string name = last_name(list);
    return list.size() > 1 ? list[list.size() - 2]["String"].value("sval", "") + "." + name : name;
}

void search(const json& node, Found& found)
{
    if (!node.is_structured())
        return;
    for (const auto& item : node.items()) {
        const json& value = item.value();
        if (item.key() == "ColumnRef" && value.contains("fields")) {
            if (!value["fields"].back().contains("A_Star"))
                found.columns.insert(last_name(value["fields"]));
        } else if (item.key() == "FuncCall") {
            found.functions.insert(dotted(value["funcname"]));
        } else if (item.key() == "CommonTableExpr") {
            found.with_names.insert(value.value("ctename", ""));
            if (value.contains("aliascolnames"))
                for (const json& name : value["aliascolnames"])
                    found.given.insert(name["String"].value("sval", ""));
        } else if (item.key() == "ResTarget" && value.contains("name")) {
            found.given.insert(value["name"].get<std::string>());
        } else if (item.key() == "ColumnDef" && value.contains("colname")) {
            found.given.insert(value["colname"].get<std::string>());
        }
        if (value.is_object() && value.contains("aliasname")) {
            found.given.insert(value["aliasname"].get<std::string>());
            if (value.contains("colnames"))
                for (const json& name : value["colnames"])
                    found.given.insert(name["String"].value("sval", ""));
        }
        for (const char* const key :
             {"search_seq_column", "cycle_mark_column", "cycle_path_column"})
            if (value.is_object() && value.contains(key))
                found.given.insert(value[key].get<std::string>());
        if (value.is_object() && value.contains("relname"))
            found.relations.insert(value.value("schemaname", "public") + "." +
                                   value.value("relname", ""));
        search(value, found);
    }
}

Found printed(const std::string& text)
{
    Found found;
    const PgQueryParseResult parsed = pg_query_parse(text.c_str());
    EXPECT_EQ(parsed.error, nullptr) << text;
    search(json::parse(parsed.parse_tree), found);
    pg_query_free_parse_result(parsed);
    for (const std::string& name : found.with_names)
        found.relations.erase("public." + name);
    return found;
}

// Every relation of the text with every column of it.
std::shared_ptr<Resolution> names_for(const Found& found)
{
    SampleParts sample;
    const std::vector<std::string> columns(found.columns.begin(), found.columns.end());
    for (const std::string& name : found.relations) {
        const std::size_t dot = name.find('.');
        sample.relation(name.substr(0, dot), name.substr(dot + 1), columns);
    }
    return resolved(std::move(sample));
}

Names mentioned(const Lineage& lineage)
{
    Names names;
    const auto take = [&names](const Sources& sources) {
        for (const CatalogueColumn* source : sources)
            names.insert(source->name);
    };
    take(lineage.values);
    take(lineage.conditions);
    take(lineage.unused);
    take(lineage.sunk);
    for (const OutputColumn& output : lineage.outputs)
        take(output.sources);
    for (const Flow& flow : lineage.flows)
        take(flow.sources);
    return names;
}

bool is_a_query(const Sql& sql)
{
    if (!sql.problem.empty() || sql.statements().size() != 1)
        return false;
    const StatementKind kind = sql.statements()[0].kind;
    const bool code = sql.command->classes().contains(static_cast<std::size_t>(SqlClass::code));
    return !code && (kind == StatementKind::query || kind == StatementKind::explain ||
                     kind == StatementKind::prepare || kind == StatementKind::declare);
}

TEST(SqlTreeTest, TheWalkFindsTheNamesThatTheLibraryPrints)
{
    int compared = 0;
    for (const SqlCase& one : sql_corpus()) {
        if (!is_a_query(*read_sql(one.text, no_names())))
            continue;
        const Found found = printed(one.text);
        const auto sql = read_sql(one.text, names_for(found));
        Names objects;
        for (const Action& action : sql->command->actions())
            objects.insert(action.object);
        for (const std::string& name : found.relations) {
            // FOR UPDATE OF x names what FROM has under another name.
            if (found.given.contains(name.substr(name.find('.') + 1)))
                continue;
            // One of the system's comes first.
            EXPECT_TRUE(objects.contains(name) ||
                        objects.contains("pg_catalog" + name.substr(name.find('.'))))
                << one.place << " " << name << "\n"
                << one.text;
        }
        const auto& functions = sql->statements()[0].functions;
        EXPECT_EQ(Names(functions.begin(), functions.end()), found.functions) << one.place;
        ++compared;
    }
    EXPECT_GT(compared, 200);
}

TEST(SqlTreeTest, NoColumnThatTheLibraryPrintsGetsLost)
{
    // System columns, and those of pg_options_to_table().
    const Names no_sources{"ctid", "tableoid", "xmin",        "xmax",
                           "cmin", "cmax",     "option_name", "option_value"};
    int compared = 0;
    for (const SqlCase& one : sql_corpus()) {
        if (!is_a_query(*read_sql(one.text, no_names())))
            continue;
        const Found found = printed(one.text);
        if (found.columns.empty() || found.relations.empty())
            continue;
        const auto names = names_for(found);
        const auto sql = read_sql(one.text, names);
        const Lineage& lineage = *sql->statements()[0].lineage;
        const Names met = mentioned(lineage);
        for (const std::string& column : found.columns) {
            if (found.given.contains(column) || found.with_names.contains(column) ||
                no_sources.contains(column) || found.relations.contains("public." + column))
                continue;
            EXPECT_TRUE(met.contains(column)) << one.place << " " << column << "\n" << one.text;
            ++compared;
        }
    }
    EXPECT_GT(compared, 200);
}

}  // namespace

}  // namespace sallyport::postgres
