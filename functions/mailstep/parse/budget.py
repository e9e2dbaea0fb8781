"""The time and the memory that reading one message may take, so that what loops or swells ends as an error of ours."""

import resource
import signal
import threading
import time
import traceback
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType, TracebackType
from typing import Self

from mailstep.mime.defects import Defect

_AGAIN = 0.25  # seconds: a library that swallows the alarm is told again
_CAUSES = {"_Alarm": "time", "MemoryError": "memory"}
_STATM = Path("/proc/self/statm")


class OverBudget(Exception):
    """Reading takes more time or memory than a message may."""


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
            raise OverBudget("reading it takes more time than a message may") from None
        if isinstance(error, MemoryError):
            raise OverBudget("reading it takes more memory than a message may") from None

    def attempt[T](self, step: Callable[[], T], otherwise: T, defects: set[Defect], defect: Defect) -> T:
        """What a step gives; where it fails, or takes over half of the time that is left, `otherwise` and the defect.

        Halves add up to less than the whole, so that no number of such steps keeps the rest from being read.
        """
        try:
            self._arm(self._left() / 2)
            result = step()
        except (Exception, _Alarm) as error:  # a library raises whatever a broken input makes it raise
            # Its name alone: the error would keep all that the step had made.
            cause = type(error).__name__
        else:
            self._arm(self._left())
            return result
        self._arm(self._left())
        defects.add(defect)
        self.failures.add(f"{defect}: {_CAUSES.get(cause, cause)}")
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


def _allowed_data(octets: int, hard: int) -> int:
    """What may be written to, as much more than now as the memory has room for, and half of the memory at least."""
    pages = [int(number) for number in _STATM.read_text().split()]
    resident, data = (number * resource.getpagesize() for number in (pages[1], pages[5]))
    allowed = data + max(octets - resident, octets // 2)
    return allowed if hard == resource.RLIM_INFINITY else min(allowed, hard)
