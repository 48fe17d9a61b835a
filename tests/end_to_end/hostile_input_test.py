"""Hostile clients: the gateway stays up, other sessions notice nothing, and memory stays within its bound.

The identifiers P-… are those of docs/threat-model.md."""

import os
import random
import socket
import ssl
import struct
import time

import pytest

from harness import featurestore
from harness.processes import wait_until
from harness.scram import ClientExchange
from harness.wire import (
    GSS_REQUEST,
    SSL_REQUEST,
    SYNC,
    Client,
    Closed,
    bind,
    cancel,
    closes_within,
    error_fields,
    execute,
    message,
    parse,
    query,
    startup_packet,
    text,
    trusting_tls,
)

MIB = 1024

pytestmark = pytest.mark.gateway_only


@pytest.fixture(scope="module")
def gateway(serve, target):
    featurestore.prepare(target)
    return serve(featurestore.front(target), featurestore.POLICY)


@pytest.fixture(autouse=True)
def others_are_unaffected(gateway):
    """A session that was there before works after, a new one can be made, and the process is the same and alive."""
    with gateway.client("featurestore") as old:
        assert old.alive()
        yield
        assert gateway.process.poll() is None, gateway.log_text()[-3000:]
        assert old.alive()
        with gateway.client("featurestore") as new:
            assert new.alive()


def raw(gateway):
    return Client(gateway.address, raw=True)


def answered(connection, seconds=5):
    """Everything the peer sends until it closes or falls silent."""
    connection.settimeout(seconds)
    out = b""
    try:
        while True:
            data = connection.recv(65536)
            if not data:
                return out + b"<closed>"
            out += data
    except socket.timeout:
        return out
    except OSError:
        return out + b"<closed>"


# ---- before login

@pytest.mark.parametrize("packet", [
    b"\0\0\0\0", b"\0\0\0\3", b"\0\0\0\4", b"\0\0\0\7\0\0\0", b"\x7f\xff\xff\xff\0\3\0\0", b"\xff\xff\xff\xff\0\3\0\0",
    b"\x80\0\0\0\0\3\0\0", struct.pack("!II", 8, 0), struct.pack("!II", 8, 3 << 16), struct.pack("!II", 9, 3 << 16) + b"\0",
    struct.pack("!II", 13, 3 << 16) + b"user\0", struct.pack("!II", 12, 3 << 16) + b"user", b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
    b"SSH-2.0-OpenSSH_9.2\r\n", random.Random(5).randbytes(4096), struct.pack("!II", 12, 80877102) + b"1234",
    struct.pack("!II", 300, 80877102) + b"k" * 292])
def test_a_malformed_first_packet_ends_the_connection(gateway, packet):
    """P-05"""
    with raw(gateway) as client:
        client.send(packet)
        try:
            client.socket.shutdown(socket.SHUT_WR)
        except OSError:
            pass
        seen = answered(client.socket)
        assert seen.endswith(b"<closed>"), seen
        assert b"R\0\0\0" not in seen, "an authentication request for a malformed packet"


@pytest.mark.parametrize("kind", [bytes([code]) for code in range(1, 256)])
def test_no_message_before_login_gets_more_than_a_refusal(gateway, kind):
    if kind == b"p":
        return
    with raw(gateway) as client:
        client.send(startup_packet("alice", "featurestore"))
        assert client.receive()[0] == "R"
        client.send(message(kind, b"select 1\0"))
        seen = answered(client.socket)
        assert seen.endswith(b"<closed>"), seen
        assert b"Z\0\0\0\5" not in seen and b"T\0" not in seen, seen


def test_bytes_behind_an_ssl_request_never_reach_the_parser(gateway):
    """P-01"""
    with raw(gateway) as client:
        client.send(SSL_REQUEST, startup_packet("alice", "featurestore"), query("select 1"))
        seen = answered(client.socket)
        assert seen.endswith(b"<closed>") and b"R\0\0\0" not in seen, seen


