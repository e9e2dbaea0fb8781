"""Later answers to an email of the deployed stack: written as an application does, and followed to their end."""

import json

from mailstep.start.identity import execution_name, later_answer
from mailstep_local.cloud import LocalCloud


def written(cloud: LocalCloud, email_id: str, name: str, text: str) -> str:
    """Write an answer as an application does; answer the ARN of the execution that sends it."""
    bucket, key = cloud.outputs["MailBucketName"], f"answers/{email_id}/{name}.json"
    cloud.account.client("s3").put_object(Bucket=bucket, Key=key, Body=json.dumps({"text": text}))
    answer = later_answer(bucket, key)
    assert answer
    machine = cloud.outputs["LaterAnswerStateMachineArn"].replace(":stateMachine:", ":execution:")
    return f"{machine}:{execution_name(answer)}"
