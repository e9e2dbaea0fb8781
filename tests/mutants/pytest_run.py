"""One run of pytest in a copy of the checkout, in a process forked from one that has imported the libraries already."""

import multiprocessing
import os
import sys
from enum import StrEnum
from pathlib import Path

_PATHS = ("", "functions", "examples/application")
_OURS = {"tests", "bench", "mailstep", "mailstep_cli", "mailstep_local", "custom"}
# Third parties' only: our own modules are those of the copy.
_PRELOADED = ["pytest", "anyio.pytest_plugin", "boto3", "pydantic", "hypothesis", "jinja2", "nh3", "samcli.yamlhelper",
              "samcli.lib.translate.sam_template_validator", "aws_lambda_powertools.utilities.idempotency",
              *(f"moto.{service}.models" for service in ("dynamodb", "s3", "secretsmanager", "sesv2", "sns", "sqs",
                                                         "stepfunctions"))]  # fmt: skip
_TIMEOUT_SECONDS = 600
# pytest's exit codes.
_PASSED = 0
_FAILED = {1, 2}
"""Tests failed; a test module could not be imported."""


class Outcome(StrEnum):
    """How the tests of a mutant ended."""

    KILLED = "killed"
    SURVIVED = "SURVIVED"
    TIMED_OUT = "timed out"


class TestsDoNotRun(Exception):
    """pytest ended with neither success nor a failed test."""


def run_tests(copy: Path, arguments: tuple[str, ...]) -> Outcome:
    """Run pytest in the copy: a mutant survives if all tests pass.

    Raises:
        TestsDoNotRun: pytest found no tests, or did not take its arguments.
    """
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(_PRELOADED)
    child = context.Process(target=_run, args=(copy, arguments))
    child.start()
    child.join(_TIMEOUT_SECONDS)
    if child.exitcode is None:
        child.kill()
        child.join()
        return Outcome.TIMED_OUT
    # Below zero: killed by a signal, which no passing test does.
    if child.exitcode > max(_FAILED):
        raise TestsDoNotRun(f"pytest {' '.join(arguments)} ended with {child.exitcode}")
    return Outcome.SURVIVED if child.exitcode == _PASSED else Outcome.KILLED


def _run(copy: Path, arguments: tuple[str, ...]) -> None:
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
    for name in [name for name in sys.modules if name.partition(".")[0] in _OURS]:
        del sys.modules[name]
    import pytest  # noqa: PLC0415 - in the child

    sys.exit(int(pytest.main(["-x", "-q", "-p", "no:cacheprovider", *arguments])))
