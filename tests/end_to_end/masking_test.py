"""A masked column is masked wherever PostgreSQL says a value comes from it, in text and in binary, on every road out; the rest is exact."""

import struct

import pytest

from harness import featurestore
from harness.gateway import psql
from harness.wire import SYNC, bind, close, describe, error_fields, execute, parse, query, row_values

pytestmark = pytest.mark.gateway_only

SECRETS = [b"111-11-1111", b"222-22-2222", b"ada@example.com", b"bob@example.com", b"4111111111111111", b"5500005555555559"]
MASKED = b"[masked]"


@pytest.fixture(scope="module")
def gateway(serve, target):
    featurestore.prepare(target)
    target.psql("""
        CREATE TABLE typed(id int PRIMARY KEY, i2 smallint, i4 int, i8 bigint, f4 real, f8 float8, n numeric, b bool, d date,
                           ts timestamp, tz timestamptz, tm time, iv interval, u uuid, j json, jb jsonb, by bytea, t text, vc varchar(4),
                           c char(3), ia int[], ta text[], ip inet, r int4range, x xml);
        INSERT INTO typed VALUES (1, 7, 7, 7, 0.5, 0.5, 7.5, true, '2001-02-03', '2001-02-03 04:05', '2001-02-03 04:05+00', '04:05',
                                  '1 day', '11111111-2222-3333-4444-555555555555', '{"k":"v"}', '{"k":"v"}', '\\x0102', 'secret text',
                                  'abcd', 'xyz', '{1,2}', '{a,b}', '10.0.0.1', '[1,5)', '<a/>');
        INSERT INTO typed(id) VALUES (2);
        CREATE SCHEMA hr;
        CREATE TABLE hr.people(id int, ssn text, salary int);
        INSERT INTO hr.people VALUES (1, '111-11-1111', 100);
        CREATE TABLE parted(id int, ssn text) PARTITION BY RANGE (id);
        CREATE TABLE parted_1 PARTITION OF parted FOR VALUES FROM (0) TO (10);
        INSERT INTO parted VALUES (1, '111-11-1111');
        CREATE VIEW nested AS SELECT mail AS m2 FROM contacts;
        CREATE MATERIALIZED VIEW snapshot AS SELECT id, ssn AS number FROM users;
        CREATE TABLE ancestor(id int, ssn text);
        CREATE TABLE descendant() INHERITS (ancestor);
        INSERT INTO descendant(id, ssn) VALUES (9, '111-11-1111');
        ANALYZE;
    """, "featurestore")
    policy = featurestore.POLICY.replace(featurestore.MASKS, featurestore.MASKS.replace(
        "    untraceable", "      - {columns: [" + ", ".join(f"typed.{name}" for name in TYPED) + "], with: redact}\n    untraceable"))
    return serve(featurestore.front(target), policy)


TYPED = ["i2", "i4", "i8", "f4", "f8", "n", "b", "d", "ts", "tz", "tm", "iv", "u", "j", "jb", "by", "t", "vc", "c", "ia", "ta", "ip",
         "r", "x"]


def simple(client, sql):
    """Rows and errors of a simple query."""
    client.send(query(sql))
    rows, errors = [], []
    for kind, body in client.messages():
        if kind == "D":
            rows.append(row_values(body))
        elif kind == "E":
            errors.append(error_fields(body))
    return rows, errors


def extended(client, sql, parameters=(), results=(), with_describe=True):
    """The same by Parse, Bind, Execute, in the result format asked for."""
    steps = [parse(sql), bind(parameters, results=results)] + ([describe()] if with_describe else []) + [execute(), SYNC]
    client.send(*steps)
    rows, errors = [], []
    for kind, body in client.messages():
        if kind == "D":
            rows.append(row_values(body))
        elif kind == "E":
            errors.append(error_fields(body))
    return rows, errors


