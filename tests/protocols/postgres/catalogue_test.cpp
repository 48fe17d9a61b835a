#include "protocols/postgres/catalogue.h"

#include <chrono>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <string>
#include <utility>
#include <vector>

#include "protocols/postgres/derived_columns.h"

namespace sallyport::postgres {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

CatalogueRelation relation(std::uint32_t oid, std::string name, std::vector<std::string> columns,
                           std::vector<std::uint32_t> parents = {})
{
    CatalogueRelation made;
    made.oid = oid;
    made.schema = "public";
    made.name = std::move(name);
    for (std::string& column : columns) {
        made.columns.emplace_back();
        made.columns.back().name = std::move(column);
    }
    made.parents = std::move(parents);
    return made;
}

Catalogue catalogue_of(std::vector<CatalogueRelation> relations,
                       const DerivedColumns* derived = nullptr)
{
    CatalogueParts parts;
    parts.relations = std::move(relations);
    return Catalogue(std::move(parts), derived);
}

std::vector<std::string> places(const Catalogue& catalogue, std::uint32_t oid, int attribute)
{
    const CatalogueColumn* column = catalogue.column(oid, attribute);
    return column == nullptr ? std::vector<std::string>{"no such column"} : column->places;
}

TEST(CatalogueTest, AColumnIsAPlaceOfItsOwn)
{
    const Catalogue catalogue = catalogue_of({relation(1, "users", {"id", "", "email"})});
    EXPECT_THAT(places(catalogue, 1, 1), ElementsAre("public.users.id"));
    EXPECT_THAT(places(catalogue, 1, 3), ElementsAre("public.users.email"));
    for (const int attribute : {-1, 0, 2, 4})
        EXPECT_EQ(catalogue.column(1, attribute), nullptr) << attribute;
    EXPECT_EQ(catalogue.column(2, 1), nullptr);
}

TEST(CatalogueTest, APartitionHasItsAncestorsPlacesAndNotItsSiblings)
{
    const Catalogue catalogue = catalogue_of({
        relation(1, "users", {"id", "email"}),
        relation(2, "users_2026", {"email", "id", "note"}, {1}),
        relation(3, "users_2027", {"id", "email"}, {1}),
        relation(4, "users_2026_01", {"id", "note", "email"}, {2}),
    });
    EXPECT_THAT(places(catalogue, 1, 2),
                ElementsAre("public.users.email", "public.users_2026.email",
                            "public.users_2026_01.email", "public.users_2027.email"));
    EXPECT_THAT(
        places(catalogue, 2, 1),
        ElementsAre("public.users.email", "public.users_2026.email", "public.users_2026_01.email"));
    EXPECT_THAT(places(catalogue, 2, 3),
                ElementsAre("public.users_2026.note", "public.users_2026_01.note"));
    EXPECT_THAT(places(catalogue, 3, 2),
                ElementsAre("public.users.email", "public.users_2027.email"));
    EXPECT_THAT(places(catalogue, 4, 1),
                ElementsAre("public.users.id", "public.users_2026.id", "public.users_2026_01.id"));
}

// Reading the first parent shows the child's rows, which the second one's masks cover too.
TEST(CatalogueTest, AParentHasThePlacesOfItsChildsOtherParents)
{
    const Catalogue catalogue = catalogue_of({
        relation(1, "people", {"name"}),
        relation(2, "patients", {"name"}),
        relation(3, "both", {"name"}, {1, 2}),
    });
    EXPECT_THAT(places(catalogue, 1, 1),
                ElementsAre("public.both.name", "public.patients.name", "public.people.name"));
}

TEST(CatalogueTest, ALoopOfParentsEnds)
{
    const Catalogue catalogue =
        catalogue_of({relation(1, "a", {"x"}, {2, 99}), relation(2, "b", {"x"}, {1})});
    EXPECT_THAT(places(catalogue, 1, 1), ElementsAre("public.a.x", "public.b.x"));
}

TEST(CatalogueTest, WhatIsTooDeepToFollowIsHidden)
{
    std::vector<CatalogueRelation> chain = {relation(1, "t1", {"x"})};
    for (std::uint32_t oid = 2; oid <= 100; ++oid)
        chain.push_back(relation(oid, "t" + std::to_string(oid), {"x"}, {oid - 1}));
    chain.resize(32);
    EXPECT_FALSE(catalogue_of(chain).column(32, 1)->holds_values);
    EXPECT_THAT(places(catalogue_of(chain), 1, 1), SizeIs(32));
    for (std::uint32_t oid = 33; oid <= 100; ++oid)
        chain.push_back(relation(oid, "t" + std::to_string(oid), {"x"}, {oid - 1}));
    EXPECT_TRUE(catalogue_of(chain).column(1, 1)->holds_values);
    EXPECT_TRUE(catalogue_of(chain).column(100, 1)->holds_values);
}

TEST(CatalogueTest, WhatWasCopiedIntoAChildIsWhereItsParentsValuesComeFrom)
{
    const auto derived = DerivedColumns::open("");
    ASSERT_TRUE(derived);
    ASSERT_TRUE((*derived)->add({{"public", "copy_1", "y", {"public.users.ssn"}}}));
    const Catalogue catalogue = catalogue_of(
        {relation(1, "copy", {"x", "y"}), relation(2, "copy_1", {"y", "x"}, {1})}, derived->get());
    EXPECT_THAT(places(catalogue, 1, 2),
                ElementsAre("public.copy.y", "public.copy_1.y", "public.users.ssn"));
    EXPECT_THAT(places(catalogue, 2, 1),
                ElementsAre("public.copy.y", "public.copy_1.y", "public.users.ssn"));
    EXPECT_THAT(places(catalogue, 1, 1), ElementsAre("public.copy.x", "public.copy_1.x"));
}

TEST(CatalogueTest, KnowsWhichSystemColumnsHoldValues)
{
    const auto in = [](std::string schema, CatalogueRelation one) {
        one.schema = std::move(schema);
        return one;
    };
    const Catalogue catalogue = catalogue_of({
        in("pg_catalog", relation(1, "pg_stats", {"tablename", "most_common_vals"})),
        in("public", relation(2, "pg_stats", {"tablename", "most_common_vals"})),
        in("monitoring", relation(3, "pg_stat_statements", {"calls", "query"})),
        in("pg_catalog", relation(4, "pg_attribute", {"attname", "attmissingval"})),
        in("information_schema", relation(5, "user_mapping_options", {"x", "option_value"})),
    });
    for (const std::uint32_t oid : {1U, 3U, 4U, 5U}) {
        EXPECT_FALSE(catalogue.column(oid, 1)->holds_values) << oid;
        EXPECT_TRUE(catalogue.column(oid, 2)->holds_values) << oid;
    }
    EXPECT_FALSE(catalogue.column(2, 2)->holds_values);
}

TEST(CatalogueTest, FindsByOidAndByName)
{
    CatalogueParts parts;
    parts.relations = {relation(1, "users", {"id"}), relation(2, "users", {"id"})};
    parts.relations[1].schema = "other";
    parts.functions.resize(2);
    parts.functions[0].oid = 3;
    parts.functions[0].name = "f";
    parts.functions[1].oid = 4;
    parts.functions[1].name = "f";
    parts.operators = {{"public", "+", 3}};
    parts.types.resize(1);
    parts.types[0].oid = 5;
    parts.types[0].name = "colour";
    parts.search_path = {"public"};
    const Catalogue catalogue(std::move(parts));
    EXPECT_EQ(catalogue.relation(2)->schema, "other");
    EXPECT_EQ(catalogue.relation(3), nullptr);
    EXPECT_THAT(catalogue.relations_named("users"), SizeIs(2));
    EXPECT_THAT(catalogue.relations_named("Users"), IsEmpty());
    EXPECT_EQ(catalogue.function(4)->name, "f");
    EXPECT_THAT(catalogue.functions_named("f"), SizeIs(2));
    EXPECT_EQ(catalogue.operators_named("+")[0]->function, 3U);
    EXPECT_EQ(catalogue.type(5), catalogue.types_named("colour")[0]);
    EXPECT_THAT(catalogue.search_path(), ElementsAre("public"));
}

// Many tables and a wide tree. Anything quadratic in either takes minutes.
TEST(CatalogueTest, TakesTimeLinearInItsSize)
{
    std::vector<std::string> columns;
    for (int i = 0; i < 20; ++i)
        columns.push_back("column_" + std::to_string(i));
    std::vector<std::string> reversed(columns.rbegin(), columns.rend());
    std::vector<CatalogueRelation> relations;
    for (std::uint32_t oid = 1; oid <= 10'000; ++oid)
        relations.push_back(relation(oid, "table_" + std::to_string(oid), columns));
    relations.push_back(relation(20'000, "whole", columns));
    for (std::uint32_t oid = 20'001; oid <= 25'000; ++oid)
        relations.push_back(relation(oid, "part_" + std::to_string(oid),
                                     oid % 2 == 0 ? columns : reversed, {20'000}));
    const auto begin = std::chrono::steady_clock::now();
    const Catalogue catalogue = catalogue_of(std::move(relations));
    const auto took = std::chrono::steady_clock::now() - begin;
    EXPECT_THAT(places(catalogue, 20'000, 20), SizeIs(5'001));
    EXPECT_THAT(places(catalogue, 20'001, 20),
                ElementsAre("public.part_20001.column_0", "public.whole.column_0"));
    EXPECT_LT(took, std::chrono::seconds(30));
    RecordProperty("milliseconds", static_cast<int>(took / std::chrono::milliseconds(1)));
}

}  // namespace
}  // namespace sallyport::postgres
