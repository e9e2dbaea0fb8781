"""How a workflow runs: its role, its retries, its timeouts and its calls of other services, as on AWS."""

import random
import threading
from typing import Any

from ministack.services import stepfunctions

from mailstep_local import workflow_role
from mailstep_local.ministack_names import IncompatibleMiniStack, Names

MINISTACK = Names(
    {
        "services.lambda_svc:_throttle_response": "reason_code, msg, retry_after",
        "services.stepfunctions:_ExecutionError": None,
        "services.stepfunctions:_REST_XML_OP_SPECS": None,
        "services.stepfunctions:_apply_jsonata_arguments": "state_def, raw_input, ctx",
        "services.stepfunctions:_execution_sort_key": "execution",
        "services.stepfunctions:_executions": None,
        "services.stepfunctions:_find_matching_retrier": "retriers, error, retry_counts",
        "services.stepfunctions:_invoke_with_callback": "resource, input_data, token, state_def",
        "services.stepfunctions:_jsonata_state_field": "state_def, field, expected, raw_input, ctx",
        "services.stepfunctions:_resolve_state_machine_arn": "arn",
        "services.stepfunctions:_start_execution": "data",
        "services.stepfunctions:_state_machines": None,
        "services.stepfunctions:json_response": "data, status, content_type",
    }
)


def apply() -> None:
    """Patch the interpreter of workflows. The order matters: a task's role is asked about the evaluated arguments."""
    _pass_on_the_tagging_of_a_copy()
    _name_a_throttle_as_step_functions_does()
    _evaluate_the_timeout_of_a_callback()
    _enforce_the_role_of_a_state_machine()
    _wait_between_retries_as_declared()
    _list_executions_by_their_start()
    _start_the_same_execution_twice()


def _pass_on_the_tagging_of_a_copy() -> None:
    """MiniStack's `aws-sdk:s3:copyObject` knows TaggingDirective, but not Tagging: a copy would lose its tags."""
    members = stepfunctions._REST_XML_OP_SPECS.get("s3", {}).get("CopyObject", {}).get("header_params")
    if members is None or "TaggingDirective" not in members:
        raise IncompatibleMiniStack("MiniStack's services.stepfunctions:_REST_XML_OP_SPECS has no CopyObject like ours")
    members.setdefault("Tagging", "x-amz-tagging")


def _name_a_throttle_as_step_functions_does() -> None:
    """A throttled function is `Lambda.TooManyRequestsException` to a workflow; MiniStack calls it `Lambda.Unknown`.

    (AWS Step Functions Developer Guide, "Handle transient Lambda service exceptions".)
    """
    throttle = MINISTACK.original("services.lambda_svc:_throttle_response")

    def named_throttle(reason_code: str, msg: str, retry_after: int = 1) -> dict[str, Any]:
        response: dict[str, Any] = throttle(reason_code, msg, retry_after)
        response["body"]["errorType"] = "Lambda.TooManyRequestsException"
        return response

    MINISTACK.replace("services.lambda_svc:_throttle_response", named_throttle)


def _evaluate_the_timeout_of_a_callback() -> None:
    """TimeoutSeconds may be a JSONata expression (Amazon States Language, "Task"); MiniStack takes numbers only."""
    arguments = MINISTACK.original("services.stepfunctions:_apply_jsonata_arguments")
    call_back = MINISTACK.original("services.stepfunctions:_invoke_with_callback")
    attempt = threading.local()

    def arguments_and_timeout(state_def: dict[str, Any], raw_input: Any, ctx: Any = None) -> Any:
        if isinstance(state_def.get("TimeoutSeconds"), str):
            attempt.timeout = stepfunctions._jsonata_state_field(state_def, "TimeoutSeconds", "number", raw_input, ctx)
        return arguments(state_def, raw_input, ctx)

    def call_back_in_time(resource: str, input_data: Any, token: str, state_def: dict[str, Any]) -> Any:
        if isinstance(state_def.get("TimeoutSeconds"), str):
            state_def = {**state_def, "TimeoutSeconds": attempt.timeout}
        return call_back(resource, input_data, token, state_def)

    MINISTACK.replace("services.stepfunctions:_apply_jsonata_arguments", arguments_and_timeout)
    MINISTACK.replace("services.stepfunctions:_invoke_with_callback", call_back_in_time)


def _enforce_the_role_of_a_state_machine() -> None:
    """A task needs its workflow's role to allow it; MiniStack calls as root (mailstep_local/workflow_role.py)."""
    arguments = MINISTACK.original("services.stepfunctions:_apply_jsonata_arguments")

    def allowed_arguments(state_def: dict[str, Any], raw_input: Any, ctx: Any = None) -> Any:
        found = arguments(state_def, raw_input, ctx)
        machine = stepfunctions._state_machines.get((ctx or {}).get("StateMachine", {}).get("Id", ""))
        if state_def.get("Type") == "Task" and machine:
            lacking = workflow_role.missing(machine["roleArn"], state_def["Resource"], found)
            if lacking:
                raise stepfunctions._ExecutionError(
                    "States.Permissions", f"{machine['roleArn']} is not authorized to perform: {lacking}"
                )
        return found

    MINISTACK.replace("services.stepfunctions:_apply_jsonata_arguments", allowed_arguments)


def _wait_between_retries_as_declared() -> None:
    """MiniStack ignores MaxDelaySeconds and JitterStrategy (Amazon States Language, "Errors", Retry)."""
    find = MINISTACK.original("services.stepfunctions:_find_matching_retrier")

    def find_with_delay(retriers: list[dict[str, Any]], error: str, retry_counts: dict[int, int]) -> tuple[Any, int]:
        retrier, index = find(retriers, error, retry_counts)
        if retrier is None:
            return None, index
        delay = retrier.get("IntervalSeconds", 1) * retrier.get("BackoffRate", 2.0) ** retry_counts.get(index, 0)
        delay = min(delay, retrier.get("MaxDelaySeconds", delay))
        if retrier.get("JitterStrategy") == "FULL":
            delay *= random.random()  # noqa: S311 - it spreads tries, and is no secret
        return {**retrier, "IntervalSeconds": delay, "BackoffRate": 1.0}, index

    MINISTACK.replace("services.stepfunctions:_find_matching_retrier", find_with_delay)


def _list_executions_by_their_start() -> None:
    """ListExecutions has the execution that started last first; MiniStack sorts the ended ones by their end."""

    def by_start(execution: dict[str, Any]) -> tuple[str, str]:
        return execution["startDate"], execution["executionArn"]

    MINISTACK.replace("services.stepfunctions:_execution_sort_key", by_start)


def _start_the_same_execution_twice() -> None:
    """A call with the name and input of a running execution succeeds as the first did (API_StartExecution)."""
    start = MINISTACK.original("services.stepfunctions:_start_execution")

    def start_once(data: dict[str, Any]) -> Any:
        machine = stepfunctions._resolve_state_machine_arn(data.get("stateMachineArn", "")) or ""
        arn = f"{machine.replace(':stateMachine:', ':execution:')}:{data.get('name')}"
        running = stepfunctions._executions.get(arn)
        if running and running["status"] == "RUNNING" and running["input"] == data.get("input", "{}"):
            return stepfunctions.json_response({"executionArn": arn, "startDate": running["startDate"]})
        return start(data)

    MINISTACK.replace("services.stepfunctions:_start_execution", start_once)
