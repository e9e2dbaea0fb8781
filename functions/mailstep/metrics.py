"""Defines each metric once: name, unit and dimensions. A test compares alarms, dashboard, costs and docs with them.

CloudWatch does not aggregate over dimensions: an alarm sees exactly the dimension set that was emitted (Amazon
CloudWatch User Guide, "Dimensions"). Each combination of values is a custom metric, at 0.30 USD a month. So a metric
has only the dimensions that an alarm or a chart needs. What else an operator may ask for, such as the route, is a
property: it stands in the log line only, where CloudWatch Logs Insights finds it.
"""

from dataclasses import dataclass

from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.metrics.provider.cloudwatch_emf.cloudwatch import AmazonCloudWatchEMFProvider

from mailstep import settings
from mailstep.outcomes import ReplyKind

NAMESPACE = "Mailstep"
SERVICE = "service"
"""The dimension that every set has: the name of the stack."""


@dataclass(frozen=True)
class Metric:
    """One metric. Each value is emitted under `SERVICE` and `dimensions`; `properties` are in the log line only."""

    name: str
    unit: MetricUnit
    means: str
    dimensions: tuple[str, ...] = ()
    properties: tuple[str, ...] = ()

    def emit(self, value: float = 1, **values: str) -> None:
        """Write one value to standard output, in CloudWatch's embedded metric format, at once.

        Nothing is buffered, so a later error or the environment's next invocation cannot change what was emitted.

        Args:
            value: In the metric's unit.
            values: The values of all dimensions but `SERVICE`, and of all properties.

        Raises:
            TypeError: A dimension or property is missing, or is not one of this metric's.
        """
        if values.keys() != {*self.dimensions, *self.properties}:
            raise TypeError(f"{self.name} has other dimensions and properties than {sorted(values)}")
        emitted = AmazonCloudWatchEMFProvider(namespace=NAMESPACE)
        emitted.add_metric(self.name, self.unit, value)
        emitted.add_dimension(SERVICE, settings.Telemetry.read().service)
        for name in self.dimensions:
            emitted.add_dimension(name, values[name])
        for name in self.properties:
            emitted.add_metadata(name, values[name])
        emitted.flush_metrics()


EMAILS_RECEIVED = Metric(
    "EmailsReceived",
    MetricUnit.Count,
    "Emails whose execution StartFunction started; a repeated event while it runs counts again",
)
STRAY_OBJECTS = Metric(
    "StrayObjects",
    MetricUnit.Count,
    "Objects under `inbound/` that belong to no route, and under `answers/` that are no answers",
)
EMAILS_ACCEPTED = Metric(
    "EmailsAccepted", MetricUnit.Count, "Emails that passed every rule of the policy", properties=("route",)
)
EMAILS_REFUSED = Metric(
    "EmailsRefused",
    MetricUnit.Count,
    "Emails that a rule of the policy refused; `reason` is its code (policy.md)",
    properties=("route", "reason"),
)
EMAILS_QUARANTINED = Metric(
    "EmailsQuarantined",
    MetricUnit.Count,
    "Emails that could not be read or checked; the operators get an alert for each one whose sender SES authenticated",
    properties=("route",),
)
EMAILS_WITHHELD = Metric(
    "EmailsWithheld",
    MetricUnit.Count,
    "Accepted emails that get no reply; `reason` is the code of the rule that withholds it (policy.md). "
    "Later answers do not count",
    properties=("route", "reason"),
)
REPLIES_BOUNDED = Metric(
    "RepliesBounded",
    MetricUnit.Count,
    "Replies and refusals that were not sent, because their sender or its domain got as many as the route allows",
    properties=("route",),
)
REPLIES_SENT = Metric(
    "RepliesSent",
    MetricUnit.Count,
    f"Replies that SES accepted; `kind` is one of {', '.join(f'`{kind}`' for kind in ReplyKind)}",
    dimensions=("kind",),
)
TIME_TO_REPLY = Metric(
    "TimeToReply",
    MetricUnit.Milliseconds,
    "From SES's own time of receipt until SES accepted the answer",
    properties=("route",),
)
SENDERS_SUPPRESSED = Metric("SendersSuppressed", MetricUnit.Count, "Addresses that a bounce or complaint suppressed")
FEEDBACK_UNREAD = Metric("FeedbackUnread", MetricUnit.Count, "Bounces and complaints that could not be read")
INDEX_GAPS_FILLED = Metric(
    "IndexGapsFilled",
    MetricUnit.Count,
    "Entries that SweepFunction corrected in the index, because a status event was lost",
)
SWEEPS_UNFINISHED = Metric(
    "SweepsUnfinished",
    MetricUnit.Count,
    "Runs of SweepFunction that ended before they had compared everything with the index; 0 for one that finished",
)

ALL = (
    EMAILS_RECEIVED,
    STRAY_OBJECTS,
    EMAILS_ACCEPTED,
    EMAILS_REFUSED,
    EMAILS_QUARANTINED,
    EMAILS_WITHHELD,
    REPLIES_BOUNDED,
    REPLIES_SENT,
    TIME_TO_REPLY,
    SENDERS_SUPPRESSED,
    FEEDBACK_UNREAD,
    INDEX_GAPS_FILLED,
    SWEEPS_UNFINISHED,
)
