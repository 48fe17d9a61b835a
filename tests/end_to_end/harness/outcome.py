"""What a client received in answer to one text: rows, errors, notices, COPY data, tags, and the state it left the session in."""

from dataclasses import dataclass

from .wire import error_fields, row_values


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
