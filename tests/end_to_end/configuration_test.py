"""The configuration file: check names file, line and key; a bad file never replaces a good one; decide says what would happen."""

import json
import re
import signal
import subprocess

import pytest

from harness import featurestore
from harness.gateway import ALICE, BOB, Gateway, User, psql
from harness.processes import free_port, wait_until
from harness.wire import Closed, error_fields, query

pytestmark = pytest.mark.gateway_only


@pytest.fixture(scope="module")
def gateway(serve, target):
    featurestore.prepare(target)
    return serve(featurestore.front(target), featurestore.POLICY)


@pytest.fixture
def file():
    """A configuration that nobody serves."""
    made = Gateway(featurestore.front(type("Nowhere", (), {"port": free_port()})), featurestore.POLICY)
    yield made
    made.remove()


def line_of(gateway, text):
    return 1 + next(number for number, line in enumerate(gateway.file.read_text().splitlines()) if text in line)


# ---- sallyport check

def test_a_good_file_passes(file):
    assert file.run("check").returncode == 0


@pytest.mark.parametrize("good, bad, named", [
    ("untraceable: mask", "untracable: mask", "untracable"),
    ("untraceable: mask", "untraceable: maybe", "untraceable"),
    ("protocol: postgres", "protocol: postgress", "postgress"),
    ("access: standing", "access: sitting", "sitting"),
    ("{allow: {sql: [read,", "{allow: {sql: [raed,", "raed"),
    ("{allow: {sql:", "{allow: {sqll:", "sqll"),
    ("with: {keep_last: 4}", "with: {keep_last: four}", "keep_last"),
    ("with: redact", "with: redakt", "with: redact, null, hash"),
    ("durability: standard", "durability: sometimes", "sometimes"),
    ("  embedded: true", "  embedded: perhaps", "embedded"),
    ("connections: [featurestore]", "connections: featurestore2: x", ""),
    ("  state_dir:", "  statedir:", "statedir"),
    ("tls: disable}", "tls: prefer}", "prefer"),
    ("host: 127.0.0.1, port: ", "host: 127.0.0.1, port: x", "port"),
    ('password: "SCRAM-SHA-256$', 'password: "MD5$', "password"),
    ("quorum: 1, timeout: 10m", "quorum: 1, timeout: soon", "timeout"),
    ("connections: [featurestore]", "connexions: [featurestore]", "connexions"),
])
def test_check_names_file_line_and_key(file, good, bad, named):
    text = file.text()
    assert good in text
    file.file.write_text(text.replace(good, bad, 1))
    line = line_of(file, bad)
    done = file.run("check", check=False)
    assert done.returncode == 1, done.stdout + done.stderr
    problems = (done.stdout + done.stderr).splitlines()
    found = [one for one in problems if re.match(rf"^{re.escape(str(file.file))}:{line}: ", one)]
    assert found, problems
    assert any(named in one for one in found), problems


def test_check_reports_every_problem_not_just_the_first(file):
    file.file.write_text(file.text().replace("access: standing", "access: sitting").replace("untraceable: mask", "untracable: mask"))
    done = file.run("check", check=False)
    assert "sitting" in done.stdout + done.stderr and "untracable" in done.stdout + done.stderr


def test_a_missing_secret_is_a_problem_with_a_line(file):
    file.file.write_text(file.text().replace('"target-superuser-secret"', '"${file:/nonexistent/secret}"'))
    done = file.run("check", check=False)
    assert done.returncode == 1
    assert f"{file.file}:{line_of(file, 'nonexistent')}: " in done.stdout + done.stderr


def test_a_problem_never_shows_a_secret(file):
    file.file.write_text(file.text().replace("tls: disable}", "tls: disable, colour: red}"))
    done = file.run("check", check=False)
    assert done.returncode == 1 and "colour" in done.stdout + done.stderr
    assert "target-superuser-secret" not in done.stdout + done.stderr


def test_no_file_is_a_clear_error(file):
    file.file.unlink()
    done = file.run("check", check=False)
    assert done.returncode == 1 and str(file.file) in done.stdout + done.stderr


def test_a_file_that_is_no_yaml_is_a_clear_error(file):
    file.file.write_text("gateway: [unclosed\nconnections: }\n")
    done = file.run("check", check=False)
    assert done.returncode == 1 and re.search(rf"{re.escape(str(file.file))}:\d+: ", done.stdout + done.stderr)


def test_serve_refuses_a_bad_file_with_the_same_words(file):
    file.file.write_text(file.text().replace("access: standing", "access: sitting"))
    done = file.run("serve", check=False, seconds=20)
    assert done.returncode == 1 and f"{file.file}:{line_of(file, 'sitting')}: " in done.stdout + done.stderr


def test_secrets_come_from_files_and_the_environment(file, monkeypatch):
    secret = file.root / "secret"
    secret.write_text("target-superuser-secret\n")
    monkeypatch.setenv("SP_TEST_DATABASE", "featurestore")
    file.file.write_text(file.text().replace('"target-superuser-secret"', f'"${{file:{secret}}}"')
                         .replace("database: featurestore", 'database: "${env:SP_TEST_DATABASE}"'))
    assert file.run("check").returncode == 0


# ---- sallyport decide

def decide(gateway, sql, user="alice", name="featurestore"):
    return json.loads(gateway.run("decide", "--user", user, "--connection", name, "--sql", sql, check=False).stdout)


def verdict(answer):
    return str(answer.get("verdict", answer.get("decision", ""))).lower()


