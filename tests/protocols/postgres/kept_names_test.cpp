// What `sallyport decide` knows of a target: what the gateway has left in its state directory.

#include "protocols/postgres/kept_names.h"

#include <filesystem>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "gateway/state/state_file.h"
#include "protocols/postgres/catalogue_text.h"
#include "protocols/postgres/derived_columns.h"
#include "protocols/postgres/state_paths.h"
#include "tests/temporary_directory.h"

namespace sallyport::postgres {

namespace {

using testing::ElementsAre;

class KeptNamesTest : public testing::Test {
protected:
    KeptNamesTest()
    {
        connection.name = "shop";
        connection.target.host = "db.example.com";
        connection.target.port = 5432;
        connection.target.database = "shop";
        std::filesystem::create_directories(state_folder(state_dir()));
    }

    std::string state_dir() const { return directory_.path(); }

    void keep_catalogue()
    {
        CatalogueParts parts;
        parts.search_path = {"public"};
        CatalogueRelation& table = parts.relations.emplace_back();
        table.oid = 20000;
        table.schema = "public";
        table.name = "copies";
        table.columns.push_back({"text", 25, {}, {}});
        ASSERT_TRUE(replace_state_file(catalogue_file(state_dir(), connection.name),
                                       write_catalogue(parts)));
    }

    std::vector<std::string> places()
    {
        const auto names = kept_names(state_dir(), connection);
        EXPECT_TRUE(names) << names.error().detail;
        const auto found = (*names)->relations({}, "copies");
        return found.empty() ? std::vector<std::string>() : found.at(0)->columns.at(0).places;
    }

    Connection connection;

private:
    const TemporaryDirectory directory_;
};

TEST_F(KeptNamesTest, WithoutAReadingThereAreBuiltInNamesOnly)
{
    const auto names = kept_names(state_dir(), connection);
    ASSERT_TRUE(names);
    EXPECT_EQ((*names)->catalogue(), nullptr);
}

TEST_F(KeptNamesTest, KnowsTablesAndWhatWasCopiedIntoThem)
{
    keep_catalogue();
    EXPECT_THAT(places(), ElementsAre("public.copies.text"));
    {
        auto derived = DerivedColumns::open(derived_file(state_dir(), connection.target));
        ASSERT_TRUE(derived);
        ASSERT_TRUE((*derived)->add({{"public", "copies", "text", {"public.users.ssn"}}}));
    }
    EXPECT_THAT(places(), ElementsAre("public.copies.text", "public.users.ssn"));
    // Another connection to the same database has the same copies.
    connection.name = "again";
    keep_catalogue();
    EXPECT_THAT(places(), ElementsAre("public.copies.text", "public.users.ssn"));
    connection.target.database = "other";
    EXPECT_THAT(places(), ElementsAre("public.copies.text"));
}

TEST(StatePathsTest, TargetsHaveFilesOfTheirOwn)
{
    const auto file_for = [](std::string host, std::string database) {
        Target target;
        target.host = std::move(host);
        target.port = 5432;
        target.database = std::move(database);
        return derived_file("/state", target);
    };
    EXPECT_EQ(file_for("db.example.com", "my_shop"),
              "/state/postgres/db.example.com,5432,my_shop.derived");
    // Neither leaves the directory nor is too long for a file system.
    for (const std::string& odd :
         {std::string("../../etc/passwd"), std::string("a,5432,b"),
          std::string(63, 'x') + std::string(200, 'y'), std::string("ä")}) {
        const std::string file = file_for("db", odd);
        EXPECT_EQ(file.find_last_of('/'), std::string("/state/postgres").size());
        EXPECT_LT(file.size(), 255U);
        EXPECT_NE(file, file_for("db", odd + "z"));
    }
    EXPECT_NE(file_for("/run/a", "b"), file_for("/run/", "ab"));
    EXPECT_EQ(catalogue_file("/state", "shop"), "/state/postgres/shop.catalogue");
}

}  // namespace

}  // namespace sallyport::postgres
