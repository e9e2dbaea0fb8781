"""The local account refuses what AWS refuses, by AWS's name, as a boto3 client sees it: one bad value for each rule.

Over 300 lines, most of which are cases.

No server runs: each request that boto3 makes goes to the rules themselves. tests/cloud runs under the same rules.
"""

import io
import re
import zipfile
from collections.abc import Callable
from typing import Any

import boto3
import pytest
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.compat import HTTPHeaders
from botocore.config import Config
from botocore.exceptions import ClientError

from mailstep_local.rules import documented, integrations, layer, shapes, templates, wire
from mailstep_local.rules.errors import Refused
from mailstep_local.signatures import Request

ROUTED = {"stepfunctions": "states", "cloudwatch": "monitoring"}
MB = 1024 * 1024
MACHINE = "arn:aws:states:us-east-1:000000000000:stateMachine:mail"
QUEUE = "https://sqs.us-east-1.amazonaws.com/000000000000/mail"
TOPIC = "arn:aws:sns:us-east-1:000000000000:mail"


class Raw(io.BytesIO):
    def stream(self, **_: object) -> Any:
        yield self.read()


def refused(service: str, operation: str, parameters: dict[str, Any]) -> str | None:
    """AWS's name for the error that a boto3 client gets; None if the call is accepted."""
    config = Config(parameter_validation=False, retries={"total_max_attempts": 1}, s3={"addressing_style": "path"})
    session: Any = boto3.Session()
    client = session.client(
        service, region_name="us-east-1", aws_access_key_id="AKIA", aws_secret_access_key="none", config=config
    )
    accepted = False

    def answer(request: AWSPreparedRequest, **_: object) -> AWSResponse:
        nonlocal accepted
        found = layer.refusal(ROUTED.get(service, service), *received(request))
        accepted = found is None
        status, fields, body = found or (500, {}, b"")
        headers = HTTPHeaders()
        for name, value in fields.items():
            headers[name] = value
        return AWSResponse(request.url, status, headers, Raw(body))

    client.meta.events.register("before-send", answer)
    with pytest.raises(Exception) as caught:  # noqa: PT011 - what an accepted call raises does not matter
        client._make_api_call(operation, parameters)
    if accepted:
        return None
    assert isinstance(caught.value, ClientError), caught.value
    assert caught.value.response["Error"]["Message"]
    return str(caught.value.response["Error"]["Code"])


def received(request: AWSPreparedRequest) -> tuple[Request, bytes]:
    path, _, query = request.url.partition("://")[2].partition("/")[2].partition("?")
    text = [
        (name.lower(), value.decode() if isinstance(value, bytes) else value) for name, value in request.headers.items()
    ]
    given: Any = request.body or b""
    body: Any = given.read() if hasattr(given, "read") else given
    return Request(request.method, f"/{path}", query, text), body.encode() if isinstance(body, str) else body


def archive(*sizes: int) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as file:
        for number, size in enumerate(sizes):
            file.writestr(f"{number}", bytes(size))
    return packed.getvalue()


def function(**changed: object) -> dict[str, object]:
    role = "arn:aws:iam::000000000000:role/any"
    whole: dict[str, object] = {"FunctionName": "f", "Runtime": "python3.13", "Role": role, "Handler": "f.handler"}
    return {**whole, "Code": {"ZipFile": archive(1)}, **changed}


def mail(data: bytes = b"From: a@b.example\r\n\r\nx", to: int = 1, **more: object) -> dict[str, object]:
    return {"Destination": {"ToAddresses": ["a@b.example"] * to}, "Content": {"Raw": {"Data": data}}, **more}


def rule(**changed: object) -> dict[str, object]:
    return {"RuleSetName": "set", "Rule": {"Name": "rule", **changed}}


def tagged(value: str = "v", key: str = "k") -> dict[str, object]:
    return {"Bucket": "mail", "Key": "k", "Tagging": {"TagSet": [{"Key": key, "Value": value}]}}


