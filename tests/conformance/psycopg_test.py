"""psycopg 3: simple and extended protocol, prepared statements, pipelines, binary results, COPY, cursors, notifications, cancelling."""

import decimal
import threading
import time

import psycopg
import pytest
from psycopg.rows import dict_row

REFUSED = psycopg.errors.InsufficientPrivilege


@pytest.fixture
def connect(gateway):
    opened = []

    def make(**keywords):
        opened.append(psycopg.connect(gateway.dsn("featurestore"), **keywords))
        return opened[-1]

    yield make
    for one in opened:
        one.close()


@pytest.fixture(params=["text", "binary"])
def binary(request):
    return request.param == "binary"


@pytest.mark.parametrize("sslmode", ["disable", "require"])
def test_logging_in(gateway, sslmode):
    with psycopg.connect(gateway.dsn("featurestore", sslmode=sslmode)) as connection:
        assert connection.execute("select 1").fetchone() == (1,)
        assert connection.info.parameter_status("server_version").startswith("15.")


def test_parameters_and_types_round_trip(connect, binary):
    connection = connect()
    with connection.cursor(binary=binary) as cursor:
        cursor.execute("select %s::int, %s::text, %s::numeric, %s::bool, %s::bytea, %s::int[], %s::date, null",
                       (7, "ä'\\x", decimal.Decimal("1.50"), True, b"\0\xff", [1, None, 3], "2024-02-29"))
        row = cursor.fetchone()
    assert row[:6] == (7, "ä'\\x", decimal.Decimal("1.50"), True, b"\0\xff", [1, None, 3])
    assert str(row[6]) == "2024-02-29" and row[7] is None


def test_prepared_statements_are_reused(connect, binary):
    connection = connect(prepare_threshold=1)
    with connection.cursor(binary=binary) as cursor:
        for number in range(1, 21):
            assert cursor.execute("select amount from orders where id = %s", (number,)).fetchone()[0] == number * decimal.Decimal("1.5")


def test_a_simple_query_with_several_statements(connect):
    with connect(autocommit=True).cursor() as cursor:
        cursor.execute("select 1; select 2, 'b'")
        assert cursor.fetchall() == [(1,)]
        assert cursor.nextset() and cursor.fetchall() == [(2, "b")]


@pytest.mark.gateway_only
def test_masked_columns(connect, binary):
    with connect().cursor(binary=binary, row_factory=dict_row) as cursor:
        rows = cursor.execute("select id, email as mail, ssn, age, balance, born from users where id < %s order by id", (10,)).fetchall()
    assert [row["mail"] for row in rows] == ["[masked]", "[masked]", None]
    assert [row["ssn"] for row in rows] == ["[masked]", "[masked]", None]
    assert [row["age"] for row in rows] == [36, 41, None]
    assert not any(row["balance"] in (decimal.Decimal("10.50"), decimal.Decimal("20.25")) for row in rows)
    assert not any(str(row["born"]) in ("1815-12-10", "1980-01-02") for row in rows)


@pytest.mark.gateway_only
def test_a_refusal_is_a_python_error_and_the_connection_lives(connect):
    connection = connect(autocommit=True)
    for keywords in ({"prepare": False}, {"prepare": True}):
        with pytest.raises(REFUSED) as refusal:
            connection.execute("delete from orders where id = %s", (1,), **keywords)
        assert "blocked by policy" in str(refusal.value)
    assert connection.execute("select count(*) from orders").fetchone() == (20,)


@pytest.mark.gateway_only
def test_a_refusal_in_a_transaction_fails_the_transaction(connect):
    connection = connect()
    connection.execute("insert into scratch values (50, 'lost')")
    with pytest.raises(REFUSED):
        connection.execute("truncate orders")
    with pytest.raises(psycopg.errors.InFailedSqlTransaction):
        connection.execute("select 1")
    connection.rollback()
    assert connection.execute("select count(*) from scratch where id = 50").fetchone() == (0,)


@pytest.mark.gateway_only
def test_a_refusal_within_a_savepoint(connect):
    connection = connect()
    with connection.transaction():
        with pytest.raises(REFUSED):
            with connection.transaction():
                connection.execute("drop table orders")
        assert connection.execute("select 1").fetchone() == (1,)


def test_a_pipeline(connect):
    connection = connect(autocommit=True)
    with connection.pipeline():
        cursors = [connection.execute("select %s::int * 2", (number,)) for number in range(300)]
    assert [cursor.fetchone()[0] for cursor in cursors] == [number * 2 for number in range(300)]


