"""pg_dump through the gateway, under a policy for reading: the same dump as directly, with masks over the masked columns.

pg_dump locks every table it dumps, as a SELECT does (LOCK TABLE ... IN ACCESS SHARE MODE): that is reading, stronger locks are not."""

import re
import subprocess

import pytest

from harness import shop
from harness.processes import POSTGRES_BIN, clean_environment, private_directory, remove_directory

pytestmark = pytest.mark.gateway_only


@pytest.fixture(scope="module")
def gateway(serve, target):
    return shop.start(serve, target)


@pytest.fixture
def work():
    directory = private_directory("dump")
    yield directory
    remove_directory(directory)


def run(program, *words):
    return subprocess.run([POSTGRES_BIN / program, *map(str, words)], capture_output=True, check=False, timeout=120,
                          env=clean_environment())


def text_of(data):
    """A dump as text, without the random key of its \\restrict line."""
    return re.sub(r"(?m)^\\(un)?restrict \w+$", r"\\\1restrict KEY", data.decode())


def dump(dsn, *options):
    """The dump, and behind it what was warned of."""
    done = run("pg_dump", "-d", dsn, *options)
    assert done.returncode == 0, done.stderr.decode()
    return text_of(done.stdout) + done.stderr.decode()


def roads(gateway, target):
    return shop.direct(target), gateway.dsn(shop.DATABASE, "reader", sslmode="disable")


PLAIN = {
    "schema only": ["--schema-only"], "schema, to be created anew": ["-s", "--clean", "--if-exists", "--create"],
    "without owners": ["-s", "-O", "-x", "--no-comments", "--no-publications", "--no-subscriptions", "--no-tablespaces"],
    "before the data": ["--section=pre-data"], "after the data": ["--section=post-data"], "one schema": ["-s", "-n", "stock"],
    "all but one schema": ["-s", "-N", "stock"], "one table": ["--table=products"],
    "tables by pattern": ["-t", "order*", "-t", "stock.sh*"],
    "data of unmasked tables": ["--data-only", "-t", "products", "-t", "orders*", "-t", "order_lines", "-t", "stock.shelves"],
    "an extension": ["-s", "-e", "hstore"], "quoted": ["-s", "--quote-all-identifiers"],
    "no data of some": ["--exclude-table-data=customers", "--exclude-table-data=payments", "--exclude-table-data=stock.people"],
    "inserts of an unmasked table": ["--inserts", "-t", "products"], "with settings of its own": ["-s", "--lock-wait-timeout=5000",
                                                                                                 "--extra-float-digits=1"],
    "deferrable": ["--serializable-deferrable", "-t", "products"],
    "rows under row security": ["--enable-row-security", "-t", "payments", "-s"],
}


@pytest.mark.parametrize("what", PLAIN)
def test_what_is_not_masked_is_the_same_byte_by_byte(gateway, target, what):
    direct, through = (dump(dsn, *PLAIN[what]) for dsn in roads(gateway, target))
    assert through == direct
    assert "PostgreSQL database dump complete" in through


@pytest.mark.parametrize("options", [[], ["--inserts"], ["--column-inserts", "--rows-per-insert=2"], ["-a", "-t", "customers"],
                                     ["-t", "payments", "-t", "stock.people"],
                                     ["--strict-names", "-t", "customers", "--rows-per-insert=100"]],
                         ids=" ".join)
def test_masked_columns_are_masked_and_all_else_is_the_same(gateway, target, options):
    direct, through = (dump(dsn, *options) for dsn in roads(gateway, target))
    assert through == shop.masked(direct)
    assert through != direct


FORMATS = {"custom": ["-Fc"], "tar": ["-Ft"], "directory": ["-Fd", "-Z", "0"], "directory by two at a time": ["-Fd", "-j2"]}


def archive(dsn, file, options):
    done = run("pg_dump", "-d", dsn, "-f", file, *options)
    assert done.returncode == 0 and not done.stderr, done.stderr.decode()
    return file


