"""Renders outcomes, replies, routes and findings for the terminal, with rich."""

from collections.abc import Sequence
from email import message_from_bytes, policy
from email.message import EmailMessage
from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import rich.text
from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.rule import Rule
from rich.table import Table

from mailstep import keys
from mailstep.contracts import Message
from mailstep.outcomes import Outcome
from mailstep.process.processors.tables.model import Table as SummarisedTable
from mailstep.texts.speaking import say
from mailstep.validate.policy import MEANINGS
from mailstep_cli.doctor.findings import Result
from mailstep_cli.routing import Checked, unset_url
from mailstep_cli.terminal import Text, counted
from mailstep_cli.timeline_view import timeline_table, withheld_reply

if TYPE_CHECKING:
    from collections import Counter

    from mailstep_cli import demo
    from mailstep_cli.processing import Processed
    from mailstep_cli.stored_mail import Started
    from mailstep_cli.verify.experiments import Experiment

_COLUMNS_SHOWN = 12
_WAITS = {
    "WaitForApplication": "The application is unavailable. The workflow keeps trying (docs/applications.md).",
    "QueueEmail": "The email waits in the application's queue for its consumer (docs/applications.md, By queue).",
}
"""What the slow states wait for."""
_SIGNS = {"ok": ("✓", "green"), "warning": ("!", "yellow"), "fault": ("✗", "red"), "unknown": ("\N{EN DASH}", "dim")}


def demo_view(result: "demo.Result") -> RenderableType:
    """A message's outcome, its timeline, and the reply."""
    shown: list[RenderableType] = [Rule(Text.assemble((str(result.file), "bold"), f": {result.outcome}"), align="left")]
    if result.execution_arn and result.timeline:
        shown.append(timeline_table(result.timeline, title=result.execution_arn.rpartition(":")[2]))
    else:
        shown.append(
            Text("No execution started within --timeout. The run's directory has the log, cloud.log.", style="red")
        )
    if result.status == "RUNNING" and result.timeline:
        waits = _WAITS.get(result.timeline.states[-1].name, "")
        shown.append(Text(f"Not done within --timeout. {waits}".strip(), style="yellow"))
    if result.reply:
        reply = message_from_bytes(result.reply.read_bytes(), _class=EmailMessage, policy=policy.default)
        shown += [_unwrapped(f"Reply: {result.reply}"), reply_view(reply)]
    return Group(*shown)


def process_view(processed: "Processed") -> RenderableType:
    """How a message ends, what the sender reads of it, and which rules were left out."""
    title = Text.assemble((str(processed.file), "bold"), f": {processed.outcome}")
    shown: list[RenderableType] = [Rule(title, align="left")]
    if processed.answer and not processed.reason:
        until = f", until {processed.until_set} is set" if processed.until_set else ""
        shown.append(Text(f"Answered by the processor {processed.processor}{until}."))
    if processed.reason:
        shown.append(Text(f"{processed.reason}: {MEANINGS[processed.reason]}"))
    if processed.automatic_by:
        shown.append(Text(f"It is automatic mail by {', '.join(processed.automatic_by)}."))
    if processed.reply:
        files = [part for part in processed.reply.walk() if part.get_filename()]
        shown += [reply_view(processed.reply), *map(_file_view, files)]
    elif processed.answer and processed.withheld:
        shown += [Text(f"No reply: {withheld_reply(processed.withheld)}. The answer:"), Text(processed.answer.text)]
    elif processed.outcome == Outcome.PROCESSED:
        shown.append(Text("No reply: the processor asked for none."))
    shown.append(Text(f"Rules not applied offline: {', '.join(processed.rules_not_applied)}", style="dim"))
    return Group(*shown)


def _file_view(part: EmailMessage) -> RenderableType:
    kind = "Picture" if part.get_content_disposition() == "inline" else "Attachment"
    size = len(cast("bytes", part.get_payload(decode=True)))
    return Text(f"{kind}: {part.get_filename()} ({part.get_content_type()}, {counted(size, 'octet')})")


def reply_view(reply: EmailMessage) -> RenderableType:
    """A reply as its reader sees it: From, To, Subject and the text."""
    return Panel(Text(_reply_text(reply)), expand=False)


def _reply_text(reply: EmailMessage) -> str:
    body = reply.get_body(("plain",))
    fields = "".join(f"{name}: {reply[name]}\n" for name in ("From", "To", "Subject"))
    return f"{fields}\n{body.get_content().rstrip() if body else ''}"


def places_view(places: dict[str, Any], variables: dict[str, str]) -> RenderableType:
    """Where everything in a local account is, and the variables that point an AWS client at it."""
    rows = []
    for name, place in places.items():
        listed = [f"{key}: {value}" for key, value in place.items()] if isinstance(place, dict) else place
        shown = listed if isinstance(listed, list) else [listed]
        rows += [f"  {label:18} {value}" for label, value in zip_longest([name], shown, fillvalue="")]
    exports = [f"  export {name}={value}" for name, value in variables.items()]
    first = "Then send it a message, and see what becomes of it: mailstep send FILE.eml, mailstep list"
    return Group(
        Text.assemble(("The local account is running.", "bold"), " Press Ctrl-C to stop everything.\n"),
        _unwrapped("\n".join([*rows, "", "Point any AWS client at it:", "", *exports, "", first])),
    )


