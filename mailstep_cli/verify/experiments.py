"""The experiments: each tries one behaviour of AWS in the stack of stack.yaml, and returns what it found."""

import json
import secrets
from collections.abc import Callable
from datetime import datetime
from typing import Any

from botocore.exceptions import ClientError

from mailstep_cli.doctor.findings import Finding, fault, judged, ok, unknown
from mailstep_cli.errors import UserError
from mailstep_cli.terminal import counted
from mailstep_cli.verify.lab import Lab, eventually

Experiment = Callable[[Lab], Finding]

_DIFFERS = "the design relies on this (docs/aws-facts.md): please report what AWS answered"


def names(lab: Lab) -> Finding:
    """Start an execution twice under one name while it runs, then with other input, then after it ended."""
    sfn, name = lab.client("stepfunctions"), secrets.token_hex(8)

    def start(given: dict[str, str]) -> str:
        try:
            started = sfn.start_execution(stateMachineArn=lab.outputs["Workflow"], name=name, input=json.dumps(given))
        except ClientError as error:
            return _refusal(error)
        return str(started["executionArn"])

    first = start({"kind": "wait"})
    found = [start({"kind": "wait"}), start({"kind": "call"})]
    lab.ended(first)
    found.append(start({"kind": "wait"}))
    return _same(found, [first, "ExecutionAlreadyExists", "ExecutionAlreadyExists"])


def retries(lab: Lab) -> Finding:
    """Let a task fail with IntervalSeconds 1, BackoffRate 3, MaxDelaySeconds 2, MaxAttempts 3; measure its waits."""
    arn = lab.start(kind="retry", do="raise")
    lab.ended(arn)
    events = lab.client("stepfunctions").get_execution_history(executionArn=arn, maxResults=1000)["events"]
    failed = [event["timestamp"] for event in events if event["type"] == "TaskFailed"]
    begun = [event["timestamp"] for event in events if event["type"] == "TaskScheduled"]
    waits = [_seconds(before, after) for before, after in zip(failed, begun[1:], strict=False)]
    fits = len(begun) == 4 and all(
        wanted - 0.2 <= waited < wanted + 2 for wanted, waited in zip((1, 2, 2), waits, strict=True)
    )
    said = f"{len(begun)} attempts, waits of {', '.join(f'{waited:.1f}' for waited in waits)} s"
    return ok(said) if fits else fault(f"{said}, not 4 attempts with waits of 1, 2 and 2 s", _DIFFERS)


def error_names(lab: Lab) -> Finding:
    """Let a function raise an error, end its process, and overrun its timeout; read the execution's error."""
    ended = {what: lab.ended(lab.start(kind="call", do=what)) for what in ("raise", "exit", "hang")}
    found = [one.get("error", "") for one in ended.values()]
    said = json.loads(ended["raise"].get("cause") or "{}").get("errorMessage")
    return _same([*found, said], ["TransientError", "Runtime.ExitError", "Sandbox.Timedout", "the text"])


def jsonata(lab: Lab) -> Finding:
    """Evaluate each function of JSONata that the definition uses."""
    found = json.loads(lab.ended(lab.start(kind="evaluate", empty=None)).get("output") or "{}")
    wanted = {
        "parse": 1, "encode": "a%20b%2F%C3%A4", "replace": "a b", "substring": "abc", "join": "a!/b!",
        "longest": 120, "string": "1", "merge": {"a": 1, "b": True}, "exists": False, "null": True,
    }  # fmt: skip
    return _same(found, wanted)


def partial_batches(lab: Lab) -> Finding:
    """Send a batch with one bad message; wait for that one in the dead-letter queue, and see that no other is left."""
    sqs = lab.client("sqs")
    bodies = ["good", "poison", "also good"]
    sqs.send_message_batch(
        QueueUrl=lab.outputs["Queue"],
        Entries=[{"Id": str(number), "MessageBody": body} for number, body in enumerate(bodies)],
    )
    lab.received("DeadLetterQueue", lambda body: body == "poison")
    left = {name: _visible(sqs, lab.outputs[name]) for name in ("Queue", "DeadLetterQueue")}
    return judged(
        [f"left in {name}: {counted(count, 'message')}" for name, count in left.items() if count],
        _DIFFERS,
        "only the bad message of a batch came again, and went to the dead-letter queue",
    )


