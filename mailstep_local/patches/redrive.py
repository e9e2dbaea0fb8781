"""RedriveExecution: a failed execution goes on with the state that failed, its input and its variables.

(AWS Step Functions Developer Guide, "Redriving executions".) MiniStack lacks it. Its interpreter begins at StartAt, so
a redrive runs it with a first state of our own, which takes up what was there and leads to the state that failed.
"""

import contextvars
import json
import threading
from collections.abc import Awaitable
from types import FunctionType
from typing import Any

from ministack.core.responses import now_iso
from ministack.services import stepfunctions

from mailstep_local.ministack_names import Names, Response

MINISTACK = Names(
    {
        "core.responses:now_iso": "",
        "services.eventbridge:_put_events": "data, allow_aws_source",
        "services.stepfunctions:_add_event": "execution, event_type, details",
        "services.stepfunctions:_describe_execution": "data",
        "services.stepfunctions:_emit_execution_status_event": "execution",
        "services.stepfunctions:_execute_pass": "state_def, raw_input, ctx",
        "services.stepfunctions:_execute_task": "state_def, raw_input, execution, ctx",
        "services.stepfunctions:_executions": None,
        "services.stepfunctions:_finalize_response": "response",
        "services.stepfunctions:_iso_to_epoch_ms": "iso",
        "services.stepfunctions:_run_execution": "exec_arn",
        "services.stepfunctions:_state_machines": None,
        "services.stepfunctions:error_response_json": "code, message, status, extra, message_key, content_type",
        "services.stepfunctions:handle_request": "method, path, headers, body, query_params",
        "services.stepfunctions:json_response": "data, status, content_type",
    }
)


_REDRIVE = "Redrive"
_contexts: dict[str, dict[str, Any]] = {}
"""By execution ARN: the context of an execution that has not succeeded, with its variables."""


def apply() -> None:
    """Add the operation, and what DescribeExecution says about it."""
    _keep_the_variables_of_executions()
    _say_what_can_be_redriven()
    _count_redrives_in_status_events()
    handle = MINISTACK.original("services.stepfunctions:handle_request")

    async def handle_and_redrive(
        method: str, path: str, headers: dict[str, str], body: bytes, query_params: dict[str, Any]
    ) -> Response:
        if headers.get("x-amz-target", "").endswith(".RedriveExecution"):
            answer: Response = stepfunctions._finalize_response(_redrive(json.loads(body)["executionArn"]))
            return answer
        handled: Awaitable[Response] = handle(method, path, headers, body, query_params)
        return await handled

    MINISTACK.replace("services.stepfunctions:handle_request", handle_and_redrive)


def _keep_the_variables_of_executions() -> None:
    execute = MINISTACK.original("services.stepfunctions:_execute_task")
    emit = MINISTACK.original("services.stepfunctions:_emit_execution_status_event")

    def execute_and_keep(state_def: dict[str, Any], raw_input: Any, execution: dict[str, Any], ctx: Any) -> Any:
        _contexts[execution["executionArn"]] = ctx
        return execute(state_def, raw_input, execution, ctx)

    def emit_and_forget(execution: dict[str, Any]) -> None:
        if execution["status"] == "SUCCEEDED":
            _contexts.pop(execution["executionArn"], None)
        emit(execution)

    MINISTACK.replace("services.stepfunctions:_execute_task", execute_and_keep)
    MINISTACK.replace("services.stepfunctions:_emit_execution_status_event", emit_and_forget)


def _say_what_can_be_redriven() -> None:
    describe = MINISTACK.original("services.stepfunctions:_describe_execution")

    def describe_with_redrive(data: dict[str, Any]) -> Response:
        status, fields, body = describe(data)
        execution = stepfunctions._executions.get(data.get("executionArn"))
        if execution is None:
            return status, fields, body
        told = json.loads(body) | {
            "redriveCount": execution.get("redriveCount", 0),
            "redriveStatus": "REDRIVABLE" if _is_redrivable(execution) else "NOT_REDRIVABLE",
        }
        if not _is_redrivable(execution):
            told["redriveStatusReason"] = _reason(execution)
        if "redriveDate" in execution:
            told["redriveDate"] = execution["redriveDate"]
        answer: Response = stepfunctions.json_response(told)
        return answer

    MINISTACK.replace("services.stepfunctions:_describe_execution", describe_with_redrive)


