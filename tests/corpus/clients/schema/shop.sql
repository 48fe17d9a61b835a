-- A database with one of nearly everything that PostgreSQL 15 can hold, for clients that look at all of it.
-- Masked in the tests: every column ssn, public.customers.email, public.payments.card.

SET client_min_messages = error;

CREATE ROLE shop_reader NOLOGIN;
CREATE ROLE shop_clerk LOGIN CONNECTION LIMIT 5 VALID UNTIL '2099-01-01' IN ROLE shop_reader;
COMMENT ON ROLE shop_reader IS 'reads the shop';
ALTER ROLE shop_clerk SET statement_timeout = '30s';
ALTER ROLE shop_clerk IN DATABASE shop SET search_path = stock, public;
ALTER DATABASE shop SET extra_float_digits = 0;
COMMENT ON DATABASE shop IS 'everything for sale';

CREATE SCHEMA stock AUTHORIZATION shop_clerk;
CREATE SCHEMA "Odd Schema";
COMMENT ON SCHEMA stock IS 'what lies in the store';
GRANT USAGE ON SCHEMA stock TO shop_reader;

CREATE EXTENSION hstore;
CREATE EXTENSION citext;
CREATE EXTENSION pg_trgm;
CREATE EXTENSION btree_gist;
CREATE EXTENSION postgres_fdw;
COMMENT ON EXTENSION citext IS 'text without case';

-- ---- types

CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy');
CREATE TYPE address AS (street text, town text, zip varchar(10));
CREATE TYPE span AS RANGE (subtype = float8, subtype_diff = float8mi);
CREATE DOMAIN positive_price AS numeric(10, 2) DEFAULT 1 NOT NULL CONSTRAINT above_zero CHECK (VALUE > 0);
CREATE DOMAIN zip_code AS text COLLATE "C" CHECK (VALUE ~ '^\d{5}$');
CREATE TYPE shape AS (kind text, sides int);
CREATE TYPE yet_to_come;
COMMENT ON TYPE mood IS 'how a customer feels';
COMMENT ON DOMAIN positive_price IS 'what something costs';
COMMENT ON COLUMN address.zip IS 'five digits';

-- ---- tables

CREATE TABLE customers(
    id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL,
    email citext,
    ssn text,
    feels mood DEFAULT 'ok',
    lives_at address,
    tags hstore,
    born date CHECK (born > '1800-01-01'),
    initials text GENERATED ALWAYS AS (left(name, 1)) STORED,
    referred_by int REFERENCES customers ON DELETE SET NULL DEFERRABLE INITIALLY DEFERRED
);
COMMENT ON TABLE customers IS 'who buys';
COMMENT ON COLUMN customers.ssn IS 'nobody''s business';
COMMENT ON CONSTRAINT customers_pkey ON customers IS 'one row each';
ALTER TABLE customers ALTER COLUMN name SET STATISTICS 200;
ALTER TABLE customers ALTER COLUMN name SET STORAGE EXTERNAL;
ALTER TABLE customers REPLICA IDENTITY FULL;
GRANT SELECT ON customers TO shop_reader;
GRANT UPDATE (name) ON customers TO shop_clerk WITH GRANT OPTION;
INSERT INTO customers(name, email, ssn, feels, lives_at, tags, born, referred_by) VALUES
    ('Ada', 'ada@example.com', '111-11-1111', 'happy', ('1 Mill Lane', 'London', '12345'), 'vip => yes', '1815-12-10', NULL),
    ('Bob', 'bob@example.com', '222-22-2222', 'sad', ('2 Main St', 'Springfield', '54321'), 'vip => no, news => yes', '1980-01-02', 1),
    ('Cy', NULL, NULL, NULL, NULL, NULL, NULL, 1);
CREATE INDEX customers_email ON customers (email);
CREATE INDEX customers_name_trgm ON customers USING gin (name gin_trgm_ops);
CREATE INDEX customers_lower_name ON customers (lower(name) DESC NULLS LAST) INCLUDE (born) WHERE born IS NOT NULL;
CREATE INDEX customers_tags ON customers USING gist (tags);
COMMENT ON INDEX customers_lower_name IS 'names without case';
CLUSTER customers USING customers_pkey;
CREATE STATISTICS customers_feels_born (ndistinct, dependencies) ON feels, born FROM customers;
COMMENT ON STATISTICS customers_feels_born IS 'they go together';

