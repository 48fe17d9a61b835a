"""The corpus of attacks: each is refused on every road and leaves the target as it was, and what only looks like one passes.

The target's role is a superuser, so that nothing but the gateway stands in the way. alice may read; bob may read, insert and update.
Run against the target itself (SALLYPORT_TEST_DIRECT) the same cases are validated instead: an attack really works there."""

import json
import os
import random

import pytest

from harness import corpus, featurestore
from harness.cluster import SUPERUSER, SUPERUSER_PASSWORD
from harness.fixtures import DIRECT
from harness.gateway import connection
from harness.mutations import mutations
from harness.outcome import joined
from harness.processes import own_by_server_user
from harness.roads import fits, run, send
from harness.wire import Client, Closed

TARGET_SETTINGS = {"autovacuum": "off", "wal_level": "logical", "max_prepared_transactions": "5", "max_replication_slots": "5",
                   "max_connections": "100", "shared_preload_libraries": "pg_stat_statements"}

POLICY = """\
  - name: readers read
    who: {groups: [analysts]}
    connections: [featurestore, clerks]
    rules:
      - {allow: {sql: [read]}}
  - name: writers write
    who: {groups: [guests]}
    connections: [featurestore]
    rules:
      - {allow: {sql: [read, insert, update]}}
      - {deny: {sql: [destructive, opaque, code, server_file, remote, identity, admin_function]}}
"""
USERS = {"reader": ("alice",), "writer": ("bob",), "both": ("alice", "bob"), "clerk": ("alice@clerks",)}

PLANTED = b"planted-in-a-file-of-the-server"
MUTATIONS = 4
PUBLIC = ("users", "cards", "orders", "ranking_scores", "scratch", "contacts")

EXTENSIONS = """
citext pg_trgm hstore uuid-ossp pgcrypto ltree intarray fuzzystrmatch unaccent tablefunc btree_gist cube earthdistance dblink postgres_fdw
file_fdw xml2 adminpack lo pg_prewarm pg_stat_statements pageinspect pg_surgery pg_visibility amcheck pg_walinspect seg dict_int refint
autoinc moddatetime
""".split()

# What stands in the cluster outside the sample database; made again when an attack got through.
CLUSTER_WIDE = """
DROP DATABASE IF EXISTS loot
DROP DATABASE IF EXISTS gone
DROP TABLESPACE IF EXISTS loot
DROP ROLE IF EXISTS intruder
SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE NOT active
SELECT pg_create_physical_replication_slot('kept')
SELECT pg_replication_origin_drop(roname) FROM pg_replication_origin
DO 'BEGIN CREATE ROLE victim; EXCEPTION WHEN duplicate_object THEN NULL; END'
DO 'BEGIN CREATE ROLE clerk; EXCEPTION WHEN duplicate_object THEN NULL; END'
DO 'BEGIN CREATE ROLE team; EXCEPTION WHEN duplicate_object THEN NULL; END'
ALTER ROLE clerk LOGIN NOSUPERUSER NOCREATEROLE NOCREATEDB NOREPLICATION PASSWORD 'clerk-secret'
ALTER ROLE clerk RESET ALL
REVOKE victim, postgres, pg_read_server_files FROM clerk, team
REVOKE clerk, victim FROM team
GRANT team TO clerk
REVOKE SET ON PARAMETER work_mem FROM clerk
""".strip().split("\n")
SAMPLE = """
CREATE DATABASE featurestore TEMPLATE pristine STRATEGY wal_log
ALTER DATABASE featurestore SET lock_timeout = '5s'
ALTER DATABASE featurestore SET statement_timeout = '20s'
""".strip().split("\n")
SUBSCRIPTION = ("CREATE SUBSCRIPTION sub CONNECTION 'host=127.0.0.1 port=1' PUBLICATION x "
                "WITH (connect = false, slot_name = NONE, enabled = false, create_slot = false)")


def administrator(target, database="postgres"):
    return Client(target.address, user=SUPERUSER, password=SUPERUSER_PASSWORD, database=database, limit=60)


