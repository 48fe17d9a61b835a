"""SCRAM-SHA-256 in plain Python: verifiers for the configuration, and the client's side of the exchange (RFC 5802, RFC 7677)."""

import base64
import hashlib
import hmac
import os


def _hmac(key, text):
    return hmac.digest(key, text, "sha256")


def verifier(password, iterations=4096, salt=None):
    """What the configuration keeps of a password: SCRAM-SHA-256$iterations:salt$StoredKey:ServerKey."""
    salt = salt or os.urandom(16)
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, iterations)
    stored = hashlib.sha256(_hmac(salted, b"Client Key")).digest()
    server = _hmac(salted, b"Server Key")
    words = [base64.b64encode(part).decode() for part in (salt, stored, server)]
    return f"SCRAM-SHA-256${iterations}:{words[0]}${words[1]}:{words[2]}"


class ClientExchange:
    """The client's three messages. binding: None, or the tls-server-end-point bytes for SCRAM-SHA-256-PLUS."""

    def __init__(self, password, binding=None, nonce=None):
        self.password = password
        self.header = b"p=tls-server-end-point,," if binding is not None else b"n,,"
        self.binding = binding or b""
        self.bare = "n=,r=" + (nonce or base64.b64encode(os.urandom(18)).decode())
        self.server_signature = None

    def first(self):
        return self.header + self.bare.encode()

    def final(self, server_first):
        server_first = server_first.decode()
        fields = dict(part.split("=", 1) for part in server_first.split(","))
        salted = hashlib.pbkdf2_hmac("sha256", self.password.encode(), base64.b64decode(fields["s"]), int(fields["i"]))
        client_key = _hmac(salted, b"Client Key")
        channel = base64.b64encode(self.header + self.binding).decode()
        without_proof = f"c={channel},r={fields['r']}"
        message = ",".join((self.bare, server_first, without_proof)).encode()
        signature = _hmac(hashlib.sha256(client_key).digest(), message)
        proof = bytes(a ^ b for a, b in zip(client_key, signature))
        self.server_signature = base64.b64encode(_hmac(_hmac(salted, b"Server Key"), message)).decode()
        return f"{without_proof},p={base64.b64encode(proof).decode()}".encode()


class ServerExchange:
    """The server's side, for scripted targets. It accepts whoever holds the password."""

    def __init__(self, password, iterations=4096):
        self.password, self.iterations = password, iterations
        self.salt = os.urandom(16)
        self.client_bare = self.server_first = None

    def first(self, client_first):
        self.client_bare = client_first.decode().split(",", 2)[2]
        nonce = self.client_bare.split("r=", 1)[1] + base64.b64encode(os.urandom(18)).decode()
        self.server_first = f"r={nonce},s={base64.b64encode(self.salt).decode()},i={self.iterations}"
        return self.server_first.encode()

    def final(self, client_final):
        without_proof = client_final.decode().rsplit(",p=", 1)[0]
        salted = hashlib.pbkdf2_hmac("sha256", self.password.encode(), self.salt, self.iterations)
        message = ",".join((self.client_bare, self.server_first, without_proof)).encode()
        return b"v=" + base64.b64encode(_hmac(_hmac(salted, b"Server Key"), message))