def dead_letters(lab: Lab) -> Finding:
    """Move a message out of the dead-letter queue by StartMessageMoveTask."""
    sqs, mark = lab.client("sqs"), secrets.token_hex(8)
    sqs.send_message(QueueUrl=lab.outputs["DeadLetterQueue"], MessageBody=mark)
    sqs.start_message_move_task(SourceArn=lab.outputs["DeadLetterQueueArn"], DestinationArn=lab.outputs["ReadQueueArn"])
    lab.received("ReadQueue", lambda body: body == mark)
    return ok("the message was moved")


def deduplication(lab: Lab) -> Finding:
    """Send a message to a FIFO queue twice with one deduplication id, and once with another."""
    sqs, url = lab.client("sqs"), lab.outputs["FifoQueue"]
    for body, identity in (("first", "a"), ("second", "a"), ("third", "b")):
        sqs.send_message(QueueUrl=url, MessageBody=body, MessageGroupId="one", MessageDeduplicationId=identity)
    found = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=2).get("Messages", [])
    return _same([message["Body"] for message in found], ["first", "third"])


def heartbeats(lab: Lab) -> Finding:
    """Leave a task token without an answer and without a heartbeat."""
    return _same(lab.ended(lab.start(kind="pull")).get("error"), "States.HeartbeatTimeout")


def alerts(lab: Lab) -> Finding:
    """Let an execution fail; wait for EventBridge's event by a topic whose policy names the rule."""
    arn = lab.start(kind="call", do="raise")
    lab.ended(arn)
    lab.received("ReadQueue", lambda body: arn in body)
    return ok("EventBridge published to the topic under aws:SourceArn and aws:SourceAccount")


def redrive(lab: Lab) -> Finding:
    """Let an execution fail, redrive it, and see that it ran again under the same ARN."""
    sfn, arn = lab.client("stepfunctions"), lab.start(kind="call", do="raise")
    lab.ended(arn)
    sfn.redrive_execution(executionArn=arn)
    return _same(lab.ended(arn).get("redriveCount"), 1)


def tags(lab: Lab) -> Finding:
    """Tag an object with the characters that S3 takes, and with one that it refuses."""
    s3, place = lab.client("s3"), {"Bucket": lab.outputs["Bucket"], "Key": "tagged"}
    s3.put_object(**place, Body=b"x")
    found = []
    for value in ("Az 09 +-=._:/@", "a;b", "x" * 257):
        try:
            s3.put_object_tagging(**place, Tagging={"TagSet": [{"Key": "reason", "Value": value}]})
            found.append("taken")
        except ClientError as error:
            found.append(_refusal(error))
    return _same(found, ["taken", "InvalidTag", "InvalidTag"])


def principals(lab: Lab) -> Finding:
    """Let a function store an object under a prefix that only its role may use, and under another role's."""
    functions = lab.client("lambda")

    def put(key: str) -> str:
        given = {"do": "put", "bucket": lab.outputs["Bucket"], "key": key}
        answer = json.loads(
            functions.invoke(FunctionName=lab.outputs["Function"], Payload=json.dumps(given))["Payload"].read()
        )
        return "stored" if answer == "done" else "denied" if "AccessDenied" in str(answer) else str(answer)

    return _same([put("own/1"), put("others/1")], ["stored", "denied"])


def receipt_rules(lab: Lab) -> Finding:
    """Count the receipt rules that CloudFormation made all at once, in a set that is not active."""
    try:
        found = lab.client("ses").describe_receipt_rule_set(RuleSetName=lab.stack).get("Rules", [])
    except ClientError as error:
        if error.response["Error"]["Code"] == "RuleSetDoesNotExist":
            return unknown("not tried in this Region", "add --receiving where SES receives mail")
        raise
    return _same(len(found), 5)


