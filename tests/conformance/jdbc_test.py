"""The PostgreSQL JDBC driver: the claims are methods of JdbcStory.java; here each is one test."""

import re
import subprocess
from pathlib import Path

import pytest

from harness.processes import clean_environment, private_directory, remove_directory

SOURCE = Path(__file__).parent / "JdbcStory.java"
DRIVER = "/usr/share/java/postgresql.jar"
CLAIMS = re.findall(r"^    static void (\w+)\(\)", SOURCE.read_text(encoding="utf-8"), re.MULTILINE)


@pytest.fixture(scope="module")
def told(gateway):
    """Claim -> what the program said of it."""
    classes = private_directory("jdbc")
    try:
        subprocess.run(["/usr/bin/javac", "-cp", DRIVER, "-d", str(classes), str(SOURCE)], check=True, capture_output=True, text=True)
        done = subprocess.run(
            ["/usr/bin/java", "-Xshare:auto", "-XX:TieredStopAtLevel=1", "-cp", f"{classes}:{DRIVER}", "JdbcStory", "127.0.0.1",
             str(gateway.port), gateway.users["alice"].password, "gateway" if hasattr(gateway, "process") else "direct"],
            capture_output=True, text=True, timeout=200, env=clean_environment(), check=False)
    finally:
        remove_directory(classes)
    lines = dict(re.findall(r"^(?:ok|FAILED) (\w+)(.*)$", done.stdout, re.MULTILINE))
    assert lines, done.stdout + done.stderr
    return lines


@pytest.mark.parametrize("claim", [pytest.param(name, marks=pytest.mark.gateway_only) if name.startswith("gateway_") else name
                                   for name in CLAIMS])
def test_jdbc(told, claim):
    assert told.get(claim, " was not reached") == ""
