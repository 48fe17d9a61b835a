-- node-postgres with knex, Sequelize and TypeORM: introspection and reads.

select version();

select * from information_schema.tables where table_name = $1 and table_schema = current_schema()
-- with: ["customers"]

select * from information_schema.columns where table_name = $1 and table_schema = current_schema() and table_catalog = $2 order by ordinal_position
-- with: ["customers", "shop"]

select table_name from information_schema.tables where table_schema = any (current_schemas(false)) and table_type = 'BASE TABLE' order by 1

SHOW SERVER_VERSION

SELECT t.typname, t.oid, t.typarray FROM pg_type t JOIN pg_namespace ns ON t.typnamespace = ns.oid
WHERE (t.typtype = 'c' OR t.typtype = 'b' OR t.typtype = 'd' OR t.typtype = 'e' OR t.typtype = 'r') AND t.typname in ('hstore', 'citext', 'mood', 'int4', '_mood') ORDER BY 1

SET client_min_messages TO warning;SELECT ranges.rngtypid, ranges.rngsubtype FROM pg_range ranges ORDER BY 1

SELECT pk.constraint_type as "Constraint", c.column_name as "Field", c.column_default as "Default", c.is_nullable as "Null",
       (CASE WHEN c.udt_name = 'hstore' THEN c.udt_name ELSE c.data_type END) || (CASE WHEN c.character_maximum_length IS NOT NULL THEN '(' || c.character_maximum_length || ')' ELSE '' END) as "Type",
       (SELECT array_agg(e.enumlabel) FROM pg_catalog.pg_type t JOIN pg_catalog.pg_enum e ON t.oid=e.enumtypid WHERE t.typname=c.udt_name) AS "special",
       (SELECT pgd.description FROM pg_catalog.pg_statio_all_tables AS st INNER JOIN pg_catalog.pg_description pgd on (pgd.objoid=st.relid)
        WHERE c.ordinal_position=pgd.objsubid AND c.table_name=st.relname AND st.schemaname = c.table_schema) AS "Comment"
FROM information_schema.columns c
LEFT JOIN (SELECT tc.table_schema, tc.table_name, cu.column_name, tc.constraint_type FROM information_schema.table_constraints tc
           JOIN information_schema.key_column_usage cu ON tc.table_schema=cu.table_schema and tc.table_name=cu.table_name
            and tc.constraint_name=cu.constraint_name and tc.constraint_type='PRIMARY KEY') pk
  ON pk.table_schema=c.table_schema AND pk.table_name=c.table_name AND pk.column_name=c.column_name
WHERE c.table_name = 'customers' AND c.table_schema = 'public'

SELECT i.relname AS name, ix.indisprimary AS primary, ix.indisunique AS unique, ix.indkey AS indkey, array_agg(a.attnum) as column_indexes,
       array_agg(a.attname) AS column_names, pg_get_indexdef(ix.indexrelid) AS definition
FROM pg_class t, pg_class i, pg_index ix, pg_attribute a, pg_namespace s
WHERE t.oid = ix.indrelid AND i.oid = ix.indexrelid AND a.attrelid = t.oid AND t.relkind = 'r' and t.relname = 'products' AND s.oid = t.relnamespace AND s.nspname = 'public'
GROUP BY i.relname, ix.indexrelid, ix.indisprimary, ix.indisunique, ix.indkey ORDER BY i.relname

SELECT DISTINCT tc.constraint_name as constraint_name, tc.constraint_schema as constraint_schema, tc.table_name as table_name, kcu.column_name as column_name,
       ccu.table_name AS referenced_table_name, ccu.column_name AS referenced_column_name
FROM information_schema.table_constraints AS tc
JOIN information_schema.key_column_usage AS kcu ON tc.constraint_name = kcu.constraint_name
JOIN information_schema.constraint_column_usage AS ccu ON ccu.constraint_name = tc.constraint_name
WHERE constraint_type = 'FOREIGN KEY' AND tc.table_name = 'payments' ORDER BY 1, 4

SELECT * FROM current_schema()

SELECT * FROM current_database()