ROADS = {
    "simple": simple,
    "extended, text": extended,
    "extended, binary": lambda client, sql: extended(client, sql, results=(1,)),
    "extended, binary, without Describe": lambda client, sql: extended(client, sql, results=(1,), with_describe=False),
    "extended, text, without Describe": lambda client, sql: extended(client, sql, with_describe=False),
}

SHAPES = [
    "select ssn from users order by id", "select ssn as harmless from users order by id", "select u.ssn from users u order by id",
    "select public.users.ssn from public.users order by id", "select x from (select ssn as x, id from users) s order by id",
    "with c as (select ssn as y, id from users) select y from c order by id",
    "with c as materialized (select * from users) select ssn from c order by id",
    "select u.ssn from users u join orders o on o.user_id = u.id where o.id <= 3 order by u.id",
    "select distinct ssn from users order by 1", "select ssn from users group by ssn order by 1",
    "select l.ssn from orders o, lateral (select ssn from users where id = o.user_id) l limit 3",
    "select mail from contacts order by contact_id", "select m2 from nested", "select number from snapshot order by id",
    "select ssn from hr.people", "select ssn from parted", "select ssn from parted_1",
    'select "ssn" from "users" order by "id"', "table users", "select * from users order by id", "select users.* from users",
    "select ssn from only users order by id", "select (select ssn from users where id = 1)", "select ssn || '' from users",
    "select upper(ssn) from users", "select coalesce(ssn, 'none') from users", "select ssn::varchar(20) from users",
    "select cast(ssn as varchar) from users", "select max(ssn) from users", "select array_agg(ssn) from users",
    "select string_agg(ssn, ',') from users", "select row_to_json(users) from users", "select users from users",
    "select to_jsonb(u)->>'ssn' from users u", "select ssn from users union all select ssn from users",
    "select case when id = 1 then ssn end from users", "select substr(ssn, 1, 11) from users",
    "select first_value(ssn) over (order by id) from users",
    "select u from (select * from users) u", "select * from (values (1)) v(a), users", "select ssn, ssn, id, ssn from users",
    "with recursive r as (select id, ssn from users where id = 1 union all select u.id, u.ssn from users u join r on u.id = r.id + 1) "
    "select ssn from r", "select a.ssn from users a full join users b using (ssn)", "select format('%s', ssn) from users",
    "select ssn collate \"C\" from users", "select (array[ssn])[1] from users", "select nullif(ssn, 'x') from users",
    "select ssn from users tablesample system (100)", "select ssn from users for update", "select ssn from users limit 1 offset 1",
    "select email, ssn from users where ssn like '111%'", "select query_to_xml('select ssn from users', true, true, '')",
    "select pan from cards order by id", "select concat(pan) from cards",
]


@pytest.mark.parametrize("road", ROADS)
@pytest.mark.parametrize("sql", SHAPES)
def test_no_masked_value_leaves(gateway, sql, road):
    with gateway.client("featurestore") as client:
        rows, errors = ROADS[road](client, sql)
        seen = repr(rows) + repr(errors)
        assert not [secret for secret in SECRETS if secret.decode() in seen], seen
        assert client.alive()


@pytest.mark.parametrize("road", ROADS)
@pytest.mark.parametrize("sql", SHAPES[:17])
def test_traceable_columns_answer_with_the_mask(gateway, sql, road):
    with gateway.client("featurestore") as client:
        rows, errors = ROADS[road](client, sql)
        assert not errors and rows, errors
        assert all(value in (MASKED, None) for row in rows for value in row), rows
        assert any(value == MASKED for row in rows for value in row)


@pytest.mark.parametrize("road", ROADS)
def test_null_stays_null_and_neighbours_stay_exact(gateway, road):
    with gateway.client("featurestore") as client:
        rows, _ = ROADS[road](client, "select name, ssn, name from users order by id")
    assert rows == [[b"Ada", MASKED, b"Ada"], [b"Bob", MASKED, b"Bob"], [b"Cy", None, b"Cy"]]


