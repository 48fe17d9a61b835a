"""A private PostgreSQL cluster: made by initdb in a temporary directory, on a free port, gone at the end."""

import os
import subprocess
from pathlib import Path

from .processes import (
    POSTGRES_BIN,
    as_server_user,
    clean_environment,
    free_port,
    is_alive,
    own_by_server_user,
    private_directory,
    remove_directory,
    wait_until,
)

SUPERUSER = "postgres"
SUPERUSER_PASSWORD = "target-superuser-secret"

SETTINGS = {
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "max_connections": "200",
    "shared_buffers": "32MB",
    "password_encryption": "scram-sha-256",
    "listen_addresses": "127.0.0.1",
    "log_destination": "stderr",
    "logging_collector": "off",
    "log_line_prefix": "%m [%p] ",
}


class Cluster:
    """One server. psql() is the superuser over the Unix socket; others log in over TCP with SCRAM."""

    def __init__(self, name="target", settings=None, tls=False, initdb=(), hba=None):
        self.root = private_directory(name)
        self.data = self.root / "data"
        self.port = free_port()
        self.log = self.root / "server.log"
        self.settings = dict(SETTINGS, **(settings or {}))
        own_by_server_user(self.root)
        secret = self.root / "secret"
        secret.write_text(SUPERUSER_PASSWORD + "\n")
        own_by_server_user(secret)
        self._as_server(
            [POSTGRES_BIN / "initdb", "-D", self.data, "-U", SUPERUSER, "-A", "scram-sha-256", f"--pwfile={secret}",
             "--no-sync", "-E", "UTF8", "--locale=C.UTF-8", *initdb]
        )
        if tls:
            self._make_certificate()
        lines = hba or ["local all all trust", "local replication all trust", "host all all 127.0.0.1/32 scram-sha-256",
                        "host replication all 127.0.0.1/32 scram-sha-256"]
        (self.data / "pg_hba.conf").write_text("\n".join(lines) + "\n")

    def _as_server(self, command, **keywords):
        done = subprocess.run(as_server_user(command), capture_output=True, text=True, cwd="/",
                              env=clean_environment(), check=False, **keywords)
        assert done.returncode == 0, f"{command[0]} failed:\n{done.stdout}{done.stderr}"
        return done.stdout

    def _make_certificate(self):
        certificate, key = self.data / "server.crt", self.data / "server.key"
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "30",
             "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1",
             "-keyout", str(key), "-out", str(certificate)],
            check=True, capture_output=True)
        key.chmod(0o600)
        own_by_server_user(key)
        own_by_server_user(certificate)
        self.settings["ssl"] = "on"

    @property
    def certificate(self):
        return self.data / "server.crt"

    @property
    def address(self):
        return "127.0.0.1", self.port

    def start(self):
        with open(self.data / "postgresql.auto.conf", "w", encoding="utf-8") as file:
            for key, value in self.settings.items():
                file.write(f"{key} = '{value}'\n")
            file.write(f"port = {self.port}\nunix_socket_directories = '{self.root}'\n")
        self._as_server([POSTGRES_BIN / "pg_ctl", "-D", self.data, "-l", self.log, "-w", "-t", "60", "start"])
        return self

    def stop(self, mode="immediate"):
        if self.pid() and is_alive(self.pid()):
            self._as_server([POSTGRES_BIN / "pg_ctl", "-D", self.data, "-m", mode, "-w", "-t", "60", "stop"])

    def pid(self):
        """The postmaster's pid, or 0."""
        try:
            return int((self.data / "postmaster.pid").read_text().split("\n", 1)[0])
        except (FileNotFoundError, ValueError):
            return 0

    def remove(self):
        if os.environ.get("SALLYPORT_TEST_KEEP"):
            return
        self.stop()
        remove_directory(self.root)

    def psql(self, sql, database="postgres", user=SUPERUSER, check=True):
        """Runs SQL over the Unix socket, unaligned and without headings; returns standard output, stripped."""
        done = subprocess.run(
            [POSTGRES_BIN / "psql", "-X", "-A", "-t", "-q", "-v", "ON_ERROR_STOP=1", "-h", str(self.root),
             "-p", str(self.port), "-U", user, "-d", database, "-f", "-"],
            input=sql, capture_output=True, text=True, env=clean_environment(), check=False)
        if check:
            assert done.returncode == 0, f"psql on the target failed: {done.stderr}"
        return done.stdout.strip()

    def database(self, name):
        self.psql(f'CREATE DATABASE "{name}" TEMPLATE template0')
        return name

    def role(self, name, password, attributes="LOGIN"):
        self.psql(f"CREATE ROLE \"{name}\" {attributes} PASSWORD '{password}'")
        return name

    def log_text(self):
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def wait_for_backends(self, count, database, seconds=10):
        """Until exactly count client sessions are on the database."""
        query = f"select count(*) from pg_stat_activity where backend_type = 'client backend' and datname = '{database}'"
        wait_until(lambda: self.psql(query) == str(count), seconds, f"{count} sessions on {database}")


def library_directory():
    """Where the server keeps its loadable modules."""
    return Path(subprocess.run([POSTGRES_BIN / "pg_config", "--pkglibdir"], capture_output=True, text=True,
                               check=True).stdout.strip())
