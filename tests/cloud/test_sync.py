"""docs/local.md, "A change every minute", done: its command, taken from the page, against a running `mailstep up`."""

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from mailstep_local.account import Account
from mailstep_local.cloud import running
from tests.support.cloud import eventually
from tests.support.project import PROJECT

pytestmark = pytest.mark.xdist_group("deployments")

PAGE = (PROJECT / "docs" / "local.md").read_text()
[COMMAND] = re.findall(r"^\$ (sam sync .*)$", PAGE, flags=re.MULTILINE)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy of this checkout: the command watches it, and the test changes it."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=PROJECT, capture_output=True, check=True, text=True).stdout
    for name in filter(None, listed.split("\0")):
        (tmp_path / "checkout" / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(PROJECT / name, tmp_path / "checkout" / name)
    return tmp_path / "checkout"


@contextmanager
def watching(checkout: Path, account: Account, said: Path) -> Iterator[None]:
    """The command in a user's shell, its question answered with yes."""
    environment = account.environment()
    environment["PATH"] = f"{Path(sys.executable).parent}:{environment['PATH']}"
    with said.open("wb") as output:
        process = subprocess.Popen(
            COMMAND.split(), cwd=checkout, env=environment, stdin=subprocess.PIPE, stdout=output, stderr=output
        )
        assert process.stdin
        process.stdin.write(b"y\n")
        process.stdin.flush()
        try:
            yield
        finally:
            process.kill()
            process.communicate()


def change(file: Path, old: str, new: str) -> None:
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new, 1))


def test_a_changed_function_and_a_changed_template_are_soon_in_the_account(checkout: Path, tmp_path: Path) -> None:
    said = tmp_path / "sync.log"
    with running(tmp_path / "run") as cloud, watching(checkout, cloud.account, said):
        name = cloud.functions["ValidateFunction"]

        def deployed(setting: str) -> object:
            return cloud.account.client("lambda").get_function_configuration(FunctionName=name)[setting]

        # It first compares the templates.
        assert eventually(lambda: re.search("Skipped infra sync|Infra sync completed", said.read_text()), seconds=180)
        before = deployed("CodeSha256")
        change(checkout / "functions" / "mailstep" / "validate" / "handler.py", '"""', '"""Changed. ')
        assert eventually(lambda: deployed("CodeSha256") != before, seconds=120), said.read_text()

        template = checkout / "template.yaml"
        [timeout] = re.findall(r"ValidateFunction:\n.*?Timeout: (\d+)", template.read_text(), flags=re.DOTALL)[:1]
        assert deployed("Timeout") == int(timeout)
        head, tail = template.read_text().split("\n  ValidateFunction:\n")
        template.write_text(f"{head}\n  ValidateFunction:\n{tail.replace(f'Timeout: {timeout}', 'Timeout: 13', 1)}")
        assert eventually(lambda: deployed("Timeout") == 13, seconds=120), said.read_text()
