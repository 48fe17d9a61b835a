-- The sample target: a small feature store beside the personal data its features come from.
-- Everything is made up by arithmetic, the same at each run; card numbers carry a right check digit, and addresses lie
-- in example.com. Run it once, by the owner of the tables, in an empty database: psql -1 -v ON_ERROR_STOP=1 -f FILE

CREATE TABLE users (
    id         bigint PRIMARY KEY,
    email      text NOT NULL UNIQUE,
    full_name  text NOT NULL,
    phone      text NOT NULL,
    ssn        text NOT NULL,
    birth_date date NOT NULL,
    country    text NOT NULL,
    created_at timestamptz NOT NULL
);

CREATE TABLE cards (
    id       bigint PRIMARY KEY,
    user_id  bigint NOT NULL REFERENCES users,
    network  text NOT NULL,
    pan      text NOT NULL,
    expires  date NOT NULL
);

CREATE TABLE patients (
    id          bigint PRIMARY KEY,
    user_id     bigint NOT NULL REFERENCES users,
    record_no   text NOT NULL UNIQUE,
    diagnosis   text NOT NULL,
    icd10       text NOT NULL,
    admitted_on date NOT NULL,
    chart       jsonb NOT NULL
);

CREATE TABLE feature_store (
    entity_id   bigint NOT NULL,
    feature     text NOT NULL,
    value       double precision NOT NULL,
    source      text NOT NULL,
    observed_at timestamptz NOT NULL,
    PRIMARY KEY (entity_id, feature)
);

CREATE TABLE ranking_scores (
    entity_id  bigint NOT NULL,
    model      text NOT NULL,
    score      numeric(6, 4) NOT NULL,
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (entity_id, model)
);

COMMENT ON COLUMN users.ssn IS 'personal: never shown outside this database';
COMMENT ON COLUMN cards.pan IS 'personal: the last four digits may be shown';

INSERT INTO users
SELECT i,
       lower(first || '.' || last) || i || '@example.com',
       first || ' ' || last,
       '+1-555-' || lpad((i * 37 % 1000)::text, 3, '0') || '-' || lpad((i * 7919 % 10000)::text, 4, '0'),
       lpad((100 + i * 31 % 560)::text, 3, '0') || '-' || lpad((1 + i * 17 % 98)::text, 2, '0') || '-'
           || lpad((1 + i * 6151 % 9998)::text, 4, '0'),
       date '1950-01-01' + (i * 4801 % 19000),
       (ARRAY['DE', 'FR', 'GB', 'NL', 'PL', 'US'])[1 + i % 6],
       timestamptz '2024-01-01 00:00:00+00' + i * interval '397 minutes'
FROM generate_series(1, 2000) AS i,
     LATERAL (SELECT (ARRAY['Ada', 'Bruno', 'Chiara', 'Dmitri', 'Elif', 'Farid', 'Grace', 'Hana', 'Ivo', 'Jun',
                            'Katarina', 'Luis', 'Mei', 'Noor', 'Olga', 'Pavel'])[1 + i % 16] AS first,
                     (ARRAY['Almeida', 'Becker', 'Cohen', 'Dubois', 'Eriksson', 'Fischer', 'Garcia', 'Horvat',
                            'Ivanova', 'Jansen', 'Kowalski', 'Larsen', 'Moreau'])[1 + i * 7 % 13] AS last) AS name;

-- The check digit: every second digit from the right counts double, and the digits of all products must sum to tens.
INSERT INTO cards
SELECT i,
       1 + i * 13 % 2000,
       network,
       body || (10 - (SELECT sum(CASE WHEN p % 2 = 1 THEN d * 2 / 10 + d * 2 % 10 ELSE d END)
                      FROM generate_series(1, 15) AS p, LATERAL (SELECT substr(body, p, 1)::int AS d) AS digit) % 10) % 10,
       date '2027-01-31' + (i % 36) * 30
FROM generate_series(1, 1500) AS i,
     LATERAL (SELECT (ARRAY['visa', 'mastercard'])[1 + i % 2] AS network,
                     (ARRAY['400000', '550000'])[1 + i % 2] || lpad((i::bigint * 86028157 % 1000000000)::text, 9, '0')
                         AS body) AS number;

INSERT INTO patients
SELECT i,
       1 + i * 7 % 2000,
       'MRN-' || lpad(i::text, 6, '0'),
       disease[1],
       disease[2],
       date '2025-01-01' + i % 365,
       jsonb_build_object('ward', (ARRAY['A', 'B', 'C'])[1 + i % 3], 'heart_rate', 55 + i * 11 % 60,
                          'contact', jsonb_build_object('email', 'next.of.kin' || i || '@example.com'))
FROM generate_series(1, 800) AS i,
     LATERAL (SELECT string_to_array((ARRAY['essential hypertension|I10', 'type 2 diabetes|E11.9', 'asthma|J45.909',
                                            'migraine|G43.909', 'major depressive disorder|F33.1',
                                            'iron deficiency anaemia|D50.9', 'hypothyroidism|E03.9'])[1 + i % 7], '|')
                         AS disease) AS found;

INSERT INTO feature_store
SELECT 1 + i % 2000,
       (ARRAY['days_since_login', 'basket_value_30d', 'session_length_p50'])[1 + i / 2000],
       round((i * 7907 % 100000 / 100.0)::numeric, 2),
       (ARRAY['clickstream', 'orders', 'support'])[1 + i % 3],
       timestamptz '2026-01-01 00:00:00+00' + i * interval '11 minutes'
FROM generate_series(0, 5999) AS i;

INSERT INTO ranking_scores
SELECT 1 + i % 1500,
       (ARRAY['reranker-v1', 'reranker-v2'])[1 + i / 1500],
       (i * 7919 % 10000) / 10000.0,
       timestamptz '2026-02-01 00:00:00+00' + i * interval '7 minutes'
FROM generate_series(0, 2999) AS i;

CREATE INDEX ON cards (user_id);
CREATE INDEX ON patients (user_id);
ANALYZE users, cards, patients, feature_store, ranking_scores;
