"""Both logins: how clients prove who they are to the gateway, and how the gateway proves itself to targets of every kind."""

import os
import subprocess

import pytest

from harness import featurestore
from harness.cluster import SUPERUSER_PASSWORD, Cluster
from harness.gateway import ALICE, User, connection, psql
from harness.processes import own_by_server_user
from harness.wire import Client, Closed, message, startup_packet, text

pytestmark = pytest.mark.gateway_only

TOKEN = "spt_0123456789abcdef0123456789abcdef"
CAROL = User("carol", "", ("analysts",), token=TOKEN)
HBA = """\
local all all trust
hostssl all tls_only 127.0.0.1/32 scram-sha-256
hostssl all by_certificate 127.0.0.1/32 cert
host all by_md5 127.0.0.1/32 md5
host all by_cleartext 127.0.0.1/32 password
host all by_trust 127.0.0.1/32 trust
hostssl all postgres 127.0.0.1/32 scram-sha-256
hostnossl all postgres 127.0.0.1/32 scram-sha-256
"""


def openssl(*words):
    subprocess.run(["openssl", *(str(word) for word in words)], check=True, capture_output=True)


def make_client_certificate(directory, authority, authority_key, name):
    key, request, certificate = (directory / f"{name}.{suffix}" for suffix in ("key", "csr", "crt"))
    openssl("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj", f"/CN={name}",
            "-keyout", key, "-out", request)
    openssl("x509", "-req", "-in", request, "-CA", authority, "-CAkey", authority_key, "-CAcreateserial", "-days", "30", "-out",
            certificate)
    key.chmod(0o600)
    return certificate, key


@pytest.fixture(scope="module")
def target():
    """A target with TLS and a user for each way of logging in."""
    cluster = Cluster(tls=True, hba=HBA.splitlines())
    authority, key = cluster.root / "authority.crt", cluster.root / "authority.key"
    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "30", "-subj",
            "/CN=client authority", "-keyout", key, "-out", authority)
    own_by_server_user(authority)
    cluster.settings["ssl_ca_file"] = str(authority)
    cluster.client_certificate = make_client_certificate(cluster.root, authority, key, "by_certificate")
    try:
        cluster.start()
        featurestore.prepare(cluster)
        for name in ("tls_only", "by_certificate", "by_cleartext", "by_trust"):
            cluster.role(name, SUPERUSER_PASSWORD)
        cluster.psql(f"set password_encryption = 'md5'; create role by_md5 login password '{SUPERUSER_PASSWORD}'")
        yield cluster
    finally:
        cluster.remove()


@pytest.fixture(scope="module")
def gateway(serve, target):
    certificate, key = target.client_certificate
    trusted = f"ca: {target.certificate}"
    foreign = target.root / "authority.crt"

    def to(name, user="postgres", how="tls: disable", host="127.0.0.1"):
        return connection(name, target.port, "featurestore", user=user, target=how).replace("host: 127.0.0.1", f"host: {host}")

    connections = (
        to("plain") + to("require", how="tls: require") + to("verify_ca", how=f"tls: verify-ca, {trusted}")
        + to("verify_full", how=f"tls: verify-full, {trusted}", host="localhost")
        + to("verify_full_by_address", how=f"tls: verify-full, {trusted}")
        + to("wrong_name", how=f"tls: verify-full, {trusted}", host="127.0.0.2")
        + to("wrong_authority", how=f"tls: verify-ca, ca: {foreign}")
        + to("system_authorities", how="tls: verify-full")
        + to("tls_only", "tls_only", "tls: require") + to("tls_only_in_the_clear", "tls_only")
        + to("by_certificate", "by_certificate", f"tls: verify-ca, {trusted}, certificate: {certificate}, key: {key}")
        + to("by_certificate_without", "by_certificate", f"tls: verify-ca, {trusted}")
        + to("md5_allowed", "by_md5", "tls: disable, weak_authentication: [md5]") + to("md5", "by_md5")
        + to("cleartext_allowed", "by_cleartext", "tls: require, weak_authentication: [cleartext]") + to("cleartext", "by_cleartext")
        + to("trust", "by_trust"))
    policies = """\
  - name: everything read
    who: {groups: [analysts]}
    connections: ["*"]
    access: standing
    rules:
      - {allow: {sql: [read]}}
"""
    return serve(connections, policies, users=(ALICE, CAROL))


