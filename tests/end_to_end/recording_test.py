"""What was asked and shown is in the store within a second or so, masked, with its verdict, and can be listed and replayed."""

import hashlib
import json
import time

import pytest

from harness import featurestore
from harness.gateway import connection, psql
from harness.records import replay, replay_events, session_of, sessions
from harness.processes import wait_until
from harness.wire import Closed, SYNC, bind, execute, message, parse, query

pytestmark = pytest.mark.gateway_only

SECRETS = ["111-11-1111", "ada@example.com", "4111111111111111", "alice-secret", "target-superuser-secret"]


@pytest.fixture(scope="module")
def gateway(serve, target):
    featurestore.prepare(target)
    unmasked = """\
  - name: unmasked
    who: {groups: [analysts]}
    connections: [unmasked]
    access: standing
    rules:
      - {allow: {sql: [read, copy_out]}}
"""
    return serve(featurestore.front(target) + connection("unmasked", target.port, "featurestore"), featurestore.POLICY + unmasked)


@pytest.fixture(scope="module")
def told(gateway):
    """A session with one of everything."""
    with gateway.client("featurestore", extra=(("application_name", "story"),)) as client:
        client.one("select 'story-marker', id, ssn, name from users where id = 1")
        client.one("drop table users")
        client.one("select 1/0")
        client.send(parse("select $1::int + 1, $2::text"), bind([b"41", b"a parameter"]), execute(), SYNC)
        client.signature()
        client.send(query("copy scratch from stdin"), message(b"d", b"801\tcopied in\n"), message(b"c"))
        client.signature()
        client.send(query("copy (select id, ssn from users where id = 2) to stdout"))
        client.signature()
        client.one("update ranking_scores set score = 5 where id = 1")
        client.send(message(b"X"))
    return session_of(gateway, "story-marker")


def test_the_session_is_listed_with_who_what_and_how_much(told):
    assert told["user"] == "alice" and told["connection"] == "featurestore" and told["protocol"] == "postgres"
    assert told["status"] == "closed"
    assert told["commands"] == 7, told
    assert told["denied"] >= 1 and told["denied"] + told.get("held", 0) == 2, told


def test_the_list_can_be_filtered(gateway, told):
    assert told["id"] in [one["id"] for one in sessions(gateway, "--user", "alice")]
    assert sessions(gateway, "--user", "nobody") == []
    assert told["id"] in [one["id"] for one in sessions(gateway, "--connection", "featurestore")]


def test_the_list_for_people_names_the_session(gateway, told):
    text = gateway.run("sessions").stdout
    assert told["id"] in text and "alice" in text and "featurestore" in text
    columns = text.splitlines()[0].split()
    row = next(line for line in text.splitlines() if told["id"] in line).split("  ")
    row = [word for word in row if word]
    for column in ("COMMANDS", "DENIED", "HELD", "ROWS", "MASKED"):
        key = {"MASKED": "masked_values"}.get(column, column.lower())
        assert int(row[columns.index(column)]) == told[key], (column, text)


def test_the_replay_tells_statements_verdicts_parameters_and_masked_rows(gateway, told):
    text = replay(gateway, told, "text")
    for part in ("story-marker", "[masked]", "Ada", "drop table users", "denied", "analysts read features#2",
                 "blocked by policy \"analysts read features\": destructive statements go through a migration",
                 "division by zero", "a parameter", "copy scratch from stdin", "update ranking_scores"):
        assert part in text, (part, text)


def test_the_replay_as_json_is_one_object_a_command_in_order(gateway, told):
    events = replay_events(gateway, told)
    text = [json.dumps(event) for event in events]
    order = [next(number for number, one in enumerate(text) if part in one)
             for part in ("story-marker", "drop table users", "select 1/0", "a parameter", "copy scratch", "update ranking_scores")]
    assert order == sorted(order)
    assert any("[masked]" in one for one in text)


def test_the_replay_as_sql_can_be_read_by_psql(gateway, target, told):
    script = replay(gateway, told, "sql")
    assert "story-marker" in script and "drop table users" in script
    live = [line for line in script.splitlines() if line.strip() and not line.lstrip().startswith("--")]
    assert not any("drop table users" in line for line in live), "a refused statement would run"


@pytest.mark.parametrize("form", ["text", "json", "sql"])
def test_no_secret_is_in_any_form(gateway, told, form):
    text = replay(gateway, told, form)
    assert not [secret for secret in SECRETS if secret in text]


def test_no_secret_is_in_the_gateways_log(gateway, told):
    assert not [secret for secret in SECRETS if secret in gateway.log_text()]


def test_no_secret_is_in_the_journal(gateway, told):
    for file in gateway.state_dir.rglob("*"):
        if file.is_file() and "journal" in str(file.relative_to(gateway.state_dir)):
            data = file.read_bytes()
            assert not [secret for secret in SECRETS if secret.encode() in data], file


def test_an_open_session_is_in_the_store_within_a_second_or_two(gateway):
    with gateway.client("featurestore") as client:
        client.one("select 'still-open-marker'")
        start = time.monotonic()
        one = session_of(gateway, "still-open-marker", closed=False)
        assert one["status"] == "open"
        assert time.monotonic() - start < 5


