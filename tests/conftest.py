"""What every suite shares: where the samples and the corpus lie."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from bench.corpus import DIRECTORY

# As template.yaml sets it, before a handler is imported.
os.environ["POWERTOOLS_SERVICE_NAME"] = "mailstep"

PROJECT = Path(__file__).parents[1]
EVENTS = PROJECT / "events"
EMAILS = EVENTS / "emails"
CASES = PROJECT / "tests" / "cases"


MAILSTEP = str(Path(sys.executable).with_name("mailstep"))


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """The command as a user types it."""
    return subprocess.run(
        [MAILSTEP, *arguments],
        cwd=PROJECT,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=150,
        check=False,
    )


@pytest.fixture(scope="session")
def corpus() -> Path:
    """Real messages that nobody here wrote (MAIL_CORPUS, or ../shared/corpus)."""
    if not DIRECTORY.is_dir():
        pytest.skip(f"no corpus of real messages at {DIRECTORY}: set MAIL_CORPUS")
    return DIRECTORY
