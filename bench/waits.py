"""Compares the waits of two checkouts' local accounts, call by call in one run, as ratios.

python -m bench.waits ANOTHER_CHECKOUT

Prints the median seconds of a call of a warm function that does nothing, of an execution with four such calls, and of
both: what a message takes whose five functions do nothing.
"""

import io
import json
import os
import statistics
import subprocess
import sys
import time
import zipfile
from contextlib import ExitStack
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from mailstep_local.account import Account
from mailstep_local.cloud import empty_account

ROUNDS = 40
STEPS = ("Parse", "Validate", "Process", "Reply")
EVERYTHING = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
SERVICES = {"Service": ["lambda.amazonaws.com", "states.amazonaws.com"]}
TRUST = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": SERVICES, "Action": "sts:AssumeRole"}]}


def serve() -> None:
    """For each line of standard input, print the seconds of one call and of one execution."""
    with TemporaryDirectory() as directory, empty_account(Path(directory) / "run") as (account, _):
        machine = _machine(account)
        functions, sfn = account.client("lambda"), account.client("stepfunctions")
        print("ready", flush=True)
        for _line in sys.stdin:
            began = time.perf_counter()
            functions.invoke(FunctionName="nothing")
            call = time.perf_counter() - began
            execution = sfn.start_execution(stateMachineArn=machine)["executionArn"]
            while (found := sfn.describe_execution(executionArn=execution))["status"] == "RUNNING":
                time.sleep(0.005)
            print(json.dumps([call, (found["stopDate"] - found["startDate"]).total_seconds()]), flush=True)


def _machine(account: Account) -> str:
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as archive:
        archive.writestr("nothing.py", "def handler(event, context): pass")
    iam = account.client("iam")
    role = iam.create_role(RoleName="any", AssumeRolePolicyDocument=json.dumps(TRUST))["Role"]["Arn"]
    iam.put_role_policy(RoleName="any", PolicyName="all", PolicyDocument=json.dumps(EVERYTHING))
    function = account.client("lambda").create_function(
        FunctionName="nothing",
        Runtime="python3.13",
        Role=role,
        Handler="nothing.handler",
        Code={"ZipFile": code.getvalue()},
    )
    account.client("lambda").invoke(FunctionName="nothing")
    task = {
        "Type": "Task",
        "Resource": "arn:aws:states:::lambda:invoke",
        "Arguments": {"FunctionName": function["FunctionArn"], "Payload": {}},
    }
    states = {name: task | {"Next": following} for name, following in pairwise(STEPS)} | {
        STEPS[-1]: task | {"End": True}
    }
    definition = {"QueryLanguage": "JSONata", "StartAt": STEPS[0], "States": states}
    created = account.client("stepfunctions").create_state_machine(
        name="calls", definition=json.dumps(definition), roleArn=role
    )
    return str(created["stateMachineArn"])


def _started(checkout: Path) -> subprocess.Popen[str]:
    environment = os.environ | {"PYTHONPATH": f"{checkout}{os.pathsep}{checkout / 'functions'}"}
    return subprocess.Popen(
        [sys.executable, __file__, "--serve"],
        cwd=checkout,
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def _ask(process: Any) -> list[float]:
    process.stdin.write("\n")
    process.stdin.flush()
    found: list[float] = json.loads(process.stdout.readline())
    return found


def compare(other: Path) -> None:
    """Print the medians of both checkouts, and how many times as long the other one takes."""
    with ExitStack() as stack:
        processes: list[Any] = [
            stack.enter_context(_started(checkout)) for checkout in (other, Path(__file__).parents[1])
        ]
        for process in processes:
            process.stdout.readline()
        rounds = [[_ask(process) for process in processes] for _ in range(ROUNDS)]
    for what, parts in (("call", (0,)), ("execution", (1,)), ("message", (0, 1))):
        theirs, ours = (statistics.median(sum(found[side][at] for at in parts) for found in rounds) for side in (0, 1))
        print(f"{what}: {theirs:.3f} s there, {ours:.3f} s here, {theirs / ours:.1f} times")


if __name__ == "__main__":
    if sys.argv[1] == "--serve":
        serve()
    else:
        compare(Path(sys.argv[1]).resolve())
