"""The corpus of attacks and look-alikes: its reader, the roads a text can take to the target, and mutations that mean the same.

    for case in cases("blocked"):
        for road in case.roads:
            outcomes = run(client, case, road)              # one Outcome a step
        for mutation in mutations(case.sql, case.seed):
            outcome = send(client, mutation.text, road, cuts=mutation.cuts)

Nothing here judges: what an Outcome must be is its story's to say. A file is a map:

    about: what this class of attack is, and what must hold
    kind: blocked | masked | passes
    setup: SQL that the target's superuser runs beforehand
    roads, user, ...: defaults for the cases
    cases:
      - DROP TABLE users                # a text
      - sql: ...                        # or a map with a text, or with steps: texts and messages one after the other in one session
        name, roads, user, mutate       # user: whose policy; mutate: whether mutations apply
        parameters, data                # for $1 and so on; rows for COPY ... FROM STDIN
        rows, shows, effect             # expected rows; a query at the target whose answer stays
        works: false                    # blocked: PostgreSQL itself declines it, too
        unreadable: true                # blocked: any error is a refusal, for gateway or target cannot read the text
        varies: true                    # passes: the values differ from run to run"""

import itertools
import random
import re
import struct
import time
import zlib
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from .wire import COPY_DONE, SYNC, Closed, bind, close, describe, error_fields, execute, message, parse, query, row_values, text

ATTACKS = Path(__file__).resolve().parents[2] / "corpus" / "attacks"
KINDS = ("blocked", "masked", "passes")
STATEMENT_ROADS = ("simple", "extended", "prepared", "pipelined", "sql_prepare")


# ---- reading the corpus

@dataclass(frozen=True)
class Case:
    """One case of one file. options holds whatever keys the file gave it that have no field of their own."""

    name: str
    file: str
    about: str
    kind: str
    steps: tuple
    roads: tuple = STATEMENT_ROADS
    mutate: bool = True
    effect: str = None
    shows: list = None
    rows: list = None
    user: str = None
    parameters: tuple = ()
    data: str = ""
    options: dict = field(default_factory=dict)

    @property
    def sql(self):
        """The text of a case of one step."""
        assert len(self.steps) == 1, f"{self} has several steps"
        return self.steps[0]

    @property
    def seed(self):
        """The same in every run, another for every case."""
        return zlib.crc32(f"{self.file}: {self.name}".encode())

    def __str__(self):
        return f"{self.file}: {self.name}"


OWN_KEYS = {"sql", "steps", "name", "roads", "mutate", "effect", "shows", "rows", "user", "parameters", "data"}


def cases(kind_or_folder=None, folder=ATTACKS, fill=None):
    """The cases of a kind (or of all kinds), of a file by its stem, or of all files in a folder, in the order of the files.

    fill maps placeholders in texts to what they stand for: {"@directory@": "/tmp/x"}."""
    kind = kind_or_folder
    if isinstance(kind, Path):
        kind, folder = None, kind
    found = []
    for file in sorted(Path(folder).glob("*.yaml")):
        if kind is None or kind == file.stem or kind == kind_of(file):
            found += read_file(file, fill or {})
    assert found, f"no case of {kind or 'any kind'} in {folder}"
    return found


def kind_of(path):
    """The kind of a file, without reading its cases."""
    return re.search(r"^kind: *(\w+)", Path(path).read_text(encoding="utf-8"), re.MULTILINE).group(1)


def read_file(path, fill=None):
    """The cases of one file."""
    content = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    defaults = {key: value for key, value in content.items() if key not in ("about", "kind", "cases", "setup")}
    assert content["about"] and content["kind"] in KINDS, path
    made, names = [], set()
    for entry in content["cases"]:
        entry = {**defaults, **(entry if isinstance(entry, dict) else {"sql": entry})}
        assert ("sql" in entry) != ("steps" in entry) and all(re.fullmatch("[a-z_]+", key) for key in entry), (path, entry)
        steps = tuple(filled(step, fill or {}) for step in entry.get("steps", [entry.get("sql")]))
        name = entry.get("name") or shortened(entry.get("steps", [entry.get("sql")]))
        if name in names:
            name = next(f"{name} ({count})" for count in itertools.count(2) if f"{name} ({count})" not in names)
        names.add(name)
        made.append(Case(
            name=name, file=Path(path).stem, about=content["about"], kind=content["kind"], steps=steps,
            roads=tuple(entry.get("roads", STATEMENT_ROADS if "steps" not in entry else ("simple", "extended"))),
            mutate=entry.get("mutate", True) and len(steps) == 1 and isinstance(steps[0], str),
            effect=filled(entry.get("effect"), fill or {}), shows=entry.get("shows"), rows=entry.get("rows"), user=entry.get("user"),
            parameters=tuple(str(value) for value in entry.get("parameters", ())), data=entry.get("data", ""),
            options={key: value for key, value in entry.items() if key not in OWN_KEYS}))
    return made


