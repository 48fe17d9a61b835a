"""The corpus of attacks and look-alikes in tests/corpus/attacks, and its reader.

    for case in cases("blocked"):
        for road in case.roads:
            outcomes = roads.run(client, case, road)              # one Outcome a step
        for mutation in mutations(case.sql, case.seed):
            outcome = roads.send(client, mutation.text, road, cuts=mutation.cuts)

Nothing here judges: what an Outcome must be is its story's to say. A file is a map:

    about: what this class of attack is, and what must hold
    kind: blocked | masked | passes
    setup: SQL that the target's superuser runs beforehand
    roads, user, ...: defaults for the cases
    cases:
      - DROP TABLE users                # a text
      - sql: ...                        # or a map with a text, or with steps: texts and messages one after the other in one session
        name, roads, user, mutate       # user: whose policy; mutate: whether mutations apply
        parameters, data                # for $1 and so on; rows for COPY ... FROM STDIN
        rows, shows, effect             # expected rows; a query at the target whose answer stays
        works: false                    # blocked: PostgreSQL itself declines it, too
        unreadable: true                # blocked: any error is a refusal, for gateway or target cannot read the text
        varies: true                    # passes: the values differ from run to run"""

import itertools
import re
import zlib
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from .roads import STATEMENT_ROADS

ATTACKS = Path(__file__).resolve().parents[2] / "corpus" / "attacks"
KINDS = ("blocked", "masked", "passes")


@dataclass(frozen=True)
class Case:
    """One case of one file. options holds whatever keys the file gave it that have no field of their own."""

    name: str
    file: str
    about: str
    kind: str
    steps: tuple
    roads: tuple = STATEMENT_ROADS
    mutate: bool = True
    effect: str = None
    shows: list = None
    rows: list = None
    user: str = None
    parameters: tuple = ()
    data: str = ""
    options: dict = field(default_factory=dict)

    @property
    def sql(self):
        """The text of a case of one step."""
        assert len(self.steps) == 1, f"{self} has several steps"
        return self.steps[0]

    @property
    def seed(self):
        """The same in every run, another for every case."""
        return zlib.crc32(f"{self.file}: {self.name}".encode())

    def __str__(self):
        return f"{self.file}: {self.name}"


OWN_KEYS = {"sql", "steps", "name", "roads", "mutate", "effect", "shows", "rows", "user", "parameters", "data"}


def cases(kind_or_folder=None, folder=ATTACKS, fill=None):
    """The cases of a kind (or of all kinds), of a file by its stem, or of all files in a folder, in the order of the files.

    fill maps marks in texts to what they stand for: {"@directory@": "/tmp/x"}."""
    kind = kind_or_folder
    if isinstance(kind, Path):
        kind, folder = None, kind
    found = []
    for file in sorted(Path(folder).glob("*.yaml")):
        if kind is None or kind == file.stem or kind == kind_of(file):
            found += read_file(file, fill or {})
    assert found, f"no case of {kind or 'any kind'} in {folder}"
    return found


def kind_of(path):
    """The kind of a file, without reading its cases."""
    return re.search(r"^kind: *(\w+)", Path(path).read_text(encoding="utf-8"), re.MULTILINE).group(1)


def read_file(path, fill=None):
    """The cases of one file."""
    content = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    defaults = {key: value for key, value in content.items() if key not in ("about", "kind", "cases", "setup")}
    assert content["about"] and content["kind"] in KINDS, path
    made, names = [], set()
    for entry in content["cases"]:
        entry = {**defaults, **(entry if isinstance(entry, dict) else {"sql": entry})}
        assert ("sql" in entry) != ("steps" in entry) and all(re.fullmatch("[a-z_]+", key) for key in entry), (path, entry)
        steps = tuple(filled(step, fill or {}) for step in entry.get("steps", [entry.get("sql")]))
        name = entry.get("name") or shortened(entry.get("steps", [entry.get("sql")]))
        if name in names:
            name = next(f"{name} ({count})" for count in itertools.count(2) if f"{name} ({count})" not in names)
        names.add(name)
        made.append(Case(
            name=name, file=Path(path).stem, about=content["about"], kind=content["kind"], steps=steps,
            roads=tuple(entry.get("roads", STATEMENT_ROADS if "steps" not in entry else ("simple", "extended"))),
            mutate=entry.get("mutate", True) and len(steps) == 1 and isinstance(steps[0], str),
            effect=filled(entry.get("effect"), fill or {}), shows=entry.get("shows"), rows=entry.get("rows"), user=entry.get("user"),
            parameters=tuple(str(value) for value in entry.get("parameters", ())), data=entry.get("data", ""),
            options={key: value for key, value in entry.items() if key not in OWN_KEYS}))
    return made


def setups(kind, folder=ATTACKS, fill=None):
    """What the files of a kind want made in the sample database beforehand, by its superuser: (file's stem, SQL) each."""
    files = [file for file in sorted(Path(folder).glob("*.yaml")) if kind_of(file) == kind]
    found = [(file.stem, yaml.safe_load(file.read_text(encoding="utf-8")).get("setup")) for file in files]
    return [(stem, filled(sql, fill or {})) for stem, sql in found if sql]


def filled(value, fill):
    """The value with what its marks stand for put in, however deep they are."""
    if isinstance(value, list):
        return [filled(item, fill) for item in value]
    if isinstance(value, dict):
        return {key: filled(item, fill) for key, item in value.items()}
    for mark, meaning in fill.items():
        if isinstance(value, str):
            value = value.replace(mark, str(meaning))
        elif isinstance(value, bytes):
            value = value.replace(mark.encode(), str(meaning).encode())
    return value


def shortened(steps):
    """A name for a case without one: the end of its text tells more than the beginning when there are several steps."""
    words = " ; ".join(step if isinstance(step, str) else repr(step) for step in steps)
    words = re.sub(r"\s+", " ", words)
    return words if len(words) <= 90 else f"{words[:60]} ... {words[-25:]}"
