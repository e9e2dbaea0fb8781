"""Runs pytest in a copy of the checkout, each time in a process forked from one that has imported all tests."""

import gc
import multiprocessing
import os
import select
import signal
import sys
from enum import StrEnum
from multiprocessing.connection import Connection
from pathlib import Path
from types import SimpleNamespace

_PATHS = ("", "functions", "examples/application")
_OURS = {"tests", "bench", "mailstep", "mailstep_cli", "mailstep_local", "custom"}
_COLLECTED = ("tests/unit", "tests/workflow")
_TIMEOUT_SECONDS = 600
# pytest's exit codes.
_PASSED = 0
_FAILED = {1, 2}
"""Tests failed; a test module could not be imported."""
_TIMED_OUT = -signal.SIGKILL


class Outcome(StrEnum):
    """How the tests of a mutant ended."""

    KILLED = "killed"
    SURVIVED = "SURVIVED"
    TIMED_OUT = "timed out"


class TestsDoNotRun(Exception):
    """pytest ended with neither success nor a failed test."""


class Runner:
    """A copy of the checkout, and a process that forks one for each run of pytest there."""

    def __init__(self, copy: Path) -> None:
        self.copy = copy
        context = multiprocessing.get_context("spawn")
        self._connection, served = context.Pipe()
        context.Process(target=_serve, args=(copy, served), daemon=True).start()

    def run(self, arguments: tuple[str, ...], *, changed: str = "") -> Outcome:
        """Run pytest: a mutant survives if all tests pass. `changed` is the module of Python with it, if it is in one.

        Raises:
            TestsDoNotRun: pytest found no tests, or did not take its arguments.
        """
        self._connection.send((arguments, changed))
        code: int = self._connection.recv()
        if code == _TIMED_OUT:
            return Outcome.TIMED_OUT
        # Below zero: killed by a signal, which no passing test does.
        if code > max(_FAILED):
            raise TestsDoNotRun(f"pytest {' '.join(arguments)} ended with {code}")
        return Outcome.SURVIVED if code == _PASSED else Outcome.KILLED


def _serve(copy: Path, connection: Connection) -> None:
    """Run pytest for each request until the other end closes."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    os.chdir(copy)
    paths = [str(copy / part) for part in _PATHS]
    sys.path[:0] = paths
    os.environ["PYTHONPATH"] = os.pathsep.join(paths)
    # A file that changes twice in a second may have bytecode of its former content.
    sys.dont_write_bytecode = True
    os.environ["PYTHONDONTWRITEBYTECODE"] = "1"
    _forget(_OURS)
    import grimp  # noqa: PLC0415 - in this process only
    import pytest  # noqa: PLC0415
    from hypothesis import strategies  # noqa: PLC0415

    graph = grimp.build_graph(*sorted(_OURS), cache_dir=None)
    pytest.main(["--collect-only", "-q", "-p", "no:cacheprovider", *_COLLECTED])
    strategies.text().validate()  # it works out all characters of Unicode
    # pytest collects garbage twice in each process: only its own.
    gc.freeze()
    while True:
        try:
            arguments, changed = connection.recv()
        except EOFError:
            return
        process = os.fork()
        if not process:
            if changed:
                _forget_modules({changed} | graph.find_downstream_modules(changed))
            else:
                # Tests read definition and templates when they are imported; the functions know neither.
                _forget({"tests"})
            os._exit(int(pytest.main(["-x", "-q", "-p", "no:cacheprovider", *arguments])))
        connection.send(_ended(process))


def _forget(packages: set[str]) -> None:
    _forget_modules({name for name in sys.modules if name.partition(".")[0] in packages})


def _forget_modules(names: set[str]) -> None:
    for name in names & sys.modules.keys():
        del sys.modules[name]
        package, _, last = name.rpartition(".")
        # `from package import module` would find it there.
        if last in vars(sys.modules.get(package, SimpleNamespace())):
            delattr(sys.modules[package], last)


def _ended(process: int) -> int:
    """The exit code; below zero for a signal."""
    waiting = os.pidfd_open(process)
    ended, _, _ = select.select([waiting], [], [], _TIMEOUT_SECONDS)
    os.close(waiting)
    if not ended:
        os.kill(process, signal.SIGKILL)
    return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
