"""Servers that misbehave by script: one for logins, and a proxy in front of a real server that misbehaves on marked statements."""

import select
import socket
import struct
import threading

from .scram import ServerExchange
from .wire import SSL_REQUEST, message, text

MARK = b"/*hostile:"


class Listener:
    """Accepts on a free loopback port and handles each connection on a thread of its own."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port = self.listener.getsockname()[1]
        self.open = True
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while self.open:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=self._guarded, args=(connection,), daemon=True).start()

    def _guarded(self, connection):
        with connection:
            try:
                self.handle(connection)
            except (OSError, EOFError, struct.error, ValueError, KeyError):
                pass

    def handle(self, connection):
        raise NotImplementedError

    def close(self):
        self.open = False
        self.listener.close()


def read_exactly(connection, size):
    out = b""
    while len(out) < size:
        data = connection.recv(size - len(out))
        if not data:
            raise EOFError
        out += data
    return out


def read_startup(connection):
    """The start-up packet, an SSLRequest answered with N before it."""
    while True:
        head = read_exactly(connection, 4)
        body = read_exactly(connection, struct.unpack("!I", head)[0] - 4)
        if head + body == SSL_REQUEST:
            connection.sendall(b"N")
            continue
        return head + body


def read_message(connection):
    head = read_exactly(connection, 5)
    return head[:1], read_exactly(connection, struct.unpack("!I", head[1:])[0] - 4)


def authentication(code, *parts):
    return message(b"R", struct.pack("!I", code), *parts)


class ScriptedLogin(Listener):
    """Runs script(server, connection) on each login; what clients sent as password messages is kept in received."""

    def __init__(self, script, password="target-superuser-secret"):
        self.script, self.password, self.received = script, password, []
        super().__init__()

    def handle(self, connection):
        connection.settimeout(30)
        self.script(self, connection)

    def read_password(self, connection):
        kind, body = read_message(connection)
        self.received.append(kind + body)
        return body

    def scram(self, connection, iterations=4096, change_first=None, change_final=None):
        """A SCRAM login, with the server's messages changed on request."""
        connection.sendall(authentication(10, text("SCRAM-SHA-256"), b"\0"))
        exchange = ServerExchange(self.password, 4096)
        first = self.read_password(connection).split(b"\0", 1)[1][4:]
        answer = exchange.first(first)
        if iterations != 4096:
            answer = answer.rsplit(b",i=", 1)[0] + b",i=" + str(iterations).encode()
        connection.sendall(authentication(11, change_first(answer) if change_first else answer))
        final = exchange.final(self.read_password(connection))
        connection.sendall(authentication(12, change_final(final) if change_final else final))
        connection.sendall(authentication(0))

    def wait_for_close(self, connection):
        while connection.recv(65536):
            pass


class MisbehavingProxy(Listener):
    """Passes everything between gateway and server, but a statement marked /*hostile:NAME*/ gets the answer called NAME."""

    def __init__(self, server, answers):
        self.server, self.answers = server, answers
        super().__init__()

    def handle(self, connection):
        startup = read_startup(connection)
        with socket.create_connection(self.server) as upstream:
            upstream.sendall(startup)
            buffer = b""
            while True:
                for ready in select.select([connection, upstream], [], [])[0]:
                    data = ready.recv(262144)
                    if not data:
                        return
                    if ready is upstream:
                        connection.sendall(data)
                        continue
                    buffer = self._pass_on(connection, upstream, buffer + data)

    def _pass_on(self, connection, upstream, buffer):
        while len(buffer) >= 5:
            size = struct.unpack("!I", buffer[1:5])[0] + 1
            if len(buffer) < size:
                break
            frame, buffer = buffer[:size], buffer[size:]
            if frame[:1] in b"QP" and MARK in frame:
                name = frame.split(MARK, 1)[1].split(b"*/", 1)[0].decode()
                for piece in self.answers[name]():
                    connection.sendall(piece)
            else:
                upstream.sendall(frame)
        return buffer
