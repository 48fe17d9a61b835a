-- DBeaver, DataGrip and pgAdmin: what they ask when a person opens a database and unfolds its tree.
-- text

SELECT version(), current_schema(), current_schemas(true), session_user

SET application_name = 'DBeaver 23 - Main'; SET extra_float_digits = 3

SELECT db.oid, db.* FROM pg_catalog.pg_database db WHERE datallowconn AND NOT datistemplate ORDER BY db.datname
-- varies

select * from pg_catalog.pg_settings where name = 'standard_conforming_strings'
-- varies

SELECT n.oid, n.*, d.description FROM pg_catalog.pg_namespace n LEFT OUTER JOIN pg_catalog.pg_description d ON d.objoid=n.oid AND d.objsubid=0 AND d.classoid='pg_namespace'::regclass ORDER BY nspname

SELECT typ.oid, typ.*, c.relkind, format_type(nullif(typ.typbasetype, 0), typ.typtypmod) as base_type_name, d.description FROM pg_catalog.pg_type typ
LEFT OUTER JOIN pg_catalog.pg_class c ON c.oid=typ.typrelid LEFT OUTER JOIN pg_catalog.pg_description d ON typ.oid=d.objoid WHERE typ.typname IS NOT NULL ORDER BY typ.oid

select c.oid, c.*, d.description, pg_catalog.pg_get_expr(c.relpartbound, c.oid) as partition_expr, pg_catalog.pg_get_partkeydef(c.oid) as partition_key
from pg_catalog.pg_class c left outer join pg_catalog.pg_description d on d.objoid=c.oid and d.objsubid=0 and d.classoid='pg_class'::regclass
where c.relnamespace='public'::regnamespace and c.relkind not in ('i','I','c') order by c.relname

SELECT c.relname, a.*, pg_catalog.pg_get_expr(ad.adbin, ad.adrelid, true) as def_value, dsc.description, dep.objid FROM pg_catalog.pg_attribute a
INNER JOIN pg_catalog.pg_class c ON (a.attrelid=c.oid) LEFT OUTER JOIN pg_catalog.pg_attrdef ad ON (a.attrelid=ad.adrelid AND a.attnum = ad.adnum)
LEFT OUTER JOIN pg_catalog.pg_description dsc ON (c.oid=dsc.objoid AND a.attnum = dsc.objsubid)
LEFT OUTER JOIN pg_depend dep on dep.refobjid = a.attrelid AND dep.deptype = 'i' and dep.refobjsubid = a.attnum and dep.classid = dep.refclassid
WHERE NOT a.attisdropped AND c.oid='customers'::regclass ORDER BY a.attnum

SELECT c.oid, c.*, t.relname as tabrelname, rt.relnamespace as refnamespace, d.description, pg_catalog.pg_get_constraintdef(c.oid) as definition
FROM pg_catalog.pg_constraint c INNER JOIN pg_catalog.pg_class t ON t.oid=c.conrelid LEFT OUTER JOIN pg_catalog.pg_class rt ON rt.oid=c.confrelid
LEFT OUTER JOIN pg_catalog.pg_description d ON d.objoid=c.oid AND d.objsubid=0 AND d.classoid='pg_constraint'::regclass WHERE c.conrelid='payments'::regclass ORDER BY c.oid

SELECT i.*, i.indkey as keys, c.relname, c.relnamespace, c.relam, c.reltablespace, tc.relname as tabrelname, dsc.description, pg_catalog.pg_get_expr(i.indpred, i.indrelid) as pred_expr,
       pg_catalog.pg_get_expr(i.indexprs, i.indrelid, true) as expr, pg_catalog.pg_relation_size(i.indexrelid) as index_rel_size, pg_catalog.pg_stat_get_numscans(i.indexrelid) >= 0 as seen
FROM pg_catalog.pg_index i INNER JOIN pg_catalog.pg_class c ON c.oid=i.indexrelid INNER JOIN pg_catalog.pg_class tc ON tc.oid=i.indrelid
LEFT OUTER JOIN pg_catalog.pg_description dsc ON i.indexrelid=dsc.objoid WHERE i.indrelid='customers'::regclass ORDER BY tabrelname, c.relname

SELECT x.oid, x.*, p.relnamespace as table_schema_id, pg_catalog.pg_get_triggerdef(x.oid) FROM pg_catalog.pg_trigger x INNER JOIN pg_catalog.pg_class p ON p.oid=x.tgrelid
WHERE x.tgrelid='order_lines'::regclass AND NOT tgisinternal ORDER BY 1

SELECT p.oid as poid, p.*, pg_catalog.pg_get_expr(p.proargdefaults, 0) as arg_defaults, d.description, pg_catalog.pg_get_function_identity_arguments(p.oid)
FROM pg_catalog.pg_proc p LEFT OUTER JOIN pg_catalog.pg_description d ON d.objoid=p.oid WHERE p.pronamespace='stock'::regnamespace ORDER BY p.proname

