"""A person runs psql against the gateway: login, masked rows, refused statements, and clear errors."""

import os
import signal

import pytest

from harness import featurestore
from harness.gateway import connection, psql
from harness.processes import free_port, wait_until
from harness.wire import Closed, FLUSH, SYNC, bind, error_fields, execute, parse, query, row_values

REASON = "destructive statements go through a migration"


@pytest.fixture(scope="module")
def gateway(serve, target):
    featurestore.prepare(target)
    target.database("shortlived")
    connections = (featurestore.front(target)
                   + connection("unreachable", free_port(), "x")
                   + connection("nodatabase", target.port, "does_not_exist")
                   + connection("badlogin", target.port, "featurestore", password="not-the-password")
                   + connection("shortlived", target.port, "shortlived"))
    more = """\
  - name: the rest
    who: {groups: [analysts]}
    connections: [unreachable, nodatabase, badlogin, shortlived]
    access: standing
    rules:
      - {allow: {sql: [read]}}
"""
    return serve(connections, featurestore.POLICY + more)


@pytest.fixture
def dsn(gateway):
    return gateway.dsn("featurestore")


# ---- logging in

@pytest.mark.parametrize("mode", ["disable", "prefer", "require"])
def test_psql_logs_in_with_each_sslmode(gateway, mode):
    done = psql(gateway.dsn("featurestore", sslmode=mode), "select 1")
    assert (done.status, done.out) == (0, "1\n"), done.err


@pytest.mark.gateway_only
def test_tls_is_used_where_the_client_prefers_it(gateway):
    done = psql(gateway.dsn("featurestore", sslmode="prefer"), r"\conninfo")
    assert "SSL connection (protocol: TLSv1.3" in done.out, done.out


@pytest.mark.gateway_only
def test_channel_binding_can_be_required(gateway):
    done = psql(gateway.dsn("featurestore", sslmode="require", channel_binding="require"), "select 1")
    assert (done.status, done.out) == (0, "1\n"), done.err


@pytest.mark.gateway_only
def test_the_gateways_own_authority_verifies_the_certificate(gateway):
    authority = gateway.state_dir / "ca.crt"
    done = psql(gateway.dsn("featurestore", sslmode="verify-ca", sslrootcert=authority), "select 1")
    assert (done.status, done.out) == (0, "1\n"), done.err


@pytest.mark.gateway_only
def test_psql_sees_the_targets_parameters_and_the_service_user(gateway, target, dsn):
    assert psql(dsn, "select current_user, current_database()").out == "postgres|featurestore\n"
    assert psql(dsn, "show server_version").out.strip() == target.psql("show server_version")


def refused_login(gateway, **keywords):
    with pytest.raises(Closed) as refusal:
        gateway.client(**keywords)
    return refusal.value.fields


@pytest.mark.gateway_only
def test_refused_logins_look_alike_and_say_nothing_about_why(gateway):
    wrong_password = refused_login(gateway, database="featurestore", password="wrong")
    unknown_user = refused_login(gateway, database="featurestore", user="mallory", password="wrong")
    assert wrong_password["C"] == unknown_user["C"] == "28P01"
    assert wrong_password["S"] == "FATAL"
    assert wrong_password["M"].replace("alice", "USER") == unknown_user["M"].replace("mallory", "USER")
    assert set(wrong_password) == set(unknown_user)


@pytest.mark.gateway_only
def test_the_log_tells_why_a_login_was_refused(gateway):
    before = len(gateway.log_text())
    refused_login(gateway, database="featurestore", password="hunter2-is-a-secret")
    wait_until(lambda: "reason=" in gateway.log_text()[before:], 5, "a log line about the refused login")
    assert "hunter2" not in gateway.log_text()


@pytest.mark.gateway_only
def test_an_unknown_connection_is_one_clear_error(gateway):
    fields = refused_login(gateway, database="nowhere")
    assert (fields["S"], fields["C"]) == ("FATAL", "3D000")
    assert "nowhere" in fields["M"]


@pytest.mark.gateway_only
def test_an_unreachable_target_is_one_clear_error(gateway):
    fields = refused_login(gateway, database="unreachable")
    assert fields["C"][:2] == "08", fields
    assert "connect" in fields["M"], fields
    assert "target-superuser-secret" not in str(fields)


