-- Rails' ActiveRecord: settings at connect, schema queries, reads.

SET client_min_messages TO 'warning'

SET standard_conforming_strings = on

SET intervalstyle = iso_8601

SET SESSION timezone TO 'UTC'

SELECT t.oid, t.typname, t.typelem, t.typdelim, t.typinput, r.rngsubtype, t.typtype, t.typbasetype
FROM pg_type as t LEFT JOIN pg_range as r ON oid = rngtypid
WHERE t.typname IN ('int2', 'int4', 'int8', 'oid', 'float4', 'float8', 'numeric', 'bool', 'citext', 'hstore') OR t.typtype IN ('r', 'e', 'd')
   OR t.typinput = 'array_in(cstring,oid,integer)'::regprocedure OR t.typelem != 0
ORDER BY t.oid

SHOW max_identifier_length

SHOW search_path

SELECT current_database()

SELECT c.relname FROM pg_class c LEFT JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = ANY (current_schemas(false)) AND c.relkind IN ('r','v','m','p','f') ORDER BY 1

SELECT c.relname FROM pg_class c LEFT JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = ANY (current_schemas(false)) AND c.relname = 'customers' AND c.relkind IN ('r','p')

SELECT a.attname, format_type(a.atttypid, a.atttypmod), pg_get_expr(d.adbin, d.adrelid), a.attnotnull, a.atttypid, a.atttypmod,
       c.collname, col_description(a.attrelid, a.attnum) AS comment, attidentity AS identity, attgenerated as attgenerated
FROM pg_attribute a LEFT JOIN pg_attrdef d ON a.attrelid = d.adrelid AND a.attnum = d.adnum
LEFT JOIN pg_type t ON a.atttypid = t.oid LEFT JOIN pg_collation c ON a.attcollation = c.oid AND a.attcollation <> t.typcollation
WHERE a.attrelid = '"customers"'::regclass AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum

SELECT a.attname FROM (SELECT indrelid, indkey, generate_subscripts(indkey, 1) idx FROM pg_index WHERE indrelid = '"order_lines"'::regclass AND indisprimary) i
JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[i.idx] ORDER BY i.idx

SELECT distinct i.relname, d.indisunique, d.indkey, pg_get_indexdef(d.indexrelid), t.oid, pg_catalog.obj_description(i.oid, 'pg_class') AS comment, d.indisvalid
FROM pg_class t INNER JOIN pg_index d ON t.oid = d.indrelid INNER JOIN pg_class i ON d.indexrelid = i.oid LEFT JOIN pg_namespace n ON n.oid = t.relnamespace
WHERE i.relkind IN ('i', 'I') AND d.indisprimary = 'f' AND t.relname = 'customers' AND n.nspname = ANY (current_schemas(false)) ORDER BY i.relname

SELECT t2.oid::regclass::text AS to_table, a1.attname AS column, a2.attname AS primary_key, c.conname AS name, c.confupdtype AS on_update,
       c.confdeltype AS on_delete, c.convalidated AS valid, c.condeferrable AS deferrable, c.condeferred AS deferred, c.conkey, c.confkey
FROM pg_constraint c JOIN pg_class t1 ON c.conrelid = t1.oid JOIN pg_class t2 ON c.confrelid = t2.oid
JOIN pg_attribute a1 ON a1.attnum = c.conkey[1] AND a1.attrelid = t1.oid JOIN pg_attribute a2 ON a2.attnum = c.confkey[1] AND a2.attrelid = t2.oid
JOIN pg_namespace t3 ON c.connamespace = t3.oid
WHERE c.contype = 'f' AND t1.relname = 'payments' AND t3.nspname = ANY (current_schemas(false)) ORDER BY c.conname

SELECT conname, pg_get_constraintdef(c.oid, true) AS constraintdef, c.convalidated AS valid
FROM pg_constraint c JOIN pg_class t ON c.conrelid = t.oid JOIN pg_namespace n ON n.oid = c.connamespace
WHERE c.contype = 'c' AND t.relname = 'customers' AND n.nspname = ANY (current_schemas(false))

SELECT type.typname AS name, type.OID AS oid, n.nspname AS schema, array_agg(enum.enumlabel ORDER BY enum.enumsortorder) AS value
FROM pg_enum AS enum JOIN pg_type AS type ON (type.oid = enum.enumtypid) JOIN pg_namespace n ON type.typnamespace = n.oid
WHERE n.nspname = ANY (current_schemas(false)) GROUP BY type.OID, n.nspname, type.typname

SELECT extname, n.nspname AS schema FROM pg_extension e JOIN pg_namespace n ON e.extnamespace = n.oid ORDER BY 1

SELECT obj_description('"customers"'::regclass, 'pg_class')

SELECT attr.attname, nsp.nspname, seq.relname FROM pg_class seq, pg_attribute attr, pg_depend dep, pg_constraint cons, pg_namespace nsp
WHERE seq.oid = dep.objid AND seq.relkind = 'S' AND attr.attrelid = dep.refobjid AND attr.attnum = dep.refobjsubid AND attr.attrelid = cons.conrelid
  AND attr.attnum = cons.conkey[1] AND seq.relnamespace = nsp.oid AND cons.contype = 'p' AND dep.classid = 'pg_class'::regclass AND dep.refobjid = '"products"'::regclass

SELECT "customers".* FROM "customers" WHERE "customers"."name" = $1 ORDER BY "customers"."id" ASC LIMIT $2
-- with: ["Ada", "1"]

SELECT "customers"."id" AS t0_r0, "customers"."name" AS t0_r1, "customers"."ssn" AS t0_r2, "orders"."id" AS t1_r0, "orders"."note" AS t1_r1
FROM "customers" LEFT OUTER JOIN "orders" ON "orders"."customer_id" = "customers"."id" WHERE "orders"."note" LIKE 'order 1%' ORDER BY t1_r0

SELECT COUNT(*) FROM "customers"

SELECT COUNT(*) FROM (SELECT 1 AS one FROM "customers" LIMIT 2) subquery_for_count

SELECT COUNT(DISTINCT "customers"."id") FROM "customers" INNER JOIN "orders" ON "orders"."customer_id" = "customers"."id"

SELECT 1 AS one FROM "customers" WHERE "customers"."name" = 'Bob' LIMIT 1

SELECT COUNT(*) AS count_all, "customers"."feels" AS customers_feels FROM "customers" GROUP BY "customers"."feels" ORDER BY 2

SELECT "products"."label" FROM "products" WHERE "products"."price" BETWEEN 1 AND 100 ORDER BY "products"."price" DESC

SELECT SUM("orders"."id") FROM "orders" WHERE "orders"."placed" >= '2024-01-01'

SELECT "schema_versions"."version" FROM (VALUES ('20240101')) AS "schema_versions"("version") ORDER BY 1

BEGIN

SAVEPOINT active_record_1

SELECT "products".* FROM "products" ORDER BY "products"."id" DESC LIMIT 1

RELEASE SAVEPOINT active_record_1

COMMIT

SET statement_timeout = '5s'

RESET statement_timeout
