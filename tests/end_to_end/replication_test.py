"""Replication through a connection that allows it: PostgreSQL's own tools, decided and recorded; refused where masks would be passed by."""

import subprocess

import pytest

from harness.gateway import connection, psql
from harness.processes import POSTGRES_BIN, as_server_user, clean_environment, own_by_server_user, private_directory, remove_directory
from harness.records import replay, replay_events, session_of

pytestmark = pytest.mark.gateway_only

TARGET_SETTINGS = {"wal_level": "logical", "synchronous_commit": "on"}

POLICY = """\
  - name: replicas
    who: {groups: [analysts]}
    connections: [shop, replication]
    access: standing
    rules:
      - {allow: {sql: [read, set, transaction, replication]}}
  - name: readers
    who: {groups: [guests]}
    connections: [shop]
    access: standing
    rules:
      - {allow: {sql: [read, set, transaction]}}
  - name: masked
    who: {groups: [analysts]}
    connections: [masked]
    access: standing
    rules:
      - {allow: {sql: [read, set, transaction, replication]}}
    mask:
      - {columns: [public.people.email], with: redact}
"""


@pytest.fixture(scope="module")
def gateway(serve, target):
    target.database("shop")
    target.psql("create table people(id int primary key, email text)", "shop")
    allowed = "    allow_replication: true\n"
    # Tools of physical replication ask for the database "replication", whatever they are told.
    return serve("".join(connection(name, target.port, "shop", extra=allowed) for name in ("shop", "replication", "masked")), POLICY)


@pytest.fixture
def scratch():
    directory = private_directory("replica")
    own_by_server_user(directory)
    yield directory
    remove_directory(directory)


def tool(gateway, name, *words, database="shop", timeout=60):
    """One of PostgreSQL's tools as alice, through the gateway."""
    environment = clean_environment(PGHOST="127.0.0.1", PGPORT=str(gateway.port), PGUSER="alice", PGPASSWORD="alice-secret",
                                    PGSSLMODE="prefer")
    command = [str(POSTGRES_BIN / name), "--no-password", *([f"--dbname={database}"] if database else []), *map(str, words)]
    return subprocess.run(as_server_user(command), capture_output=True, text=True, env=environment, cwd="/", check=False, timeout=timeout)


def walsender(gateway, database="shop", **keywords):
    return gateway.dsn(database, replication="database", **keywords)


def test_psql_asks_a_walsender_who_it_is(gateway, target):
    done = psql(walsender(gateway), "IDENTIFY_SYSTEM")
    assert done.status == 0, done.err
    system = target.psql("select system_identifier from pg_control_system()")
    assert done.out.split("|")[0] == system and done.out.rstrip().endswith("|shop"), done.out


def test_sql_and_replication_commands_in_one_session(gateway):
    done = psql(walsender(gateway), "select count(*) from people", "show wal_level", "TIMELINE_HISTORY 9", "select 'still here'")
    assert "logical\n" in done.out and done.out.endswith("still here\n"), (done.out, done.err)
    assert "could not open file" in done.err and "sallyport" not in done.err.lower(), done.err


def test_a_logical_stream_both_ways(gateway, target, scratch):
    made = tool(gateway, "pg_recvlogical", "--slot=orders", "--create-slot", "--plugin=test_decoding")
    assert made.returncode == 0, made.stderr
    target.psql("insert into people select i, 'p' || i || '@example.com' from generate_series(1, 2000) i", "shop")
    end = target.psql("select pg_current_wal_lsn()", "shop")
    out = scratch / "changes"
    streamed = tool(gateway, "pg_recvlogical", "--slot=orders", "--start", f"--endpos={end}", f"--file={out}", "--no-loop")
    assert streamed.returncode == 0, streamed.stderr
    assert out.read_text().count("table public.people: INSERT:") == 2000
    # What the client confirmed arrived as well: the slot has moved on.
    assert target.psql(f"select confirmed_flush_lsn >= '{end}' from pg_replication_slots", "shop") == "t"
    dropped = tool(gateway, "pg_recvlogical", "--slot=orders", "--drop-slot")
    assert dropped.returncode == 0, dropped.stderr
    assert target.psql("select count(*) from pg_replication_slots", "shop") == "0"

    session = session_of(gateway, "START_REPLICATION SLOT")
    told = replay_events(gateway, session)
    command = next(one for one in told if "START_REPLICATION" in str(one))
    assert "replication" in str(command), command
    assert "p1999@example.com" in replay(gateway, session)


def test_a_base_backup_with_its_log_streamed(gateway, target, scratch):
    backup = scratch / "backup"
    done = tool(gateway, "pg_basebackup", f"--pgdata={backup}", "--wal-method=stream", "--checkpoint=fast", "--no-sync", database=None)
    assert done.returncode == 0, done.stderr
    verified = subprocess.run(as_server_user([str(POSTGRES_BIN / "pg_verifybackup"), str(backup)]), capture_output=True, text=True,
                              env=clean_environment(), cwd="/", check=False)
    assert verified.returncode == 0 and "backup successfully verified" in verified.stdout, verified.stdout + verified.stderr
    assert session_of(gateway, "BASE_BACKUP")


def test_a_policy_without_the_class_refuses_and_the_session_goes_on(gateway):
    done = psql(walsender(gateway, user="bob"), "IDENTIFY_SYSTEM", "select 'still here'")
    assert "ERROR:  " in done.err and "replication" in done.err, done.err
    assert done.out == "still here\n"


def test_a_backup_onto_the_servers_disk_is_another_class(gateway, target):
    onto = target.root / "stolen"
    done = psql(walsender(gateway), f"BASE_BACKUP (TARGET 'server', TARGET_DETAIL '{onto}')", "select 'still here'")
    assert "ERROR:  " in done.err and "server_file" in done.err, done.err
    assert done.out == "still here\n" and not onto.exists()


def test_masks_refuse_what_would_pass_them_by(gateway, target):
    target.psql("insert into people values (900001, 'hidden@example.com')", "shop")
    done = psql(walsender(gateway, "masked"), "START_REPLICATION 0/1000000", "BASE_BACKUP", "  create_replication_slot s temporary physical",
                "select email from people where id = 900001")
    assert done.err.count("nothing can be masked") == 3, done.err
    assert "hidden@example.com" not in done.out and "hidden" not in done.err, (done.out, done.err)


def test_an_ordinary_session_has_no_replication_commands(gateway):
    done = psql(gateway.dsn("shop"), "IDENTIFY_SYSTEM", "select 'still here'")
    assert "ERROR" in done.err and done.out == "still here\n", (done.out, done.err)