def said(client, *statements):
    for sql in statements:
        outcome = send(client, sql)
        assert not outcome.failed, (sql, outcome.errors)


def make_again(target):
    """The sample database as it was, and what attacks touch outside it."""
    server = target.root / "files"
    server.mkdir(exist_ok=True)
    (server / "space").mkdir(exist_ok=True)
    with administrator(target) as client:
        own = target.data / "postgresql.auto.conf"
        if not hasattr(target, "own_settings"):
            target.own_settings = own.read_text()
        if own.read_text() != target.own_settings:
            own.write_text(target.own_settings)
            own_by_server_user(own)
            said(client, "SELECT pg_reload_conf()")
        if client.one("SELECT count(*) FROM pg_database WHERE datname = 'featurestore'") == "1":
            forget_the_sample(target, client)
        said(client, *CLUSTER_WIDE, *SAMPLE)
        if client.one("SELECT count(*) FROM pg_database WHERE datname = 'spare'") == "0":
            said(client, "CREATE DATABASE spare TEMPLATE template0")
        said(client, "ALTER DATABASE spare CONNECTION LIMIT -1")
    with administrator(target, "featurestore") as client:
        said(client, SUBSCRIPTION)
    for file in server.iterdir():
        if file.is_file():
            file.unlink()
    (server / "secret.txt").write_bytes(PLANTED + b"\n")
    (server / "rows.csv").write_text("1,one\n2,two\n")
    for file in (server, *server.iterdir()):
        own_by_server_user(file)


def forget_the_sample(target, client):
    """A database with subscriptions or prepared transactions cannot be dropped."""
    with administrator(target, "featurestore") as inside:
        subscriptions = [row[0] for row in send(inside, "SELECT subname FROM pg_subscription").shown]
        for name in subscriptions:
            said(inside, f"ALTER SUBSCRIPTION {name} DISABLE", f"ALTER SUBSCRIPTION {name} SET (slot_name = NONE)",
                 f"DROP SUBSCRIPTION {name}")
        for row in send(inside, "SELECT gid FROM pg_prepared_xacts").shown:
            said(inside, f"ROLLBACK PREPARED '{row[0]}'")
    said(client, "DROP DATABASE featurestore WITH (FORCE)")


def make_pristine(target):
    with administrator(target) as client:
        said(client, *CLUSTER_WIDE)
    target.database("pristine")
    target.psql(featurestore.SCHEMA + "".join(f'CREATE EXTENSION "{name}";' for name in EXTENSIONS), "pristine")
    for file, sql in corpus.setups("blocked", fill=places(target)) + corpus.setups("passes", fill=places(target)):
        if not file.startswith(("blocked_", "passes_")):
            continue
        try:
            target.psql(sql, "pristine")
        except AssertionError as error:
            raise AssertionError(f"the setup of {file}: {error}") from None


def places(target):
    """What the marks in the texts of the corpus stand for."""
    return {"@files@": target.root / "files", "@port@": target.port, "@password@": SUPERUSER_PASSWORD}


# ---- the state of the target

CATALOGUES = """
pg_proc pg_type pg_namespace pg_class pg_attribute pg_attrdef pg_constraint pg_index pg_trigger pg_rewrite pg_policy pg_operator pg_cast
pg_collation pg_conversion pg_opclass pg_opfamily pg_amop pg_amproc pg_aggregate pg_am pg_language pg_extension pg_event_trigger
pg_ts_config pg_ts_config_map pg_ts_dict pg_ts_parser pg_ts_template pg_foreign_data_wrapper pg_foreign_server pg_foreign_table
pg_user_mapping pg_publication pg_publication_rel pg_publication_namespace pg_subscription pg_statistic_ext pg_transform pg_default_acl
pg_description pg_shdescription pg_seclabel pg_shseclabel pg_largeobject pg_largeobject_metadata pg_sequence pg_inherits
pg_partitioned_table pg_range pg_enum pg_authid pg_auth_members pg_database pg_tablespace pg_db_role_setting pg_parameter_acl
pg_replication_slots pg_prepared_xacts pg_replication_origin
""".split()
LASTING = {"pg_class": "relpersistence <> 't' AND relnamespace::regnamespace::text !~ '^pg_toast_temp'",
           "pg_namespace": "nspname !~ '^pg_(toast_)?temp'",
           "pg_type": "typnamespace::regnamespace::text !~ '^pg_(toast_)?temp'",
           "pg_attribute": "attrelid >= 16384 AND attrelid IN (SELECT oid FROM pg_class WHERE relpersistence <> 't')"}