def setups(kind, folder=ATTACKS, fill=None):
    """What the files of a kind want made in the sample database beforehand, by its superuser: (file's stem, SQL) each."""
    files = [file for file in sorted(Path(folder).glob("*.yaml")) if kind_of(file) == kind]
    found = [(file.stem, yaml.safe_load(file.read_text(encoding="utf-8")).get("setup")) for file in files]
    return [(stem, filled(sql, fill or {})) for stem, sql in found if sql]


def filled(value, fill):
    """The value with its placeholders put in, however deep it is."""
    if isinstance(value, list):
        return [filled(item, fill) for item in value]
    if isinstance(value, dict):
        return {key: filled(item, fill) for key, item in value.items()}
    for mark, meaning in fill.items():
        if isinstance(value, str):
            value = value.replace(mark, str(meaning))
        elif isinstance(value, bytes):
            value = value.replace(mark.encode(), str(meaning).encode())
    return value


def shortened(steps):
    """A name for a case without one: the end of its text tells more than the beginning when there are several steps."""
    words = " ; ".join(step if isinstance(step, str) else repr(step) for step in steps)
    words = re.sub(r"\s+", " ", words)
    return words if len(words) <= 90 else f"{words[:60]} ... {words[-25:]}"


# ---- what came back

@dataclass
class Outcome:
    """Everything the client received in answer to one text. closed: the peer ended the connection."""

    messages: list
    closed: bool = False

    @property
    def received(self):
        """Every byte of every message's body, rows and errors and notices and COPY data alike."""
        return b"\n".join(body for _, body in self.messages)

    @property
    def results(self):
        """The rows of each command that completed or began to answer, in order."""
        found, rows = [], []
        for kind, body in self.messages:
            if kind == "D":
                rows.append(row_values(body))
            elif kind in "CsI":
                found.append(rows)
                rows = []
        return found + ([rows] if rows else [])

    @property
    def rows(self):
        return [row_values(body) for kind, body in self.messages if kind == "D"]

    @property
    def shown(self):
        """The rows as the corpus writes them: text, None for NULL, bytes that are no UTF-8 as they are."""
        return [[shown_value(value) for value in row] for row in self.rows]

    @property
    def copied(self):
        return b"".join(body for kind, body in self.messages if kind == "d")

    @property
    def errors(self):
        return [error_fields(body) for kind, body in self.messages if kind == "E"]

    @property
    def notices(self):
        return [error_fields(body) for kind, body in self.messages if kind == "N"]

    @property
    def tags(self):
        """The tags of the commands that completed."""
        return [body[:-1].decode(errors="replace") for kind, body in self.messages if kind == "C"]

    @property
    def refused(self):
        """Whether the gateway's policy refused it."""
        return any(fields.get("C") == "42501" and "blocked by policy" in fields.get("M", "") for fields in self.errors)

    @property
    def failed(self):
        return self.closed or any(kind == "E" for kind, _ in self.messages)

    @property
    def status(self):
        """The state of the session behind it: I, T or E; empty for a closed one."""
        states = [body[:1].decode() for kind, body in self.messages if kind == "Z"]
        return "" if self.closed or not states else states[-1]


def shown_value(value):
    if value is None:
        return None
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value


def joined(outcomes):
    """Several outcomes as one."""
    return Outcome([item for outcome in outcomes for item in outcome.messages], any(outcome.closed for outcome in outcomes))


# ---- roads

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


# ---- reading a text as PostgreSQL's scanner does

