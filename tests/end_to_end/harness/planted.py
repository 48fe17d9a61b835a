"""Planted secrets: unmistakable values, every form in which one could leave, and the search for them in what a client received."""

import base64
import datetime
import hashlib
import re
import struct
import uuid
from dataclasses import dataclass, field

from .wire import error_fields, row_values

SHORTEST_TEXT = 8
POSTGRES_EPOCH = datetime.date(2000, 1, 1)


def _of_text(text, digits=True):
    """The forms of a text: plain, reversed, hexadecimal, base64, digested, and its digits alone."""
    raw = text.encode()
    out = {raw, text[::-1].encode(), raw.hex().encode(), hashlib.md5(raw).hexdigest().encode(), hashlib.sha256(raw).hexdigest().encode()}
    # Inside a longer value the text can stand at any of three places of a base64 group: what does not depend on the neighbours.
    for before in range(3):
        encoded = base64.b64encode(b"\0" * before + raw)
        out.add(encoded[(0, 2, 3)[before]:len(encoded) - (0 if (before + len(raw)) % 3 == 0 else 4)])
    if digits:
        alone = re.sub(r"\D", "", text)
        # Eight digits of one kind stand in honest answers too.
        if len(alone) >= SHORTEST_TEXT and len(set(alone)) > 2:
            out |= {alone.encode(), alone[::-1].encode()}
    return {form for form in out if len(form) >= SHORTEST_TEXT}


def _of_day(day):
    """The ways in which the server writes a date, as text."""
    return {day.strftime(form) for form in ("%Y-%m-%d", "%m/%d/%Y", "%d/%m/%Y", "%m-%d-%Y", "%d-%m-%Y", "%d.%m.%Y", "%Y%m%d")}


@dataclass
class Secret:
    """One planted value: `anywhere` is searched for in all bytes, `whole` is too short for that and compared with whole values."""

    name: str
    anywhere: set = field(default_factory=set)
    whole: set = field(default_factory=set)


def text_secret(text, *parts):
    """A text; parts of it count as well."""
    made = Secret(text)
    for one in (text, *parts):
        made.anywhere |= _of_text(one)
    return made


def integer_secret(number):
    """A whole number of at least eight digits, as text and as the binary forms of int4, int8 and numeric."""
    made = Secret(str(number), _of_text(str(number)))
    made.anywhere |= {f"{number:x}".encode()} if number > 0xfffffff else set()
    made.anywhere.add(struct.pack("!q", number))
    if -(1 << 31) <= number < 1 << 31:
        made.whole.add(struct.pack("!i", number))
    made.anywhere.add(numeric_binary(str(number)))
    return made


def numeric_secret(text):
    """A decimal number with many digits."""
    return Secret(text, _of_text(text) | {numeric_binary(text), struct.pack("!d", float(text))})


def double_secret(number):
    """A double precision number."""
    return Secret(repr(number), _of_text(repr(number)) | {struct.pack("!d", number)})


def date_secret(day):
    """A date, as text in every DateStyle, as days since 2000 and as seconds since 1970."""
    made = Secret(day.isoformat())
    for written in _of_day(day):
        made.anywhere |= _of_text(written, digits=False)
    days = (day - POSTGRES_EPOCH).days
    made.whole.add(struct.pack("!i", days))
    made.anywhere |= {struct.pack("!q", days * 86400 * 1000000), str((day - datetime.date(1970, 1, 1)).days * 86400).encode()}
    return made


def uuid_secret(text):
    """A UUID."""
    value = uuid.UUID(text)
    return Secret(text, _of_text(text, digits=False) | {value.hex.encode(), value.hex[::-1].encode(), value.bytes})


def bytes_secret(raw):
    """A bytea: the raw bytes and their writings."""
    escaped = "".join(chr(byte) if 32 <= byte < 127 else f"\\{byte:03o}" for byte in raw).encode()
    return Secret(raw.hex(), {raw, raw[::-1], raw.hex().encode(), base64.b64encode(raw), escaped})