CREATE TABLE products(id serial PRIMARY KEY, label varchar(40) NOT NULL, price positive_price, made_in zip_code,
                      sold_during tstzrange, attributes jsonb DEFAULT '{}', picture bytea, sizes int[], code uuid,
                      EXCLUDE USING gist (label WITH =, sold_during WITH &&));
INSERT INTO products(label, price, made_in, attributes, picture, sizes, code) VALUES
    ('Lamp', 19.90, '12345', '{"watts": 40}', '\x00ff', '{1,2}', '00000000-0000-0000-0000-000000000001'),
    ('Chair "soft"', 99, '54321', '{"legs": 4}', NULL, NULL, NULL), (E'Tab\tbed\\x', 250.5, NULL, 'null', '\x', '{}', NULL);

CREATE TABLE orders(id bigint NOT NULL, customer_id int NOT NULL REFERENCES customers ON UPDATE CASCADE, placed date NOT NULL, note text,
                    PRIMARY KEY (id, placed)) PARTITION BY RANGE (placed);
CREATE TABLE orders_2023 PARTITION OF orders FOR VALUES FROM ('2023-01-01') TO ('2024-01-01');
CREATE TABLE orders_2024 PARTITION OF orders FOR VALUES FROM ('2024-01-01') TO ('2025-01-01') PARTITION BY HASH (id);
CREATE TABLE orders_2024_even PARTITION OF orders_2024 FOR VALUES WITH (MODULUS 2, REMAINDER 0) WITH (fillfactor = 70);
CREATE TABLE orders_2024_odd PARTITION OF orders_2024 FOR VALUES WITH (MODULUS 2, REMAINDER 1);
CREATE TABLE orders_other PARTITION OF orders DEFAULT;
CREATE INDEX orders_customer ON orders (customer_id);
COMMENT ON TABLE orders IS 'what was bought, and when';
INSERT INTO orders SELECT i, 1 + i % 2, date '2023-06-01' + i * 30, 'order ' || i FROM generate_series(1, 30) i;

CREATE TABLE order_lines(order_id bigint, placed date, line smallint, product_id int REFERENCES products, quantity int DEFAULT 1 CHECK (quantity > 0),
                         PRIMARY KEY (order_id, placed, line), FOREIGN KEY (order_id, placed) REFERENCES orders ON DELETE CASCADE);
INSERT INTO order_lines SELECT id, placed, 1, 1 + id % 3, id % 7 + 1 FROM orders;

CREATE TABLE payments(id int PRIMARY KEY, customer_id int UNIQUE REFERENCES customers, card text, paid timestamptz DEFAULT now());
INSERT INTO payments VALUES (1, 1, '4111111111111111', '2024-01-01 10:00+00'), (2, 2, '5500005555555559', '2024-01-02 11:00+00');

CREATE UNLOGGED TABLE stock.shelves(id int PRIMARY KEY, place point, open boolean) WITH (autovacuum_enabled = off);
INSERT INTO stock.shelves VALUES (1, '(1,2)', true), (2, NULL, false);
CREATE TABLE stock.people(id int, ssn text);
INSERT INTO stock.people VALUES (1, '333-33-3333');
CREATE TABLE stock.shapes OF shape (PRIMARY KEY (kind));
CREATE TABLE stock.vehicle(id int, wheels int);
CREATE TABLE stock.truck(load numeric) INHERITS (stock.vehicle);
INSERT INTO stock.truck VALUES (1, 6, 7.5);
CREATE TABLE "Odd Schema"."Odd Table"("Odd ""Column""" text, "select" int, "a.b" int, "é" text);
INSERT INTO "Odd Schema"."Odd Table" VALUES ('x', 1, 2, 'ß');
CREATE TABLE no_columns();
ALTER TABLE stock.shelves ALTER COLUMN place SET (n_distinct = -0.5);
CREATE SEQUENCE stock.ticket AS smallint INCREMENT BY 5 MINVALUE 10 MAXVALUE 1000 START 15 CACHE 3 CYCLE;
COMMENT ON SEQUENCE stock.ticket IS 'numbers for the queue';
SELECT nextval('stock.ticket');

