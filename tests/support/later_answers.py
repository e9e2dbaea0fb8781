"""Later answers to an email of the deployed stack: written as an application does, and followed to their end."""

import json
from typing import Any

from mailstep.start.identity import execution_name, later_answer
from mailstep_local.cloud import LocalCloud
from tests.support.cloud import eventually


def written(cloud: LocalCloud, email_id: str, name: str, text: str) -> str:
    """Write an answer as an application does; answer the ARN of the execution that sends it."""
    bucket, key = cloud.outputs["MailBucketName"], f"answers/{email_id}/{name}.json"
    cloud.account.client("s3").put_object(Bucket=bucket, Key=key, Body=json.dumps({"text": text}))
    answer = later_answer(bucket, key)
    assert answer
    machine = cloud.outputs["LaterAnswerStateMachineArn"].replace(":stateMachine:", ":execution:")
    return f"{machine}:{execution_name(answer)}"


def ended(cloud: LocalCloud, arn: str) -> Any:
    """The execution, once it has ended."""
    sfn = cloud.account.client("stepfunctions")

    def found() -> Any:
        try:
            described = sfn.describe_execution(executionArn=arn)
        except sfn.exceptions.ExecutionDoesNotExist:
            return None
        return described if described["status"] != "RUNNING" else None

    return eventually(found, seconds=180)
