#include "protocols/postgres/derived_columns.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <iterator>
#include <string>
#include <sys/stat.h>
#include <thread>
#include <utility>
#include <vector>

#include "protocols/postgres/catalogue.h"

namespace sallyport::postgres {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::UnorderedElementsAre;
using Names = std::vector<std::string>;

class DerivedColumnsTest : public testing::Test {
protected:
    DerivedColumnsTest()
    {
        std::string pattern = (std::filesystem::temp_directory_path() / "derived-XXXXXX").string();
        EXPECT_NE(::mkdtemp(pattern.data()), nullptr);
        folder_ = pattern;
        file_ = pattern + "/derived";
    }
    ~DerivedColumnsTest() override { std::filesystem::remove_all(folder_); }

    std::unique_ptr<DerivedColumns> open() const
    {
        auto opened = DerivedColumns::open(file_);
        EXPECT_TRUE(opened) << opened.error().detail;
        return opened ? *std::move(opened) : nullptr;
    }
    std::string problem() const
    {
        const auto opened = DerivedColumns::open(file_);
        return opened ? "none" : opened.error().detail;
    }
    std::string content() const
    {
        std::ifstream in(file_, std::ios::binary);
        return {std::istreambuf_iterator<char>(in), {}};
    }
    void write(const std::string& text) const
    {
        std::ofstream(file_, std::ios::binary | std::ios::trunc) << text;
        std::filesystem::permissions(file_, std::filesystem::perms(0600));
    }
    std::size_t lines() const
    {
        const std::string text = content();
        return static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
    }

