"""Make every fault in a copy of the checkout, run the tests that should fail for it, and print those that did not.

    python -m tests.mutants [WORD ...]

With words, only mutants whose names hold one of them. It ends with 1 where a fault survived that is not known to be
equivalent, and with 2 where a mutant does not apply or its tests do not pass without it.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from queue import Queue

from bench import corpus
from tests.mutants.catalogue import MUTANTS, UNCHANGED
from tests.mutants.edits import DoesNotApply, Mutant
from tests.mutants.pytest_run import TestsDoNotRun, tests_pass
from tests.support.project import PROJECT

_COPIES = os.cpu_count() or 2


def copy_to(directory: Path) -> None:
    """Copy what is tracked, and what is new and not ignored."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=PROJECT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    for name in filter(None, listed.stdout.split("\0")):
        if (PROJECT / name).is_file():
            (directory / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(PROJECT / name, directory / name)


def survives(mutant: Mutant, copies: "Queue[Path]") -> bool:
    """Whether all of the mutant's tests pass in spite of it."""
    copy = copies.get()
    changed = copy / mutant.file
    before = changed.read_text()
    try:
        changed.write_text(mutant.applied())
        return tests_pass(copy, mutant.tests)
    finally:
        changed.write_text(before)
        copies.put(copy)


def without_mutant(tests: tuple[str, ...], copies: "Queue[Path]") -> bool:
    """Whether tests pass in a copy whose rewritten files (definition, templates) mean what they did."""
    copy = copies.get()
    before = {file: (copy / file).read_text() for file in UNCHANGED}
    try:
        for file, rewrite in UNCHANGED.items():
            (copy / file).write_text(rewrite(before[file]))
        return tests_pass(copy, tests)
    finally:
        for file, text in before.items():
            (copy / file).write_text(text)
        copies.put(copy)


def main(words: list[str]) -> int:
    """Print what survives of the mutants whose names hold one of the words; all of them without words."""
    try:
        return _main(words)
    except (DoesNotApply, TestsDoNotRun) as error:
        print(error, file=sys.stderr)
        return 2


def _main(words: list[str]) -> int:
    chosen = [mutant for mutant in MUTANTS if not words or any(word in mutant.name for word in words)]
    began = time.monotonic()
    os.environ["MAIL_CORPUS"] = str(corpus.DIRECTORY)
    with tempfile.TemporaryDirectory(prefix="mutants-") as directory, ThreadPoolExecutor(_COPIES) as pool:
        copies: Queue[Path] = Queue()
        for number in range(_COPIES):
            copy = Path(directory, str(number))
            copy_to(copy)
            copies.put(copy)
        suites = sorted({(part,) for mutant in chosen for part in mutant.tests if part.startswith("tests/")})
        print(f"{len(chosen)} mutants. First their tests without them ...", flush=True)
        for tests, passed in zip(suites, pool.map(lambda tests: without_mutant(tests, copies), suites), strict=True):
            if not passed:
                print(f"These tests fail without any mutant: {' '.join(tests)}")
                return 2
        survived = []
        running = {pool.submit(survives, mutant, copies): mutant for mutant in chosen}
        for number, done in enumerate(as_completed(running), start=1):
            mutant, alive = running[done], done.result()
            outcome = ("equivalent" if mutant.equivalent else "SURVIVED") if alive else "killed"
            print(f"{number:4}/{len(chosen)} {outcome:10} {mutant.name}", flush=True)
            if alive and not mutant.equivalent:
                survived.append(mutant)
            if mutant.equivalent and not alive:
                print(f"     It is listed as equivalent: {mutant.equivalent}")
    print(
        f"\n{len(chosen) - len(survived)} of {len(chosen)} killed or equivalent, in {time.monotonic() - began:.0f} s."
    )
    for mutant in survived:
        print(f"  survived: {mutant.name}  ({mutant.file}; pytest {' '.join(mutant.tests)})")
    return 1 if survived else 0
