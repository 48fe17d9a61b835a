"""The same exchange of raw messages, once with the server itself and once through the gateway, looks the same to the client.

Each case ends in a signature: the message types and the facts a client can see."""

import select
import socket
import ssl
import struct
import time

import pytest

from harness.gateway import User, connection
from harness.wire import (
    COPY_DONE,
    FLUSH,
    GSS_REQUEST,
    SSL_REQUEST,
    SYNC,
    TERMINATE,
    VERSION_3_2,
    Client,
    Closed,
    bind,
    cancel,
    close,
    describe,
    error_fields,
    execute,
    message,
    parse,
    query,
    row_values,
    startup_packet,
    text,
    trusting_tls,
)

DATABASE = "edge"
ROLE = User("edge", "edge-secret", ("testers",))


class End:
    """One of the two ends that are compared."""

    def __init__(self, address):
        self.address = address

    def client(self, **keywords):
        keywords.setdefault("password", ROLE.password)
        keywords.setdefault("database", DATABASE)
        return Client(self.address, user=ROLE.name, **keywords)


@pytest.fixture(scope="module")
def ends(serve, target):
    """The server and the gateway; the login has the same name on both, and so has the database."""
    target.database(DATABASE)
    target.role(ROLE.name, ROLE.password, "LOGIN SUPERUSER")
    gateway = serve(connection(DATABASE, target.port, DATABASE, user=ROLE.name, password=ROLE.password), users=(ROLE,))
    return End(target.address), End(gateway.address)


def outcome(case, end):
    try:
        return case(end)
    except Closed as error:
        return f"closed {error}"
    except socket.timeout:
        return "TIMEOUT"
    except (OSError, ssl.SSLError, struct.error) as error:
        return f"failed: {error}"


CASES = {}


def case(function):
    CASES[function.__name__] = function
    return function


# ---- starting up

@case
def gss_request_then_ssl_request(end):
    client = end.client(raw=True)
    client.send(GSS_REQUEST)
    if client.socket.recv(1) == b"G":
        return "answered"  # a server built with GSSAPI; a gateway says N and goes on
    client.send(SSL_REQUEST)
    return "answered" if client.socket.recv(1) in (b"S", b"N") else "the SSL request after the GSS request failed"


@case
def cleartext_behind_an_ssl_request(end):
    client = end.client(raw=True)
    client.send(SSL_REQUEST, startup_packet(ROLE.name, DATABASE))
    if client.socket.recv(1) != b"S":
        return "refused"
    try:
        client.socket.settimeout(4)
        client.socket = trusting_tls().wrap_socket(client.socket)
        client.socket.settimeout(4)
        return "answered the stuffed start-up" if client.socket.recv(10)[:1] == b"R" else "refused"
    except socket.timeout:
        return "silently dropped"
    except (OSError, ssl.SSLError):
        return "refused"


@case
def protocol_3_2_and_an_unknown_option(end):
    client = end.client(version=VERSION_3_2, extra=(("_pq_.gwtest", "1"),))
    return f"negotiated {client.negotiated}, works {client.alive()}"


@case
def key_length_of_protocol_3_2(end):
    return f"{len(end.client(version=VERSION_3_2).key) - 4} bytes"


@case
def startup_parameters_are_kept(end):
    client = end.client(extra=(("application_name", "edge"), ("DateStyle", "German"), ("extra_float_digits", "2"),
                               ("TimeZone", "Asia/Tokyo")))
    return " ".join(client.one("show " + name) for name in ("application_name", "DateStyle", "extra_float_digits", "TimeZone"))


@case
def startup_options_are_kept(end):
    client = end.client(extra=(("options", "-c geqo=off -c work_mem=5MB --intervalstyle=iso_8601"),))
    return " ".join(client.one("show " + name) for name in ("geqo", "work_mem", "intervalstyle"))


@case
def startup_packet_of_8_kb(end):
    return f"works {end.client(extra=(('options', '-c application_name=' + 'x' * 8000),)).alive()}"


@case
def parameter_status_at_login(end):
    parameters = end.client().parameters
    parameters.pop("application_name")  # the gateway's own where the client gives none: the target's log names the session
    return " ".join(f"{name}={value}" for name, value in sorted(parameters.items()))