def test_only_the_last_digits_are_kept(gateway):
    with gateway.client("featurestore") as client:
        rows, _ = simple(client, "select pan from cards order by id")
    assert [row[0][-4:] for row in rows] == [b"1111", b"5559"]
    assert all(len(set(row[0][:-4])) <= 1 for row in rows)


UNMASKED = [
    ("select count(*) from users", [[b"3"]]), ("select id, name, age from users order by id",
                                               [[b"1", b"Ada", b"36"], [b"2", b"Bob", b"41"], [b"3", b"Cy", None]]),
    ("select avg(age)::int from users", [[b"39"]]), ("select sum(amount) from orders", [[b"315.0"]]),
    ("select name from users where ssn is not null order by 1", [[b"Ada"], [b"Bob"]]),
    ("select o.id, u.name from orders o join users u on u.id = o.user_id where o.id = 3", [[b"3", b"Ada"]]),
    ("select now() is not null, current_user", [[b"t", b"postgres"]]), ("select salary from hr.people", [[b"100"]]),
    ("select max(amount) over () from orders limit 1", [[b"30.0"]]),
    ("select contact_id, name from contacts where contact_id = 1", [[b"1", b"Ada"]]),
]


@pytest.mark.parametrize("sql, rows", UNMASKED)
def test_what_is_not_masked_is_exact(gateway, sql, rows):
    with gateway.client("featurestore") as client:
        assert simple(client, sql)[0] == rows
        assert extended(client, sql)[0] == rows


@pytest.mark.parametrize("results", [(0,), (1,)])
@pytest.mark.parametrize("name", TYPED)
def test_a_typed_column_holds_null_or_a_neutral_value(gateway, target, name, results):
    """Whatever stands there must be valid for its type: the driver decodes it; and it is not the value."""
    with gateway.client("featurestore") as client:
        rows, errors = extended(client, f"select {name}, id from typed order by id", results=(results[0], 0))
        assert not errors, errors
        assert [row[1] for row in rows] == [b"1", b"2"] and rows[1][0] is None
        value = rows[0][0]
    if value is None:
        return
    direct = target_value(target, name, results[0])
    assert value != direct, (name, value)
    sizes = {"i2": 2, "i4": 4, "i8": 8, "f4": 4, "f8": 8, "b": 1, "d": 4, "ts": 8, "tz": 8, "tm": 8, "iv": 16, "u": 16}
    if results[0] and name in sizes:
        assert len(value) == sizes[name]
    if results[0] and name in ("j", "t", "vc", "c", "x"):
        value.decode()
    if name == "vc":
        assert len(value) <= 8


def target_value(target, name, form):
    from harness.wire import Client

    with Client(target.address, user="postgres", password="target-superuser-secret", database="featurestore") as client:
        rows, _ = extended(client, f"select {name} from typed where id = 1", results=(form,))
    return rows[0][0]


def test_returning_is_masked(gateway):
    with gateway.client("featurestore") as client:
        rows, errors = simple(client, "update users set age = age where id = 1 returning id, ssn, email")
        assert not errors and rows == [[b"1", MASKED, MASKED]]
        rows, errors = simple(client, "insert into users(id, name, ssn) values (77, 'X', '111-11-1111') returning ssn, name")
        assert not errors and rows == [[MASKED, b"X"]]
        simple(client, "with w as (update users set name = name where id = 2 returning ssn) select * from w")
        client.send(query("begin"), query("rollback"))


def test_cursors_are_masked(gateway):
    with gateway.client("featurestore") as client:
        simple(client, "begin")
        simple(client, "declare c scroll cursor for select id, ssn from users where id < 3 order by id")
        assert simple(client, "fetch 1 from c")[0] == [[b"1", MASKED]]
        assert simple(client, "fetch all from c")[0] == [[b"2", MASKED]]
        assert simple(client, "fetch backward 1 from c")[0] == [[b"2", MASKED]]
        assert extended(client, "fetch first from c", results=(1,), with_describe=False)[0][0][1] == MASKED
        simple(client, "declare b binary cursor for select id, ssn from users where id < 3 order by id")
        assert simple(client, "fetch all from b")[0] == [[struct.pack("!i", 1), MASKED], [struct.pack("!i", 2), MASKED]]
        simple(client, "rollback")


