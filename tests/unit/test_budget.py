"""What loops or swells ends as a defect or as UnreadableEmail, and the next message is read as if nothing had been."""

import json
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from types import SimpleNamespace
from typing import Any

import pytest

from mailstep.budget import Budget, OverBudget
from mailstep.mime.defects import Defect

# One environment: three messages one after the other, the second of which is made to hurt.
ENVIRONMENT = """
import json, resource, signal, sys, time
from mailstep.budget import Budget
from mailstep.parse import attachment_parts, fields, message as parsing, texts
from mailstep.errors import UnreadableEmail
from tests.support.messages import EMAIL

RAW = (b"From: a@b\\r\\nContent-Type: multipart/mixed; boundary=b\\r\\n\\r\\n--b\\r\\n\\r\\nhello\\r\\n--b\\r\\n"
       b"Content-Type: text/csv; name=a.csv\\r\\n\\r\\na,b\\r\\n--b--")

def read():
    kept, budget = {}, Budget(seconds={SECONDS}, octets=400_000_000)
    try:
        message = parsing.parse(RAW, EMAIL, kept.__setitem__, budget)
        return {"text": message.text, "files": [a.filename for a in message.attachments],
                "kept": [c.decode() for c in kept.values()], "defects": list(message.defects),
                "failures": sorted(budget.failures)}
    except UnreadableEmail as error:
        return {"unreadable": str(error)}

def state():
    return [resource.getrlimit(resource.RLIMIT_DATA), signal.getitimer(signal.ITIMER_REAL),
            str(signal.getsignal(signal.SIGALRM))]

def loop(*_arguments, **_named):
    while True:
        pass

def deaf(*_arguments, **_named):
    while True:
        try:
            while True:
                json.loads("[]")
        except Exception:
            pass

def stubborn(*_arguments, **_named):
    for _ in range(2):
        try:
            while True:
                pass
        except BaseException:
            pass
    raise ValueError

def swell(*_arguments, **_named):
    held = []
    while True:
        held.append(bytearray(10_000_000))

before, was = state(), read()
thing, name = {WHERE}
original = getattr(thing, name)
setattr(thing, name, {HURT})
hurt = read()
setattr(thing, name, original)
print(json.dumps({"was": was, "hurt": hurt, "then": read(), "restored": before == state()}))
"""
NORMAL = {"text": "hello", "files": ["a.csv"], "kept": ["a,b"], "defects": [], "failures": []}


def without(defect: str, cause: str) -> Mapping[str, object]:
    """The same message where only one step failed, and nothing of the message's content is missing."""
    return NORMAL | {"defects": [defect], "failures": [f"{defect}: {cause}"]}


def environment(hurt: str, where: str) -> Any:
    # What loops has no end but the alarm. What swells ends by its memory, however slow the machine is.
    seconds = "60" if hurt == "swell" else "2"
    program = ENVIRONMENT.replace("{HURT}", hurt).replace("{WHERE}", where).replace("{SECONDS}", seconds)
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=200, check=True)
    return json.loads(ended.stdout)


@pytest.mark.parametrize(
    ("hurt", "where", "outcome"),
    [
        ("loop", "(attachment_parts, 'detected')", without("media_type_not_detected", "time")),
        ("deaf", "(attachment_parts, 'detected')", without("media_type_not_detected", "time")),
        ("swell", "(attachment_parts, 'detected')", without("media_type_not_detected", "memory")),
        ("loop", "(attachment_parts, 'content')", without("part_not_decoded", "time")),
        ("loop", "(parsing, 'delivery_report')", without("delivery_report_unreadable", "time")),
        ("loop", "(fields, 'parse_date')", without("date_unreadable", "time")),
        (
            "loop",
            "(texts, 'decode')",
            {
                "text": "",
                "files": ["part-1.txt", "a.csv"],
                "kept": ["hello", "a,b"],
                "defects": ["text_not_decoded"],
                "failures": ["text_not_decoded: time"],
            },
        ),
        ("swell", "(parsing, 'split')", without("reply_not_found", "memory")),
        ("loop", "(parsing, 'bodies')", {"unreadable": "reading it takes more time than a message may"}),
        ("swell", "(parsing, 'structure')", {"unreadable": "reading it takes more memory than a message may"}),
        ("swell", "(parsing, 'Message')", {"unreadable": "reading it takes more memory than a message may"}),
    ],
)
def test_what_loops_or_swells_ends_and_the_next_message_is_read(
    hurt: str, where: str, outcome: Mapping[str, object]
) -> None:
    assert environment(hurt, where) == {"was": NORMAL, "hurt": outcome, "then": NORMAL, "restored": True}