@case
def mechanisms_on_tls(end):
    return " ".join(end.client(tls=True).mechanisms)


@case
def mechanisms_in_the_clear(end):
    return " ".join(end.client().mechanisms)


@case
def wrong_password(end):
    try:
        end.client(password="wrong")
    except Closed as error:
        return f"{error.fields['S']} {error.fields['C']} {error.fields['M']}"
    return "logged in"


@case
def unknown_database(end):
    try:
        end.client(database="no_such_database")
    except Closed as error:
        return f"{error.fields['S']} {error.fields['C']}"
    return "logged in"


@case
def startup_one_byte_at_a_time(end):
    client = end.client(raw=True)
    for byte in startup_packet(ROLE.name, DATABASE):
        client.send(bytes([byte]))
        time.sleep(0.001)
    client.log_in()
    return f"works {client.alive()}"


# ---- simple queries

@case
def several_statements(end):
    client = end.client()
    client.send(query("select 1; select 2 where false; create temp table t(i int); insert into t values (1),(2)"))
    return client.signature()


@case
def an_error_in_the_middle(end):
    client = end.client()
    client.send(query("select 1; select 1/0; select 3"))
    return f"{client.signature()} alive {client.alive()}"


@case
def all_fields_of_an_error(end):
    client = end.client()
    client.send(query("select nothing from nowhere"))
    return str(sorted(error_fields(client.messages()[0][1]).items()))


@case
def a_syntax_error(end):
    client = end.client()
    client.send(query("select 1 frm x y z"))
    return str(sorted(error_fields(client.messages()[0][1]).items()))


@case
def empty_and_comment_only(end):
    client = end.client()
    client.send(query(""), query("-- nothing"), query(" ; ; "))
    return client.signature(3)


@case
def transaction_states(end):
    client = end.client()
    client.send(query("begin"), query("select 1/0"), query("select 1"), query("rollback"))
    return client.signature(4)


@case
def notices(end):
    client = end.client()
    client.send(query("do $$ begin raise notice 'a'; raise warning 'b'; perform 1/0; "
                      "exception when others then raise notice 'c'; end $$"))
    return client.signature()


@case
def parameter_status_on_set(end):
    client = end.client()
    client.send(query("set timezone='Asia/Tokyo'; set application_name='z'; set work_mem='7MB'"))
    return client.signature()


@case
def five_queries_in_one_write(end):
    client = end.client()
    client.send(*[query(f"select {i}") for i in range(5)])
    return client.signature(5)


@case
def one_byte_at_a_time(end):
    client = end.client()
    for byte in query("select 1") + parse("select $1::int") + bind([b"7"]) + execute() + SYNC:
        client.send(bytes([byte]))
        time.sleep(0.001)
    return client.signature(2)


@case
def a_row_of_100_mb(end):
    client = end.client(limit=40)
    client.send(query("select repeat('x', 100000000)"))
    return " ".join(f"{kind}{len(body)}" for kind, body in client.messages())


@case
def a_text_of_20_mb(end):
    client = end.client(limit=40)
    client.send(query("select length('" + "y" * 20000000 + "')"))
    return client.signature()


@case
def a_row_of_1600_columns(end):
    client = end.client()
    client.send(query("select " + ",".join(f"{i} as c{i}" for i in range(1600))))
    return " ".join(f"{kind}{len(body)}" for kind, body in client.messages())


# ---- the extended protocol

@case
def parse_describe_bind_execute_close(end):
    client = end.client()
    client.send(parse("select $1::int, $2::text"), describe("S"), bind([b"\0\0\0\7", None], formats=(1, 0), results=(1, 0)),
                describe(), execute(), close("P"), SYNC)
    return str(client.messages())


@case
def an_error_skips_until_sync(end):
    client = end.client()
    client.send(parse("select 1"), bind(), execute(), parse("selec"), bind(), execute(), SYNC, parse("select 2"), bind(),
                execute(), SYNC)
    return client.signature(2)


@case
def an_error_comes_without_flush(end):
    client = end.client()
    client.send(parse("selec"))
    first = client.signature(stop="E", quiet=3)
    client.send(SYNC)
    return f"{first} | {client.signature()}"


