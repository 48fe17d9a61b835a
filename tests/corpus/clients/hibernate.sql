-- Hibernate and Spring Data: what validation of a schema, entities, pages and projections send.

SELECT CURRENT_SCHEMA()

select current_database(), current_schema(), current_user

select * from information_schema.sequences

select tbl.table_schema, tbl.table_name, tbl.table_type from information_schema.tables tbl
where tbl.table_schema not in ('information_schema', 'pg_catalog') order by 1, 2

select c1_0.id, c1_0.born, c1_0.email, c1_0.feels, c1_0.name, c1_0.ssn from customers c1_0 where c1_0.id=$1
-- with: ["1"]

select c1_0.id,c1_0.name,p1_0.id,p1_0.card,p1_0.paid from customers c1_0 left join payments p1_0 on c1_0.id=p1_0.customer_id where c1_0.id in ($1,$2,$3) order by c1_0.id
-- with: ["1", "2", "3"]

select o1_0.customer_id,o1_0.id,o1_0.note,o1_0.placed from orders o1_0 where o1_0.customer_id = any ($1) order by o1_0.id
-- with: ["{1,2}"]

select count(c1_0.id) from customers c1_0 where upper(c1_0.name) like upper($1) escape '\'
-- with: ["a%"]

select c1_0.id,c1_0.name from customers c1_0 order by c1_0.name offset $1 rows fetch first $2 rows only
-- with: ["0", "2"]

select c1_0.id from customers c1_0 where exists(select 1 from orders o1_0 where o1_0.customer_id=c1_0.id) order by 1 fetch first 1 rows only

select distinct c1_0.id,c1_0.name,sum(ol1_0.quantity * p1_0.price) over (partition by c1_0.id) from customers c1_0
join orders o1_0 on c1_0.id=o1_0.customer_id join order_lines ol1_0 on o1_0.id=ol1_0.order_id join products p1_0 on p1_0.id=ol1_0.product_id order by 1

select case when (count(c1_0.id)>$1) then true else false end from customers c1_0 where c1_0.name=$2
-- with: ["0", "Ada"]

select c1_0.name,count(distinct o1_0.id),coalesce(max(o1_0.placed),$1::date) from customers c1_0 left join orders o1_0 on o1_0.customer_id=c1_0.id group by c1_0.name order by 1
-- with: ["2000-01-01"]

select cast(o1_0.placed as varchar), extract(year from o1_0.placed), date_trunc('month',o1_0.placed) from orders o1_0 where o1_0.id=$1
-- with: ["3"]

select localtimestamp, current_date, now() at time zone 'UTC'
-- varies

set transaction read only

begin

set local statement_timeout = 10000

select p1_0.id, p1_0.version_of from (select p.id, 1 as version_of from products p) p1_0 where p1_0.id=$1
-- with: ["1"]

savepoint "1"

release savepoint "1"

commit

select to_regclass('flyway_schema_history') is null

SELECT COUNT(*) FROM pg_namespace WHERE nspname = $1
-- with: ["public"]

SELECT EXISTS (SELECT 1 FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = $1 AND c.relname = $2 AND c.relkind = 'r')
-- with: ["public", "databasechangelog"]

SELECT setting FROM pg_settings WHERE name = 'server_version_num'

SELECT current_setting('search_path')

SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY

SHOW TRANSACTION ISOLATION LEVEL

SELECT 1

-- a held cursor of a fetch size, as pgjdbc names it

BEGIN READ ONLY

DECLARE c_1 CURSOR FOR SELECT id, name, ssn FROM customers ORDER BY id

FETCH FORWARD 2 FROM c_1

FETCH ALL FROM c_1

CLOSE c_1

END