VIEWS = {"pg_replication_slots": "slot_name || slot_type", "pg_prepared_xacts": "gid", "pg_replication_origin": "roname"}
# A row that was changed has another xmin and another place.
PRINT = "format('%s %s', count(*), sum(hashtextextended({}, 0)))"
ROWS = PRINT.format("concat(t.xmin, t.ctid)")
RELATIONS = f"""
SELECT string_agg(format('SELECT %L, %s FROM ONLY %s t', name,
                         CASE relkind WHEN 'S' THEN 't.last_value::text || t.is_called' ELSE $${ROWS}$$ END, name), ' UNION ALL ')
FROM pg_class, concat(relnamespace::regnamespace, '.', quote_ident(relname)) name
WHERE relkind IN ('r', 'm', 'S') AND relpersistence <> 't' AND relispopulated
AND relnamespace::regnamespace::text NOT IN ('pg_catalog', 'information_schema', 'pg_toast')
"""


class Watch:
    """Tells what of the target changed since the last look, by a session of its own and a bystander whom nobody may end."""

    def __init__(self, target):
        self.target, self.session, self.bystander = target, None, None
        self.catalogues = " UNION ALL ".join(
            f"SELECT '{name}', {PRINT.format(VIEWS[name]) if name in VIEWS else ROWS} FROM {name} t"
            + (f" WHERE {LASTING[name]}" if name in LASTING else "") for name in CATALOGUES)
        self.begin()

    def connect(self, name):
        return Client(self.target.address, user=SUPERUSER, password=SUPERUSER_PASSWORD, database="featurestore",
                      extra=(("application_name", name), ("search_path", "pg_catalog"), ("statement_timeout", "60s")))

    def begin(self):
        """Takes the present state for the right one."""
        for client in (self.session, self.bystander):
            if client:
                client.close()
        self.session, self.bystander = self.connect("watch"), self.connect("bystander")
        self.right = self.look()

    def look(self, session=None):
        """The state of the target as a session sees it, by name of what has a state."""
        session = session or self.session
        relations = session.one(RELATIONS)
        found = session.one(f"SELECT json_object_agg(a, b) FROM ({self.catalogues} UNION ALL {relations}) s(a, b)")
        assert found.startswith("{"), found
        state = json.loads(found)
        files = sorted((self.target.root / "files").rglob("*"))
        state["files"] = [(str(file), file.read_text(errors="replace") if file.is_file() else "") for file in files]
        state["settings"] = (self.target.data / "postgresql.auto.conf").read_text(errors="replace")
        return state

    def changed(self, session=None):
        """Names of what is not as it was."""
        try:
            if not self.bystander.alive():
                return ["another session was ended"]
            now = self.look(session)
        except (AssertionError, OSError, Closed) as error:
            return [f"the database cannot be read: {error!r}"]
        return sorted(name for name in {*now, *self.right} if now.get(name) != self.right.get(name))

    def mend(self):
        for client in (self.session, self.bystander):
            client.close()
        make_again(self.target)
        self.begin()


# ---- running the cases

class Sessions:
    """One connection for each user, opened again when it ended or was left in a transaction."""

    def __init__(self, connect):
        self.connect, self.open = connect, {}

    def of(self, user):
        if user not in self.open:
            self.open[user] = self.connect(user)
        return self.open[user]

    def drop(self, *users):
        for user in users or list(self.open):
            if user in self.open:
                self.open.pop(user).close()