def test_bytes_behind_an_ssl_request_do_not_enter_the_encrypted_session(gateway):
    """P-01: whatever is stuffed before the handshake must break it, not be answered after it."""
    with raw(gateway) as client:
        client.send(SSL_REQUEST, query("select 1"))
        answer = client.socket.recv(1)
        if answer == b"S":
            with pytest.raises((OSError, ssl.SSLError)):
                client.socket = trusting_tls().wrap_socket(client.socket)


def test_ssl_and_gss_requests_are_answered_once_each(gateway):
    """P-02"""
    for requests in ([SSL_REQUEST, SSL_REQUEST], [GSS_REQUEST, GSS_REQUEST]):
        with raw(gateway) as client:
            client.send(requests[0])
            first = client.socket.recv(1)
            if first == b"S":
                continue  # what follows is the handshake; a second request is no handshake
            client.send(requests[1])
            assert answered(client.socket).endswith(b"<closed>")


def test_a_flood_of_alternating_requests_is_cut_off_at_once(gateway):
    """P-02"""
    before = gateway.memory_kib()
    with raw(gateway) as client:
        try:
            client.send((GSS_REQUEST + SSL_REQUEST) * 100000)
        except OSError:
            pass
        assert answered(client.socket).endswith(b"<closed>")
    assert gateway.memory_kib() - before < 8 * MIB


@pytest.mark.parametrize("request_code", [SSL_REQUEST, GSS_REQUEST])
def test_no_encryption_request_inside_tls(gateway, request_code):
    """P-02"""
    with raw(gateway) as client:
        client.start_tls()
        client.send(request_code)
        seen = answered(client.socket)
        assert seen[:1] not in (b"S", b"N", b"G"), seen
        assert seen.endswith(b"<closed>"), seen


def test_a_broken_tls_handshake_ends_the_connection(gateway):
    with raw(gateway) as client:
        client.send(SSL_REQUEST)
        assert client.socket.recv(1) == b"S"
        client.send(b"\x16\x03\x01" + random.Random(6).randbytes(400))
        assert answered(client.socket).endswith(b"<closed>")


@pytest.mark.parametrize("extra", [
    (("replication", "true"),), (("replication", "database"),), (("options", "-c session_authorization=bob"),),
    (("options", "-c role=bob"),), (("session_authorization", "postgres"),), (("role", "postgres"),),
    (("options", "-c standard_conforming_strings=off"),), (("standard_conforming_strings", "off"),),
    (("client_encoding", "SJIS"),), (("client_encoding", "GBK"),), (("options", "-c client_encoding=BIG5"),)])
def test_dangerous_startup_parameters_are_refused_or_without_effect(gateway, extra):
    """P-03, P-11"""
    try:
        client = gateway.client("featurestore", extra=extra)
    except Closed as refusal:
        assert refusal.fields.get("S") == "FATAL" and refusal.fields.get("M"), refusal.fields
        return
    with client:
        assert client.one("select current_user") == "postgres"
        assert client.one("show standard_conforming_strings") == "on"
        assert client.one("show client_encoding") == "UTF8"
        client.send(query("IDENTIFY_SYSTEM"))
        assert client.signature().startswith("E")


def test_an_empty_user_is_refused(gateway):
    """P-03"""
    with pytest.raises(Closed) as refusal:
        Client(gateway.address, user="", database="featurestore")
    assert refusal.value.fields["C"] in ("28000", "28P01"), refusal.value.fields


def test_without_a_database_the_connection_is_the_user_name(gateway):
    """P-03: as with PostgreSQL, and decided before the policy looks."""
    with pytest.raises(Closed) as refusal:
        gateway.client(None)
    assert refusal.value.fields["C"] == "3D000", refusal.value.fields


@pytest.mark.parametrize("name", ["FeatureStore", "featurestore ", "FEATURESTORE", "featurestore' or '1'='1", "f" * 5000])
def test_a_connection_name_is_taken_literally(gateway, name):
    """P-03"""
    with pytest.raises(Closed) as refusal:
        gateway.client(name)
    assert refusal.value.fields["C"] == "3D000", refusal.value.fields


