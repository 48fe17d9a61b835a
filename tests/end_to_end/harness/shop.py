"""A database with one of nearly everything, behind policies under which people look and hardly write: what honest clients meet."""

from pathlib import Path

from .cluster import SUPERUSER, SUPERUSER_PASSWORD
from .gateway import User, connection

DATABASE = "shop"
CLIENTS = Path(__file__).parents[2] / "corpus" / "clients"
SCHEMA = CLIENTS / "schema" / "shop.sql"

READER = User("reader", "reader-secret", ("readers",))
WRITER = User("writer", "writer-secret", ("writers",))
USERS = (READER, WRITER)

MASKS = """\
    mask:
      - {columns: ["*.ssn", public.customers.email], with: redact}
      - {columns: [payments.card], with: {keep_last: 4}}
"""
# Texts of the masked columns, and what stands in their place.
SHOWN = {"ada@example.com": "[masked]", "bob@example.com": "[masked]", "111-11-1111": "[masked]", "222-22-2222": "[masked]",
         "333-33-3333": "[masked]", "4111111111111111": "************1111", "5500005555555559": "************5559"}


def policy(group, classes):
    """A policy that allows a group these classes, with the shop's masks."""
    return (f"  - name: {group}\n    who: {{groups: [{group}]}}\n    connections: [{DATABASE}, postgres]\n    access: standing\n"
            f"    rules:\n      - {{allow: {{sql: [{classes}]}}}}\n{MASKS}")


POLICIES = policy("readers", "read") + policy("writers", "read, write")


def prepare(cluster):
    cluster.database(DATABASE)
    cluster.psql(SCHEMA.read_text(encoding="utf-8"), DATABASE)


def start(serve, cluster):
    """The database and a gateway in front of it, and of the database that clients use which want any."""
    prepare(cluster)
    connections = connection(DATABASE, cluster.port, DATABASE) + connection("postgres", cluster.port, "postgres")
    return serve(connections, POLICIES, users=USERS)


def direct(cluster, database=DATABASE):
    """A libpq connection string past the gateway, as the role that the gateway has on the target."""
    return f"host=127.0.0.1 port={cluster.port} user={SUPERUSER} password={SUPERUSER_PASSWORD} dbname={database} sslmode=disable"


def masked(text):
    """What a direct connection shows, with the masks over it."""
    for value, shown in SHOWN.items():
        text = text.replace(value, shown)
    return text
