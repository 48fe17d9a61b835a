"""kill -9 at random moments under load: of the gateway, of the store, of both.

Afterwards every command that had an effect on the target or an answer at the client is in the store: once, and in order.
Each command carries a marker mark-CONNECTION-NUMBER in its text. SALLYPORT_TEST_CRASHES sets the number of rounds,
SALLYPORT_TEST_SEED repeats a run."""

import os
import random
import signal
import threading
import time

import pytest

from harness import featurestore
from harness.gateway import ALLOW_EVERYTHING
from harness.processes import is_alive, wait_until
from harness.records import markers, replay, sessions
from harness.wire import Closed, SYNC, bind, execute, parse, query

pytestmark = pytest.mark.gateway_only

ROUNDS = int(os.environ.get("SALLYPORT_TEST_CRASHES", "9"))
SEED = int(os.environ.get("SALLYPORT_TEST_SEED", "0")) or random.SystemRandom().randrange(1, 1 << 30)
CLIENTS = 6


class Load:
    """Clients that send commands one after the other, or in pipelines, and remember what was answered."""

    def __init__(self, gateway, numbers):
        self.gateway, self.numbers = gateway, numbers
        self.lock = threading.Lock()
        self.going = True
        self.sent, self.answered = {}, {}
        self.threads = [threading.Thread(target=self._client, args=(kind,), daemon=True) for kind in range(CLIENTS)]
        for thread in self.threads:
            thread.start()

    def _connection(self):
        with self.lock:
            number = next(self.numbers)
            self.sent[number], self.answered[number] = 0, set()
            return number

    def _client(self, kind):
        while self.going:
            try:
                with self.gateway.client("featurestore", tls=kind == 0, limit=20) as client:
                    self._talk(client, kind, self._connection())
            except (OSError, Closed):
                time.sleep(0.02)

    @staticmethod
    def _command(mark, connection, number):
        write = f"/* {mark} */ insert into effects values ({connection}, {number})"
        return write if number % 2 else f"/* {mark} */ select {number}"

    def _talk(self, client, kind, connection):
        while self.going and self.sent[connection] < 4000:
            batch = [self.sent[connection] + i for i in range(1, 1 + (5 if kind % 3 == 2 else 1))]
            self.sent[connection] = batch[-1]
            texts = [self._command(f"mark-{connection}-{number}", connection, number) for number in batch]
            if kind % 3 == 0:
                client.send(query(texts[0]))
            else:
                client.send(*[part for text in texts for part in (parse(text), bind(), execute())], SYNC)
            waiting = iter(batch)
            while True:
                message, _ = client.receive()
                if message == "C":
                    self.answered[connection].add(next(waiting))
                elif message == "Z":
                    break
                elif message == "E":
                    raise Closed("refused")

    def stop(self):
        self.going = False
        for thread in self.threads:
            thread.join(30)
            assert not thread.is_alive(), "a client hangs"


@pytest.fixture(scope="module")
def gateway(serve, target):
    featurestore.prepare(target)
    target.psql("create table effects(connection int, number int)", "featurestore")
    return serve(featurestore.front(target), ALLOW_EVERYTHING)


def recorded(gateway, wanted, known):
    """Markers by connection, from every session not known yet. Waits until all wanted connections are there."""
    out = {}

    def look():
        out.clear()
        for one in sessions(gateway, "--limit", "5000"):
            if one["id"] in known:
                continue
            for connection, number in markers(replay(gateway, one)):
                out.setdefault(connection, []).append(number)
        return all(connection in out and set(numbers) <= set(out[connection]) for connection, numbers in wanted.items())

    try:
        wait_until(look, 20, "the records", step=0.5)
    except AssertionError:
        pass  # what is missing is told by the caller
    known.update(one["id"] for one in sessions(gateway, "--limit", "5000") if one.get("status") != "open")
    return out


def counter():
    number = 0
    while True:
        number += 1
        yield number


NUMBERS = counter()
KNOWN = set()


@pytest.mark.parametrize("round_number", range(ROUNDS))
def test_nothing_that_had_an_effect_or_an_answer_is_missing(gateway, target, round_number):
    generator = random.Random(SEED * 1000 + round_number)
    victim = ("gateway", "store", "both")[round_number % 3]
    print(f"seed {SEED}, round {round_number}: kills {victim}")
    load = Load(gateway, NUMBERS)
    try:
        wait_until(lambda: any(load.answered.values()), 20, "the first answer")
        time.sleep(generator.uniform(0.05, 1.2))
        store = gateway.embedded_store_pid()
        assert store, "no embedded store"
        if victim in ("store", "both"):
            os.kill(store, signal.SIGKILL)
        if victim in ("gateway", "both"):
            gateway.kill()
        if victim == "store":
            before = sum(len(numbers) for numbers in load.answered.values())
            wait_until(lambda: sum(len(numbers) for numbers in list(load.answered.values())) > before + 50, 20,
                       "more answers while the store is down or restarts")
    finally:
        load.stop()
    if victim != "store":
        wait_until(lambda: not is_alive(gateway.pid), 5, "the gateway's end")
        gateway.start()
    wait_until(gateway.embedded_store_pid, 30, "the embedded store's return")

    effects = {}
    for line in target.psql("select connection, number from effects order by 1, 2", "featurestore").splitlines():
        connection, number = (int(part) for part in line.split("|"))
        if connection in load.sent:
            effects.setdefault(connection, []).append(number)
    wanted = {connection: load.answered[connection] | set(effects.get(connection, ())) for connection in load.sent}
    wanted = {connection: numbers for connection, numbers in wanted.items() if numbers}
    assert wanted, "the load did nothing"
    print(f"{len(wanted)} connections, {sum(map(len, wanted.values()))} commands with an effect or an answer")
    found = recorded(gateway, wanted, KNOWN)
    for connection, numbers in sorted(wanted.items()):
        seen = found.get(connection, [])
        assert len(seen) == len(set(seen)), f"connection {connection}: recorded twice: {twice(seen)}"
        missing = sorted(numbers - set(seen))
        assert not missing, f"connection {connection}: {len(missing)} of {len(numbers)} are not in the store: {missing[:20]}"
        assert seen == sorted(seen), f"connection {connection}: out of order"
        assert seen == list(range(1, len(seen) + 1)), f"connection {connection}: records with a gap, or of what was never sent"
        assert len(effects.get(connection, [])) == len(set(effects.get(connection, []))), "an effect twice"


def twice(numbers):
    return sorted({number for number in numbers if numbers.count(number) > 1})[:20]


def test_no_session_stays_open_after_a_crash(gateway):
    wait_until(lambda: not [one for one in sessions(gateway, "--limit", "5000") if one.get("status") == "open"], 15,
               "the end of every session in the records")
