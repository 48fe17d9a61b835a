"""The SQL files of PostgreSQL's own regression suite, from Debian's source package.

apt is given a configuration directory of its own, so the machine's sources stay as they are. The newest version whose files
the mirror still has is taken; what was fetched once is kept in SALLYPORT_CACHE."""

import os
import re
import subprocess
import tempfile
from pathlib import Path

from .processes import POSTGRES_BIN, clean_environment

SOURCES = """\
Types: deb-src
URIs: http://deb.debian.org/debian
Suites: bookworm bookworm-updates
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Types: deb-src
URIs: http://deb.debian.org/debian-security
Suites: bookworm-security
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg
"""


def _run(command, **keywords):
    return subprocess.run(command, capture_output=True, text=True, env=clean_environment(), **keywords)


def _fetch(place):
    """Downloads the upstream archive with apt, which checks it against Debian's signatures."""
    parts, lists, cache = place / "apt" / "sources", place / "apt" / "lists", place / "apt" / "cache"
    for directory in (parts, lists / "partial", cache / "archives" / "partial"):
        directory.mkdir(parents=True, exist_ok=True)
    (parts / "debian.sources").write_text(SOURCES)
    options = ["-o", "Dir::Etc::sourcelist=/dev/null", "-o", f"Dir::Etc::sourceparts={parts}", "-o", f"Dir::State::lists={lists}",
               "-o", f"Dir::Cache={cache}", "-o", "APT::Sandbox::User=root"]
    _run(["apt-get", *options, "update"], check=True, timeout=200)
    listing = _run(["apt-cache", *options, "showsrc", "postgresql-15"], check=True).stdout
    errors = ""
    for version in sorted(set(re.findall(r"^Version: (\S+)", listing, re.MULTILINE)), reverse=True):
        done = _run(["apt-get", *options, "source", "--download-only", f"postgresql-15={version}"], cwd=place, timeout=300)
        archives = list(place.glob("postgresql-15_*.orig.tar.*"))
        if done.returncode == 0 and archives:
            return archives[0]
        errors += done.stderr
    raise AssertionError(f"the source package of postgresql-15 cannot be had:\n{errors[-2000:]}")


def regression_suite():
    """The directory src/test/regress of the source tree."""
    place = Path(os.environ.get("SALLYPORT_CACHE") or Path(tempfile.gettempdir()) / "sallyport-test-cache") / "postgresql-source"
    suite = place / "src" / "test" / "regress"
    if not (suite / "complete").exists():
        place.mkdir(parents=True, exist_ok=True)
        archive = _fetch(place)
        _run(["tar", "-xf", str(archive), "-C", str(place), "--strip-components=1", "--wildcards", "*/src/test/regress/*"], check=True)
        (suite / "complete").touch()
    return suite


def build_library(suite, directory):
    """The suite's C functions, and the extension modules it loads by path, in one directory."""
    def ask(option):
        return subprocess.run([POSTGRES_BIN / "pg_config", option], capture_output=True, text=True, check=True).stdout.strip()

    _run(["cc", "-O1", "-shared", "-fPIC", f"-I{ask('--includedir-server')}", "-o", str(directory / "regress.so"),
          str(suite / "regress.c")], check=True)
    for module in ("autoinc.so", "refint.so"):
        (directory / module).symlink_to(Path(ask("--pkglibdir")) / module)


def schedule(suite):
    """The files in the order of the parallel schedule, one after the other."""
    names = []
    for line in (suite / "parallel_schedule").read_text().splitlines():
        if line.startswith("test:"):
            names += line[5:].split()
    return names