@pytest.mark.gateway_only
@pytest.mark.parametrize("name", ["badlogin", "nodatabase"])
def test_a_target_that_refuses_the_gateway_is_one_clear_error(gateway, name):
    fields = refused_login(gateway, database=name)
    assert fields["S"] == "FATAL" and fields["C"][:2] in ("08", "28", "3D"), fields
    assert "password" not in fields["M"].lower().replace("password authentication", ""), fields


@pytest.mark.gateway_only
def test_a_target_dropped_in_mid_session_is_one_clear_error(gateway, target):
    with gateway.client("shortlived") as client:
        assert client.one("select 1") == "1"
        target.psql("select pg_terminate_backend(pid) from pg_stat_activity where datname = 'shortlived' "
                    "and backend_type = 'client backend'")
        seen = client.signature(stop="E", quiet=5)
        assert seen == "E57P01", seen
        assert client.signature(quiet=5) == "closed"


@pytest.mark.gateway_only
def test_a_target_that_vanishes_without_a_word_is_one_clear_error(gateway, target):
    """The server process of the session is killed, so the target cannot say goodbye."""
    with gateway.client("shortlived") as client:
        pid = int(client.one("select pg_backend_pid()"))
        client.send(query("select pg_sleep(30)"))
        target.wait_for_backends(1, "shortlived")
        os.kill(pid, signal.SIGKILL)
        seen = client.signature(quiet=8)
        assert seen.startswith("E") and seen.endswith("closed") and seen[1:3] in ("57", "08"), seen
    wait_until(lambda: psql(gateway.dsn("featurestore"), "select 1").status == 0, 20, "the target's return")


@pytest.mark.gateway_only
def test_a_user_without_a_policy_is_refused_what_he_asks(gateway):
    done = psql(gateway.dsn("featurestore", user="bob"), "select 1")
    assert done.status != 0 and done.out == "", done


# ---- masked rows

@pytest.mark.gateway_only
def test_masked_columns_are_masked_in_text(dsn):
    done = psql(dsn, "select id, name, email, ssn, age from users order by id")
    assert done.rows == [["1", "Ada", "[masked]", "[masked]", "36"], ["2", "Bob", "[masked]", "[masked]", "41"],
                         ["3", "Cy", "", "", ""]], done


@pytest.mark.gateway_only
def test_the_last_four_digits_are_kept_where_the_mask_says_so(dsn):
    assert [row[0][-4:] for row in psql(dsn, "select pan from cards order by id").rows] == ["1111", "5559"]
    assert "4111111" not in psql(dsn, "select pan from cards").out


def test_unmasked_results_are_exact(dsn):
    assert psql(dsn, "select count(*), sum(amount) from orders").out == "20|315.0\n"


@pytest.mark.gateway_only
@pytest.mark.parametrize("command", [r"\d", r"\d users", r"\dt+", r"\di", r"\dv", r"\df", r"\dn", r"\du", r"\l", r"\d+ contacts"])
def test_psqls_backslash_commands_work(gateway, target, dsn, command):
    direct = psql(f"host=127.0.0.1 port={target.port} user=postgres password=target-superuser-secret dbname=featurestore", command)
    through = psql(dsn, command)
    assert through.status == 0, through.err
    assert through.out == direct.out


# ---- refused statements

@pytest.mark.gateway_only
def test_a_refused_statement_says_which_policy_and_why(dsn):
    done = psql(dsn, r"\set VERBOSITY verbose", "drop table users")
    assert done.status == 1
    assert f'ERROR:  42501: blocked by policy "analysts read features": {REASON}' in done.err, done.err
    assert "DETAIL:" in done.err and "rule" in done.err and "session" in done.err, done.err


@pytest.mark.gateway_only
def test_a_refused_drop_never_reaches_the_target(target, dsn):
    psql(dsn, "drop table users")
    assert target.psql("select count(*) from users", "featurestore") == "3"
    assert "drop table users" not in target.log_text()


@pytest.mark.gateway_only
def test_the_connection_stays_usable_after_a_refusal(dsn):
    done = psql(dsn, script="drop table users;\nselect 7;\ntruncate orders;\nselect 8;\n")
    assert done.out == "7\n8\n", done
    assert done.err.count("ERROR:") == 2