def attempt(gateway, name, **keywords):
    """The target's user, or the refusal's fields."""
    try:
        with gateway.client(name, **keywords) as client:
            return client.one("select current_user")
    except Closed as refusal:
        return refusal.fields


# ---- the gateway to its targets

@pytest.mark.parametrize("name, user", [
    ("plain", "postgres"), ("require", "postgres"), ("verify_ca", "postgres"), ("verify_full", "postgres"),
    ("verify_full_by_address", "postgres"), ("tls_only", "tls_only"), ("by_certificate", "by_certificate"), ("md5_allowed", "by_md5"),
    ("cleartext_allowed", "by_cleartext"), ("trust", "by_trust")])
def test_the_gateway_logs_in(gateway, name, user):
    assert attempt(gateway, name) == user


@pytest.mark.parametrize("name", ["wrong_name", "wrong_authority", "system_authorities", "tls_only_in_the_clear", "by_certificate_without",
                                  "md5", "cleartext"])
def test_the_gateway_refuses_to_log_in(gateway, name):
    fields = attempt(gateway, name)
    assert isinstance(fields, dict) and fields["S"] == "FATAL" and fields["C"][:2] in ("08", "28"), fields
    assert SUPERUSER_PASSWORD not in str(fields)


def test_target_connections_are_encrypted_where_the_configuration_says_so(gateway):
    for name, used in (("plain", "f"), ("require", "t"), ("verify_full", "t")):
        with gateway.client(name) as client:
            assert client.one("select ssl from pg_stat_ssl where pid = pg_backend_pid()") == used


def test_the_targets_own_log_names_the_session(gateway):
    """So that the target's log and the gateway's records can be laid side by side."""
    with gateway.client("plain") as client:
        assert client.one("select application_name from pg_stat_activity where pid = pg_backend_pid()") is not None


# ---- clients to the gateway

def test_a_token_is_a_password_over_tls(gateway):
    dsn = f"host=127.0.0.1 port={gateway.port} user=carol password={TOKEN} dbname=plain"
    done = psql(dsn + " sslmode=require", "select 1")
    assert (done.status, done.out) == (0, "1\n"), done.err
    assert psql(dsn.replace(TOKEN, "wrong") + " sslmode=require", "select 1").status != 0


def test_without_tls_a_token_is_not_even_asked_for(gateway):
    with Client(gateway.address, raw=True) as client:
        client.send(startup_packet("carol", "plain"))
        kind, body = client.receive()
        assert not (kind == "R" and body[:4] == b"\0\0\0\3"), "a token is asked for in the clear"
    done = psql(f"host=127.0.0.1 port={gateway.port} user=carol password={TOKEN} dbname=plain sslmode=disable", "select 1")
    assert done.status != 0 and "Traceback" not in done.err


def test_a_cleartext_password_that_nobody_asked_for_is_refused(gateway):
    with Client(gateway.address, raw=True) as client:
        client.send(startup_packet("alice", "plain"))
        client.receive()
        client.send(message(b"p", text("alice-secret")))
        kind, _ = client.receive()
        assert kind == "E"


def test_a_client_certificate_of_the_gateways_authority_logs_in(gateway, tmp_path):
    keys = [file for file in gateway.state_dir.rglob("*.key") if "ca" in file.name]
    assert keys, list(gateway.state_dir.iterdir())
    certificate, key = make_client_certificate(tmp_path, gateway.state_dir / "ca.crt", keys[0], "alice")
    dsn = f"host=127.0.0.1 port={gateway.port} user=alice dbname=plain sslmode=require sslcert={certificate} sslkey={key}"
    done = psql(dsn, "select current_user", options=["-w"])
    assert (done.status, done.out) == (0, "postgres\n"), done.err
    other = psql(dsn.replace("user=alice", "user=carol"), "select 1", options=["-w"])
    assert other.status != 0, "alice's certificate logs carol in"


def test_a_client_certificate_of_another_authority_does_not(gateway, target, tmp_path):
    certificate, key = make_client_certificate(tmp_path, target.root / "authority.crt", target.root / "authority.key", "alice")
    dsn = f"host=127.0.0.1 port={gateway.port} user=alice dbname=plain sslmode=require sslcert={certificate} sslkey={key}"
    assert psql(dsn, "select 1", options=["-w"]).status != 0


def test_private_files_are_private(gateway):
    assert oct(os.stat(gateway.state_dir).st_mode & 0o777) == "0o700"
    for file in gateway.state_dir.rglob("*.key"):
        assert os.stat(file).st_mode & 0o077 == 0, file
