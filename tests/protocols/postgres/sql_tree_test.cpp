// The walk against the parser library's own printing of the same tree.
//
// The structs the walk reads come from the server's headers, the tree from the library: were one of
// them another version, names and flags would be read from the wrong places. Here the library
// prints each tree as JSON, and a plain search through that must find the same names.

#include <algorithm>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <pg_query.h>
#include <set>
#include <string>

#include "protocols/postgres/statement.h"
#include "tests/protocols/postgres/sql_corpus.h"

namespace sallyport::postgres {

namespace {

using nlohmann::json;

struct Found {
    std::set<std::string> relations;
    std::set<std::string> columns;
    std::set<std::string> functions;
    std::set<std::string> with_names;
    bool star = false;
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
            if (value["fields"].back().contains("A_Star"))
                found.star = true;
            else
                found.columns.insert(last_name(value["fields"]));
        } else if (item.key() == "FuncCall") {
            found.functions.insert(dotted(value["funcname"]));
        } else if (item.key() == "CommonTableExpr") {
            found.with_names.insert(value.value("ctename", ""));
        }
        if (value.is_object() && value.contains("relname"))
            found.relations.insert(value.value("schemaname", "") + "." +
                                   value.value("relname", ""));
        search(value, found);
    }
}

TEST(SqlTreeTest, TheWalkFindsTheNamesThatTheLibraryPrints)
{
    int compared = 0;
    for (const SqlCase& one : sql_corpus()) {
        const auto sql = read_sql(one.text, {});
        if (!sql->problem.empty() || sql->statements().size() != 1)
            continue;
        const StatementKind kind = sql->statements()[0].kind;
        const ClassSet code = ClassSet::of(static_cast<std::size_t>(SqlClass::code));
        const bool query = kind == StatementKind::query || kind == StatementKind::explain ||
                           kind == StatementKind::prepare;
        if (!query || !(sql->command->classes() & code).empty())
            continue;
        const PgQueryParseResult printed = pg_query_parse(one.text.c_str());
        ASSERT_EQ(printed.error, nullptr);
        Found found;
        search(json::parse(printed.parse_tree), found);
        pg_query_free_parse_result(printed);

        const Mentions& mentions = sql->statements()[0].mentions;
        std::set<std::string> relations;
        for (const RelationName& name : mentions.relations)
            relations.insert(name.schema + "." + name.name);
        std::set<std::string> unnamed = found.relations;
        for (const std::string& name : found.with_names)
            unnamed.erase("." + name);
        // A name that WITH takes may also be a table elsewhere in the statement.
        for (const std::string& name : found.with_names)
            relations.erase("." + name);
        // What is created and what FOR UPDATE OF names are relations of the tree as well.
        for (const std::string& name : relations)
            EXPECT_TRUE(unnamed.contains(name)) << one.place << " " << name;
        if (one.text.find("CREATE") == std::string::npos &&
            one.text.find(" OF ") == std::string::npos) {
            EXPECT_EQ(relations, unnamed) << one.place << "\n" << one.text;
        }
        EXPECT_EQ(std::set(mentions.functions.begin(), mentions.functions.end()), found.functions)
            << one.place;
        for (const std::string& column : found.columns)
            EXPECT_TRUE(
                std::binary_search(mentions.columns.begin(), mentions.columns.end(), column))
                << one.place << " " << column;
        EXPECT_TRUE(found.star || !mentions.star || one.text.find(").*") != std::string::npos)
            << one.place;
        ++compared;
    }
    EXPECT_GT(compared, 200);
}

}  // namespace

}  // namespace sallyport::postgres
