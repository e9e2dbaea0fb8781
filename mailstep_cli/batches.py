"""Acts on many things, one after the other: within a rate, with progress, until it is done or interrupted."""

import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from botocore.exceptions import BotoCoreError, ClientError

from mailstep_cli.aws_errors import refused, unasked

type Act[T] = Callable[[T], str]
"""Acts on one thing, and returns a word for what was done."""


@dataclass
class Tally:
    """What became of a batch.

    Attributes:
        total: How many things there were to act on.
        ended: How many ended in which way.
        failed: The reason of each failure, by name.
        interrupted: Whether Ctrl-C ended it.
        goes_on: The command that does the rest, if it was interrupted.
    """

    total: int
    ended: Counter[str] = field(default_factory=Counter)
    failed: dict[str, str] = field(default_factory=dict)
    interrupted: bool = False
    goes_on: str | None = None

    @property
    def done(self) -> int:
        """How many were acted on, with success or without."""
        return self.ended.total() + len(self.failed)


class Pace:
    """Lets a call through at most `rate` times a second."""

    def __init__(self, rate: float) -> None:
        self._seconds, self._next = 1 / rate, time.monotonic()

    def wait(self) -> None:
        """Sleep until the next call is due."""
        time.sleep(max(0.0, self._next - time.monotonic()))
        self._next = max(self._next, time.monotonic()) + self._seconds


@contextmanager
def whole() -> Generator[None]:
    """Hold Ctrl-C back until the block has ended, so that its work is done or not; a second Ctrl-C does not wait."""
    # Python handles signals in the main thread only, so no other one is interrupted.
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    held: list[int] = []

    def hold(number: int, _frame: object) -> None:
        if held:
            raise KeyboardInterrupt
        held.append(number)

    before = signal.signal(signal.SIGINT, hold)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
    if held:
        raise KeyboardInterrupt


def each[T](
    things: Sequence[T] | Iterable[T],
    act: Act[T],
    *,
    total: int,
    name: Callable[[T], str] = str,
    rate: float | None = None,
    progress: Callable[[Tally], None] = lambda _: None,
) -> Tally:
    """Call `act` for each thing, and count the words that it returns.

    A call that AWS refuses is one failure, and the batch goes on. Ctrl-C ends the batch between two things: each thing
    is acted on or not.
    """
    tally, pace = Tally(total), Pace(rate) if rate else None
    try:
        for thing in things:
            if pace:
                pace.wait()
            with whole():
                try:
                    tally.ended[act(thing)] += 1
                except ClientError as error:
                    tally.failed[name(thing)] = refused(error)
                except BotoCoreError as error:
                    tally.failed[name(thing)] = unasked(error)
            progress(tally)
    except KeyboardInterrupt:
        tally.interrupted = True
    return tally
