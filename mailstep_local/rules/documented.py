"""Rules that AWS documents and botocore's models do not say, each with its page.

Over 300 lines: one entry a rule.
"""

import io
import re
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import AddressValueError, IPv4Address
from typing import Any
from urllib.parse import parse_qsl

import regex

from mailstep_local.rules.errors import Refused

DOCS = "https://docs.aws.amazon.com/"
KB, MB = 1024, 1024 * 1024
SYNCHRONOUS_OCTETS = 6 * MB
"""Octets of a request to a function and of its response (AWS Lambda Developer Guide, "Lambda quotas")."""
STATE_OCTETS = 256 * KB
"""Octets of the input or output of a task, state or execution, as UTF-8 (Step Functions, "Service quotas")."""

Parameters = Mapping[str, Any]


@dataclass(frozen=True)
class Rule:
    """A documented rule.

    Args:
        code: AWS's name for the error.
        page: The page of AWS's documents that has the rule.
        operations: The operations that it holds for, each as `service:Operation`.
        broken: Yields what is wrong with the parameters, in AWS's words where they are known.
    """

    code: str
    page: str
    operations: frozenset[str]
    broken: Callable[[Parameters], Iterator[str]]


RULES: list[Rule] = []


def check(service: str, operation: str, parameters: Parameters) -> None:
    """Check a call against each rule for its operation.

    Raises:
        Refused: With the code and text of the first rule that it breaks.
    """
    for rule in RULES:
        if f"{service}:{operation}" in rule.operations:
            for message in rule.broken(parameters):
                raise Refused(rule.code, message)


def _rule(code: str, page: str, *operations: str) -> Callable[[Callable[[Parameters], Iterator[str]]], Any]:
    def add(broken: Callable[[Parameters], Iterator[str]]) -> Callable[[Parameters], Iterator[str]]:
        RULES.append(Rule(code, f"{DOCS}{page}", frozenset(operations), broken))
        return broken

    return add


def _octets(text: str | bytes | None) -> int:
    return len(text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text or b"")


# Amazon S3


