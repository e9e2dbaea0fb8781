"""CloudWatch's alarms: they see what functions, queues and executions measure, and change their states by it.

MiniStack evaluates an alarm only when a metric is put, over all dimensions, and never ends it. Here an alarm is
evaluated every second, over periods that end now; CloudWatch's begin with the minute (Amazon CloudWatch User Guide,
"Using Amazon CloudWatch alarms").
"""

import json
import operator
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from ministack.services import cloudwatch, sqs

from mailstep_local.ministack_names import Names

MINISTACK = Names(
    {
        "services.cloudwatch:_alarms": None,
        "services.cloudwatch:_calc_stats": "points",
        "services.cloudwatch:_dispatch_alarm_actions": "alarm, old_state, new_state, reason",
        "services.cloudwatch:_evaluate_alarm": "alarm",
        "services.cloudwatch:_metrics": None,
        "services.cloudwatch:_record_history": "alarm_name, old_state, new_state, reason, alarm_type, reason_data",
        "services.cloudwatch:_stat_value": "stats, stat_name, points",
        "services.cloudwatch:record_metric": "namespace, metric_name, value, unit, dimensions",
        "services.cloudwatch_logs:_append_log_events": "stream, events",
        "services.sqs:_queues": None,
        "services.stepfunctions:_emit_execution_status_event": "execution",
    }
)

_KEPT_SECONDS = 2 * 3600
"""Longer than any alarm looks back."""
_FAILURES = {"FAILED": "ExecutionsFailed", "TIMED_OUT": "ExecutionsTimedOut", "ABORTED": "ExecutionsAborted"}
_COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    "GreaterThanThreshold": operator.gt,
    "GreaterThanOrEqualToThreshold": operator.ge,
    "LessThanThreshold": operator.lt,
    "LessThanOrEqualToThreshold": operator.le,
}


def apply(switch: Path) -> None:
    """Measure, and evaluate the alarms every second, unless the file `switch` is there."""
    _measure_what_functions_log()
    _measure_how_executions_end()
    MINISTACK.replace("services.cloudwatch:_evaluate_alarm", lambda alarm: None)
    threading.Thread(target=_watch, args=(switch,), daemon=True).start()


def _measure_what_functions_log() -> None:
    """A log line in the embedded metric format is a metric (CloudWatch User Guide, "Embedded metric format")."""
    append = MINISTACK.original("services.cloudwatch_logs:_append_log_events")

    def append_and_measure(stream: Any, events: list[dict[str, Any]]) -> None:
        append(stream, events)
        for event in events:
            if '"_aws"' in event["message"]:
                with suppress(ValueError, KeyError, TypeError):
                    _measure(json.loads(event["message"]))

    MINISTACK.replace("services.cloudwatch_logs:_append_log_events", append_and_measure)


def _measure(line: dict[str, Any]) -> None:
    for directive in line["_aws"]["CloudWatchMetrics"]:
        for names in directive["Dimensions"]:
            dimensions = {name: str(line[name]) for name in names}
            for metric in directive["Metrics"]:
                values = line[metric["Name"]]
                for value in values if isinstance(values, list) else [values]:
                    unit = metric.get("Unit", "None")
                    cloudwatch.record_metric(directive["Namespace"], metric["Name"], value, unit, dimensions)


def _measure_how_executions_end() -> None:
    emit = MINISTACK.original("services.stepfunctions:_emit_execution_status_event")

    def emit_and_measure(execution: dict[str, Any]) -> None:
        emit(execution)
        if name := _FAILURES.get(execution["status"]):
            dimensions = {"StateMachineArn": execution["stateMachineArn"]}
            cloudwatch.record_metric("AWS/States", name, 1, "Count", dimensions)

    MINISTACK.replace("services.stepfunctions:_emit_execution_status_event", emit_and_measure)


def _measure_queues(now: float) -> None:
    """The depth of each queue and the age of its oldest message, as SQS has them at this moment."""
    for queue in list(sqs._queues.values()):
        name = queue["attributes"]["QueueArn"].rpartition(":")[2]
        waiting = [message for message in list(queue["messages"]) if message["visible_at"] <= now]
        values = {
            "ApproximateNumberOfMessagesVisible": len(waiting),
            "ApproximateAgeOfOldestMessage": int(now - min((one["sent_at"] for one in waiting), default=now)),
        }
        for metric, value in values.items():
            if waiting:
                cloudwatch.record_metric("AWS/SQS", metric, value, "Count", {"QueueName": name})


def _watch(switch: Path) -> None:
    while True:
        time.sleep(1)
        # Others add queues and metrics meanwhile, which an iteration does not survive: the next second has them.
        with suppress(RuntimeError):
            _look(time.time(), evaluate=not switch.exists())


def _look(now: float, *, evaluate: bool) -> None:
    _measure_queues(now)
    for points in list(cloudwatch._metrics.values()):
        while points and points[0]["Timestamp"] < now - _KEPT_SECONDS:
            points.pop(0)
    for alarm in list(cloudwatch._alarms.values()) if evaluate else ():
        # An alarm on an expression has no metric of its own; Mailstep has none of these.
        if alarm.get("MetricName"):
            _evaluate(alarm, now)


def _evaluate(alarm: dict[str, Any], now: float) -> None:
    """Change the alarm's state if each of its last periods is over the threshold, or not each.

    A period without a value is within the threshold, or leaves the state as it is (TreatMissingData).
    """
    points = _points_of(alarm)
    period, count = int(alarm["Period"]), int(alarm["EvaluationPeriods"])
    values = [_value(alarm, points, now - (number + 1) * period, now - number * period) for number in range(count)]
    if all(value is None for value in values) and alarm.get("TreatMissingData") == "ignore":
        return
    compare = _COMPARISONS[alarm["ComparisonOperator"]]
    breaching = all(value is not None and compare(value, float(alarm["Threshold"])) for value in values)
    before, after = alarm["StateValue"], "ALARM" if breaching else "OK"
    if before == after:
        return
    reason = f"{alarm['MetricName']} was {values}, and the threshold is {alarm['Threshold']}"
    alarm.update(StateValue=after, StateReason=reason, StateUpdatedTimestamp=int(now))
    cloudwatch._record_history(alarm["AlarmName"], before, after, reason)
    cloudwatch._dispatch_alarm_actions(alarm, before, after, reason)


def _points_of(alarm: dict[str, Any]) -> list[dict[str, Any]]:
    dimensions = {one["Name"]: one["Value"] for one in alarm.get("Dimensions") or []}
    return [
        point
        for (namespace, name, _), points in list(cloudwatch._metrics.items())
        if (namespace, name) == (alarm["Namespace"], alarm["MetricName"])
        for point in list(points)
        if _dimensions_of(point) == dimensions
    ]


def _dimensions_of(point: dict[str, Any]) -> dict[str, str]:
    said = point.get("Dimensions") or {}
    return {one["Name"]: one["Value"] for one in said} if isinstance(said, list) else dict(said)


def _value(alarm: dict[str, Any], points: list[dict[str, Any]], begin: float, end: float) -> float | None:
    """The alarm's statistic over a period; None if nothing was measured in it."""
    within = [point for point in points if begin < point["Timestamp"] <= end]
    if not within:
        return None
    statistic = alarm.get("ExtendedStatistic") or alarm["Statistic"]
    value: float | None = cloudwatch._stat_value(cloudwatch._calc_stats(within), statistic, within)
    return value
