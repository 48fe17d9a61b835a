"""The roads a text can take to the target: simple, extended, prepared, pipelined, by PREPARE, by COPY, or as messages a case spells out."""

import itertools
import struct
import time

from .outcome import Outcome, joined
from .scanner import first_word, literal, main_verb, tokens
from .wire import COPY_DONE, SYNC, Closed, bind, close, describe, execute, message, parse, query, text

STATEMENT_ROADS = ("simple", "extended", "prepared", "pipelined", "sql_prepare")


def exchange(client, data, readies=1, cuts=(), copy_data=b"", in_extended=False):
    """Sends bytes, cut into segments at those fractions of their length, and collects the answer to that many Syncs or queries.

    A COPY ... FROM STDIN that is let in gets copy_data."""
    places = sorted({int(len(data) * cut) for cut in cuts} - {0})
    messages = []
    try:
        for begin, end in itertools.pairwise([0, *places, len(data)]):
            client.send(data[begin:end])
            if end < len(data):
                time.sleep(0.001)
        while readies:
            messages.append(client.receive())
            if messages[-1][0] == "Z":
                readies -= 1
            elif messages[-1][0] == "G":
                client.send(message(b"d", copy_data) if copy_data else b"", COPY_DONE, SYNC if in_extended else b"")
    except (Closed, ConnectionError):
        return Outcome(messages, closed=True)
    return Outcome(messages)


NUMBERS = itertools.count(1)


def by_simple(client, sql, **rest):
    return exchange(client, query(sql), cuts=rest["cuts"], copy_data=rest["data"])


def by_extended(client, sql, **rest):
    parts = [parse(sql), bind(rest["parameters"], results=rest["results"]), describe(), execute(), SYNC]
    return exchange(client, b"".join(parts), cuts=rest["cuts"], copy_data=rest["data"], in_extended=True)


def by_prepared(client, sql, **rest):
    """Parse under a name; then, whatever became of it, Bind and Execute of that name."""
    name = f"s{next(NUMBERS)}"
    first = exchange(client, parse(sql, name) + describe("S", name) + SYNC, cuts=rest["cuts"])
    if first.closed:
        return first
    parts = [bind(rest["parameters"], name, results=rest["results"]), describe(), execute(), close("S", name), SYNC]
    return joined([first, exchange(client, b"".join(parts), copy_data=rest["data"], in_extended=True)])


def by_pipelined(client, sql, **rest):
    """Between honest statements, all behind one Sync. The outcome has the answer of the text itself only."""
    honest = parse("SELECT 'honest'") + bind() + execute()
    own = parse(sql) + bind(rest["parameters"], results=rest["results"]) + describe() + execute()
    whole = exchange(client, honest * 2 + own + honest + SYNC, cuts=rest["cuts"], copy_data=rest["data"], in_extended=True)
    ends = [at for at, (kind, _) in enumerate(whole.messages) if kind in "CsIE"]
    if len(ends) < 2 or any(whole.messages[at][0] == "E" for at in ends[:2]):
        return whole
    last = ends[3:] and whole.messages[ends[3]][0] == "C"
    answer = [item for at, item in enumerate(whole.messages) if at > ends[1] and not (last and ends[2] < at <= ends[3])]
    return Outcome(answer, whole.closed)


def by_sql_prepare(client, sql, **rest):
    """PREPARE; then, whatever became of it, EXECUTE."""
    name = f"q{next(NUMBERS)}"
    prefix, suffix = f"PREPARE {name} AS ", f"EXECUTE {name}"
    if rest["parameters"]:
        suffix += "(" + ", ".join("NULL" if value is None else literal(value.decode()) for value in rest["parameters"]) + ")"
    body = sql if isinstance(sql, bytes) else sql.encode()
    first = exchange(client, query(prefix.encode() + body), cuts=rest["cuts"])
    return first if first.closed else joined([first, exchange(client, query(suffix))])


