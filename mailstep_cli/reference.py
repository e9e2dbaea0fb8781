"""Generates the reference pages in docs/ from the code (`python -m mailstep_cli.reference docs`)."""

import json
import sys
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from mailstep.contracts import (
    Address,
    Answer,
    ApplicationRequest,
    Attachment,
    DeliveryReport,
    EnclosedMessage,
    Message,
    QueueItem,
    Recipient,
    ReportedRecipient,
    TextKind,
    Verdicts,
)
from mailstep.index_entry import IndexEntry
from mailstep.metrics import ALL, NAMESPACE, SERVICE
from mailstep.mime.defects import Defect
from mailstep_cli.limits_page import limits_page
from mailstep_cli.outputs import OUTPUTS
from mailstep_cli.parameters_page import parameters_page
from mailstep_cli.policy_page import policy_page
from mailstep_cli.related import History
from mailstep_cli.showing import ShownEmail
from mailstep_cli.statistics import Statistics
from mailstep_cli.verify.facts import FACTS

_REPLIES = """## What `reply_text` leaves out

`text` is divided into `reply_text`, `signature` and `quoted_text`. Every line of `reply_text` is a line of `text`, or
the beginning of one, in order. Only white space at the end of a line goes, and empty lines at both ends. If Mailstep
is not certain that something is history, it keeps it. These are history:

- quoted lines (`> `) at the end of the text, and those that a mail client introduces ("On ..., Bob wrote:");
- all that follows such an introduction without quote marks, a header as Outlook writes it (From, Sent, To, Subject),
  a line such as `-----Original Message-----`, or a helpdesk's "reply above this line". Mailstep knows these in 18
  languages and more.

Some things are a matter of taste. Mailstep decides them so:

- A greeting or a name at the end ("Regards, Ann", "-Ann") belongs to the reply. The signature is what follows `-- `,
  the line of a telephone or an app ("Sent from my iPhone"), a mailing list's footer, or what Gmail, Thunderbird or
  Proton Mail mark as one. `--` without its space begins a signature of at most ten lines.
- Text below the line of a telephone is kept.
- If the reply stands below one quote, the quote is left out. If the sender answers two or more quotes one by one,
  those that are answered stay, and what introduces them is left out.
- A quote that no mail client introduced stays if text follows it. A text that is only such a quote stays as well.
- A message that is handed on stays whole, with the comment above it: after "Forwarded message" and the like, a header
  that nothing stands above, or a header below a subject that begins with `Fwd:`, `WG:` or the like.
- If "On ..., Bob wrote:" comes first and what follows has no quote marks, only that line is left out: the sender may
  have answered below.
- A form ("From: Berlin", "To: Paris") is no header. Nor is a header as it was sent, with Received or Message-ID.
- A signature that stands alone is the reply.
- The text of a delivery report is not divided.

HTML that has no text beside it is written as text, as a reader sees it: block quotes as lines that begin with `> `,
list items with `- ` or a number, cells separated by a tab, the text of links. What the HTML hides is left
out: comments, the attribute `hidden`, and elements whose style attribute shows nothing (`display: none`, letters of
size 0, and the like). Style sheets are not read.
"""

_METRICS = f"""# The metrics

`make reference` generates this page from `functions/mailstep/metrics.py`. The namespace is `{NAMESPACE}`. Every metric
has the dimension `{SERVICE}`, which is the name of the stack. CloudWatch does not aggregate over dimensions: query a
metric with a value for each of its dimensions, or with a `SEARCH` that leaves values open. Each combination of values
is a custom metric with a monthly price ([costs.md](costs.md)). The alarms and the dashboard (`template.yaml`) watch
all of them.

A property costs nothing more: it stands beside the value in the log line. The dashboard counts by it with CloudWatch
Logs Insights, for example `filter EmailsRefused.0 > 0 | stats sum(EmailsRefused.0) by reason`. (The value is the first
of a list.)

| metric | unit | dimensions | properties | what it counts |
| --- | --- | --- | --- | --- |"""
_FACTS = """# What we rely on

`make reference` generates this page from `mailstep_cli/verify/facts.py`. It lists each behaviour of AWS that the design
relies on: AWS's page that says so, the tests that show it in the local account, and the command that shows it on AWS.
The people who built Mailstep had no AWS account. If you have one, run

```console
$ mailstep verify-aws --dry-run
$ mailstep verify-aws
```

The first prints what the second does. The second creates a stack of its own, `mailstep-verify`, tries each experiment
in it, prints what AWS answered, and removes the stack. It takes about five minutes and costs a few cents. Add
`--receiving` in a Region where SES receives mail. Other commands of the table need a deployed stack: `$BUCKET` is its
MailBucketName.

| what | AWS's behaviour, and its source | shown locally by | on AWS |
| --- | --- | --- | --- |"""
_TIME_TO_REPLY = """
## TimeToReply

TimeToReply is the time that a sender waited for the reply: from when SES received the email, by SES's own Received
field, until SES accepted the reply. It includes all waiting in between: the queue, cold starts, retries, an
application that was down (`WaitForApplication`) or that pulls, and the time until a failed execution was redriven.
It does not count

- replays (`mailstep replay`), because the operator chooses their time;
- refusals and notices of a delay or a failure, which `RepliesSent` counts by kind;
- an answer that is already recorded as sent, because it is not sent again;
- mail without SES's fields on top, because its time of receipt is unknown.
"""

