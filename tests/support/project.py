"""Where the samples lie, and the command as a user types it."""

import os
import subprocess
import sys
from pathlib import Path

PROJECT = Path(__file__).parents[2]
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