def _count_redrives_in_status_events() -> None:
    """A status event says how often and when its execution was redriven; MiniStack always says never.

    (AWS Step Functions Developer Guide, "Automating Step Functions event delivery with EventBridge".)
    """
    put = MINISTACK.original("services.eventbridge:_put_events")

    def put_with_redrives(data: dict[str, Any], allow_aws_source: bool = False) -> Any:
        for entry in data.get("Entries", []) if allow_aws_source else []:
            detail = json.loads(entry.get("Detail") or "{}")
            execution = stepfunctions._executions.get(detail.get("executionArn"))
            if execution and "redriveDate" in execution:
                date = stepfunctions._iso_to_epoch_ms(execution["redriveDate"])
                entry["Detail"] = json.dumps(detail | {"redriveCount": execution["redriveCount"], "redriveDate": date})
        return put(data, allow_aws_source=allow_aws_source)

    MINISTACK.replace("services.eventbridge:_put_events", put_with_redrives)


def _is_redrivable(execution: dict[str, Any]) -> bool:
    # The thread of a stopped execution may still wait for its task, so that two would run.
    return bool(execution["status"] == "FAILED")


def _reason(execution: dict[str, Any]) -> str:
    return f"Execution is {execution['status']} and cannot be redriven"


def _redrive(arn: str) -> Response:
    execution = stepfunctions._executions.get(arn)
    refused: Response
    if execution is None:
        refused = stepfunctions.error_response_json("ExecutionDoesNotExist", f"Execution Does Not Exist: '{arn}'", 400)
        return refused
    if not _is_redrivable(execution):
        refused = stepfunctions.error_response_json("ExecutionNotRedrivable", _reason(execution), 400)
        return refused
    entered = next(
        event["stateEnteredEventDetails"]
        for event in reversed(execution["events"])
        if "stateEnteredEventDetails" in event
    )
    count, date = execution.get("redriveCount", 0) + 1, now_iso()
    execution.update(status="RUNNING", stopDate=None, output=None, redriveCount=count, redriveDate=date)
    for name in ("error", "cause"):
        execution.pop(name, None)
    stepfunctions._add_event(execution, "ExecutionRedriven", {"executionRedrivenEventDetails": {"redriveCount": count}})
    stepfunctions._emit_execution_status_event(execution)
    run = _from_state(execution, entered["name"], json.loads(entered["input"]))
    threading.Thread(target=contextvars.copy_context().run, args=(run, arn), daemon=True).start()
    answer: Response = stepfunctions.json_response({"redriveDate": date})
    return answer


def _from_state(execution: dict[str, Any], state: str, state_input: Any) -> FunctionType:
    """MiniStack's interpreter, as it would go on with `state`."""
    variables = _contexts.get(execution["executionArn"], {}).get("variables", {})
    machine = stepfunctions._state_machines[execution["stateMachineArn"]]
    definition = json.loads(machine["definition"])
    definition["States"][_REDRIVE] = {"Type": "Pass", "Next": state}
    definition["StartAt"] = _REDRIVE
    taken_up = threading.Event()

    def take_up(state_def: dict[str, Any], raw_input: Any, ctx: dict[str, Any]) -> tuple[Any, str]:
        if ctx["State"]["Name"] != _REDRIVE:
            passed: tuple[Any, str] = stepfunctions._execute_pass(state_def, raw_input, ctx)
            return passed
        ctx["variables"].update(variables)
        return state_input, state

    def add_event(execution: dict[str, Any], kind: str, details: dict[str, Any] | None = None) -> Any:
        """The first state's own events are left out, and so is another entry into the state that failed."""
        if not taken_up.is_set():
            if kind.endswith("StateEntered") and (details or {})["stateEnteredEventDetails"]["name"] == state:
                taken_up.set()
            return None
        return stepfunctions._add_event(execution, kind, details)

    run = stepfunctions._run_execution
    changed = {
        "_add_event": add_event,
        "_execute_pass": take_up,
        "_state_machines": {
            execution["stateMachineArn"]: {**machine, "definition": json.dumps(definition)},
        },
    }
    return FunctionType(run.__code__, {**vars(stepfunctions), **changed}, run.__name__, run.__defaults__)