def concurrency(lab: Lab) -> Finding:
    """Reserve so much Lambda concurrency that fewer than 100 environments would be left, which AWS must refuse."""
    functions, name = lab.client("lambda"), lab.outputs["Function"]
    limit = functions.get_account_settings()["AccountLimit"]
    wanted = max(1, limit["UnreservedConcurrentExecutions"] - 99)
    try:
        functions.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=wanted)
    except ClientError as error:
        return _same(_refusal(error), "InvalidParameterValueException")
    functions.delete_function_concurrency(FunctionName=name)
    return fault(f"AWS let {wanted} of {limit['ConcurrentExecutions']} be reserved", _DIFFERS)


def repeats(lab: Lab) -> Finding:
    """Receive a message without deleting it, and receive it again once its visibility timeout has passed."""
    sqs, url = lab.client("sqs"), lab.outputs["ReadQueue"]
    mark = secrets.token_hex(8)
    sqs.send_message(QueueUrl=url, MessageBody=mark)

    def receive() -> datetime | None:
        found = sqs.receive_message(QueueUrl=url, VisibilityTimeout=3, WaitTimeSeconds=1, MaxNumberOfMessages=10)
        return datetime.now() if mark in [m["Body"] for m in found.get("Messages", [])] else None

    first = eventually(receive, "the message")
    hidden = receive()
    again = eventually(receive, "the message again")
    lab.received("ReadQueue", lambda body: body == mark)
    waited = _seconds(first, again)
    fits = hidden is None and waited >= 2.5
    said = f"the message came again after {waited:.1f} s"
    return ok(said) if fits else fault(f"{said}, not after its visibility timeout of 3 s", _DIFFERS)


EXPERIMENTS: dict[str, Experiment] = {
    function.__name__.replace("_", "-"): function
    for function in (
        names, retries, error_names, jsonata, repeats, partial_batches, dead_letters, deduplication, heartbeats, alerts,
        redrive, tags, principals, receipt_rules, concurrency,
    )
}  # fmt: skip


def choose(wanted: list[str]) -> dict[str, Experiment]:
    """The experiments of these names; all of them if no name is given.

    Raises:
        UserError: there is no experiment of a name.
    """
    if missing := [name for name in wanted if name not in EXPERIMENTS]:
        raise UserError(f"there is no experiment {missing[0]!r}; there are: {', '.join(EXPERIMENTS)}")
    return {name: experiment for name, experiment in EXPERIMENTS.items() if not wanted or name in wanted}


def attempt(experiment: Experiment, lab: Lab) -> Finding:
    """The finding of one experiment. A request that AWS refuses is a finding too."""
    try:
        return experiment(lab)
    except TimeoutError as error:
        return fault(str(error), _DIFFERS)
    except ClientError as error:
        said = f"{error.operation_name}: {error.response['Error'].get('Message') or error}"
        if _is_forbidden(error):
            return unknown(said, "run it with credentials that have this permission")
        return fault(said, _DIFFERS)


def _refusal(error: ClientError) -> str:
    """AWS's name for the refusal of a request. A missing permission is no answer, so it is raised again."""
    if _is_forbidden(error):
        raise error
    return str(error.response["Error"].get("Code", ""))


def _is_forbidden(error: ClientError) -> bool:
    return error.response["Error"].get("Code", "").startswith("AccessDenied")


def _same(found: object, wanted: object) -> Finding:
    return (
        ok(json.dumps(found)) if found == wanted else fault(f"{json.dumps(found)}, not {json.dumps(wanted)}", _DIFFERS)
    )


def _visible(sqs: Any, url: str) -> int:
    found = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["ApproximateNumberOfMessages"])["Attributes"]
    return int(found["ApproximateNumberOfMessages"])


def _seconds(before: datetime, after: datetime) -> float:
    return (after - before).total_seconds()
