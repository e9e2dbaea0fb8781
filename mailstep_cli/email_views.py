"""Renders emails of the index for the terminal: one a line, one in full, and counted."""

from datetime import datetime
from typing import TYPE_CHECKING

from rich.console import Group, RenderableType
from rich.rule import Rule
from rich.table import Table

from mailstep import reference
from mailstep.outcomes import RUNNING, UNKNOWN, Outcome
from mailstep.validate.policy import MEANINGS
from mailstep_cli import display
from mailstep_cli.terminal import Text, counted
from mailstep_cli.timeline_view import withheld_reply

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from mailstep.contracts import Answer, Message
    from mailstep.index_entry import IndexEntry
    from mailstep_cli.outbox import Sent
    from mailstep_cli.showing import Ruling, ShownEmail
    from mailstep_cli.statistics import Statistics

_COLOURS: dict[str, str] = {
    Outcome.REPLIED: "green",
    Outcome.PROCESSED: "green",
    Outcome.REFUSED: "yellow",
    Outcome.SILENT: "dim",
    Outcome.QUARANTINED: "magenta",
    Outcome.FAILED: "bold red",
    RUNNING: "cyan",
    UNKNOWN: "dim",
}
_SPARKS = "▁▂▃▄▅▆▇█"
_SIGNS = {"passes": ("✓", "green"), "broken": ("✗", "red"), "not asked": ("\N{EN DASH}", "dim")}


def emails_view(entries: "Sequence[IndexEntry]") -> RenderableType:
    """One line an email: when, how it ended, the time to reply, its reference, route, sender and subject."""
    if not entries:
        return Text("No email.")
    table = Table(box=None, header_style="bold", pad_edge=False, show_edge=False)
    for title in ("Received", "Outcome", "Reply", "Email"):
        table.add_column(title, no_wrap=True, justify="right" if title == "Reply" else "left")
    # Only these give way on a narrow terminal.
    for title, most in (("Route", 10), ("From", 40), ("Subject", None)):
        table.add_column(title, max_width=most)
    for entry in entries:
        table.add_row(
            _short(entry.received), _outcome(entry), took(entry), Text(entry.reference),
            *(Text(text or "", no_wrap=True, overflow="ellipsis")
              for text in (entry.route, entry.sender, entry.subject)),
        )  # fmt: skip
    return table


def email_line(entry: "IndexEntry") -> RenderableType:
    """One email on one line, as the live view adds it."""
    route, sender, subject = entry.route or "", entry.sender or "", entry.subject or ""
    told = "  ".join(part for part in (route, sender, subject) if part)
    line = Text.assemble(
        f"{_clock(entry.ended or entry.received)}  ", _outcome(entry), " " * max(1, 12 - len(_outcome(entry))),
        f"{took(entry):>8}  {entry.reference}  {told}", no_wrap=True, overflow="ellipsis",
    )  # fmt: skip
    # Within a group: a console that prints a Text by itself wraps it.
    return Group(line)


def shown_view(shown: "ShownEmail") -> RenderableType:
    """An email as a person reads it: how it ended, the message, the verdicts, the rules, the answer, its replies."""
    entry = shown.email
    parts: list[RenderableType] = [_ending(entry)]
    if shown.message:
        parts += [display.message_view(f"Message {entry.email_id}", shown.message), Text()]
        parts += [_rule("Verdicts of SES"), _verdicts(shown.message, authenticated=bool(shown.authenticated))]
    else:
        parts.append(Text(f"The message cannot be read, or has expired. Its object: {entry.key or 'unknown'}"))
    if shown.rules:
        parts += [_rule("Rules, asked again now"), _rulings(shown.rules)]
    if shown.answer:
        parts += [_rule("Answer"), _answer(shown.answer)]
    parts += [_rule("Replies"), *_replies(entry), _rule("Executions"), *_executions(entry)]
    return Group(*parts)


def statistics_view(found: "Statistics") -> RenderableType:
    """Outcomes, reasons, times to reply, the slowest states, and a sparkline for each route."""
    span = f"{moment(found.since)} to {moment(found.until)}"
    parts: list[RenderableType] = [Text.assemble((counted(found.emails, "email"), "bold"), f", {span}"), Text()]
    parts += [
        Text.assemble((f"{outcome:12}", _COLOURS.get(outcome, "")), f"{number:>8,}")
        for outcome, number in found.outcomes.items()
    ]
    if found.bounces or found.complaints:
        parts.append(Text(f"{counted(found.bounces, 'bounce')}, {counted(found.complaints, 'complaint')}"))
    if found.copies:
        parts.append(Text(f"{counted(found.copies, 'copy', 'copies')} for the catch-all route, not among these"))
    if found.reasons:
        parts += [Text(), Text("Reasons", style="bold")]
        parts += [Text(f"{number:>8,}  {reason}") for reason, number in found.reasons.items()]
    if found.time_to_reply_ms:
        times = "  ".join(f"{name} {_seconds(value)}" for name, value in found.time_to_reply_ms.items())
        parts += [Text(), Text.assemble(("Time to reply  ", "bold"), times)]
    if found.slowest_states:
        parts += [Text(), Text("Where the slowest replies spent their time", style="bold")]
        parts += [Text(f"{one.share:>7.0%}  {one.name}") for one in found.slowest_states]
    if found.routes:
        parts += [Text(), Text("Routes", style="bold")]
        parts += [
            Text(f"{name:24} {sparkline(counts.over_time)} {counts.emails:>8,}")
            for name, counts in found.routes.items()
        ]
    return Group(*parts)


