"""Other texts that PostgreSQL 15 reads as the same statement: spelt, spaced, quoted, nested, wrapped and cut otherwise."""

import random
import re
from dataclasses import dataclass

from .roads import fits
from .scanner import BLANK, KEYWORDS, first_word, literal, main_verb, scanned, tokens


@dataclass(frozen=True)
class Mutation:
    """A text that means the same. how: what was done; cuts: where its bytes are cut for TCP; several: it has other statements beside."""

    text: str
    how: str
    cuts: tuple = ()
    several: bool = False

    def goes(self, road):
        """Whether it can go a road: only the simple query takes several statements."""
        return fits(road, self.text) and (not self.several or road == "simple")


REMARKS = ["/**/", "/* x */", "/* one /* two */ three */", "/* ' */", '/* " $$ -- */', "/*;*/", "/*\n*/", "-- x\n", "--\r", "-- ' /* \"\n",
           "--;$$\n", "/*+ hint */"]
SPACES = ["\t", "\n", "\r\n", "\f", "  ", "\r", " \t\f\n "]


def mutations(sql, seed, count=4, wrap=False, nest=False, several=True, public=()):
    """count different texts that PostgreSQL 15 reads as the same statement, the same ones for the same seed.

    wrap: also inside EXPLAIN ANALYZE, a CTE or a DO block (the effect stays, the answer does not). nest: also inside a subquery that
    gives the same rows. several: also beside other statements (simple query only). public: names of tables of that schema, to qualify."""
    generator = random.Random(seed)
    made = {}
    for _ in range(count * 6):
        if len(made) >= count:
            break
        mutation = mutated(sql, generator, wrap, nest, several, public)
        if mutation.text != sql:
            made.setdefault(mutation.text, mutation)
    return list(made.values())


def mutated(sql, generator, wrap, nest, several, public):
    """One mutation: a wrapping or none, then some ways of writing, then cuts."""
    done, beside = [], False
    frames = [frame for frame in (wrappings(sql) if wrap else {}).items()] + [frame for frame in (nestings(sql) if nest else {}).items()]
    if frames and generator.random() < 0.3:
        name, sql = generator.choice(frames)
        done.append(name)
    if several and not has_parameters(sql) and generator.random() < 0.12:
        name, sql, beside = generator.choice([("before", f"SELECT 1; {sql}", True), ("empty", f";;{sql};", True)])
        done.append(name)
    pieces = scanned(sql)
    ways = [("qualified", lambda items: qualified(items, generator, public)),
            ("parentheses", lambda items: parenthesised(items, generator)),
            ("strings", lambda items: restrung(items, generator)), ("quotes", lambda items: requoted(items, generator)),
            ("case", lambda items: recased(items, generator)), ("blanks", lambda items: respaced(items, generator))]
    chosen = generator.sample(range(len(ways)), generator.randint(1, len(ways)))
    for at in sorted(chosen):
        changed = ways[at][1](pieces)
        done += [ways[at][0]] if changed != pieces else []
        pieces = changed
    words = "".join(token for token, _ in pieces)
    if not beside and generator.random() < 0.15:
        words, done = words + "\n;", done + ["semicolon"]
    cuts = ()
    if generator.random() < 0.4:
        cuts = tuple(generator.random() for _ in range(generator.randint(1, 4)))
        done.append("segments")
    return Mutation(words, ", ".join(done), cuts, beside)


def wrappings(sql):
    """Other statements with the same effect."""
    body, verb = sql.rstrip().rstrip(";"), main_verb(sql)
    if ";" in [token for token, _ in tokens(body)] or has_parameters(sql):
        return {}
    if verb in ("insert", "update", "delete", "merge"):
        frames = {"explained": f"EXPLAIN (ANALYZE, COSTS off) {body}"}
        if verb != "merge" and first_word(body) != "with":
            frames["in a CTE"] = f"WITH w AS ({body}\n) SELECT 1"
    elif verb in ("drop", "truncate", "alter"):
        frames = {}
    else:
        return {}
    if not re.search(r"\b(concurrently|database|tablespace|system|subscription|returning)\b", body, re.IGNORECASE):
        frames["in a DO block"] = f"DO $do_1$ BEGIN {body}\n; END $do_1$"
    return frames


