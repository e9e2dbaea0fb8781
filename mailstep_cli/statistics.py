"""Counts what became of the emails of a time: outcomes, reasons, times to reply, and the states that took longest."""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Literal

import boto3
from botocore.exceptions import ClientError
from pydantic import Field

from mailstep.contracts import Contract
from mailstep.index_entry import IndexEntry, Time
from mailstep_cli import history
from mailstep_cli.messages import is_copy

BUCKETS = 24
"""Points of a sparkline."""
_EXPLAINED = 10
"""Emails whose histories are read: those that waited longest."""
_SHARES = (50, 90, 95, 99)


class SlowState(Contract):
    """How long a state took in the executions of the slowest replies."""

    name: str
    seconds: float = Field(description="In all of them together, with retries and waits")
    share: float = Field(description="Of the whole time of these executions")


class RouteCounts(Contract):
    """The mail of one route."""

    emails: int
    over_time: tuple[int, ...] = Field(description="Emails in each of 24 equal parts of the time, the oldest first")


class Statistics(Contract):
    """What became of the emails of a time. `mailstep stats --json` prints it."""

    schema_: Literal["mailstep.statistics/1"] = Field(default="mailstep.statistics/1", alias="schema")
    since: Time
    until: Time
    emails: int
    copies: int = Field(
        description="Copies for the catch-all route of emails that other routes have (`other_route`), not in `emails`"
    )
    outcomes: dict[str, int]
    reasons: dict[str, int] = Field(description="Codes of the policy, of withheld replies, and names of errors")
    bounces: int
    complaints: int
    time_to_reply_ms: dict[str, int] = Field(
        description="Percentiles `p50`, `p90`, `p95`, `p99` and the `max`; empty if no email has a reply"
    )
    routes: dict[str, RouteCounts]
    slowest_states: tuple[SlowState, ...] = Field(description="In the ten executions with the longest times to reply")

    model_config = Contract.model_config | {"populate_by_name": True, "serialize_by_alias": True}


def count(entries: Iterable[IndexEntry], since: datetime, until: datetime) -> Statistics:
    """The statistics of emails that were received from `since` to `until`."""
    outcomes: Counter[str] = Counter()
    reasons: Counter[str] = Counter()
    feedback: Counter[str] = Counter()
    routes: dict[str, Counter[int]] = {}
    replied: list[IndexEntry] = []
    copies = 0
    part = max((until - since) / BUCKETS, timedelta(microseconds=1))
    for entry in entries:
        if is_copy(entry):
            copies += 1
            continue
        outcomes[entry.outcome] += 1
        reasons.update(code for code in (entry.reason, entry.withheld, entry.error) if code)
        feedback.update(one.kind for one in entry.feedback)
        if entry.route and entry.received:
            routes.setdefault(entry.route, Counter())[min(int((entry.received - since) / part), BUCKETS - 1)] += 1
        if entry.time_to_reply_ms is not None:
            replied.append(entry)
    replied.sort(key=lambda entry: entry.time_to_reply_ms or 0)
    return Statistics(
        since=since,
        until=until,
        emails=outcomes.total(),
        copies=copies,
        outcomes=dict(outcomes.most_common()),
        reasons=dict(reasons.most_common()),
        bounces=feedback["Bounce"],
        complaints=feedback["Complaint"],
        time_to_reply_ms=_percentiles([entry.time_to_reply_ms or 0 for entry in replied]),
        routes={
            name: RouteCounts(emails=found.total(), over_time=tuple(found[n] for n in range(BUCKETS)))
            for name, found in sorted(routes.items())
        },
        slowest_states=_slowest_states(replied[-_EXPLAINED:]),
    )


def _percentiles(ordered: list[int]) -> dict[str, int]:
    """By the nearest rank: the smallest value that this share of all values does not exceed."""
    if not ordered:
        return {}
    ranks = {f"p{share}": -(-len(ordered) * share // 100) - 1 for share in _SHARES}
    return {name: ordered[rank] for name, rank in ranks.items()} | {"max": ordered[-1]}


def _slowest_states(entries: list[IndexEntry]) -> tuple[SlowState, ...]:
    sfn = boto3.client("stepfunctions")
    took: Counter[str] = Counter()
    for entry in entries:
        arn = next((one.arn for one in entry.executions if one.ses_message_id), None)
        try:
            line = history.fetch(sfn, arn) if arn else None
        except ClientError as error:
            # Step Functions forgets an execution 90 days after it ended.
            if error.response["Error"]["Code"] != "ExecutionDoesNotExist":
                raise
            line = None
        for state in line.states if line else ():
            left = state.left or state.attempts[-1].ended or state.entered
            took[state.name] += round((left - state.entered).total_seconds() * 1000)
    return tuple(
        SlowState(name=name, seconds=spent / 1000, share=round(spent / (took.total() or 1), 3))
        for name, spent in took.most_common(5)
    )
