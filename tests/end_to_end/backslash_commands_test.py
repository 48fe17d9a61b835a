"""psql's backslash commands show through the gateway what they show on a direct connection, under a policy for reading, with masks.

So do its scripting commands, with masks where masked values would be, and what its completion by the tabulator finds."""

import difflib
import os
import pty
import re
import subprocess
import threading

import pytest

from harness import shop
from harness.processes import POSTGRES_BIN, clean_environment, private_directory, remove_directory, wait_until

pytestmark = pytest.mark.gateway_only


@pytest.fixture(scope="module")
def gateway(serve, target):
    return shop.start(serve, target)


def roads(gateway, target):
    """How to connect past the gateway and through it."""
    return shop.direct(target), gateway.dsn(shop.DATABASE, "reader", sslmode="disable")


def run(dsn, *words, script=""):
    """psql's status, output and errors, in its own format."""
    done = subprocess.run([POSTGRES_BIN / "psql", "-X", *words, "-d", dsn], input=script, capture_output=True, text=True, timeout=60,
                          env=clean_environment(COLUMNS="200", PSQL_EDITOR="true"), check=False)
    return done.returncode, done.stdout, done.stderr


def difference(direct, through):
    return "\n".join(difflib.unified_diff(direct.splitlines(), through.splitlines(), "direct", "gateway", lineterm="", n=1))


RELATIONS = ["customers", "products", "orders", "orders_2023", "orders_2024", "orders_2024_even", "orders_other", "order_lines",
             "payments", "stock.shelves", "stock.people", "stock.shapes", "stock.vehicle", "stock.truck", '"Odd Schema"."Odd Table"',
             "no_columns", "contacts", "stock.dear", "chain", "monthly", "stock.empty_one", "stock.ticket", "customers_id_seq",
             "products_id_seq", "customers_pkey", "customers_name_trgm", "customers_lower_name", "orders_customer",
             "orders_2023_customer_id_idx", "stock.far_away", "address", "pg_class", "pg_stats", "information_schema.columns",
             "pg_toast.pg_toast_1255", "products_label_sold_during_excl"]

# Lists, each alone and then with what may be added to its name and given as a pattern.
LISTS = {
    r"\d": ["", "S", "+", "S+"], r"\da": ["", "S", " *.lo*", " longest"], r"\dA": ["", "+", " b*"],
    r"\dAc": ["", "+", " btree text"], r"\dAf": ["", "+", " btree", " gin text"], r"\dAo": ["", "+", " btree lengths", " gist"],
    r"\dAp": ["", "+", " btree lengths"], r"\db": ["", "+"], r"\dc": ["", "S", "+", " latin"], r"\dC": ["", "+", " mood"],
    r"\dd": ["", "S", " customers*"], r"\dD": ["", "S", "+", " *price"], r"\ddp": ["", " stock"], r"\dE": ["", "S+", " stock.*"],
    r"\des": ["", "+", " w*"], r"\det": ["", "+", " stock.*"], r"\deu": ["", "+"], r"\dew": ["", "+", " postgres*"],
    r"\df": ["", "S", "+", "a", "n", "p", "t", "w", "antw+", " *label", " cheapest numeric", " stock.*", "n longer text *",
           " *.everything"],
    r"\dF": ["", "+", " plain*"], r"\dFd": ["", "+", " short*"], r"\dFp": ["", "+"], r"\dFt": ["", "+"],
    r"\dg": ["", "S", "+", " shop*"], r"\di": ["", "S", "+", " customers*", " stock.*"], r"\dl": ["", "+"], r"\dL": ["", "S", "+"],
    r"\dm": ["", "+", " *.*one*"], r"\dn": ["", "S", "+", " stock", ' "Odd*"'], r"\do": ["", "S", "+", " <+>", " + int int"],
    r"\dO": ["", "S", "+", " german"], r"\dp": ["", " stock.*", " c*"], r"\dP": ["", "+", "i", "t", "n", "itn+", " orders*"],
    r"\drds": ["", " shop_clerk", " * shop"], r"\dRp": ["", "+", " a_*"], r"\dRs": ["", "+"], r"\ds": ["", "S", "+", " stock.*"],
    r"\dt": ["", "S", "+", " *.*e*", " public.(customers|orders)", " o?ders", ' "Odd Schema".*', " nothing_like_it"],
    r"\dT": ["", "S", "+", " m*", " address", "+ positive_price"], r"\du": ["", "S", "+", " shop_*"], r"\dv": ["", "S", "+", " *.dear"],
    r"\dx": ["", "+", " c*", "+ hstore"], r"\dX": ["", " customers*"], r"\dy": ["", "+", " on_*"], r"\dtvmsE": ["", "S+"],
    r"\dconfig": [" work_mem", "+ *_mem", " log_*"], r"\dtS+": [" pg_cl*"], r"\l": ["", " shop", " t*"],
    r"\z": ["", " payments", " stock.*"],
    r"\sf": [" full_label", "+ add_line", " cheapest", "+ longer(text,text)", ' stock."Odd Function"', " tidy", " everything",
            " lower(text)"],
    r"\sv": [" contacts", "+ contacts", " stock.dear", " chain", " pg_views"], r"\lo_list": ["", "+"],
    r"\dts": [""], r"\dit": ["+ customers*"], r"\dFd+": [" *_stem"], r"\dnS+": [""], r"\df+": [" pg_catalog.*trim*"],
}


