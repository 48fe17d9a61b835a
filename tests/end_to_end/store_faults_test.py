"""Faults of the store and the disk: the journal carries on within its limits, then commands are refused; no byte leaves unrecorded."""

import subprocess
import time

import pytest

from harness import featurestore
from harness.cluster import SUPERUSER_PASSWORD, Cluster
from harness.gateway import ALLOW_EVERYTHING, Gateway
from harness.processes import private_directory, remove_directory, wait_until
from harness.records import markers, replay, session_of, sessions
from harness.wire import Closed, error_fields, query

pytestmark = pytest.mark.gateway_only

REFUSALS = ("53", "57", "58", "08")


@pytest.fixture(scope="module")
def sample(target):
    featurestore.prepare(target)
    return target


@pytest.fixture
def store():
    cluster = Cluster("store")
    try:
        cluster.start().database("store")
        yield cluster
    finally:
        cluster.remove()


@pytest.fixture
def make(request, sample, store):
    made = []

    def start(audit="  durability: standard\n", **keywords):
        dsn = f"  dsn: postgresql://postgres:{SUPERUSER_PASSWORD}@127.0.0.1:{store.port}/store\n"
        made.append(Gateway(featurestore.front(sample), ALLOW_EVERYTHING, store=dsn, audit=audit, **keywords).start())
        request.module.shown_gateway = made[-1]
        return made[-1]

    yield start
    for gateway in made:
        gateway.remove()


def attempt(gateway, sql="select 1"):
    """The SQLSTATE of a fresh session's statement, or None when it works."""
    try:
        with gateway.client("featurestore") as client:
            client.send(query(sql))
            for kind, body in client.messages():
                if kind == "E":
                    return error_fields(body)["C"]
    except Closed as error:
        return error.fields.get("C", "closed")
    except OSError:
        return "closed"
    return None


def test_an_external_store_is_used(make, store):
    gateway = make()
    with gateway.client("featurestore") as client:
        assert client.one("select 1 /* mark-1-1 */") == "1"
    assert session_of(gateway, "mark-1-1")["user"] == "alice"
    assert not gateway.embedded_store_pid()


def test_without_the_store_the_journal_carries_on_and_everything_arrives_later(make, store):
    gateway = make()
    with gateway.client("featurestore") as client:
        assert client.one("select 1 /* mark-2-1 */") == "1"
        store.stop("immediate")
        for number in range(2, 200):
            assert client.one(f"select {number} /* mark-2-{number} */") == str(number)
        with gateway.client("featurestore") as another:
            assert another.one("select 1 /* mark-3-1 */") == "1"
        store.start()
    one = session_of(gateway, "mark-2-199", seconds=40)
    assert [number for connection, number in markers(replay(gateway, one)) if connection == 2] == list(range(1, 200))
    session_of(gateway, "mark-3-1")


def test_past_the_journals_size_new_commands_are_refused_until_the_store_returns(make, store):
    gateway = make("  durability: standard\n  journal: {limit: 2MiB}\n")
    assert attempt(gateway) is None
    store.stop("immediate")
    answered = 0
    with gateway.client("featurestore") as client:
        refusal = None
        try:
            for number in range(3000):
                seen = client.one(f"select md5(i::text) /* mark-4-{number} */ from generate_series(1, 300) i")
                if seen is None or seen.startswith("E"):
                    refusal = seen
                    break
                answered += 1
        except (Closed, OSError) as error:
            refusal = str(error) or "closed"
    assert refusal, "the journal grew without bound"
    assert answered > 10
    code = attempt(gateway)
    assert code and (code == "closed" or code[:2] in REFUSALS), code
    assert gateway.process.poll() is None
    store.start()
    wait_until(lambda: attempt(gateway) is None, 40, "the gateway's return", step=0.3)
    one = session_of(gateway, f"mark-4-{answered - 1} ", seconds=30)
    numbers = [number for _, number in markers(replay(gateway, one))]
    assert numbers[:answered] == list(range(answered))