def complaint(case, outcomes):
    """What is wrong with the answer to an attack; None if it was refused."""
    received = b"".join(outcome.received for outcome in outcomes)
    if PLANTED in received:
        return "a file of the server was shown"
    for word in case.options.get("never", ()):
        if word.encode() in received:
            return f"{word} was shown"
    if case.options.get("unreadable") and any(outcome.failed for outcome in outcomes):
        return None
    if any(outcome.refused for outcome in outcomes):
        return None
    errors = [f"{fields.get('C')} {fields.get('M')}" for outcome in outcomes for fields in outcome.errors]
    return f"not refused: {errors or [outcome.tags for outcome in outcomes]}"


def stepwise(case):
    """Whether a case needs a session of its own."""
    return len(case.steps) > 1 or isinstance(case.steps[0], dict)


def attempts(case, users):
    """Every way this case is tried: (user, road, text or None for the case as it stands, cuts, how)."""
    for user in users:
        for road in case.roads:
            if stepwise(case) or fits(road, case.sql):
                yield user, road, None, (), "as written"
    if case.mutate:
        generator = random.Random(case.seed)
        for mutation in mutations(case.sql, case.seed, MUTATIONS, wrap=case.kind == "blocked", several=case.kind == "blocked",
                                  public=PUBLIC):
            roads = [road for road in case.roads if mutation.goes(road)]
            if roads:
                yield generator.choice(users), generator.choice(roads), mutation.text, mutation.cuts, mutation.how


def attempt(sessions, case, user, road, changed_text=None, cuts=(), bracket=False):
    """One try: the outcomes of its steps. bracket: in a transaction that is rolled back."""
    outcomes = []
    if stepwise(case):
        sessions.drop(user)
    try:
        client = sessions.of(user)
        if bracket:
            send(client, "BEGIN")
        if changed_text is None:
            outcomes = run(client, case, road)
        else:
            outcomes = [send(client, changed_text, road, case.parameters, cuts=cuts, data=case.data)]
        if bracket and not outcomes[-1].closed:
            send(client, "ROLLBACK")
    finally:
        if stepwise(case) or not outcomes or outcomes[-1].closed or (outcomes[-1].status != "I" and not bracket):
            sessions.drop(user)
    return outcomes


def tried(sessions, case):
    """All complaints about one attack."""
    found = []
    for user, road, changed_text, cuts, how in attempts(case, USERS[case.user or "both"]):
        try:
            wrong = complaint(case, attempt(sessions, case, user, road, changed_text, cuts))
        except (OSError, Closed) as error:
            sessions.drop(user)
            wrong = f"no answer: {error!r}"
        if wrong:
            found.append(f"{user}, {road}, {how}: {wrong}" + (f"\n    {changed_text!r}" if changed_text else ""))
    return found


class World:
    """Sessions through the gateway, sessions at the target itself, the watch over the target, and what is known of each file's attacks."""

    def __init__(self, gateway, target):
        self.watch = Watch(target)
        self.sessions = Sessions(lambda user: at_clerks(gateway, user) if user.endswith("@clerks") else
                                 gateway.client("featurestore", user=user, limit=40))
        self.direct = Sessions(lambda user: administrator(target, "featurestore"))
        self.known, self.target = {}, target

    def mend(self):
        self.sessions.drop()
        self.direct.drop()
        self.watch.mend()


def at_clerks(gateway, user):
    """A session on the connection whose role on the target is an ordinary one."""
    if DIRECT:
        return Client(gateway.address, user="clerk", password="clerk-secret", database="featurestore", limit=40)
    return gateway.client("clerks", user=user.split("@")[0], limit=40)


@pytest.fixture(scope="module")
def world(serve, target):
    make_pristine(target)
    make_again(target)
    connections = featurestore.front(target) + featurestore.front(target, "clerks", user="clerk", password="clerk-secret")
    made = World(serve(connections, POLICY), target)
    yield made
    made.sessions.drop()
    made.direct.drop()