def scram_messages():
    """P-07: client messages that are nearly SCRAM."""
    generator = random.Random(7)
    good = ClientExchange("alice-secret").first()
    yield from [b"", b"n", b"n,,", b"n,,n=,r=", b"y,,n=,r=abc", b"p=tls-unique,,n=,r=abc", b"n,a=root,n=,r=abc",
                b"n,,m=ext,n=,r=abc", b"n,,n=alice,r=a,b", b"n,,n==3D,r=abc", b"\xff\xfe", b"n,,n=,r=" + b"x" * 70000,
                b"n,,n=,r=a\0b", b"n,,r=abc,n="]
    for _ in range(60):
        broken = bytearray(good)
        for _ in range(generator.randrange(1, 4)):
            broken[generator.randrange(len(broken))] = generator.randrange(256)
        yield bytes(broken[:generator.randrange(1, len(broken) + 1)])


def test_broken_scram_messages_end_in_a_refusal(gateway):
    """P-07"""
    for first in scram_messages():
        with raw(gateway) as client:
            client.send(startup_packet("alice", "featurestore"))
            assert client.receive()[0] == "R"
            client.send(message(b"p", text("SCRAM-SHA-256"), struct.pack("!I", len(first)), first))
            seen = b""
            try:
                kind, body = client.receive()
                if kind == "R":  # still a possible first message; the proof cannot be right
                    client.send(message(b"p", b"c=biws,r=" + body[6:40] + b",p=AAAA"))
                    kind, body = client.receive()
                seen = kind.encode() + body
            except (Closed, OSError):
                pass
            assert seen[:1] in (b"", b"E"), (first, seen)


@pytest.mark.parametrize("length", [0, 0xFFFFFFFF, 0x7FFFFFFF, 5])
def test_a_lying_length_inside_the_scram_message_ends_in_a_refusal(gateway, length):
    with raw(gateway) as client:
        client.send(startup_packet("alice", "featurestore"))
        client.receive()
        client.send(message(b"p", text("SCRAM-SHA-256"), struct.pack("!I", length), b"n,,n=,r=abcdef"))
        seen = answered(client.socket)
        assert b"Z\0\0\0\5" not in seen and seen.endswith(b"<closed>"), seen


# ---- after login

@pytest.mark.parametrize("length", [0, 1, 3, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF])
@pytest.mark.parametrize("kind", [b"Q", b"P", b"B", b"E", b"D", b"C", b"S", b"H", b"d", b"F"])
def test_a_bad_length_ends_the_session_without_memory(gateway, kind, length):
    """P-05"""
    before = gateway.memory_kib()
    with gateway.client("featurestore") as client:
        try:
            client.send(kind + struct.pack("!I", length) + b"x" * 100000)
            client.socket.shutdown(socket.SHUT_WR)
        except OSError:
            pass
        assert answered(client.socket).endswith(b"<closed>")
    assert gateway.memory_kib() - before < 16 * MIB


def test_a_frame_of_4_gib_is_never_buffered(gateway):
    """P-05: announces the largest Bind there is and sends the first 300 MB of it."""
    before = gateway.memory_kib()
    with gateway.client("featurestore") as client:
        client.send(parse("select length($1::text)"))
        block = b"x" * (1 << 20)
        try:
            client.send(b"B" + struct.pack("!I", 0xFFFFFFFF) + text("") + text("") + struct.pack("!HHi", 0, 1, 0x7FFFFFF0))
            for _ in range(300):
                client.send(block)
        except OSError:
            pass
        assert gateway.memory_kib() - before < 64 * MIB
        assert closes_within(client.socket, 10)