def test_a_cursor_name_used_again_is_masked_by_its_new_rows(gateway):
    with gateway.client("featurestore") as client:
        simple(client, "begin")
        simple(client, "declare c cursor for select name from users where id = 1")
        assert simple(client, "fetch 1 from c")[0] == [[b"Ada"]]
        simple(client, "close c")
        simple(client, "declare c cursor for select ssn from users where id = 1")
        assert simple(client, "fetch 1 from c")[0] == [[MASKED]]


def test_portals_and_prepared_statements_are_masked(gateway):
    with gateway.client("featurestore") as client:
        client.send(parse("select ssn, id from users where id < $1::int order by id", "s"), describe("S", "s"), SYNC)
        client.signature()
        for form in (0, 1, 0):
            client.send(bind([b"3"], statement="s", portal="p", results=(form,)), execute(1, "p"), execute(0, "p"), close("P", "p"), SYNC)
            rows = [row_values(body) for kind, body in client.messages() if kind == "D"]
            assert [row[0] for row in rows] == [MASKED, MASKED]
        assert simple(client, "execute s(3)")[0] == [[MASKED, b"1"], [MASKED, b"2"]]
        simple(client, "prepare q as select ssn from users where id = 1")
        assert simple(client, "execute q")[0] == [[MASKED]]
        client.send(bind([], statement="q", results=(1,)), execute(), SYNC)
        assert [row_values(body) for kind, body in client.messages() if kind == "D"] == [[MASKED]]


def test_a_statement_name_used_again_is_masked_by_its_new_text(gateway):
    with gateway.client("featurestore") as client:
        for text, expected in (("select name from users where id = 1", b"Ada"), ("select ssn from users where id = 1", MASKED),
                               ("select name from users where id = 1", b"Ada")):
            client.send(close("S", "s"), parse(text, "s"), bind(statement="s"), execute(), SYNC)
            assert [row_values(body) for kind, body in client.messages() if kind == "D"] == [[expected]]


def test_several_results_of_one_text_are_masked_each_by_its_own_columns(gateway):
    with gateway.client("featurestore") as client:
        rows, _ = simple(client, "select name from users where id = 1; select ssn from users where id = 1; select 'x'; "
                                 "select id, ssn, name from users where id = 2")
    assert rows == [[b"Ada"], [MASKED], [b"x"], [b"2", MASKED, b"Bob"]]