@case
def flush_without_sync(end):
    client = end.client()
    client.send(parse("select $1::int"), describe("S"), FLUSH)
    seen = client.signature(stop="TE", quiet=3)
    client.send(bind([b"1"]), execute(), FLUSH)
    seen += " | " + client.signature(stop="CE", quiet=3)
    client.send(SYNC)
    return f"{seen} | {client.signature()}"


@case
def a_portal_suspended_and_resumed(end):
    client = end.client()
    client.send(parse("select generate_series(1,5)"), bind(), execute(2), execute(2), execute(2), SYNC)
    return client.signature()


@case
def a_suspended_portal_across_flush(end):
    client = end.client()
    client.send(query("begin"))
    client.signature()
    client.send(parse("select generate_series(1,3)"), bind(portal="p"), execute(2, "p"), FLUSH)
    seen = client.signature(stop="sCE", quiet=3)
    client.send(execute(0, "p"), SYNC)
    return f"{seen} | {client.signature()}"


@case
def two_portals_interleaved(end):
    client = end.client()
    client.send(query("begin"))
    client.signature()
    client.send(parse("select generate_series(1,4)", "a"), parse("select 'x'", "b"), bind(statement="a", portal="pa"),
                bind(statement="b", portal="pb"), execute(1, "pa"), execute(0, "pb"), execute(2, "pa"), close("P", "pa"),
                execute(1, "pa"), SYNC)
    return client.signature()


@case
def a_simple_query_inside_extended(end):
    client = end.client()
    client.send(parse("select 1"), bind(), execute(), query("select 2"))
    return client.signature()


@case
def sync_alone_three_times(end):
    client = end.client()
    client.send(SYNC, SYNC, SYNC)
    return client.signature(3)


@case
def a_named_statement_after_an_error(end):
    client = end.client()
    client.send(parse("select 5", "s1"), SYNC, query("select 1/0"), bind(statement="s1"), execute(), SYNC,
                parse("select 6", "s1"), SYNC, close("S", "s1"), SYNC, bind(statement="s1"), SYNC)
    return client.signature(6)


@case
def a_statement_prepared_in_sql_and_bound_by_the_protocol(end):
    client = end.client()
    client.send(query("prepare p1(int) as select $1 + 1"), bind([b"41"], statement="p1"), describe(), execute(), SYNC,
                query("deallocate p1"), bind([b"1"], statement="p1"), SYNC)
    return client.signature(4)


@case
def a_statement_prepared_by_the_protocol_and_executed_in_sql(end):
    client = end.client()
    client.send(parse("select 1 as x", "p2"), SYNC, query("execute p2"), query("discard all"), query("execute p2"))
    return client.signature(4)


@case
def an_empty_statement_in_the_extended_protocol(end):
    client = end.client()
    client.send(parse(""), describe("S"), bind(), describe(), execute(), SYNC)
    return client.signature()


@case
def two_statements_in_one_parse(end):
    client = end.client()
    client.send(parse("select 1; select 2"), bind(), execute(), SYNC)
    return client.signature()


@case
def a_pipeline_of_2000(end):
    client = end.client()
    client.send(*[parse("select $1::int") + bind([str(i).encode()]) + execute() + SYNC for i in range(2000)])
    rows = [row_values(body)[0] for kind, body in client.messages(2000) if kind == "D"]
    return f"in order {rows == [str(i).encode() for i in range(2000)]}"


@case
def a_pipeline_of_3000_in_one_transaction(end):
    client = end.client()
    client.send(*[parse("select $1::int") + bind([str(i).encode()]) + execute() for i in range(3000)], SYNC)
    rows = [row_values(body)[0] for kind, body in client.messages() if kind == "D"]
    return f"in order {rows == [str(i).encode() for i in range(3000)]}"


