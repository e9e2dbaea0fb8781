"""Have mutmut make its faults in the code that decides which mail to trust, and print those that no test notices.

    python -m tests.mutants.code [WORD ...]

pyproject.toml says which files, and which test modules each one meets (`tool.mutmut.tests`). With words, only files
whose names hold one of them. It works in a copy in which functions/ is called src/, which is the only root of an import
path that mutmut knows. Survivors that no test can notice are listed in equivalent.toml, with the reason. It ends with
1 if another fault survived or fewer than 95 % were killed, and with 2 if the tests do not pass without a fault.

The constants of a module are none of mutmut's; they are in constants.py.
"""

import os
import re
import subprocess
import sys
import tempfile
import time
import tomllib
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from bench import corpus
from tests.mutants.copies import copy_to
from tests.support.project import PROJECT

_EQUIVALENT = Path(__file__).with_name("equivalent.toml")
_SHARE_TO_KILL = 0.95


class TestsDoNotRun(Exception):
    """mutmut did not come to its end: the tests of a file fail without a fault."""


@dataclass
class Tested:
    """What became of the faults in one file."""

    file: str
    statuses: Counter[str] = field(default_factory=Counter)
    equivalent: int = 0
    survived: list[str] = field(default_factory=list)
    """The change of each one that is not listed."""

    @property
    def share(self) -> float:
        """Share that the tests killed, of those that they can."""
        return self.statuses["killed"] / max(1, self.statuses.total() - self.equivalent)

    def __str__(self) -> str:
        """One line of the summary."""
        others = self.statuses.total() - self.statuses["killed"] - self.statuses["timeout"] - self.equivalent
        return (f"{self.file:28} {self.statuses.total():5} {self.statuses['killed']:7} {others:9} "
                f"{self.statuses['timeout']:10} {self.equivalent:11} {self.share:8.1%}")  # fmt: skip


def files() -> dict[str, list[str]]:
    """The test modules that each file meets, both below their usual folders and without `test_` and `.py`."""
    table: dict[str, list[str]] = tomllib.loads((PROJECT / "pyproject.toml").read_text())["tool"]["mutmut"]["tests"]
    return table


def equivalents() -> dict[tuple[str, str], str]:
    """The reason for each change that no test can notice, by its function and its lines."""
    listed = tomllib.loads(_EQUIVALENT.read_text())["equivalent"]
    return {(one["function"], _lines(one["change"])): one["reason"] for one in listed}


def makes_no_difference(change: str) -> bool:
    """Whether a change is only in the case of a text that has none, or in a text that nothing reads."""
    listed = tomllib.loads(_EQUIVALENT.read_text())
    lines = change.splitlines()
    for one in listed["any_case"]:
        lines = [re.sub(one["place"], lambda found: found[0].lower(), line) for line in lines]
    for one in listed["any_text"]:
        lines = [re.sub(one["place"], "", line) for line in lines]
    return [line[1:] for line in lines if line[0] == "-"] == [line[1:] for line in lines if line[0] == "+"]


def _lines(diff: str) -> str:
    """The lines that a diff takes away and puts in, without their indentation."""
    changed = [line for line in diff.splitlines() if line[:1] in "+-" and line[:3] not in {"+++", "---"}]
    return "\n".join(f"{line[0]} {line[1:].strip()}" for line in changed)


def prepared(directory: Path) -> Path:
    """A copy of the checkout, laid out as mutmut expects."""
    copy = directory / "checkout"
    copy_to(copy)
    (copy / "functions").rename(copy / "src")
    (copy / "functions").symlink_to("src")
    return copy


def tested(copy: Path, file: str, modules: list[str], known: dict[tuple[str, str], str]) -> Tested:
    """Run mutmut over one file.

    Raises:
        TestsDoNotRun: its tests fail without a fault.
    """
    chosen = f"""[tool.mutmut]
only_mutate = ["src/mailstep/{file}.py"]
pytest_add_cli_args_test_selection = {[f"tests/unit/test_{module}.py" for module in modules]}
"""
    settings = (PROJECT / "pyproject.toml").read_text()
    (copy / "pyproject.toml").write_text(settings.replace("[tool.mutmut]\n", chosen, 1))
    _mutmut(copy, "run")
    found = Tested(file)
    for line in _mutmut(copy, "results", "--all", "true").splitlines():
        name, _, status = line.strip().rpartition(": ")
        found.statuses[status] += 1
        if status not in {"killed", "timeout"}:
            change = _lines(_mutmut(copy, "show", name))
            function = name.partition("__mutmut_")[0].removeprefix("mailstep.")
            if (function, change) in known or makes_no_difference(change):
                found.equivalent += 1
            else:
                found.survived.append(f"{function} ({status})\n{change}")
    return found


def _mutmut(copy: Path, *arguments: str) -> str:
    """What mutmut prints."""
    done = subprocess.run(
        [Path(sys.executable).with_name("mutmut"), *arguments],
        cwd=copy, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise TestsDoNotRun(done.stdout[-3000:] + done.stderr[-3000:])
    return done.stdout


def main(words: list[str]) -> int:
    """Print a line for each file whose name holds one of the words, or for all of them, and what survived in it."""
    known, began, all_tested = equivalents(), time.monotonic(), list[Tested]()
    os.environ["MAIL_CORPUS"] = str(corpus.DIRECTORY)
    print(f"{'file':28} {'total':>5} {'killed':>7} {'survived':>9} {'timed out':>10} {'equivalent':>11} {'share':>8}")
    for file, modules in files().items():
        if not words or any(word in file for word in words):
            with tempfile.TemporaryDirectory(prefix="mutants-") as directory:
                try:
                    all_tested.append(tested(prepared(Path(directory)), file, modules, known))
                except TestsDoNotRun as error:
                    print(f"{file}: {error}", file=sys.stderr)
                    return 2
            print(all_tested[-1], *all_tested[-1].survived, sep="\n", flush=True)
    together = Tested("together", equivalent=sum(one.equivalent for one in all_tested))
    for one in all_tested:
        together.statuses += one.statuses
    print(f"{together}\n{(time.monotonic() - began) / 60:.0f} minutes")
    return 1 if any(one.survived for one in all_tested) or together.share < _SHARE_TO_KILL else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
