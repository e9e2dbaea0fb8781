"""Compares the index with the executions, and adds what the index does not know: status events may get lost.

(Amazon EventBridge User Guide: AWS services send their events on a best-effort basis.)
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from itertools import batched

from mailstep.aws import executions
from mailstep.aws.executions import Listed
from mailstep.aws.message_index import By, MessageIndex
from mailstep.index import indexing, status_events
from mailstep.index_entry import EXECUTIONS, IndexEntry, email_id_of
from mailstep.outcomes import RUNNING

_PAGE = 100
type _Fill = Callable[[], bool]
"""Fills a gap, and returns whether there was one."""


@dataclass(frozen=True)
class Swept:
    """What a sweep did: executions compared, entries that it had to change, and whether it came to the end."""

    compared: int
    filled: int
    complete: bool


def sweep(
    workflow_arn: str, index: MessageIndex, since: datetime, settled: datetime, *, go_on: Callable[[int], bool]
) -> Swept:
    """Add to the index what it lacks of the executions that started since a time, and of all that it has as running.

    Those that the index has as running come first, because an operator would wait for them; then the newest. Events of
    what happened after `settled` may still be on their way, so it is left to them. `go_on` is asked before each page,
    with the number of executions compared: a sweep without time says so.

    Raises:
        TransientError: DynamoDB, S3 or Step Functions is unavailable.
    """
    compared = filled = 0
    for number, gaps in _pages(workflow_arn, index, since, settled):
        if not go_on(compared):
            return Swept(compared, filled, complete=False)
        compared += number
        filled += sum(fill() for fill in gaps)
    return Swept(compared, filled, complete=True)


def _pages(
    workflow_arn: str, index: MessageIndex, since: datetime, settled: datetime
) -> Iterator[tuple[int, list[_Fill]]]:
    """Page by page, the number of executions compared, and what fills in those that the index lacks or has wrong."""
    yield from _ended_unnoticed(workflow_arn, index, settled)
    listed = (one for one in executions.newest(workflow_arn, since) if (one.ended or one.started) < settled)
    for some in batched(listed, _PAGE, strict=False):
        entries = index.get_many(name for one in some if (name := _email_id(one)))
        unknown = [one.arn for one in some if not _knows(entries.get(_email_id(one) or ""), one)]
        yield len(some), [partial(_fill, index, arn) for arn in unknown]


def _ended_unnoticed(workflow_arn: str, index: MessageIndex, settled: datetime) -> Iterator[tuple[int, list[_Fill]]]:
    """Likewise for what the index has as running: executions that have ended, and messages that it does not have yet.

    One list says which executions still run: after an outage of the application, very many may.
    """
    still_running: set[str] | None = None
    for unfinished in batched(index.newest(By.OUTCOME, RUNNING, until=settled), _PAGE, strict=False):
        if still_running is None:
            still_running = executions.running(workflow_arn)
        arns = [one.arn for entry in unfinished for one in entry.executions if one.outcome == RUNNING]
        yield (
            len(arns),
            [
                *(partial(_fill, index, arn) for arn in arns if arn not in still_running),
                *(partial(indexing.record_message, index, entry) for entry in unfinished if entry.subject is None),
            ],
        )


def _email_id(listed: Listed) -> str | None:
    return email_id_of(listed.arn.rpartition(":")[2])


def _knows(entry: IndexEntry | None, listed: Listed) -> bool:
    """Whether the entry has the execution as the list has it. What it no longer keeps, it has known."""
    known = {one.arn: one for one in entry.executions} if entry else {}
    if listed.arn not in known:
        return len(known) >= EXECUTIONS
    return (known[listed.arn].status, known[listed.arn].redrives) == (listed.status, listed.redrives)


def _fill(index: MessageIndex, execution_arn: str) -> bool:
    described = executions.describe(execution_arn)
    seen = status_events.of_description(described) if described else None
    return seen is not None and indexing.record(index, seen)
