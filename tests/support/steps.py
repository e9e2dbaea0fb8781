"""How much work a function does, counted and not timed."""

import sys
from collections.abc import Callable
from types import FrameType
from typing import Any


def lines_run(step: Callable[[str], object], text: str) -> int:
    """How many lines of Python a step runs."""
    count = 0

    def trace(_frame: FrameType, event: str, _argument: object) -> Any:
        nonlocal count
        count += event == "line"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        step(text)
    finally:
        sys.settrace(before)
    return count
