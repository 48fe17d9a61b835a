// A report as business people write it: 1.5 kB, six joins, WITH, windows, subqueries.

#pragma once

#include <string_view>

namespace sallyport {

inline constexpr std::string_view report = R"(
WITH monthly AS (
    SELECT date_trunc('month', o.created_at) AS month, c.region, p.category,
           sum(i.quantity * i.price) AS revenue, count(DISTINCT o.id) AS orders,
           avg(i.price) FILTER (WHERE i.quantity > 1) AS average_price
    FROM orders o
    JOIN order_items i ON i.order_id = o.id
    JOIN products p ON p.id = i.product_id
    JOIN customers c ON c.id = o.customer_id
    JOIN stores s ON s.id = o.store_id
    JOIN countries k ON k.code = c.country
    LEFT JOIN returns r ON r.order_id = o.id AND r.item_id = i.id
    WHERE o.created_at >= now() - interval '24 months' AND o.status IN ('paid', 'shipped', 'done')
      AND r.id IS NULL AND k.union_member AND c.country = ANY (ARRAY['DE', 'FR', 'IT', 'ES'])
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

}  // namespace sallyport
