-- Prisma: what its introspection asks, and what its client sends to read.

SELECT version();

SELECT EXISTS(SELECT 1 FROM pg_namespace WHERE nspname = $1), version(), current_setting('server_version_num')::integer AS numeric_version
-- with: ["public"]

SHOW server_version

SELECT namespace.nspname AS namespace_name FROM pg_namespace AS namespace WHERE namespace.nspname = ANY ( $1 ) ORDER BY namespace_name
-- with: ["{public,stock}"]

SELECT tbl.relname AS table_name, namespace.nspname AS namespace,
       (tbl.relhassubclass AND tbl.relkind = 'p') AS is_partition,
       (tbl.relhassubclass AND tbl.relkind = 'r') AS has_subclass,
       tbl.relrowsecurity AS has_row_level_security,
       reloptions, obj_description(tbl.oid, 'pg_class') AS description
FROM pg_class AS tbl
INNER JOIN pg_namespace AS namespace ON namespace.oid = tbl.relnamespace
WHERE (tbl.relkind = 'r' AND tbl.relispartition = 't') OR tbl.relkind IN ('r', 'p') AND namespace.nspname = ANY ( $1 )
ORDER BY namespace, table_name
-- with: ["{public,stock}"]

SELECT views.viewname AS view_name, views.definition AS view_sql, views.schemaname AS namespace,
       obj_description(class.oid, 'pg_class') AS description
FROM pg_catalog.pg_views views
INNER JOIN pg_catalog.pg_namespace ns ON views.schemaname = ns.nspname
INNER JOIN pg_catalog.pg_class class ON class.relnamespace = ns.oid AND class.relname = views.viewname
WHERE schemaname = ANY ( $1 ) ORDER BY view_name
-- with: ["{public,stock}"]

SELECT oid.namespace, info.table_name, info.column_name,
       format_type(att.atttypid, att.atttypmod) AS formatted_type, info.numeric_precision, info.numeric_scale,
       info.numeric_precision_radix, info.datetime_precision, info.data_type,
       info.udt_schema AS type_schema_name, info.udt_name AS full_data_type,
       pg_get_expr(attdef.adbin, attdef.adrelid) AS column_default, info.is_nullable, info.is_identity,
       info.character_maximum_length, col_description(att.attrelid, ordinal_position) AS description
FROM information_schema.columns info
JOIN pg_attribute att ON att.attname = info.column_name
JOIN (SELECT pg_class.oid, relname, pg_namespace.nspname AS namespace
      FROM pg_class JOIN pg_namespace ON pg_namespace.oid = pg_class.relnamespace
      AND pg_namespace.nspname = ANY ( $1 ) WHERE reltype > 0) AS oid
  ON oid.oid = att.attrelid AND relname = info.table_name AND namespace = info.table_schema
LEFT OUTER JOIN pg_attrdef attdef ON attdef.adrelid = att.attrelid AND attdef.adnum = att.attnum AND table_schema = namespace
WHERE table_schema = ANY ( $1 ) ORDER BY namespace, table_name, ordinal_position
-- with: ["{public,stock}"]

SELECT con.oid AS con_id, child_ns.nspname AS namespace, child.relname AS table_name, att2.attname AS child_column,
       parent.relname AS parent_table, att.attname AS parent_column, con.confdeltype, con.confupdtype, parent_ns.nspname AS referenced_schema_name,
       conname AS constraint_name, child_ordinal, con.condeferrable, con.condeferred
FROM (SELECT unnest(con1.conkey) AS parent, unnest(con1.confkey) AS child, generate_subscripts(con1.conkey, 1) AS child_ordinal,
             con1.* FROM pg_constraint con1 WHERE con1.contype = 'f') con
JOIN pg_class child ON child.oid = con.conrelid JOIN pg_namespace child_ns ON child_ns.oid = child.relnamespace
JOIN pg_class parent ON parent.oid = con.confrelid JOIN pg_namespace parent_ns ON parent_ns.oid = parent.relnamespace
JOIN pg_attribute att ON att.attrelid = con.confrelid AND att.attnum = con.child
JOIN pg_attribute att2 ON att2.attrelid = con.conrelid AND att2.attnum = con.parent
WHERE child_ns.nspname = ANY ( $1 ) ORDER BY con_id, child_ordinal
-- with: ["{public}"]

WITH rawindex AS (
    SELECT indrelid, indexrelid, indisunique, indisprimary, unnest(indkey) AS indkeyid, generate_subscripts(indkey, 1) AS indkeyidx,
           unnest(indclass) AS indclass, unnest(indoption) AS indoption
    FROM pg_index WHERE indpred IS NULL AND NOT indisexclusion)
SELECT schemainfo.nspname AS namespace, indexinfo.relname AS index_name, tableinfo.relname AS table_name, columninfo.attname AS column_name,
       rawindex.indisunique AS is_unique, rawindex.indisprimary AS is_primary_key, rawindex.indkeyidx AS column_index, opclass.opcname AS opclass,
       opclass.opcdefault AS opcdefault, indexaccess.amname AS index_algo,
       CASE rawindex.indoption & 1 WHEN 1 THEN 'DESC' ELSE 'ASC' END AS column_order, pc.condeferrable, pc.condeferred
