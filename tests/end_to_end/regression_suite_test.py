"""PostgreSQL's own regression SQL gives the same output through the gateway as on a direct connection, byte for byte.

Two clusters are copies of one another; the files run on both at the same time in the order of the suite's schedule."""

import difflib
import os
import shutil
import subprocess
import threading
from pathlib import Path

import pytest

from harness.cluster import SUPERUSER, SUPERUSER_PASSWORD, Cluster
from harness.gateway import Gateway, User, connection
from harness.postgresql_source import build_library, regression_suite, schedule
from harness.processes import as_server_user, clean_environment, own_by_server_user, private_directory, remove_directory

DATABASE = "regression"
DIRECT = bool(os.environ.get("SALLYPORT_TEST_DIRECT"))
SUITE = regression_suite()
SETTINGS = {"max_prepared_transactions": "2", "shared_buffers": "128MB", "log_min_messages": "fatal",
            "log_min_error_statement": "panic"}
PREPARE = f"""
CREATE DATABASE {DATABASE} TEMPLATE template0;
ALTER DATABASE {DATABASE} SET lc_messages TO 'C';
ALTER DATABASE {DATABASE} SET lc_monetary TO 'C';
ALTER DATABASE {DATABASE} SET lc_numeric TO 'C';
ALTER DATABASE {DATABASE} SET lc_time TO 'C';
ALTER DATABASE {DATABASE} SET bytea_output TO 'hex';
ALTER DATABASE {DATABASE} SET timezone_abbreviations TO 'Default';
"""


class Side:
    """One of the two runs: its server, where psql connects, and what came out."""

    def __init__(self, name, cluster):
        self.name, self.cluster, self.port, self.outputs = name, cluster, cluster.port, {}
        self.work = private_directory(name)
        own_by_server_user(self.work)
        self.work.chmod(0o777)
        shutil.copytree(SUITE / "data", self.work / "data")
        for directory in ("results", "testtablespace"):
            (self.work / directory).mkdir()
            (self.work / directory).chmod(0o777)
            own_by_server_user(self.work / directory)
        build_library(SUITE, self.work)

    def run(self, name):
        environment = clean_environment(
            PGHOST="127.0.0.1", PGPORT=str(self.port), PGUSER=SUPERUSER, PGPASSWORD=SUPERUSER_PASSWORD, PGSSLMODE="disable",
            PGTZ="PST8PDT", PGDATESTYLE="Postgres, MDY", PGOPTIONS="-c intervalstyle=postgres_verbose", LC_MESSAGES="C",
            PGAPPNAME=f"pg_regress/{name}", PG_ABS_SRCDIR=str(self.work), PG_ABS_BUILDDIR=str(self.work), PG_LIBDIR=str(self.work),
            PG_DLSUFFIX=".so")
        command = ["psql", "-X", "-a", "-q", "-d", DATABASE, "-v", "HIDE_TABLEAM=on", "-v", "HIDE_TOAST_COMPRESSION=on"]
        with open(SUITE / "sql" / f"{name}.sql", "rb") as script:
            done = subprocess.run(command, stdin=script, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=environment,
                                  cwd=self.work, timeout=240, check=False)
        own = {str(self.work): "WORK", f'port "{self.port}"': "PORT", f"port {self.port}": "PORT"}
        text = done.stdout.decode(errors="surrogateescape")
        for from_text, to_text in own.items():
            text = text.replace(from_text, to_text)
        self.outputs[name] = text

    def run_all(self, names):
        for name in names:
            try:
                self.run(name)
            except subprocess.TimeoutExpired:
                self.outputs[name] = f"{self.name}: no end within 240 s"


def copy_of(cluster):
    """A second cluster from a stopped one's files."""
    twin = Cluster.__new__(Cluster)
    twin.__dict__.update(cluster.__dict__)
    twin.root = private_directory("target")
    twin.data, twin.log = twin.root / "data", twin.root / "server.log"
    own_by_server_user(twin.root)
    subprocess.run(as_server_user(["cp", "-a", cluster.data, twin.data]), check=True, cwd="/")
    from harness.processes import free_port
    twin.port = free_port()
    return twin


@pytest.fixture(scope="module")
def sides():
    """Both runs, complete."""
    first = Cluster(settings=SETTINGS).start()
    first.psql(PREPARE)
    first.stop("fast")
    second = copy_of(first)
    first.start()
    second.start()
    direct, through = Side("direct", first), Side("gateway", second)
    gateway = None
    names = os.environ.get("SALLYPORT_TEST_REGRESSION", "").split() or schedule(SUITE)
    try:
        if not DIRECT:
            user = User(SUPERUSER, SUPERUSER_PASSWORD, ("testers",))
            gateway = Gateway(connection(DATABASE, second.port, DATABASE), users=(user,)).start()
            through.port = gateway.port
        runs = [threading.Thread(target=side.run_all, args=(names,)) for side in (direct, through)]
        for run in runs:
            run.start()
        for run in runs:
            run.join()
        keep = os.environ.get("SALLYPORT_TEST_OUTPUTS")
        for side in (direct, through) if keep else ():
            for name, text in side.outputs.items():
                place = Path(keep) / side.name
                place.mkdir(parents=True, exist_ok=True)
                (place / f"{name}.out").write_text(text, errors="surrogateescape")
        yield direct, through
    finally:
        if gateway:
            gateway.remove()
        for one in (first, second):
            one.remove()
        for side in (direct, through):
            remove_directory(side.work)


@pytest.mark.parametrize("name", os.environ.get("SALLYPORT_TEST_REGRESSION", "").split() or schedule(SUITE))
def test_the_output_is_the_same(sides, name):
    direct, through = (side.outputs[name] for side in sides)
    if through != direct:
        lines = list(difflib.unified_diff(direct.splitlines(), through.splitlines(), "direct", "gateway", lineterm="", n=2))
        pytest.fail("\n".join(lines[:60]), pytrace=False)
