#!/usr/bin/python3
"""Gathers the tests of several build directories in one, so that one CTest run and one summary cover them all.

    collect.py SUITE NAME=BUILD=LABEL[,LABEL...]...

Each build directory says with `ctest --show-only=json-v1` what it has under the labels asked for; SUITE then holds
these tests, named NAME/TEST, with their commands and properties. A test whose program was not built is an error,
and so is a label under which there is nothing: both would otherwise look like success.
"""

import json
import pathlib
import subprocess
import sys

# These name other tests, or belong to CTest itself.
NAMING_TESTS = {"DEPENDS"}
SKIPPED = {"BACKTRACE"}
# One at a time: they use every core or stand for the whole machine.
SERIAL_LABELS = {"compose", "style"}


def quoted(text: str) -> str:
    """A CMake bracket argument that holds the text exactly."""
    level = 0
    while f"]{'=' * level}]" in text or text.endswith("]" + "=" * level):
        level += 1
    newline = "\n" if text.startswith("\n") else ""
    return f"[{'=' * level}[{newline}{text}]{'=' * level}]"


def value(item) -> str:
    if isinstance(item, bool):
        return "TRUE" if item else "FALSE"
    if isinstance(item, list):
        return ";".join(str(entry).replace(";", "\\;") for entry in item)
    return str(item)


def tests_of(build: str, label: str) -> list:
    command = ["ctest", "--test-dir", build, "-L", f"^{label}$", "--show-only=json-v1"]
    listing = subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout
    return json.loads(listing)["tests"]


def lines_of(part: str, test: dict) -> list:
    name = f"{part}/{test['name']}"
    if "command" not in test:
        sys.exit(f"collect: {name} has no program: was it built?")
    properties = {entry["name"]: entry["value"] for entry in test.get("properties", [])
                  if entry["name"] not in SKIPPED}
    for key in NAMING_TESTS & properties.keys():
        properties[key] = [f"{part}/{other}" for other in properties[key]]
    if SERIAL_LABELS & set(properties.get("LABELS", [])):
        properties["RUN_SERIAL"] = True
    lines = [f"add_test({quoted(name)} {' '.join(quoted(word) for word in test['command'])})"]
    if properties:
        pairs = " ".join(f"{key} {quoted(value(item))}" for key, item in properties.items())
        lines.append(f"set_tests_properties({quoted(name)} PROPERTIES {pairs})")
    return lines


def main() -> None:
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    suite = pathlib.Path(sys.argv[1])
    suite.mkdir(parents=True, exist_ok=True)
    lines = ["# Made by tests/collect.py; see there."]
    count = 0
    for part in sys.argv[2:]:
        name, build, labels = part.split("=")
        for label in labels.split(","):
            tests = tests_of(build, label)
            if not tests:
                sys.exit(f"collect: there is no test with the label {label} in {build}")
            for test in tests:
                lines += lines_of(name, test)
            count += len(tests)
    (suite / "CTestTestfile.cmake").write_text("\n".join(lines) + "\n")
    print(f"{count} tests")


if __name__ == "__main__":
    main()