KEYWORDS = frozenset("""
abort absolute access action add admin after aggregate all also alter always analyse analyze and any array as asc asensitive assertion
assignment asymmetric at atomic attach attribute authorization backward before begin between bigint binary bit boolean both breadth by cache
call called cascade cascaded case cast catalog chain char character characteristics check checkpoint class close cluster coalesce collate
collation column columns comment comments commit committed compression concurrently configuration conflict connection constraint constraints
content continue conversion copy cost create cross csv cube current current_catalog current_date current_role current_schema current_time
current_timestamp current_user cursor cycle data database day deallocate dec decimal declare default defaults deferrable deferred definer
delete delimiter delimiters depends depth desc detach dictionary disable discard distinct do document domain double drop each else enable
encoding encrypted end enum escape event except exclude excluding exclusive execute exists explain expression extension external extract
false family fetch filter finalize first float following for force foreign forward freeze from full function functions generated global
grant granted greatest group grouping groups handler having header hold hour identity if ilike immediate immutable implicit import in
include including increment index indexes inherit inherits initially inline inner inout input insensitive insert instead int integer
intersect interval into invoker is isnull isolation join key label language large last lateral leading leakproof least left level like
limit listen load local localtime localtimestamp location lock locked logged mapping match matched materialized maxvalue merge method
minute minvalue mode month move name names national natural nchar new next nfc nfd nfkc nfkd no none normalize normalized not nothing
notify notnull nowait null nullif nulls numeric object of off offset oids old on only operator option options or order ordinality others
out outer over overlaps overlay overriding owned owner parallel parameter parser partial partition passing password placing plans policy
position preceding precision prepare prepared preserve primary prior privileges procedural procedure procedures program publication quote
range read real reassign recheck recursive ref references referencing refresh reindex relative release rename repeatable replace replica
reset restart restrict return returning returns revoke right role rollback rollup routine routines row rows rule savepoint schema schemas
scroll search second security select sequence sequences serializable server session session_user set setof sets share show similar simple
skip smallint snapshot some sql stable standalone start statement statistics stdin stdout storage stored strict strip subscription
substring support symmetric sysid system table tables tablesample tablespace temp template temporary text then ties time timestamp to
trailing transaction transform treat trigger trim true truncate trusted type types uescape unbounded uncommitted unencrypted union unique
unknown unlisten unlogged until update user using vacuum valid validate validator value values varchar variadic varying verbose version
view views volatile when where whitespace window with within without work wrapper write xml xmlattributes xmlconcat xmlelement xmlexists
xmlforest xmlnamespaces xmlparse xmlpi xmlroot xmlserialize xmltable year yes zone
""".split())

TOKEN = re.compile(r"""
    (?P<space>[ \t\n\r\f]+) | (?P<remark>--[^\n\r]*) | (?P<remark_open>/\*)
  | (?P<escaped>[eE]'(?:[^'\\]|''|\\.)*') | (?P<string>(?:[bBxXnN]|[uU]&)?'(?:[^']|'')*')
  | (?P<dollar>\$(?P<tag>(?:[A-Za-z_\x80-\U0010ffff][A-Za-z0-9_\x80-\U0010ffff]*)?)\$.*?\$(?P=tag)\$)
  | (?P<quoted>(?:[uU]&)?"(?:[^"]|"")+") | (?P<parameter>\$\d+) | (?P<word>[A-Za-z_\x80-\U0010ffff][A-Za-z0-9_$\x80-\U0010ffff]*)
  | (?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?) | (?P<cast>::|:=|\.\.)
  | (?P<operator>(?:(?!--|/\*)[~!@\#^&|`?+\-*/%<>=])+) | (?P<other>.)
""", re.VERBOSE | re.DOTALL)
BLANK = ("space", "remark")


def scanned(sql):
    """All tokens with their kinds, white space and comments included; the texts joined are sql."""
    at, found = 0, []
    while at < len(sql):
        match = TOKEN.match(sql, at)
        kind, end = match.lastgroup, match.end()
        if kind == "tag" or match.group("dollar"):
            kind = "dollar"
        if kind == "remark_open":
            kind, depth = "remark", 1
            while depth and end < len(sql):
                step = 2 if sql[end:end + 2] in ("/*", "*/") else 1
                depth += {"/*": 1, "*/": -1}.get(sql[end:end + 2], 0)
                end += step
        found.append((sql[at:end], kind))
        at = end
    return found


def tokens(sql):
    """The tokens a parser sees."""
    return [token for token in scanned(sql) if token[1] not in BLANK]