def _unwrapped(text: str) -> RenderableType:
    """Text to copy, without line wrapping (print it with crop=False; a bare Text would be wrapped)."""
    return Group(Text(text, no_wrap=True, overflow="ignore"))


def result_view(result: Result) -> rich.text.Text:
    """One line for each check, with the remedy below a fault or warning."""
    sign, style = _SIGNS[result.finding.state]
    line = Text().append(f"{sign} ", style=style)
    line.append(f"{result.name:16} ", style="bold")
    line.append(result.finding.detail)
    if result.finding.remedy:
        line.append(f"\n  → {result.finding.remedy}", style="yellow")
    return line


def routes_view(checked: Checked) -> RenderableType:
    """Each route with its processor and its senders; and the deploy parameter for the domain, if it is known."""
    table = Table(box=None, header_style="bold", pad_edge=False)
    for title in ("Route", "Prefix", "Processed by", "Senders"):
        table.add_column(title, overflow="fold")
    for name, route in checked.routes.items():
        queue = route.queue.rpartition("/")[2]
        worker = route.url or (f"queue {queue}" if queue else f"processor {route.processor}")
        if unset := unset_url(checked.declared[name], route):
            worker += f", until {unset} is set"
        senders = ", ".join(route.allowed_senders) or "all authenticated"
        shown = f"{name} (catch-all)" if route.catch_all else name
        table.add_row(*map(Text, (shown, keys.inbound(name), worker, senders)))
    catch_all = f" CatchAllRoute={checked.catch_all}" if checked.catch_all else ""
    names = ",".join(checked.with_rules_of_their_own)
    said = [f"Read from {checked.file}; receiving.yaml takes them as Routes={names}{catch_all}"]
    if checked.domain:
        said.append(f"A route is the address <route>@{checked.domain}; deploy with Domain={checked.domain}")
    return Group(table, _unwrapped("\n".join(said)))


def tables_view(path: Path, tables: Sequence[SummarisedTable], rows: int) -> RenderableType:
    """The tables of a file: how each was read, its columns with their kinds, and its first rows."""
    shown: list[RenderableType] = [Rule(Text(path.name))]
    for table in tables:
        told = [say("counts.rows", count=table.rows), say("counts.columns", count=len(table.columns))]
        told += [table.encoding or "", f"delimiter {table.delimiter!r}" if table.delimiter else ""]
        told += ["" if table.header else "no header"]
        shown.append(Text(f"{table.name}: {', '.join(part for part in told if part)}"))
        shown += [Text(f"  {note}") for note in table.notes]
        view = Table(box=None, padding=(0, 2, 0, 0))
        for column in table.columns[:_COLUMNS_SHOWN]:
            number = column.kind == "number"
            view.add_column(Text(f"{column.name[:40]}\n{column.kind}"), justify="right" if number else "left")
        for row in table.body[:rows]:
            view.add_row(*(Text(" ".join(cell.split())[:40]) for cell in row[:_COLUMNS_SHOWN]))
        shown.append(view)
    return Group(*shown)


def message_view(title: str, message: Message) -> RenderableType:
    """A parsed message: its fields, text, attachments and defects."""
    fields = Table(box=None, show_header=False, pad_edge=False)
    fields.add_column(style="bold")
    fields.add_column(overflow="fold")
    for name, value in _shown_fields(message):
        if value:
            fields.add_row(name, Text(value))
    body = Text(message.text or "(no text; HTML only)" if message.html else message.text, overflow="fold")
    return Group(Rule(Text(title), align="left"), fields, Text(), body)


def _shown_fields(message: Message) -> list[tuple[str, str]]:
    people = {"From": message.from_, "To": message.to, "Cc": message.cc, "Reply-To": message.reply_to}
    named = [(name, ", ".join(f"{a.name} <{a.address}>".strip() for a in found)) for name, found in people.items()]
    attached = [
        f"{a.filename} ({a.media_type}, {counted(a.size_octets, 'octet')}{', inline' if a.inline else ''})"
        for a in message.attachments
    ]
    report = message.delivery_report
    return [
        *named,
        ("Subject", message.subject),
        ("Date", message.date.isoformat() if message.date else message.date_raw or ""),
        ("Message-ID", message.message_id or ""),
        ("Signed", message.signed or ""),
        ("Encrypted", message.encrypted or ""),
        ("Delivery report", "; ".join(f"{r.final_recipient}: {r.status}" for r in report.recipients) if report else ""),
        ("Attachments", "\n".join(attached)),
        ("Defects", "\n".join(defect.means for defect in message.defects)),
    ]


def started_view(ended: "Started") -> RenderableType:
    """What became of the stored messages of a route."""
    said = f"Started: {counted(ended.started, 'execution')}. Started before: {counted(ended.already_there, 'message')}."
    if ended.too_old:
        said += (
            f" Left out: {counted(ended.too_old, 'message')} from more than 80 days ago. Nothing tells any more "
            "whether mail of that age was processed."
        )
    return Text(said)


def plan_view(stack: str, resources: "Counter[str]", chosen: dict[str, "Experiment"]) -> RenderableType:
    """What `mailstep verify-aws` would do."""
    made = ", ".join(f"{count} {kind}" if count > 1 else kind for kind, count in sorted(resources.items()))
    rows = [f"  {name:16} {(experiment.__doc__ or '').strip()}" for name, experiment in chosen.items()]
    return Text("\n".join([f"Create the stack {stack}: {made}.", "", *rows, "", f"Delete the stack {stack}."]))
