"""node-postgres (pg from the npm registry): the claims are functions of node_postgres_story.js; here each is one test.

NODE_PATH names the directory where the package lies; without it, it is installed beside the other test files of the build."""

import os
import re
import subprocess
from pathlib import Path

import pytest

from harness.processes import clean_environment

STORY = Path(__file__).parent / "node_postgres_story.js"
CLAIMS = re.findall(r"^  (\w+): (?:async )?\(\) =>", STORY.read_text(encoding="utf-8"), re.MULTILINE)


def modules():
    """Where the package lies, installed there first if need be."""
    for place in os.environ.get("NODE_PATH", "").split(":"):
        if place and (Path(place) / "pg").is_dir():
            return place
    place = Path(os.environ.get("SALLYPORT_CACHE", os.getcwd())) / "node"
    if not (place / "node_modules" / "pg").is_dir():
        place.mkdir(parents=True, exist_ok=True)
        subprocess.run(["npm", "install", "--prefix", str(place), "--no-audit", "--no-fund", "--no-save", "--loglevel=error", "pg@8"],
                       check=True, timeout=200)
    return str(place / "node_modules")


@pytest.fixture(scope="module")
def told(gateway):
    """Claim -> what the program said of it."""
    done = subprocess.run(
        ["node", str(STORY), str(gateway.port), gateway.users["alice"].password, "gateway" if hasattr(gateway, "process") else "direct"],
        capture_output=True, text=True, timeout=120, env=clean_environment(NODE_PATH=modules()), check=False)
    lines = dict(re.findall(r"^(?:ok|FAILED) (\w+)(.*)$", done.stdout, re.MULTILINE))
    assert lines, done.stdout + done.stderr
    return lines


@pytest.mark.parametrize("claim", [pytest.param(name, marks=pytest.mark.gateway_only) if name.startswith("gateway_") else name
                                   for name in CLAIMS])
def test_node_postgres(told, claim):
    assert told.get(claim, " was not reached") == ""
