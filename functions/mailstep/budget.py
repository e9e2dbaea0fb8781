"""Bounds the time and the memory of work on one message: what loops or swells ends as an error of ours."""

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

_AGAIN = 0.25  # seconds: a library that swallows the alarm is told again
_OTHER_OCTETS = 96 * 1024 * 1024  # for the runtime beside this process, and for storing what was made
_STATM = Path("/proc/self/statm")


class OverBudget(Exception):
    """The work takes more time or memory than a message may; `scarce` says which."""

    def __init__(self, scarce: Literal["time", "memory"]) -> None:
        """Word the error."""
        super().__init__(f"reading it takes more {scarce} than a message may")
        self.scarce = scarce


class _Alarm(BaseException):
    """Time is up. No Exception, so that no library's `except Exception` takes it for its own."""


class Budget:
    """A context in which time and memory are bounded; both are as before when it ends.

    The alarm is the process's (`setitimer(2)`), so it is set in the main thread only; code that holds the interpreter
    in one long call of C delays it. Memory is what can be written to (`RLIMIT_DATA`, getrlimit(2)): threads' stacks
    and mapped files do not count before they are used. Either bound is left out where it is None.

    Raises:
        OverBudget: on leaving the context, in place of the alarm or the MemoryError that ended it.
    """

    def __init__(self, seconds: float | None = None, octets: int | None = None) -> None:
        """Bound to so many seconds from entering, and to so many octets of memory of the whole process."""
        in_main_thread = threading.current_thread() is threading.main_thread()
        self._seconds = seconds if in_main_thread else None
        self._octets = octets if in_main_thread else None
        self._armed = False
        self._deadline = 0.0
        self.failures: set[str] = set()
        """Why steps failed, as `<code of the defect>: <time, memory, or the error's class>`: for a log."""

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
                # An alarm that was set before rings when it was due.
                signal.setitimer(signal.ITIMER_REAL, max(before - (time.monotonic() - self._entered), 0.001), interval)
        if isinstance(error, _Alarm | MemoryError):
            traceback.clear_frames(raised)  # what has swollen is let go before anything else is done
        if isinstance(error, _Alarm):
            raise OverBudget("time") from None
        if isinstance(error, MemoryError):
            raise OverBudget("memory") from None

    def bounded[T](self, step: Callable[[], T]) -> T:
        """What a step gives in half of the time that is left.

        Halves add up to less than the whole, so that no number of such steps keeps the rest from being done.

        Raises:
            OverBudget: the step takes more. Whatever the step raises passes through.
        """
        scarce: Literal["time", "memory"]
        try:
            self._arm(self._left() / 2)
            return step()
        except (_Alarm, MemoryError) as error:
            # First of all: while what the step made is let go, the alarm would ring again, and nothing would catch it.
            self._disarm()
            traceback.clear_frames(error.__traceback__)
            scarce = "memory" if isinstance(error, MemoryError) else "time"
        except Exception:
            self._disarm()
            raise
        finally:
            self._arm(self._left())
        raise OverBudget(scarce)

    def attempt[T](self, step: Callable[[], T], otherwise: T, defects: set[Defect], defect: Defect) -> T:
        """What a step gives; `otherwise` and the defect where it fails or takes too much (see `bounded`)."""
        try:
            return self.bounded(step)
        except Exception as error:  # a library raises whatever a broken input makes it raise
            # Its name alone: the error would keep all that the step had made.
            cause = error.scarce if isinstance(error, OverBudget) else type(error).__name__
        defects.add(defect)
        self.failures.add(f"{defect}: {cause}")
        return otherwise

    @contextmanager
    def paused(self) -> Generator[None]:
        """Neither time nor memory counts: for what is not the message's doing, such as waiting for a service."""
        began = time.monotonic()
        self._disarm()
        try:
            yield
        finally:
            self._deadline += time.monotonic() - began
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
        self._armed = False  # before the timer: an alarm that is on its way is not heard any more
        if self._seconds is not None:
            signal.setitimer(signal.ITIMER_REAL, 0)
        if self._octets is not None:
            resource.setrlimit(resource.RLIMIT_DATA, self._limits)

    def _ring(self, _number: int, _frame: FrameType | None) -> None:
        if self._armed:
            raise _Alarm


def octets_of(memory_mb: int) -> int:
    """How many octets of a function's memory, in MiB, work on a message may take; the rest is for other things."""
    return memory_mb * 1024 * 1024 - _OTHER_OCTETS


def _allowed_data(octets: int, hard: int) -> int:
    """What may be written to, as much more than now as the memory has room for, and half of the memory at least."""
    pages = [int(number) for number in _STATM.read_text().split()]
    resident, data = (number * resource.getpagesize() for number in (pages[1], pages[5]))
    allowed = data + max(octets - resident, octets // 2)
    return allowed if hard == resource.RLIM_INFINITY else min(allowed, hard)