-- ---- routines

CREATE FUNCTION full_label(p products) RETURNS text LANGUAGE sql STABLE AS $$ SELECT p.label || ' at ' || p.price $$;
CREATE FUNCTION cheapest(up_to numeric DEFAULT 100, OUT label text, OUT price numeric) RETURNS SETOF record
    LANGUAGE sql STABLE ROWS 5 PARALLEL SAFE
    BEGIN ATOMIC SELECT p.label, p.price FROM products p WHERE p.price <= up_to ORDER BY p.price; END;
CREATE FUNCTION add_line() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public AS $$
BEGIN
    IF new.quantity IS NULL THEN
        new.quantity := 1;   -- "one" unless told
    END IF;
    RETURN new;
END
$$;
CREATE FUNCTION everything(VARIADIC words text[]) RETURNS int LANGUAGE plpgsql IMMUTABLE STRICT LEAKPROOF COST 10 AS
    'BEGIN RETURN array_length(words, 1); END';
CREATE FUNCTION noticed() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN NULL; END';
CREATE FUNCTION lamps() RETURNS TABLE(id int, label varchar) LANGUAGE sql AS $$ SELECT id, label FROM products $$;
CREATE PROCEDURE tidy(INOUT done int DEFAULT 0) LANGUAGE plpgsql AS 'BEGIN done := done + 1; END';
CREATE FUNCTION stock."Odd Function"(a int, "B" text = 'x; y') RETURNS void LANGUAGE sql AS 'SELECT';
CREATE FUNCTION longer(a text, b text) RETURNS text LANGUAGE sql IMMUTABLE RETURN CASE WHEN length(a) >= length(b) THEN a ELSE b END;
CREATE AGGREGATE longest(text) (SFUNC = longer, STYPE = text, INITCOND = '');
CREATE AGGREGATE share(float8 ORDER BY float8) (SFUNC = ordered_set_transition, STYPE = internal, FINALFUNC = percentile_disc_final,
                                                FINALFUNC_EXTRA);
CREATE OPERATOR public.<+> (LEFTARG = text, RIGHTARG = text, FUNCTION = longer, COMMUTATOR = OPERATOR(public.<+>));
CREATE OPERATOR FAMILY lengths USING btree;
CREATE OPERATOR CLASS by_length FOR TYPE text USING btree FAMILY lengths AS
    OPERATOR 1 ~<~, OPERATOR 2 ~<=~, OPERATOR 3 =, OPERATOR 4 ~>=~, OPERATOR 5 ~>~, FUNCTION 1 bttext_pattern_cmp(text, text);
CREATE FUNCTION mood_number(mood) RETURNS int LANGUAGE sql IMMUTABLE AS $$ SELECT array_position(enum_range($1), $1) $$;
CREATE CAST (mood AS int) WITH FUNCTION mood_number(mood) AS ASSIGNMENT;
CREATE CONVERSION latin FOR 'LATIN1' TO 'UTF8' FROM iso8859_1_to_utf8;
CREATE COLLATION german (provider = icu, locale = 'de');
CREATE ACCESS METHOD pile TYPE TABLE HANDLER heap_tableam_handler;
COMMENT ON FUNCTION full_label(products) IS 'label and price';
COMMENT ON AGGREGATE longest(text) IS 'the longest of them';
COMMENT ON OPERATOR public.<+> (text, text) IS 'the longer one';
COMMENT ON CAST (mood AS int) IS 'place in the list';
COMMENT ON OPERATOR CLASS by_length USING btree IS 'not really';
REVOKE EXECUTE ON FUNCTION cheapest FROM PUBLIC;
GRANT EXECUTE ON FUNCTION cheapest TO shop_reader;

-- ---- views, rules, triggers, policies

