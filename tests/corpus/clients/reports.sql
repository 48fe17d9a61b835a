-- Metabase, Grafana, Superset, Redash, Tableau and Power BI: settings, samples, wrapped counts, buckets of time, cursors.

SET SESSION TIMEZONE TO 'UTC'

SET statement_timeout = 300000

SHOW timezone

-- Metabase

SELECT nullif(has_table_privilege('public.customers', 'SELECT'), false) AS "select", has_any_column_privilege('public.customers', 'INSERT') AS "insert"

SELECT n.nspname AS schema, c.relname AS name, CASE c.relkind WHEN 'r' THEN 'TABLE' WHEN 'p' THEN 'PARTITIONED TABLE' WHEN 'v' THEN 'VIEW' WHEN 'm' THEN 'MATERIALIZED VIEW' ELSE NULL END AS type,
       d.description, stat.n_live_tup IS NULL AS unknown FROM pg_catalog.pg_class c INNER JOIN pg_catalog.pg_namespace n ON c.relnamespace = n.oid
LEFT JOIN pg_catalog.pg_description d ON c.oid = d.objoid AND d.objsubid = 0 AND d.classoid = 'pg_class'::regclass
LEFT JOIN pg_stat_user_tables stat ON n.nspname = stat.schemaname AND c.relname = stat.relname
WHERE c.relnamespace = n.oid AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' AND c.relkind IN ('r', 'p', 'v', 'f', 'm') ORDER BY type, schema, name

SELECT true AS "_" FROM "public"."customers" WHERE 1 <> 1 LIMIT 0

SELECT "public"."customers"."id" AS "id", SUBSTRING("public"."customers"."name" FROM 1 FOR 1234) AS "substring1" FROM "public"."customers" ORDER BY 1 LIMIT 10000

SELECT "source"."feels" AS "feels", COUNT(*) AS "count" FROM (SELECT "public"."customers"."id" AS "id", "public"."customers"."name" AS "name",
"public"."customers"."ssn" AS "ssn", "public"."customers"."feels" AS "feels" FROM "public"."customers") AS "source" GROUP BY "source"."feels" ORDER BY "source"."feels" ASC

SELECT count(distinct "public"."customers"."id") AS "count" FROM "public"."customers"

SELECT DATE_TRUNC('month', CAST("public"."orders"."placed" AS timestamp)) AS "placed", COUNT(*) AS "count", SUM("public"."orders"."id") AS "sum"
FROM "public"."orders" LEFT JOIN "public"."customers" AS "Customer" ON "public"."orders"."customer_id" = "Customer"."id"
WHERE "public"."orders"."placed" >= $1::date GROUP BY DATE_TRUNC('month', CAST("public"."orders"."placed" AS timestamp)) ORDER BY 1 ASC
-- with: ["2024-01-01"]

SELECT "public"."customers"."id" AS "id", "public"."customers"."ssn" AS "ssn", "public"."customers"."name" AS "name" FROM "public"."customers" ORDER BY 1 LIMIT 2000

-- Grafana

SELECT floor(extract(epoch from placed)/86400)*86400 AS time, count(*) AS value FROM orders WHERE placed BETWEEN '2024-01-01' AND '2024-06-01' GROUP BY 1 ORDER BY 1

SELECT placed AS "time", id::float AS value, note AS metric FROM orders WHERE extract(epoch from placed) >= 1700000000 ORDER BY 1 LIMIT 5

select quote_ident(table_name) as "table" from information_schema.tables where quote_ident(table_schema) not in ('information_schema', 'pg_catalog', '_timescaledb_cache') and
quote_ident(table_schema) in (select case when trim(s[i]) = '"$user"' then user else trim(s[i]) end from generate_series(array_lower(string_to_array(current_setting('search_path'),','),1),
array_upper(string_to_array(current_setting('search_path'),','),1)) as i, string_to_array(current_setting('search_path'),',') s) order by 1

select quote_ident(column_name) as "column", data_type as "type" from information_schema.columns where quote_ident(table_name) = 'orders' order by 1

SELECT current_setting('server_version_num')::int/100 as version

SELECT extversion FROM pg_extension WHERE extname = 'timescaledb'

-- Superset

SELECT COUNT(*) AS rowcount FROM (SELECT * FROM customers) AS rowcount_qry

SELECT * FROM (SELECT id, name, feels FROM customers) AS virtual_table ORDER BY id LIMIT 100

SELECT feels AS feels, COUNT(*) AS count, COUNT(DISTINCT name) AS names FROM public.customers WHERE born >= TO_DATE('1900-01-01', 'YYYY-MM-DD') GROUP BY feels ORDER BY count DESC LIMIT 10000

