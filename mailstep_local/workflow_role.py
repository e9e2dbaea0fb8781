"""Checks that a workflow's role allows a task, as Step Functions does; MiniStack does not check this."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from ministack.core import iam_evaluator
from ministack.core.responses import get_account_id, get_region

from mailstep_local.ministack_names import Names

MINISTACK = Names(
    {
        "core.iam_evaluator:EvalContext": None,
        "core.iam_evaluator:_gather_role_policies": "role_name, account_id",
        "core.iam_evaluator:evaluate": "ctx, policies, limits",
        "core.responses:get_account_id": "",
        "core.responses:get_region": "",
    }
)


def missing(role_arn: str, resource: str, arguments: dict[str, Any]) -> str | None:
    """The first permission that the role lacks for a task, as `action on ARN`; None if it has all.

    (AWS Step Functions Developer Guide, "How Step Functions generates IAM policies for integrated services".)
    """
    policies = iam_evaluator._gather_role_policies(role_arn.rpartition("/")[2], get_account_id())
    for action, arn in _needed(resource, arguments):
        context = iam_evaluator.EvalContext(
            principal_arn=role_arn,
            principal_type="AssumedRole",
            principal_account=get_account_id(),
            action=action,
            resource_arn=arn,
            region=get_region(),
        )
        if iam_evaluator.evaluate(context, policies).decision != "Allow":
            return f"{action} on {arn}"
    return None


def _needed(resource: str, arguments: dict[str, Any]) -> Iterator[tuple[str, str]]:
    match resource.partition(":::")[2].removesuffix(".waitForTaskToken"):
        case "lambda:invoke":
            yield "lambda:InvokeFunction", arguments["FunctionName"]
        case "sns:publish":
            yield "sns:Publish", arguments["TopicArn"]
        case "sqs:sendMessage":
            name = urlsplit(arguments["QueueUrl"]).path.rpartition("/")[2]
            yield "sqs:SendMessage", f"arn:aws:sqs:{get_region()}:{get_account_id()}:{name}"
        case "aws-sdk:sfn:startExecution":
            # Also where an alias is named (patches/iam.py).
            yield "states:StartExecution", ":".join(arguments["StateMachineArn"].split(":")[:7])
        case "aws-sdk:sfn:describeExecution":
            yield "states:DescribeExecution", arguments["ExecutionArn"]
        case "aws-sdk:s3:copyObject":
            source, _, version = arguments["CopySource"].partition("?versionId=")
            yield "s3:GetObjectVersion" if version else "s3:GetObject", f"arn:aws:s3:::{source}"
            target = f"arn:aws:s3:::{arguments['Bucket']}/{arguments['Key']}"
            yield "s3:PutObject", target
            if "Tagging" in arguments:
                yield "s3:PutObjectTagging", target
