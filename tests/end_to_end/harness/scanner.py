"""Reads a text as PostgreSQL's scanner does: tokens and their kinds, and the little of grammar that the corpus needs."""

import re

KEYWORDS = frozenset("""
abort absolute access action add admin after aggregate all also alter always analyse analyze and any array as asc asensitive assertion
assignment asymmetric at atomic attach attribute authorization backward before begin between bigint binary bit boolean both breadth by cache
call called cascade cascaded case cast catalog chain char character characteristics check checkpoint class close cluster coalesce collate
collation column columns comment comments commit committed compression concurrently configuration conflict connection constraint constraints
content continue conversion copy cost create cross csv cube current current_catalog current_date current_role current_schema current_time
current_timestamp current_user cursor cycle data database day deallocate dec decimal declare default defaults deferrable deferred definer
delete delimiter delimiters depends depth desc detach dictionary disable discard distinct do document domain double drop each else enable
encoding encrypted end enum escape event except exclude excluding exclusive execute exists explain expression extension external extract
false family fetch filter finalize first float following for force foreign forward freeze from full function functions generated global
grant granted greatest group grouping groups handler having header hold hour identity if ilike immediate immutable implicit import in
include including increment index indexes inherit inherits initially inline inner inout input insensitive insert instead int integer
intersect interval into invoker is isnull isolation join key label language large last lateral leading leakproof least left level like
limit listen load local localtime localtimestamp location lock locked logged mapping match matched materialized maxvalue merge method
minute minvalue mode month move name names national natural nchar new next nfc nfd nfkc nfkd no none normalize normalized not nothing
notify notnull nowait null nullif nulls numeric object of off offset oids old on only operator option options or order ordinality others
out outer over overlaps overlay overriding owned owner parallel parameter parser partial partition passing password placing plans policy
position preceding precision prepare prepared preserve primary prior privileges procedural procedure procedures program publication quote
range read real reassign recheck recursive ref references referencing refresh reindex relative release rename repeatable replace replica
reset restart restrict return returning returns revoke right role rollback rollup routine routines row rows rule savepoint schema schemas
scroll search second security select sequence sequences serializable server session session_user set setof sets share show similar simple
skip smallint snapshot some sql stable standalone start statement statistics stdin stdout storage stored strict strip subscription
substring support symmetric sysid system table tables tablesample tablespace temp template temporary text then ties time timestamp to
trailing transaction transform treat trigger trim true truncate trusted type types uescape unbounded uncommitted unencrypted union unique
unknown unlisten unlogged until update user using vacuum valid validate validator value values varchar variadic varying verbose version
view views volatile when where whitespace window with within without work wrapper write xml xmlattributes xmlconcat xmlelement xmlexists
xmlforest xmlnamespaces xmlparse xmlpi xmlroot xmlserialize xmltable year yes zone
""".split())

TOKEN = re.compile(r"""
    (?P<space>[ \t\n\r\f]+) | (?P<remark>--[^\n\r]*) | (?P<remark_open>/\*)
  | (?P<escaped>[eE]'(?:[^'\\]|''|\\.)*') | (?P<string>(?:[bBxXnN]|[uU]&)?'(?:[^']|'')*')
  | (?P<dollar>\$(?P<tag>(?:[A-Za-z_\x80-\U0010ffff][A-Za-z0-9_\x80-\U0010ffff]*)?)\$.*?\$(?P=tag)\$)
  | (?P<quoted>(?:[uU]&)?"(?:[^"]|"")+") | (?P<parameter>\$\d+) | (?P<word>[A-Za-z_\x80-\U0010ffff][A-Za-z0-9_$\x80-\U0010ffff]*)
  | (?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?) | (?P<cast>::|:=|\.\.)
  | (?P<operator>(?:(?!--|/\*)[~!@\#^&|`?+\-*/%<>=])+) | (?P<other>.)
""", re.VERBOSE | re.DOTALL)
BLANK = ("space", "remark")


def scanned(sql):
    """All tokens with their kinds, white space and comments included; the texts joined are sql."""
    at, found = 0, []
    while at < len(sql):
        match = TOKEN.match(sql, at)
        kind, end = match.lastgroup, match.end()
        if kind == "tag" or match.group("dollar"):
            kind = "dollar"
        if kind == "remark_open":
            kind, depth = "remark", 1
            while depth and end < len(sql):
                step = 2 if sql[end:end + 2] in ("/*", "*/") else 1
                depth += {"/*": 1, "*/": -1}.get(sql[end:end + 2], 0)
                end += step
        found.append((sql[at:end], kind))
        at = end
    return found


def tokens(sql):
    """The tokens a parser sees."""
    return [token for token in scanned(sql) if token[1] not in BLANK]


def first_word(sql):
    if not isinstance(sql, str):
        return None
    return next((token.lower() for token, kind in tokens(sql) if token != "("), None)


VERBS = ("select", "values", "table", "insert", "update", "delete", "merge")


def main_verb(sql):
    """What the first statement is in the end: of WITH the verb behind the common table expressions; else its first word."""
    seen = tokens(sql)
    while seen and seen[0][0] in ("(", ";"):
        seen = seen[1:]
    if not seen or seen[0][0].lower() != "with":
        return seen[0][0].lower() if seen else None
    depth = 0
    for token, kind in seen:
        depth += {"(": 1, ")": -1}.get(token, 0)
        if depth == 0 and kind == "word" and token.lower() in VERBS:
            return token.lower()
        if depth < 0:
            return None
    return None


def literal(value):
    return "'" + value.replace("'", "''") + "'"
