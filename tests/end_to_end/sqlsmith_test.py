"""sqlsmith's random statements through the gateway: it neither ends nor shows a planted value, whatever they are.

All bytes on their way to sqlsmith pass a small proxy of the story's own that keeps them: what is judged is what left the gateway."""

import datetime
import os
import shutil
import socket
import subprocess
import threading

import pytest

from harness import featurestore
from harness.planted import Planted, date_secret, numeric_secret, text_secret
from harness.processes import clean_environment

pytestmark = pytest.mark.gateway_only

QUERIES = int(os.environ.get("SALLYPORT_SQLSMITH_QUERIES", "250"))
SEEDS = [4711, 815] + ([int(os.environ["SALLYPORT_SEED"])] if os.environ.get("SALLYPORT_SEED") else [])
PLANTED = Planted([
    text_secret("731-46-9258"), text_secret("846-25-9317"), text_secret("ada.lovelace@secret.example", "ada.lovelace"),
    text_secret("bob.kahn@secret.example", "bob.kahn"), text_secret("4556737586899855", "455673758689"),
    text_secret("5425233430109903", "542523343010"), numeric_secret("8675309.4217"), numeric_secret("7712345.8896"),
    date_secret(datetime.date(1815, 12, 10)), date_secret(datetime.date(1938, 12, 23))])
# Two rows of whatever it joins, and no statement of minutes.
CHANGES = """
UPDATE users SET ssn = '731-46-9258', email = 'ada.lovelace@secret.example', balance = 8675309.4217, born = '1815-12-10' WHERE id = 1;
UPDATE users SET ssn = '846-25-9317', email = 'bob.kahn@secret.example', balance = 7712345.8896, born = '1938-12-23' WHERE id = 2;
UPDATE cards SET pan = CASE id WHEN 1 THEN '4556737586899855' ELSE '5425233430109903' END;
CREATE VIEW owners AS SELECT u.ssn AS number, c.pan, u.name FROM users u LEFT JOIN cards c ON c.user_id = u.id;
CREATE MATERIALIZED VIEW kept AS SELECT id, ssn AS number, email FROM users;
CREATE FUNCTION ssn_of(int) RETURNS text LANGUAGE sql STABLE AS 'SELECT ssn FROM users WHERE id = $1';
CREATE FUNCTION everybody() RETURNS SETOF users LANGUAGE sql STABLE AS 'SELECT * FROM users';
ALTER DATABASE featurestore SET statement_timeout = '2s';
ANALYZE;
"""
POLICY = featurestore.POLICY.replace(
    "[read, set, transaction, listen, lock, insert, update, copy_in, copy_out, execute, create]",
    "[read, set, transaction, lock, insert, update, delete, update_all, delete_all, merge, execute]").replace(
    "[drop, truncate, delete, opaque]", "[drop, truncate, opaque]")


class Listening:
    """A proxy in front of an address that keeps every byte it passes to its clients."""

    def __init__(self, address):
        self.address, self.kept, self.threads = address, [], []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.accepting = threading.Thread(target=self._accept, daemon=True)
        self.accepting.start()

    def _accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            server, bytes_kept = socket.create_connection(self.address), bytearray()
            self.kept.append(bytes_kept)
            for source, sink, kept in ((client, server, None), (server, client, bytes_kept)):
                thread = threading.Thread(target=self._pass, args=(source, sink, kept), daemon=True)
                thread.start()
                self.threads.append(thread)

    @staticmethod
    def _pass(source, sink, kept):
        try:
            while data := source.recv(65536):
                if kept is not None:
                    kept += data
                sink.sendall(data)
        except OSError:
            pass
        finally:
            try:
                sink.shutdown(socket.SHUT_WR)
            except OSError:
                pass

    def close(self):
        """Ends the listener and waits for what is still on its way."""
        self.listener.close()
        for thread in self.threads:
            thread.join(5)


def messages(data):
    """The messages in the bytes of one session."""
    out, at = [], 0
    while at + 5 <= len(data):
        size = int.from_bytes(data[at + 1:at + 5], "big") + 1
        out.append((chr(data[at]), bytes(data[at + 5:at + size])))
        at += size
    return out


@pytest.fixture(scope="module", name="gateway")
def served(serve, target):
    featurestore.prepare(target)
    target.psql(CHANGES, "featurestore")
    return serve(featurestore.front(target), POLICY)


def smith(address, login, seed):
    """The sessions of one sqlsmith as lists of messages, and what it said itself."""
    program, proxy = shutil.which("sqlsmith"), Listening(address)
    assert program, "the package sqlsmith is not installed"
    try:
        done = subprocess.run(
            [program, f"--target=host=127.0.0.1 port={proxy.port} {login} dbname=featurestore sslmode=disable", f"--seed={seed}",
             f"--max-queries={QUERIES}", "--exclude-catalog"],
            capture_output=True, text=True, check=False, timeout=150, env=clean_environment())
    finally:
        proxy.close()
    return [messages(kept) for kept in proxy.kept], done.stdout[-500:] + done.stderr[-2000:]


@pytest.mark.parametrize("seed", SEEDS)
def test_sqlsmith_sees_nothing_and_ends_nothing(gateway, seed):
    pid = gateway.pid
    sessions, said = smith(gateway.address, "user=alice password=alice-secret", seed)
    assert gateway.pid == pid and gateway.process.poll() is None
    with gateway.client("featurestore") as client:
        assert client.alive()
    # Two sessions to learn the schema, one for the statements; another only where the target ended that one.
    assert 3 <= len(sessions) <= 5, (len(sessions), said)
    answers = [kind for session in sessions[2:] for kind, _ in session]
    assert answers.count("Z") >= QUERIES and answers.count("C") > QUERIES / 2, said
    for session in sessions:
        found = PLANTED.in_messages(session)
        assert not found, (f"seed {seed}", found, [body[:400] for _, body in session if PLANTED.in_bytes(body)][:10])


@pytest.mark.parametrize("seed", SEEDS[:2])
def test_the_same_statements_show_values_where_nothing_is_between(gateway, target, seed):
    """What the story would see if the gateway did nothing: statements that never show a value would prove nothing."""
    sessions, said = smith(target.address, "user=postgres password=target-superuser-secret", seed)
    assert any(PLANTED.in_messages(session) for session in sessions), said
    assert gateway.process.poll() is None
