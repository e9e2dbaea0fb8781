"""Waits of MiniStack's own, which AWS does not have: half a second of each message."""

import fcntl
import struct
import termios
import time
from types import FunctionType
from typing import Any

from mailstep_local.ministack_names import IncompatibleMiniStack, Names

MINISTACK = Names(
    {
        "core.lambda_runtime:ProvidedWorker._build_handler_class": "self, generation, pending",
        "core.lambda_runtime:Worker._drain_stderr": "self",
        "core.lambda_runtime:Worker._drain_stderr_bounded": "self, first_line_wait, idle_confirm, hard_cap",
        "services.stepfunctions:_run_execution": "exec_arn",
    }
)

_START_SECONDS = 0.15
_QUIET_LOOKS, _LOOK_SECONDS = 2, 0.001


def apply() -> None:
    """Patch Step Functions and Lambda."""
    _start_an_execution_at_once()
    _send_events_without_nagles_delay()
    _read_logs_without_waiting_for_a_line()


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


def _read_logs_without_waiting_for_a_line() -> None:
    """MiniStack waits 50 ms for a first line after each invocation.

    A function writes its lines before its response, so they are in the pipe by then: it is enough to wait until the
    pipe is empty.
    """
    drain = MINISTACK.original("core.lambda_runtime:Worker._drain_stderr")

    def drain_pipe(self: Any, first_line_wait: float = 0, idle_confirm: float = 0, hard_cap: float = 0.25) -> str:
        until, quiet = time.monotonic() + hard_cap, 0
        while quiet < _QUIET_LOOKS and time.monotonic() < until:
            quiet = 0 if is_waiting(self._proc) else quiet + 1
            time.sleep(_LOOK_SECONDS)
        lines: str = drain(self)
        return lines

    MINISTACK.replace("core.lambda_runtime:Worker._drain_stderr_bounded", drain_pipe)


def is_waiting(process: Any) -> bool:
    """Whether the pipe of the process's output holds octets that nothing has read yet."""
    try:
        [octets] = struct.unpack("i", fcntl.ioctl(process.stdout, termios.FIONREAD, bytes(4)))
    except (AttributeError, OSError, ValueError):  # no process, or its pipe is closed
        return False
    return bool(octets)