COMMANDS = ([command + more for command, ways in LISTS.items() for more in ways]
            + [rf"\d{more} {relation}" for relation in RELATIONS for more in ("", "+", "S+")])


@pytest.fixture(scope="module")
def told(gateway, target):
    """Command -> what psql said to it, with its errors, past the gateway and through it: one psql for all on each road."""
    script = "".join(f"\\echo == {number}\n\\warn == {number}\n{command}\n" for number, command in enumerate(COMMANDS))
    answers = []
    for dsn in roads(gateway, target):
        _, out, errors = run(dsn, script=script)
        parts = [re.split(r"(?m)^== \d+\n", text)[1:] for text in (out, re.sub(r"(?m)^psql:<stdin>:\d+: ", "", errors))]
        assert [len(one) for one in parts] == [len(COMMANDS)] * 2, errors
        answers.append(dict(zip(COMMANDS, map("".join, zip(*parts)))))
    return answers


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command(told, command):
    direct, through = (one[command] for one in told)
    assert direct and "ERROR:" not in direct
    assert through == direct, difference(direct, through)


# ---- commands that send what was typed, or go about the session

SCRIPTS = {
    "describing a result": "select id, name, ssn as number, count(*) from customers group by 1 \\gdesc\nselect 1 \\gdesc\n",
    "variables from a result":
        "select count(*) as n, max(label) as label from products \\gset is_\n\\echo :is_n :'is_label'\nselect :is_n + 1;\n",
    "statements from a result": "select format('select %L as got', label) from products order by id \\gexec\n",
    "a crosstab":
        "select customer_id, extract(year from placed) as year, count(*) from orders group by 1, 2 order by 1, 2 \\crosstabview\n",
    "expanded": "select id, name from customers order by id \\gx\n\\x auto\nselect * from orders order by id limit 2;\n",
    "formats": "\\pset format csv\nselect id, label from products order by id;\n\\H\nselect 1 as one;\n\\pset format latex\nselect 2;\n",
    "to a file and a program": "select label from products order by id \\g | cat\n\\o | sort\nselect id from products;\n\\o\n",
    "encoding": "\\encoding\n\\echo :ENCODING\n",
    "versions": "\\echo :SERVER_VERSION_NAME :SERVER_VERSION_NUM :DBNAME\nselect current_setting('server_version');\n",
    "conditions": "select exists(select from products) as any \\gset\n\\if :any\n\\echo some\n\\else\n\\echo none\n\\endif\n",
    "copy to standard output": "\\copy products (id, label) to stdout\ncopy stock.shelves to stdout;\n"
                               "\\copy (select id, note from orders where id < 3 order by 1) to stdout csv header\n",
    "an editor with a function": "\\ef full_label\n\\p\n\\r\n\\ev contacts\n\\p\n\\r\n\\ef\n\\p\n\\r\n",
    "rows by cursor": "\\set FETCH_COUNT 7\nselect id, note from orders order by id;\nselect 1 where false;\n",
    "savepoints of its own": "\\set ON_ERROR_ROLLBACK on\nbegin;\nselect 1/0;\nselect label from products where id = 1;\ncommit;\n",
    "no autocommit": "\\set AUTOCOMMIT off\nselect count(*) from products;\n\\echo :AUTOCOMMIT\nrollback;\n",
    "the last error": "select nothing;\n\\errverbose\n\\echo :SQLSTATE :ROW_COUNT :LAST_ERROR_MESSAGE\n",
    "what it sends itself": "\\set ECHO_HIDDEN on\n\\d products\n\\dt stock.*\n\\sf add_line\n",
    "connecting again": "\\c\n\\echo :DBNAME\nselect count(*) from orders;\n\\c postgres\n\\dt\n",
    "several statements at once": "select 1\\; select 2\\; select 3;\nbegin\\; select 4\\; commit;\n",
    "prepared statements": "prepare p(int) as select label from products where id = $1;\nexecute p(1);\nexecute p(2);\ndeallocate p;\n",
    "settings": "set work_mem = '8MB';\n\\dconfig work_mem\nreset work_mem;\nshow work_mem;\nset local work_mem = '1MB';\ndiscard all;\n",
    "plans": "explain (costs off) select * from products where id = 1;\nexplain (analyze, costs off, timing off, summary off) select 1;\n",
    "quiet and tuples only": "\\t\n\\a\nselect id, label from products order by id;\n\\pset null NULL\nselect null;\n\\z payments\n",
}