def failing(gateway):
    """A statement that fails: refused by the policy through the gateway, unknown to the target itself."""
    return "drop table users" if hasattr(gateway, "process") else "drop table no_such_table"


def state_code(gateway):
    return "E42501" if hasattr(gateway, "process") else "E42P01"


def test_outside_a_block_the_state_stays_idle(gateway):
    with gateway.client("featurestore") as client:
        client.send(query(failing(gateway)))
        assert client.signature() == f"{state_code(gateway)} ZI"
        assert client.alive()


def test_in_a_block_the_transaction_is_failed_until_rollback(gateway):
    with gateway.client("featurestore") as client:
        client.send(query("begin"), query("insert into scratch values (1, 'lost')"), query(failing(gateway)),
                    query("select 1"), query("rollback"), query("select count(*) from scratch"))
        assert client.signature(6) == (f"C:BEGIN ZT C:INSERT 0 1 ZT {state_code(gateway)} ZE E25P02 ZE C:ROLLBACK ZI "
                                       "T D C:SELECT 1 ZI")


def test_a_savepoint_recovers_from_a_refusal(gateway):
    with gateway.client("featurestore") as client:
        client.send(query("begin"), query("savepoint a"), query(failing(gateway)), query("rollback to a"), query("select 1"),
                    query("commit"))
        assert client.signature(6) == (f"C:BEGIN ZT C:SAVEPOINT ZT {state_code(gateway)} ZE C:ROLLBACK ZT T D C:SELECT 1 ZT "
                                       "C:COMMIT ZI")


def test_a_commit_of_a_refused_block_is_a_rollback(gateway):
    with gateway.client("featurestore") as client:
        client.send(query("begin"), query(failing(gateway)), query("commit"))
        assert client.signature(3) == f"C:BEGIN ZT {state_code(gateway)} ZE C:ROLLBACK ZI"


def test_in_a_pipeline_everything_to_the_next_sync_is_skipped(gateway):
    with gateway.client("featurestore") as client:
        client.send(parse("select 1"), bind(), execute(), parse(failing(gateway)), bind(), execute(),
                    parse("select 2"), bind(), execute(), SYNC, parse("select 3"), bind(), execute(), SYNC)
        code = state_code(gateway)
        seen = client.signature(2)
        # PostgreSQL notices an unknown table when it executes the DROP, the gateway when it sees the text.
        assert seen == (f"1 2 D C:SELECT 1 {code} ZI 1 2 D C:SELECT 1 ZI" if hasattr(gateway, "process")
                        else f"1 2 D C:SELECT 1 1 2 {code} ZI 1 2 D C:SELECT 1 ZI")


@pytest.mark.gateway_only
def test_a_refusal_in_the_extended_protocol_needs_no_sync_to_be_told(gateway):
    with gateway.client("featurestore") as client:
        client.send(parse("drop table users"), FLUSH)
        assert client.signature(stop="E", quiet=5) == "E42501"
        client.send(SYNC)
        assert client.signature() == "ZI"
        assert client.alive()


@pytest.mark.gateway_only
def test_an_implicit_transaction_of_a_pipeline_is_rolled_back_by_a_refusal(gateway, target):
    with gateway.client("featurestore") as client:
        client.send(parse("insert into scratch values (2, 'lost')"), bind(), execute(), parse("truncate orders"), bind(), execute(),
                    SYNC)
        assert client.signature() == "1 2 C:INSERT 0 1 E42501 ZI"
    assert target.psql("select count(*) from scratch where id = 2", "featurestore") == "0"


@pytest.mark.gateway_only
def test_several_statements_in_one_text_are_refused_whole(gateway, target):
    with gateway.client("featurestore") as client:
        client.send(query("insert into scratch values (3, 'x'); drop table users; select 1"))
        assert client.signature() == "E42501 ZI"
    assert target.psql("select count(*) from scratch where id = 3", "featurestore") == "0"


