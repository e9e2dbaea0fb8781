"""The stack that experiments use: made for them, and removed afterwards, also if one of them fails."""

import json
import re
import secrets
import time
from collections import Counter
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
from botocore.exceptions import ClientError, WaiterError

from mailstep_cli.errors import UserError

TEMPLATE = Path(__file__).with_name("stack.yaml")
_POLL = {"Delay": 5, "MaxAttempts": 120}


@dataclass(frozen=True)
class Lab:
    """The deployed stack, by its outputs, and clients of its Region."""

    session: boto3.Session
    stack: str
    outputs: dict[str, str]

    def client(self, service: str) -> Any:
        """The boto3 client for `service`."""
        return self.session.client(service)  # type: ignore[call-overload]

    def start(self, **given: object) -> str:
        """Start the workflow with this input, under a new name; return the execution's ARN."""
        found: str = self.client("stepfunctions").start_execution(
            stateMachineArn=self.outputs["Workflow"], name=secrets.token_hex(8), input=json.dumps(given)
        )["executionArn"]
        return found

    def ended(self, arn: str) -> dict[str, Any]:
        """The execution once it has ended.

        Raises:
            TimeoutError: it still runs after a minute.
        """
        describe = self.client("stepfunctions").describe_execution
        found: dict[str, Any] = eventually(
            lambda: one if (one := describe(executionArn=arn))["status"] != "RUNNING" else None, "the execution to end"
        )
        return found

    def received(self, queue: str, wanted: Callable[[str], bool]) -> str:
        """The first message of a queue that is wanted; all messages before it are deleted.

        Raises:
            TimeoutError: no message came within a minute.
        """
        sqs, url = self.client("sqs"), self.outputs[queue]

        def look() -> str | None:
            found = sqs.receive_message(QueueUrl=url, WaitTimeSeconds=2, MaxNumberOfMessages=10).get("Messages", [])
            for message in found:
                sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
            return next((message["Body"] for message in found if wanted(message["Body"])), None)

        return eventually(look, f"a message in {queue}")


def eventually[T](look: Callable[[], T | None], what: str, seconds: float = 60) -> T:
    """What `look` returns, as soon as it is not None.

    Raises:
        TimeoutError: it is still None after `seconds`.
    """
    deadline = time.monotonic() + seconds
    while (found := look()) is None:
        if time.monotonic() > deadline:
            raise TimeoutError(f"waited {seconds:g} s for {what}")
        time.sleep(0.5)
    return found


def resources(*, receiving: bool) -> Counter[str]:
    """How many resources of each type the stack has."""
    kinds = re.findall(r"^  (\w+):\n    Type: (AWS::\S+)$", TEMPLATE.read_text(), re.MULTILINE)
    return Counter(kind for _, kind in kinds if receiving or not kind.startswith("AWS::SES::"))


@contextmanager
def deployed(stack: str, *, receiving: bool) -> Generator[Lab]:
    """Create the stack, and delete it afterwards with all that is in it.

    Raises:
        UserError: no Region is set, a stack of this name is there already, or it cannot be created.
    """
    session = boto3.Session()
    if session.region_name is None:
        raise UserError("no Region is set: export AWS_DEFAULT_REGION=<the Region to try>")
    cloudformation: Any = session.client("cloudformation")
    try:
        cloudformation.create_stack(
            StackName=stack,
            TemplateBody=TEMPLATE.read_text(),
            Parameters=[{"ParameterKey": "Receiving", "ParameterValue": str(receiving).lower()}],
            Capabilities=["CAPABILITY_IAM"],
        )
    except cloudformation.exceptions.AlreadyExistsException as error:
        raise UserError(f"there is a stack {stack!r} already: delete it, or give another name with --stack") from error
    try:
        try:
            cloudformation.get_waiter("stack_create_complete").wait(StackName=stack, WaiterConfig=_POLL)
        except WaiterError as error:
            raise UserError(f"the stack {stack!r} could not be created: {_why(cloudformation, stack)}") from error
        [described] = cloudformation.describe_stacks(StackName=stack)["Stacks"]
        yield Lab(session, stack, {one["OutputKey"]: one["OutputValue"] for one in described["Outputs"]})
    finally:
        _remove(session, cloudformation, stack)


def _why(cloudformation: Any, stack: str) -> str:
    events = cloudformation.describe_stack_events(StackName=stack)["StackEvents"]
    failed = [e for e in events if e["ResourceStatus"].endswith("FAILED") and e.get("ResourceStatusReason")]
    return "; ".join(f"{one['LogicalResourceId']}: {one['ResourceStatusReason']}" for one in reversed(failed))


def _remove(session: boto3.Session, cloudformation: Any, stack: str) -> None:
    resources = cloudformation.describe_stack_resources(StackName=stack)["StackResources"]
    for bucket in (r.get("PhysicalResourceId") for r in resources if r["ResourceType"] == "AWS::S3::Bucket"):
        if bucket:
            _empty(session.client("s3"), bucket)
    cloudformation.delete_stack(StackName=stack)
    try:
        cloudformation.get_waiter("stack_delete_complete").wait(StackName=stack, WaiterConfig=_POLL)
    except WaiterError as error:
        raise UserError(
            f"the stack {stack!r} could not be deleted: {_why(cloudformation, stack)}; delete it in the console"
        ) from error


def _empty(s3: Any, bucket: str) -> None:
    try:
        for found in s3.list_objects_v2(Bucket=bucket).get("Contents", []):
            s3.delete_object(Bucket=bucket, Key=found["Key"])
    except ClientError as error:
        if error.response["Error"]["Code"] != "NoSuchBucket":
            raise