FROM rawindex
INNER JOIN pg_class AS tableinfo ON tableinfo.oid = rawindex.indrelid
INNER JOIN pg_class AS indexinfo ON indexinfo.oid = rawindex.indexrelid
INNER JOIN pg_namespace AS schemainfo ON schemainfo.oid = tableinfo.relnamespace
LEFT JOIN pg_attribute AS columninfo ON columninfo.attrelid = tableinfo.oid AND columninfo.attnum = rawindex.indkeyid
INNER JOIN pg_am AS indexaccess ON indexaccess.oid = indexinfo.relam
LEFT JOIN pg_opclass AS opclass ON opclass.oid = rawindex.indclass
LEFT JOIN pg_constraint pc ON rawindex.indexrelid = pc.conindid AND pc.contype <> 'f'
WHERE schemainfo.nspname = ANY ( $1 ) ORDER BY namespace, table_name, index_name, column_index
-- with: ["{public,stock}"]

SELECT t.typname AS name, e.enumlabel AS value, n.nspname AS namespace, obj_description(t.oid, 'pg_type') AS description
FROM pg_type t JOIN pg_enum e ON t.oid = e.enumtypid JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
WHERE n.nspname = ANY ( $1 ) ORDER BY e.enumsortorder
-- with: ["{public}"]

SELECT sequencename AS sequence_name, schemaname AS namespace, start_value, min_value, max_value, increment_by, cycle,
       COALESCE(cache_size, 0) AS cache_size
FROM pg_sequences WHERE schemaname = ANY ( $1 ) ORDER BY sequence_name
-- with: ["{public,stock}"]

SELECT ext.extname AS extension_name, ext.extversion AS extension_version, ext.extrelocatable AS extension_relocatable,
       pn.nspname AS extension_schema
FROM pg_extension ext INNER JOIN pg_namespace pn ON ext.extnamespace = pn.oid ORDER BY ext.extname ASC

SELECT conname AS constraint_name, contype, nspname, relname FROM pg_constraint
JOIN pg_class t ON t.oid = conrelid JOIN pg_namespace n ON n.oid = t.relnamespace
WHERE n.nspname = ANY ( $1 ) AND contype NOT IN ('p', 'u', 'f') ORDER BY nspname, relname, constraint_name
-- with: ["{public}"]

SELECT pg_namespace.nspname AS namespace, p.proname AS name, CASE WHEN l.lanname = 'internal' THEN p.prosrc ELSE pg_get_functiondef(p.oid) END AS definition
FROM pg_proc p LEFT JOIN pg_namespace ON p.pronamespace = pg_namespace.oid LEFT JOIN pg_language l ON p.prolang = l.oid
WHERE pg_namespace.nspname = ANY ( $1 ) AND p.prokind = 'f' ORDER BY 1, 2, p.oid
-- with: ["{stock}"]

SET search_path = "public"

SELECT "public"."customers"."id", "public"."customers"."name", "public"."customers"."ssn", "public"."customers"."feels"::text
FROM "public"."customers" WHERE ("public"."customers"."id" = $1 AND 1=1) LIMIT $2 OFFSET $3
-- with: ["1", "1", "0"]

SELECT "public"."orders"."id", "public"."orders"."customer_id", "public"."orders"."note" FROM "public"."orders"
WHERE "public"."orders"."customer_id" IN ($1,$2) ORDER BY "public"."orders"."id" ASC OFFSET $3
-- with: ["1", "2", "0"]

SELECT COUNT(*) FROM (SELECT "public"."customers"."id" FROM "public"."customers" WHERE 1=1 OFFSET $1) AS "sub"
-- with: ["0"]

SELECT COUNT(*), COUNT("name"), MIN("id"), SUM("id"), AVG("id") FROM (SELECT "public"."customers"."id", "public"."customers"."name"
FROM "public"."customers" WHERE "public"."customers"."name"::text LIKE $1 OFFSET $2) AS "sub"
-- with: ["%", "0"]

SELECT "t1"."id", "t1"."name", "customers_orders"."__prisma_data__" AS "orders" FROM "public"."customers" AS "t1"
LEFT JOIN LATERAL (
    SELECT COALESCE(JSONB_AGG("__prisma_data__"), '[]') AS "__prisma_data__" FROM (
        SELECT "t3"."__prisma_data__" FROM (
            SELECT JSONB_BUILD_OBJECT('id', "t2"."id", 'note', "t2"."note") AS "__prisma_data__", "t2"."id"
            FROM (SELECT "t2".* FROM "public"."orders" AS "t2" WHERE "t1"."id" = "t2"."customer_id") AS "t2") AS "t3"
        ORDER BY "t3"."id" ASC LIMIT $1) AS "t4") AS "customers_orders" ON TRUE
ORDER BY "t1"."id"
-- with: ["3"]

SELECT DISTINCT ON ("public"."orders"."customer_id") "public"."orders"."customer_id", "public"."orders"."id"
FROM "public"."orders" ORDER BY "public"."orders"."customer_id", "public"."orders"."id"

BEGIN

SET TRANSACTION ISOLATION LEVEL SERIALIZABLE

SELECT 1

COMMIT

BEGIN ISOLATION LEVEL READ COMMITTED

SELECT "public"."products"."label" FROM "public"."products" WHERE "public"."products"."price" > $1::numeric ORDER BY 1
-- with: ["20"]

ROLLBACK

DEALLOCATE ALL