def without_places(text):
    """Where a role is named that the gateway knows by another name, or a place in a script."""
    return re.sub(r'as user "\w+"', "as user", re.sub(r" \(address .*?\)| on host .*? at port .\d+.\.?", "", text))


@pytest.mark.parametrize("what", SCRIPTS)
def test_a_script(gateway, target, what):
    direct, through = (without_places("\n".join(map(str, run(dsn, script=SCRIPTS[what])))) for dsn in roads(gateway, target))
    assert through == direct, difference(direct, through)


def test_masked_values_in_scripts(gateway, target):
    script = ("\\a\nselect id, ssn from customers order by id;\n\\copy customers (id, ssn, email) to stdout\n"
              "\\pset format csv\ntable payments;\n"
              "select name, ssn as s from customers where id = 1 \\gset\n\\echo :name :s\n\\set FETCH_COUNT 2\n"
              "select ssn, id from customers order by id;\n")
    direct, through = (run(dsn, script=script) for dsn in roads(gateway, target))
    assert through[1] == shop.masked(direct[1]) and "[masked]" in through[1], difference(shop.masked(direct[1]), through[1])


def test_timing_and_watching(gateway, target):
    """Watched until it fails by itself, after a second of its own."""
    script = ("\\timing on\nselect 1 as one;\n\\timing off\nselect extract(epoch from clock_timestamp()) as start \\gset\n"
              "select 5 / (clock_timestamp() < to_timestamp(:start) + interval '0.4 s')::int as five \\watch 0.1\n")
    for dsn in roads(gateway, target):
        _, out, error = run(dsn, "-A", "-t", script=script)
        assert re.search(r"(?m)^Time: \d+", out) and out.count("\n5\n") >= 2, out
        assert "division by zero" in error


def test_where_it_is_connected(gateway):
    done = run(gateway.dsn(shop.DATABASE, "reader", sslmode="require"), "-c", r"\conninfo")
    assert f'database "{shop.DATABASE}" as user "reader"' in done[1] and f'port "{gateway.port}"' in done[1] and "TLS" in done[1], done


# ---- completion by the tabulator