CREATE VIEW contacts AS SELECT id AS contact_id, name, email AS mail FROM customers;
CREATE VIEW stock.dear WITH (security_barrier, check_option = cascaded) AS SELECT * FROM public.products WHERE price > 50;
CREATE RECURSIVE VIEW chain(id, depth) AS
    SELECT id, 0 FROM customers WHERE referred_by IS NULL
    UNION ALL SELECT c.id, depth + 1 FROM customers c JOIN chain ON c.referred_by = chain.id;
CREATE MATERIALIZED VIEW monthly AS SELECT date_trunc('month', placed) AS month, count(*) AS orders FROM orders GROUP BY 1;
CREATE UNIQUE INDEX monthly_month ON monthly (month);
CREATE MATERIALIZED VIEW stock.empty_one AS SELECT 1 AS one WITH NO DATA;
COMMENT ON VIEW contacts IS 'how to reach them';
COMMENT ON COLUMN contacts.mail IS 'masked by the tests';
COMMENT ON MATERIALIZED VIEW monthly IS 'orders a month';
ALTER VIEW contacts ALTER COLUMN name SET DEFAULT 'nobody';
CREATE RULE contacts_insert AS ON INSERT TO contacts DO INSTEAD INSERT INTO customers(name, email) VALUES (new.name, new.mail);
COMMENT ON RULE contacts_insert ON contacts IS 'through to the customers';
CREATE TRIGGER lines_before BEFORE INSERT OR UPDATE OF quantity ON order_lines FOR EACH ROW WHEN (new.line > 0) EXECUTE FUNCTION add_line();
CREATE CONSTRAINT TRIGGER lines_after AFTER INSERT ON order_lines DEFERRABLE FOR EACH ROW EXECUTE FUNCTION add_line();
CREATE TRIGGER lines_off AFTER DELETE ON order_lines REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION add_line();
ALTER TABLE order_lines DISABLE TRIGGER lines_off;
COMMENT ON TRIGGER lines_before ON order_lines IS 'fills in';
CREATE EVENT TRIGGER on_tables ON ddl_command_end WHEN TAG IN ('CREATE TABLE', 'DROP TABLE') EXECUTE FUNCTION noticed();
ALTER EVENT TRIGGER on_tables DISABLE;
CREATE POLICY own_payments ON payments AS RESTRICTIVE FOR SELECT TO shop_reader USING (customer_id > 0);
CREATE POLICY new_payments ON payments FOR INSERT WITH CHECK (card IS NOT NULL);
ALTER TABLE payments ENABLE ROW LEVEL SECURITY;
COMMENT ON POLICY own_payments ON payments IS 'somebody''s';

-- ---- the rest

CREATE TEXT SEARCH DICTIONARY short_words (TEMPLATE = simple, stopwords = english);
CREATE TEXT SEARCH CONFIGURATION plain_english (COPY = english);
ALTER TEXT SEARCH CONFIGURATION plain_english ALTER MAPPING FOR asciiword WITH short_words, english_stem;
COMMENT ON TEXT SEARCH CONFIGURATION plain_english IS 'words';
CREATE PUBLICATION all_of_it FOR ALL TABLES WITH (publish = 'insert');
CREATE PUBLICATION a_part FOR TABLE customers (id, name) WHERE (id > 0), orders;
CREATE PUBLICATION a_schema FOR TABLES IN SCHEMA stock;
CREATE SUBSCRIPTION news CONNECTION 'host=127.0.0.1 port=1 dbname=none' PUBLICATION headlines WITH (connect = false);
CREATE SERVER warehouse TYPE 'postgres' VERSION '15' FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host '127.0.0.1', port '1');
CREATE FOREIGN DATA WRAPPER own_wrapper OPTIONS (debug 'true');
CREATE USER MAPPING FOR shop_reader SERVER warehouse OPTIONS (user 'shop');
CREATE FOREIGN TABLE stock.far_away(id int OPTIONS (column_name 'number'), name text) SERVER warehouse OPTIONS (table_name 'boxes');
COMMENT ON SERVER warehouse IS 'far away';
ALTER DEFAULT PRIVILEGES IN SCHEMA stock GRANT SELECT ON TABLES TO shop_reader;
ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;
ANALYZE;
