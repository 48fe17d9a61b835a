"""Hostile and broken targets: the session ends, memory stays bounded, no unmasked byte comes out, the password goes only where it may.

The identifiers P-… are those of docs/threat-model.md."""

import struct
import time

import pytest

from harness import featurestore
from harness.gateway import connection
from harness.scripted import MisbehavingProxy, ScriptedLogin, authentication, read_exactly, read_startup
from harness.wire import Closed, error_fields, message, query, text

pytestmark = pytest.mark.gateway_only

SECRET = b"999-99-9999"
PASSWORD = "target-superuser-secret"
MIB = 1024


def column(name, table=0, attribute=0, kind=25):
    return text(name) + struct.pack("!IhIhih", table, attribute, kind, -1, -1, 0)


def description(*columns):
    return message(b"T", struct.pack("!H", len(columns)), *columns)


def row(*values, count=None):
    out = struct.pack("!H", len(values) if count is None else count)
    for value in values:
        out += struct.pack("!i", len(value)) + value
    return message(b"D", out)


DONE = message(b"C", text("SELECT 1")) + message(b"Z", b"I")
users_oid = 0


def ssn():
    return column("ssn", users_oid, 4)


ANSWERS = {
    "more fields than columns": lambda: [description(ssn()), row(b"x", SECRET), DONE],
    "fewer fields than columns": lambda: [description(column("id"), ssn()), row(SECRET), DONE],
    "a field count beyond the message": lambda: [description(ssn()), row(SECRET, count=60000), DONE],
    "a negative length": lambda: [description(ssn()), message(b"D", struct.pack("!Hi", 1, -2), SECRET), DONE],
    "a length beyond the message": lambda: [description(ssn()), message(b"D", struct.pack("!Hi", 1, 1000), SECRET), DONE],
    "bytes behind the last field": lambda: [description(ssn()), message(b"D", struct.pack("!Hi", 1, 1), b"x", SECRET), DONE],
    "a row nobody announced": lambda: [row(SECRET), DONE],
    "copy data nobody announced": lambda: [message(b"d", SECRET + b"\n"), DONE],
    "a description cut short": lambda: [message(b"T", struct.pack("!H", 3), ssn()), row(SECRET), DONE],
    "a description without terminator": lambda: [message(b"T", struct.pack("!H", 1), b"ssn"), row(SECRET), DONE],
    "a frame of 4 GiB": lambda: [description(ssn()), b"D" + struct.pack("!I", 0xFFFFFFFF) + SECRET * 1000],
    "a frame with a negative length": lambda: [description(ssn()), b"D" + struct.pack("!i", -5) + SECRET * 10],
    "a frame of length 3": lambda: [b"D\0\0\0\3" + SECRET * 10],
    "an unknown message": lambda: [message(b"y", SECRET), DONE],
    "a password request after login": lambda: [authentication(3), DONE],
    "a SCRAM request after login": lambda: [authentication(10, text("SCRAM-SHA-256"), b"\0"), DONE],
    "an error without SQLSTATE": lambda: [message(b"E", b"SERROR\0Mno code\0\0"), message(b"Z", b"I")],
    "an error without fields": lambda: [message(b"E", b"\0"), message(b"Z", b"I")],
    "an error without terminator": lambda: [message(b"E", b"Mabc"), message(b"Z", b"I")],
    "a transaction state that does not exist": lambda: [message(b"C", text("SELECT 0")), message(b"Z", b"Q")],
    "an empty ready": lambda: [message(b"C", text("SELECT 0")), message(b"Z")],
    "two readies": lambda: [DONE, message(b"Z", b"I")],
    "copy in out of the blue": lambda: [message(b"G", b"\0\0\1\0\0"), DONE],
    "copy both out of the blue": lambda: [message(b"W", b"\0\0\0"), message(b"d", SECRET), DONE],
    "a short key": lambda: [message(b"K", b"\0"), DONE],
    "a long key": lambda: [message(b"K", b"k" * 300), DONE],
    "a parameter without terminator": lambda: [message(b"S", b"server_version"), DONE],
    "a notification cut short": lambda: [message(b"A", b"\0\0"), DONE],
}

