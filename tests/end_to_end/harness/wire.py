"""A PostgreSQL client in plain sockets: says exactly the bytes a story wants said, and tells what came back as a short signature."""

import hashlib
import select
import socket
import ssl
import struct
import time

from .scram import ClientExchange

VERSION_3_0 = 196608
VERSION_3_2 = 196610
SSL_REQUEST = struct.pack("!II", 8, 80877103)
GSS_REQUEST = struct.pack("!II", 8, 80877104)
CANCEL_CODE = 80877102


def message(kind, *parts):
    body = b"".join(parts)
    return kind + struct.pack("!I", len(body) + 4) + body


def text(value):
    return (value.encode() if isinstance(value, str) else value) + b"\0"


def query(sql):
    return message(b"Q", text(sql))


def parse(sql, name="", types=()):
    return message(b"P", text(name), text(sql), struct.pack("!H", len(types)), *[struct.pack("!I", t) for t in types])


def bind(parameters=(), statement="", portal="", formats=(), results=()):
    body = text(portal) + text(statement) + struct.pack("!H", len(formats))
    body += b"".join(struct.pack("!H", f) for f in formats) + struct.pack("!H", len(parameters))
    for value in parameters:
        body += struct.pack("!i", -1) if value is None else struct.pack("!I", len(value)) + value
    return message(b"B", body + struct.pack("!H", len(results)) + b"".join(struct.pack("!H", f) for f in results))


def describe(kind="P", name=""):
    return message(b"D", kind.encode(), text(name))


def execute(rows=0, portal=""):
    return message(b"E", text(portal), struct.pack("!I", rows))


def close(kind="S", name=""):
    return message(b"C", kind.encode(), text(name))


SYNC, FLUSH, COPY_DONE, TERMINATE = message(b"S"), message(b"H"), message(b"c"), message(b"X")


def startup_packet(user, database, extra=(), version=VERSION_3_0):
    body = struct.pack("!I", version) + b"user\0" + text(user)
    if database is not None:
        body += b"database\0" + text(database)
    for name, value in extra:
        body += text(name) + text(value)
    body += b"\0"
    return struct.pack("!I", len(body) + 4) + body


def error_fields(body):
    """An ErrorResponse's or NoticeResponse's fields by their letters."""
    return {part[:1].decode(): part[1:].decode(errors="replace") for part in body.split(b"\0") if part}


def row_values(body):
    """A DataRow's values; None for NULL."""
    (count,), at, values = struct.unpack_from("!H", body), 2, []
    for _ in range(count):
        (size,) = struct.unpack_from("!i", body, at)
        at += 4
        values.append(None if size < 0 else body[at:at + size])
        at += max(size, 0)
    return values


class Closed(Exception):
    """The peer closed the connection, or refused the login (then with the SQLSTATE)."""

    def __init__(self, words="", fields=None):
        super().__init__(words)
        self.fields = fields or {}


def trusting_tls():
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