def test_past_the_journals_age_new_commands_are_refused_until_the_store_returns(make, store):
    gateway = make("  durability: standard\n  journal: {age: 2s}\n")
    with gateway.client("featurestore") as client:
        assert client.one("select 1") == "1"
        store.stop("immediate")
        assert client.one("select 2 /* mark-5-2 */") == "2"
        code = wait_until(lambda: attempt(gateway), 15, "the refusal", step=0.2)
        assert code == "closed" or code[:2] in REFUSALS, code
        store.start()
        wait_until(lambda: attempt(gateway) is None, 40, "the gateway's return", step=0.3)


def test_with_durability_store_nothing_runs_without_the_store(make, store, sample):
    gateway = make("  durability: store\n")
    with gateway.client("featurestore") as client:
        assert client.one("insert into scratch values (600, 'kept')") is None
        assert client.one("select 1") == "1"
        store.stop("immediate")
        client.socket.settimeout(20)
        try:
            client.send(query("insert into scratch values (601, 'must not happen')"))
            seen = client.signature()
            assert seen.startswith("E"), seen
        except OSError:
            pass
    assert sample.psql("select string_agg(id::text, ',') from scratch where id >= 600", "featurestore") == "600"
    code = attempt(gateway)
    assert code, "a session without a store"
    store.start()
    wait_until(lambda: attempt(gateway) is None, 40, "the gateway's return", step=0.3)


def test_a_full_disk_ends_sessions_before_the_next_byte(make, store, sample):
    """The state directory is a small file system of its own, filled to the brim while the store is away."""
    place = private_directory("full")
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=160m,mode=0755", "tmpfs", str(place)], check=True)
    try:
        gateway = make("  durability: standard\n  journal: {limit: 1GiB}\n", state_dir=place / "state")
        assert attempt(gateway) is None
        store.stop("immediate")
        with open(place / "ballast", "wb") as ballast:
            try:
                while True:
                    ballast.write(b"\0" * (1 << 20))
                    ballast.flush()
            except OSError:
                pass
        seen, refusal = 0, None
        with gateway.client("featurestore", limit=30) as client:
            try:
                for number in range(5000):
                    value = client.one(f"select md5((random() * i)::text) /* mark-6-{number} */ from generate_series(1, 3000) i")
                    if value is None or value.startswith("E"):
                        refusal = value or "no row"
                        break
                    seen = number + 1
            except (Closed, OSError) as error:
                refusal = str(error) or "closed"
        assert refusal, "a full disk was not noticed"
        assert gateway.process.poll() is None, gateway.log_text()[-3000:]
        # What is left of the journal's last segment may still hold some small records.
        wait_until(lambda: attempt(gateway, f"select 1 /* {'x' * 20000} */"), 60, "the refusal of new sessions")
        (place / "ballast").unlink()
        store.start()
        wait_until(lambda: attempt(gateway) is None, 60, "the gateway's return", step=0.5)
        if seen:
            one = session_of(gateway, f"mark-6-{seen - 1} ", seconds=60)
            numbers = [number for _, number in markers(replay(gateway, one))]
            assert numbers[:seen] == list(range(seen))
        gateway.stop()
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)
        remove_directory(place)


def test_no_statement_runs_that_could_not_be_recorded(make, store, sample):
    """Whatever had an effect while the store was away is in the store afterwards."""
    gateway = make("  durability: standard\n  journal: {limit: 1MiB}\n")
    sample.psql("truncate scratch", "featurestore")
    store.stop("immediate")
    start = time.monotonic()
    with gateway.client("featurestore") as client:
        try:
            for number in range(20000):
                text = f"insert into scratch values ({number}, 'x') /* mark-7-{number} {'y' * 500} */"
                if (client.one(text) or "").startswith("E") or time.monotonic() - start > 40:
                    break
        except (Closed, OSError):
            pass
    store.start()
    wait_until(lambda: attempt(gateway) is None, 40, "the gateway's return", step=0.3)
    done = {int(line) for line in sample.psql("select id from scratch", "featurestore").split()}
    assert done
    one = session_of(gateway, f"mark-7-{max(done)} ", seconds=30)
    numbers = [number for _, number in markers(replay(gateway, one))]
    assert len(numbers) == len(set(numbers)) and done <= set(numbers)
    assert len(sessions(gateway)) >= 1
