"""What the gateway recorded, asked through the program's own commands `sessions` and `replay`."""

import json
import re

from .processes import wait_until


def sessions(gateway, *filters):
    """The recorded sessions, newest first, one dictionary each."""
    done = gateway.run("sessions", "--json", *filters)
    return [json.loads(line) for line in done.stdout.splitlines() if line.strip()]


def replay(gateway, session, form="json"):
    """The replay of one session in one form."""
    identity = session if isinstance(session, str) else session["id"]
    return gateway.run("replay", identity, "--format", form).stdout


def replay_events(gateway, session):
    """The replay as JSON: a list of dictionaries."""
    text = replay(gateway, session)
    try:
        whole = json.loads(text)
    except json.JSONDecodeError:
        return [json.loads(line) for line in text.splitlines() if line.strip()]
    if isinstance(whole, dict):
        return next((value for value in whole.values() if isinstance(value, list)), [whole])
    return whole


def session_of(gateway, marker, seconds=15, closed=True):
    """The newest session with that text in it, once it is in the store (and has ended)."""
    seen = {}

    def look():
        for one in sessions(gateway):
            if closed and one.get("status") == "open":
                continue
            # An empty answer is one that the store could not give yet.
            if not seen.get(one["id"]) or one.get("status") == "open":
                seen[one["id"]] = replay(gateway, one)
            if marker in seen[one["id"]]:
                return one
        return None

    return wait_until(look, seconds, f"a recorded session with {marker!r}", step=0.2)


def markers(text, pattern=r"mark-(\d+)-(\d+)"):
    """All markers in the order in which the replay tells them."""
    return [tuple(int(part) for part in found) for found in re.findall(pattern, text)]