def verdicts(world, file):
    """Complaints of all attacks of one file. The target is looked at once behind them, and case by case when it is not as it was."""
    if file not in world.known:
        mine = [in_place(case, world.target) for case in BLOCKED if case.file == file]
        known = world.known[file] = {case.name: tried(world.sessions, case) for case in mine}
        if world.watch.changed():
            world.mend()
            for case in mine:
                tried(world.sessions, case)
                changed = world.watch.changed()
                if changed:
                    known[case.name].append(f"the target changed: {', '.join(changed)}")
                    world.mend()
    return world.known[file]


def in_place(case, target):
    """The case with this target's places in its texts."""
    key = case.kind, str(target.root)
    if key not in PLACED:
        PLACED[key] = {(one.file, one.name): one for one in corpus.cases(case.kind, fill=places(target))}
    return PLACED[key][case.file, case.name]


PLACED = {}


def validated(world, case):
    """What keeps an attack from working on the target itself: in a transaction that is rolled back, where it can run in one."""
    user, changed, outcomes = USERS[case.user or "both"][0], [], []
    if not stepwise(case) and case.user != "clerk" and isinstance(case.sql, str) and ";" not in case.sql:
        client = world.sessions.of(user)
        send(client, "BEGIN")
        outcomes = [send(client, case.sql, case.roads[0], case.parameters, data=case.data)]
        if not outcomes[0].failed:
            changed = world.watch.changed(client)
        send(client, "ROLLBACK")
        if outcomes[0].closed or any(fields["C"] in ("25001", "2D000") for fields in outcomes[0].errors):
            outcomes = []
        world.sessions.drop(user)
    outcomes = outcomes or attempt(world.sessions, case, user, case.roads[0])
    lasting = world.watch.changed()
    if lasting:
        world.mend()
    wrong = [f"{fields.get('C')} {fields.get('M')}" for outcome in outcomes for fields in outcome.errors]
    if os.environ.get("SALLYPORT_TEST_EFFECTS"):
        with open(os.environ["SALLYPORT_TEST_EFFECTS"], "a", encoding="utf-8") as file:
            file.write(f"{case}\t{wrong}\t{sorted({*changed, *lasting})}\n")
    return [] if changed or lasting or case.options.get("works") is False else wrong


# ---- look-alikes

def compared(world, case):
    """Complaints about a look-alike: refused, or answered otherwise than by the target itself."""
    found = []
    for user, road, changed_text, cuts, how in attempts(case, USERS[case.user or "reader"]):
        bracket = case.user == "writer" and not case.options.get("alone")
        own, through = (attempt(side, case, user, road, changed_text, cuts, bracket) for side in (world.direct, world.sessions))
        wrong = difference(case, own, through)
        if wrong:
            found.append(f"{user}, {road}, {how}: {wrong}" + (f"\n    {changed_text!r}" if changed_text else ""))
    return found


def difference(case, own, through):
    """How the answer through the gateway differs from the target's own."""
    for outcome, whose in ((joined(own), "the target itself"), (joined(through), "the gateway")):
        if outcome.failed:
            return f"{whose} says {[(fields.get('C'), fields.get('M')) for fields in outcome.errors]}"
    own, through = joined(own), joined(through)
    expected = case.rows if case.rows is not None else own.shown
    if case.rows is not None and own.shown != expected:
        return f"the target itself answers {own.shown}"
    if case.options.get("varies"):
        expected, shown = [len(row) for row in own.shown], [len(row) for row in through.shown]
    else:
        shown = through.shown
    if shown != expected or (through.copied != own.copied and not case.options.get("varies")) or through.tags != own.tags:
        return f"{shown[:5]} {through.copied[:80]!r} {through.tags} instead of {expected[:5]} {own.copied[:80]!r} {own.tags}"
    return None


BLOCKED = corpus.cases("blocked")
PASSES = [case for case in corpus.cases("passes") if case.file.startswith("passes_")]


@pytest.mark.parametrize("case", BLOCKED, ids=str)
def test_an_attack_is_refused_and_has_no_effect(world, case):
    if DIRECT:
        assert not validated(world, in_place(case, world.target))
        return
    found = verdicts(world, case.file)[case.name]
    assert not found, "\n".join(found)


