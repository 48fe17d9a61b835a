"""Processes, free ports and waiting: everything is started with a pid of its own and stopped by that pid."""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

POSTGRES_BIN = Path(os.environ.get("SALLYPORT_TEST_PGBIN", "/usr/lib/postgresql/15/bin"))


class Timeout(AssertionError):
    """A condition did not become true in its time."""


def free_port():
    """A loopback TCP port that nobody listened on a moment ago."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_until(condition, seconds=20.0, what="the condition", step=0.02):
    """Calls condition until it gives something true, and returns that."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise Timeout(f"{what} did not happen within {seconds:g} s")
        time.sleep(step)


def private_directory(prefix):
    """A directory under /tmp (paths of Unix sockets must be short) that a server's own user may enter."""
    path = Path(tempfile.mkdtemp(prefix=f"sp-{prefix}-", dir=os.environ.get("SALLYPORT_TEST_TMP", "/tmp")))
    path.chmod(0o711)
    return path


def remove_directory(path):
    shutil.rmtree(path, ignore_errors=True)


def server_user():
    """The user PostgreSQL servers run as: PostgreSQL refuses to run as root."""
    return "postgres" if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name


def as_server_user(command):
    """The command line that runs command as server_user()."""
    if os.geteuid() != 0:
        return [str(word) for word in command]
    user = pwd.getpwnam(server_user())
    return ["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--init-groups", "--"] + [
        str(word) for word in command
    ]


def own_by_server_user(path):
    if os.geteuid() == 0:
        user = pwd.getpwnam(server_user())
        os.chown(path, user.pw_uid, user.pw_gid)


def is_alive(pid):
    """Whether a process is there and no zombie."""
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as stat:
            return stat.read().rsplit(")", 1)[1].split()[0] not in ("Z", "X")
    except (FileNotFoundError, ProcessLookupError):
        return False


def resident_kib(pid):
    """Resident memory of a process in KiB, without the pages of mapped files: the journal's segment is one."""
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        for line in status:
            if line.startswith("RssAnon:"):
                return int(line.split()[1])
    raise AssertionError(f"process {pid} has no RssAnon line")


def children_of(pid):
    """The pids of the direct children."""
    listing = Path(f"/proc/{pid}/task/{pid}/children")
    own = [int(child) for child in listing.read_text().split()] if listing.exists() else []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        own += [int(child) for child in task.read_text().split()]
    return sorted(set(own))


def stop_process(process, seconds=20):
    """Asks with SIGTERM, insists with SIGKILL; returns the exit status."""
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    return process.returncode


def clean_environment(**extra):
    """The environment for clients: nothing of the caller's PostgreSQL settings, messages in English."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    kept.update({"LC_ALL": "C.UTF-8", "PSQLRC": "/dev/null", "PSQL_HISTORY": "/dev/null", "PAGER": "cat"})
    kept.update(extra)
    return kept
