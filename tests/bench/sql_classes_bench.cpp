// What it costs to know what a statement does: first seen, and from the cache.
//
//   sql_classes_bench [FILE...]     each FILE is one more statement
//
// One line a case: name, nanoseconds of processor time first seen and from the cache. Goals: a
// point SELECT under 10,000 first seen, a report of 1.4 kB under 60,000, any of them under 1,000
// again.

#include <cstdio>
#include <ctime>
#include <fstream>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include "protocols/postgres/statement.h"

using namespace sallyport::postgres;

namespace {

constexpr std::string_view report = R"(
WITH monthly AS (
    SELECT date_trunc('month', o.created_at) AS month, c.region, p.category,
           sum(i.quantity * i.price) AS revenue, count(DISTINCT o.id) AS orders,
           avg(i.price) FILTER (WHERE i.quantity > 1) AS average_price
    FROM orders o
    JOIN order_items i ON i.order_id = o.id
    JOIN products p ON p.id = i.product_id
    JOIN customers c ON c.id = o.customer_id
    LEFT JOIN returns r ON r.order_id = o.id AND r.item_id = i.id
    WHERE o.created_at >= now() - interval '24 months' AND o.status IN ('paid', 'shipped', 'done')
      AND r.id IS NULL AND c.country = ANY (ARRAY['DE', 'FR', 'IT', 'ES'])
    GROUP BY 1, 2, 3
), ranked AS (
    SELECT m.*, rank() OVER (PARTITION BY m.region ORDER BY m.revenue DESC) AS place,
           lag(m.revenue) OVER (PARTITION BY m.region, m.category ORDER BY m.month) AS before
    FROM monthly m
)
SELECT month, region, category, revenue, orders, round(average_price::numeric, 2) AS average_price,
       CASE WHEN before IS NULL OR before = 0 THEN NULL
            ELSE round(100 * (revenue - before) / before, 1) END AS growth,
       coalesce((SELECT string_agg(n.text, '; ' ORDER BY n.at) FROM notes n
                 WHERE n.region = ranked.region AND n.month = ranked.month), '') AS notes
FROM ranked
WHERE place <= 10 AND EXISTS (SELECT 1 FROM targets t WHERE t.region = ranked.region AND t.active)
ORDER BY month DESC, region, revenue DESC
LIMIT 500)";

template <typename Work>
double nanoseconds_each(Work work)
{
    for (int i = 0; i < 100; ++i)
        work();
    long done = 0;
    const std::clock_t begin = std::clock();
    std::clock_t used = 0;
    while (used < CLOCKS_PER_SEC / 2) {
        for (int i = 0; i < 1000; ++i)
            work();
        done += 1000;
        used = std::clock() - begin;
    }
    return 1e9 * static_cast<double>(used) / CLOCKS_PER_SEC / static_cast<double>(done);
}

}  // namespace

int main(int count, char** arguments)
{
    std::vector<std::pair<std::string, std::string>> cases{
        {"point", "SELECT abalance FROM pgbench_accounts WHERE aid = 4711;"},
        {"update", "UPDATE pgbench_accounts SET abalance = abalance + 5 WHERE aid = 4711;"},
        {"report", std::string(report)},
    };
    for (int i = 1; i < count; ++i) {
        std::ifstream file(arguments[i]);
        cases.emplace_back(arguments[i], std::string(std::istreambuf_iterator<char>(file), {}));
    }
    for (const auto& [name, text] : cases) {
        const double first = nanoseconds_each([&text = text] { return read_sql(text, {}); });
        SqlCache cache({}, std::size_t{16} << 20);
        for (int i = 0; i < 1000; ++i)
            cache.find_or_read("SELECT c" + std::to_string(i));
        const double again =
            nanoseconds_each([&cache, &text = text] { return cache.find_or_read(text); });
        std::printf("%s\t%zu bytes\t%.0f ns first seen\t%.0f ns again\n", name.c_str(), text.size(),
                    first, again);
    }
    return 0;
}