def test_a_refused_login_is_logged_without_its_password(gateway):
    with pytest.raises(Closed):
        gateway.client("featurestore", password="wrong-password-canary")
    wait_until(lambda: "reason=\"SCRAM" in gateway.log_text(), 5, "the log line")
    assert 'event=login_ended user="alice" connection="featurestore" reason="SCRAM' in gateway.log_text()
    assert "wrong-password-canary" not in gateway.log_text()


def test_rows_and_masked_values_are_counted(gateway):
    with gateway.client("featurestore") as client:
        client.one("select ssn, email from users /* counted-marker */")
    one = session_of(gateway, "counted-marker")
    assert one["rows"] == 3 and one["masked_values"] == 4, one


def test_a_large_result_is_recorded_up_to_a_cap_with_counts_and_a_digest(gateway):
    with gateway.client("featurestore") as client:
        client.send(query("select repeat('z', 1000) /* large-marker */ from generate_series(1, 60000)"))
        assert sum(kind == "D" for kind, _ in client.messages()) == 60000
    one = session_of(gateway, "large-marker", seconds=40)
    assert one["rows"] == 60000 and one["bytes"] > 60000000, one


def test_a_result_that_passes_unchanged_is_recorded_to_its_last_byte(gateway):
    """Messages that reach the gateway in pieces, rows and COPY data of every size, to a client that reads by and by."""
    words = "repeat(md5(i::text), 1 + i % 12)"
    rows = "(select i, %s from generate_series(1, 3000) i)" % words
    one = "select string_agg(md5(i::text), '') from generate_series(1, 20000) i"
    sizes = []
    with gateway.client("unmasked", limit=60) as client:
        for statement in (f"select 'every-byte', r.* from {rows} r", one, f"copy {rows} to stdout", f"copy ({one}) to stdout"):
            client.send(query(statement))
            time.sleep(0.2)  # a slow reader: the gateway meets a full socket
            sizes.append(sum(len(body) + 5 for _, body in client.messages()))
        client.send(message(b"X"))
    session = session_of(gateway, "every-byte")
    events = replay_events(gateway, session)
    assert [event["bytes"] for event in events if event.get("code") == "z"] == sizes
    assert not [event for event in events if event.get("code") == "m"], "bytes that were not understood"
    told = replay(gateway, session)
    many = [hashlib.md5(str(i).encode()).hexdigest() * (1 + i % 12) for i in range(1, 3001)]
    whole = "".join(hashlib.md5(str(i).encode()).hexdigest() for i in range(1, 20001))
    assert all(told.count(f'"{one}"') == 1 for one in many), "rows"
    assert all(told.count(f"\\t{one}\\n") == 1 for one in many), "COPY rows"
    assert told.count(whole) == 2, "one large value, as a row and in a COPY"


def test_words_that_answer_no_command_are_recorded(gateway, target):
    """An error of a Parse that was never run, and the goodbye of a session ended from outside."""
    for name in ("featurestore", "unmasked"):
        with gateway.client(name) as client:
            client.send(query("select 'words-marker'"))
            client.signature()
            client.send(parse("select nowhere_to_be_found"), SYNC)
            assert "42703" in client.signature()
            backend = "select pg_terminate_backend(pid) from pg_stat_activity where query = 'select nowhere_to_be_found'"
            assert target.psql(backend, "featurestore") == "t"
            assert "57P01" in client.signature()
        told = replay(gateway, session_of(gateway, "words-marker"), "text")
        assert told.count("ERROR") == 1 and told.count("FATAL") == 1 and "57P01" in told, told
        if name == "unmasked":
            assert "nowhere_to_be_found" in told, told


def test_a_statement_text_of_a_megabyte_is_recorded(gateway):
    with gateway.client("featurestore") as client:
        assert client.one("select length('" + "q" * 1000000 + "') /* megabyte-marker */") == "1000000"
    session_of(gateway, "megabyte-marker", seconds=30)


def test_hostile_text_is_inert_in_the_replay(gateway):
    """E-06: control sequences are shown, not sent to the terminal."""
    with gateway.client("featurestore") as client:
        client.one("select 'hostile-marker', E'\\x1b]52;c;AAAA\\x07\\x1b[2J'")
        client.one("select '\x1b]0;title\x07' as \"\x1b[31mred\"")
    text = replay(gateway, session_of(gateway, "hostile-marker"), "text")
    assert "\x1b" not in text and "\x07" not in text


def test_unknown_sessions_are_a_clear_error(gateway):
    done = gateway.run("replay", "01890000-0000-7000-8000-000000000000", check=False)
    assert done.returncode == 1 and "session" in done.stderr.lower()
    done = gateway.run("replay", "not-an-id", check=False)
    assert done.returncode in (1, 2) and done.stderr


def test_a_restart_keeps_the_records(gateway):
    done = psql(gateway.dsn("featurestore"), "select 'before-restart-marker'")
    assert done.status == 0
    session_of(gateway, "before-restart-marker")
    assert gateway.stop() == 0
    gateway.start()
    session_of(gateway, "before-restart-marker")