def first_word(sql):
    if not isinstance(sql, str):
        return None
    return next((token.lower() for token, kind in tokens(sql) if token != "("), None)


VERBS = ("select", "values", "table", "insert", "update", "delete", "merge")


def main_verb(sql):
    """What the first statement is in the end: of WITH the verb behind the common table expressions; else its first word."""
    seen = tokens(sql)
    while seen and seen[0][0] in ("(", ";"):
        seen = seen[1:]
    if not seen or seen[0][0].lower() != "with":
        return seen[0][0].lower() if seen else None
    depth = 0
    for token, kind in seen:
        depth += {"(": 1, ")": -1}.get(token, 0)
        if depth == 0 and kind == "word" and token.lower() in VERBS:
            return token.lower()
        if depth < 0:
            return None
    return None


def literal(value):
    return "'" + value.replace("'", "''") + "'"


# ---- mutations

@dataclass(frozen=True)
class Mutation:
    """A text that means the same. how: what was done; cuts: where its bytes are cut for TCP; several: it has other statements beside."""

    text: str
    how: str
    cuts: tuple = ()
    several: bool = False

    def goes(self, road):
        """Whether it can go a road: only the simple query takes several statements."""
        return fits(road, self.text) and (not self.several or road == "simple")


REMARKS = ["/**/", "/* x */", "/* one /* two */ three */", "/* ' */", '/* " $$ -- */', "/*;*/", "/*\n*/", "-- x\n", "--\r", "-- ' /* \"\n",
           "--;$$\n", "/*+ hint */"]
SPACES = ["\t", "\n", "\r\n", "\f", "  ", "\r", " \t\f\n "]


def mutations(sql, seed, count=4, wrap=False, nest=False, several=True, public=()):
    """count different texts that PostgreSQL 15 reads as the same statement, the same ones for the same seed.

    wrap: also inside EXPLAIN ANALYZE, a CTE or a DO block (the effect stays, the answer does not). nest: also inside a subquery that
    gives the same rows. several: also beside other statements (simple query only). public: names of tables of that schema, to qualify."""
    generator = random.Random(seed)
    made = {}
    for _ in range(count * 6):
        if len(made) >= count:
            break
        mutation = mutated(sql, generator, wrap, nest, several, public)
        if mutation.text != sql:
            made.setdefault(mutation.text, mutation)
    return list(made.values())


def mutated(sql, generator, wrap, nest, several, public):
    """One mutation: a wrapping or none, then some ways of writing, then cuts."""
    done, beside = [], False
    frames = [frame for frame in (wrappings(sql) if wrap else {}).items()] + [frame for frame in (nestings(sql) if nest else {}).items()]
    if frames and generator.random() < 0.3:
        name, sql = generator.choice(frames)
        done.append(name)
    if several and not has_parameters(sql) and generator.random() < 0.12:
        name, sql, beside = generator.choice([("before", f"SELECT 1; {sql}", True), ("empty", f";;{sql};", True)])
        done.append(name)
    pieces = scanned(sql)
    ways = [("qualified", lambda items: qualified(items, generator, public)),
            ("parentheses", lambda items: parenthesised(items, generator)),
            ("strings", lambda items: restrung(items, generator)), ("quotes", lambda items: requoted(items, generator)),
            ("case", lambda items: recased(items, generator)), ("blanks", lambda items: respaced(items, generator))]
    chosen = generator.sample(range(len(ways)), generator.randint(1, len(ways)))
    for at in sorted(chosen):
        changed = ways[at][1](pieces)
        done += [ways[at][0]] if changed != pieces else []
        pieces = changed
    words = "".join(token for token, _ in pieces)
    if not beside and generator.random() < 0.15:
        words, done = words + "\n;", done + ["semicolon"]
    cuts = ()
    if generator.random() < 0.4:
        cuts = tuple(generator.random() for _ in range(generator.randint(1, 4)))
        done.append("segments")
    return Mutation(words, ", ".join(done), cuts, beside)


def wrappings(sql):
    """Other statements with the same effect."""
    body, verb = sql.rstrip().rstrip(";"), main_verb(sql)
    if ";" in [token for token, _ in tokens(body)] or has_parameters(sql):
        return {}
    if verb in ("insert", "update", "delete", "merge"):
        frames = {"explained": f"EXPLAIN (ANALYZE, COSTS off) {body}"}
        if verb != "merge" and first_word(body) != "with":
            frames["in a CTE"] = f"WITH w AS ({body}\n) SELECT 1"
    elif verb in ("drop", "truncate", "alter"):
        frames = {}
    else:
        return {}
    if not re.search(r"\b(concurrently|database|tablespace|system|subscription|returning)\b", body, re.IGNORECASE):
        frames["in a DO block"] = f"DO $do_1$ BEGIN {body}\n; END $do_1$"
    return frames