PUBLISHED: dict[str, Any] = {
    "message": Message,
    "answer": Answer,
    "application-request": ApplicationRequest,
    "queue-item": QueueItem,
    "index-entry": IndexEntry,
    "shown-email": ShownEmail,
    "statistics": Statistics,
    "history": History,
    **OUTPUTS,
}


def schema(name: str) -> str:
    """The text of docs/schemas/<name>.json."""
    return json.dumps(TypeAdapter(PUBLISHED[name]).json_schema(mode="serialization"), indent=2) + "\n"


def field_tables() -> str:
    """The text of docs/message.md: every field of the Message, with its RFC, and every defect with its meaning."""
    made = (
        "`make reference` generates this page from `functions/mailstep/contracts.py` and "
        "`functions/mailstep/mime/defects.py`."
    )
    lines = ["# The Message, field by field", "", made, ""]
    for model in (
        Message,
        Recipient,
        Address,
        Attachment,
        EnclosedMessage,
        Verdicts,
        DeliveryReport,
        ReportedRecipient,
    ):
        lines += [f"## {model.__name__}", "", (model.__doc__ or "").strip(), "", "| field | meaning |", "| --- | --- |"]
        lines += [f"| `{f.alias or name}` | {f.description} |" for name, f in model.model_fields.items()]
        lines.append("")
    lines += [_REPLIES, "## TextKind", "", (TextKind.__doc__ or "").strip(), "", "| code | meaning |", "| --- | --- |"]
    lines += [f"| `{kind}` | {kind.means} |" for kind in TextKind]
    lines += ["", "## Defect", "", (Defect.__doc__ or "").strip(), "", "| code | meaning |", "| --- | --- |"]
    lines += [f"| `{defect}` | {defect.means} |" for defect in Defect]
    lines.append("")
    return "\n".join(lines)


def metric_table() -> str:
    """The text of docs/metrics.md: every metric, and the definition of TimeToReply."""
    rows = [
        f"| `{metric.name}` | {metric.unit.value} | {_listed((SERVICE, *metric.dimensions))} | "
        f"{_listed(metric.properties)} | {metric.means} |"
        for metric in ALL
    ]
    return "\n".join([_METRICS, *rows, _TIME_TO_REPLY])


def fact_table() -> str:
    """The text of docs/aws-facts.md: every behaviour of AWS that the design relies on."""
    rows = []
    for fact in FACTS:
        shown = ", ".join(f"`{test}`" for test in fact.tests) or "only on AWS"
        if fact.experiment and not fact.local:
            shown += "; the experiment passes only on AWS"
        on_aws = f"`{fact.on_aws}`".replace("|", "\\|") if fact.on_aws else ""
        rows.append(f"| {fact.name} | {fact.says}. {fact.link} | {shown} | {on_aws} |")
    return "\n".join([_FACTS, *rows, ""])


def _listed(names: tuple[str, ...]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def publish(docs: Path) -> None:
    """Write docs/schemas/, and docs/message.md, policy.md, metrics.md, limits.md, parameters.md and aws-facts.md."""
    for name in PUBLISHED:
        (docs / "schemas" / f"{name}.json").write_text(schema(name))
    (docs / "message.md").write_text(field_tables())
    (docs / "policy.md").write_text(policy_page())
    (docs / "metrics.md").write_text(metric_table())
    (docs / "limits.md").write_text(limits_page())
    (docs / "parameters.md").write_text(parameters_page(docs.parent))
    (docs / "aws-facts.md").write_text(fact_table())


if __name__ == "__main__":
    publish(Path(sys.argv[1]))
