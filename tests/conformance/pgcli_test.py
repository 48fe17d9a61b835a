"""pgcli: what it asks to know names for completion, its own backslash commands, and a person at its prompt, under a policy for reading."""

import os
import pty
import select
import subprocess
import time

import psycopg
import pytest
from pgcli.completion_refresher import CompletionRefresher
from pgcli.pgcompleter import PGCompleter
from pgcli.pgexecute import PGExecute, ViewDef
from pgspecial.main import PGSpecial

from harness import shop
from harness.cluster import SUPERUSER, SUPERUSER_PASSWORD
from harness.processes import clean_environment, private_directory, remove_directory

pytestmark = pytest.mark.gateway_only


@pytest.fixture(scope="module")
def gateway(serve, target):
    return shop.start(serve, target)


@pytest.fixture(scope="module")
def both(gateway, target):
    """pgcli's executor on the direct road and through the gateway."""
    made = [PGExecute(shop.DATABASE, SUPERUSER, SUPERUSER_PASSWORD, "127.0.0.1", str(target.port)),
            PGExecute(shop.DATABASE, "reader", gateway.users["reader"].password, "127.0.0.1", str(gateway.port))]
    yield made
    for one in made:
        one.conn.close()


def plain(value):
    """Values of a result that compare by what they say."""
    if isinstance(value, (str, int, float, type(None))):
        return value
    if hasattr(value, "__dict__") and not isinstance(value, tuple):
        return sorted((name, plain(one)) for name, one in vars(value).items())
    return [plain(one) for one in value]


COMPLETION = {
    "search path": PGExecute.search_path, "schemata": PGExecute.schemata, "tables": PGExecute.tables, "views": PGExecute.views,
    "columns of tables": PGExecute.table_columns, "columns of views": PGExecute.view_columns, "databases": PGExecute.databases,
    "foreign keys": PGExecute.foreignkeys, "functions": PGExecute.functions, "types": PGExecute.datatypes, "casing": PGExecute.casing,
    "all about databases": PGExecute.full_databases,
    "a view": lambda executor: executor.view_definition("contacts"), "a matview": lambda executor: executor.view_definition("monthly"),
    "a view of a schema": lambda executor: executor.view_definition("stock.dear"),
    "a function": lambda executor: executor.function_definition("full_label"), "a virtual database": PGExecute.is_protocol_error,
    "the socket": PGExecute.get_socket_directory,
}


@pytest.mark.parametrize("what", COMPLETION)
def test_what_completion_asks(both, what):
    direct, through = (plain(COMPLETION[what](one)) for one in both)
    assert through == direct
    assert direct is False or direct


def test_a_whole_refresh_fills_the_completer(both):
    filled = []
    for executor in both:
        CompletionRefresher()._bg_refresh(executor, PGSpecial(), filled.append)
    direct, through = (plain([one.dbmetadata, one.databases, one.search_path, sorted(one.all_completions)]) for one in filled)
    assert isinstance(filled[1], PGCompleter) and {"customers", "stock", "ssn"} <= filled[1].all_completions
    assert through == direct


COMMANDS = [r"\l", r"\l+", r"\du", r"\du+", r"\dp", r"\dp customers", r"\z", r"\ddp", r"\db", r"\db+", r"\dn", r"\dn+", r"\dx", r"\dx+",
            r"\dx hstore", r"\dt", r"\dt+", r"\dt stock.*", r"\dv+", r"\dm+", r"\ds+", r"\di+", r"\df", r"\df+ full_label", r"\df stock.*",
            r"\dT", r"\dT+", r"\dD", r"\dD+", r"\dF", r"\dF+", r"\dE", r"\dE+", r"\d", r"\d+", r"\sf full_label", r"\sf+ add_line",
            r"\d stock.*"]
RELATIONS = ["customers", "products", "orders", "orders_2024", "order_lines", "payments", "stock.shelves", "stock.truck",
             '"Odd Schema"."Odd Table"', "contacts", "monthly", "customers_pkey", "stock.far_away", "address", "pg_class"]


