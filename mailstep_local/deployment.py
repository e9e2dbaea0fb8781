"""`sam build` and `sam deploy`, the users' own path, against the local account."""

import fcntl
import os
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from mailstep.routes import ROUTES_FILE, catch_all_route, names
from mailstep.toml_text import file_text
from mailstep_cli.errors import UserError
from mailstep_local.account import Account
from mailstep_local.processes import group

PROJECT = Path(__file__).parents[1]
STACK = "mailstep"
RECEIVING_STACK = "mailstep-receiving"


class DeploymentFailed(UserError):
    """`sam` failed; the text has its last output."""


def route_names() -> list[str]:
    """The routes of functions/routes.toml, the catch-all route included."""
    return names(file_text(ROUTES_FILE), file=str(ROUTES_FILE))


def is_built() -> bool:
    """Whether .aws-sam/build is newer than all its sources, as make would check."""
    built = PROJECT / ".aws-sam" / "build" / "template.yaml"
    sources = [
        PROJECT / "template.yaml",
        *(path for path in (PROJECT / "functions").rglob("*") if "__pycache__" not in path.parts),
    ]
    return built.exists() and all(source.stat().st_mtime < built.stat().st_mtime for source in sources)


def build(account: Account, log: Path) -> None:
    """Build the functions into .aws-sam/build."""
    _sam(["build", "--config-env", "local"], account, log)


def deploy(account: Account, log: Path, parameters: dict[str, str]) -> dict[str, str]:
    """Deploy the build, with these parameters besides those in samconfig.toml; return the stack's outputs."""
    _deploy("local", parameters, account, log)
    return outputs(account, STACK)


def deploy_receiving(account: Account, log: Path) -> None:
    """Deploy the receiving stack, which needs the bucket: a rule for each route in routes.toml."""
    named, catch_all = [name for name in route_names() if name != catch_all_route()], catch_all_route()
    parameters = {"Routes": ",".join(named)} | ({"CatchAllRoute": catch_all} if catch_all else {})
    _deploy("local-receiving", parameters, account, log)


def _deploy(environment: str, parameters: dict[str, str], account: Account, log: Path) -> None:
    declared = tomllib.loads((PROJECT / "samconfig.toml").read_text())[environment]["deploy"]["parameters"]
    named = dict(pair.split("=", 1) for pair in declared["parameter_overrides"].split()) | parameters
    overrides = (f"{name}={value}" for name, value in named.items())
    _sam(["deploy", "--config-env", environment, "--parameter-overrides", *overrides], account, log)


def outputs(account: Account, stack_name: str) -> dict[str, str]:
    """A deployed stack's outputs."""
    stack = account.client("cloudformation").describe_stacks(StackName=stack_name)["Stacks"][0]
    return {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}


def functions(account: Account) -> dict[str, str]:
    """Logical id to deployed name of each function of the stack."""
    resources = account.client("cloudformation").describe_stack_resources(StackName=STACK)["StackResources"]
    return {
        resource["LogicalResourceId"]: resource["PhysicalResourceId"]
        for resource in resources
        if resource["ResourceType"] == "AWS::Lambda::Function"
    }


@contextmanager
def build_directory() -> Generator[None]:
    """Lock .aws-sam/build, so that two local clouds that start at the same time build one after the other."""
    lock = PROJECT / ".mailstep" / "build.lock"
    lock.parent.mkdir(exist_ok=True)
    with lock.open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield


def _sam(arguments: list[str], account: Account, log: Path) -> None:
    environment = account.environment()
    environment.setdefault("SAM_CLI_POLL_DELAY", "0.2")
    # `sam` leaves temporary directories behind; here they are deleted with the run.
    environment["TMPDIR"] = str(log.parent / "scratch")
    # `sam build` looks for python3.13 and pip on PATH: this environment's.
    environment["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{environment['PATH']}"
    program = shutil.which("sam", path=environment["PATH"])
    if program is None:
        raise UserError("the SAM CLI is missing: run `make .venv/ready`, or `pip install aws-sam-cli`")
    # A process group, so that an interrupt stops `sam` with everything that it started.
    with group(
        [program, *arguments], cwd=PROJECT, environment=environment, log=log, stdin=subprocess.DEVNULL
    ) as process:
        code = process.wait()
    if code:
        said = [line for line in log.read_text(errors="replace").splitlines() if line.strip()]
        raise DeploymentFailed(f"sam {arguments[0]} failed ({log}): {' / '.join(said[-3:])}")