@pytest.mark.parametrize("case", PASSES, ids=str)
def test_a_look_alike_passes(world, case):
    """In a transaction that is rolled back, where the case writes: the next road meets the same rows."""
    found = compared(world, in_place(case, world.target))
    assert not found, "\n".join(found)


# ---- casts that nobody writes: in a database of their own, for they may be part of any statement there

CASTS = """
CREATE TABLE pool (id int);
INSERT INTO pool SELECT generate_series(1, 20);
CREATE TABLE t (id int PRIMARY KEY, a text);
INSERT INTO t VALUES (1, 'one'), (2, 'two');
CREATE TYPE source AS (y int);
CREATE TYPE tag AS (x int);
CREATE TYPE label AS (z int);
CREATE TABLE labelled (x label);
CREATE FUNCTION bad_tag(source) RETURNS tag LANGUAGE plpgsql AS 'BEGIN DELETE FROM pool; RETURN ROW($1.y); END';
CREATE FUNCTION bad_label(source) RETURNS label LANGUAGE plpgsql AS 'BEGIN DELETE FROM pool; RETURN ROW($1.y); END';
CREATE CAST (source AS tag) WITH FUNCTION bad_tag(source) AS IMPLICIT;
CREATE CAST (source AS label) WITH FUNCTION bad_label(source) AS ASSIGNMENT;
CREATE FUNCTION takes_tag(tag) RETURNS int LANGUAGE plpgsql AS 'BEGIN RETURN $1.x; END';
CREATE FUNCTION same(tag, tag) RETURNS bool LANGUAGE plpgsql AS 'BEGIN RETURN $1.x = $2.x; END';
CREATE OPERATOR === (leftarg = tag, rightarg = tag, function = same);
"""


@pytest.fixture(scope="module")
def casts(serve, target):
    with administrator(target) as client:
        said(client, *CLUSTER_WIDE)
    target.database("casts")
    target.psql(CASTS, "casts")
    policy = POLICY.replace("featurestore, clerks", "casts").replace("featurestore", "casts")
    return serve(connection("casts", target.port, "casts"), policy)


@pytest.mark.gateway_only
@pytest.mark.parametrize("user, sql", [
    ("alice", "SELECT takes_tag(ROW(5)::source)"), ("alice", "SELECT takes_tag(s) FROM (SELECT ROW(id)::source AS s FROM t) x"),
    ("alice", "SELECT ROW(1)::source === ROW(1)::source"), ("alice", "SELECT CASE WHEN true THEN ROW(1)::source ELSE ROW(1)::tag END"),
    ("alice", "SELECT ROW(1)::tag UNION ALL SELECT ROW(1)::source"), ("bob", "INSERT INTO labelled VALUES (ROW(5)::source)"),
    ("bob", "INSERT INTO labelled SELECT ROW(id)::source FROM t")])
def test_a_cast_that_is_not_written_is_part_of_the_statement(casts, target, user, sql):
    with casts.client("casts", user=user) as client:
        assert send(client, sql).refused
        assert send(client, sql, "extended").refused
    assert target.psql("SELECT count(*) FROM pool", "casts") == "20"


@pytest.mark.gateway_only
@pytest.mark.parametrize("user, sql", [
    ("alice", "SELECT 1 + 1"), ("alice", "SELECT id, upper(a) FROM t WHERE id = 1"), ("alice", "SELECT * FROM t ORDER BY id"),
    ("alice", "SELECT count(*), max(a) FROM t GROUP BY a"), ("bob", "INSERT INTO t VALUES (3, 'three')"),
    ("bob", "UPDATE t SET a = replace(a, 'o', 'O') WHERE id = 1")])
def test_a_bad_cast_between_other_types_is_no_part_of_it(casts, user, sql):
    with casts.client("casts", user=user) as client:
        send(client, "BEGIN")
        outcome = send(client, sql)
        assert not outcome.failed, outcome.errors