FLOODS = {
    "parameters": lambda: [message(b"S", text("p%d" % i), text("v" * 200)) * 100 for i in range(5000)] + [DONE],
    "keys": lambda: [message(b"K", b"12345678") * 1000] * 500 + [DONE],
    "notices": lambda: [message(b"N", b"SNOTICE\0C00000\0Mspam\0\0") * 1000] * 500 + [DONE],
    "notifications": lambda: [message(b"A", b"\0\0\0\1chan\0payload\0") * 1000] * 500 + [DONE],
    "descriptions": lambda: [description(ssn()) * 1000] * 300 + [DONE],
}


def scripted_logins():
    """Name, script, and whether the gateway may answer with a password message at all."""
    def asks_cleartext(server, connection):
        read_startup(connection)
        connection.sendall(authentication(3))
        server.read_password(connection)

    def asks_md5(server, connection):
        read_startup(connection)
        connection.sendall(authentication(5, b"salt"))
        server.read_password(connection)

    def asks_plain_sasl(server, connection):
        read_startup(connection)
        connection.sendall(authentication(10, text("PLAIN"), b"\0"))
        server.read_password(connection)

    def many_iterations(server, connection):
        read_startup(connection)
        server.scram(connection, iterations=2000000000)

    def huge_nonce(server, connection):
        read_startup(connection)
        server.scram(connection, change_first=lambda first: first.replace(b",s=", b"x" * 5000000 + b",s="))

    def foreign_nonce(server, connection):
        read_startup(connection)
        server.scram(connection, change_first=lambda first: b"r=AAAABBBBCCCC" + first[first.index(b",s="):])

    def wrong_signature(server, connection):
        read_startup(connection)
        server.scram(connection, change_final=lambda final: b"v=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=")
        server.wait_for_close(connection)

    def skips_the_proof(server, connection):
        read_startup(connection)
        connection.sendall(authentication(10, text("SCRAM-SHA-256"), b"\0"))
        server.read_password(connection)
        connection.sendall(authentication(0) + message(b"K", b"12345678") + message(b"Z", b"I"))
        server.wait_for_close(connection)

    def flood_of_keys(server, connection):
        read_startup(connection)
        server.scram(connection)
        for _ in range(1000):
            connection.sendall(message(b"K", b"12345678") * 1000)

    def flood_of_parameters(server, connection):
        read_startup(connection)
        server.scram(connection)
        for number in range(3000):
            connection.sendall(b"".join(message(b"S", text(f"p{number}-{i}"), text("v" * 100)) for i in range(300)))

    def huge_message(server, connection):
        read_startup(connection)
        connection.sendall(b"R" + struct.pack("!I", 0x7FFFFFFF) + b"\0\0\0\12")
        server.wait_for_close(connection)

    def garbage(server, connection):
        read_startup(connection)
        connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    def hangs_up(server, connection):
        read_startup(connection)

    def bare_error(server, connection):
        read_startup(connection)
        connection.sendall(message(b"E", b"\0"))

    return [value for name, value in sorted(locals().items())]


SCRIPTS = {script.__name__: script for script in scripted_logins()}


def stuffs_bytes_behind_its_ssl_answer(server, connection):
    read_exactly(connection, 8)
    connection.sendall(b"S" + authentication(0) + message(b"Z", b"I"))
    server.received.append(connection.recv(65536))
    server.wait_for_close(connection)


def has_no_tls(server, connection):
    read_exactly(connection, 8)
    connection.sendall(b"N")
    server.received.append(connection.recv(65536))


@pytest.fixture(scope="module")
def scripted():
    servers = {name: ScriptedLogin(script) for name, script in SCRIPTS.items()}
    servers["stuffing"] = ScriptedLogin(stuffs_bytes_behind_its_ssl_answer)
    servers["no_tls"] = ScriptedLogin(has_no_tls)
    yield servers
    for server in servers.values():
        server.close()


