-- Hibernate, Rails and Django as they write: keys from sequences, batches, versions, locks of rows, upserts.
-- as: writer

select nextval('products_id_seq')
-- varies

select last_value from products_id_seq
-- varies

BEGIN

insert into products (label,price,id) values ($1,$2::numeric,$3)
-- with: ["Mirror", "12.50", "1000"]

insert into products (label,price) values ($1,$2::numeric) returning id
-- with: ["Vase", "3"]
-- varies

INSERT INTO "products" ("label", "price", "id") VALUES ('Rug', 7, 1001), ('Mat', 8, 1002) ON CONFLICT ("id") DO UPDATE SET "label"="excluded"."label" RETURNING "id"

insert into products (id, label, price) values ($1, $2, 1) on conflict do nothing
-- with: ["1001", "Rug"]

update products set label=$1,price=$2::numeric where id=$3 and price=$4::numeric
-- with: ["Large mirror", "13", "1000", "12.50"]

select p1_0.id,p1_0.label from products p1_0 where p1_0.id=$1 for no key update
-- with: ["1000"]

select p1_0.id,p1_0.label from products p1_0 where p1_0.id=$1 for update skip locked
-- with: ["1001"]

SAVEPOINT active_record_1

delete from products where id=$1
-- with: ["1002"]

ROLLBACK TO SAVEPOINT active_record_1

RELEASE SAVEPOINT active_record_1

select count(*) from products where id between 1000 and 1002

update orders set note=$1 where id=$2 returning note, placed
-- with: ["sent", "1"]

SELECT pg_try_advisory_lock(2053462845);

SELECT pg_advisory_unlock(2053462845)

ROLLBACK

DISCARD ALL