SELECT DATE_TRUNC('year', placed) AS __timestamp, SUM(quantity) AS total FROM (SELECT o.placed, l.quantity, c.* FROM orders o JOIN order_lines l ON l.order_id = o.id
JOIN customers c ON c.id = o.customer_id) AS virtual_table GROUP BY DATE_TRUNC('year', placed) ORDER BY 1

SELECT * FROM customers WHERE 1 = 0

SELECT nspname FROM pg_namespace WHERE nspname NOT LIKE 'pg\_%' ORDER BY nspname

-- Redash

SELECT s.nspname as table_schema, c.relname as table_name, a.attname as column_name, null as data_type FROM pg_class c JOIN pg_namespace s ON c.relnamespace = s.oid AND s.nspname NOT IN ('pg_catalog', 'information_schema')
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped WHERE c.relkind = 'm' AND has_table_privilege(s.nspname || '.' || c.relname, 'select')
UNION SELECT table_schema, table_name, column_name, data_type FROM information_schema.columns WHERE table_schema NOT IN ('pg_catalog', 'information_schema') ORDER BY 1, 2, 3

-- Tableau, by ODBC and its cursors

BEGIN;declare "SQL_CUR0x7f1c" cursor with hold for SELECT "customers"."name" AS "name", SUM("orders"."id") AS "sum:id:ok" FROM "public"."customers" "customers"
INNER JOIN "public"."orders" "orders" ON ("customers"."id" = "orders"."customer_id") GROUP BY 1 ORDER BY 1;fetch 10000 in "SQL_CUR0x7f1c"

fetch 10000 in "SQL_CUR0x7f1c"

close "SQL_CUR0x7f1c"

COMMIT

SELECT CAST(TRUNC(EXTRACT(YEAR FROM "orders"."placed")) AS INTEGER) AS "yr:placed:ok", AVG(CAST("orders"."id" AS DOUBLE PRECISION)) AS "avg" FROM "public"."orders" "orders" GROUP BY 1 ORDER BY 1

SELECT "customers"."feels" AS "feels", COUNT(1) AS "cnt" FROM "public"."customers" "customers" HAVING (COUNT(1) > 0)
-- fails: 42803

SELECT SUM(1) AS "sum:Number of Records:ok" FROM "public"."customers" "customers" HAVING (COUNT(1) > 0)

SELECT "t"."id" AS "id", "t"."ssn" AS "ssn" FROM (SELECT id, ssn, name FROM customers) "t" ORDER BY 1 LIMIT 100

-- psqlODBC, what Excel and Power BI go by

SET DateStyle = 'ISO';SET extra_float_digits = 2;show transaction_isolation

select oid, typbasetype from pg_type where typname = 'lo'

select n.nspname, c.relname, a.attname, a.atttypid, t.typname, a.attnum, a.attlen, a.atttypmod, a.attnotnull, c.relhasrules, c.relkind, c.oid, pg_get_expr(d.adbin, d.adrelid),
case t.typtype when 'd' then t.typbasetype else 0 end, t.typtypmod, 0, attidentity, c.relhassubclass
from (((pg_catalog.pg_class c inner join pg_catalog.pg_namespace n on n.oid = c.relnamespace and c.relname = E'customers' and n.nspname = E'public')
inner join pg_catalog.pg_attribute a on (not a.attisdropped) and a.attnum > 0 and a.attrelid = c.oid) inner join pg_catalog.pg_type t on t.oid = a.atttypid)
left outer join pg_attrdef d on a.atthasdef and d.adrelid = a.attrelid and d.adnum = a.attnum order by n.nspname, c.relname, attnum

select relname, nspname, relkind from pg_catalog.pg_class c, pg_catalog.pg_namespace n where relkind in ('r', 'v', 'm', 'f', 'p') and nspname not in ('pg_catalog', 'information_schema', 'pg_toast', 'pg_temp_1')
and n.oid = relnamespace order by nspname, relname

SAVEPOINT _EXEC_SVP_0x1
-- fails: 25P01

-- Power BI, by Npgsql

select TABLE_SCHEMA, TABLE_NAME, TABLE_TYPE from INFORMATION_SCHEMA.tables where TABLE_SCHEMA not in ('information_schema', 'pg_catalog') order by TABLE_SCHEMA, TABLE_NAME

select "$Table"."id" as "id", "$Table"."name" as "name", "$Table"."ssn" as "ssn" from "public"."customers" "$Table" order by 1 limit 4096

select count(1) as "a0" from (select "_"."id" as "id", "_"."name" as "name" from "public"."customers" "_" where "_"."id" > 1) "_"

select "rows"."feels" as "feels", sum("rows"."id") as "a0", min("rows"."born") as "a1" from (select "feels", "id", "born" from "public"."customers") "rows" group by "feels" order by 1

select sum("C1") from (select 1 as "C1", "ssn" from "public"."customers") "t"
