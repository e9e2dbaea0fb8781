"""Checks what a workflow asks of other services: Step Functions calls their APIs, and each has its rules."""

import json
from collections.abc import Mapping
from typing import Any

from mailstep_local.rules import layer
from mailstep_local.rules.errors import Refused

_PREFIXES = {"sqs": "SQS", "sns": "SNS", "s3": "S3", "lambda": "Lambda"}
_JSON_MEMBERS = {"Payload", "MessageBody", "Message"}
"""Members that Step Functions turns into text, if an argument gives them as JSON."""


def check(resource: str, arguments: Mapping[str, Any]) -> None:
    """Check a task's arguments.

    Args:
        resource: The task's Resource, such as `arn:aws:states:::sqs:sendMessage.waitForTaskToken`.
        arguments: Its Arguments, evaluated.

    Raises:
        Refused: The service would refuse the call; the code is the error's name in a Retry or Catch, such as
            `SQS.InvalidParameterValue`.
    """
    service, _, action = resource.partition(":::")[2].removeprefix("aws-sdk:").partition(":")
    operation = action.partition(".")[0]
    parameters = {
        name: json.dumps(value, separators=(",", ":"))
        if name in _JSON_MEMBERS and not isinstance(value, str)
        else value
        for name, value in arguments.items()
    }
    try:
        layer.check_parameters(service, operation[:1].upper() + operation[1:], parameters)
    except Refused as refused:
        raise Refused(f"{_PREFIXES.get(service, service.capitalize())}.{refused.code}", refused.message) from refused