OTHER_ROADS = [
    # prepared in SQL, and names that change their meaning
    ["prepare p as select upper(ssn) from users", "execute p"],
    ["begin", "prepare p as select upper(ssn) from users", "rollback", "execute p"],
    ["prepare p as select 'x'", "execute p", "deallocate p; prepare p as select upper(ssn) from users", "execute p"],
    ["prepare p as select 'x'", "deallocate p; prepare p as select upper(ssn) from users; select 1/0", "execute p"],
    ["prepare p as select 'x'; select 1/0; deallocate p", "deallocate p", "prepare p as select upper(ssn) from users", "execute p"],
    # cursors
    ["begin", "declare c cursor with hold for select ssn || '' from users", "commit", "fetch all from c"],
    ["begin", "declare c cursor for select 'h'", "fetch c", "close c", "declare c cursor for select ssn || '' from users", "fetch all c"],
    ["begin", "declare c cursor for select upper(ssn) from users", "select 1", "move 1 from c", "fetch 2 from c"],
    # messages that are not rows
    ["select set_config('application_name', ssn, false) from users where id = 1"],
    ["listen x", "select pg_notify('x', ssn) from users where id = 1"],
    # statistics
    ["select * from pg_stats"], ["select most_common_vals::text, histogram_bounds::text from pg_stats where tablename = 'users'"],
    ["select stavalues1::text from pg_statistic"],
    # errors that quote a value
    ["select ssn::int from users"], ["select ssn::regclass from users"], ["select nextval(ssn) from users"],
    ["select ssn::date from users"],
    ["select ssn::json from users"], ["select date_trunc(ssn, now()) from users"], ["select pg_sleep(ssn::float) from users"],
    ["select 1 where exists(select ssn::int from users)"], ["insert into scratch(id) select ssn::int from users"],
    # other shapes
    ["select (users).ssn from users"], ["select (u).* from users u"], ["values ((select ssn from users limit 1))"],
    ["select d from users as t(a, b, c, d)"], ["select d || '' from users as t(a, b, c, d)"], ["select xmlforest(ssn) from users"],
    ["select users::text from users"], ["select to_json(array(select ssn from users))"],
    ["with x(a) as (select ssn from users) select a || '' from x"], ["select a from (select ssn || '' from users) x(a)"],
    ["select name from (select ssn as name from users) q"], ["select name || '' from (select ssn as name from users) q"],
    ["select ssn from descendant"], ["select ssn || '' from descendant"], ["select tableoid::regclass, * from users"],
    ["select key, value from users u, jsonb_each_text(to_jsonb(u))"], ["select v from users u, unnest(array[u.ssn]) v"],
    ["select * from jsonb_to_record((select to_jsonb(u) from users u where id = 1)) as x(ssn text)"],
    ["select pan from jsonb_populate_record(null::cards, "
     "(select to_jsonb(u) || jsonb_build_object('pan', ssn) from users u where id = 1))"],
    ["select u.name, (select string_agg(x.ssn, ',') from users x) from users u"], ["select row(ssn) from users"],
    ["select ssn from users intersect select ssn from users"], ["select coalesce(name, ssn) from users"],
    ["select encode(ssn::bytea, 'escape') from users"], ["select ssn, * from users natural join contacts"],
    ["create view v1 as select ssn || '' as y from users", "select y from v1", "select y || '' from v1"],
    ["explain (analyze, verbose) select ssn from users where ssn > (select min(ssn) from users)"],
    ["copy (select name from (select ssn as name from users) q) to stdout"],
    ["copy (select d || '' from users as t(a, b, c, d)) to stdout"],
    ["copy (update users set age = age returning ssn) to stdout"], ["copy (table users) to stdout"],
    ["copy (select u from users u) to stdout"],
    ["copy contacts to stdout"], ["copy (select * from contacts) to stdout"], ["copy (select ssn || '' as name from users) to stdout"],
]


@pytest.mark.parametrize("road", ["simple", "extended"])
@pytest.mark.parametrize("steps", OTHER_ROADS, ids=lambda steps: steps[-1][:60])
def test_no_masked_value_leaves_by_another_road(gateway, target, steps, road):
    with gateway.client("featurestore") as client:
        for sql in steps:
            if road == "simple":
                client.send(query(sql))
            else:
                client.send(parse(sql), bind(), execute(), SYNC)
            seen = b"".join(body for _, body in client.messages()) + client.buffer
            assert not [secret for secret in SECRETS if secret in seen], (sql, seen[:500])
        client.socket.settimeout(0.05)
        try:
            late = client.socket.recv(65536)
        except TimeoutError:
            late = b""
        assert not [secret for secret in SECRETS if secret in late], late
    target.psql("drop view if exists v1", "featurestore")


def copied(client, sql):
    client.send(query(sql))
    messages = client.messages()
    return b"".join(body for kind, body in messages if kind == "d"), [error_fields(body) for kind, body in messages if kind == "E"]


