"""Make every fault in a copy of the checkout, run the tests that should fail for it, and print those that did not.

    python -m tests.mutants [WORD ...]

With words, only mutants whose names hold one of them. It ends with 1 where a fault survived that is not known to be
equivalent, and with 2 where a mutant does not apply or its tests do not pass without it.
"""

import os
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from queue import Queue

from bench import corpus
from tests.mutants.catalogue import MUTANTS, UNCHANGED
from tests.mutants.copies import copy_to
from tests.mutants.edits import DoesNotApply, Mutant
from tests.mutants.pytest_run import Outcome, Runner, TestsDoNotRun

_COPIES = os.cpu_count() or 2


def outcome(mutant: Mutant, runners: "Queue[Runner]") -> Outcome:
    """What the tests of the mutant make of it."""
    runner = runners.get()
    changed = runner.copy / mutant.file
    before = changed.read_text()
    try:
        changed.write_text(mutant.applied())
        return runner.run(mutant.tests, changed=_module(mutant))
    finally:
        changed.write_text(before)
        runners.put(runner)


def without_mutant(tests: tuple[str, ...], changed: str, runners: "Queue[Runner]") -> bool:
    """Whether tests pass in a copy whose rewritten files (definition, templates) mean what they did."""
    runner = runners.get()
    before = {file: (runner.copy / file).read_text() for file in UNCHANGED}
    try:
        for file, rewrite in UNCHANGED.items():
            (runner.copy / file).write_text(rewrite(before[file]))
        return runner.run(tests, changed=changed) == Outcome.SURVIVED
    finally:
        for file, text in before.items():
            (runner.copy / file).write_text(text)
        runners.put(runner)


def _module(mutant: Mutant) -> str:
    """The module of Python that the mutant changes, or `""` if it changes data."""
    path = Path(mutant.file)
    parts = path.parts[1:] if path.parts[0] == "functions" else path.parts
    return ".".join(parts).removesuffix(".py") if path.suffix == ".py" else ""


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
        runners: Queue[Runner] = Queue()
        for number in range(_COPIES):
            copy = Path(directory, str(number))
            copy_to(copy)
            runners.put(Runner(copy))
        suites = sorted({(mutant.tests, _module(mutant)) for mutant in chosen})
        print(f"{len(chosen)} mutants. First their {len(suites)} sets of tests without them ...", flush=True)
        passing = pool.map(lambda suite: without_mutant(suite[0], suite[1], runners), suites)
        for (tests, _), passed in zip(suites, passing, strict=True):
            if not passed:
                print(f"These tests fail without any mutant: {' '.join(tests)}")
                return 2
        survived, counts = [], Counter[str]()
        running = {pool.submit(outcome, mutant, runners): mutant for mutant in chosen}
        for number, done in enumerate(as_completed(running), start=1):
            mutant, found = running[done], done.result()
            said = "equivalent" if mutant.equivalent and found == Outcome.SURVIVED else found
            print(f"{number:4}/{len(chosen)} {said:10} {mutant.name}", flush=True)
            counts[said] += 1
            if said == Outcome.SURVIVED:
                survived.append(mutant)
            if mutant.equivalent and said != "equivalent":
                print(f"     It is listed as equivalent: {mutant.equivalent}")
    figures = ", ".join(f"{count} {said}" for said, count in counts.most_common())
    print(f"\n{len(chosen)} mutants: {figures}; in {(time.monotonic() - began) / 60:.0f} minutes.")
    for mutant in survived:
        print(f"  survived: {mutant.name}  ({mutant.file}; pytest {' '.join(mutant.tests)})")
    return 1 if survived else 0