def nestings(sql):
    """Other statements that give the same rows."""
    body = sql.rstrip().rstrip(";")
    if main_verb(sql) not in ("select", "values", "table") or ";" in [token for token, _ in tokens(body)]:
        return {}
    words = [token.lower() for token, kind in tokens(body) if kind == "word"]
    if {"into", "insert", "update", "delete", "merge"} & set(words):
        return {}
    return {"in a subquery": f"SELECT * FROM ({body}\n) w", "as a CTE": f"WITH w AS ({body}\n) TABLE w",
            "as a materialized CTE": f"WITH w AS MATERIALIZED ({body}\n) SELECT * FROM w"}


def has_parameters(sql):
    return any(kind == "parameter" for _, kind in tokens(sql))


def recased(pieces, generator):
    """Keywords and names that stand in no quotes, in any case."""
    def any_case(token):
        return "".join(letter.upper() if generator.random() < 0.5 else letter.lower() for letter in token)

    return [(any_case(token) if kind == "word" and token.isascii() else token, kind) for token, kind in pieces]


def requoted(pieces, generator):
    """Names that are no keywords in quotes, plain or with escapes of Unicode."""
    out = []
    for at, (token, kind) in enumerate(pieces):
        plain = kind == "word" and token.isascii() and token.lower() not in KEYWORDS
        if kind == "quoted" and token[0] == '"' and token.isascii() and "\\" not in token and not followed(pieces, at, "uescape"):
            plain, token = True, token[1:-1].replace('""', '"')
        elif plain:
            token = token.lower()
        if not plain or (kind == "word" and generator.random() < 0.35):
            out.append((f'"{token}"' if plain and kind == "quoted" else pieces[at][0], kind))
        elif generator.random() < 0.5:
            out.append(('"' + token.replace('"', '""') + '"', "quoted"))
        else:
            out.append((unicode_escaped(token, generator, '"', followed_by_string(pieces, at)), "quoted"))
    return out


def unicode_escaped(value, generator, quote, backslash=False):
    """U&"..." or U&'...', some characters as escapes; now and then, unless it must be the backslash, with another escape character."""
    mark = generator.choice(["\\", "\\", "!"]) if "!" not in value and not backslash else "\\"
    letters = []
    for letter in value:
        if letter in (mark, "\\") or generator.random() < 0.3:
            short = ord(letter) < 0x10000 and generator.random() < 0.7
            letters.append(f"{mark}{ord(letter):04x}" if short else f"{mark}+{ord(letter):06X}")
        else:
            letters.append(letter * 2 if letter == quote else letter)
    return f"U&{quote}{''.join(letters)}{quote}" + ("" if mark == "\\" else f" UESCAPE '{mark}'")


def followed(pieces, at, word):
    """Whether the next token that counts is that one."""
    return next((token.lower() for token, kind in pieces[at + 1:] if kind not in BLANK), None) == word


def followed_by_string(pieces, at):
    """Whether a string comes next: behind UESCAPE '!' and a line break it would continue that one."""
    return next((kind in ("string", "escaped") for _, kind in pieces[at + 1:] if kind not in BLANK), False)


def restrung(pieces, generator):
    """String constants in another of PostgreSQL's ways to write them."""
    counting = [at for at, (_, kind) in enumerate(pieces) if kind not in BLANK]
    out = list(pieces)
    for before, at, after in zip([None, *counting], counting, counting[1:] + [None]):
        token, kind = pieces[at]
        beside = [pieces[place] for place in (before, after) if place is not None]
        if any(near in ("string", "escaped") or word.lower() == "uescape" for word, near in beside) or generator.random() < 0.25:
            continue
        if kind == "dollar":
            value = token[token.index("$", 1) + 1:token.rindex("$", 0, len(token) - 1)]
        elif kind == "string" and token[0] == "'":
            value = token[1:-1].replace("''", "'")
        else:
            continue
        out[at] = restrung_value(value, generator)
    return out