@pytest.mark.parametrize("command", COMMANDS + [rf"\d{more} {relation}" for relation in RELATIONS for more in ("", "+")])
def test_its_backslash_commands(both, command):
    """Some of them fail on any server (a bug of theirs): then with the server's words."""
    told = []
    for executor in both:
        try:
            told.append([(title, [plain(row) for row in rows or ()], headers, status, worked)
                         for title, rows, headers, status, _, worked, _ in executor.run(command, pgspecial=PGSpecial())])
        except psycopg.Error as error:
            told.append([type(error), str(error)])
    assert told[0]
    assert told[1] == told[0]


def test_statements_are_run_as_it_runs_them(both):
    told = [[row for _, rows, *_ in one.run("select id, name, ssn from customers order by id; show server_version; explain select 1")
             for row in rows or ()] for one in both]
    assert told[1] == [(1, "Ada", "[masked]"), (2, "Bob", "[masked]"), (3, "Cy", None), *told[0][3:]] and len(told[0]) > 4


# ---- at its prompt

def test_listing_databases_from_the_command_line(gateway, target):
    home = private_directory("pgcli")
    told = []
    try:
        for user, password, port in ((SUPERUSER, SUPERUSER_PASSWORD, target.port),
                                     ("reader", gateway.users["reader"].password, gateway.port)):
            done = subprocess.run(["/usr/bin/pgcli", "--list", "-h", "127.0.0.1", "-p", str(port), "-u", user, "-d", shop.DATABASE],
                                  capture_output=True, text=True, check=False, timeout=60, stdin=subprocess.DEVNULL,
                                  env=clean_environment(PGPASSWORD=password, HOME=str(home), XDG_CONFIG_HOME=str(home)))
            assert done.returncode == 0, done.stdout + done.stderr
            told.append(done.stdout)
    finally:
        remove_directory(home)
    assert told[1] == told[0]
    assert shop.DATABASE in told[0]


class Prompt:
    """pgcli in a terminal of its own."""

    def __init__(self, gateway):
        self.home = private_directory("pgcli")
        environment = clean_environment(PGPASSWORD=gateway.users["reader"].password, HOME=str(self.home), XDG_CONFIG_HOME=str(self.home),
                                        TERM="xterm", COLUMNS="160", LINES="50", PROMPT_TOOLKIT_NO_CPR="1")
        self.end, other = pty.openpty()
        self.process = subprocess.Popen(  # pylint: disable=consider-using-with
            ["/usr/bin/pgcli", "--less-chatty", "--prompt", "ready> ", "-h", "127.0.0.1", "-p", str(gateway.port), "-u", "reader",
             "-d", shop.DATABASE], stdin=other, stdout=other, stderr=other, env=environment, start_new_session=True)
        os.close(other)
        self.seen = ""

    def until(self, text, seconds=30):
        end = time.monotonic() + seconds
        while text not in self.seen:
            assert time.monotonic() < end, f"no {text!r} in {self.seen[-3000:]!r}"
            if select.select([self.end], [], [], 0.2)[0]:
                self.seen += os.read(self.end, 65536).decode(errors="replace")
        before, self.seen = self.seen.split(text, 1)
        return before + text

    def close(self):
        os.close(self.end)
        self.process.kill()
        self.process.wait()
        remove_directory(self.home)


def test_a_person_at_its_prompt(gateway):
    prompt = Prompt(gateway)
    try:
        prompt.until("ready>")
        os.write(prompt.end, b"select name, ssn from customers where id = 1;\r")
        assert "111-11" not in prompt.until("SELECT 1")
        prompt.until("ready>")
        os.write(prompt.end, b"\\dt stock.*\r")
        prompt.until("shelves")
        os.write(prompt.end, b"\\q\r")
        prompt.process.wait(20)
    finally:
        prompt.close()
    assert prompt.process.returncode == 0
