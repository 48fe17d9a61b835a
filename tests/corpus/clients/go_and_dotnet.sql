-- pgx and GORM of Go, Npgsql and Entity Framework of .NET, Ecto of Elixir, sqlx and Diesel of Rust: types loaded at connect, introspection, reads.

SELECT ns.nspname, t.oid, t.typname, t.typtype, t.typnotnull, t.elemtypoid
FROM (
    SELECT typ.oid, typ.typnamespace, typ.typname, typ.typtype, typ.typrelid, typ.typnotnull, typ.relkind, elemtyp.oid AS elemtypoid, elemtyp.typname AS elemtypname,
           elemcls.relkind AS elemrelkind, CASE WHEN elemproc.proname='array_recv' THEN 'a' ELSE elemtyp.typtype END AS elemtyptype
    FROM (
        SELECT typ.oid, typnamespace, typname, typrelid, typnotnull, relkind, typelem AS elemoid,
               CASE WHEN proc.proname='array_recv' THEN 'a' ELSE typ.typtype END AS typtype,
               CASE WHEN proc.proname='array_recv' THEN typ.typelem WHEN typ.typtype='r' THEN rngsubtype
                    WHEN typ.typtype='m' THEN (SELECT rngtypid FROM pg_range WHERE rngmultitypid = typ.oid) WHEN typ.typtype='d' THEN typ.typbasetype END AS elemtypoid
        FROM pg_type AS typ LEFT JOIN pg_class AS cls ON (cls.oid = typ.typrelid) LEFT JOIN pg_proc AS proc ON proc.oid = typ.typreceive
        LEFT JOIN pg_range ON (pg_range.rngtypid = typ.oid)) AS typ
    LEFT JOIN pg_type AS elemtyp ON elemtyp.oid = elemtypoid LEFT JOIN pg_class AS elemcls ON (elemcls.oid = elemtyp.typrelid) LEFT JOIN pg_proc AS elemproc ON elemproc.oid = elemtyp.typreceive
) AS t
JOIN pg_namespace AS ns ON (ns.oid = typnamespace)
WHERE typtype IN ('b', 'r', 'm', 'e', 'd') OR (typtype = 'c' AND relkind='c') OR (typtype = 'p' AND typname IN ('record', 'void', 'unknown'))
ORDER BY t.oid

SELECT typ.oid, att.attname, att.atttypid FROM pg_type AS typ JOIN pg_namespace AS ns ON (ns.oid = typ.typnamespace) JOIN pg_class AS cls ON (cls.oid = typ.typrelid)
JOIN pg_attribute AS att ON (att.attrelid = typ.typrelid) WHERE (typ.typtype = 'c' AND cls.relkind='c') AND attnum > 0 AND NOT attisdropped ORDER BY typ.oid, att.attnum

SELECT pg_type.oid, enumlabel FROM pg_enum JOIN pg_type ON pg_type.oid=enumtypid ORDER BY oid, enumsortorder

select t.oid, case when nsp.nspname in ('pg_catalog', 'public') then t.typname else nsp.nspname||'.'||t.typname end
from pg_type t left join pg_type base_type on t.typelem=base_type.oid left join pg_namespace nsp on t.typnamespace=nsp.oid
where (t.typtype in('b', 'p', 'r', 'e') and (base_type.oid is null or base_type.typtype in('b', 'p', 'r'))) order by 1

SELECT t.oid, t.typname, t.typsend, t.typreceive, t.typoutput, t.typinput, coalesce(d.typelem, t.typelem), coalesce(r.rngsubtype, 0),
       ARRAY (SELECT a.atttypid FROM pg_attribute AS a WHERE a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum)
