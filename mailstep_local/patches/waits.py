"""Waits of MiniStack's own, which AWS does not have: half a second of each message."""

from types import FunctionType
from typing import Any

from mailstep_local.ministack_names import IncompatibleMiniStack, Names

MINISTACK = Names(
    {
        "core.lambda_runtime:ProvidedWorker._build_handler_class": "self, generation, pending",
        "services.stepfunctions:_run_execution": "exec_arn",
    }
)

_START_SECONDS = 0.15


def apply() -> None:
    """Patch Step Functions and Lambda."""
    _start_an_execution_at_once()
    _send_events_without_nagles_delay()


def _start_an_execution_at_once() -> None:
    """MiniStack sleeps 150 ms before the first state."""
    run = MINISTACK.original("services.stepfunctions:_run_execution")
    code = run.__code__
    if code.co_consts.count(_START_SECONDS) != 1:
        raise IncompatibleMiniStack(f"MiniStack's _run_execution does not sleep {_START_SECONDS} s any more")
    at_once = tuple(0 if constant == _START_SECONDS else constant for constant in code.co_consts)
    replaced = FunctionType(code.replace(co_consts=at_once), run.__globals__, run.__name__, run.__defaults__)
    MINISTACK.replace("services.stepfunctions:_run_execution", replaced)


def _send_events_without_nagles_delay() -> None:
    """The Runtime API sends an event's header and body apart: the second waits 40 ms for an acknowledgement."""
    build = MINISTACK.original("core.lambda_runtime:ProvidedWorker._build_handler_class")

    def build_without_delay(self: Any, generation: int, pending: Any) -> type:
        handler: Any = build(self, generation, pending)
        handler.disable_nagle_algorithm = True
        built: type = handler
        return built

    MINISTACK.replace("core.lambda_runtime:ProvidedWorker._build_handler_class", build_without_delay)
