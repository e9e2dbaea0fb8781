"""Limits the time and memory of the work on one message. Work that exceeds them ends with our own error."""

import resource
import signal
import threading
import time
import traceback
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType, TracebackType
from typing import Literal, Self

from mailstep.mime.defects import Defect

_AGAIN = 0.25  # seconds until the alarm rings again, because a library may swallow the first one
_OTHER_OCTETS = 96 * 1024 * 1024  # for the runtime beside this process, and for storing what was made
_STATM = Path("/proc/self/statm")


class OverBudget(Exception):
    """The work takes more time or memory than a message may; `scarce` says which."""

    def __init__(self, scarce: Literal["time", "memory"]) -> None:
        """Word the error."""
        super().__init__(f"reading it takes more {scarce} than a message may")
        self.scarce = scarce


class _Alarm(BaseException):
    """The time is up. It is a BaseException, so that a library's `except Exception` does not catch it."""


class Budget:
    """A context that limits time and memory. When it ends, it restores the previous limits.

    The alarm belongs to the process (`setitimer(2)`), so only the main thread sets it. One long call of C code delays
    it. The memory limit counts what the process can write to (`RLIMIT_DATA`, getrlimit(2)): threads' stacks and mapped
    files count only once they are used. A limit of None does not apply.

    Raises:
        OverBudget: when the context ends by the alarm or a MemoryError; it replaces them.
    """

    def __init__(self, seconds: float | None = None, octets: int | None = None) -> None:
        """Limit the context to `seconds` from its start, and the memory of the whole process to `octets`."""
        in_main_thread = threading.current_thread() is threading.main_thread()
        self._seconds = seconds if in_main_thread else None
        self._octets = octets if in_main_thread else None
        self._armed = False
        self._deadline = self._waited = 0.0
        self.failures: set[str] = set()
        """Why steps failed, for the log, as `<code of the defect>: <time, memory, or the class of the error>`."""

    def __enter__(self) -> Self:
        self._entered = time.monotonic()
        self._limits = resource.getrlimit(resource.RLIMIT_DATA)
        if self._seconds is not None:
            self._deadline = self._entered + self._seconds
            self._handler = signal.signal(signal.SIGALRM, self._ring)
            self._timer = signal.setitimer(signal.ITIMER_REAL, 0)
        if self._octets is not None:
            self._data = _allowed_data(self._octets, self._limits[1])
        self._arm(self._left())
        return self

    def __exit__(
        self, _: type[BaseException] | None, error: BaseException | None, raised: TracebackType | None
    ) -> None:
        self._disarm()
        if self._seconds is not None:
            signal.signal(signal.SIGALRM, self._handler)
            before, interval = self._timer
            if before:
                # An earlier alarm still rings at its own time.
                signal.setitimer(signal.ITIMER_REAL, max(before - (time.monotonic() - self._entered), 0.001), interval)
        if isinstance(error, _Alarm | MemoryError):
            traceback.clear_frames(raised)  # frees the memory before anything else runs
        if isinstance(error, _Alarm):
            raise OverBudget("time") from None
        if isinstance(error, MemoryError):
            raise OverBudget("memory") from None

    def bounded[T](self, step: Callable[[], T]) -> T:
        """Return the result of a step, which may take half of the time left.

        Any number of slow steps leaves time for the rest of the message. A step within a step shares the outer one's
        time.

        Raises:
            OverBudget: the step takes more time or memory. What the step itself raises passes through.
        """
        scarce: Literal["time", "memory"]
        whole, waited = self._deadline, self._waited
        try:
            self._deadline -= self._left() / 2
            self._arm(self._left())
            return step()
        except (_Alarm, MemoryError) as error:
            # First of all: the alarm could ring again while the step's memory is freed, and nothing would catch it.
            self._disarm()
            traceback.clear_frames(error.__traceback__)
            scarce = "memory" if isinstance(error, MemoryError) else "time"
        except Exception:
            self._disarm()
            raise
        finally:
            self._deadline = whole + self._waited - waited
            self._arm(self._left())
        raise OverBudget(scarce)

    def attempt[T](self, step: Callable[[], T], otherwise: T, defects: set[Defect], defect: Defect) -> T:
        """Return the result of a step. If it fails or takes too much (see `bounded`), note the defect: `otherwise`."""
        try:
            return self.bounded(step)
        except Exception as error:  # on broken input a library may raise anything
            # Only the name: the error itself would keep the memory of the step.
            cause = error.scarce if isinstance(error, OverBudget) else type(error).__name__
        defects.add(defect)
        self.failures.add(f"{defect}: {cause}")
        return otherwise

    @contextmanager
    def paused(self) -> Generator[None]:
        """Stop counting time and memory, for work that the message does not cause, such as waiting for a service."""
        began = time.monotonic()
        self._disarm()
        try:
            yield
        finally:
            waited = time.monotonic() - began
            self._deadline += waited
            self._waited += waited
            self._arm(self._left())

    def _left(self) -> float:
        return max(self._deadline - time.monotonic(), 0.001)

    def _arm(self, seconds: float) -> None:
        if self._octets is not None:
            resource.setrlimit(resource.RLIMIT_DATA, (self._data, self._limits[1]))
        if self._seconds is not None:
            self._armed = True
            signal.setitimer(signal.ITIMER_REAL, seconds, _AGAIN)

    def _disarm(self) -> None:
        self._armed = False  # first, so that an alarm that is already on its way does nothing
        if self._seconds is not None:
            signal.setitimer(signal.ITIMER_REAL, 0)
        if self._octets is not None:
            resource.setrlimit(resource.RLIMIT_DATA, self._limits)

    def _ring(self, _number: int, _frame: FrameType | None) -> None:
        if self._armed:
            raise _Alarm


def octets_of(memory_mb: int) -> int:
    """How many octets of a function's memory (in MiB) the work on a message may take. The rest is for other things."""
    return memory_mb * 1024 * 1024 - _OTHER_OCTETS


def free_octets(memory_mb: int) -> int:
    """How many octets of a function's memory (in MiB) are still free for another process."""
    return octets_of(memory_mb) - int(_STATM.read_text().split()[1]) * resource.getpagesize()


def _allowed_data(octets: int, hard: int) -> int:
    """The limit of writable memory: what it is now, and what is still free of `octets`, but at least half of them."""
    pages = [int(number) for number in _STATM.read_text().split()]
    resident, data = (number * resource.getpagesize() for number in (pages[1], pages[5]))
    allowed = data + max(octets - resident, octets // 2)
    return allowed if hard == resource.RLIM_INFINITY else min(allowed, hard)