def restrung_value(value, generator):
    way = generator.choice(["plain", "escaped", "unicode", "dollar"])
    if way == "escaped":
        def letter(one):
            if one == "\\":
                return "\\\\"
            if one == "'":
                return generator.choice(["''", "\\x27", "\\047"])
            if generator.random() < 0.3:
                return f"\\u{ord(one):04x}" if ord(one) < 0x10000 else f"\\U{ord(one):08x}"
            return one
        return f"E'{''.join(letter(one) for one in value)}'", "escaped"
    if way == "unicode":
        return unicode_escaped(value, generator, "'"), "string"
    if way == "dollar":
        tag = next(tag for tag in generator.sample(["", "x", "body", "_q1", "Ä", "z9z", "long_tag"], 7) if f"${tag}" not in value)
        if not value.endswith("$"):
            return f"${tag}${value}${tag}$", "dollar"
    return literal(value), "string"


GLUE = ("operator", "cast", "other", "number", "parameter", "dollar")


def respaced(pieces, generator):
    """Comments and other white space between tokens. Adjacent strings keep what joins them, or parts them, as it is."""
    counting = [(at, item) for at, item in enumerate(pieces) if item[1] not in BLANK]
    if not counting:
        return pieces
    out = list(pieces[:counting[0][0]])
    if generator.random() < 0.3:
        out.append((generator.choice(SPACES + ["/* x */", "-- x\n"]), "space"))
    for (at, (token, kind)), following in zip(counting, counting[1:] + [None]):
        out.append((token, kind))
        if following is None:
            out += pieces[at + 1:]
            break
        old = "".join(blank for blank, _ in pieces[at + 1:following[0]])
        strings = ("string", "escaped")
        if (kind in strings and following[1][1] in strings) or generator.random() < 0.45:
            out.append((old, "space"))
            continue
        if not old and generator.random() < 0.6:
            out.append(("", "space"))
            continue
        new = generator.choice(SPACES) if generator.random() < 0.5 else generator.choice(REMARKS)
        if kind in GLUE or following[1][1] in GLUE:
            new = f" {new} "
        out.append((new, "space"))
    return out


def parenthesised(pieces, generator):
    """Another pair of parentheses around subqueries, and around the statement where it is a SELECT."""
    twice = set()
    counting = [at for at, (_, kind) in enumerate(pieces) if kind not in BLANK]
    for before, at in zip(counting, counting[1:]):
        if pieces[before][0] != "(" or pieces[at][0].lower() not in ("select", "values", "with") or generator.random() < 0.4:
            continue
        end = closing(pieces, before)
        if end is not None and main_verb("".join(token for token, _ in pieces[at:end])) in ("select", "values"):
            twice |= {before, end}
    out = [piece for at, piece in enumerate(pieces) for _ in range(1 + (at in twice))]
    words = [token.lower() for token, kind in pieces if kind not in BLANK]
    alone = words and words[0] in ("select", "values", "with") and ";" not in words and "into" not in words
    if alone and main_verb("".join(token for token, _ in pieces)) in ("select", "values") and generator.random() < 0.6:
        return [("(", "other"), *out, ("\n", "space"), (")", "other")]
    return out


def closing(pieces, opening):
    """Where the parenthesis that stands at opening is closed."""
    depth = 0
    for at in range(opening, len(pieces)):
        depth += {"(": 1, ")": -1}.get(pieces[at][0], 0)
        if depth == 0:
            return at
    return None


BEFORE_A_TABLE = ("from", "join", "into", "update", "only", "table", "truncate")


def qualified(pieces, generator, public):
    """Tables of the schema public with their schema. A name that the text itself gives to a common table expression stays."""
    sql = "".join(token for token, _ in pieces)
    out, last = [], ("", "")
    for at, (token, kind) in enumerate(pieces):
        if kind in BLANK:
            out.append((token, kind))
            continue
        name = token.strip('"')
        eligible = kind in ("word", "quoted") and last[0].lower() in BEFORE_A_TABLE and name in public and not followed(pieces, at, ".")
        if eligible and generator.random() < 0.7 and not re.search(rf"\b{re.escape(name)}\b\"?\s*(\([^)]*\))?\s*as\b", sql, re.IGNORECASE):
            out += [("public", "word"), (".", "other")]
        out.append((token, kind))
        last = (token, kind)
    return out