@pytest.mark.parametrize("sql, expected", [
    ("copy hr.people to stdout", b"1\t[masked]\t100\n"), ("copy hr.people(salary, ssn) to stdout", b"100\t[masked]\n"),
    ("copy (select id, ssn, name from users where id < 3 order by id) to stdout", b"1\t[masked]\tAda\n2\t[masked]\tBob\n"),
    ("copy (select id, ssn from users where id < 3 order by id) to stdout (format csv, header)", b'id,ssn\n1,"[masked]"\n2,"[masked]"\n'),
    ("copy (select id, ssn from users where id < 4 order by id) to stdout (format csv, null 'nil', delimiter ';')",
     b'1;"[masked]"\n2;"[masked]"\n3;nil\n'),
    ("copy (select id, ssn from users where id < 3 order by id) to stdout csv force quote ssn", b'1,"[masked]"\n2,"[masked]"\n')])
def test_copy_in_text_is_masked(gateway, sql, expected):
    with gateway.client("featurestore") as client:
        data, errors = copied(client, sql)
        assert not errors, errors
        assert data.startswith(expected), data
        assert not [secret for secret in SECRETS if secret in data]


def test_copy_in_binary_is_masked(gateway):
    with gateway.client("featurestore") as client:
        data, errors = copied(client, "copy (select id, ssn from users where id < 4 order by id) to stdout (format binary)")
        assert not errors, errors

    def field(value):
        return struct.pack("!i", -1) if value is None else struct.pack("!i", len(value)) + value

    rows = [(struct.pack("!i", 1), MASKED), (struct.pack("!i", 2), MASKED), (struct.pack("!i", 3), None)]
    expected = b"PGCOPY\n\xff\r\n\0" + struct.pack("!ii", 0, 0)
    expected += b"".join(struct.pack("!h", 2) + b"".join(field(value) for value in row) for row in rows) + struct.pack("!h", -1)
    assert data == expected


@pytest.mark.parametrize("form", ["text", "csv", "binary"])
def test_copy_of_what_cannot_be_traced_shows_nothing(gateway, form):
    with gateway.client("featurestore") as client:
        for sql in ("select upper(ssn) from users", "select users from users", "select ssn from users union select email from users"):
            data, errors = copied(client, f"copy ({sql}) to stdout (format {form})")
            assert not [secret for secret in SECRETS if secret in data + repr(errors).encode()]
            assert client.alive()


def test_copy_of_unmasked_columns_is_exact(gateway):
    with gateway.client("featurestore") as client:
        data, _ = copied(client, "copy (select id, name, age from users where id < 4 order by id) to stdout")
    assert data == b"1\tAda\t36\n2\tBob\t41\n3\tCy\t\\N\n"


@pytest.mark.parametrize("change", [
    "alter table users drop column age; alter table users add column age int",
    "alter table users add column first text default 'f'"])
def test_a_mask_follows_the_schema_as_it_is_now(gateway, target, change):
    """P-08: the schema changes behind the gateway's back between two executions of a prepared statement."""
    target.psql("drop table if exists moving cascade; create table moving(id int, ssn text, name text, age int); "
                "insert into moving values (1, '111-11-1111', 'Ada', 36)", "featurestore")
    with gateway.client("featurestore") as client:
        client.send(parse("select * from moving", "s"), bind(statement="s"), describe(), execute(), SYNC)
        assert b"111-11-1111" not in repr(client.messages()).encode()
        target.psql(change.replace("users", "moving"), "featurestore")
        client.send(bind(statement="s"), execute(), SYNC)
        assert b"111-11-1111" not in repr(client.messages()).encode()
        rows, _ = simple(client, "select ssn from moving")
        assert rows == [[MASKED]]


def test_a_temporary_table_of_the_same_name_does_not_unmask(gateway):
    with gateway.client("featurestore") as client:
        simple(client, "create temp table users(ssn text)")
        simple(client, "insert into users values ('new')")
        rows, _ = simple(client, "select ssn from users")
        assert rows == [[MASKED]]
        rows, _ = simple(client, "select ssn from public.users where id = 1")
        assert rows == [[MASKED]]


def test_psqls_expanded_and_csv_outputs_are_masked(gateway):
    for options in (["-x"], ["--csv"]):
        done = psql(gateway.dsn("featurestore"), "select id, ssn from users where id = 1", options=options)
        assert "[masked]" in done.out and "111-11" not in done.out
