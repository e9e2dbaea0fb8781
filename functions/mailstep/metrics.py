"""Defines each metric once: name, unit and dimension sets. A test compares alarms, dashboard and docs with them.

CloudWatch does not aggregate over dimensions: an alarm sees exactly the dimension set that was emitted (Amazon
CloudWatch User Guide, "Dimensions"). Each combination of values is a custom metric, at 0.30 USD a month. So a metric
has only the sets that an alarm or the dashboard watches.
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
    """One metric. `dimension_sets` are the sets under which each value is emitted, `SERVICE` in each of them."""

    name: str
    unit: MetricUnit
    dimension_sets: tuple[tuple[str, ...], ...]
    means: str

    def emit(self, value: float = 1, **dimensions: str) -> None:
        """Write one value to standard output, in CloudWatch's embedded metric format, at once.

        Nothing is buffered, so a later error or the environment's next invocation cannot change what was emitted.

        Args:
            value: In the metric's unit.
            dimensions: The values of all dimensions but `SERVICE`.

        Raises:
            TypeError: A dimension is missing, or is not one of this metric's.
        """
        values = {SERVICE: settings.Telemetry.read().service} | dimensions
        if values.keys() != set().union(*self.dimension_sets):
            raise TypeError(f"{self.name} has other dimensions than {sorted(dimensions)}")
        first, *further = self.dimension_sets
        emitted = AmazonCloudWatchEMFProvider(namespace=NAMESPACE)
        emitted.add_metric(self.name, self.unit, value)
        for name in first:
            emitted.add_dimension(name, values[name])
        for one in further:
            emitted.add_dimensions(**{name: values[name] for name in one})
        emitted.flush_metrics()


EMAILS_RECEIVED = Metric(
    "EmailsReceived",
    MetricUnit.Count,
    ((SERVICE,),),
    "Emails whose execution StartFunction started; a repeated event while it runs counts again",
)
STRAY_OBJECTS = Metric(
    "StrayObjects", MetricUnit.Count, ((SERVICE,),), "Objects under `inbound/` that belong to no route"
)
EMAILS_ACCEPTED = Metric(
    "EmailsAccepted", MetricUnit.Count, ((SERVICE, "route"),), "Emails that passed every rule of the policy"
)
EMAILS_REFUSED = Metric(
    "EmailsRefused",
    MetricUnit.Count,
    ((SERVICE, "route", "reason"),),
    "Emails that a rule of the policy refused; `reason` is its code (policy.md)",
)
REPLIES_SENT = Metric(
    "RepliesSent",
    MetricUnit.Count,
    ((SERVICE, "kind"),),
    f"Replies that SES accepted; `kind` is one of {', '.join(f'`{kind}`' for kind in ReplyKind)}",
)
TIME_TO_REPLY = Metric(
    "TimeToReply",
    MetricUnit.Milliseconds,
    # Also without the route: an alarm cannot aggregate percentiles.
    ((SERVICE, "kind"), (SERVICE, "kind", "route")),
    f"From SES's own time of receipt until SES accepted the answer; `kind` is `{ReplyKind.ANSWER}`",
)
SENDERS_SUPPRESSED = Metric(
    "SendersSuppressed", MetricUnit.Count, ((SERVICE,),), "Addresses that a bounce or complaint suppressed"
)
FEEDBACK_UNREAD = Metric(
    "FeedbackUnread",
    MetricUnit.Count,
    ((SERVICE,),),
    "Parts of bounces and complaints, one recipient or the whole event, that could not be read",
)

ALL = (
    EMAILS_RECEIVED,
    STRAY_OBJECTS,
    EMAILS_ACCEPTED,
    EMAILS_REFUSED,
    REPLIES_SENT,
    TIME_TO_REPLY,
    SENDERS_SUPPRESSED,
    FEEDBACK_UNREAD,
)
