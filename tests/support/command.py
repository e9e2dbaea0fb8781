"""The command in the process of the test: the same `main`, without the second that an interpreter takes to start."""

import contextlib
import io
import logging
import os
import signal
import subprocess
import sys
from typing import TextIO, cast
from unittest.mock import patch

from mailstep.telemetry import logger
from mailstep_cli.main import main
from tests.support.project import PROJECT


def typed(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """What the command prints and exits with, as `run` has it, which a test needs for terminals and encodings."""
    handlers = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGHUP)}
    # The command writes the log in plain lines to its own streams.
    log = cast("logging.StreamHandler[TextIO]", logger.registered_handler)
    before, stream = log.formatter, log.stream
    try:
        with (
            contextlib.chdir(PROJECT),
            patch.dict(os.environ, environment),
            patch.object(sys, "argv", ["mailstep", *arguments]),
            contextlib.redirect_stdout(io.StringIO()) as out,
            contextlib.redirect_stderr(io.StringIO()) as err,
        ):
            code = _exit_code()
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
        log.setFormatter(before)
        log.setStream(stream)
    return subprocess.CompletedProcess(["mailstep", *arguments], code, out.getvalue(), err.getvalue())


def _exit_code() -> int:
    try:
        main()
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else 0
    return 0