def test_a_library_that_swallows_the_alarm_is_told_again() -> None:
    hurt = environment("stubborn", "(attachment_parts, 'detected')")["hurt"]
    assert hurt == without("media_type_not_detected", "ValueError")


def spin(seconds: float) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        pass


@pytest.fixture
def rung() -> Iterator[list[int]]:
    """The alarms that a handler noted which was set before the budget's; pytest-timeout sets one, for instance."""
    noted: list[int] = []
    handler = signal.signal(signal.SIGALRM, lambda number, _frame: noted.append(number))
    timer = signal.setitimer(signal.ITIMER_REAL, 0)
    yield noted
    signal.signal(signal.SIGALRM, handler)
    signal.setitimer(signal.ITIMER_REAL, *timer)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch, rung: list[int]) -> list[float]:
    """The time that a budget reads, in seconds. A test moves it on, so that no test depends on a busy machine.

    `rung` takes pytest-timeout's alarm away meanwhile: by the moved clock, a budget would let it ring at once.
    """
    now = [1_000.0]
    monkeypatch.setattr("mailstep.budget.time", SimpleNamespace(monotonic=lambda: now[0]))
    return now


def test_many_slow_steps_leave_time_for_the_rest(clock: list[float]) -> None:
    def slow() -> None:
        given, _ = signal.getitimer(signal.ITIMER_REAL)
        clock[0] += given
        signal.raise_signal(signal.SIGALRM)

    late, read = Defect.DATE_UNREADABLE, Defect.PART_NOT_DECODED
    defects: set[Defect] = set()
    with Budget(seconds=20_000) as budget:
        for _ in range(8):
            assert budget.attempt(slow, None, defects, late) is None
        assert budget.attempt(lambda: "read", "", defects, read) == "read"
    assert defects == {late}
    assert clock[0] < 1_000 + 20_000


def test_a_step_within_a_step_shares_the_time_of_the_outer_one(clock: list[float]) -> None:
    def outer() -> float:
        assert budget.attempt(lambda: "read", "", set(), Defect.DATE_UNREADABLE) == "read"
        with budget.paused():
            clock[0] += 50
        return signal.getitimer(signal.ITIMER_REAL)[0]

    with Budget(seconds=60) as budget:
        assert budget.bounded(outer) == pytest.approx(30, abs=2)
        assert signal.getitimer(signal.ITIMER_REAL)[0] == pytest.approx(60, abs=2)


def test_waiting_for_a_service_does_not_count(clock: list[float]) -> None:
    with Budget(seconds=60) as budget:
        for _ in range(3):
            with budget.paused():
                assert signal.getitimer(signal.ITIMER_REAL) == (0, 0)
                clock[0] += 50
        assert signal.getitimer(signal.ITIMER_REAL)[0] > 30


def test_an_alarm_that_was_set_before_is_still_due_at_its_time(rung: list[int], clock: list[float]) -> None:
    signal.setitimer(signal.ITIMER_REAL, 20_000)
    with Budget(seconds=60):
        clock[0] += 5_000
    left, _ = signal.getitimer(signal.ITIMER_REAL)
    assert 14_000 < left <= 15_000
    assert rung == []


def test_an_alarm_that_became_due_within_a_budget_rings_after_it(rung: list[int]) -> None:
    signal.setitimer(signal.ITIMER_REAL, 0.01)
    with pytest.raises(OverBudget), Budget(seconds=0.1):
        spin(60)
    until = time.monotonic() + 60
    while not rung and time.monotonic() < until:
        time.sleep(0.01)
    assert rung == [signal.SIGALRM]


def test_memory_is_free_again_after_an_error_of_another_kind() -> None:
    before = resource.getrlimit(resource.RLIMIT_DATA)
    with pytest.raises(KeyError), Budget(seconds=60, octets=10**9):
        raise KeyError
    assert resource.getrlimit(resource.RLIMIT_DATA) == before


def test_a_step_that_has_steps_of_its_own_leaves_time_for_the_rest() -> None:
    defects: set[Defect] = set()

    def loops() -> None:
        budget.attempt(lambda: None, None, defects, Defect.SIGNED_NOT_READ)
        while True:
            pass

    with Budget(2) as budget:
        budget.attempt(loops, None, defects, Defect.ENCLOSED_NOT_READ)
        time.sleep(0.1)  # the rest of the message
    assert budget.failures == {f"{Defect.ENCLOSED_NOT_READ}: time"}