def test_decide_tells_what_would_happen_and_why(file):
    allowed = decide(file, "select * from users")
    assert verdict(allowed).startswith("allow"), allowed
    denied = decide(file, "drop table users")
    assert verdict(denied).startswith("den"), denied
    assert "analysts read features" in json.dumps(denied) and "migration" in json.dumps(denied)
    held = decide(file, "update ranking_scores set score = 1 where id = 1")
    assert not verdict(held).startswith("allow"), held
    assert "approv" in json.dumps(held).lower()
    assert verdict(decide(file, "select 1", user="bob")).startswith("den")
    assert verdict(decide(file, "selec 1")).startswith("den")


def test_decide_lists_the_classes(file):
    text = json.dumps(decide(file, "with d as (delete from orders returning *) select * from d"))
    assert "delete" in text and "select" in text


def test_decide_exits_by_its_answer(file):
    words = ["decide", "--user", "alice", "--connection", "featurestore", "--sql"]
    assert file.run(*words, "select 1", check=False).returncode == 0
    assert file.run(*words, "drop table users", check=False).returncode == 1
    assert file.run("decide", "--user", "alice", check=False).returncode == 2


# ---- the program's own words

@pytest.mark.parametrize("command", ["serve", "check", "decide", "sessions", "replay"])
def test_every_command_has_help_with_an_example(gateway, command):
    done = subprocess.run(gateway.command(command, "--help"), capture_output=True, text=True, timeout=20, check=False)
    assert done.returncode == 0 and f"sallyport {command}" in done.stdout, done.stdout + done.stderr


def test_wrong_use_is_status_2(gateway):
    for words in (["check"], ["nonsense"], ["check", "--config"], ["replay"]):
        assert subprocess.run(gateway.command(*words), capture_output=True, timeout=20, check=False).returncode == 2, words


# ---- reloading

DENY_SELECT = '      - {deny: {sql: [select]}, reason: "closed for now"}\n'


def with_denied_select(gateway):
    return gateway.parts["policies"].replace("    mask:\n", DENY_SELECT + "    mask:\n")


def test_a_new_policy_holds_for_new_sessions_and_old_ones_keep_theirs(gateway):
    good = gateway.parts["policies"]
    with gateway.client("featurestore") as old:
        assert old.one("select 1") == "1"
        gateway.write(policies=with_denied_select(gateway))
        try:
            gateway.process.send_signal(signal.SIGHUP)
            wait_until(lambda: psql(gateway.dsn("featurestore"), "select 1").status != 0, 10, "the new policy")
            done = psql(gateway.dsn("featurestore"), "select 1")
            assert "closed for now" in done.err
            assert old.one("select 1") == "1"
        finally:
            gateway.write(policies=good)
            gateway.process.send_signal(signal.SIGHUP)
        wait_until(lambda: psql(gateway.dsn("featurestore"), "select 1").status == 0, 10, "the old policy again")


def test_a_bad_file_never_replaces_a_good_one(gateway):
    good = gateway.file.read_text()
    before = len(gateway.log_text())
    gateway.file.write_text(good.replace("access: standing", "access: sitting"))
    try:
        gateway.process.send_signal(signal.SIGHUP)
        wait_until(lambda: "sitting" in gateway.log_text()[before:], 10, "a log line about the bad file")
        assert re.search(r"sallyport\.yaml:\d+: ", gateway.log_text()[before:])
        for _ in range(5):
            assert psql(gateway.dsn("featurestore"), "select 1").status == 0
        with gateway.client("featurestore") as client:
            client.send(query("drop table users"))
            assert client.signature() == "E42501 ZI"
    finally:
        gateway.file.write_text(good)
        gateway.process.send_signal(signal.SIGHUP)


def test_a_new_connection_can_be_used_after_a_reload(gateway, target):
    connections, policies = gateway.parts["connections"], gateway.parts["policies"]
    more = featurestore.front(target, "second")
    gateway.write(connections=connections + more, policies=policies.replace("connections: [featurestore]",
                                                                            "connections: [featurestore, second]"))
    gateway.process.send_signal(signal.SIGHUP)
    wait_until(lambda: psql(gateway.dsn("second"), "select 1").status == 0, 10, "the new connection")
    assert psql(gateway.dsn("second"), "select ssn from users where id = 1").out == "[masked]\n"
    gateway.write(connections=connections, policies=policies)
    gateway.process.send_signal(signal.SIGHUP)
    wait_until(lambda: psql(gateway.dsn("second"), "select 1").status != 0, 10, "the connection's end")


def test_a_user_who_is_removed_is_cut_off_within_seconds(gateway):
    """P-04"""
    with gateway.client("featurestore") as client:
        assert client.one("select 1") == "1"
        gateway.write(users=(BOB,))
        gateway.process.send_signal(signal.SIGHUP)
        try:
            client.socket.settimeout(6)
            fields = {}
            with pytest.raises(Closed):
                while True:
                    kind, body = client.receive()
                    fields = error_fields(body) if kind == "E" else fields
            assert fields["S"] == "FATAL", fields
            with pytest.raises(Closed):
                gateway.client("featurestore")
        finally:
            gateway.write(users=(ALICE, BOB))
            gateway.process.send_signal(signal.SIGHUP)
    wait_until(lambda: psql(gateway.dsn("featurestore"), "select 1").status == 0, 10, "the user's return")


def test_a_hashed_password_logs_in(gateway):
    made = subprocess.run(gateway.command("user", "hash-password"), input="a new password\n", capture_output=True, text=True, timeout=20,
                          check=True)
    verifier = re.search(r"SCRAM-SHA-256\$\S+", made.stdout).group(0)
    carol = User("carol", "a new password", ("analysts",), verifier=verifier)
    gateway.write(users=(ALICE, BOB, carol))
    gateway.process.send_signal(signal.SIGHUP)
    dsn = f"host=127.0.0.1 port={gateway.port} user=carol dbname=featurestore password='a new password'"
    wait_until(lambda: psql(dsn, "select 1").out == "1\n", 10, "the new user")
