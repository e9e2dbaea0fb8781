"""Every action of every role is taken away by a test in tests/cloud, or is listed here with who asks for it."""

from tests.support.permissions import (
    ACTIVATION,
    CALLING,
    CLEARING,
    INDEXING,
    LOOKING,
    ORDERING,
    PERMISSIONS,
    SECRET,
    STARTING,
    STORING,
    SWEEPING,
    THREADING,
    WORKFLOW,
)
from tests.support.transformed import ALL_OPTIONS, transformed

WORKFLOW_ROLES = ("EmailWorkflowRole", "LaterAnswerWorkflowRole", "ReplayWorkflowRole")
# What no emulation asks for, and the document that says who does.
NEEDED_ON_AWS = {
    **{
        (role, f"sqs:{action}"): 'AWS Lambda Developer Guide, "Using Lambda with Amazon SQS"'
        for role in ("StartRole", "IndexRole")
        for action in ("ReceiveMessage", "DeleteMessage", "GetQueueAttributes")
    },
    **{
        (role, "s3:ListBucket"): "Amazon S3 API reference, GetObject: 404 instead of 403 for what is gone"
        for role in ("ParseRole", "IndexRole", "SweepRole")
    },
    **{
        (role, "sqs:SendMessage"): 'AWS Lambda Developer Guide, "Dead-letter queues"'
        for role in ("FeedbackRole", "SweepRole")
    },
    **{
        (role, "kms:Decrypt"): 'Amazon DynamoDB Developer Guide, "How it works" of encryption at rest: table keys'
        for role in ("FeedbackRole", "IndexRole", "SweepRole")
    },
    **{
        (
            "ReplayWorkflowRole",
            action,
        ): 'AWS Step Functions Developer Guide, "IAM policies for using Distributed Map states"'
        for action in (
            *("states:StartExecution", "states:DescribeExecution", "states:StopExecution"),
            *("s3:GetObject", "s3:PutObject", "s3:ListMultipartUploadParts", "s3:AbortMultipartUpload"),
        )
    },
    ("ProcessRole", "execute-api:Invoke"): 'Amazon API Gateway Developer Guide, "Control access for invoking an API"',
    **{
        (role, f"kms:{action}"): 'Amazon S3 User Guide, "Using server-side encryption with AWS KMS keys"'
        for action, roles in (
            (
                "Decrypt",
                ("EmailWorkflowRole", "ReplayWorkflowRole", "ParseRole", "ProcessRole", "ReplyRole", "ValidateRole"),
            ),
            ("GenerateDataKey", ("EmailWorkflowRole", "ReplayWorkflowRole", "ParseRole", "ProcessRole", "StoreRole")),
        )
        for role in roles
    },
    **{
        (role, f"logs:{action}"): 'AWS Step Functions Developer Guide, "Logging using CloudWatch Logs"'
        for action in (
            *("CreateLogDelivery", "GetLogDelivery", "UpdateLogDelivery", "DeleteLogDelivery", "ListLogDeliveries"),
            *("PutResourcePolicy", "DescribeResourcePolicies", "DescribeLogGroups"),
        )
        for role in WORKFLOW_ROLES
    },
    **{
        (role, f"xray:{action}"): 'AWS Step Functions Developer Guide, "Trace with AWS X-Ray"'
        for action in ("PutTraceSegments", "PutTelemetryRecords", "GetSamplingRules", "GetSamplingTargets")
        for role in WORKFLOW_ROLES
    },
    **{
        ("ActivateRole", action): "AWSLambdaBasicExecutionRole, of AWS"
        for action in ("logs:CreateLogStream", "logs:PutLogEvents")
    },
    **{
        ("FunctionTelemetryPolicy", action): "AWSLambdaBasicExecutionRole and AWSXRayDaemonWriteAccess, of AWS"
        for action in (
            "logs:CreateLogStream",
            "logs:PutLogEvents",
            "xray:PutTraceSegments",
            "xray:PutTelemetryRecords",
        )
    },
}


def granted() -> set[tuple[str, str]]:
    """Every role, or policy that roles share, with every action that it allows."""
    found = set()
    for template, options in ALL_OPTIONS.items():
        for name, resource in transformed(template, {"Domain": "mail.example.com"} | options).items():
            if resource["Type"] not in {"AWS::IAM::Role", "AWS::IAM::ManagedPolicy"}:
                continue
            policies = resource["Properties"].get("Policies", [resource["Properties"]])
            for statement in (one for policy in policies for one in policy["PolicyDocument"]["Statement"]):
                actions = [statement["Action"]] if isinstance(statement["Action"], str) else statement["Action"]
                found |= {(name, action) for action in actions}
    return found


def test_every_permitted_action_has_a_test_that_needs_it_or_a_source_at_aws() -> None:
    of_functions = [*PERMISSIONS, *INDEXING, *SWEEPING, SECRET, CLEARING, LOOKING, STARTING, THREADING]
    taken_away = {
        *((function.replace("Function", "Role"), action) for function, action in of_functions),
        *(("EmailWorkflowRole", action) for action, *_ in WORKFLOW),
        *(("ActivateRole", action) for action in ACTIVATION),
        STORING,
        ORDERING,
        CALLING,
    }
    assert granted() == taken_away | NEEDED_ON_AWS.keys()
