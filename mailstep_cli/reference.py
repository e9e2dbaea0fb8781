"""What docs/ says of the code, made from the code (`python -m mailstep_cli.reference docs`)."""

import json
import sys
from pathlib import Path

from mailstep.contracts import (
    Address,
    Answer,
    ApplicationRequest,
    Attachment,
    Contract,
    DeliveryReport,
    Message,
    QueueItem,
    ReportedRecipient,
    Verdicts,
)
from mailstep.metrics import ALL, NAMESPACE
from mailstep.mime.defects import Defect
from mailstep.outcomes import APPLICATION_REFUSED
from mailstep.routes import Route
from mailstep.validate.policy import RULES

_POLICY = """# Who is answered

Made by `make reference` from `functions/mailstep/validate/policy.py`. The first rule that a message breaks decides.

- **Told**: the sender gets a short reply that says what to do; the execution ends with the outcome `refused`.
- **Silent**: nobody is written to; the outcome is `silent`.

Either way the code is the `reason` in the execution's output, a dimension of the metric `EmailsRefused`, and what
`mailstep demo` and `mailstep history` show. Nothing at all is sent to a From address that neither DMARC, nor SPF or
DKIM in its name, vouches for.

| | code | a message that | sender | source, or the route's setting |
| --- | --- | --- | --- | --- |"""
_SETTINGS = f"""
Beyond the rules, `{APPLICATION_REFUSED}` is the reason where your application answered 4xx.

To see a rule work, send one message to a local account (`mailstep up`). Its SES finds what the sender's domain says:
`ann@spam.simulator.example`, and `virus.`, `spf.`, `dkim.` and `dmarc.` likewise, alone or together. Mail from
`ann@spf.dkim.dmarc.simulator.example` is `unauthenticated`; with any one of the three left out it is not. A reply to
`ann@bounce.simulator.example` bounces, one to `ann@complaint.simulator.example` is complained about: the next message
from there is from a `suppressed_sender`.

## What a route can set

In `functions/routes.toml`, below `[routes.<name>]`.

| setting | default | meaning |
| --- | --- | --- |"""

_METRICS = f"""# The metrics

Made by `make reference` from `functions/mailstep/metrics.py`. The namespace is `{NAMESPACE}`; `service` is the name of
the stack. CloudWatch adds nothing up: ask for a metric under one of its dimension sets, with a value for each dimension
of the set, or with a `SEARCH` that leaves values open. Each combination of values is a custom metric, which costs
something each month ([costs.md](costs.md)). Alarms and dashboard (`template.yaml`) watch all of them.

| metric | unit | dimension sets | what it counts |
| --- | --- | --- | --- |"""
_TIME_TO_REPLY = """
## What TimeToReply is

The time that a sender waited for the answer: from when SES received the email, by SES's own Received field, until SES
accepted the reply. All waiting in between is in it: the queue, cold starts, retries, an application that was down
(`WaitForApplication`) or that pulls, and the time until a failed execution was redriven. It does not count

- replays (`mailstep replay`), which answer when the operator wants it;
- refusals and the notices of a delay or a failure, which are `RepliesSent` of their kinds;
- an answer that was on record already, which is not sent again;
- mail without SES's fields on top: its time of receipt is not known.
"""

PUBLISHED: dict[str, type[Contract]] = {
    "message": Message,
    "answer": Answer,
    "application-request": ApplicationRequest,
    "queue-item": QueueItem,
}


def schema(name: str) -> str:
    """The text of docs/schemas/<name>.json."""
    return json.dumps(PUBLISHED[name].model_json_schema(mode="serialization"), indent=2) + "\n"


def field_tables() -> str:
    """The text of docs/message.md: every field of the Message, with its RFC, and every defect with its meaning."""
    made = "Made by `make reference` from `functions/mailstep/contracts.py` and `functions/mailstep/mime/defects.py`."
    lines = ["# The Message, field by field", "", made, ""]
    for model in (Message, Address, Attachment, Verdicts, DeliveryReport, ReportedRecipient):
        lines += [f"## {model.__name__}", "", (model.__doc__ or "").strip(), "", "| field | meaning |", "| --- | --- |"]
        lines += [f"| `{f.alias or name}` | {f.description} |" for name, f in model.model_fields.items()]
        lines.append("")
    lines += ["## Defect", "", (Defect.__doc__ or "").strip(), "", "| code | meaning |", "| --- | --- |"]
    lines += [f"| `{defect}` | {defect.means} |" for defect in Defect]
    lines.append("")
    return "\n".join(lines)


def rule_table() -> str:
    """The text of docs/policy.md: every rule in order, and what a route can set."""
    rules = [
        f"| {number} | `{rule.code}` | {rule.means} | {'told' if rule.tell_sender else 'silent'} | {rule.source} |"
        for number, rule in enumerate(RULES, start=1)
    ]
    settings = [
        f"| `{name}` | {_shown(field.get_default(call_default_factory=True))} | {field.description or ''} |"
        for name, field in Route.model_fields.items()
    ]
    return "\n".join([_POLICY, *rules, _SETTINGS, *settings, ""])


def metric_table() -> str:
    """The text of docs/metrics.md: every metric, and what the one of the latency alarm is."""
    rows = [
        f"| `{metric.name}` | {metric.unit.value} | "
        f"{'; '.join(', '.join(f'`{name}`' for name in one) for one in metric.dimension_sets)} | {metric.means} |"
        for metric in ALL
    ]
    return "\n".join([_METRICS, *rows, _TIME_TO_REPLY])


def _shown(default: object) -> str:
    return f"`{json.dumps(default)}`" if default not in ("", ()) else ""


def publish(docs: Path) -> None:
    """Write docs/schemas/, docs/message.md, docs/policy.md and docs/metrics.md."""
    for name in PUBLISHED:
        (docs / "schemas" / f"{name}.json").write_text(schema(name))
    (docs / "message.md").write_text(field_tables())
    (docs / "policy.md").write_text(rule_table())
    (docs / "metrics.md").write_text(metric_table())


if __name__ == "__main__":
    publish(Path(sys.argv[1]))