def by_copy(options):
    """The rows of a text by COPY (text) TO STDOUT; a text that is a COPY goes as it is."""
    def road(client, sql, **rest):
        if first_word(sql) != "copy":
            sql = f"COPY ({sql.rstrip().rstrip(';')}\n) TO STDOUT{options}"
        return exchange(client, query(sql), cuts=rest["cuts"], copy_data=rest["data"])
    return road


ROADS = {
    "simple": by_simple, "extended": by_extended, "prepared": by_prepared, "pipelined": by_pipelined, "sql_prepare": by_sql_prepare,
    "copy": by_copy(""), "copy_csv": by_copy(" (FORMAT csv)"), "copy_binary": by_copy(" (FORMAT binary)"),
}


def fits(road, sql):
    """Whether a text can go that road at all."""
    if road not in ("sql_prepare", "copy", "copy_csv", "copy_binary"):
        return True
    if not isinstance(sql, str) or first_word(sql) is None or ";" in [token for token, _ in tokens(sql)][:-1]:
        return False
    return main_verb(sql) in ("select", "values", "table", "insert", "update", "delete", "merge") or (
        road == "copy" and first_word(sql) == "copy")


def send(client, sql, road="simple", parameters=(), results=(), cuts=(), data=""):
    """One text by one road. parameters are text values (None: NULL), results the formats asked for in Bind."""
    values = [value.encode() if isinstance(value, str) else value for value in parameters]
    return ROADS[road](client, sql, parameters=values, results=results, cuts=cuts, data=data.encode() if isinstance(data, str) else data)


def run(client, case, road, results=()):
    """The steps of a case one after the other: an Outcome for each until the connection ends.

    A step is a text, or a map {send: [message, ...]} of protocol messages (see spoken)."""
    outcomes = []
    for step in case.steps:
        if isinstance(step, dict):
            outcomes.append(spoken(client, step["send"], step.get("readies")))
        else:
            by = road if fits(road, step) else "simple"
            outcomes.append(send(client, step, by, case.parameters if len(case.steps) == 1 else (), results, data=case.data))
        if outcomes[-1].closed:
            break
    return outcomes


WORDS = {
    "query": query, "parse": parse, "describe": describe, "close": close,
    "bind": lambda statement="", *values, portal="": bind([str(value).encode() for value in values], statement, portal),
    "bind_portal": lambda portal, statement="", *values: bind([str(value).encode() for value in values], statement, portal),
    "execute": lambda portal="", rows=0: execute(rows, portal),
    "function": lambda oid, *values: message(
        b"F", struct.pack("!IHH", int(oid), 0, len(values)),
        *[struct.pack("!I", len(str(value).encode())) + str(value).encode() for value in values], struct.pack("!H", 0)),
    "copy_data": lambda value: message(b"d", text(value)[:-1]), "copy_done": lambda: COPY_DONE, "sync": lambda: SYNC,
    "flush": lambda: message(b"H"), "hex": bytes.fromhex,
}


def spoken(client, said, readies=None):
    """Protocol messages as a case writes them: [[parse, "DROP TABLE x", name], [bind, name], [execute], [sync]].

    They are sent in one piece; as many ReadyForQuery are waited for as there are messages that ask for one, or as the case says."""
    words = [[item] if isinstance(item, str) else item for item in said]
    data = b"".join(WORDS[word](*rest) for word, *rest in words)
    return exchange(client, data, readies or sum(word in ("query", "sync", "function") for word, *_ in words))


def drained(client, seconds=0.05):
    """What still comes within that time: notifications, late parameter status."""
    left, before = b"", client.socket.gettimeout()
    client.socket.settimeout(seconds)
    try:
        while True:
            more = client.socket.recv(65536)
            if not more:
                break
            left += more
    except OSError:
        pass
    finally:
        client.socket.settimeout(before)
    left, client.buffer = client.buffer + left, b""
    return left