@pytest.mark.gateway_only
def test_a_refusal_in_a_pipeline_aborts_the_rest_of_it(connect):
    connection = connect(autocommit=True)
    with pytest.raises(REFUSED):
        with connection.pipeline():
            first = connection.execute("select 1")
            connection.execute("delete from orders where id = %s", (1,))
            connection.execute("select 2")
    assert first.fetchone() == (1,)
    assert connection.execute("select count(*) from orders").fetchone() == (20,)


def test_executemany_of_inserts(connect):
    connection = connect()
    with connection.cursor() as cursor:
        cursor.executemany("insert into scratch values (%s, %s)", [(1000 + i, f"n{i}") for i in range(500)])
        assert cursor.rowcount == 500
        assert cursor.execute("select count(*) from scratch where id between 1000 and 1499").fetchone() == (500,)
    connection.rollback()


def test_copy_in_and_out(connect, binary):
    connection = connect()
    form = "(format binary)" if binary else ""
    with connection.cursor() as cursor:
        with cursor.copy(f"copy scratch from stdin {form}") as copy:
            if binary:
                copy.set_types(["int4", "text"])
            for number in range(2000):
                copy.write_row((5000 + number, f"row {number}" if number % 3 else None))
        with cursor.copy(f"copy (select id, note from scratch where id >= 5000 order by id) to stdout {form}") as copy:
            copy.set_types(["int4", "text"])
            rows = list(copy.rows())
    connection.rollback()
    assert rows == [(5000 + number, f"row {number}" if number % 3 else None) for number in range(2000)]


@pytest.mark.gateway_only
def test_copy_out_of_masked_columns(connect, binary):
    form = "(format binary)" if binary else ""
    with connect().cursor() as cursor, cursor.copy(f"copy users(id, email, ssn, age) to stdout {form}") as copy:
        copy.set_types(["int4", "text", "text", "int4"])
        rows = list(copy.rows())
    assert rows == [(1, "[masked]", "[masked]", 36), (2, "[masked]", "[masked]", 41), (3, None, None, None)]


def test_a_copy_that_the_client_aborts(connect):
    connection = connect(autocommit=True)
    with pytest.raises(psycopg.errors.QueryCanceled):
        with connection.cursor() as cursor, cursor.copy("copy scratch from stdin") as copy:
            copy.write_row((9999, "x"))
            raise ZeroDivisionError
    assert connection.execute("select count(*) from scratch where id = 9999").fetchone() == (0,)


def test_server_side_cursors(connect, binary):
    connection = connect()
    with connection.cursor(name="c1", binary=binary, scrollable=True) as cursor:
        cursor.execute("select id from orders order by id")
        assert cursor.fetchmany(10) == [(i,) for i in range(1, 11)]
        cursor.scroll(15, mode="absolute")
        assert cursor.fetchone() == (16,)


def test_server_side_cursors_over_computed_columns(connect, binary):
    with connect().cursor(name="c3", binary=binary) as cursor:
        cursor.execute("select generate_series(1, 1000)")
        assert cursor.fetchmany(1000) == [(i,) for i in range(1, 1001)]


@pytest.mark.gateway_only
def test_a_server_side_cursor_over_masked_columns(connect, binary):
    with connect().cursor(name="c2", binary=binary) as cursor:
        cursor.execute("select ssn, id from users order by id")
        assert cursor.fetchall() == [("[masked]", 1), ("[masked]", 2), (None, 3)]


def test_listen_and_notify(connect):
    listener, speaker = connect(autocommit=True), connect(autocommit=True)
    listener.execute("listen news")
    speaker.execute("notify news, 'hello'")
    notification = next(iter(listener.notifies()))
    assert (notification.channel, notification.payload) == ("news", "hello")


def test_cancelling(connect):
    connection = connect(autocommit=True)
    timer = threading.Timer(0.3, connection.cancel)
    timer.start()
    start = time.monotonic()
    with pytest.raises(psycopg.errors.QueryCanceled):
        connection.execute("select pg_sleep(20)")
    assert time.monotonic() - start < 5
    assert connection.execute("select 1").fetchone() == (1,)
    timer.join()


def test_notices(connect):
    connection, seen = connect(autocommit=True), []
    connection.add_notice_handler(lambda diagnostic: seen.append(diagnostic.message_primary))
    connection.execute("create table if not exists scratch(id int)")
    assert seen == ['relation "scratch" already exists, skipping']


def test_client_settings_at_login(gateway):
    with psycopg.connect(gateway.dsn("featurestore", application_name="story", client_encoding="utf8")) as connection:
        assert connection.info.encoding == "utf-8"
        assert connection.execute("show application_name").fetchone() == ("story",)
