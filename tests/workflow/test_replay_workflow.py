"""The workflow that replays many messages, on moto's interpreter: each message has one new execution."""

import json
import time
from datetime import UTC, datetime
from typing import Any

import boto3

from tests.support.moto_interpreter import BUCKET, REGION, interpreter
from tests.support.project import REPLAY_DEFINITION

ROLE = "arn:aws:iam::123456789012:role/workflow"
PASS = json.dumps({"StartAt": "End", "States": {"End": {"Type": "Succeed"}}})


def ended(arn: str) -> Any:
    sfn = boto3.client("stepfunctions", region_name=REGION)
    for _ in range(600):
        found = sfn.describe_execution(executionArn=arn)
        if found["status"] != "RUNNING":
            return found
        time.sleep(0.05)
    raise AssertionError("it did not end")


def test_each_message_is_replayed_once_whatever_was_replayed_before() -> None:
    with interpreter():
        sfn = boto3.client("stepfunctions", region_name=REGION)
        email = sfn.create_state_machine(name="email", definition=PASS, roleArn=ROLE)["stateMachineArn"]
        filled = REPLAY_DEFINITION.replace("${Partition}", "aws").replace("${WorkflowAliasArn}", email)
        filled = filled.replace("${ExecutionArnPrefix}", email.replace(":stateMachine:", ":execution:"))
        # moto takes a percentage with a fraction only, and no Arguments of a ResultWriter.
        definition = json.loads(filled.replace('Percentage": 100', 'Percentage": 100.0'))
        del definition["States"]["ReplayEach"]["ResultWriter"]
        replay = sfn.create_state_machine(name="replay", definition=json.dumps(definition), roleArn=ROLE)[
            "stateMachineArn"
        ]
        s3 = boto3.client("s3", region_name=REGION)
        s3.create_bucket(Bucket=BUCKET)

        def start(name: str) -> None:
            ended(sfn.start_execution(stateMachineArn=email, name=name, input="{}")["executionArn"])

        start("before-r2")
        time.sleep(1.1)
        began = datetime.now(UTC).isoformat()
        start("since-r2")
        emails = [{"email_id": name, "replay": True} for name in ("never", "before", "since")]
        items = [{"began": began, "email": email_} for email_ in emails]
        s3.put_object(Bucket=BUCKET, Key="replays/batch.json", Body=json.dumps(items))
        asked = json.dumps({"bucket": BUCKET, "key": "replays/batch.json", "results": "replays/batch"})
        for batch in ("first", "repeated"):
            found = ended(sfn.start_execution(stateMachineArn=replay, name=batch, input=asked)["executionArn"])
            assert found["status"] == "SUCCEEDED", (found.get("error"), found.get("cause"))
        names = {one["name"] for one in sfn.list_executions(stateMachineArn=email)["executions"]}
        assert names == {"before-r2", "since-r2", "never-r2", "before-r3"}
        started = sfn.describe_execution(executionArn=f"{email.replace(':stateMachine:', ':execution:')}:never-r2")
        assert json.loads(started["input"]) == {"email_id": "never", "replay": True}