@pytest.fixture(scope="module")
def gateway(serve, target, scripted):
    global users_oid
    featurestore.prepare(target)
    users_oid = int(target.psql("select 'users'::regclass::oid", "featurestore"))
    proxy = MisbehavingProxy(target.address, {**ANSWERS, **FLOODS})
    connections = connection("featurestore", proxy.port, "featurestore") + connection("honest", target.port, "featurestore")
    names = ["honest"]
    for name, server in scripted.items():
        tls = "tls: require" if name in ("stuffing", "no_tls") else "tls: disable"
        connections += connection(name, server.port, "x", password=PASSWORD, target=tls)
        names.append(name)
    policies = featurestore.POLICY + f"""\
  - name: the rest
    who: {{groups: [analysts]}}
    connections: [{", ".join(names)}]
    access: standing
    rules:
      - {{allow: {{sql: ["*"]}}}}
"""
    yield serve(connections, policies)
    proxy.close()


@pytest.fixture(autouse=True)
def others_are_unaffected(gateway):
    yield
    assert gateway.process.poll() is None, gateway.log_text()[-3000:]
    with gateway.client("honest") as client:
        assert client.alive()


def everything(client, seconds=8):
    """All bytes the client is sent until the close, or until silence."""
    out, client.buffer = client.buffer, b""
    client.socket.settimeout(0.7)
    end = time.monotonic() + seconds
    try:
        while time.monotonic() < end:
            data = client.socket.recv(1 << 20)
            if not data:
                break
            out = (out + data)[-(4 << 20):]
    except OSError:
        pass
    return out


@pytest.mark.parametrize("name", ANSWERS)
def test_no_unmasked_byte_comes_out_whatever_the_target_says(gateway, name):
    """P-06"""
    with gateway.client("featurestore") as client:
        client.send(query(f"select ssn from users /*hostile:{name}*/"))
        seen = everything(client, 4)
        assert SECRET not in seen, seen
        assert PASSWORD.encode() not in seen


@pytest.mark.parametrize("name", FLOODS)
def test_a_flood_from_the_target_is_bounded(gateway, name):
    """P-06: the client does not read while the target floods."""
    before = gateway.memory_kib()
    with gateway.client("featurestore") as client:
        client.send(query(f"select ssn from users /*hostile:{name}*/"))
        time.sleep(1.0)
        assert gateway.memory_kib() - before < 48 * MIB
        everything(client, 10)
    assert gateway.memory_kib() - before < 48 * MIB


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_hostile_login_is_one_clear_error(gateway, scripted, name):
    """P-06, P-12"""
    before = gateway.memory_kib()
    start = time.monotonic()
    with pytest.raises(Closed) as refusal:
        gateway.client(name, limit=40)
    fields = refusal.value.fields
    assert fields.get("S") == "FATAL" and fields["C"][:2] in ("08", "28", "57", "58", "XX"), fields
    assert PASSWORD not in str(fields)
    assert time.monotonic() - start < 35
    assert gateway.memory_kib() - before < 48 * MIB


@pytest.mark.parametrize("name", ["asks_cleartext", "asks_md5", "asks_plain_sasl"])
def test_the_stored_password_is_never_given_in_a_weaker_way(gateway, scripted, name):
    """P-12"""
    with pytest.raises(Closed):
        gateway.client(name)
    assert not [one for one in scripted[name].received if PASSWORD.encode() in one or b"md5" in one]


def test_without_tls_nothing_is_said_to_a_target_that_must_have_it(gateway, scripted):
    """P-12: there is no mode that prefers TLS and goes on without it."""
    with pytest.raises(Closed) as refusal:
        gateway.client("no_tls")
    assert refusal.value.fields["C"][:2] in ("08", "28"), refusal.value.fields
    assert all(not one for one in scripted["no_tls"].received), scripted["no_tls"].received


def test_bytes_behind_the_targets_ssl_answer_end_the_login(gateway, scripted):
    """P-01, on the target's side"""
    with pytest.raises(Closed):
        gateway.client("stuffing")
    assert not [one for one in scripted["stuffing"].received if PASSWORD.encode() in one]


def test_an_error_without_sqlstate_still_reaches_the_client_as_an_error(gateway):
    with gateway.client("featurestore") as client:
        client.send(query("select 1 /*hostile:an error without SQLSTATE*/"))
        kind, body = client.receive()
        assert kind == "E" and error_fields(body), body
