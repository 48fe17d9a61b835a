"""The measurements. Each gives rows: (what, endpoint, {metric: value})."""

import os
import re
import subprocess
import time
from pathlib import Path

from world import PASSWORD, USER
from harness.wire import Client, bind, describe, execute, message, parse, query, SYNC

TICKS = os.sysconf("SC_CLK_TCK")


def cpu_seconds(pid):
    """Processor time of the process and of what it started, apart: (itself, its descendants)."""
    parents, used = {}, {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue
        one = int(stat.parent.name)
        parents[one], used[one] = int(fields[1]), (int(fields[11]) + int(fields[12])) / TICKS

    def below(one):
        while one in parents:
            one = parents[one]
            if one == pid:
                return True
        return False

    return used.get(pid, 0.0), sum(time_ for one, time_ in used.items() if below(one))


class Meter:
    """Processor time spent between enter and exit."""

    def __init__(self, endpoint):
        self.pid = endpoint.pid

    def __enter__(self):
        self.before = cpu_seconds(self.pid) if self.pid else (0.0, 0.0)
        self.began = time.monotonic()
        return self

    def __exit__(self, *_):
        self.seconds = time.monotonic() - self.began
        after = cpu_seconds(self.pid) if self.pid else (0.0, 0.0)
        self.own, self.store = after[0] - self.before[0], after[1] - self.before[1]


def pgbench(endpoint, tls, words, seconds):
    done = subprocess.run(["pgbench", "-n", "-T", str(seconds), *words, endpoint.database], capture_output=True, text=True,
                          env=endpoint.environment(tls), cwd="/", check=False, timeout=seconds + 120)
    count = re.search(r"actually processed: (\d+)", done.stdout)
    rate = re.search(r"^tps = ([\d.]+)", done.stdout, re.MULTILINE)
    if not done.returncode and count and count[1] == "0" and seconds < 120:
        # A busy machine: all the time went into the logins of the clients.
        return pgbench(endpoint, tls, words, seconds * 2)
    if done.returncode or not count or not rate:
        raise RuntimeError(f"pgbench through {endpoint.name}: {done.stdout[-500:]}{done.stderr[-500:]}")
    return int(count[1]), float(rate[1])


def in_turns(endpoints, repetitions):
    """(repetition, endpoint), forward and backward in turn, so that slow drift of the machine cancels."""
    for number in range(repetitions):
        for endpoint in endpoints if number % 2 == 0 else reversed(endpoints):
            yield endpoint


def tps(endpoints, options):
    """Point queries: transactions a second, processor time for each."""
    for protocol in options.protocols:
        for clients in options.clients:
            for endpoint in in_turns(endpoints, options.repetitions):
                with Meter(endpoint) as meter:
                    count, rate = pgbench(endpoint, options.tls, ["-S", "-M", protocol, "-c", str(clients), "-j", str(min(2, clients))],
                                          options.seconds)
                yield f"{protocol}, {clients} clients", endpoint.name, {
                    "tps": rate, "cpu_us": meter.own / count * 1e6, "store_us": meter.store / count * 1e6}


def connect(endpoints, options):
    """Connect, SCRAM, one query, close."""
    for clients in options.clients:
        for endpoint in in_turns(endpoints, options.repetitions):
            with Meter(endpoint) as meter:
                count, rate = pgbench(endpoint, options.tls, ["-S", "-C", "-c", str(clients), "-j", str(min(2, clients))], options.seconds)
            yield f"{clients} clients", endpoint.name, {
                "conn_s": rate, "cpu_us": meter.own / count * 1e6, "store_us": meter.store / count * 1e6}


def connected(endpoint, tls):
    return Client(("127.0.0.1", endpoint.port), user=USER, password=PASSWORD, database=endpoint.database, tls=tls, limit=300)


def drain(client, request):
    """Sends the request and throws the answer away up to ReadyForQuery; returns its bytes. Parses nothing on the way."""
    end = b"Z\0\0\0\x05"
    client.socket.sendall(request)
    space, total, tail = memoryview(bytearray(1 << 20)), 0, b""
    while tail[-6:-1] != end:
        size = client.socket.recv_into(space)
        if not size:
            raise RuntimeError("closed while reading")
        total += size
        tail = (tail + bytes(space[max(0, size - 64):size]))[-64:]
    if b"C\0\0\0" not in tail:
        raise RuntimeError("the answer ended with an error")
    return total


def bulk(endpoints, options):
    """One large answer or one large COPY in: megabytes a second, processor time for a gigabyte."""
    with connected(endpoints[0], options.tls) as client:
        times = max(1, round(options.megabytes * 1e6 / drain(client, query("select * from rows"))))
    select = f"select r.* from generate_series(1, {times}) g, rows r"
    binary = parse(select) + bind(results=(1,)) + describe() + execute() + SYNC
    kinds = {"select": query(select), "binary": binary, "copy out": query(f"copy ({select}) to stdout"), "copy in": None}
    block = message(b"d", (b"x" * 499 + b"\n") * 16) * 128
    for kind, request in kinds.items():
        for endpoint in in_turns(endpoints, options.repetitions):
            with connected(endpoint, options.tls) as client:
                with Meter(endpoint) as meter:
                    if request:
                        size = drain(client, request)
                    else:
                        client.send(query("copy incoming from stdin"))
                        if client.receive()[0] != "G":
                            raise RuntimeError(f"COPY was refused through {endpoint.name}")
                        blocks = options.megabytes * 1_000_000 // len(block)
                        for _ in range(blocks):
                            client.socket.sendall(block)
                        size = blocks * len(block) + drain(client, message(b"c"))
            if not request:
                with connected(endpoints[0], options.tls) as owner:
                    owner.one("truncate incoming")
            yield kind, endpoint.name, {"mb_s": size / 1e6 / meter.seconds, "cpu_s_gb": meter.own * 1e9 / size,
                                        "store_s_gb": meter.store * 1e9 / size}


def masked(endpoints, options):
    """One large answer with a text column masked, and the same without; megabytes are those of the unmasked answer."""
    owner = endpoints[0]
    with connected(owner, options.tls) as client:
        times = max(1, round(options.megabytes * 1e6 / drain(client, query("select * from rows"))))
        size = times * drain(client, query("select * from rows"))
    for endpoint in (one for one in endpoints if one.name == "gateway"):
        for _ in range(options.repetitions):
            plain = None
            for table in ("rows", "rows_redact", "rows_keep_last", "rows_hash"):
                with connected(endpoint, options.tls) as client, Meter(endpoint) as meter:
                    drain(client, query(f"select r.* from generate_series(1, {times}) g, {table} r"))
                rate = size / 1e6 / meter.seconds
                plain = plain or rate
                yield table, endpoint.name, {"mb_s": rate, "of unmasked": rate / plain, "cpu_s_gb": meter.own * 1e9 / size}


def resident(pid):
    """Proportional set size in KiB, without what the process shares with others."""
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1])
    raise RuntimeError(f"no Pss for {pid}")


def idle(endpoints, options):
    """Memory of one idle session, after a query, in the proxy's own process."""
    for endpoint in endpoints:
        if not endpoint.pid:
            continue
        for tls in (False, True):
            with connected(endpoint, tls) as first:      # what the first session alone allocates is not per session
                first.one("select 1")
                before, held = resident(endpoint.pid), []
                try:
                    for _ in range(options.sessions):
                        held.append(connected(endpoint, tls))
                        held[-1].one("select 1")
                    time.sleep(1)
                    yield "with TLS" if tls else "without TLS", endpoint.name, {
                        "kib": (resident(endpoint.pid) - before) / options.sessions}
                finally:
                    for client in held:
                        client.close()
            time.sleep(1)


ALL = {"tps": tps, "bulk": bulk, "masked": masked, "connect": connect, "idle": idle}