def sent_line(file: "Path", address: str, email_id: str) -> RenderableType:
    """What `mailstep send` says of a message."""
    return Text(f"{file}: sent to {address}. See what becomes of it with: mailstep show {email_id}")


def outbox_view(found: "Sequence[Sent]") -> RenderableType:
    """One line a sent message: when, to whom, and the subject."""
    if not found:
        return Text("Nothing was sent.")
    table = Table(box=None, header_style="bold", pad_edge=False)
    for title in ("Sent", "To", "Subject", "Email"):
        table.add_column(title, overflow="fold")
    for one in found:
        fields = (
            str(one.message["To"] or ""),
            str(one.message["Subject"] or ""),
            reference.short(one.email_id) if one.email_id else "",
        )
        table.add_row(_short(one.sent), *map(Text, fields))
    return table


def sparkline(numbers: "Iterable[int]") -> str:
    """A bar for each number, the tallest for the largest one, and a blank for 0."""
    values = list(numbers)
    most = max(values, default=0)
    return "".join(_SPARKS[(value * len(_SPARKS) - 1) // most] if value else " " for value in values)


def _outcome(entry: "IndexEntry") -> Text:
    bounced = ", ".join(dict.fromkeys(one.kind.lower() for one in entry.feedback))
    word = f"{entry.outcome}{', withheld' if entry.withheld else ''}{f', {bounced}' if bounced else ''}"
    return Text(word, style="red" if bounced else _COLOURS.get(entry.outcome, ""))


def took(entry: "IndexEntry") -> str:
    """The time from the email until its reply, in the largest unit that it fills twice; empty without a reply."""
    return "" if entry.time_to_reply_ms is None else _seconds(entry.time_to_reply_ms)


def _seconds(milliseconds: int) -> str:
    for size, unit in ((86_400_000, "d"), (3_600_000, "h"), (60_000, "min")):
        if milliseconds >= 2 * size:
            return f"{milliseconds / size:.0f} {unit}"
    return f"{milliseconds / 1000:.1f} s"


def moment(time: datetime | None) -> str:
    """A time in the local time zone, to the second; empty without one."""
    return time.astimezone().strftime("%Y-%m-%d %H:%M:%S") if time else ""


def _short(time: datetime | None) -> str:
    return time.astimezone().strftime("%m-%d %H:%M:%S") if time else ""


def _clock(time: datetime | None) -> str:
    return time.astimezone().strftime("%H:%M:%S") if time else " " * 8


def _rule(title: str) -> RenderableType:
    return Rule(Text(title), align="left", style="dim")


def _ending(entry: "IndexEntry") -> RenderableType:
    line = Text.assemble((f"{entry.reference}  ", "bold"), _outcome(entry))
    if entry.time_to_reply_ms is not None:
        line.append(f", {took(entry)} after it was received")
    came_to = [f"Route: {entry.route}"] if entry.route else []
    came_to += [f"Recipient: {entry.recipient}"] if entry.recipient else []
    if came_to:
        line.append(f"\n{'. '.join(came_to)}")
    if entry.reason:
        line.append(f"\n{entry.reason}{f': {MEANINGS[entry.reason]}' if entry.reason in MEANINGS else ''}")
    if entry.withheld:
        line.append(f"\n{withheld_reply(entry.withheld)}")
    if entry.error:
        line.append(f"\n{entry.error}. See the cause with: mailstep history {entry.reference}")
    return line


def _verdicts(message: "Message", *, authenticated: bool) -> RenderableType:
    found = message.verdicts
    said = [f"{name} {value or 'not said'}" for name, value in (
        ("spam", found.spam), ("virus", found.virus), ("SPF", found.spf), ("DKIM", found.dkim), ("DMARC", found.dmarc),
    )]  # fmt: skip
    return Text(f"{', '.join(said)}. The sender is {'' if authenticated else 'not '}authenticated.")


def _rulings(rules: "Iterable[Ruling]") -> RenderableType:
    table = Table(box=None, show_header=False, pad_edge=False)
    for _ in range(3):
        table.add_column(overflow="fold")
    for one in rules:
        sign, style = _SIGNS[one.result]
        told = f"{one.explanation} ({one.effect})" if one.explanation else ""
        table.add_row(
            Text(sign, style=style), Text(one.code), Text(told or "" if one.result != "not asked" else one.result)
        )
    return table


def _answer(answer: "Answer") -> RenderableType:
    files = [Text(f"Attachment: {one.filename} ({one.media_type}, {counted(len(one.content), 'octet')})")
             for one in answer.attachments]  # fmt: skip
    subject = [Text(f"Subject: {answer.subject}", style="bold")] if answer.subject else []
    return Group(*subject, Text(answer.text.rstrip()), *files)


def _replies(entry: "IndexEntry") -> list[RenderableType]:
    told: list[RenderableType] = [Text(f"SES sent {one}") for one in entry.ses_message_ids]
    told += [Text(f"{one.kind} {one.detail} at {moment(one.at)}: {one.ses_message_id or ''}", style="red")
             for one in entry.feedback]  # fmt: skip
    if not told and entry.outcome in {Outcome.FAILED, RUNNING}:
        # The index has only what executions end with, and a notice is sent before that.
        return [Text(f"No answer yet. See a notice of a delay or failure with: mailstep history {entry.reference}")]
    return told or [Text("none")]


def _executions(entry: "IndexEntry") -> list[RenderableType]:
    return [
        Text.assemble(f"{moment(one.latest_start)}  ", (f"{one.outcome:12}", _COLOURS.get(one.outcome, "")), one.name)
        for one in entry.executions
    ] or [Text("none")]
