"""AWS's own rules for calls within MiniStack's process, which pass no gate (mailstep_local/rules/)."""

import json
from collections.abc import Callable
from typing import Any

from ministack.services import lambda_svc, stepfunctions

from mailstep_local.ministack_names import Names
from mailstep_local.rules import documented, integrations, templates
from mailstep_local.rules.errors import Refused

MINISTACK = Names(
    {
        "services.cloudformation.provisioners:_provision_resource": "resource_type, logical_id, props, stack_name",
        "services.cloudformation.stacks:_provision_resource": "resource_type, logical_id, props, stack_name",
        "services.cloudformation.stacks:_update_resource": (
            "resource_type, physical_id, old_props, new_props, stack_name, logical_id, old_attrs"
        ),
        "services.lambda_svc:_execute_function_warm": "func, event, request_id",
        "services.lambda_svc:_fetch_code_from_s3": "bucket, key, version_id",
        "services.lambda_svc:error_response_json": "code, message, status, extra, message_key, content_type",
        "services.lambda_svc:handle_request": "method, path, headers, body, query_params",
        "services.stepfunctions:_ExecutionError": None,
        "services.stepfunctions:_apply_jsonata_arguments": "state_def, raw_input, ctx",
        "services.stepfunctions:_apply_jsonata_output": "state_def, raw_input, ctx, result, error_output, default",
        "services.stepfunctions:_error_matches": "error_equals, error",
        "services.stepfunctions:_invoke_resource": "resource, input_data",
    }
)

_RESPONSE_OCTETS = 6291556
"""A function's response at most, which is 6 MB and 100 octets (AWS Lambda, "Function.ResponseSizeTooLarge")."""
_ALWAYS_FATAL = {"States.DataLimitExceeded", "States.Runtime"}


def apply() -> None:
    """Patch CloudFormation, Lambda and Step Functions."""
    _check_the_properties_of_resources()
    _bound_the_code_of_a_function()
    _bound_the_response_of_a_function()
    _check_the_calls_of_a_workflow()
    _bound_the_data_of_a_workflow()
    _fail_at_once_where_states_all_does_not_catch()


def _check_the_properties_of_resources() -> None:
    """MiniStack creates a stack's resources by its own functions, so that no request is made."""
    for name in (
        "services.cloudformation.provisioners:_provision_resource",
        "services.cloudformation.stacks:_provision_resource",
    ):
        MINISTACK.replace(name, _checked_provision(MINISTACK.original(name)))
    update = MINISTACK.original("services.cloudformation.stacks:_update_resource")

    def update_checked(
        resource_type: str, physical_id: str, old_props: Any, new_props: dict[str, Any], *others: Any, **named: Any
    ) -> Any:
        if old_props != new_props:
            templates.check(resource_type, physical_id, new_props)
        return update(resource_type, physical_id, old_props, new_props, *others, **named)

    MINISTACK.replace("services.cloudformation.stacks:_update_resource", update_checked)


def _checked_provision(provision: Callable[..., Any]) -> Callable[..., Any]:
    def provision_checked(resource_type: str, logical_id: str, props: dict[str, Any], stack_name: str) -> Any:
        templates.check(resource_type, logical_id, props)
        return provision(resource_type, logical_id, props, stack_name)

    return provision_checked


def _bound_the_code_of_a_function() -> None:
    """Code from S3 has the same bound as code in the request."""
    fetch = MINISTACK.original("services.lambda_svc:_fetch_code_from_s3")

    def fetch_bounded(bucket: str, key: str, version_id: str | None = None) -> bytes | None:
        code: bytes | None = fetch(bucket, key, version_id)
        if code and documented.unpacked_octets(code) > documented.UNPACKED_OCTETS:
            raise Refused(
                "InvalidParameterValueException",
                f"Unzipped size must be smaller than {documented.UNPACKED_OCTETS} bytes",
            )
        return code

    handle = MINISTACK.original("services.lambda_svc:handle_request")

    async def handle_refused(*arguments: Any) -> Any:
        try:
            return await handle(*arguments)
        except Refused as refused:
            return lambda_svc.error_response_json(refused.code, refused.message, 400)

    MINISTACK.replace("services.lambda_svc:_fetch_code_from_s3", fetch_bounded)
    MINISTACK.replace("services.lambda_svc:handle_request", handle_refused)


def _bound_the_response_of_a_function() -> None:
    execute = MINISTACK.original("services.lambda_svc:_execute_function_warm")

    def execute_bounded(func: dict[str, Any], event: Any, request_id: str) -> dict[str, Any]:
        result: dict[str, Any] = execute(func, event, request_id)
        if not result.get("error") and _octets(result.get("body")) > _RESPONSE_OCTETS:
            message = f"Response payload size exceeded maximum allowed payload size ({_RESPONSE_OCTETS} bytes)."
            body = {"errorType": "Function.ResponseSizeTooLarge", "errorMessage": message}
            return {**result, "error": True, "body": body}
        return result

    MINISTACK.replace("services.lambda_svc:_execute_function_warm", execute_bounded)


def _check_the_calls_of_a_workflow() -> None:
    arguments = MINISTACK.original("services.stepfunctions:_apply_jsonata_arguments")

    def checked_arguments(state_def: dict[str, Any], raw_input: Any, ctx: Any = None) -> Any:
        found = arguments(state_def, raw_input, ctx)
        if state_def.get("Type") == "Task":
            try:
                integrations.check(state_def["Resource"], found)
            except Refused as refused:
                raise stepfunctions._ExecutionError(refused.code, refused.message) from refused
        return _bounded(found)

    MINISTACK.replace("services.stepfunctions:_apply_jsonata_arguments", checked_arguments)


def _bound_the_data_of_a_workflow() -> None:
    """A task's result and a state's output have the bound of a payload."""
    invoke = MINISTACK.original("services.stepfunctions:_invoke_resource")
    output = MINISTACK.original("services.stepfunctions:_apply_jsonata_output")

    def invoke_bounded(resource: str, input_data: Any) -> Any:
        return _bounded(invoke(resource, input_data))

    def output_bounded(*arguments: Any, **named: Any) -> Any:
        return _bounded(output(*arguments, **named))

    MINISTACK.replace("services.stepfunctions:_invoke_resource", invoke_bounded)
    MINISTACK.replace("services.stepfunctions:_apply_jsonata_output", output_bounded)


def _bounded(data: Any) -> Any:
    if _octets(data) > documented.STATE_OCTETS:
        raise stepfunctions._ExecutionError(
            "States.DataLimitExceeded",
            "The state/task returned a result with a size exceeding the maximum number of bytes service limit.",
        )
    return data


def _octets(data: Any) -> int:
    return len(json.dumps(data, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass"))


def _fail_at_once_where_states_all_does_not_catch() -> None:
    """Neither error is caught by States.ALL (AWS Step Functions Developer Guide, "Handling errors")."""
    matches = MINISTACK.original("services.stepfunctions:_error_matches")

    def matches_by_name(error_equals: list[str], error: str) -> bool:
        if error in _ALWAYS_FATAL:
            return error in error_equals
        found: bool = matches(error_equals, error)
        return found

    MINISTACK.replace("services.stepfunctions:_error_matches", matches_by_name)
