"""Idle and session limits, cancelling only one's own statement, notifications, and replication refused."""

import signal
import subprocess
import time

import pytest

from harness import featurestore
from harness.gateway import connection
from harness.processes import clean_environment, wait_until
from harness.wire import Closed, cancel, error_fields, query

pytestmark = pytest.mark.gateway_only


@pytest.fixture(scope="module")
def gateway(serve, target):
    featurestore.prepare(target)
    connections = featurestore.front(target) + connection("idle", target.port, "featurestore") + connection(
        "short", target.port, "featurestore")
    policies = featurestore.POLICY
    for name, limits in (("idle", "idle: 1s"), ("short", "session: 2s")):
        policies += f"""\
  - name: {name} sessions
    who: {{groups: [analysts]}}
    connections: [{name}]
    access: standing
    rules:
      - {{allow: {{sql: ["*"]}}}}
    limits: {{{limits}}}
"""
    return serve(connections, policies)


def backends(target):
    return target.psql("select count(*) from pg_stat_activity where datname = 'featurestore' and backend_type = 'client backend' "
                       "and query like '%limits story%'")


def ended(client, within):
    """The last words of a session that the gateway ends: fields of the FATAL error."""
    client.socket.settimeout(within)
    fields = None
    try:
        while True:
            kind, body = client.receive()
            if kind == "E":
                fields = error_fields(body)
    except Closed:
        return fields


# ---- limits

def test_an_idle_session_ends_with_a_clear_error(gateway, target):
    with gateway.client("idle") as client:
        start = time.monotonic()
        client.one("select 1 /* limits story */")
        fields = ended(client, 8)
        assert 0.7 < time.monotonic() - start < 6
        assert fields and fields["S"] == "FATAL" and fields["C"] in ("57P05", "57P01", "08006"), fields
        assert "idle" in fields["M"]
    wait_until(lambda: backends(target) == "0", 5, "the target session's end")


def test_a_session_that_works_is_not_idle(gateway):
    with gateway.client("idle") as client:
        for _ in range(8):
            assert client.one("select pg_sleep(0.3)") == ""
        assert client.one("select pg_sleep(2)") == ""
        assert client.alive()


def test_a_session_ends_at_its_limit_even_when_it_works(gateway, target):
    with gateway.client("short") as client:
        start = time.monotonic()
        client.send(query("select pg_sleep(20) /* limits story */"))
        fields = ended(client, 10)
        assert 1.5 < time.monotonic() - start < 8
        assert fields and fields["S"] == "FATAL" and fields["C"][:2] in ("57", "08"), fields
    wait_until(lambda: backends(target) == "0", 10, "the target session's end")


def test_other_connections_have_no_such_limit(gateway):
    with gateway.client("featurestore") as client:
        assert client.one("select pg_sleep(3)") == ""
        assert client.alive()


# ---- cancelling

@pytest.mark.parametrize("tls", [False, True])
def test_a_cancel_request_ends_its_own_statement_within_a_second(gateway, tls):
    """P-14"""
    with gateway.client("featurestore", tls=tls) as own, gateway.client("featurestore") as other:
        own.send(query("select pg_sleep(15)"))
        other.send(query("select pg_sleep(2)"))
        time.sleep(0.3)
        start = time.monotonic()
        cancel(gateway.address, own.key, tls)
        assert own.signature() == "T E57014 ZI"
        assert time.monotonic() - start < 1.5
        assert other.signature() == "T D C:SELECT 1 ZI"
        assert own.alive()


def test_the_key_is_the_gateways_own(gateway, target):
    """P-14: the target's pid and key stay inside, so the target cannot be asked behind the gateway's back."""
    with gateway.client("featurestore") as client:
        client.send(query("select pg_sleep(2)"))
        cancel(target.address, client.key)
        assert client.signature() == "T D C:SELECT 1 ZI"


def test_a_key_of_an_ended_session_cancels_nothing(gateway):
    with gateway.client("featurestore") as old:
        key = old.key
    with gateway.client("featurestore") as client:
        client.send(query("select pg_sleep(1)"))
        cancel(gateway.address, key)
        assert client.signature() == "T D C:SELECT 1 ZI"


def test_keys_are_not_guessable_from_one_another(gateway):
    keys = []
    for _ in range(20):
        with gateway.client("featurestore") as client:
            keys.append(client.key)
    assert len({key[4:] for key in keys}) == 20


def test_a_cancel_while_nothing_runs_hurts_nothing(gateway):
    with gateway.client("featurestore") as client:
        cancel(gateway.address, client.key)
        time.sleep(0.2)
        assert client.one("select 1") in ("1", "E57014")
        assert client.alive()


@pytest.mark.parametrize("sslmode", ["disable", "require"])
def test_control_c_in_psql(gateway, target, sslmode):
    psql = subprocess.Popen(["psql", "-X", "-A", "-t", "-d", gateway.dsn("featurestore", sslmode=sslmode), "-c",
                             "select pg_sleep(15) /* control c */", "-c", "select 'after'"],
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=clean_environment())
    try:
        wait_until(lambda: target.psql("select count(*) from pg_stat_activity where state = 'active' "
                                       "and query like '%control c%' and pid <> pg_backend_pid()") == "1",
                   10, "the statement at the target")
        start = time.monotonic()
        psql.send_signal(signal.SIGINT)
        _, err = psql.communicate(timeout=10)
        assert "canceling statement due to user request" in err, err
        assert time.monotonic() - start < 3
    finally:
        psql.kill()


# ---- notifications and replication

def test_a_notification_reaches_an_idle_listener(gateway, target):
    with gateway.client("featurestore") as listener:
        listener.one("listen channel_one")
        target.psql("notify channel_one, 'from outside'", "featurestore")
        kind, body = listener.receive()
        assert kind == "A" and body[4:] == b"channel_one\0from outside\0"
        assert listener.alive()


def test_notifications_stay_in_order_and_none_is_lost(gateway):
    with gateway.client("featurestore") as listener, gateway.client("featurestore") as speaker:
        listener.one("listen numbers")
        for number in range(300):
            speaker.send(query(f"notify numbers, '{number}'"))
        speaker.messages(300)
        heard = [listener.receive()[1][4:].split(b"\0")[1].decode() for _ in range(300)]
        assert heard == [str(number) for number in range(300)]


@pytest.mark.parametrize("value", ["true", "on", "yes", "1", "database"])
def test_replication_is_refused_with_a_clear_error(gateway, value):
    with pytest.raises(Closed) as refusal:
        gateway.client("featurestore", extra=(("replication", value),))
    fields = refusal.value.fields
    assert fields["S"] == "FATAL" and fields["C"] in ("42501", "0A000", "28000") and "replication" in fields["M"], fields


@pytest.mark.parametrize("value", ["false", "off", "no", "0"])
def test_a_client_that_asks_for_no_replication_is_let_in(gateway, value):
    with gateway.client("featurestore", extra=(("replication", value),)) as client:
        assert client.alive()


def test_a_base_backup_tool_is_refused(gateway, tmp_path):
    done = subprocess.run(["/usr/lib/postgresql/15/bin/pg_receivewal", "-D", str(tmp_path), "--no-loop", "-w", "-d",
                           gateway.dsn("featurestore")], capture_output=True, text=True, timeout=30, env=clean_environment(), check=False)
    assert done.returncode != 0 and "replication" in done.stderr, done.stderr