def nestings(sql):
    """Other statements that give the same rows."""
    body = sql.rstrip().rstrip(";")
    if main_verb(sql) not in ("select", "values", "table") or ";" in [token for token, _ in tokens(body)]:
        return {}
    words = [token.lower() for token, kind in tokens(body) if kind == "word"]
    if {"into", "insert", "update", "delete", "merge"} & set(words):
        return {}
    return {"in a subquery": f"SELECT * FROM ({body}\n) w", "as a CTE": f"WITH w AS ({body}\n) TABLE w",
            "as a materialized CTE": f"WITH w AS MATERIALIZED ({body}\n) SELECT * FROM w"}


def has_parameters(sql):
    return any(kind == "parameter" for _, kind in tokens(sql))


def recased(pieces, generator):
    """Keywords and names that stand in no quotes, in any case."""
    def any_case(token):
        return "".join(letter.upper() if generator.random() < 0.5 else letter.lower() for letter in token)

    return [(any_case(token) if kind == "word" and token.isascii() else token, kind) for token, kind in pieces]


def requoted(pieces, generator):
    """Names that are no keywords in quotes, plain or with escapes of Unicode."""
    out = []
    for at, (token, kind) in enumerate(pieces):
        plain = kind == "word" and token.isascii() and token.lower() not in KEYWORDS
        if kind == "quoted" and token[0] == '"' and token.isascii() and "\\" not in token and not followed(pieces, at, "uescape"):
            plain, token = True, token[1:-1].replace('""', '"')
        elif plain:
            token = token.lower()
        if not plain or (kind == "word" and generator.random() < 0.35):
            out.append((f'"{token}"' if plain and kind == "quoted" else pieces[at][0], kind))
        elif generator.random() < 0.5:
            out.append(('"' + token.replace('"', '""') + '"', "quoted"))
        else:
            out.append((unicode_escaped(token, generator, '"', followed_by_string(pieces, at)), "quoted"))
    return out


def unicode_escaped(value, generator, quote, backslash=False):
    """U&"..." or U&'...', some characters as escapes; now and then, unless it must be the backslash, with another escape character."""
    mark = generator.choice(["\\", "\\", "!"]) if "!" not in value and not backslash else "\\"
    letters = []
    for letter in value:
        if letter in (mark, "\\") or generator.random() < 0.3:
            short = ord(letter) < 0x10000 and generator.random() < 0.7
            letters.append(f"{mark}{ord(letter):04x}" if short else f"{mark}+{ord(letter):06X}")
        else:
            letters.append(letter * 2 if letter == quote else letter)
    return f"U&{quote}{''.join(letters)}{quote}" + ("" if mark == "\\" else f" UESCAPE '{mark}'")


def followed(pieces, at, word):
    """Whether the next token that counts is that one."""
    return next((token.lower() for token, kind in pieces[at + 1:] if kind not in BLANK), None) == word


def followed_by_string(pieces, at):
    """Whether a string comes next: behind UESCAPE '!' and a line break it would continue that one."""
    return next((kind in ("string", "escaped") for _, kind in pieces[at + 1:] if kind not in BLANK), False)


def restrung(pieces, generator):
    """String constants in another of PostgreSQL's ways to write them."""
    counting = [at for at, (_, kind) in enumerate(pieces) if kind not in BLANK]
    out = list(pieces)
    for before, at, after in zip([None, *counting], counting, counting[1:] + [None]):
        token, kind = pieces[at]
        beside = [pieces[place] for place in (before, after) if place is not None]
        if any(near in ("string", "escaped") or word.lower() == "uescape" for word, near in beside) or generator.random() < 0.25:
            continue
        if kind == "dollar":
            value = token[token.index("$", 1) + 1:token.rindex("$", 0, len(token) - 1)]
        elif kind == "string" and token[0] == "'":
            value = token[1:-1].replace("''", "'")
        else:
            continue
        out[at] = restrung_value(value, generator)
    return out