class Client:
    """One connection. Without login (login=False) or with raw=True the story does the first steps itself."""

    def __init__(self, address, user="alice", password="", database=None, raw=False, tls=False, extra=(),
                 version=VERSION_3_0, login=True, limit=15.0):
        self.address, self.user, self.password, self.database = address, user, password, database
        self.socket = socket.create_connection(address, 5)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.settimeout(limit)
        self.buffer, self.parameters, self.key, self.negotiated, self.mechanisms = b"", {}, None, [], []
        if raw:
            return
        if tls:
            self.start_tls()
        self.send(startup_packet(user, database, extra, version))
        if login:
            self.log_in()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.socket.close()

    def start_tls(self):
        self.socket.sendall(SSL_REQUEST)
        answer = self.socket.recv(1)
        if answer != b"S":
            raise Closed(f"no TLS: {answer!r}")
        self.socket = trusting_tls().wrap_socket(self.socket)

    def send(self, *parts):
        self.socket.sendall(b"".join(parts))

    def _more(self):
        data = self.socket.recv(262144)
        if not data:
            raise Closed("closed")
        self.buffer += data

    def receive(self):
        """The next message: (type letter, body)."""
        while len(self.buffer) < 5:
            self._more()
        size = struct.unpack("!I", self.buffer[1:5])[0] + 1
        if size > len(self.buffer):
            pieces, have = [self.buffer], len(self.buffer)
            while have < size:
                data = self.socket.recv(1 << 20)
                if not data:
                    raise Closed("closed")
                pieces.append(data)
                have += len(data)
            self.buffer = b"".join(pieces)
        whole, self.buffer = self.buffer[:size], self.buffer[size:]
        return chr(whole[0]), whole[5:]

    def log_in(self):
        exchange = None
        while True:
            kind, body = self.receive()
            if kind == "E":
                fields = error_fields(body)
                raise Closed("E" + fields.get("C", "?"), fields)
            if kind == "Z":
                return
            if kind == "S":
                name, value = body.split(b"\0")[:2]
                self.parameters[name.decode()] = value.decode()
            elif kind == "K":
                self.key = body
            elif kind == "v":
                count = struct.unpack("!I", body[4:8])[0]
                names = [part.decode() for part in body[8:].split(b"\0")[:count]]
                self.negotiated.append((struct.unpack("!I", body[:4])[0], names))
            elif kind == "R":
                code = struct.unpack("!I", body[:4])[0]
                if code == 3:
                    self.send(message(b"p", text(self.password)))
                elif code == 5:
                    inner = hashlib.md5((self.password + self.user).encode()).hexdigest().encode()
                    self.send(message(b"p", text(b"md5" + hashlib.md5(inner + body[4:8]).hexdigest().encode())))
                elif code == 10:
                    self.mechanisms = [part.decode() for part in body[4:].split(b"\0") if part]
                    exchange = ClientExchange(self.password)
                    first = exchange.first()
                    self.send(message(b"p", text("SCRAM-SHA-256"), struct.pack("!I", len(first)), first))
                elif code == 11:
                    self.send(message(b"p", exchange.final(body[4:])))

    def signature(self, readies=1, stop=None, quiet=None):
        """Message types up to that many ReadyForQuery, or to the first of the types in stop, or to silence of quiet seconds."""
        out = []
        while True:
            if quiet is not None and not self.buffer and not select.select([self.socket], [], [], quiet)[0]:
                break
            try:
                kind, body = self.receive()
            except (Closed, ConnectionError):
                out.append("closed")
                break
            detail = ""
            if kind == "E":
                detail = error_fields(body).get("C", "?")
            elif kind == "Z":
                detail = body[:1].decode()
            elif kind == "C":
                detail = ":" + body[:-1].decode()
            out.append(kind + detail)
            if kind == "Z":
                readies -= 1
                if readies == 0 and quiet is None and stop is None:
                    break
            if stop and kind in stop:
                break
        return squeeze(out)

    def messages(self, readies=1):
        """All messages up to that many ReadyForQuery."""
        out = []
        while readies:
            out.append(self.receive())
            readies -= out[-1][0] == "Z"
        return out

    def one(self, sql):
        """The first value of a simple query as text, or E and its SQLSTATE."""
        self.send(query(sql))
        value = None
        for kind, body in self.messages():
            if kind == "D" and value is None:
                first = row_values(body)[0]
                value = None if first is None else first.decode()
            elif kind == "E":
                value = "E" + error_fields(body).get("C", "?")
        return value

    def alive(self):
        try:
            return self.one("select 42") == "42"
        except (Closed, OSError):
            return False


def cancel(address, key, tls=False):
    """Sends a CancelRequest and waits for the close that answers it."""
    client = Client(address, raw=True)
    try:
        if tls:
            client.start_tls()
        client.send(struct.pack("!II", 8 + len(key), CANCEL_CODE) + key)
        client.socket.settimeout(5)
        client.socket.recv(1)
    except OSError:
        pass
    finally:
        client.close()


def squeeze(items):
    """Joins items, repeated neighbours as item*count."""
    out = []
    for item in items:
        if out and out[-1][0] == item:
            out[-1][1] += 1
        else:
            out.append([item, 1])
    return " ".join(item if count == 1 else f"{item}*{count}" for item, count in out)


def closes_within(connection, seconds):
    """Whether the peer closes (after whatever it still sends) within that time."""
    end = time.monotonic() + seconds
    try:
        while time.monotonic() < end:
            connection.settimeout(max(0.05, end - time.monotonic()))
            if not connection.recv(65536):
                return True
    except socket.timeout:
        return False
    except OSError:
        return True
    return False