FROM pg_type AS t LEFT JOIN pg_type AS d ON t.typbasetype = d.oid LEFT JOIN pg_range AS r ON r.rngtypid = t.oid OR r.rngmultitypid = t.oid OR (t.typbasetype <> 0 AND r.rngtypid = t.typbasetype)
WHERE (t.typrelid = 0) AND (t.typelem = 0 OR NOT EXISTS (SELECT 1 FROM pg_catalog.pg_type s WHERE s.typrelid != 0 AND s.oid = t.typelem)) ORDER BY t.oid

SELECT typname, typtype, typelem, rngsubtype, typbasetype, typrelid FROM pg_catalog.pg_type t LEFT OUTER JOIN pg_catalog.pg_range r ON r.rngtypid = t.oid WHERE t.oid = $1
-- with: ["25"]

select t.oid::int4, typname, typtype::text from pg_type t where typname = any ($1) order by 1
-- with: ["{mood,hstore,citext}"]

SELECT CURRENT_DATABASE()

SELECT count(*) FROM information_schema.tables WHERE table_schema = $1 AND table_name = $2 AND table_type = $3
-- with: ["public", "customers", "BASE TABLE"]

SELECT c.column_name, c.is_nullable = 'YES', c.udt_name, c.character_maximum_length, c.numeric_precision, c.numeric_precision_radix, c.numeric_scale, c.datetime_precision,
       8 * typlen, c.column_default, pd.description, c.identity_increment
FROM information_schema.columns AS c JOIN pg_type AS pgt ON c.udt_name = pgt.typname
LEFT JOIN pg_catalog.pg_description as pd ON pd.objsubid = c.ordinal_position AND pd.objoid = (SELECT oid FROM pg_catalog.pg_class WHERE relname = c.table_name AND relnamespace =
    (SELECT oid FROM pg_catalog.pg_namespace WHERE nspname = c.table_schema))
WHERE table_catalog = $1 AND table_schema = $2 AND table_name = $3 ORDER BY c.ordinal_position
-- with: ["shop", "public", "customers"]

SELECT c.column_name, constraint_name, constraint_type FROM information_schema.table_constraints tc
JOIN information_schema.constraint_column_usage AS ccu USING (constraint_schema, constraint_catalog, table_name, constraint_name)
JOIN information_schema.columns AS c ON c.table_schema = tc.constraint_schema AND tc.table_name = c.table_name AND ccu.column_name = c.column_name
WHERE constraint_type IN ('PRIMARY KEY', 'UNIQUE') AND c.table_catalog = $1 AND c.table_schema = $2 AND c.table_name = $3 ORDER BY 1, 2
-- with: ["shop", "public", "payments"]

SELECT * FROM "customers" LIMIT 1

SELECT * FROM "customers" WHERE "customers"."name" = $1 ORDER BY "customers"."id" LIMIT $2
-- with: ["Ada", "1"]

SELECT count(*) FROM "orders" WHERE customer_id IN (SELECT id FROM "customers" WHERE name <> $1)
-- with: ["Bob"]

SELECT c."id", c."name", c."ssn", o."id", o."note" FROM "customers" AS c LEFT JOIN "orders" AS o ON c."id" = o."customer_id" WHERE c."id" = $1 ORDER BY c."id", o."id"
-- with: ["2"]

SELECT p0."id", p0."label" FROM "products" AS p0 WHERE (p0."label" ILIKE $1) AND (p0."id" = ANY($2)) ORDER BY 1
-- with: ["%a%", "{1,2,3}"]

SELECT EXISTS (SELECT 1 FROM "customers" AS c WHERE c."name" = $1)
-- with: ["Cy"]

SELECT NOT EXISTS (SELECT 1 FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid=c.relnamespace WHERE n.nspname NOT IN ('pg_catalog', 'information_schema') AND c.relname='__EFMigrationsHistory')

begin isolation level repeatable read read only

select name from customers where id = $1
-- with: ["2"]

commit

SET application_name = 'a service'; SET TimeZone = 'Europe/Berlin'

SELECT pg_is_in_recovery(), pg_backend_pid() > 0

DISCARD ALL