    std::string folder_;
    std::string file_;
};

CatalogueRelation table(std::uint32_t oid, std::string name, Names columns,
                        std::string schema = "public")
{
    CatalogueRelation made;
    made.oid = oid;
    made.schema = std::move(schema);
    made.name = std::move(name);
    for (std::string& column : columns) {
        made.columns.emplace_back();
        made.columns.back().name = std::move(column);
    }
    return made;
}

CatalogueParts with(std::vector<CatalogueRelation> relations)
{
    CatalogueParts parts;
    parts.relations = std::move(relations);
    return parts;
}

DerivedColumn copy(std::string relation, std::string column, Names places,
                   std::string schema = "public")
{
    return {std::move(schema), std::move(relation), std::move(column), std::move(places)};
}

TEST_F(DerivedColumnsTest, IsThereAgainAfterARestart)
{
    {
        const auto derived = open();
        EXPECT_TRUE(derived->empty());
        EXPECT_FALSE(std::filesystem::exists(file_));
        EXPECT_EQ(derived->add({copy("t", "a", {"public.users.ssn"}),
                                copy("odd\"\n\xff", "b", {"x.y.\xfe"}),
                                copy("t", "a", {"public.users.email"})}),
                  true);
        EXPECT_FALSE(derived->empty());
    }
    struct stat status = {};
    ASSERT_EQ(::stat(file_.c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777, 0600U);
    const auto derived = open();
    EXPECT_THAT(derived->places_of(table(1, "t", {"a"}), 1),
                UnorderedElementsAre("public.users.ssn", "public.users.email"));
    EXPECT_THAT(derived->places_of(table(1, "odd\"\n\xff", {"b"}), 1), ElementsAre("x.y.\xfe"));
    EXPECT_THAT(derived->places_of(table(1, "t", {"b"}), 1), IsEmpty());
    EXPECT_THAT(derived->places_of(table(1, "t", {"a"}, "other"), 1), IsEmpty());
    for (const int attribute : {-1, 0, 2})
        EXPECT_THAT(derived->places_of(table(1, "t", {"a"}), attribute), IsEmpty());
}

TEST_F(DerivedColumnsTest, WhatIsNotNewDoesNotTouchTheDisk)
{
    const auto derived = open();
    EXPECT_EQ(derived->add({copy("t", "a", {"x.y.z", "x.y.w"})}), true);
    EXPECT_EQ(derived->version(), 1U);
    const std::string before = content();
    std::filesystem::remove(file_);
    EXPECT_EQ(derived->add({copy("t", "a", {"x.y.w"}), copy("t", "b", {})}), false);
    EXPECT_EQ(derived->add({}), false);
    EXPECT_EQ(derived->version(), 1U);
    EXPECT_FALSE(std::filesystem::exists(file_));
    // And what is new finds that the file is gone, and writes it anew.
    EXPECT_EQ(derived->add({copy("t", "a", {"x.y.v"})}), true);
    EXPECT_THAT(open()->places_of(table(1, "t", {"a"}), 1),
                UnorderedElementsAre("x.y.v", "x.y.w", "x.y.z"));
}

// The machine may die at any byte. What was added by calls that returned is there.
TEST_F(DerivedColumnsTest, AFileThatEndsAnywhereIsReadUpToItsLastWholeLine)
{
    std::vector<std::size_t> sizes = {0};
    {
        const auto derived = open();
        for (const char* name : {"a", "b", "c"}) {
            ASSERT_TRUE(derived->add({copy("t", name, {"x.y." + std::string(name)})}));
            sizes.push_back(content().size());
        }
    }
    const std::string whole = content();
    for (std::size_t size = 0; size <= whole.size(); ++size) {
        write(whole.substr(0, size));
        const auto derived = open();
        ASSERT_NE(derived, nullptr) << size;
        const CatalogueRelation t = table(1, "t", {"a", "b", "c"});
        for (std::size_t i = 0; i < 3; ++i)
            EXPECT_EQ(derived->places_of(t, static_cast<int>(i) + 1).empty(), size < sizes[i + 1])
                << size;
        // Behind a line that was cut off another one can be written.
        ASSERT_TRUE(derived->add({copy("t", "d", {"x.y.d"})})) << size;
        EXPECT_THAT(open()->places_of(table(1, "t", {"d"}), 1), ElementsAre("x.y.d")) << size;
    }
}

TEST_F(DerivedColumnsTest, ABrokenLineIsNamedAndNobodyIsServed)
{
    const std::string good = R"({"schema":"s","relation":"r","column":"c","places":["x.y.z"]})";
    for (
        const char* bad :
        {"", "x", "[]", R"({"schema":"s","relation":"r","column":"c"})",
         R"({"schema":"s","relation":"r","places":[]})",
         R"({"schema":"s","relation":"r","column":"","places":[]})",
         R"({"schema":"s","relation":"r","column":7,"places":[]})",
         R"({"schema":"s","relation":"r","column":"c","places":[7]})",
         R"({"schema":"s","relation":"r","column":"c","places":"x"})",
         R"({"schema":"s","relation":"r","column":"c","oid":1,"places":[]})",
         R"({"schema":"s","relation":"r","column":"c","oid":4294967296,"attribute":1,"places":[]})",
         R"({"schema":"s","relation":"r","column":"c","oid":1,"attribute":-1,"places":[]})",
         R"({"schema":"s","relation":"r","column":"c","oid":1,"attribute":9999,"places":[]})",
         R"({"schema":{"base64":"="},"relation":"r","column":"c","places":[]})"}) {
        write(good + "\n" + bad + "\n" + good + "\n");
        EXPECT_THAT(problem(), HasSubstr(file_ + ", line 2, is broken")) << bad;
    }
    write(good + "\n");
    std::filesystem::permissions(file_, std::filesystem::perms(0644));
    EXPECT_THAT(problem(), HasSubstr("chmod 600"));
    std::filesystem::remove(file_);
    std::filesystem::create_directory(file_);
    EXPECT_THAT(problem(), HasSubstr("is not a regular file"));
}

TEST_F(DerivedColumnsTest, LinesOfOneColumnBecomeOne)
{
    {
        const auto derived = open();
        for (int i = 0; i < 10; ++i)
            ASSERT_TRUE(derived->add({copy("t", "a", {"x.y." + std::to_string(i)})}));
    }
    EXPECT_EQ(lines(), 10U);
    EXPECT_EQ(open()->places_of(table(1, "t", {"a"}), 1).size(), 10U);
    EXPECT_EQ(lines(), 1U);
    EXPECT_EQ(open()->places_of(table(1, "t", {"a"}), 1).size(), 10U);
}

TEST_F(DerivedColumnsTest, WhoReadsOnlyWritesNothing)
{
    ASSERT_TRUE(open()->add({copy("t", "a", {"x.y.z"})}));
    const std::string torn = content() + content() + "{";
    write(torn);
    const auto derived = DerivedColumns::open_read_only(file_);
    ASSERT_TRUE(derived);
    EXPECT_THAT((*derived)->places_of(table(1, "t", {"a"}), 1), ElementsAre("x.y.z"));
    ASSERT_TRUE((*derived)->add({copy("t", "b", {"x.y.z"})}));
    (*derived)->bind(with({table(1, "t", {"a"})}));
    EXPECT_EQ(content(), torn);
}

TEST_F(DerivedColumnsTest, WhereItCannotBeKeptTheStatementMustNotGoOn)
{
    const auto derived = open();
    std::filesystem::remove_all(folder_);
    const auto added = derived->add({copy("t", "a", {"x.y.z"})});
    ASSERT_FALSE(added);
    EXPECT_EQ(added.error().fault, Fault::unrecorded);
    EXPECT_TRUE(derived->empty());
    EXPECT_EQ(derived->version(), 0U);
    std::filesystem::create_directory(folder_);
    EXPECT_EQ(derived->add({copy("t", "a", {"x.y.z"})}), true);
    EXPECT_EQ(lines(), 1U);
}

TEST_F(DerivedColumnsTest, IsBounded)
{
    const auto derived = DerivedColumns::open("");
    ASSERT_TRUE(derived);
    std::vector<DerivedColumn> many;
    for (int i = 0; i < 100'000; ++i)
        many.push_back(copy("t" + std::to_string(i), "a", {"x.y.z"}));
    EXPECT_EQ((*derived)->add(many), true);
    const auto added = (*derived)->add({copy("u", "a", {"x.y.z"})});
    ASSERT_FALSE(added);
    EXPECT_EQ(added.error().fault, Fault::limit);
    EXPECT_EQ((*derived)->add({copy("t5", "a", {"x.y.w"})}), true);
    for (const auto& bad : {copy("", "a", {"x.y.z"}), copy("u", "", {"x.y.z"}),
                            copy(std::string(1001, 'x'), "a", {"x.y.z"})}) {
        const auto refused = (*derived)->add({bad});
        ASSERT_FALSE(refused);
        EXPECT_EQ(refused.error().fault, Fault::limit);
    }
}

TEST_F(DerivedColumnsTest, ANewNameTakesNoMaskAway)
{
    {
        const auto derived = open();
        ASSERT_TRUE(derived->add({copy("t", "a", {"x.y.z"})}));
        derived->bind(with({table(7, "t", {"id", "a"})}));
        EXPECT_THAT(derived->places_of(table(7, "u", {"id", "b"}, "s"), 2), ElementsAre("x.y.z"));
        EXPECT_THAT(derived->places_of(table(7, "u", {"id", "b"}, "s"), 1), IsEmpty());
    }
    // The OID was written, too.
    const auto derived = open();
    EXPECT_THAT(derived->places_of(table(7, "u", {"id", "b"}, "s"), 2), ElementsAre("x.y.z"));
    derived->bind(with({table(7, "u", {"id", "b"}, "s")}));
    const auto again = open();
    EXPECT_THAT(again->places_of(table(9, "u", {"b"}, "s"), 1), ElementsAre("x.y.z"));
}

// BEGIN; ALTER TABLE t RENAME TO u; CREATE TABLE t AS SELECT ...; COMMIT: no reading sees between.
TEST_F(DerivedColumnsTest, BothOfTwoTablesThatHadANameStayMasked)
{
    {
        const auto derived = open();
        ASSERT_TRUE(derived->add({copy("t", "a", {"x.y.z"})}));
        derived->bind(with({table(7, "t", {"a"})}));
        EXPECT_EQ(derived->add({copy("t", "a", {"x.y.z"})}), false);
        derived->bind(with({table(7, "u", {"a"}), table(8, "t", {"b", "a"})}));
        EXPECT_THAT(derived->places_of(table(7, "u", {"a"}), 1), ElementsAre("x.y.z"));
        EXPECT_THAT(derived->places_of(table(8, "t", {"b", "a"}), 2), ElementsAre("x.y.z"));
    }
    const auto derived = open();
    EXPECT_THAT(derived->places_of(table(7, "v", {"a"}), 1), ElementsAre("x.y.z"));
    EXPECT_THAT(derived->places_of(table(8, "w", {"b", "a"}), 2), ElementsAre("x.y.z"));
    EXPECT_THAT(derived->places_of(table(8, "w", {"b", "a"}), 1), IsEmpty());
}

TEST_F(DerivedColumnsTest, NamesThatAreSwappedStayWithTheirTables)
{
    {
        const auto derived = open();
        ASSERT_TRUE(derived->add({copy("t", "a", {"x.y.t"}), copy("u", "a", {"x.y.u"})}));
        derived->bind(with({table(7, "t", {"a"}), table(8, "u", {"a"})}));
        derived->bind(with({table(7, "u", {"a"}), table(8, "t", {"a"})}));
    }
    const auto derived = open();
    EXPECT_THAT(derived->places_of(table(7, "x", {"a"}), 1), testing::Contains("x.y.t"));
    EXPECT_THAT(derived->places_of(table(8, "x", {"a"}), 1), testing::Contains("x.y.u"));
}

TEST_F(DerivedColumnsTest, ATableMadeAgainUnderItsNameIsTakenForTheSame)
{
    const auto derived = open();
    ASSERT_TRUE(derived->add({copy("t", "a", {"x.y.z"})}));
    derived->bind(with({table(7, "t", {"a"})}));
    derived->bind(with({}));
    EXPECT_THAT(derived->places_of(table(8, "t", {"a"}), 1), ElementsAre("x.y.z"));
    derived->bind(with({table(8, "t", {"b", "a"})}));
    EXPECT_THAT(derived->places_of(table(8, "other", {"b", "a"}), 2), ElementsAre("x.y.z"));
}

TEST_F(DerivedColumnsTest, ANameAndAnOidOfOneColumnBecomeOne)
{
    const auto derived = open();
    ASSERT_TRUE(derived->add({copy("t", "a", {"x.y.t"})}));
    derived->bind(with({table(7, "t", {"a"})}));
    ASSERT_TRUE(derived->add({copy("u", "a", {"x.y.u"})}));  // renamed meanwhile
    const auto day_later = std::chrono::steady_clock::now() + 24h * 8;
    derived->bind(with({table(7, "u", {"a"})}), day_later);
    EXPECT_THAT(derived->places_of(table(7, "u", {"a"}), 1),
                UnorderedElementsAre("x.y.t", "x.y.u"));
    EXPECT_EQ(lines(), 1U);
}

TEST_F(DerivedColumnsTest, WhatNoReadingKnowsIsForgottenAfterAWeek)
{
    const auto derived = open();
    ASSERT_TRUE(derived->add({copy("t", "a", {"x.y.z"}), copy("u", "a", {"x.y.z"})}));
    const auto now = std::chrono::steady_clock::now();
    derived->bind(with({table(7, "t", {"a"})}), now + 24h * 6);
    EXPECT_THAT(derived->places_of(table(8, "u", {"a"}), 1), ElementsAre("x.y.z"));
    derived->bind(with({table(7, "t", {"a"})}), now + 24h * 8);
    EXPECT_THAT(derived->places_of(table(8, "u", {"a"}), 1), IsEmpty());
    EXPECT_THAT(derived->places_of(table(7, "t", {"a"}), 1), ElementsAre("x.y.z"));
    EXPECT_EQ(lines(), 1U);
    derived->bind(with({}), now + 24h * 16);
    EXPECT_TRUE(derived->empty());
    EXPECT_EQ(content(), "");
}

TEST_F(DerivedColumnsTest, ManyThreadsMayUseIt)
{
    const auto derived = open();
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i)
        threads.emplace_back([&derived, i] {
            for (int j = 0; j < 25; ++j) {
                const std::string name = "t" + std::to_string(j % 10);
                EXPECT_TRUE(derived->add({copy(name, "a", {"x.y." + std::to_string(i)})}));
                derived->bind(with({table(static_cast<std::uint32_t>(j % 10) + 1, name, {"a"})}));
                EXPECT_FALSE(derived->places_of(table(99, name, {"a"}), 1).empty());
            }
        });
    for (std::thread& thread : threads)
        thread.join();
    const auto again = open();
    for (int j = 0; j < 10; ++j)
        EXPECT_EQ(again->places_of(table(99, "t" + std::to_string(j), {"a"}), 1).size(), 4U);
}

}  // namespace
}  // namespace sallyport::postgres