def message(**changed: object) -> dict[str, object]:
    return {"QueueUrl": QUEUE, "MessageBody": "x", **changed}


def batch(*ids: str, **changed: object) -> dict[str, object]:
    return {"QueueUrl": QUEUE, "Entries": [{"Id": each, "MessageBody": "x", **changed} for each in ids]}


Case = tuple[str, str, dict[str, Any], str]
# By rule: calls that break it, each with AWS's name for the error on the page of the rule.
DOCUMENTED: dict[Callable[..., Any], list[Case]] = {
    documented.bucket_name: [
        ("s3", "CreateBucket", {"Bucket": name}, "InvalidBucketName")
        for name in ("Staging-2-mail", "ab", "a" * 64, "a..b", "192.168.5.4", "xn--mail", "mail-s3alias", "-mail")
    ],
    documented.object_key: [
        ("s3", "PutObject", {"Bucket": "mail", "Key": "ü" * 513}, "KeyTooLongError"),
        ("s3", "CopyObject", {"Bucket": "mail", "Key": "k" * 1025, "CopySource": "mail/k"}, "KeyTooLongError"),
    ],
    documented.object_metadata: [
        ("s3", "PutObject", {"Bucket": "mail", "Key": "k", "Metadata": {"a": "x" * 2048}}, "MetadataTooLarge")
    ],
    documented.object_tags: [
        ("s3", "PutObject", {"Bucket": "mail", "Key": "k", "Tagging": "a=100%25"}, "InvalidTag"),
        ("s3", "PutObjectTagging", tagged("x" * 257), "InvalidTag"),
        ("s3", "PutObjectTagging", tagged("a;b"), "InvalidTag"),
        ("s3", "PutObjectTagging", tagged(key="k" * 129), "InvalidTag"),
        ("s3", "PutObjectTagging", tagged(key="aws:k"), "InvalidTag"),
        ("s3", "PutObject", {"Bucket": "mail", "Key": "k", "Tagging": "a=1&a=2"}, "InvalidTag"),
        (
            "s3",
            "CopyObject",
            {"Bucket": "mail", "Key": "k", "CopySource": "mail/k", "Tagging": "&".join(f"{n}=v" for n in range(11))},
            "InvalidTag",
        ),
    ],
    documented.rule_set_name: [
        ("ses", "CreateReceiptRuleSet", {"RuleSetName": name}, "InvalidParameterValue")
        for name in ("s" * 65, "-set", "a.b", "a b")
    ],
    documented.rule_name: [
        ("ses", "CreateReceiptRule", rule(Name=name), "InvalidParameterValue") for name in ("r" * 65, "rule-", "a b")
    ],
    documented.rule_size: [
        ("ses", "CreateReceiptRule", rule(Recipients=["a@b.example"] * 501), "LimitExceeded"),
        ("ses", "UpdateReceiptRule", rule(Actions=[{"StopAction": {"Scope": "RuleSet"}}] * 11), "LimitExceeded"),
    ],
    documented.recipients: [
        (
            "ses",
            "SendRawEmail",
            {"Destinations": ["a@b.example"] * 51, "RawMessage": {"Data": b"x"}},
            "InvalidParameterValue",
        )
    ],
    documented.recipients_of_version_2: [("sesv2", "SendEmail", mail(to=51), "BadRequestException")],
    documented.message_size: [
        ("sesv2", "SendEmail", mail((b"x" * 900 + b"\r\n") * (40 * MB // 902 + 1)), "BadRequestException")
    ],
    documented.message_lines: [
        ("sesv2", "SendEmail", mail(b"From: a@b.example\r\n\r\n" + b"x" * 999), "BadRequestException")
    ],
    documented.message_tags: [
        ("sesv2", "SendEmail", mail(EmailTags=[{"Name": "a", "Value": "a.b"}]), "BadRequestException")
    ],
    documented.subject: [
        ("sns", "Publish", {"TopicArn": TOPIC, "Message": "x", "Subject": text}, "InvalidParameter")
        for text in ("s" * 100, "a\nb", " a", "a\x07")
    ],
    documented.notification: [
        ("sns", "Publish", {"TopicArn": TOPIC, "Message": text}, "InvalidParameter") for text in ("ü" * 131073, "")
    ],
    documented.topic_name: [
        ("sns", "CreateTopic", {"Name": name}, "InvalidParameter") for name in ("a b", "a" * 257, "a.b")
    ],
    documented.queue_name: [
        ("sqs", "CreateQueue", {"QueueName": name}, "InvalidParameterValue") for name in ("q" * 81, "a.b", "a b")
    ],
    documented.deduplication_and_group: [
        ("sqs", "SendMessage", message(MessageGroupId="g" * 129), "InvalidParameterValue"),
        ("sqs", "SendMessage", message(MessageDeduplicationId="a b"), "InvalidParameterValue"),
        ("sqs", "SendMessageBatch", batch("1", MessageGroupId="ü"), "InvalidParameterValue"),
    ],
    documented.message_characters: [
        ("sqs", "SendMessage", message(MessageBody="a\x08"), "InvalidMessageContents"),
        ("sqs", "SendMessageBatch", batch("1", MessageBody=""), "InvalidMessageContents"),
    ],
    documented.queue_message_size: [
        ("sqs", "SendMessage", message(MessageBody="x" * (MB + 1)), "InvalidParameterValue"),
        ("sqs", "SendMessageBatch", batch("1", "2", MessageBody="x" * (MB // 2 + 1)), "InvalidParameterValue"),
    ],
    documented.queue_ranges: [
        ("sqs", "SendMessage", message(DelaySeconds=901), "InvalidParameterValue"),
        ("sqs", "ReceiveMessage", {"QueueUrl": QUEUE, "MaxNumberOfMessages": 11}, "InvalidParameterValue"),
        ("sqs", "ReceiveMessage", {"QueueUrl": QUEUE, "MaxNumberOfMessages": 0}, "InvalidParameterValue"),
        ("sqs", "ReceiveMessage", {"QueueUrl": QUEUE, "WaitTimeSeconds": 21}, "InvalidParameterValue"),
        (
            "sqs",
            "ChangeMessageVisibility",
            {"QueueUrl": QUEUE, "ReceiptHandle": "h", "VisibilityTimeout": 43201},
            "InvalidParameterValue",
        ),
    ],
    documented.batch_size: [
        ("sqs", "SendMessageBatch", batch(*map(str, range(11))), "AWS.SimpleQueueService.TooManyEntriesInBatchRequest")
    ],
    documented.batch_is_not_empty: [("sqs", "SendMessageBatch", batch(), "AWS.SimpleQueueService.EmptyBatchRequest")],
    documented.batch_ids: [
        ("sqs", "SendMessageBatch", batch("1", "1"), "AWS.SimpleQueueService.BatchEntryIdsNotDistinct")
    ],
    documented.execution_name: [
        ("stepfunctions", "StartExecution", {"stateMachineArn": MACHINE, "name": name}, "InvalidName")
        for name in ("a b", "a/b", "a:b", "a\x80", "a$", "a*")
    ],
    documented.state_machine_name: [
        (
            "stepfunctions",
            "CreateStateMachine",
            {"name": "a b", "definition": "{}", "roleArn": "arn:aws:iam::000000000000:role/any"},
            "InvalidName",
        )
    ],
    documented.execution_input: [
        (
            "stepfunctions",
            "StartExecution",
            {"stateMachineArn": MACHINE, "input": f'"{"ü" * 131072}"'},
            "InvalidExecutionInput",
        )
    ],
    documented.task_output: [
        ("stepfunctions", "SendTaskSuccess", {"taskToken": "t", "output": f'"{"ü" * 131072}"'}, "InvalidOutput")
    ],
    documented.function_environment: [
        (
            "lambda",
            "CreateFunction",
            function(Environment={"Variables": {"AB": "x" * 4095}}),
            "InvalidParameterValueException",
        )
    ],
    documented.function_variables: [
        (
            "lambda",
            "UpdateFunctionConfiguration",
            {"FunctionName": "f", "Environment": {"Variables": {"AWS_REGION": "x"}}},
            "InvalidParameterValueException",
        )
    ],
    documented.unpacked_code: [
        (
            "lambda",
            "UpdateFunctionCode",
            {"FunctionName": "f", "ZipFile": archive(125 * MB, 125 * MB + 1)},
            "InvalidParameterValueException",
        )
    ],
    documented.payload: [
        ("lambda", "Invoke", {"FunctionName": "f", "Payload": b"x" * (6 * MB + 1)}, "RequestTooLargeException"),
        (
            "lambda",
            "Invoke",
            {"FunctionName": "f", "InvocationType": "Event", "Payload": b"x" * (MB + 1)},
            "RequestTooLargeException",
        ),
    ],
    documented.item_size: [
        ("dynamodb", "PutItem", {"TableName": "table", "Item": {"id": {"S": "x" * 400 * 1024}}}, "ValidationException")
    ],
    documented.template_size: [
        ("cloudformation", "CreateStack", {"StackName": "mail", "TemplateBody": "x" * 51201}, "ValidationError")
    ],
    documented.stack_name: [
        ("cloudformation", "CreateStack", {"StackName": name, "TemplateBody": "{}"}, "ValidationError")
        for name in ("a_b", "2mail", "a" * 129)
    ],
}
# What is allowed to the last octet.
ALLOWED: list[tuple[str, str, dict[str, Any]]] = [
    ("s3", "CreateBucket", {"Bucket": "a" * 63}),
    ("s3", "PutObject", {"Bucket": "mail", "Key": "k" * 1024, "Tagging": "a=x%20y%2B%3D.%5F%3A%2F%40-", "Body": b"x"}),
    ("s3", "PutObject", {"Bucket": "mail", "Key": "a/b c/ü", "Metadata": {"a": "x" * 2047}, "Body": b"x"}),
    ("s3", "PutObjectTagging", tagged("ü" * 256, "k" * 128)),
    ("s3", "HeadObject", {"Bucket": "mail", "Key": "k"}),
    ("s3", "ListObjectsV2", {"Bucket": "mail", "Prefix": "inbound/"}),
    ("ses", "CreateReceiptRuleSet", {"RuleSetName": "s" * 64}),
    ("ses", "CreateReceiptRule", rule(Name="a.b-c_d" + "r" * 57, Recipients=["a@b.example"] * 500)),
    ("sesv2", "SendEmail", mail(to=50)),
    ("sesv2", "SendEmail", mail(b"From: a@b.example\r\n\r\n" + b"x" * 998)),
    ("sns", "Publish", {"TopicArn": TOPIC, "Message": "x" * 256 * 1024, "Subject": "s" * 99}),
    ("sqs", "CreateQueue", {"QueueName": "q" * 80}),
    ("sqs", "SendMessage", message(MessageBody="x" * MB, MessageGroupId="!~" * 64)),
    ("stepfunctions", "StartExecution", {"stateMachineArn": MACHINE, "name": "a-b_c.d(e)" + "x" * 70}),
    ("stepfunctions", "StartExecution", {"stateMachineArn": MACHINE, "input": f'"{"x" * (256 * 1024 - 2)}"'}),
    ("lambda", "CreateFunction", function(Environment={"Variables": {"AB": "x" * 4094}})),
    ("lambda", "CreateFunction", function(Code={"ZipFile": archive(125 * MB, 125 * MB)})),
    ("lambda", "Invoke", {"FunctionName": "f", "Payload": b"x" * 6 * MB}),
    ("dynamodb", "PutItem", {"TableName": "table", "Item": {"id": {"S": "x" * (400 * 1024 - 2)}}}),
    ("cloudformation", "CreateStack", {"StackName": "Mail-2", "TemplateBody": "x" * 51200}),
]
# One value for each kind of constraint, and each protocol.
MODELS: dict[str, Case] = {
    "required, json": ("dynamodb", "GetItem", {"TableName": "table"}, "ValidationException"),
    "required, query": ("iam", "GetRole", {}, "ValidationError"),
    "required, rest-json": ("sesv2", "SendEmail", {}, "BadRequestException"),
    "required, rest-xml": (
        "s3",
        "PutObjectTagging",
        {"Bucket": "mail", "Key": "k", "Tagging": {"TagSet": [{"Key": "k"}]}},
        "InvalidArgument",
    ),
    "required, sqs": ("sqs", "SendMessage", {"QueueUrl": QUEUE}, "MissingParameter"),
    "enum, json": (
        "dynamodb",
        "GetItem",
        {"TableName": "table", "Key": {}, "ReturnConsumedCapacity": "ALL"},
        "ValidationException",
    ),
    "enum, query": ("ses", "CreateReceiptRule", rule(TlsPolicy="Never"), "ValidationError"),
    "enum, rest-json": ("lambda", "CreateFunction", function(Runtime="python3"), "ValidationException"),
    "enum, rest-xml": ("s3", "PutObject", {"Bucket": "mail", "Key": "k", "ACL": "all"}, "InvalidArgument"),
    "pattern, json": ("logs", "CreateLogGroup", {"logGroupName": "a b"}, "InvalidParameterException"),
    "pattern, query": ("iam", "GetRole", {"RoleName": "a b"}, "ValidationError"),
    "pattern, rest-json": ("lambda", "GetFunction", {"FunctionName": "a b"}, "ValidationException"),
    "length, json": (
        "stepfunctions",
        "StartExecution",
        {"stateMachineArn": MACHINE, "name": "n" * 81},
        "ValidationException",
    ),
    "length, query": ("iam", "GetRole", {"RoleName": "r" * 65}, "ValidationError"),
    "length, cloudwatch": ("cloudwatch", "DescribeAlarms", {"AlarmNamePrefix": "a" * 256}, "ValidationError"),
    "range, rest-json": ("lambda", "CreateFunction", function(MemorySize=127), "ValidationException"),
    "range, json": (
        "stepfunctions",
        "ListExecutions",
        {"stateMachineArn": MACHINE, "maxResults": 1001},
        "ValidationException",
    ),
    "length of a list": (
        "cloudwatch",
        "DescribeAlarms",
        {"AlarmNames": [f"{number}" for number in range(101)]},
        "ValidationError",
    ),
    "pattern of a key": (
        "lambda",
        "CreateFunction",
        function(Environment={"Variables": {"2A": "x"}}),
        "ValidationException",
    ),
}


@pytest.mark.parametrize(
    ("broken", "case"),
    [(broken, case) for broken, cases in DOCUMENTED.items() for case in cases],
    ids=lambda value: value.__name__ if callable(value) else value[1],
)
def test_a_call_that_breaks_a_documented_rule_is_refused_by_awss_name(broken: Callable[..., Any], case: Case) -> None:
    service, operation, parameters, code = case
    assert refused(service, operation, parameters) == code


def test_every_documented_rule_has_a_bad_value_here_and_a_page() -> None:
    assert {rule.broken for rule in documented.RULES} == DOCUMENTED.keys()
    assert all(rule.page.startswith("https://docs.aws.amazon.com/") for rule in documented.RULES)
    operations = {name for rule in documented.RULES for name in rule.operations}
    for service, operation in (name.split(":") for name in operations):
        model = wire.service_model(service)
        assert model is not None
        assert operation in model.operation_names


@pytest.mark.parametrize("case", MODELS.values(), ids=MODELS)
def test_a_call_that_breaks_its_services_model_is_refused_by_awss_name(case: Case) -> None:
    service, operation, parameters, code = case
    assert refused(service, operation, parameters) == code


@pytest.mark.parametrize("case", ALLOWED, ids=lambda case: case[1])
def test_a_call_at_the_limit_is_accepted(case: tuple[str, str, dict[str, Any]]) -> None:
    assert refused(*case) is None


JSON = [("content-type", "application/x-amz-json-1.0"), ("x-amz-target", "DynamoDB_20120810.GetItem")]


@pytest.mark.parametrize("body", [b'{"TableName": 5, "Key": {}}', b'{"TableName": ["table"], "Key": {}}', b"[]", b"{"])
def test_a_body_of_the_wrong_type_is_refused(body: bytes) -> None:
    answer = layer.refusal("dynamodb", Request("POST", "/", "", JSON), body)
    assert answer is not None
    assert answer[0] == 400
    assert b"SerializationException" in answer[2]


def test_a_form_and_an_xml_document_that_cannot_be_read_are_refused() -> None:
    form = [("content-type", "application/x-www-form-urlencoded")]
    listed = b"Action=ListStackResources&StackName=a"
    assert layer.refusal("cloudformation", Request("POST", "/", "", form), listed) is None
    rule = b"Action=UpdateStack&StackName=a&RollbackConfiguration.MonitoringTimeInMinutes=soon"
    answer = layer.refusal("cloudformation", Request("POST", "/", "", form), rule)
    assert answer is not None
    assert b"<Code>MalformedInput</Code>" in answer[2]
    answer = layer.refusal("s3", Request("PUT", "/mail/k", "tagging", []), b"<Tagging>")
    assert answer is not None
    assert b"<Code>MalformedXML</Code>" in answer[2]


def test_a_bucket_in_the_host_is_the_bucket_of_the_call() -> None:
    call = wire.read("s3", Request("PUT", "/k", "", []), b"x", "mail")
    assert call is not None
    assert (call.operation.name, call.parameters["Bucket"], call.parameters["Key"]) == ("PutObject", "mail", "k")


def test_every_pattern_of_the_services_that_we_use_can_be_checked() -> None:
    services = ("s3", "sqs", "sns", "ses", "sesv2", "lambda", "states", "dynamodb", "cloudformation", "iam", "sts")
    for service in (*services, "logs", "events", "monitoring", "secretsmanager", "kms", "ssm"):
        model = wire.service_model(service)
        assert model is not None
        for name in model.shape_names:
            if pattern := model.shape_for(name).metadata.get("pattern"):
                assert shapes.compiled(pattern)


def test_a_refusal_shows_no_secret_value() -> None:
    model = wire.service_model("secretsmanager")
    assert model is not None
    shape = model.operation_model("PutSecretValue").input_shape
    [found] = shapes.violations(shape, {"SecretId": "s", "SecretString": "secret " * 10000})
    assert "secret " not in str(found)


RESOURCES: list[tuple[str, dict[str, Any], str]] = [
    ("AWS::Logs::LogGroup", {"LogGroupName": "l", "RetentionInDays": "31"}, "#/RetentionInDays"),
    ("AWS::IAM::Role", {"RoleName": "a b", "AssumeRolePolicyDocument": {}}, "#/RoleName"),
    ("AWS::IAM::Role", {"RoleName": "r" * 65, "AssumeRolePolicyDocument": {}}, "#/RoleName"),
    ("AWS::IAM::Role", {}, "AssumeRolePolicyDocument"),
    ("AWS::IAM::Role", {"AssumeRolePolicyDocument": {}, "Tags": [{"Key": "k", "Value": "a;b"}]}, "#/Tags/0/Value"),
    ("AWS::SQS::Queue", {"QueueName": "q" * 81}, "1 to 80"),
    ("AWS::SQS::Queue", {"VisibilityTimeoutSeconds": 1}, "VisibilityTimeoutSeconds"),
    ("AWS::S3::Bucket", {"BucketName": "Staging-2-mail"}, "#/BucketName"),
    ("AWS::S3::Bucket", {"BucketName": "192.168.5.4"}, "not valid"),
    ("AWS::SNS::Topic", {"TopicName": "a b"}, "Topic Name"),
    ("AWS::Lambda::Function", function(MemorySize="127"), "#/MemorySize"),
    ("AWS::Lambda::Function", function(Environment={"Variables": {"AB": "x" * 4095}}), "4KB"),
]


@pytest.mark.parametrize(("kind", "properties", "words"), RESOURCES)
def test_cloudformation_refuses_a_resource_whose_resolved_properties_break_a_rule(
    kind: str, properties: dict[str, Any], words: str
) -> None:
    with pytest.raises((templates.InvalidProperties, Refused), match=re.escape(words)):
        templates.check(kind, "Resource", _without_code(properties))


def test_cloudformation_converts_numbers_and_flags_that_are_text() -> None:
    templates.check("AWS::Logs::LogGroup", "Logs", {"RetentionInDays": "30"})
    templates.check("AWS::SQS::Queue", "Queue", {"VisibilityTimeout": "30", "FifoQueue": "true"})
    templates.check("AWS::Lambda::Function", "Function", _without_code(function(MemorySize="128")))
    templates.check("AWS::S3::Bucket", "Bucket", {})
    # The pattern of a tag is Java's: \p{L} has every letter.
    templates.check("AWS::IAM::Role", "Role", {"AssumeRolePolicyDocument": {}, "Tags": [{"Key": "k", "Value": "ü"}]})


def _without_code(properties: dict[str, Any]) -> dict[str, Any]:
    """In a template, the code is in S3."""
    code = {"Code": {"S3Bucket": "code", "S3Key": "k"}} if "Code" in properties else {}
    return {name: value for name, value in properties.items() if name != "FunctionName"} | code


CALLS: list[tuple[str, dict[str, Any], str | None]] = [
    ("sns:publish", {"TopicArn": TOPIC, "Subject": "s" * 100, "Message": {"a": 1}}, "SNS.InvalidParameter"),
    ("sns:publish", {"TopicArn": TOPIC, "Subject": "s" * 99, "Message": {"a": 1}}, None),
    ("sqs:sendMessage.waitForTaskToken", message(MessageGroupId="g" * 129), "SQS.InvalidParameterValue"),
    ("sqs:sendMessage.waitForTaskToken", message(MessageBody={"token": "t"}, MessageGroupId="g"), None),
    (
        "aws-sdk:s3:copyObject",
        {"Bucket": "mail", "Key": "k", "CopySource": "mail/k", "Tagging": "a=%25"},
        "S3.InvalidTag",
    ),
    ("aws-sdk:s3:copyObject", {"Bucket": "mail", "Key": "k", "CopySource": "mail/k", "Tagging": "a=b"}, None),
    ("aws-sdk:s3:copyObject", {"Bucket": "mail", "Key": "k"}, "S3.InvalidArgument"),
    ("lambda:invoke", {"FunctionName": "a b", "Payload": {}}, "Lambda.ValidationException"),
    ("lambda:invoke", {"FunctionName": "f", "Payload": {"a": [1]}}, None),
]


@pytest.mark.parametrize(("resource", "arguments", "code"), CALLS)
def test_a_workflows_call_is_refused_as_the_called_service_refuses_it(
    resource: str, arguments: dict[str, Any], code: str | None
) -> None:
    if code is None:
        integrations.check(f"arn:aws:states:::{resource}", arguments)
        return
    with pytest.raises(Refused) as caught:
        integrations.check(f"arn:aws:states:::{resource}", arguments)
    assert caught.value.code == code
