#include "protocols/postgres/catalogue_text.h"

#include <filesystem>
#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <string>
#include <sys/stat.h>

namespace sallyport::postgres {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

CatalogueParts rich()
{
    CatalogueParts parts;
    CatalogueRelation& table = parts.relations.emplace_back();
    table.oid = 4294967295U;
    table.schema = "public";
    table.name = "odd \"name\"\n\xff";
    table.kind = 'p';
    table.columns.resize(3);
    table.columns[0].name = "id";
    table.columns[0].type = 23;
    table.columns[2].name = "twice";
    table.columns[2].type = 20;
    table.columns[2].generated = "(id * 2)";
    table.parents = {1, 2};
    table.rules = {"CREATE RULE r AS ON INSERT TO public.t DO ALSO NOTIFY x;", ")"};
    table.triggers.push_back(
        {.function = 7, .function_name = "", .events = 0xffff, .condition = "(new.id > 1)"});
    table.triggers.push_back({.function = 8,
                              .function_name = "suppress_redundant_updates_trigger",
                              .events = CatalogueTrigger::on_delete,
                              .condition = ""});
    table.written_expressions = {"lower(name)"};
    table.policy_expressions = {"true"};
    table.server = "elsewhere";
    CatalogueRelation& view = parts.relations.emplace_back();
    view.oid = 5;
    view.kind = 'v';
    view.definition = " SELECT 1;";
    CatalogueFunction& function = parts.functions.emplace_back();
    function.oid = 9;
    function.schema = "public";
    function.name = "f";
    function.kind = 'a';
    function.language = "plpgsql";
    function.fewest_arguments = 1;
    function.most_arguments = 3;
    function.variadic = true;
    function.argument_types = {23, 25, 1009};
    function.result_type = 16;
    function.returns_set = true;
    function.result_columns = {"a", "b"};
    function.definition = "CREATE FUNCTION ...";
    function.extension = "pgcrypto";
    function.support = {10, 11};
    parts.operators = {{"public", "===", 9}};
    parts.casts = {{23, 25, 9, 'i'}};
    CatalogueType& type = parts.types.emplace_back();
    type.oid = 12;
    type.schema = "public";
    type.name = "positive";
    type.kind = 'd';
    type.element = 1;
    type.base = 23;
    type.relation = 4;
    type.constraints = {"(VALUE > 0)"};
    parts.search_path = {"app", "public"};
    parts.schemas = {"app", "public", "pg_catalog"};
    return parts;
}

void expect_same(const CatalogueParts& found, const CatalogueParts& wanted)
{
    ASSERT_EQ(found.relations.size(), wanted.relations.size());
    for (std::size_t i = 0; i < wanted.relations.size(); ++i) {
        const CatalogueRelation& a = found.relations[i];
        const CatalogueRelation& b = wanted.relations[i];
        EXPECT_EQ(a.oid, b.oid);
        EXPECT_EQ(a.schema, b.schema);
        EXPECT_EQ(a.name, b.name);
        EXPECT_EQ(a.kind, b.kind);
        ASSERT_EQ(a.columns.size(), b.columns.size());
        for (std::size_t j = 0; j < b.columns.size(); ++j) {
            EXPECT_EQ(a.columns[j].name, b.columns[j].name);
            EXPECT_EQ(a.columns[j].type, b.columns[j].type);
            EXPECT_EQ(a.columns[j].generated, b.columns[j].generated);
        }
        EXPECT_EQ(a.parents, b.parents);
        EXPECT_EQ(a.definition, b.definition);
        EXPECT_EQ(a.rules, b.rules);
        ASSERT_EQ(a.triggers.size(), b.triggers.size());
        for (std::size_t j = 0; j < b.triggers.size(); ++j) {
            EXPECT_EQ(a.triggers[j].function, b.triggers[j].function);
            EXPECT_EQ(a.triggers[j].events, b.triggers[j].events);
            EXPECT_EQ(a.triggers[j].condition, b.triggers[j].condition);
        }
        EXPECT_EQ(a.written_expressions, b.written_expressions);
        EXPECT_EQ(a.policy_expressions, b.policy_expressions);
        EXPECT_EQ(a.server, b.server);
    }
    ASSERT_EQ(found.functions.size(), wanted.functions.size());
    for (std::size_t i = 0; i < wanted.functions.size(); ++i) {
        const CatalogueFunction& a = found.functions[i];
        const CatalogueFunction& b = wanted.functions[i];
        EXPECT_EQ(a.oid, b.oid);
        EXPECT_EQ(a.schema, b.schema);
        EXPECT_EQ(a.name, b.name);
        EXPECT_EQ(a.kind, b.kind);
        EXPECT_EQ(a.language, b.language);
        EXPECT_EQ(a.fewest_arguments, b.fewest_arguments);
        EXPECT_EQ(a.most_arguments, b.most_arguments);
        EXPECT_EQ(a.variadic, b.variadic);
        EXPECT_EQ(a.argument_types, b.argument_types);
        EXPECT_EQ(a.result_type, b.result_type);
        EXPECT_EQ(a.returns_set, b.returns_set);
        EXPECT_EQ(a.result_columns, b.result_columns);
        EXPECT_EQ(a.definition, b.definition);
        EXPECT_EQ(a.extension, b.extension);
        EXPECT_EQ(a.support, b.support);
    }
    ASSERT_EQ(found.operators.size(), wanted.operators.size());
    for (std::size_t i = 0; i < wanted.operators.size(); ++i) {
        EXPECT_EQ(found.operators[i].schema, wanted.operators[i].schema);
        EXPECT_EQ(found.operators[i].name, wanted.operators[i].name);
        EXPECT_EQ(found.operators[i].function, wanted.operators[i].function);
    }
    ASSERT_EQ(found.casts.size(), wanted.casts.size());
    for (std::size_t i = 0; i < wanted.casts.size(); ++i) {
        EXPECT_EQ(found.casts[i].source, wanted.casts[i].source);
        EXPECT_EQ(found.casts[i].target, wanted.casts[i].target);
        EXPECT_EQ(found.casts[i].function, wanted.casts[i].function);
        EXPECT_EQ(found.casts[i].context, wanted.casts[i].context);
    }
    ASSERT_EQ(found.types.size(), wanted.types.size());
    for (std::size_t i = 0; i < wanted.types.size(); ++i) {
        EXPECT_EQ(found.types[i].oid, wanted.types[i].oid);
        EXPECT_EQ(found.types[i].schema, wanted.types[i].schema);
        EXPECT_EQ(found.types[i].name, wanted.types[i].name);
        EXPECT_EQ(found.types[i].kind, wanted.types[i].kind);
        EXPECT_EQ(found.types[i].element, wanted.types[i].element);
        EXPECT_EQ(found.types[i].base, wanted.types[i].base);
        EXPECT_EQ(found.types[i].relation, wanted.types[i].relation);
        EXPECT_EQ(found.types[i].constraints, wanted.types[i].constraints);
    }
    EXPECT_EQ(found.search_path, wanted.search_path);
    EXPECT_EQ(found.schemas, wanted.schemas);
}

TEST(CatalogueTextTest, ComesBackAsItWas)
{
    for (const CatalogueParts& parts : {rich(), CatalogueParts()}) {
        const auto found = read_catalogue_text(write_catalogue(parts));
        ASSERT_TRUE(found) << found.error().detail;
        expect_same(*found, parts);
    }
}

TEST(CatalogueTextTest, AnythingElseIsRefused)
{
    const std::string whole = write_catalogue(rich());
    ASSERT_TRUE(read_catalogue_text(whole));
    for (std::size_t size = 0; size + 1 < whole.size(); ++size)
        EXPECT_FALSE(read_catalogue_text(whole.substr(0, size))) << size;
    for (const auto& [old, bad] :
         {std::pair("\"form\":1", "\"form\":2"), std::pair("\"oid\":9", "\"oid\":-9"),
          std::pair("\"oid\":9", "\"oid\":4294967296"), std::pair("\"most\":3", "\"most\":65536"),
          std::pair("\"kind\":\"p\"", "\"kind\":\"pp\""),
          std::pair("\"variadic\":true", "\"variadic\":1"),
          std::pair("[\"id\",23]", "[\"id\",\"23\"]"),
          std::pair("[7,\"\",65535,", "[7,\"\",65536,"),
          std::pair("\"parents\":[1,2]", "\"parents\":1"), std::pair("\"casts\"", "\"cast\"")}) {
        std::string text = whole;
        const std::size_t at = text.find(old);
        ASSERT_NE(at, std::string::npos) << old;
        text.replace(at, std::string(old).size(), bad);
        EXPECT_FALSE(read_catalogue_text(text)) << bad;
    }
}

TEST(CatalogueTextTest, AFileIsReplacedWhereItSaysSomethingElse)
{
    std::string folder = (std::filesystem::temp_directory_path() / "catalogue-XXXXXX").string();
    ASSERT_NE(::mkdtemp(folder.data()), nullptr);
    const std::string name = folder + "/catalogue";
    const auto missing = load_catalogue(name);
    ASSERT_FALSE(missing);
    EXPECT_EQ(missing.error().fault, Fault::unavailable);
    const auto catalogue = std::make_shared<const Catalogue>(rich());
    {
        CatalogueFile file(name);
        EXPECT_TRUE(file.save(catalogue));
    }
    const auto found = load_catalogue(name);
    ASSERT_TRUE(found) << found.error().detail;
    expect_same(*found, rich());
    struct stat first = {};
    struct stat second = {};
    ASSERT_EQ(::stat(name.c_str(), &first), 0);
    EXPECT_EQ(first.st_mode & 0777, 0600U);
    {
        CatalogueFile file(name);
        EXPECT_TRUE(file.save(catalogue));
    }
    ASSERT_EQ(::stat(name.c_str(), &second), 0);
    EXPECT_EQ(first.st_ino, second.st_ino);
    {
        CatalogueFile file(name);
        EXPECT_TRUE(file.save(std::make_shared<const Catalogue>(CatalogueParts())));
    }
    EXPECT_TRUE(load_catalogue(name)->relations.empty());
    EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder), {}), 1);
    std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace sallyport::postgres
