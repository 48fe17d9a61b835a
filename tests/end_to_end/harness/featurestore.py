"""The sample database of the stories, its policy, and a gateway in front of it."""

from .gateway import connection

SCHEMA = """
CREATE TABLE users(id int PRIMARY KEY, name text, email text, ssn text, age int, balance numeric, born date);
INSERT INTO users VALUES
  (1, 'Ada', 'ada@example.com', '111-11-1111', 36, 10.50, '1815-12-10'),
  (2, 'Bob', 'bob@example.com', '222-22-2222', 41, 20.25, '1980-01-02'),
  (3, 'Cy', NULL, NULL, NULL, NULL, NULL);
CREATE TABLE cards(id int PRIMARY KEY, user_id int REFERENCES users, pan text);
INSERT INTO cards VALUES (1, 1, '4111111111111111'), (2, 2, '5500005555555559');
CREATE TABLE orders(id int PRIMARY KEY, user_id int, amount numeric);
INSERT INTO orders SELECT i, 1 + i % 3, i * 1.5 FROM generate_series(1, 20) i;
CREATE TABLE ranking_scores(id int PRIMARY KEY, score int);
INSERT INTO ranking_scores VALUES (1, 10);
CREATE TABLE scratch(id int, note text);
CREATE VIEW contacts AS SELECT id AS contact_id, name, email AS mail FROM users;
"""

MASKS = """\
    mask:
      - {columns: ["*.ssn", public.users.email], with: redact}
      - {columns: [cards.pan], with: {keep_last: 4}}
      - {columns: [users.balance, users.born], with: redact}
    untraceable: mask
"""

POLICY = """\
  - name: analysts read features
    who: {groups: [analysts]}
    connections: [featurestore]
    access: standing
    rules:
      - {allow: {sql: [read, set, transaction, listen, lock, insert, update, copy_in, copy_out, execute, create]}}
      - {deny: {sql: [drop, truncate, delete, opaque]}, reason: "destructive statements go through a migration"}
      - {approve: {sql: [update], objects: [public.ranking_scores]}, by: {groups: [dba]}, quorum: 1, timeout: 10m}
""" + MASKS


def prepare(cluster, database="featurestore"):
    cluster.database(database)
    cluster.psql(SCHEMA, database)
    return database


def front(cluster, name="featurestore", **keywords):
    """The connections: section with one connection to the sample database."""
    return connection(name, cluster.port, "featurestore", **keywords)