@pytest.mark.parametrize("body", [
    b"", b"\0", b"\0\0", b"\0\0\0\1", b"\0\0\xff\xff", b"\0\0\0\0\xff\xff", b"\0\0\0\0\0\1\x7f\xff\xff\xff",
    b"\0\0\0\0\0\1\xff\xff\xff\xfe", b"\0\0\0\0\0\1\0\0\0\5abc", b"\0\0\0\0\0\0\xff\xff", b"no-terminator"])
def test_a_malformed_bind_is_an_error_and_nothing_else(gateway, body):
    with gateway.client("featurestore") as client:
        client.send(parse("select $1::text"), message(b"B", body), SYNC)
        seen = client.signature(quiet=2)
        assert "E" in seen and " D " not in seen, seen


@pytest.mark.parametrize("kind", [b"P", b"D", b"C", b"E", b"F", b"Q", b"f", b"p", b"R", b"T", b"Z", b"W", b"v", b"\0", b"\xff"])
def test_random_bodies_never_hurt_anyone_else(gateway, kind):
    generator = random.Random(kind[0])
    for _ in range(12):
        with gateway.client("featurestore") as client:
            try:
                client.send(message(kind, generator.randbytes(generator.randrange(0, 200))), SYNC)
                client.signature(quiet=0.2)
            except OSError:
                pass


def test_random_streams_never_hurt_anyone_else(gateway):
    generator = random.Random(1)
    pieces = [query("select 1"), parse("select $1::int"), bind([b"1"]), execute(), SYNC, query("begin"), message(b"d", b"1\n"),
              message(b"c"), message(b"f", b"x\0"), message(b"H"), query("copy scratch from stdin"), query("drop table users")]
    for _ in range(40):
        stream = bytearray(b"".join(generator.choice(pieces) for _ in range(20)))
        for _ in range(generator.randrange(3)):
            stream[generator.randrange(len(stream))] ^= 1 << generator.randrange(8)
        with gateway.client("featurestore") as client:
            try:
                client.send(bytes(stream))
                client.signature(99, quiet=0.1)
            except (OSError, struct.error):
                pass


def test_an_encoding_that_hides_a_quote_is_refused(gateway, target):
    """P-11"""
    with gateway.client("featurestore") as client:
        for setting in ("set client_encoding = 'SJIS'", "set names 'BIG5'", "select set_config('client_encoding', 'GBK', false)",
                        "set standard_conforming_strings = off",
                        "select set_config('standard_conforming_strings', 'off', false)"):
            client.send(query(setting))
            if client.signature().startswith("E"):
                continue
            client.send(query("select 1"))
            assert client.signature().startswith("E"), f"a text is read after {setting}"
            break
    assert target.psql("select count(*) from users", "featurestore") == "3"


@pytest.mark.parametrize("sql", [b"select '\xff'", b"select '\xc0\xaf'", b"select '\xed\xa0\x80'", b"select '\x80'"])
def test_bytes_that_are_no_utf8_are_refused(gateway, sql):
    """P-11"""
    with gateway.client("featurestore") as client:
        client.send(query(sql))
        assert client.signature().startswith("E")
        assert client.alive()


@pytest.mark.parametrize("sql", ["select $$ $1 $$, $1::text", "select '$1', /* $1 */ $1::text -- $1", 'select 1 as "$1", $1::text'])
def test_what_looks_like_a_placeholder_in_quotes_is_none(gateway, sql):
    """P-15"""
    with gateway.client("featurestore") as client:
        client.send(parse(sql), bind([b"'; drop table users; --"]), execute(), SYNC)
        assert client.signature() == "1 2 D C:SELECT 1 ZI"


@pytest.mark.parametrize("sql", [
    "select " + "(" * 20000 + "1" + ")" * 20000, "select 1" + "+1" * 50000, "select 1" + " union select 1" * 5000,
    "select " + "-" * 1 + "- x\n" * 50000 + "1", "select " + "array[" * 5000 + "1" + "]" * 5000,
    "select " + "not " * 100000 + "true", "select " + "case when true then " * 3000 + "1" + " end" * 3000])
