"""What a function writes is in its log by the end of the invocation: MiniStack leaves late lines for the next one.

A function writes its lines before its response, so they are in the pipe by then, but MiniStack's thread may not have
read them. MiniStack waits up to 50 ms for a first line; here, the caller reads what is there.
"""

import fcntl
import os
import select
import struct
import termios
import threading
from contextlib import suppress
from queue import Empty, Full, Queue
from typing import IO, Any
from weakref import WeakKeyDictionary

from mailstep_local.ministack_names import Names

MINISTACK = Names(
    {
        "core.lambda_runtime:ProvidedWorker._pump_output": "self, stream, log_queue",
        "core.lambda_runtime:Worker._drain_stderr": "self",
        "core.lambda_runtime:Worker._drain_stderr_bounded": "self, first_line_wait, idle_confirm, hard_cap",
    }
)


class Output:
    """The pipe of one environment's output, and the queue into which its lines go, oldest first."""

    def __init__(self, stream: IO[bytes], lines: "Queue[str]") -> None:
        self._stream, self._lines = stream, lines
        self._begun = b""  # a line without its end
        self._lock = threading.Lock()

    def take(self) -> None:
        """Put the lines that the pipe holds into the queue."""
        with self._lock:
            while not self._stream.closed and (octets := _waiting(self._stream)):
                *lines, self._begun = (self._begun + os.read(self._stream.fileno(), octets)).split(b"\n")
                self._put(lines)

    def follow(self) -> None:
        """Take lines as they come, until the process closes its pipe."""
        poll = select.poll()
        poll.register(self._stream, select.POLLIN)
        while any(event & select.POLLIN for _, event in poll.poll()):
            self.take()
        with self._lock:
            self._put([self._begun] if self._begun else [])
            self._stream.close()

    def _put(self, lines: list[bytes]) -> None:
        for line in lines:
            text = line.rstrip(b"\r").decode("utf-8", "replace")
            try:
                self._lines.put_nowait(text)
            except Full:
                with suppress(Empty):
                    self._lines.get_nowait()
                self._lines.put_nowait(text)


def _waiting(stream: IO[bytes]) -> int:
    """How many octets a pipe holds."""
    [octets] = struct.unpack("i", fcntl.ioctl(stream, termios.FIONREAD, bytes(4)))
    return int(octets)


def apply() -> None:
    """Patch the environments of functions."""
    drain = MINISTACK.original("core.lambda_runtime:Worker._drain_stderr")
    # An environment that starts again has a new queue.
    outputs: WeakKeyDictionary[Queue[str], Output] = WeakKeyDictionary()

    def pump(self: Any, stream: IO[bytes], log_queue: "Queue[str]") -> None:
        outputs[log_queue] = Output(stream, log_queue)
        outputs[log_queue].follow()

    def drain_all(self: Any, first_line_wait: float = 0, idle_confirm: float = 0, hard_cap: float = 0) -> str:
        if output := outputs.get(self._stderr_queue):
            output.take()
        lines: str = drain(self)
        return lines

    MINISTACK.replace("core.lambda_runtime:ProvidedWorker._pump_output", pump)
    MINISTACK.replace("core.lambda_runtime:Worker._drain_stderr_bounded", drain_all)
