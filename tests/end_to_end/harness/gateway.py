"""The gateway process: a configuration written to a temporary directory, started, waited for, stopped by its pid."""

import hashlib
import os
import shlex
import signal
import socket
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from . import scram
from .processes import (
    clean_environment,
    free_port,
    is_alive,
    private_directory,
    remove_directory,
    resident_kib,
    stop_process,
    wait_until,
)
from .wire import SSL_REQUEST, Client

BINARY = os.environ.get("SALLYPORT_BINARY", "")

@dataclass
class User:
    """A local user of the gateway. The configuration gets the verifier and the token's digest only."""

    name: str
    password: str
    groups: tuple = ()
    token: str = ""
    verifier: str = field(default="")

    def __post_init__(self):
        self.verifier = self.verifier or (scram.verifier(self.password) if self.password else "")

    def yaml(self):
        words = [f"name: {self.name}", f"groups: [{', '.join(self.groups)}]"]
        if self.verifier:
            words.append(f'password: "{self.verifier}"')
        if self.token:
            words.append(f'tokens: ["sha256:{hashlib.sha256(self.token.encode()).hexdigest()}"]')
        return f"    - {{{', '.join(words)}}}\n"

ALICE = User("alice", "alice-secret", ("analysts",))
BOB = User("bob", "bob-secret", ("guests",))

ALLOW_EVERYTHING = """\
  - name: everything
    who: {users: ["*"]}
    connections: ["*"]
    access: standing
    rules:
      - {allow: {sql: ["*"]}}
"""

def connection(name, port, database, user="postgres", password="target-superuser-secret", target="tls: disable", extra=""):
    """One entry under connections: in the words of the configuration file."""
    return (f"  - name: {name}\n    protocol: postgres\n"
            f'    target: {{host: 127.0.0.1, port: {port}, database: {database}, user: {user}, password: "{password}", {target}}}\n'
            f"{extra}")

class Gateway:
    """One gateway. Its state directory survives stop() and kill(), so that start() again is a restart."""

    def __init__(self, connections, policies=ALLOW_EVERYTHING, users=(ALICE, BOB), gateway="", store="  embedded: true\n",
                 audit="  durability: standard\n", state_dir=None):
        self.root = private_directory("gateway")
        self.state_dir = Path(state_dir) if state_dir else self.root / "state"
        self.file = self.root / "sallyport.yaml"
        self.log = self.root / "gateway.log"
        self.port = free_port()
        self.users = {user.name: user for user in users}
        self.parts = {"connections": connections, "policies": policies, "users": users, "gateway": gateway,
                      "store": store, "audit": audit}
        self.process = None
        self.write()

    def text(self, **changes):
        parts = dict(self.parts, **changes)
        users = "".join(user.yaml() for user in parts["users"])
        return (f"gateway:\n  name: gw-test\n  state_dir: {self.state_dir}\n  listen: {{postgres: 127.0.0.1:{self.port}}}\n"
                f"{parts['gateway']}store:\n{parts['store']}audit:\n{parts['audit']}identity:\n  users:\n{users}"
                f"connections:\n{parts['connections']}policies:\n{parts['policies']}")

    def write(self, **changes):
        """Writes the configuration file, with some of its sections changed."""
        self.parts.update(changes)
        self.file.write_text(self.text())
        self.file.chmod(0o600)

    @property
    def address(self):
        return "127.0.0.1", self.port

    @property
    def pid(self):
        return self.process.pid

    def command(self, *words):
        return [BINARY, *words]

    def start(self, wait=True, seconds=90):
        assert BINARY, "SALLYPORT_BINARY must name the gateway's program"
        wrapper = shlex.split(os.environ.get("SALLYPORT_TEST_WRAPPER", ""))
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(  # pylint: disable=consider-using-with
                wrapper + self.command("serve", "--config", str(self.file)), stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                cwd=self.root, env=clean_environment())
        if wait:
            self.wait_ready(seconds)
        return self

    def ready(self):
        """Whether the listener answers an SSLRequest."""
        assert self.process.poll() is None, f"the gateway ended with status {self.process.returncode}:\n{self.log_text()[-4000:]}"
        try:
            with socket.create_connection(self.address, 1) as probe:
                probe.settimeout(5)
                probe.sendall(SSL_REQUEST)
                return probe.recv(1) in (b"S", b"N")
        except OSError:
            return False

    def wait_ready(self, seconds=90):
        try:
            wait_until(self.ready, seconds, "the gateway's listener")
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.log_text()[-4000:]}") from None

    def reload(self, expect):
        """SIGHUP, then waits for a log line with that text."""
        before = len(self.log_text())
        self.process.send_signal(signal.SIGHUP)
        wait_until(lambda: expect in self.log_text()[before:], 15, f"a log line with {expect!r}")
        return self.log_text()[before:]

    def stop(self):
        status = stop_process(self.process) if self.process else 0
        self._end_embedded_store()
        return status

    def kill(self):
        """kill -9."""
        self.process.kill()
        self.process.wait()

    def embedded_store_pid(self):
        """The postmaster of the embedded cluster, or 0."""
        for file in self.state_dir.glob("**/postmaster.pid"):
            try:
                pid = int(file.read_text().split("\n", 1)[0])
            except (OSError, ValueError):
                continue
            if is_alive(pid):
                return pid
        return 0

    def _end_embedded_store(self):
        pid = self.embedded_store_pid()
        if pid:
            os.kill(pid, signal.SIGQUIT)
            wait_until(lambda: not is_alive(pid), 20, "the embedded store's end")

    def remove(self):
        if self.process and self.process.poll() is None:
            self.stop()
        self._end_embedded_store()
        if not os.environ.get("SALLYPORT_TEST_KEEP"):
            remove_directory(self.root)

    def log_text(self):
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def memory_kib(self):
        return resident_kib(self.pid)

    def client(self, database, user="alice", **keywords):
        """A logged-in raw client."""
        password = keywords.pop("password", self.users[user].password if user in self.users else "")
        return Client(self.address, user=user, password=password, database=database, **keywords)

    def dsn(self, database, user="alice", **options):
        """A libpq connection string."""
        words = {"host": "127.0.0.1", "port": self.port, "user": user, "dbname": database,
                 "password": self.users[user].password, "connect_timeout": 15}
        words.update(options)
        return " ".join(f"{key}='{value}'" for key, value in words.items())

    def run(self, *words, check=True, seconds=60):
        """One of the program's own commands with this configuration file."""
        done = subprocess.run(self.command(*words, "--config", str(self.file)), capture_output=True, text=True, check=False,
                              timeout=seconds, env=clean_environment(), cwd=self.root)
        if check:
            assert done.returncode == 0, f"sallyport {' '.join(words)}: status {done.returncode}\n{done.stdout}{done.stderr}"
        return done

@dataclass
class PsqlResult:
    """What a psql left behind."""

    status: int
    out: str
    err: str

    @property
    def rows(self):
        return [line.split("|") for line in self.out.splitlines()]

def psql(dsn, *commands, script=None, options=(), seconds=60, environment=None):
    """psql -X with commands as -c each, or a script on standard input."""
    words = ["psql", "-X", "-A", "-t", "-q", *options]
    for text in commands:
        words += ["-c", text]
    words += ["-d", dsn]
    if script is not None:
        words += ["-f", "-"]
    done = subprocess.run(words, input=script if script is not None else "", capture_output=True, text=True, check=False,
                          timeout=seconds, env=clean_environment(**(environment or {})))
    return PsqlResult(done.returncode, done.stdout, done.stderr)