@case
def sixty_mb_full_duplex(end):
    """Writes and reads at the same time, in whatever amounts the peer allows; nothing may lock up."""
    client = end.client()
    client.socket.setblocking(False)
    out = memoryview(query("select '" + "d" * 30000 + "'") * 2000)
    written = read = 0
    tail, start = b"", time.monotonic()
    while time.monotonic() - start < 40:
        readable, writable, _ = select.select([client.socket], [client.socket] if written < len(out) else [], [], 5)
        if not readable and not writable:
            return f"stuck after writing {written} and reading {read} bytes"
        if writable:
            written += client.socket.send(out[written:written + 1000000])
        elif readable:
            data = client.socket.recv(1 << 20)
            if not data:
                return "closed"
            read += len(data)
            tail = (tail + data)[-6:]
            if written == len(out) and tail == b"Z\0\0\0\5I" and not select.select([client.socket], [], [], 0.3)[0]:
                return f"read {read}"
    return f"timeout at {written} and {read}"


@case
def an_insert_of_20_mb(end):
    client = end.client(limit=60)
    client.send(query("create temp table wide(id int, words text)"))
    client.signature()
    rows = ",".join(f"({i},'row {i} of many')" for i in range(720_000))
    client.send(query("insert into wide values " + rows))
    return f"{len(rows) > 20_000_000} {client.signature()} {client.one('select count(*) || md5(string_agg(words, null)) from wide')}"


@case
def a_literal_of_20_mb_in_a_parse(end):
    client = end.client(limit=60)
    client.send(parse("select length('" + "d" * 20_000_000 + "')"), bind(), execute(), SYNC)
    return client.signature()


@case
def everything_written_before_anything_is_read(end):
    client = end.client(limit=20)
    try:
        client.send(query("select 1") * 100000)
    except (socket.timeout, OSError):
        return "the write blocked"
    seen = 0
    while seen < 100000:
        seen += client.receive()[0] == "Z"
    return f"answers {seen}"


@case
def a_bind_of_30_mb(end):
    client = end.client(limit=40)
    client.send(parse("select length($1::text)"), bind([b"b" * 30000000]), execute(), SYNC)
    return client.signature()


@case
def a_function_call(end):
    client = end.client()
    client.send(message(b"F", struct.pack("!IHH", 177, 1, 1), struct.pack("!H", 2), struct.pack("!Ii", 4, 20),
                        struct.pack("!Ii", 4, 22), struct.pack("!H", 1)))
    return f"{client.signature()} alive {client.alive()}"


# ---- COPY

def with_table(end, constraint=""):
    client = end.client()
    client.send(query(f"create temp table ct(i int {constraint})"))
    client.signature()
    return client


@case
def copy_in(end):
    client = with_table(end)
    client.send(query("copy ct from stdin"), message(b"d", b"1\n2"), message(b"d", b"3\n"), COPY_DONE)
    return client.signature()


@case
def copy_in_that_the_client_fails(end):
    client = with_table(end)
    client.send(query("copy ct from stdin"))
    client.signature(stop="G")
    client.send(message(b"d", b"1\n"), message(b"f", text("stop")))
    return f"{client.signature()} alive {client.alive()}"


@case
def copy_in_that_the_server_fails_early(end):
    client = with_table(end, "primary key")
    client.send(query("copy ct from stdin"))
    client.signature(stop="G")
    client.send(message(b"d", b"1\n") * 300000, COPY_DONE)
    return f"{client.signature()} alive {client.alive()}"


@case
def copy_in_with_an_extra_sync(end):
    client = with_table(end)
    client.send(parse("copy ct from stdin"), bind(), execute(), SYNC, message(b"d", b"1\n"), COPY_DONE, SYNC)
    return f"{client.signature(quiet=1.5)} alive {client.alive()}"


@case
def copy_in_with_a_flush_inside(end):
    client = with_table(end)
    client.send(query("copy ct from stdin"), message(b"d", b"1\n"), FLUSH, SYNC, message(b"d", b"2\n"), COPY_DONE)
    return f"{client.signature(quiet=1.5)} alive {client.alive()}"


@case
def copy_in_among_statements(end):
    client = with_table(end)
    client.send(query("select 1; copy ct from stdin; select count(*) from ct"), message(b"d", b"1\n"), COPY_DONE)
    return client.signature()


@case
def two_copies_in_one_text(end):
    client = with_table(end)
    client.send(query("copy ct from stdin; copy ct to stdout; copy ct from stdin"), message(b"d", b"1\n"), COPY_DONE,
                message(b"d", b"2\n"), COPY_DONE)
    return client.signature()


@case
def copy_out(end):
    client = end.client()
    client.send(query("copy (select generate_series(1,1000)) to stdout; select 9"))
    return client.signature()