@_rule("InvalidBucketName", "AmazonS3/latest/userguide/bucketnamingrules.html", "s3:CreateBucket")
def bucket_name(parameters: Parameters) -> Iterator[str]:
    """3 to 63 lower-case letters, digits, dots and hyphens; no address, no reserved prefix or suffix."""
    name = parameters.get("Bucket") or ""
    is_formed = re.fullmatch(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", name) and ".." not in name
    is_reserved = name.startswith(("xn--", "sthree-", "amzn-s3-demo-")) or name.endswith(
        ("-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3")
    )
    if not is_formed or is_reserved or _is_address(name):
        yield "The specified bucket is not valid."


def _is_address(name: str) -> bool:
    try:
        IPv4Address(name)
    except AddressValueError:
        return False
    return True


_WITH_KEY = ("PutObject", "CopyObject", "GetObject", "HeadObject", "CreateMultipartUpload", "PutObjectTagging")


@_rule("KeyTooLongError", "AmazonS3/latest/userguide/object-keys.html", *(f"s3:{name}" for name in _WITH_KEY))
def object_key(parameters: Parameters) -> Iterator[str]:
    """At most 1,024 octets of UTF-8."""
    if _octets(parameters.get("Key")) > 1024:
        yield "Your key is too long"


@_rule("MetadataTooLarge", "AmazonS3/latest/userguide/UsingMetadata.html", "s3:PutObject", "s3:CopyObject")
def object_metadata(parameters: Parameters) -> Iterator[str]:
    """At most 2 KB of user-defined metadata, names and values together."""
    if sum(_octets(name) + _octets(value) for name, value in (parameters.get("Metadata") or {}).items()) > 2 * KB:
        yield "Your metadata headers exceed the maximum allowed metadata size"


# Letters, digits, spaces and + - = . _ : / @
_TAG = regex.compile(r"[\p{L}\p{Z}\p{N}_.:/=+\-@]*")


@_rule(
    "InvalidTag",
    "AmazonS3/latest/userguide/object-tagging.html",
    "s3:PutObject",
    "s3:CopyObject",
    "s3:CreateMultipartUpload",
    "s3:PutObjectTagging",
)
def object_tags(parameters: Parameters) -> Iterator[str]:
    """At most 10 tags; keys of 1 to 128 characters, each once; values of at most 256; of the allowed characters."""
    tags = _tags(parameters)
    if len(tags) > 10:
        yield "Object tags cannot be greater than 10"
    if len({key for key, _ in tags}) < len(tags):
        yield "Cannot provide multiple Tags with the same key"
    for key, value in tags:
        if not 1 <= len(key) <= 128 or not _TAG.fullmatch(key) or key.lower().startswith("aws:"):
            yield "The TagKey you have provided is invalid"
        if len(value) > 256 or not _TAG.fullmatch(value):
            yield "The TagValue you have provided is invalid"


def _tags(parameters: Parameters) -> list[tuple[str, str]]:
    given = parameters.get("Tagging") or ""
    if isinstance(given, str):
        return parse_qsl(given, keep_blank_values=True)
    return [(tag.get("Key", ""), tag.get("Value", "")) for tag in given.get("TagSet") or []]


# Amazon SES


@_rule("InvalidParameterValue", "ses/latest/APIReference/API_CreateReceiptRuleSet.html", "ses:CreateReceiptRuleSet")
def rule_set_name(parameters: Parameters) -> Iterator[str]:
    """1 to 64 letters, digits, underscores and dashes, with a letter or digit at both ends."""
    if not re.fullmatch(r"[A-Za-z0-9]([A-Za-z0-9_-]{0,62}[A-Za-z0-9])?", parameters.get("RuleSetName") or ""):
        yield f"Invalid rule set name: {parameters.get('RuleSetName')}"


_RULE = ("ses:CreateReceiptRule", "ses:UpdateReceiptRule")


@_rule("InvalidParameterValue", "ses/latest/APIReference/API_ReceiptRule.html", *_RULE)
def rule_name(parameters: Parameters) -> Iterator[str]:
    """1 to 64 letters, digits, underscores, dashes and periods, with a letter or digit at both ends."""
    name = (parameters.get("Rule") or {}).get("Name") or ""
    if not re.fullmatch(r"[A-Za-z0-9]([A-Za-z0-9_.-]{0,62}[A-Za-z0-9])?", name):
        yield f"Invalid rule name: {name}"


@_rule("LimitExceeded", "ses/latest/dg/quotas.html", *_RULE)
def rule_size(parameters: Parameters) -> Iterator[str]:
    """At most 500 recipients and 10 actions a rule ("Email receiving quotas")."""
    rule = parameters.get("Rule") or {}
    if len(rule.get("Recipients") or []) > 500:
        yield "A receipt rule may have at most 500 recipients"
    if len(rule.get("Actions") or []) > 10:
        yield "A receipt rule may have at most 10 actions"


_ADDRESSES = ("ToAddresses", "CcAddresses", "BccAddresses")


@_rule("InvalidParameterValue", "ses/latest/APIReference/API_SendEmail.html", "ses:SendEmail", "ses:SendRawEmail")
def recipients(parameters: Parameters) -> Iterator[str]:
    """At most 50 recipients a message."""
    named = parameters.get("Destinations") or _recipients(parameters)
    if len(named) > 50:
        yield "Recipient count exceeds 50."


@_rule("BadRequestException", "ses/latest/dg/quotas.html", "sesv2:SendEmail")
def recipients_of_version_2(parameters: Parameters) -> Iterator[str]:
    """At most 50 recipients a message."""
    if len(_recipients(parameters)) > 50:
        yield "Recipient count exceeds 50."


def _recipients(parameters: Parameters) -> list[str]:
    destination = parameters.get("Destination") or {}
    return [address for kind in _ADDRESSES for address in destination.get(kind) or []]


@_rule("BadRequestException", "ses/latest/dg/quotas.html", "sesv2:SendEmail")
def message_size(parameters: Parameters) -> Iterator[str]:
    """At most 40 MB a message; API version 2 and SMTP ("Message quotas")."""
    if len(_raw(parameters)) > 40 * MB:
        yield f"Message length is more than {40 * MB} bytes long: '{len(_raw(parameters))}'."


@_rule("BadRequestException", "ses/latest/APIReference-V2/API_RawMessage.html", "sesv2:SendEmail")
def message_lines(parameters: Parameters) -> Iterator[str]:
    """At most 1,000 octets a line with its CRLF (RFC 5321, 4.5.3.1.6)."""
    if any(len(line) > 998 for line in _raw(parameters).splitlines()):
        yield "The length of individual lines within the message content must not exceed 1,000 characters."


def _raw(parameters: Parameters) -> bytes:
    data = ((parameters.get("Content") or {}).get("Raw") or {}).get("Data") or b""
    return data if isinstance(data, bytes) else b""


@_rule("BadRequestException", "ses/latest/APIReference-V2/API_MessageTag.html", "sesv2:SendEmail")
def message_tags(parameters: Parameters) -> Iterator[str]:
    """Names and values of 1 to 256 letters, digits, underscores and dashes."""
    for tag in parameters.get("EmailTags") or []:
        for name in ("Name", "Value"):
            if not re.fullmatch(r"[A-Za-z0-9_-]{1,256}", tag.get(name) or ""):
                yield f"Invalid tag {name.lower()} {tag.get(name)!r}"


# Amazon SNS


@_rule("InvalidParameter", "sns/latest/api/API_Publish.html", "sns:Publish")
def subject(parameters: Parameters) -> Iterator[str]:
    """Fewer than 100 characters; the first is a letter, number or punctuation; no line breaks or control characters."""
    given = parameters.get("Subject")
    if given is not None and not re.fullmatch(r"[^\s\x00-\x1f\x7f-\x9f][^\x00-\x1f\x7f-\x9f]{0,98}", given):
        yield "Invalid parameter: Subject"


@_rule("InvalidParameter", "sns/latest/api/API_Publish.html", "sns:Publish")
def notification(parameters: Parameters) -> Iterator[str]:
    """At most 256 KB of UTF-8, and not empty."""
    if _octets(parameters.get("Message")) > 256 * KB:
        yield "Invalid parameter: Message too long"
    if parameters.get("Message") == "":
        yield "Invalid parameter: Empty message"


@_rule("InvalidParameter", "sns/latest/api/API_CreateTopic.html", "sns:CreateTopic")
def topic_name(parameters: Parameters) -> Iterator[str]:
    """1 to 256 letters, digits, underscores and hyphens; a FIFO topic's ends with `.fifo`."""
    name = parameters.get("Name") or ""
    if len(name) > 256 or not re.fullmatch(r"[A-Za-z0-9_-]+(\.fifo)?", name):
        yield "Invalid parameter: Topic Name"


# Amazon SQS


@_rule("InvalidParameterValue", "AWSSimpleQueueService/latest/APIReference/API_CreateQueue.html", "sqs:CreateQueue")
def queue_name(parameters: Parameters) -> Iterator[str]:
    """1 to 80 letters, digits, hyphens and underscores; a FIFO queue's ends with `.fifo`."""
    name = parameters.get("QueueName") or ""
    if len(name) > 80 or not re.fullmatch(r"[A-Za-z0-9_-]+(\.fifo)?", name):
        yield "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length"


_SENDING = ("sqs:SendMessage", "sqs:SendMessageBatch")
_GROUP = re.compile(r"[!-~]{1,128}")


def _messages(parameters: Parameters) -> Sequence[Parameters]:
    entries: Sequence[Parameters] = parameters.get("Entries", [parameters])
    return entries


@_rule("InvalidParameterValue", "AWSSimpleQueueService/latest/APIReference/API_SendMessage.html", *_SENDING)
def deduplication_and_group(parameters: Parameters) -> Iterator[str]:
    """MessageDeduplicationId and MessageGroupId: 1 to 128 letters, digits and ASCII punctuation."""
    for message in _messages(parameters):
        for name in ("MessageDeduplicationId", "MessageGroupId"):
            if message.get(name) is not None and not _GROUP.fullmatch(message[name]):
                yield (
                    f"Value {message[name]} for parameter {name} is invalid. Reason: {name} can only include "
                    "alphanumeric and punctuation characters. 1 to 128 in length."
                )


_UNICODE_OF_XML = re.compile("[\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]*")


@_rule("InvalidMessageContents", "AWSSimpleQueueService/latest/APIReference/API_SendMessage.html", *_SENDING)
def message_characters(parameters: Parameters) -> Iterator[str]:
    """The characters of XML 1.0, and at least one."""
    for message in _messages(parameters):
        body = message.get("MessageBody")
        if body is not None and not (body and _UNICODE_OF_XML.fullmatch(body)):
            yield "The message contains characters outside the allowed set."


@_rule("InvalidParameterValue", "AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html", *_SENDING)
def queue_message_size(parameters: Parameters) -> Iterator[str]:
    """At most 1 MiB, the messages of a batch together, bodies and attributes."""
    size = sum(_octets(message.get("MessageBody")) + _attributes(message) for message in _messages(parameters))
    if size > MB:
        yield f"One or more parameters are invalid. Reason: Message must be shorter than {MB} bytes."


def _attributes(message: Parameters) -> int:
    attributes = message.get("MessageAttributes") or {}
    return sum(
        _octets(name) + _octets(value.get("DataType")) + _octets(value.get("StringValue") or value.get("BinaryValue"))
        for name, value in attributes.items()
    )


@_rule(
    "InvalidParameterValue",
    "AWSSimpleQueueService/latest/APIReference/API_ReceiveMessage.html",
    "sqs:ReceiveMessage",
    "sqs:ChangeMessageVisibility",
    *_SENDING,
)
def queue_ranges(parameters: Parameters) -> Iterator[str]:
    """Seconds and counts in their ranges (also API_SendMessage and API_ChangeMessageVisibility)."""
    most = {"MaxNumberOfMessages": 10, "WaitTimeSeconds": 20, "VisibilityTimeout": 43200, "DelaySeconds": 900}
    for message in _messages(parameters):
        for name, maximum in most.items():
            value = message.get(name)
            if value is not None and not (name == "MaxNumberOfMessages") <= value <= maximum:
                yield f"Value {value} for parameter {name} is invalid. Reason: Must be at most {maximum}."


_BATCHES = ("sqs:SendMessageBatch", "sqs:DeleteMessageBatch", "sqs:ChangeMessageVisibilityBatch")
_BATCH_PAGE = "AWSSimpleQueueService/latest/APIReference/API_SendMessageBatch.html"


@_rule("AWS.SimpleQueueService.TooManyEntriesInBatchRequest", _BATCH_PAGE, *_BATCHES)
def batch_size(parameters: Parameters) -> Iterator[str]:
    """At most 10 entries."""
    if len(parameters.get("Entries") or []) > 10:
        yield f"Maximum number of entries per request are 10. You have sent {len(parameters['Entries'])}."


@_rule("AWS.SimpleQueueService.EmptyBatchRequest", _BATCH_PAGE, *_BATCHES)
def batch_is_not_empty(parameters: Parameters) -> Iterator[str]:
    """At least one entry."""
    if not parameters.get("Entries"):
        yield "There should be at least one entry in the request."


@_rule("AWS.SimpleQueueService.BatchEntryIdsNotDistinct", _BATCH_PAGE, *_BATCHES)
def batch_ids(parameters: Parameters) -> Iterator[str]:
    """Each entry's Id once."""
    ids = [entry.get("Id") for entry in parameters.get("Entries") or []]
    if len(set(ids)) < len(ids):
        yield "Two or more batch entries in the request have the same Id."


# AWS Step Functions

_NOT_IN_A_NAME = re.compile(
    r"""[\s<>{}\[\]?*"#%\\^|~`$&,;:/\x00-\x1f\x7f-\x9f\ufffe\uffff\ud800-\udfff\U00010000-\U0010ffff]"""
)


@_rule("InvalidName", "step-functions/latest/apireference/API_StartExecution.html", "stepfunctions:StartExecution")
def execution_name(parameters: Parameters) -> Iterator[str]:
    """No white space, brackets, wildcards, special or control characters; its length is in the model."""
    if _NOT_IN_A_NAME.search(parameters.get("name") or ""):
        yield f"Invalid Name: '{parameters['name']}'"


@_rule(
    "InvalidName", "step-functions/latest/apireference/API_CreateStateMachine.html", "stepfunctions:CreateStateMachine"
)
def state_machine_name(parameters: Parameters) -> Iterator[str]:
    """As an execution's."""
    yield from execution_name(parameters)


_QUOTAS = "step-functions/latest/dg/service-quotas.html"


@_rule("InvalidExecutionInput", _QUOTAS, "stepfunctions:StartExecution")
def execution_input(parameters: Parameters) -> Iterator[str]:
    """At most 256 KiB of UTF-8; the model counts characters."""
    if _octets(parameters.get("input")) > STATE_OCTETS:
        yield f"Input size exceeds the maximum of {STATE_OCTETS} bytes"


@_rule("InvalidOutput", _QUOTAS, "stepfunctions:SendTaskSuccess")
def task_output(parameters: Parameters) -> Iterator[str]:
    """At most 256 KiB of UTF-8; the model counts characters."""
    if _octets(parameters.get("output")) > STATE_OCTETS:
        yield f"Output size exceeds the maximum of {STATE_OCTETS} bytes"


# AWS Lambda

_FUNCTION = ("lambda:CreateFunction", "lambda:UpdateFunctionConfiguration")
_LAMBDA_QUOTAS = "lambda/latest/dg/gettingstarted-limits.html"
# With those of "Reserved environment variables" that a function cannot set.
_RESERVED = re.compile(
    r"_HANDLER|_X_AMZN_TRACE_ID|AWS_(DEFAULT_REGION|REGION|EXECUTION_ENV|LAMBDA_FUNCTION_(NAME|MEMORY_SIZE|VERSION)"
    r"|LAMBDA_INITIALIZATION_TYPE|LAMBDA_LOG_(GROUP|STREAM)_NAME|ACCESS_KEY|ACCESS_KEY_ID|SECRET_ACCESS_KEY"
    r"|SESSION_TOKEN|LAMBDA_RUNTIME_API)|LAMBDA_TASK_ROOT|LAMBDA_RUNTIME_DIR"
)


def _variables(parameters: Parameters) -> Mapping[str, str]:
    return (parameters.get("Environment") or {}).get("Variables") or {}


@_rule("InvalidParameterValueException", _LAMBDA_QUOTAS, *_FUNCTION)
def function_environment(parameters: Parameters) -> Iterator[str]:
    """At most 4 KB of variables, names and values together."""
    if sum(_octets(name) + _octets(str(value)) for name, value in _variables(parameters).items()) > 4 * KB:
        yield (
            "Lambda was unable to configure your environment variables because the environment variables you have "
            "provided exceeded the 4KB limit."
        )


@_rule("InvalidParameterValueException", "lambda/latest/dg/configuration-envvars.html", *_FUNCTION)
def function_variables(parameters: Parameters) -> Iterator[str]:
    """No variable that Lambda itself sets."""
    for name in _variables(parameters):
        if _RESERVED.fullmatch(name):
            yield (
                "Lambda was unable to configure your environment variables because the environment variables you have "
                f"provided contains reserved keys that are currently not supported for modification. Reserved keys "
                f"used in this request: {name}"
            )


@_rule("InvalidParameterValueException", _LAMBDA_QUOTAS, "lambda:CreateFunction", "lambda:UpdateFunctionCode")
def unpacked_code(parameters: Parameters) -> Iterator[str]:
    """At most 250 MB unpacked."""
    archive = parameters.get("ZipFile") or (parameters.get("Code") or {}).get("ZipFile")
    if isinstance(archive, bytes) and unpacked_octets(archive) > UNPACKED_OCTETS:
        yield f"Unzipped size must be smaller than {UNPACKED_OCTETS} bytes"


UNPACKED_OCTETS = 250 * MB


def unpacked_octets(archive: bytes) -> int:
    """The size of an archive's files, by its directory; 0 if it is not an archive, which Lambda itself refuses."""
    try:
        with zipfile.ZipFile(io.BytesIO(archive)) as opened:
            return sum(entry.file_size for entry in opened.infolist())
    except zipfile.BadZipFile:
        return 0


@_rule("RequestTooLargeException", _LAMBDA_QUOTAS, "lambda:Invoke")
def payload(parameters: Parameters) -> Iterator[str]:
    """At most 6 MB for a synchronous call, and 1 MB for an asynchronous one."""
    most = MB if parameters.get("InvocationType") == "Event" else SYNCHRONOUS_OCTETS
    if _octets(parameters.get("Payload")) > most:
        yield f"Request must be smaller than {most} bytes for the Invoke operation"


# Amazon DynamoDB


@_rule("ValidationException", "amazondynamodb/latest/developerguide/Constraints.html", "dynamodb:PutItem")
def item_size(parameters: Parameters) -> Iterator[str]:
    """At most 400 KB an item, names and values together."""
    if sum(_octets(name) + _value(value) for name, value in (parameters.get("Item") or {}).items()) > 400 * KB:
        yield "Item size has exceeded the maximum allowed size"


def _value(value: Any) -> int:
    """Octets of an attribute; close below what DynamoDB counts, which adds some for each nested value."""
    if isinstance(value, str | bytes):
        return _octets(value)
    if isinstance(value, Mapping):
        return sum(_value(inner) + (_octets(key) if len(value) > 1 else 0) for key, inner in value.items())
    return sum(map(_value, value)) if isinstance(value, list) else 1


# AWS CloudFormation

_STACK = ("cloudformation:CreateStack", "cloudformation:UpdateStack", "cloudformation:CreateChangeSet")
_CREATE_STACK = "AWSCloudFormation/latest/APIReference/API_CreateStack.html"


@_rule("ValidationError", _CREATE_STACK, *_STACK)
def template_size(parameters: Parameters) -> Iterator[str]:
    """At most 51,200 octets of a template in the request; a larger one must be in S3."""
    if _octets(parameters.get("TemplateBody")) > 51200:
        yield "Member must have length less than or equal to 51200 (templateBody)"


@_rule("ValidationError", _CREATE_STACK, "cloudformation:CreateStack", "cloudformation:CreateChangeSet")
def stack_name(parameters: Parameters) -> Iterator[str]:
    """1 to 128 letters, digits and hyphens, beginning with a letter; the ARN of an existing stack counts too."""
    name = parameters.get("StackName") or ""
    if not name.startswith("arn:") and not re.fullmatch(r"[a-zA-Z][-a-zA-Z0-9]{0,127}", name):
        yield f"Stack name '{name}' must satisfy regular expression pattern: [a-zA-Z][-a-zA-Z0-9]*"
