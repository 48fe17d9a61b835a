"""What a benchmark runs against: a private PostgreSQL, the gateway before it, and pgbouncer as the anchor."""

import contextlib
import os
import pwd
import subprocess
import sys
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "end_to_end"))

from harness import gateway as gateways  # noqa: E402
from harness import processes  # noqa: E402
from harness.cluster import Cluster  # noqa: E402

USER, PASSWORD, DATABASE = "bench", "bench-password", "bench"

# Everything on that a careful operator has on: rules by class and object, a table no one may touch, masks by column
# (which make the gateway resolve every result's columns in the target's catalogue), and full recording.
POLICY = """\
  - name: bench
    who: {groups: [bench]}
    connections: [bench]
    access: standing
    rules:
      - {allow: {sql: [read, insert, update, delete, copy_in, copy_out, transaction, set]}}
      - {deny: {sql: [drop, truncate, opaque], objects: ["public.pgbench_*"]}, reason: "not in a benchmark"}
      - {deny: {sql: ["*"], objects: [public.secrets]}, reason: "not for anybody"}
    mask:
      - {columns: ["*.ssn", public.people.email], with: redact}
      - {columns: [cards.pan], with: {keep_last: 4}}
      - {columns: [public.rows_redact.email], with: redact}
      - {columns: [public.rows_keep_last.email], with: {keep_last: 4}}
      - {columns: [public.rows_hash.email], with: hash}
    untraceable: mask
"""

# Rows of usual width and types: number, uuid, texts, time, numeric, json.
ROWS = """
CREATE TABLE rows AS SELECT i AS id, md5(i::text)::uuid AS ref, 'User ' || i || ' Sample' AS full_name,
    'user' || i || '@mail' || i % 97 || '.example.com' AS email, '+1-555-' || lpad((i % 1000)::text, 3, '0') AS phone,
    timestamptz '2024-01-01 00:00:00+00' + i * interval '37 seconds' AS created_at,
    (i * 7919 % 100000) / 100.0 AS amount,
    jsonb_build_object('plan', (ARRAY['free', 'pro', 'team'])[1 + i % 3], 'score', i % 1000 / 10.0) AS attributes,
    'order note ' || repeat(md5((i * 3)::text), 3) AS note
FROM generate_series(1, 40000) AS i;
CREATE TABLE rows_redact AS TABLE rows;
CREATE TABLE rows_keep_last AS TABLE rows;
CREATE TABLE rows_hash AS TABLE rows;
CREATE TABLE people(id int, email text, ssn text);
CREATE TABLE secrets(id int);
CREATE UNLOGGED TABLE incoming(line text);
ANALYZE;
"""


class Endpoint:
    """A name, a port, and the processes whose work counts for it: proxy first, others (its store) apart."""

    def __init__(self, name, port, database, pid=0):
        self.name, self.port, self.database, self.pid = name, port, database, pid

    def environment(self, tls):
        return processes.clean_environment(
            PGHOST="127.0.0.1", PGPORT=str(self.port), PGUSER=USER, PGPASSWORD=PASSWORD, PGDATABASE=self.database,
            PGSSLMODE="require" if tls else "disable", PGCONNECT_TIMEOUT="10")


class Pgbouncer:
    """pgbouncer in session mode, as its manual configures it.

    It keeps a server connection for the next client. With single_use it does not, as the gateway never does.
    """

    def __init__(self, cluster, single_use=False):
        self.root = processes.private_directory("pgbouncer")
        self.port = processes.free_port()
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days",
                        "2", "-subj", "/CN=localhost", "-keyout", str(self.root / "key"), "-out", str(self.root / "crt")],
                       check=True, capture_output=True)
        (self.root / "users").write_text(f'"{USER}" "{PASSWORD}"\n')
        (self.root / "ini").write_text(f"""\
[databases]
{DATABASE} = host=127.0.0.1 port={cluster.port} dbname={DATABASE}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {self.port}
unix_socket_dir =
auth_type = scram-sha-256
auth_file = {self.root}/users
pool_mode = session
max_client_conn = 4000
default_pool_size = 2000
client_tls_sslmode = allow
client_tls_key_file = {self.root}/key
client_tls_cert_file = {self.root}/crt
server_tls_sslmode = disable
log_connections = 0
log_disconnections = 0
log_stats = 0
server_lifetime = {0 if single_use else 3600}
ignore_startup_parameters = extra_float_digits
""")
        command = ["pgbouncer", "-q", str(self.root / "ini")]
        if os.geteuid() == 0:
            nobody = pwd.getpwnam("nobody")
            for path in [self.root, *self.root.iterdir()]:
                os.chown(path, nobody.pw_uid, nobody.pw_gid)
            command[1:1] = ["-u", "nobody"]
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                        stderr=subprocess.DEVNULL)

    def remove(self):
        processes.stop_process(self.process)
        processes.remove_directory(self.root)


@contextlib.contextmanager
def warm_cores():
    """Keeps every core out of its idle state, with loops that yield to everything else.

    On a virtual machine waking an idle core costs more than a point query, and who pays for it is a matter of luck.
    """
    loops = [subprocess.Popen(["chrt", "--idle", "0", "sh", "-c", "while :; do :; done"]) for _ in range(os.cpu_count())]
    try:
        yield
    finally:
        for loop in loops:
            loop.kill()
            loop.wait()


@contextlib.contextmanager
def world(binary, scale, with_pgbouncer, single_use=False):
    """Yields the endpoints direct, pgbouncer and gateway; everything is gone afterwards."""
    gateways.BINARY = binary
    with contextlib.ExitStack() as stack:
        cluster = Cluster("bench", settings={"shared_buffers": "512MB", "max_connections": "1000", "max_wal_size": "8GB"})
        stack.callback(cluster.remove)
        cluster.start()
        cluster.role(USER, PASSWORD)
        cluster.psql(f'CREATE DATABASE {DATABASE} OWNER {USER}')
        subprocess.run(["pgbench", "-i", "-q", "-s", str(scale), DATABASE], check=True, capture_output=True,
                       env=Endpoint("direct", cluster.port, DATABASE).environment(False))
        cluster.psql(ROWS, DATABASE, user=USER)
        found = [Endpoint("direct", cluster.port, DATABASE)]
        if with_pgbouncer:
            anchor = Pgbouncer(cluster, single_use)
            stack.callback(anchor.remove)
            found.append(Endpoint("pgbouncer", anchor.port, DATABASE, anchor.process.pid))
        gateway = gateways.Gateway(
            gateways.connection("bench", cluster.port, DATABASE, user=USER, password=PASSWORD), POLICY,
            users=(gateways.User(USER, PASSWORD, ("bench",)),))
        stack.callback(gateway.remove)
        gateway.start()
        found.append(Endpoint("gateway", gateway.port, "bench", gateway.pid))
        for endpoint in found:
            processes.wait_until(lambda one=endpoint: subprocess.run(
                ["psql", "-XAtqc", "select 1 from pgbench_accounts where aid = 1"], capture_output=True,
                env=one.environment(False), check=False).returncode == 0, 30, f"a query through {endpoint.name}", step=0.2)
        yield found, cluster, gateway