@pytest.mark.parametrize("kind", FORMATS)
def test_an_archive_holds_the_same(gateway, target, work, kind):
    told = []
    for dsn, name in zip(roads(gateway, target), ("direct", "through")):
        done = run("pg_restore", "-f", "-", archive(dsn, work / name, FORMATS[kind]))
        assert done.returncode == 0, done.stderr.decode()
        told.append(text_of(done.stdout))
    assert told[1] == shop.masked(told[0])


UNMASKED = ["products", "orders", "order_lines", "stock.shelves", "stock.truck", '"Odd Schema"."Odd Table"', "monthly"]


@pytest.mark.parametrize("kind", ["custom", "directory by two at a time"])
def test_an_archive_restores(gateway, target, work, kind):
    file = archive(roads(gateway, target)[1], work / "archive", FORMATS[kind])
    target.database("restored")
    try:
        done = run("pg_restore", "-j2", "-d", shop.direct(target, "restored"), file)
        assert done.returncode == 0, done.stderr.decode()
        for table in UNMASKED:
            rows = f"select t::text from {table} t order by 1"
            assert target.psql(rows, "restored") == target.psql(rows, shop.DATABASE)
        rows = "select id, name, email, ssn, feels, tags from customers order by id"
        assert target.psql(rows, "restored") == shop.masked(target.psql(rows, shop.DATABASE))
        assert target.psql("select card from payments order by id", "restored").split() == ["************1111", "************5559"]
        ticket = "select last_value, is_called from stock.ticket"
        assert target.psql(ticket, "restored") == target.psql(ticket, shop.DATABASE)
    finally:
        target.psql("alter subscription news set (slot_name = none)", "restored")
        target.psql("drop subscription news", "restored")
        target.psql("drop database restored")


def test_large_objects_are_dumped_without_what_is_in_them(gateway, target):
    """pg_dump reads them by FunctionCall messages, which name functions by OID. With masks in force nobody knows what they hold."""
    target.psql("select lo_from_bytea(4711, decode(repeat('00ff41', 100000), 'hex'))", shop.DATABASE)
    try:
        direct, through = (dump(dsn, "--blobs", "-t", "products") for dsn in roads(gateway, target))
        assert through == re.sub(r"SELECT pg_catalog\.lowrite\(0, '[^']*'\);\n", "", direct)
        assert "lowrite" in direct
    finally:
        target.psql("select lo_unlink(4711)", shop.DATABASE)


def test_pg_dumpall_dumps_roles_and_databases(gateway, target):
    told = []
    for dsn in roads(gateway, target):
        done = run("pg_dumpall", "--globals-only", "--no-role-passwords", "-d", dsn, "-l", shop.DATABASE)
        assert done.returncode == 0, done.stderr.decode()
        told.append(text_of(done.stdout))
    assert told[1] == told[0]
    assert "CREATE ROLE shop_clerk" in told[0]


@pytest.mark.parametrize("mode", ["row share", "share", "exclusive", "access exclusive"])
def test_stronger_locks_than_a_dump_takes_are_no_reading(gateway, mode):
    with gateway.client(shop.DATABASE, "reader") as client:
        client.one("begin")
        assert client.one(f"lock table public.products in {mode} mode nowait") == "E42501"


@pytest.mark.parametrize("snapshot", ["serializable", "repeatable read"])
def test_sessions_share_a_snapshot(gateway, snapshot):
    """As the workers of a parallel dump do."""
    with gateway.client(shop.DATABASE, "reader") as leader, gateway.client(shop.DATABASE, "reader") as worker:
        for client in (leader, worker):
            client.one(f"begin isolation level {snapshot} read only")
        name = leader.one("select pg_catalog.pg_export_snapshot()")
        worker.one(f"set transaction snapshot '{name}'")
        worker.one("lock table public.products in access share mode nowait")
        assert worker.one("select count(*) from products") == "3"
