"""Checks the properties of a stack's resources, after all references are resolved, as CloudFormation does.

CloudFormation's resource schemas come with cfn-lint, which sees a template only before its parameters are known. If a
resource has an operation's parameters, AWS's documented rules for that operation hold too.
"""

from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Any

import jsonschema
from jsonschema.exceptions import ValidationError, best_match
from jsonschema.protocols import Validator

from mailstep_local.rules import documented
from mailstep_local.rules.shapes import compiled

_NAMES = {
    "AWS::Lambda::Function": ("lambda", "CreateFunction", {}),
    "AWS::S3::Bucket": ("s3", "CreateBucket", {"BucketName": "Bucket"}),
    "AWS::SNS::Topic": ("sns", "CreateTopic", {"TopicName": "Name"}),
    "AWS::SQS::Queue": ("sqs", "CreateQueue", {}),
    "AWS::StepFunctions::StateMachine": ("stepfunctions", "CreateStateMachine", {"StateMachineName": "name"}),
}
"""By resource type: the service and operation that create it, and the operation's names for properties."""
_NAME_PROPERTIES = {"BucketName", "TopicName", "QueueName", "StateMachineName"}


class InvalidProperties(ValueError):
    """CloudFormation would refuse the properties of a resource."""


def check(resource_type: str, logical_id: str, properties: Mapping[str, Any]) -> None:
    """Check a resource's properties against its type's schema and the documented rules.

    Args:
        resource_type: Such as `AWS::SQS::Queue`; a type without a published schema passes.
        logical_id: The resource's name in the template.
        properties: Its properties, without intrinsic functions.

    Raises:
        InvalidProperties: In CloudFormation's words.
        Refused: A documented rule of the operation is broken.
    """
    validator = _validator(resource_type)
    error = best_match(validator.iter_errors(properties)) if validator else None
    if error:
        path = "/".join(map(str, error.absolute_path))
        raise InvalidProperties(
            f"Properties validation failed for resource {logical_id} with message: #/{path}: {error.message[:300]}"
        )
    if resource_type in _NAMES:
        service, operation, names = _NAMES[resource_type]
        # A resource without a name gets one that CloudFormation makes.
        if not _NAME_PROPERTIES.isdisjoint(properties) or service == "lambda":
            documented.check(service, operation, {names.get(name, name): value for name, value in properties.items()})


@cache
def _validator(resource_type: str) -> Validator | None:
    # cfn-lint takes a second to import, which an account without a stack need not wait for.
    from cfnlint.schema import PROVIDER_SCHEMA_MANAGER, ResourceNotFoundError  # noqa: PLC0415

    try:
        schema = PROVIDER_SCHEMA_MANAGER.get_resource_schema("us-east-1", resource_type).schema
    except ResourceNotFoundError:
        return None
    return _Properties(schema)


def _type(validator: Validator, wanted: str | list[str], value: object, schema: Any) -> Iterator[ValidationError]:
    """CloudFormation converts a number, flag or text to the type of the property's schema."""
    types = [wanted] if isinstance(wanted, str) else wanted
    if not any(name in _FROM_TEXT and _FROM_TEXT[name](value) for name in types):
        yield from jsonschema.Draft7Validator.VALIDATORS["type"](validator, wanted, value, schema)


_FROM_TEXT: dict[str, Callable[[object], bool]] = {
    "string": lambda value: isinstance(value, bool | int | float),
    "integer": lambda value: isinstance(value, str) and value.lstrip("-").isdecimal(),
    "number": lambda value: isinstance(value, str) and value.lstrip("-").replace(".", "", 1).isdecimal(),
    "boolean": lambda value: isinstance(value, str) and value in {"true", "false"},
}


def _on_numbers(keyword: str) -> Callable[..., Iterator[ValidationError]]:
    """A keyword that holds for a number which is given as text, too."""
    check_number = jsonschema.Draft7Validator.VALIDATORS[keyword]

    def check_converted(validator: Validator, bound: Any, value: object, schema: Any) -> Iterator[ValidationError]:
        is_text = isinstance(value, str) and any(_FROM_TEXT[name](value) for name in ("integer", "number"))
        numeric = not isinstance(bound, list) or any(isinstance(each, int) for each in bound)
        yield from check_number(validator, bound, float(str(value)) if is_text and numeric else value, schema)

    return check_converted


def _pattern(_validator: Validator, pattern: str, value: object, _schema: Any) -> Iterator[ValidationError]:
    """The patterns are Java's."""
    if isinstance(value, str) and not compiled(pattern).search(value):
        yield ValidationError(f"{value[:100]!r} does not match {pattern!r}")


_Properties = jsonschema.validators.extend(
    jsonschema.Draft7Validator,
    {
        "type": _type,
        "pattern": _pattern,
        **{keyword: _on_numbers(keyword) for keyword in ("enum", "minimum", "maximum")},
    },
)