@case
def copy_out_in_the_extended_protocol(end):
    client = end.client()
    client.send(parse("copy (select generate_series(1,10)) to stdout"), bind(), describe(), execute(), SYNC)
    return client.signature()


@case
def copy_out_that_fails_midway(end):
    client = end.client()
    client.send(query("copy (select 1/(500-i) from generate_series(1,1000) i) to stdout"))
    return f"{client.signature()} alive {client.alive()}"


# ---- messages nobody asked for, cancelling

@case
def a_notification_while_idle(end):
    client, other = end.client(), end.client()
    client.send(query("listen edge_channel"))
    client.signature()
    other.one("notify edge_channel, 'hello'")
    kind, body = client.receive()
    return f"{kind} {body[4:]}"


def cancelled(end, tls):
    client = end.client(tls=tls)
    start = time.monotonic()
    client.send(query("select pg_sleep(8)"))
    time.sleep(0.3)
    cancel(end.address, client.key, tls)
    seen = client.signature()
    return f"{seen} {'fast' if time.monotonic() - start < 4 else 'slow'} alive {client.alive()}"


@case
def cancelling_a_query(end):
    return cancelled(end, False)


@case
def cancelling_a_query_over_tls(end):
    return cancelled(end, True)


@case
def cancelling_with_a_wrong_key(end):
    client = end.client()
    client.send(query("select pg_sleep(1)"))
    cancel(end.address, client.key[:4] + bytes(byte ^ 1 for byte in client.key[4:]))
    return client.signature()


@case
def cancelling_a_copy_out(end):
    client = end.client()
    client.send(query("copy (select generate_series(1,100000000)) to stdout"))
    for _ in range(5):
        client.receive()
    cancel(end.address, client.key)
    start, seen = time.monotonic(), []
    while True:
        kind, body = client.receive()
        if kind != "d":
            seen.append(kind + (error_fields(body).get("C", "") if kind == "E" else ""))
        if kind == "Z":
            return f"{seen} fast {time.monotonic() - start < 8} alive {client.alive()}"


# ---- bad messages

@case
def an_unknown_message_type(end):
    client = end.client()
    client.send(message(b"z", b"hello"))
    return client.signature(quiet=3)


@case
def a_length_below_four(end):
    client = end.client()
    client.send(b"Q\0\0\0\3")
    return client.signature(quiet=3).removeprefix("E08P01 ")  # the server closes without a word, the gateway says why


@case
def a_negative_length(end):
    client = end.client()
    client.send(b"Q\xff\xff\xff\xf0select 1\0")
    return client.signature(quiet=3).removeprefix("E08P01 ")


@case
def a_query_without_terminator(end):
    client = end.client()
    client.send(message(b"Q", b"select 1"))
    return client.signature(quiet=2)


@case
def a_query_with_an_inner_nul(end):
    client = end.client()
    client.send(message(b"Q", b"select 1\0; select 2\0"))
    return client.signature(quiet=2)


@case
def a_bind_that_counts_beyond_its_end(end):
    client = end.client()
    client.send(parse("select 1"), message(b"B", text(""), text(""), struct.pack("!HH", 0, 500)), SYNC)
    return client.signature(quiet=2)


@case
def a_startup_packet_that_is_too_long(end):
    client = end.client(raw=True)
    client.send(struct.pack("!II", 20000000, 196608) + b"user\0")
    return client.signature(quiet=3)


@case
def an_old_protocol_version(end):
    client = end.client(raw=True)
    client.send(startup_packet(ROLE.name, DATABASE, version=2 << 16))
    return client.signature(quiet=3)


@case
def the_client_half_closes_after_its_query(end):
    client = end.client()
    client.send(query("select 1"))
    client.socket.shutdown(socket.SHUT_WR)
    return client.signature(9)


@case
def terminate_with_work_in_flight(end):
    client = end.client()
    client.send(query("create temp table t(i int)"), query("select 1"), TERMINATE)
    return client.signature(9)


@pytest.mark.parametrize("name", CASES)
def test_an_exchange_looks_the_same(ends, name):
    direct, gateway = (outcome(CASES[name], end) for end in ends)
    assert gateway == direct