def test_statements_of_any_depth_are_survived(gateway, sql):
    with gateway.client("featurestore") as client:
        client.socket.settimeout(30)
        client.send(query(sql))
        assert client.signature().endswith("ZI")
        assert client.alive()


# ---- many connections

def test_half_open_startups_do_not_keep_others_out(gateway):
    """500 peers that say nothing, or half a packet, or stop in the middle of SCRAM or TLS."""
    before, stuck = gateway.memory_kib(), []
    try:
        for number in range(500):
            client = raw(gateway)
            stuck.append(client)
            if number % 5 == 1:
                client.send(b"\0\0")
            elif number % 5 == 2:
                client.send(startup_packet("alice", "featurestore")[:20])
            elif number % 5 == 3:
                client.send(startup_packet("alice", "featurestore"))
            elif number % 5 == 4:
                client.send(SSL_REQUEST)
        slowest = 0.0
        for _ in range(10):
            start = time.monotonic()
            with gateway.client("featurestore") as client:
                assert client.alive()
            slowest = max(slowest, time.monotonic() - start)
        assert slowest < 2.0
        assert gateway.memory_kib() - before < 64 * MIB
    finally:
        for client in stuck:
            client.close()


def test_a_flood_of_cancel_requests_harms_nobody(gateway):
    """P-14"""
    before = gateway.memory_kib()
    with gateway.client("featurestore") as victim:
        victim.send(query("select pg_sleep(2)"))
        for _ in range(400):
            cancel(gateway.address, os.urandom(8))
        for guess in range(100):
            cancel(gateway.address, victim.key[:4] + struct.pack("!I", guess))
        assert victim.signature() == "T D C:SELECT 1 ZI"
    assert gateway.memory_kib() - before < 16 * MIB


def test_five_hundred_logins_and_disconnects_leave_nothing_behind(gateway, target):
    for _ in range(50):
        gateway.client("featurestore").close()
    before = gateway.memory_kib()
    for number in range(450):
        client = gateway.client("featurestore")
        if number % 2:
            client.send(query("select repeat('x', 100000)"))
        client.close()
    wait_until(lambda: int(target.psql("select count(*) from pg_stat_activity where datname = 'featurestore' "
                                       "and backend_type = 'client backend'")) <= 6, 15, "the end of the abandoned sessions")
    assert gateway.memory_kib() - before < 32 * MIB


@pytest.mark.parametrize("sql", [
    "select repeat('x', 1000) from generate_series(1, 3000000)", "select u.* from users u, generate_series(1, 3000000)",
    "copy (select repeat('x', 1000) from generate_series(1, 3000000)) to stdout"])
def test_a_client_that_does_not_read_costs_no_memory(gateway, sql):
    """The target is slowed down instead: by TCP, all the way."""
    before = gateway.memory_kib()
    with gateway.client("featurestore") as client:
        client.send(query(sql))
        highest = 0
        for _ in range(15):
            time.sleep(0.1)
            highest = max(highest, gateway.memory_kib())
        assert highest - before < 16 * MIB
        cancel(gateway.address, client.key)


def test_a_target_that_does_not_read_costs_no_memory(gateway, target):
    """A COPY waits for a lock on the target while the client sends 300 MB."""
    before = gateway.memory_kib()
    with gateway.client("featurestore") as holder, gateway.client("featurestore", limit=2) as client:
        holder.send(query("begin; lock table scratch in access exclusive mode"))
        holder.signature()
        client.send(query("copy scratch from stdin"))
        data = message(b"d", b"1\tx\n" * 10000)
        try:
            for _ in range(6000):
                client.send(data)
        except OSError:
            pass
        assert gateway.memory_kib() - before < 16 * MIB
        holder.send(query("rollback"))
        holder.signature()


def test_error_fields_of_refusals_carry_no_secret(gateway):
    with gateway.client("featurestore") as client:
        client.send(query("drop table users"))
        fields = error_fields(client.messages()[0][1])
        assert "target-superuser-secret" not in str(fields) and "SCRAM" not in str(fields)
