"""pgbench through the gateway: initialisation by COPY, then every protocol, one client and eight."""

import re
import subprocess

import pytest

from harness.gateway import ALLOW_EVERYTHING, connection
from harness.processes import clean_environment

MASKS = """\
    mask:
      - {columns: [pgbench_history.filler], with: redact}
"""


@pytest.fixture(scope="module")
def gateway(serve, target):
    target.database("bench")
    return serve(connection("bench", target.port, "bench"), ALLOW_EVERYTHING + MASKS)


def pgbench(gateway, *options):
    environment = clean_environment(PGHOST="127.0.0.1", PGPORT=str(gateway.port), PGUSER="alice",
                                    PGPASSWORD=gateway.users["alice"].password)
    done = subprocess.run(["/usr/lib/postgresql/15/bin/pgbench", *options, "bench"], capture_output=True, text=True, timeout=120,
                          env=environment, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.fixture(scope="module")
def initialised(gateway, target):
    pgbench(gateway, "-i", "-s", "1", "-q")
    assert target.psql("select count(*) from pgbench_accounts", "bench") == "100000"
    return gateway


def processed(output):
    assert re.search(r"number of failed transactions: 0 ", output), output
    return int(re.search(r"number of transactions actually processed: (\d+)", output).group(1))


@pytest.mark.parametrize("clients", ["1", "8"])
@pytest.mark.parametrize("protocol", ["simple", "extended", "prepared"])
@pytest.mark.parametrize("script", ["-S", "-N"])
def test_a_run(initialised, target, script, protocol, clients):
    before = int(target.psql("select count(*) from pgbench_history", "bench"))
    count = 400 if clients == "1" else 100
    output = pgbench(initialised, script, "-n", "-M", protocol, "-c", clients, "-j", "2" if clients == "8" else "1", "-t", str(count))
    assert processed(output) == count * int(clients)
    after = int(target.psql("select count(*) from pgbench_history", "bench"))
    assert after - before == (count * int(clients) if script == "-N" else 0)


def test_a_connection_for_each_transaction(initialised):
    assert processed(pgbench(initialised, "-S", "-n", "-C", "-c", "4", "-t", "25")) == 100


def test_the_standard_script_under_contention(initialised, target):
    pgbench(initialised, "-n", "-M", "prepared", "-c", "8", "-j", "2", "-t", "50")
    assert target.psql("select (select sum(bbalance) from pgbench_branches) = (select sum(tbalance) from pgbench_tellers)", "bench") == "t"


def test_pipelined_scripts(initialised, tmp_path):
    script = tmp_path / "pipeline.sql"
    script.write_text("\\startpipeline\n" + "select 1;\nselect abalance from pgbench_accounts where aid = 5;\n" * 5 + "\\endpipeline\n")
    assert processed(pgbench(initialised, "-n", "-M", "extended", "-c", "4", "-t", "50", "-f", str(script))) == 200
