// What it costs to know what a statement does: first seen, and from the cache.
//
//   sql_classes_bench [FILE...]     each FILE is one more statement
//
// One line a case: name, nanoseconds of processor time first seen and from the cache. Over a
// database of nothing: sql_decision_bench.cpp measures what names add, and the goals.

#include <cstdio>
#include <fstream>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include "protocols/postgres/resolution.h"
#include "protocols/postgres/statement.h"
#include "tests/bench/report.h"
#include "tests/bench/stopwatch.h"

using namespace sallyport::postgres;

int main(int count, char** arguments)
{
    const auto names = std::make_shared<Resolution>(nullptr, std::vector<std::string>(),
                                                    SearchPath{{"public"}, true});
    std::vector<std::pair<std::string, std::string>> cases{
        {"point", "SELECT abalance FROM pgbench_accounts WHERE aid = 4711;"},
        {"update", "UPDATE pgbench_accounts SET abalance = abalance + 5 WHERE aid = 4711;"},
        {"report", std::string(sallyport::report)},
    };
    for (int i = 1; i < count; ++i) {
        std::ifstream file(arguments[i]);
        cases.emplace_back(arguments[i], std::string(std::istreambuf_iterator<char>(file), {}));
    }
    for (const auto& one : cases) {
        const std::string& name = one.first;
        const std::string& text = one.second;
        const double first = sallyport::nanoseconds_each([&] { return read_sql(text, names); });
        SqlCache cache(names, std::size_t{16} << 20);
        for (int i = 0; i < 1000; ++i)
            cache.find_or_read("SELECT c" + std::to_string(i));
        const double again = sallyport::nanoseconds_each([&] { return cache.find_or_read(text); });
        std::printf("%s\t%zu bytes\t%.0f ns first seen\t%.0f ns again\n", name.c_str(), text.size(),
                    first, again);
    }
    return 0;
}
