"""Runs clang-tidy in parallel over what changed and remembers clean verdicts; see tests/style/tidy."""

import concurrent.futures
import hashlib
import json
import os
import pathlib
import shlex
import subprocess
import sys

TIDY = "clang-tidy-16"
# With more files than this the static analyzer, which is more than half of the time, is left to SALLYPORT_TIDY=all.
MANY = 30


def command_of(entry: dict) -> list:
    """The compiler call without the launcher in front and without what makes it write files."""
    words = entry.get("arguments") or shlex.split(entry["command"])
    start = next(i for i, word in enumerate(words) if os.path.basename(word).startswith("clang"))
    kept, skip = [], False
    for word in words[start:]:
        if skip:
            skip = False
        elif word in ("-o", "-MF", "-MT"):
            skip = True
        elif word not in ("-c", "-MD", "-MMD"):
            kept.append(word)
    return kept


def digest_of(entry: dict, checks: bytes) -> str:
    """The preprocessed text stands for the source and every header; flags and checks decide the rest."""
    command = command_of(entry)
    text = subprocess.run(command + ["-E", "-P", "-o", "-"], cwd=entry["directory"], stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL, check=False).stdout
    source = pathlib.Path(entry["directory"], entry["file"]).read_bytes()
    digest = hashlib.sha256()
    for part in (TIDY.encode(), checks, " ".join(command).encode(), source, text):
        digest.update(hashlib.sha256(part).digest())
    return digest.hexdigest()


def git(*words: str) -> list:
    done = subprocess.run(["git", *words], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=False)
    return done.stdout.split("\n")[:-1] if done.returncode == 0 else []


def changed_files() -> list:
    """What differs from the commit to compare with, committed or not; nothing where there is no such commit."""
    base = git("merge-base", "HEAD", "origin/main")
    if not base or base == git("rev-parse", "HEAD"):
        base = git("rev-parse", "--verify", "HEAD~1")
    if not base:
        return []
    return git("diff", "--name-only", "--diff-filter=d", base[0]) + git("ls-files", "-o", "--exclude-standard")


def chosen(entries: dict) -> dict:
    """The sources that changed, and those that name a changed header."""
    changed = changed_files()
    if os.environ.get("SALLYPORT_TIDY") == "all":
        return entries
    headers = [f'#include "{name}"' for name in changed if name.endswith(".h")]
    sources = {os.path.abspath(name) for name in changed}
    return {name: entry for name, entry in entries.items()
            if name in sources or any(line in pathlib.Path(name).read_text() for line in headers)}


def look(entry: dict, build: str, cache: pathlib.Path, checks: bytes, options: list) -> tuple:
    kept = cache / digest_of(entry, checks)
    if kept.exists():
        return entry["file"], True, ""
    done = subprocess.run([TIDY, "--quiet", "-p", build, *options, entry["file"]], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, check=False)
    # The analyzer follows a coroutine into Boost's headers and loses its way there: only what stands in a file of ours counts.
    findings = [line for line in done.stdout.splitlines() if ": error: " in line or ": warning: " in line]
    if done.returncode == 0 or (findings and all(line.startswith("/usr/include/") for line in findings)):
        kept.touch()
        return entry["file"], True, ""
    return entry["file"], False, done.stdout or done.stderr


def main() -> int:
    build, cache, wanted = sys.argv[1], pathlib.Path(sys.argv[2]), [os.path.abspath(name) for name in sys.argv[3:]]
    cache.mkdir(parents=True, exist_ok=True)
    database = json.loads(pathlib.Path(build, "compile_commands.json").read_text())
    entries = {entry["file"]: entry for entry in database
               if entry["file"].endswith(".cpp") and not entry["file"].startswith(build)}
    if not entries:
        print(f"no .cpp in {build}/compile_commands.json")
        return 1
    if wanted:
        entries = {name: entry for name, entry in entries.items() if name in wanted}
    else:
        entries = chosen(entries)
    checks = pathlib.Path(".clang-tidy").read_bytes()
    tests_checks = pathlib.Path("tests/.clang-tidy")
    if tests_checks.exists():
        checks += tests_checks.read_bytes()
    options = []
    if len(entries) > MANY and os.environ.get("SALLYPORT_TIDY") != "all":
        options = ["--checks=-clang-analyzer-*"]
        checks += options[0].encode()
    jobs = int(os.environ.get("SALLYPORT_JOBS") or os.cpu_count())
    bad = 0
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        for name, clean, text in pool.map(lambda entry: look(entry, build, cache, checks, options), entries.values()):
            if not clean:
                bad += 1
                print(f"{os.path.relpath(name)}:\n{text}", flush=True)
    print(f"{len(entries)} files, {bad} with findings")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