TYPED = ["select * from cus", "select * from stock.", 'select * from "Odd Schema".', "table ", "select na", "update ord",
         "insert into pay", "delete from pro", "truncate ", "alter table customers add constraint ", "alter table customers drop column ",
         "drop index ", "drop view ", "drop function lo", "drop type ", "drop schema ", "drop extension ", "drop sequence ", "drop role ",
         "drop policy ", "drop trigger ", "drop trigger lines_before on ", "drop publication ", "drop subscription ", "drop server ",
         "drop collation ", "drop event trigger ", "drop materialized view ", "drop aggregate ", "drop domain ",
         "drop text search configuration ", "alter type mood rename value ", "alter publication a_part drop table ", "alter database ",
         "alter role ", "alter system set work", "alter function full_label(", "alter server ", "alter extension citext update to ",
         "alter default privileges in schema ", "create index on customers using ", "create index on customers (",
         "create trigger t before insert on ", "create extension ", "comment on column customers.",
         "comment on constraint customers_pkey on ", "grant select on ", "grant shop_", "revoke all on table ", "set ", "set work_m",
         "set search_path to ", "set default_transaction_isolation to ", "set timezone to ", "show se", "reset work_",
         "cluster customers using ", "vacuum ", "analyze cust", "reindex index ", "lock ", "refresh materialized view ", "copy ",
         "execute ", "deallocate ", "fetch from ", "close ", "listen ", "explain ", "explain (", "security label on table ",
         "import foreign ", "create foreign table t () server ", "create publication p for table ",
         "select * from pg_catalog.pg_stat_user_", "select * from information_schema.", "\\d ", "\\d stock.", "\\df full", "\\dT m",
         "\\dn ", "\\du ", "\\dx ", "\\di ", "\\dv ", "\\dF ", "\\dew ", "\\des ", "\\db ", "\\dy ", "\\dRp ", "\\dRs ", "\\sf add",
         "\\sv con", "\\c ", "\\dconfig work", "\\encoding ", "\\dA b", "\\dAc ", "\\dD ", "\\dE stock.", "\\dL ", "\\dm ", "\\dP ",
         "\\dp ", "\\ds ", "\\ev ", "\\ef lam", "\\h create t", "\\password ", "select customers.", "select * from customers where ",
         "alter table customers alter column ", "alter index customers_lower_name alter column ", "alter table orders detach partition ",
         "alter table order_lines enable trigger ", "drop cast (", "create statistics s (ndistinct) on ",
         "create view v as select * from mon", "merge into ", "call ", "do ", "reassign owned by "]
INSERT_ALL = b"\x1b*"     # readline's insert-completions: every candidate into the line
START_OF_LINE, END_OF_LINE = b"\x01", b"\x05"


class Terminal:
    """psql with readline. complete() gives all candidates behind what was typed, by way of \\qecho into a file."""

    def __init__(self, dsn, work):
        self.file = work / "told"
        inputrc = work / "inputrc"
        inputrc.write_text("set bell-style none\nset horizontal-scroll-mode off\nset enable-bracketed-paste off\n")
        environment = clean_environment(TERM="dumb", INPUTRC=str(inputrc), COLUMNS="10000", PSQL_HISTORY="/dev/null")
        self.end, other = pty.openpty()
        self.process = subprocess.Popen(  # pylint: disable=consider-using-with
            [POSTGRES_BIN / "psql", "-X", "-q", "-d", dsn], stdin=other, stdout=other, stderr=other, env=environment,
            start_new_session=True)
        os.close(other)
        self.drain = threading.Thread(target=self._drain, daemon=True)
        self.drain.start()
        self.send(f"\\o {self.file}\r".encode())

    def _drain(self):
        try:
            while os.read(self.end, 65536):
                pass
        except OSError:
            pass

    def send(self, data):
        while data:
            data = data[os.write(self.end, data):]

    def complete(self, typed):
        """The line after completion, as psql sees its words."""
        before = self.file.stat().st_size if self.file.exists() else 0
        # A backslash would begin another command: then all of it goes into quotes.
        left, right = (b"\\qecho '> ", END_OF_LINE + b"'") if typed[0] == "\\" else (b"\\qecho '>' ", b"")
        self.send(typed.encode() + INSERT_ALL + START_OF_LINE + left + right + b"\r\\qecho =end=\r")
        wait_until(lambda: self.file.exists() and self.file.read_bytes()[before:].endswith(b"=end=\n"), 20, f"an answer to {typed!r}")
        return self.file.read_text()[before:]

    def close(self):
        self.process.kill()
        self.process.wait()
        os.close(self.end)


@pytest.fixture(scope="module")
def completed(gateway, target):
    """What was typed -> the candidates, past the gateway and through it."""
    answers = []
    for dsn in roads(gateway, target):
        work = private_directory("psql")
        terminal = Terminal(dsn, work)
        try:
            answers.append({typed: terminal.complete(typed) for typed in TYPED})
        finally:
            terminal.close()
            remove_directory(work)
    return answers


@pytest.mark.parametrize("typed", TYPED)
def test_completion(completed, typed):
    direct, through = (one[typed] for one in completed)
    assert through == direct


def test_most_of_them_are_completed(completed):
    grown = [typed for typed, answer in completed[0].items() if len(answer) > len(typed) + len("> \n=end=\n") + 2]
    assert len(grown) > len(TYPED) * 0.7, sorted(set(TYPED) - set(grown))
    assert "customers" in completed[1]["select * from cus"]
