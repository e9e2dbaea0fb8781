"""Replays very many messages by the stack's own workflow, which goes on when this command has ended."""

import json
import secrets
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import boto3

from mailstep import keys
from mailstep.contracts import StoredEmail
from mailstep_cli import failures
from mailstep_cli.errors import UserError
from mailstep_cli.home_stack import HomeStack

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_stepfunctions import SFNClient

_EVERY_SECONDS = 1


@dataclass(frozen=True)
class MapRun:
    """How a replay of very many messages stands.

    Attributes:
        execution: The ARN of the execution of the stack's replay workflow.
        results: Where in the mail bucket Step Functions writes what became of each message.
        status: Of that execution.
        total: How many messages there are.
        ended: How many of them were acted on.
        failed: How many of those failed. The list of results says why.
    """

    execution: str
    results: str
    status: str
    total: int
    ended: int
    failed: int


def start(stack: HomeStack, emails: Iterable[StoredEmail], *, began: datetime, reply_again: bool) -> tuple[str, str]:
    """Write the list of messages into the mail bucket, and start the workflow; return its ARN and the batch's name.

    Each message gets one new execution, unless it had one since `began` (statemachine/replay.asl.json).

    Raises:
        UserError: the stack was deployed before it had this workflow.
    """
    if "ReplayWorkflow" not in stack.resources:
        raise UserError(f"the stack {stack.name!r} has no workflow for this: deploy this version of Mailstep")
    # Two operators can start in the same second: the second list would replace the first.
    batch = f"replay-{datetime.now(UTC):%Y%m%d-%H%M%S}-{secrets.token_hex(4)}"
    changes = {"replay": True, "reply_again": reply_again}
    since = began.astimezone(UTC).isoformat().replace("+00:00", "Z")
    items = [{"began": since, "email": email.model_copy(update=changes).model_dump(mode="json")} for email in emails]
    s3: S3Client = boto3.client("s3")
    s3.put_object(Bucket=stack.bucket, Key=keys.replay(batch), Body=json.dumps(items), ContentType="application/json")
    sfn: SFNClient = boto3.client("stepfunctions")
    asked = {"bucket": stack.bucket, "key": keys.replay(batch), "results": keys.replay_results(batch)}
    started = sfn.start_execution(
        stateMachineArn=stack.resources["ReplayWorkflow"], name=batch, input=json.dumps(asked)
    )
    return started["executionArn"], batch


def follow(stack: HomeStack, execution: str, batch: str, total: int) -> Iterator[MapRun]:
    """How the replay stands, each second until it has ended."""
    sfn: SFNClient = boto3.client("stepfunctions")
    results = f"s3://{stack.bucket}/{keys.replay_results(batch)}/"
    while True:
        # DescribeExecution is eventually consistent (API reference): it may not know yet what has just begun.
        described = failures.described(sfn, execution)
        status = described["status"] if described else "RUNNING"
        failed = ended = 0
        for run in sfn.list_map_runs(executionArn=execution)["mapRuns"] if described else ():
            counts = sfn.describe_map_run(mapRunArn=run["mapRunArn"])["itemCounts"]
            failed += counts["failed"] + counts["timedOut"] + counts["aborted"]
            ended += counts["succeeded"] + counts["failed"] + counts["timedOut"] + counts["aborted"]
        yield MapRun(execution, results, status, total, ended, failed)
        if status != "RUNNING":
            return
        time.sleep(_EVERY_SECONDS)