def restrung_value(value, generator):
    way = generator.choice(["plain", "escaped", "unicode", "dollar"])
    if way == "escaped":
        def letter(one):
            if one == "\\":
                return "\\\\"
            if one == "'":
                return generator.choice(["''", "\\x27", "\\047"])
            if generator.random() < 0.3:
                return f"\\u{ord(one):04x}" if ord(one) < 0x10000 else f"\\U{ord(one):08x}"
            return one
        return f"E'{''.join(letter(one) for one in value)}'", "escaped"
    if way == "unicode":
        return unicode_escaped(value, generator, "'"), "string"
    if way == "dollar":
        tag = next(tag for tag in generator.sample(["", "x", "body", "_q1", "Ä", "z9z", "long_tag"], 7) if f"${tag}" not in value)
        if not value.endswith("$"):
            return f"${tag}${value}${tag}$", "dollar"
    return literal(value), "string"


GLUE = ("operator", "cast", "other", "number", "parameter", "dollar")


def respaced(pieces, generator):
    """Comments and other white space between tokens. Adjacent strings keep what joins them, or parts them, as it is."""
    counting = [(at, item) for at, item in enumerate(pieces) if item[1] not in BLANK]
    if not counting:
        return pieces
    out = list(pieces[:counting[0][0]])
    if generator.random() < 0.3:
        out.append((generator.choice(SPACES + ["/* x */", "-- x\n"]), "space"))
    for (at, (token, kind)), following in zip(counting, counting[1:] + [None]):
        out.append((token, kind))
        if following is None:
            out += pieces[at + 1:]
            break
        old = "".join(blank for blank, _ in pieces[at + 1:following[0]])
        strings = ("string", "escaped")
        if (kind in strings and following[1][1] in strings) or generator.random() < 0.45:
            out.append((old, "space"))
            continue
        if not old and generator.random() < 0.6:
            out.append(("", "space"))
            continue
        new = generator.choice(SPACES) if generator.random() < 0.5 else generator.choice(REMARKS)
        if kind in GLUE or following[1][1] in GLUE:
            new = f" {new} "
        out.append((new, "space"))
    return out


def parenthesised(pieces, generator):
    """Another pair of parentheses around subqueries, and around the statement where it is a SELECT."""
    twice = set()
    counting = [at for at, (_, kind) in enumerate(pieces) if kind not in BLANK]
    for before, at in zip(counting, counting[1:]):
        if pieces[before][0] != "(" or pieces[at][0].lower() not in ("select", "values", "with") or generator.random() < 0.4:
            continue
        end = closing(pieces, before)
        if end is not None and main_verb("".join(token for token, _ in pieces[at:end])) in ("select", "values"):
            twice |= {before, end}
    out = [piece for at, piece in enumerate(pieces) for _ in range(1 + (at in twice))]
    words = [token.lower() for token, kind in pieces if kind not in BLANK]
    alone = words and words[0] in ("select", "values", "with") and ";" not in words and "into" not in words
    if alone and main_verb("".join(token for token, _ in pieces)) in ("select", "values") and generator.random() < 0.6:
        return [("(", "other"), *out, ("\n", "space"), (")", "other")]
    return out


def closing(pieces, opening):
    """Where the parenthesis that stands at opening is closed."""
    depth = 0
    for at in range(opening, len(pieces)):
        depth += {"(": 1, ")": -1}.get(pieces[at][0], 0)
        if depth == 0:
            return at
    return None


BEFORE_A_TABLE = ("from", "join", "into", "update", "only", "table", "truncate")


def qualified(pieces, generator, public):
    """Tables of the schema public with their schema. A name that the text itself gives to a common table expression stays."""
    sql = "".join(token for token, _ in pieces)
    out, last = [], ("", "")
    for at, (token, kind) in enumerate(pieces):
        if kind in BLANK:
            out.append((token, kind))
            continue
        name = token.strip('"')
        eligible = kind in ("word", "quoted") and last[0].lower() in BEFORE_A_TABLE and name in public and not followed(pieces, at, ".")
        if eligible and generator.random() < 0.7 and not re.search(rf"\b{re.escape(name)}\b\"?\s*(\([^)]*\))?\s*as\b", sql, re.IGNORECASE):
            out += [("public", "word"), (".", "other")]
        out.append((token, kind))
        last = (token, kind)
    return out