SELECT pg_catalog.pg_get_viewdef('contacts'::regclass, true), pg_get_ruledef(oid) FROM pg_rewrite WHERE ev_class = 'contacts'::regclass ORDER BY 2

SELECT pg_catalog.pg_total_relation_size('products'::regclass) > 0, pg_catalog.pg_relation_size('products'::regclass) > 0, pg_size_pretty(pg_database_size(current_database())) <> ''

SELECT a.oid, a.rolname, a.rolsuper, a.rolcanlogin, ARRAY(SELECT b.rolname FROM pg_catalog.pg_auth_members m JOIN pg_catalog.pg_roles b ON (m.roleid = b.oid) WHERE m.member = a.oid) AS memberof
FROM pg_catalog.pg_roles a ORDER BY a.rolname

SELECT * FROM pg_catalog.pg_enum WHERE enumtypid = 'mood'::regtype ORDER BY enumsortorder

SELECT relname, n_live_tup >= 0 FROM pg_stat_all_tables WHERE schemaname = 'public' ORDER BY 1

select N.oid::bigint as id, datname as name, D.description, datistemplate as is_template from pg_catalog.pg_database N left join pg_catalog.pg_shdescription D on N.oid = D.objoid order by 1

select T.relkind as table_kind, T.relname as table_name, T.oid as table_id, T.xmin as table_state_number, T.relpersistence, T.relreplident,
       (select array_agg(inhparent::bigint order by inhseqno)::varchar from pg_catalog.pg_inherits where T.oid = inhrelid) as ancestors, T.relispartition
from pg_catalog.pg_class T where relnamespace = 'stock'::regnamespace and relkind in ('r', 'm', 'v', 'f', 'p') order by table_kind, table_id

with schema_procs as (select prorettype, proargtypes, proallargtypes from pg_catalog.pg_proc where pronamespace = 'public'::regnamespace)
select type_id, typname, pg_catalog.format_type(type_id, null) from (
    select distinct prorettype as type_id from schema_procs union distinct select distinct unnest(proargtypes) as type_id from schema_procs
    union distinct select distinct unnest(proallargtypes) from schema_procs) A inner join pg_catalog.pg_type T on A.type_id = T.oid order by 1

select txid_current() > 0, case when pg_catalog.pg_is_in_recovery() then null else (pg_catalog.txid_current() % (2^32)::bigint)::varchar::bigint end > 0 as current_txid

select current_setting('transaction_isolation'), age(xmin) >= 0 from pg_class where relname = 'customers'

SELECT c.ctid, c.* FROM customers c ORDER BY id LIMIT 200

SELECT ctid, xmin, xmax, cmin, cmax, tableoid::regclass, id, label FROM products ORDER BY id

SELECT t.*, t.ctid FROM public.orders t WHERE id < 4 ORDER BY id

SELECT count(*) FROM (SELECT * FROM customers) dbvrcnt

SELECT x.* FROM public.contacts x ORDER BY 1 LIMIT 501

SELECT t.* FROM public.payments t LIMIT 501

SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL READ COMMITTED

SELECT 'session_stats' AS chart_name, pg_catalog.row_to_json(t) AS chart_data FROM (SELECT (SELECT count(*) > 0 FROM pg_catalog.pg_stat_activity) AS "Total") t

SELECT pid > 0, usename, state IS NOT NULL FROM pg_catalog.pg_stat_activity WHERE pid = pg_backend_pid()

SELECT locktype, mode, granted FROM pg_catalog.pg_locks WHERE pid = pg_backend_pid() AND relation = 'pg_locks'::regclass

SELECT rel.oid, rel.relname AS name, (SELECT count(*) FROM pg_catalog.pg_trigger WHERE tgrelid=rel.oid AND tgisinternal = FALSE) AS triggercount,
       (SELECT count(1) FROM pg_catalog.pg_inherits WHERE inhrelid=rel.oid LIMIT 1) as is_inherits
FROM pg_catalog.pg_class rel WHERE rel.relkind IN ('r','s','t','p') AND rel.relnamespace = 'public'::regnamespace ORDER BY rel.relname

SELECT DISTINCT dep.deptype, dep.refclassid, cl.relkind, ad.adbin IS NOT NULL, CASE WHEN cl.relkind IS NOT NULL THEN cl.relkind::text || COALESCE(dep.refobjsubid::text, '') ELSE '' END AS type
FROM pg_catalog.pg_depend dep LEFT JOIN pg_catalog.pg_class cl ON dep.refobjid=cl.oid LEFT JOIN pg_catalog.pg_attrdef ad ON ad.adrelid=dep.refobjid AND ad.adnum=dep.refobjsubid
WHERE dep.objid='orders'::regclass ORDER BY 1, 2, 5

EXPLAIN SELECT * FROM orders WHERE id = 1

EXPLAIN (FORMAT JSON, COSTS OFF) SELECT count(*) FROM products

EXPLAIN (ANALYZE, TIMING OFF, SUMMARY OFF, COSTS OFF, BUFFERS OFF) SELECT * FROM products WHERE id = 1
