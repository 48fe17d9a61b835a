// What it costs to decide a statement: to read it over a database of 50 tables, to weigh the rules
// and to see what its masks forbid.
//
//   sql_decision_bench
//
// One line a case: name, microseconds of processor time first seen and from the cache, and the bars
// they have to stay under. The exit status is 1 where one does not.

#include <cstdio>
#include <string>
#include <utility>
#include <vector>

#include "gateway/policy/policy.h"
#include "protocols/postgres/resolution.h"
#include "protocols/postgres/session_masks.h"
#include "protocols/postgres/statement.h"
#include "tests/bench/report.h"
#include "tests/bench/stopwatch.h"

using namespace sallyport;
using namespace sallyport::postgres;

namespace {

using Columns = std::vector<std::string>;

void add_relation(CatalogueParts& parts, std::string name, const Columns& columns)
{
    CatalogueRelation& made = parts.relations.emplace_back();
    made.oid = static_cast<std::uint32_t>(20000 + parts.relations.size());
    made.schema = "public";
    made.name = std::move(name);
    for (const std::string& column : columns)
        made.columns.push_back({column, 25, {}, {}, false});
}

std::shared_ptr<const Catalogue> catalogue()
{
    CatalogueParts parts;
    parts.search_path = {"public"};
    add_relation(parts, "pgbench_accounts", {"aid", "bid", "abalance", "filler"});
    add_relation(parts, "orders", {"id", "customer_id", "store_id", "created_at", "status"});
    add_relation(parts, "order_items", {"id", "order_id", "product_id", "quantity", "price"});
    add_relation(parts, "products", {"id", "name", "category"});
    add_relation(parts, "customers", {"id", "name", "email", "region", "country"});
    add_relation(parts, "stores", {"id", "name"});
    add_relation(parts, "countries", {"code", "union_member"});
    add_relation(parts, "returns", {"order_id", "item_id", "reason"});
    add_relation(parts, "notes", {"region", "month", "text", "at"});
    add_relation(parts, "targets", {"region", "active"});
    for (int i = 0; parts.relations.size() < 50; ++i) {
        Columns columns;
        for (int column = 0; column < 20; ++column)
            columns.push_back("column_" + std::to_string(column));
        add_relation(parts, "table_" + std::to_string(i), columns);
    }
    return std::make_shared<const Catalogue>(std::move(parts));
}

// An analyst's: everything that reads, two schemas closed, some columns masked.
EffectivePolicy analysts_policy()
{
    PolicyEntry entry;
    entry.name = "analysts";
    entry.users = {"*"};
    entry.connections = {"*"};
    const auto rule = [&entry](Verdict verdict, ClassSet classes,
                               std::vector<std::string> objects) {
        PolicyRule made;
        made.verdict = verdict;
        made.facet = "sql";
        made.classes = classes;
        made.objects = std::move(objects);
        entry.rules.push_back(std::move(made));
    };
    rule(Verdict::allow, reading_classes(), {});
    rule(Verdict::allow, ClassSet::of(static_cast<std::size_t>(SqlClass::update)), {"public.*"});
    rule(Verdict::deny, reading_classes(), {"private.*", "public.salaries"});
    MaskRules::Rule mask;
    mask.columns = {"*.email", "customers.name", "public.people.ssn"};
    entry.masks.push_back(std::move(mask));
    return PolicySet({std::make_shared<const PolicyEntry>(std::move(entry))}, "sha256:0",
                     std::make_shared<const MaskKey>())
        .effective(Identity{}, "db");
}

}  // namespace

int main()
{
    struct Case {
        const char* name;
        std::string text;
        double first_bar;  // microseconds
        double again_bar;
    };
    const std::vector<Case> cases{
        {"point", "SELECT abalance FROM pgbench_accounts WHERE aid = 4711;", 10, 1},
        {"update", "UPDATE pgbench_accounts SET abalance = abalance + 5 WHERE aid = 4711;", 10, 1},
        {"report", std::string(report), 60, 1},
    };
    const auto names = std::make_shared<Resolution>(catalogue(), std::vector<std::string>(),
                                                    SearchPath{{"public"}, true});
    const EffectivePolicy policy = analysts_policy();
    SessionMasks masks(policy.masks());
    bool kept = true;
    for (const Case& one : cases) {
        const auto decided = [&](const Sql& sql) {
            bool forwarded = policy.rule_on(*sql.command).verdict == Verdict::allow;
            for (const Statement& statement : sql.statements())
                forwarded = forwarded && !masks.forbids(statement);
            return forwarded && masks.touched_by(sql);
        };
        const double first =
            nanoseconds_each([&] { return decided(*read_sql(one.text, names)); }) / 1000;
        SqlCache cache(names, std::size_t{16} << 20);
        for (int i = 0; i < 1000; ++i)
            cache.find_or_read("SELECT c" + std::to_string(i));
        const double again =
            nanoseconds_each([&] { return cache.find_or_read(one.text) != nullptr; }) / 1000;
        std::printf("%s\t%zu bytes\t%.2f us first seen (bar %.0f)\t%.3f us again (bar %.0f)\n",
                    one.name, one.text.size(), first, one.first_bar, again, one.again_bar);
        kept = kept && first < one.first_bar && again < one.again_bar;
    }
    return kept ? 0 : 1;
}