@pytest.mark.gateway_only
@pytest.mark.parametrize("sql", [
    "with gone as (delete from orders returning *) select * from gone", "explain analyze delete from orders",
    "prepare p as delete from orders", "do $$ begin delete from orders; end $$", "select 1; truncate orders",
    "create table t2 as with d as (delete from orders returning *) select * from d",
    "copy (delete from orders returning *) to stdout", "declare c cursor for select 1; drop table orders"])
def test_a_destructive_statement_is_found_wherever_it_hides(gateway, target, sql):
    with gateway.client("featurestore") as client:
        client.send(query(sql))
        assert client.signature() == "E42501 ZI"
        client.send(parse(sql), bind(), execute(), SYNC)
        seen = client.signature()
        assert seen.startswith("E") and seen.endswith("ZI"), seen
    assert target.psql("select count(*) from orders", "featurestore") == "20"


@pytest.mark.gateway_only
def test_what_no_rule_allows_is_denied(dsn):
    done = psql(dsn, r"\set VERBOSITY verbose", "grant select on users to public")
    assert done.status == 1 and "ERROR:  42501: blocked by policy" in done.err, done.err


@pytest.mark.gateway_only
def test_text_that_does_not_parse_is_denied_with_a_clear_message(gateway):
    with gateway.client("featurestore") as client:
        client.send(query("selec 1 frm users"))
        (kind, body), (_, state) = client.messages()
        fields = error_fields(body)
        assert kind == "E" and fields["C"] in ("42501", "42601") and state == b"I"
        assert "syntax error" in fields["M"] + fields["D"], fields


@pytest.mark.gateway_only
def test_what_needs_an_approval_is_denied_with_a_clear_message(gateway, target, dsn):
    done = psql(dsn, r"\set VERBOSITY verbose", "update ranking_scores set score = 99 where id = 1")
    assert done.status == 1 and "42501" in done.err and "approv" in done.err, done.err
    assert target.psql("select score from ranking_scores", "featurestore") == "10"


@pytest.mark.gateway_only
def test_an_update_elsewhere_needs_no_approval(target, dsn):
    done = psql(dsn, "update orders set amount = amount where id = 1")
    assert done.status == 0, done.err


@pytest.mark.gateway_only
def test_no_error_carries_a_masked_value(gateway):
    with gateway.client("featurestore") as client:
        client.send(query("insert into users(id, email, ssn) values (1, 'new@example.com', '999-99-9999')"))
        fields = error_fields(client.messages()[0][1])
        assert fields["C"] == "23505"
        client.send(query("update users set id = 1 where id = 2"))
        seen = str(client.messages())
        assert "222-22-2222" not in seen and "bob@example.com" not in seen


@pytest.mark.gateway_only
def test_a_refused_copy_from_stdin_executes_none_of_its_lines(gateway, target):
    """psql before 15.19 reads the data as commands after a refused COPY, so the refusal ends the connection."""
    done = psql(gateway.dsn("shortlived"), script="copy pg_class from stdin;\nselect 'executed';\n\\.\nselect 'after';\n")
    assert "executed" not in done.out, done
    assert "FATAL" in done.err or "42501" in done.err or "blocked by policy" in done.err, done.err


def test_copy_through_psql_both_ways(target, dsn, gateway):
    into = psql(dsn, script="\\copy scratch from stdin\n10\tten\n11\televen\n\\.\n")
    assert into.status == 0, into.err
    assert psql(dsn, r"\copy (select * from scratch where id >= 10 order by 1) to stdout").out == "10\tten\n11\televen\n"


def test_a_script_in_one_transaction_works(dsn):
    done = psql(dsn, script="begin;\ncreate temp table t(i int);\ninsert into t select generate_series(1,3);\n"
                            "select sum(i) from t;\ncommit;\n")
    assert done.out == "6\n", done.err


def test_a_large_result_arrives_whole(dsn):
    done = psql(dsn, "select repeat('x', 1000) from generate_series(1, 20000)")
    assert done.status == 0 and len(done.out) == 20000 * 1001


@pytest.mark.gateway_only
def test_masked_values_never_pass_in_any_row(gateway):
    with gateway.client("featurestore") as client:
        client.send(query("select * from users"))
        rows = [row_values(body) for kind, body in client.messages() if kind == "D"]
        assert len(rows) == 3
        assert all(row[2] in (None, b"[masked]") and row[3] in (None, b"[masked]") for row in rows)
