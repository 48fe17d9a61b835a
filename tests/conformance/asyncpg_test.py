"""asyncpg: always extended protocol and binary results; prepared statements, COPY, cursors, listening, cancelling by timeout."""

import asyncio
import csv
import datetime
import decimal

import asyncpg
import pytest

REFUSED = asyncpg.InsufficientPrivilegeError


def story(function):
    """A test from a coroutine that takes a fresh connection."""

    def run(gateway):
        async def with_connection():
            connection = await connect(gateway)
            try:
                await function(connection, gateway)
            finally:
                await connection.close(timeout=5)

        asyncio.run(with_connection())

    run.__name__, run.__doc__ = function.__name__, function.__doc__
    run.pytestmark = getattr(function, "pytestmark", [])
    return run


def connect(gateway, **keywords):
    keywords.setdefault("ssl", False)
    return asyncpg.connect(host="127.0.0.1", port=gateway.port, user="alice", password=gateway.users["alice"].password,
                           database="featurestore", timeout=15, **keywords)


@story
async def test_types_round_trip_in_binary(connection, _):
    row = await connection.fetchrow(
        "select $1::int, $2::text, $3::numeric, $4::bytea, $5::timestamptz, $6::int[], $7::float8, $8::text",
        7, "ä", decimal.Decimal("1.50"), b"\0\xff", datetime.datetime(2024, 2, 29, tzinfo=datetime.timezone.utc), [1, 2], 0.5, None)
    assert tuple(row) == (7, "ä", decimal.Decimal("1.50"), b"\0\xff",
                          datetime.datetime(2024, 2, 29, tzinfo=datetime.timezone.utc), [1, 2], 0.5, None)


def test_logging_in_over_tls(gateway):
    async def run():
        connection = await connect(gateway, ssl="require")
        assert await connection.fetchval("select 1") == 1
        await connection.close()

    asyncio.run(run())


@story
async def test_prepared_statements(connection, _):
    statement = await connection.prepare("select amount from orders where id = $1")
    assert [await statement.fetchval(i) for i in (1, 2, 3)] == [decimal.Decimal("1.5"), decimal.Decimal("3.0"), decimal.Decimal("4.5")]
    assert [one.name for one in statement.get_attributes()] == ["amount"]


@pytest.mark.gateway_only
@story
async def test_masked_columns_in_binary(connection, _):
    rows = await connection.fetch("select id, email, ssn, age, balance, born from users order by id")
    assert [(row["id"], row["email"], row["ssn"], row["age"]) for row in rows] == [
        (1, "[masked]", "[masked]", 36), (2, "[masked]", "[masked]", 41), (3, None, None, None)]
    assert not any(row["balance"] in (decimal.Decimal("10.50"), decimal.Decimal("20.25")) for row in rows)
    assert not any(row["born"] in (datetime.date(1815, 12, 10), datetime.date(1980, 1, 2)) for row in rows)


@pytest.mark.gateway_only
@story
async def test_a_refusal_leaves_the_connection_usable(connection, _):
    for _ in range(3):
        with pytest.raises(REFUSED, match="blocked by policy"):
            await connection.fetch("delete from orders where id = $1", 1)
        with pytest.raises(REFUSED, match="blocked by policy"):
            await connection.execute("drop table orders")
        assert await connection.fetchval("select count(*) from orders") == 20


@pytest.mark.gateway_only
@story
async def test_a_refusal_in_a_transaction(connection, _):
    with pytest.raises(REFUSED):
        async with connection.transaction():
            await connection.execute("insert into scratch values (60, 'lost')")
            await connection.execute("truncate orders")
    assert await connection.fetchval("select count(*) from scratch where id = 60") == 0


@story
async def test_nested_transactions(connection, _):
    async with connection.transaction():
        with pytest.raises(asyncpg.DivisionByZeroError):
            async with connection.transaction():
                await connection.fetchval("select 1/0")
        assert await connection.fetchval("select 1") == 1


@story
async def test_executemany(connection, _):
    transaction = connection.transaction()
    await transaction.start()
    await connection.executemany("insert into scratch values ($1, $2)", [(7000 + i, f"n{i}") for i in range(3000)])
    assert await connection.fetchval("select count(*) from scratch where id >= 7000 and id < 10000") == 3000
    await transaction.rollback()


@story
async def test_cursors(connection, _):
    async with connection.transaction():
        assert [row[0] async for row in connection.cursor("select generate_series(1, $1::int)", 500, prefetch=7)] == list(range(1, 501))
        cursor = await connection.cursor("select generate_series(1, 100)")
        assert [row[0] for row in await cursor.fetch(10)] == list(range(1, 11))
        await cursor.forward(20)
        assert (await cursor.fetchrow())[0] == 31


@pytest.mark.gateway_only
@story
async def test_a_cursor_over_masked_columns(connection, _):
    async with connection.transaction():
        rows = [tuple(row) async for row in connection.cursor("select ssn, id from users order by id", prefetch=1)]
    assert rows == [("[masked]", 1), ("[masked]", 2), (None, 3)]


@story
async def test_copy_both_ways(connection, _):
    transaction = connection.transaction()
    await transaction.start()
    records = [(20000 + i, None if i % 5 == 0 else f"row {i}") for i in range(5000)]
    assert await connection.copy_records_to_table("scratch", records=records) == "COPY 5000"
    out = bytearray()

    async def collect(data):
        out.extend(data)

    await connection.copy_from_query("select id, note from scratch where id >= 20000 order by id", output=collect, format="csv")
    assert out.decode().splitlines() == [f"{key},{note or ''}" for key, note in records]
    await transaction.rollback()


@pytest.mark.gateway_only
@story
async def test_copy_out_of_masked_columns(connection, _):
    out = bytearray()

    async def collect(data):
        out.extend(data)

    await connection.copy_from_table("users", output=collect, columns=["id", "ssn", "age"], format="csv")
    assert list(csv.reader(out.decode().splitlines())) == [["1", "[masked]", "36"], ["2", "[masked]", "41"], ["3", "", ""]]


@story
async def test_listening(connection, gateway):
    heard = asyncio.Queue()
    await connection.add_listener("news", lambda _connection, _pid, channel, payload: heard.put_nowait((channel, payload)))
    other = await connect(gateway)
    await other.execute("notify news, 'hello'")
    assert await asyncio.wait_for(heard.get(), 5) == ("news", "hello")
    await other.close()


@story
async def test_a_timeout_cancels_the_statement(connection, _):
    with pytest.raises(asyncio.TimeoutError):
        await connection.fetchval("select pg_sleep(20)", timeout=0.3)
    assert await connection.fetchval("select 1", timeout=5) == 1


@story
async def test_many_at_once(_, gateway):
    async def one(number):
        connection = await connect(gateway)
        total = [await connection.fetchval("select $1::int + $2::int", number, i) for i in range(20)]
        await connection.close()
        return sum(total)

    results = await asyncio.gather(*[one(number) for number in range(25)])
    assert results == [number * 20 + 190 for number in range(25)]