SELECT "table_schema", "table_name", obj_description(('"' || "table_schema" || '"."' || "table_name" || '"')::regclass, 'pg_class') AS table_comment
FROM "information_schema"."tables" WHERE ("table_schema" = 'public' AND "table_name" = 'customers')

SELECT columns.*, pg_catalog.col_description(('"' || table_catalog || '"."' || table_schema || '"."' || table_name || '"')::regclass::oid, ordinal_position) AS description,
       ('"' || "udt_schema" || '"."' || "udt_name" || '"')::"regtype"::text AS "regtype", pg_catalog.format_type("col_attr"."atttypid", "col_attr"."atttypmod") AS "format_type"
FROM "information_schema"."columns"
LEFT JOIN "pg_catalog"."pg_attribute" AS "col_attr" ON "col_attr"."attname" = "columns"."column_name" AND "col_attr"."attrelid" = (
    SELECT "cls"."oid" FROM "pg_catalog"."pg_class" AS "cls" LEFT JOIN "pg_catalog"."pg_namespace" AS "ns" ON "ns"."oid" = "cls"."relnamespace"
    WHERE "cls"."relname" = "columns"."table_name" AND "ns"."nspname" = "columns"."table_schema")
WHERE ("table_schema" = 'public' AND "table_name" = 'products') ORDER BY ordinal_position

SELECT "ns"."nspname" AS "table_schema", "t"."relname" AS "table_name", "cnst"."conname" AS "constraint_name", pg_get_constraintdef("cnst"."oid") AS "expression",
       CASE "cnst"."contype" WHEN 'p' THEN 'PRIMARY' WHEN 'u' THEN 'UNIQUE' WHEN 'c' THEN 'CHECK' WHEN 'x' THEN 'EXCLUDE' END AS "constraint_type", "a"."attname" AS "column_name"
FROM "pg_constraint" "cnst" INNER JOIN "pg_class" "t" ON "t"."oid" = "cnst"."conrelid" INNER JOIN "pg_namespace" "ns" ON "ns"."oid" = "cnst"."connamespace"
LEFT JOIN "pg_attribute" "a" ON "a"."attrelid" = "cnst"."conrelid" AND "a"."attnum" = ANY ("cnst"."conkey")
WHERE "t"."relkind" IN ('r', 'p') AND (("ns"."nspname" = 'public' AND "t"."relname" = 'products')) ORDER BY 3, 6

SELECT * FROM "information_schema"."tables" WHERE "table_schema" = 'public' AND "table_name" = 'typeorm_metadata'

select "c"."id", "c"."name", "c"."ssn", count("o"."id")::int as "n" from "customers" as "c" left join "orders" as "o" on "o"."customer_id" = "c"."id" group by "c"."id" order by "c"."id" asc limit $1
-- with: ["10"]

select count(*) as "count" from (select distinct "customer_id" from "orders") as "x"

SELECT count(*) AS "count" FROM "customers" AS "customer" WHERE "customer"."feels" IN ('happy', 'sad')

SELECT "customer".*, "orders"."id" AS "orders.id", "orders"."note" AS "orders.note"
FROM (SELECT "customer"."id", "customer"."name", "customer"."ssn" FROM "customers" AS "customer" ORDER BY "customer"."id" LIMIT 2) AS "customer"
LEFT OUTER JOIN "orders" AS "orders" ON "customer"."id" = "orders"."customer_id" ORDER BY "customer"."id", "orders"."id"

SELECT DISTINCT "distinctAlias"."c_id" AS "ids_c_id" FROM (SELECT "c"."id" AS "c_id", "c"."name" AS "c_name", "c"."ssn" AS "c_ssn" FROM "customers" "c") "distinctAlias" ORDER BY "c_id" ASC LIMIT 1

START TRANSACTION ISOLATION LEVEL REPEATABLE READ;

SET TRANSACTION READ ONLY

select json_agg(row_to_json(p)) from (select id, label from products order by id) p

select to_jsonb(o) - 'note' from orders o where id < 3 order by id

ROLLBACK;

SELECT 1+1 AS result

select 1; select 2

