"""What mappers, drivers, browsers of databases and tools for reports send passes through the gateway as if it were not there.

The texts stand in tests/corpus/clients/*.sql, each file a session; where the programs themselves are at hand (SQLAlchemy, Django, pgcli,
psql, pg_dump, JDBC) they have stories of their own. Statements are parted by blank lines. Under one may stand `-- with: [...]` (its
parameters, as text), `-- varies` (values differ from one run to the next: only their number is compared), `-- text` (a type among its
columns has no binary form) and `-- fails: SQLSTATE` (on any server). Comments at the head of a file may say `-- as: writer` (who runs it)
and `-- text` (of all its statements). Where a direct connection shows a masked column, the mask stands."""

import json
import re
from dataclasses import dataclass

import pytest

from harness import shop
from harness.cluster import SUPERUSER, SUPERUSER_PASSWORD
from harness.wire import SYNC, Client, bind, describe, error_fields, execute, parse, query, row_values

pytestmark = pytest.mark.gateway_only


@dataclass
class Statement:
    """One text of a session, and what is known of it."""

    sql: str
    parameters: tuple = ()
    varies: bool = False
    text: bool = False
    fails: str = ""


@dataclass
class Recorded:
    """A session of a client: who runs it, and its statements."""

    name: str
    user: str
    statements: list


def recorded(path):
    user, always_text, statements = "reader", False, []
    for block in re.split(r"\n\s*\n", path.read_text(encoding="utf-8").strip()):
        notes = dict(re.findall(r"(?m)^-- (with|varies|text|fails|as)(?:: (.*))?$", block))
        sql = "\n".join(line for line in block.splitlines() if not line.startswith("--"))
        if sql:
            statements.append(Statement(sql, tuple(json.loads(notes.get("with", "[]"))), "varies" in notes, always_text or "text" in notes,
                                        notes.get("fails", "")))
        else:
            user, always_text = notes.get("as", user), always_text or "text" in notes
    return Recorded(path.stem, user, statements)


SESSIONS = [recorded(path) for path in sorted(shop.CLIENTS.glob("*.sql"))]


@pytest.fixture(scope="module")
def gateway(serve, target):
    return shop.start(serve, target)


def simple(client, statement):
    client.send(query(statement.sql))
    return client.messages()


def extended(client, statement, results=()):
    client.send(parse(statement.sql), bind([one.encode() for one in statement.parameters], results=results), describe(), execute(), SYNC)
    return client.messages()


def binary(client, statement):
    return extended(client, statement, () if statement.text else (1,))


ROADS = {"simple": simple, "extended": extended, "extended, binary": binary}


def on_road(road, statement):
    """Only the extended protocol takes parameters, only the simple one several statements in a text."""
    if statement.parameters and road == "simple":
        return extended
    return simple if ";" in statement.sql.rstrip("; \n") else ROADS[road]


def answer(messages, statement):
    """What a client learns: columns, rows, tags, errors and the transaction's state."""
    told = []
    for kind, body in messages:
        if kind == "D":
            told.append(("D", len(row_values(body))) if statement.varies else ("D", row_values(body)))
        elif kind == "E":
            fields = error_fields(body)
            told.append(("E", fields["C"], fields["M"]))
        elif kind in ("T", "C", "Z", "G", "H", "d", "t"):
            told.append((kind, body))
    return told


def with_masks(told):
    def shown(value):
        return value if value is None else shop.masked(value.decode("latin-1")).encode("latin-1")

    return [("D", [shown(value) for value in one[1]]) if one[0] == "D" and isinstance(one[1], list) else one for one in told]


@pytest.mark.parametrize("road", ROADS)
@pytest.mark.parametrize("session", SESSIONS, ids=lambda one: one.name)
def test_a_recorded_session(gateway, target, session, road):
    answers = []
    for client in (Client(target.address, user=SUPERUSER, password=SUPERUSER_PASSWORD, database=shop.DATABASE),
                   gateway.client(shop.DATABASE, session.user)):
        with client:
            answers.append([answer(on_road(road, one)(client, one), one) for one in session.statements])
    wrong = []
    for statement, direct, through in zip(session.statements, *answers):
        assert [one[1] for one in direct if one[0] == "E"] == ([statement.fails] if statement.fails else []), (statement.sql, direct)
        wanted = with_masks(direct)
        if through != wanted:
            different = [pair for pair in zip(wanted, through) if pair[0] != pair[1]][:2]
            wrong.append(f"{statement.sql}\n    wanted, got: {str(different)[:600]}")
    assert not wrong, "\n".join(wrong)


def test_the_corpus_is_read_whole():
    assert len(SESSIONS) >= 7 and sum(len(one.statements) for one in SESSIONS) > 200
    assert {one.user for one in SESSIONS} == {"reader", "writer"}
