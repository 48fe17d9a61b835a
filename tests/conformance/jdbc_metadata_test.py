"""What JDBC's DatabaseMetaData tells is the same through the gateway as directly: what Hibernate, Flyway, DBeaver and their like ask.

JdbcMetadata.java asks on both roads; here each question is one test. Under a policy for reading, with masks."""

import re
import subprocess
from pathlib import Path

import pytest

from harness import shop
from harness.cluster import SUPERUSER, SUPERUSER_PASSWORD
from harness.processes import clean_environment, private_directory, remove_directory

pytestmark = pytest.mark.gateway_only

SOURCE = Path(__file__).parent / "JdbcMetadata.java"
DRIVER = "/usr/share/java/postgresql.jar"


@pytest.fixture(scope="module")
def gateway(serve, target):
    return shop.start(serve, target)


@pytest.fixture(scope="module")
def told(gateway, target):
    """Question -> what was answered directly, and through the gateway."""
    target.psql("select lo_from_bytea(4711, 'hello')", shop.DATABASE)
    classes = private_directory("jdbc")
    try:
        subprocess.run(["/usr/bin/javac", "-cp", DRIVER, "-d", str(classes), str(SOURCE)], check=True, capture_output=True, text=True)
        runs = [subprocess.Popen(["/usr/bin/java", "-Xshare:auto", "-XX:TieredStopAtLevel=1", "-cp", f"{classes}:{DRIVER}", "JdbcMetadata",
                                  "127.0.0.1", str(port), user, password], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                                 env=clean_environment())
                for port, user, password in ((target.port, SUPERUSER, SUPERUSER_PASSWORD),
                                             (gateway.port, "reader", gateway.users["reader"].password))]
        outputs = [run.communicate(timeout=200)[0] for run in runs]
    finally:
        remove_directory(classes)
    sections = [re.split(r"(?m)^== (.*)\n", output) for output in outputs]
    assert all(len(one) > 100 for one in sections), outputs
    return [dict(zip(one[1::2], one[2::2])) for one in sections]


def questions():
    """The names that the program gives its questions, as far as they stand in its text; loops are named by their first word."""
    return sorted(set(re.findall(r'(?:QUESTIONS|WORKS)\.put\("([^"]+?)\s?"', SOURCE.read_text(encoding="utf-8"))))


@pytest.mark.parametrize("question", questions())
def test_jdbc_metadata(told, question):
    direct, through = ({name: text for name, text in one.items() if name.startswith(question)} for one in told)
    assert direct and through.keys() == direct.keys()
    for name, text in direct.items():
        # With masks in force nobody knows what a large object holds.
        shown = text.replace("hello", "") if name.startswith("a large object") else shop.masked(text)
        assert through[name] == shown, name


def test_no_question_fails_on_the_server_itself(told):
    direct, _ = told
    failing = [name for name, text in direct.items() if "ERROR" in text]
    assert not failing and len(direct) > 200 and sum(text.strip() != "" for text in direct.values()) > 150
