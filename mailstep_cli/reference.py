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
from mailstep.outcomes import APPLICATION_REFUSED
from mailstep.route import Route
from mailstep.validate.effects import Effect, Overridden
from mailstep.validate.policy import RULES, Rule
from mailstep_cli.limits_page import limits_page
from mailstep_cli.outputs import OUTPUTS
from mailstep_cli.parameters_page import parameters_page
from mailstep_cli.related import History
from mailstep_cli.showing import ShownEmail
from mailstep_cli.statistics import Statistics
from mailstep_cli.verify.facts import FACTS

_POLICY = """# Who is processed, and who is replied to

`make reference` generates this page from `functions/mailstep/validate/policy.py`. Mailstep asks two questions of a
message: does it process it, and does it reply? RFC 3834 forbids responses to automatic mail, not work. So each rule has
one of three effects on a message that breaks it:

| effect | the message | the sender | outcome |
| --- | --- | --- | --- |
| **told** | is not processed | gets a short reply that says what to do | `refused` |
| **silent** | is not processed | gets no reply | `silent` |
| **withheld** | is processed; the application knows that no reply follows | gets no reply and no notice | `processed` |

The first rule that refuses the message decides, told or silent. Its code is the `reason` in the execution's output and
in the log line of the metric `EmailsRefused`. The code of the first rule that withholds the reply is `withheld` in the
output, in the application's request or queue item, and the `reason` of the metric `EmailsWithheld`. A message whose
reply is withheld is still checked by the other rules, and a rule that would tell the sender is then silent.
`mailstep demo` and `mailstep history` show both codes. Mailstep never sends to a From address that neither DMARC nor
aligned SPF or DKIM authenticates.

An operator can override a rule for one message: `mailstep replay NAME --override CODE`. The column *override* says what
happens then.

| | code | reason | effect | override | source, or the route's setting |
| --- | --- | --- | --- | --- | --- |"""
_EFFECTS = {Effect.TELL: "told", Effect.REFUSE: "silent", Effect.WITHHOLD: "withheld"}
_OVERRIDES = {
    Overridden.PROCESS: "processed, replied to",
    Overridden.WITHHOLD: "processed, no reply",
    Overridden.NEVER: "no",
}
_SETTINGS = f"""
One more reason is `{APPLICATION_REFUSED}`: your application answered 4xx with a reason.

## Which files the rules see

`max_attachments` and `attachment_types` are about the files that somebody attached (`attached` in
[message.md](message.md)). Pictures that the HTML shows, signatures, alternatives and calendar parts do not count, nor
do pictures that a winmail.dat marks as part of its text. With `read_enclosed`, the files of an attached message count
too: your application gets them as it gets the others.

Programs and macros are looked for in every part, attached or not, and in ZIP archives, office documents among them, two
archives deep; and in documents of Office 97 to 2003. Names and labels hide none of them: the first octets of a file
tell, within archives too. Nor do headers of an archive that programs read differently, or an archive behind
another one. Macros are VBA and the macro sheets of Excel 4.0, these also in an encrypted workbook: Excel opens one with
its default password without asking. A document has them if a part's name or its type says so, also if it is a text that
Word opens (a page of one file, XML). A program that somebody put into a document as an object counts, too.

Mailstep does not look into PDF, HTML, SVG, RTF and OneNote: scripts and files in them are no reason to refuse. Nor does
it open DOCX, XLSX and PPTX that are encrypted, whatever the password.
The names in an encrypted ZIP archive are readable, so a program in it is refused too. What is in other
archives (7z, RAR, tar), or in an archive within an encrypted one, cannot be seen. A route accepts such files, because
people encrypt what is private, and Mailstep neither unpacks nor runs them. If your application does not want them, list
the types that it takes in `attachment_types`.

## See a rule work

To see a rule work, send a message to a local account (`mailstep up`). The sender's domain tells its SES which
checks fail: `ann@spam.simulator.example` is spam, and `virus.`, `spf.`, `dkim.` and `dmarc.` work alike, alone or
together. A label can also name the result: `spam-gray.`, `virus-processing-failed.`, `spf-softfail.`, `dkim-none.`.
With `-absent`, SES says nothing about that check.

Mail from `ann@spf.dkim.dmarc.simulator.example` is `unauthenticated`; if you leave out any of the three, it is
authenticated. A reply to `ann@bounce.simulator.example` bounces, and a reply to `ann@complaint.simulator.example`
brings a complaint. The reply to the next message from either address is withheld as `suppressed_sender`.

## Settings of a route

Write them below `[routes.<name>]`, in `functions/custom/routes.toml` if you have one, else in
`functions/routes.toml`.

| setting | default | meaning |
| --- | --- | --- |"""

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


def rule_table() -> str:
    """The text of docs/policy.md: every rule in order, and the settings of a route."""
    rules = [
        f"| {number} | `{rule.code}` | {rule.means} | {_effect(rule)} | {_OVERRIDES[rule.override]} | {rule.source} |"
        for number, rule in enumerate(RULES, start=1)
    ]
    settings = [
        f"| `{name}` | {_shown(field.get_default(call_default_factory=True))} | {field.description or ''} |"
        for name, field in Route.model_fields.items()
    ]
    return "\n".join([_POLICY, *rules, _SETTINGS, *settings, ""])


def _effect(rule: Rule) -> str:
    usual = _EFFECTS[rule.effect]
    if rule.setting is None:
        return usual
    return f"{usual}; {_EFFECTS[rule.setting.effect]} with `{rule.setting.name} = {json.dumps(rule.setting.value)}`"


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


def _shown(default: object) -> str:
    return f"`{json.dumps(default)}`" if default not in ("", ()) else ""


def publish(docs: Path) -> None:
    """Write docs/schemas/, and docs/message.md, policy.md, metrics.md, limits.md, parameters.md and aws-facts.md."""
    for name in PUBLISHED:
        (docs / "schemas" / f"{name}.json").write_text(schema(name))
    (docs / "message.md").write_text(field_tables())
    (docs / "policy.md").write_text(rule_table())
    (docs / "metrics.md").write_text(metric_table())
    (docs / "limits.md").write_text(limits_page())
    (docs / "parameters.md").write_text(parameters_page(docs.parent))
    (docs / "aws-facts.md").write_text(fact_table())


if __name__ == "__main__":
    publish(Path(sys.argv[1]))