def numeric_binary(text):
    """The digits of a numeric as the binary format has them: groups of four, without the header."""
    whole, _, fraction = text.lstrip("-").partition(".")
    whole = whole.rjust(-(-len(whole) // 4) * 4, "0")
    fraction = fraction.ljust(-(-len(fraction) // 4) * 4, "0")
    joined = whole + fraction
    return b"".join(struct.pack("!h", int(joined[at:at + 4])) for at in range(0, len(joined), 4))


@dataclass
class Planted:
    """A set of secrets, searched for at once."""

    secrets: list

    def __post_init__(self):
        self.anywhere, self.folded, self.whole = {}, {}, {}
        for secret in self.secrets:
            for form in secret.anywhere:
                self.anywhere[form] = secret.name
                # Case is folded for what is text, never for binary numbers.
                if all(32 <= byte < 127 for byte in form):
                    self.folded[form.lower()] = secret.name
            self.whole.update({form: secret.name for form in secret.whole})
        self.digits = {re.sub(rb"\D", b"", form): name for form, name in self.folded.items() if re.fullmatch(rb"[\d.-]+", form)}
        self.digits = {form: name for form, name in self.digits.items() if len(form) >= SHORTEST_TEXT}
        self.head = min((len(form) for form in {*self.anywhere, *self.folded}), default=1)
        self.heads = {form[:self.head] for form in {*self.anywhere, *self.folded}}

    def in_bytes(self, data):
        """The names of secrets that stand in data in any form."""
        folded = data.lower()
        # Most data holds not even the beginning of a form, and is short: then looking that up is cheaper than searching for each.
        if len(data) < 2000 and all(self.heads.isdisjoint({text[at:at + self.head] for at in range(len(text) - self.head + 1)})
                                    for text in (data, folded)):
            return []
        return sorted({name for form, name in self.anywhere.items() if form in data}
                      | {name for form, name in self.folded.items() if form in folded})

    def in_messages(self, messages):
        """The names of secrets in messages (kind, body): in any byte, in a whole value, or spread over neighbouring values."""
        found, values = set(), []
        found.update(self.in_bytes(b"\n".join(body for _, body in messages)))
        for kind, body in messages:
            if kind == "D":
                values += [value for value in row_values(body) if value is not None]
            elif kind in "EN":
                values += [text.encode() for text in error_fields(body).values()]
        found.update(name for value in values for form, name in self.whole.items() if value == form)
        if values:
            found.update(self._spread(values))
            # A column at a time: a value cut into rows of several columns.
            rows = [row_values(body) for kind, body in messages if kind == "D"]
            if len({len(row) for row in rows}) == 1:
                found.update(self._spread([row[at] or b"" for at in range(len(rows[0])) for row in rows]))
        return sorted(found)

    def _spread(self, values):
        joined = b"".join(value for value in values if len(value) <= 200)
        found = set(self.in_bytes(joined))
        short = b"".join(value for value in values if len(value) <= 20)
        alone = re.sub(rb"\D", b"", short)
        return found | {name for form, name in self.digits.items() if form in alone}


# What a value of a type must look like: sizes in binary, patterns in text.
BINARY_SIZES = {16: 1, 20: 8, 21: 2, 23: 4, 26: 4, 700: 4, 701: 8, 1082: 4, 1083: 8, 1114: 8, 1184: 8, 1186: 16, 2950: 16, 18: 1}
TEXT_PATTERNS = {
    16: r"[tf]", 20: r"-?\d+", 21: r"-?\d+", 23: r"-?\d+", 26: r"\d+", 700: r"[-+.\deinfatyN]+", 701: r"[-+.\deinfatyN]+",
    1700: r"-?[\d.]+|NaN|-?Infinity", 1082: r"-?infinity|\d{4,}-\d\d-\d\d( BC)?", 1114: r"-?infinity|\d{4,}-\d\d-\d\d \d\d:\d\d:\d\d.*",
    1184: r"-?infinity|\d{4,}-\d\d-\d\d \d\d:\d\d:\d\d.*", 2950: r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", 17: r"\\x([0-9a-f]{2})*",
    1007: r"\{.*\}", 1009: r"\{.*\}", 1015: r"\{.*\}", 1016: r"\{.*\}", 1231: r"\{.*\}", 869: r"[0-9a-f.:]+(/\d+)?",
    3926: r"empty|[\[(].*[\])]", 3904: r"empty|[\[(].*[\])]", 2249: r"\(.*\)"}
JSON_TYPES = (114, 3802)


def columns(body):
    """A RowDescription's columns: (name, type OID, format)."""
    (count,), at, out = struct.unpack_from("!H", body), 2, []
    for _ in range(count):
        end = body.index(b"\0", at)
        _, _, kind, _, _, form = struct.unpack_from("!IHIhih", body, end + 1)
        out.append((body[at:end].decode(errors="replace"), kind, form))
        at = end + 19
    return out


def malformed(kind, form, value):
    """Why a value is none of its type, or an empty text."""
    import json

    if value is None:
        return ""
    if form == 1:
        wanted = BINARY_SIZES.get(kind)
        if wanted is not None and len(value) != wanted:
            return f"{len(value)} bytes for type {kind} in binary"
        if kind in (25, 1043, 114, 1042):
            value.decode()
        if kind == 3802 and (value[:1] != b"\1" or json.loads(value[1:]) is Ellipsis):
            return "jsonb in binary without its version"
        return ""
    try:
        text = value.decode()
    except UnicodeDecodeError:
        return f"{value!r} is no text"
    pattern = TEXT_PATTERNS.get(kind)
    if pattern and not re.fullmatch(pattern, text, re.S):
        return f"{text!r} for type {kind}"
    if kind in JSON_TYPES:
        try:
            json.loads(text)
        except ValueError:
            return f"{text!r} is no JSON"
    return ""


def misshapen(messages):
    """Rows of another arity or with values of another type than the RowDescription in force says."""
    described, wrong = None, []
    for kind, body in messages:
        if kind == "T":
            described = columns(body)
        elif kind in "nCEZ":
            described = None
        elif kind == "D" and described is not None:
            values = row_values(body)
            if len(values) != len(described):
                wrong.append(f"{len(values)} values for {len(described)} columns")
                continue
            for (name, oid, form), value in zip(described, values):
                reason = malformed(oid, form, value)
                if reason:
                    wrong.append(f"column {name}: {reason}")
    return wrong
