"""Starts processes that end with this one, even if it is killed."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from pathlib import Path

from mailstep_cli.errors import UserError

_START_SECONDS = 30
_POLL_SECONDS = 0.05


def end_with_parent() -> None:
    """Kill this process group when standard input closes, because the parent, which holds the other end, has ended."""

    def watch() -> None:
        while sys.stdin.buffer.read(1):
            pass
        os.killpg(0, signal.SIGKILL)

    threading.Thread(target=watch, daemon=True).start()


@contextmanager
def group(
    command: list[str], *, cwd: Path, environment: dict[str, str], log: Path, stdin: int
) -> Generator[subprocess.Popen[bytes]]:
    """Run a command in its own process group, with its output appended to `log`. The group ends with the block."""
    with log.open("ab") as output:
        process = subprocess.Popen(
            command,
            cwd=cwd,
            env=environment,
            stdin=stdin,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        yield process
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


@contextmanager
def child(
    module: str, *arguments: str, cwd: Path, environment: dict[str, str], log: Path, is_up: Callable[[], bool]
) -> Generator[None]:
    """Run `python -m module`, which holds our end of a pipe (`end_with_parent`), until the block ends.

    Raises:
        UserError: it ended, or `is_up` was not true within 30 s; `log` has its output.
    """
    command = [sys.executable, "-m", module, *arguments]
    with group(command, cwd=cwd, environment=environment, log=log, stdin=subprocess.PIPE) as process:
        deadline = time.monotonic() + _START_SECONDS
        while not is_up():
            if process.poll() is not None:
                raise UserError(f"{module} ended with {process.returncode} before it was up: see {log}")
            if time.monotonic() > deadline:
                raise UserError(f"{module} did not start within {_START_SECONDS} s: see {log}")
            time.sleep(_POLL_SECONDS)
        yield
