"""Renders queues, quarantine, suppressed addresses, batches and erasures for the terminal, with rich."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.console import Group, RenderableType
from rich.table import Table

from mailstep import reference
from mailstep_cli.terminal import Text, counted

if TYPE_CHECKING:
    from mailstep_cli.batches import Tally
    from mailstep_cli.erasure import Report
    from mailstep_cli.quarantine import Quarantined
    from mailstep_cli.queues import Queue
    from mailstep_cli.suppressed import Suppressed

_FAILURES_SHOWN = 10


def queues_view(queues: Sequence["Queue"]) -> RenderableType:
    """The depth of each queue and the age of its oldest message; below a dead-letter queue, what is in it."""
    table = _table("Queue", "Waiting", "In flight", "Oldest")
    for queue in queues:
        set_aside = queue.dead_letters and queue.waiting
        table.add_row(
            Text(queue.name, style="bold red" if set_aside else ""),
            Text(f"{queue.waiting + queue.delayed:,}"),
            Text(f"{queue.in_flight:,}"),
            Text(age(queue.oldest_seconds)),
        )
        for item in queue.items:
            table.add_row(Text(f"  {item}", style="dim"), "", "", "")
    return table


def quarantine_view(found: Sequence["Quarantined"]) -> RenderableType:
    """One line for each message in quarantine."""
    if not found:
        return Text("Nothing is in quarantine.")
    table = _table("Since", "Octets", "Email", "Reason")
    for one in found:
        since = one.since.astimezone().strftime("%Y-%m-%d %H:%M")
        table.add_row(since, f"{one.size_octets:,}", Text(reference.short(one.email_id)), Text(one.reason))
    return table


def quarantined_view(one: "Quarantined", raw: str) -> RenderableType:
    """One message in quarantine, and the beginning of its text with everything made visible that a terminal obeys."""
    since = one.since.astimezone().strftime("%Y-%m-%d %H:%M:%S")
    return Group(
        Text.assemble(("Email   ", "bold"), one.email_id),
        Text.assemble(("Since   ", "bold"), since),
        Text.assemble(("Octets  ", "bold"), f"{one.size_octets:,}"),
        Text.assemble(("Reason  ", "bold"), Text(one.reason)),
        Text(),
        Text(raw, overflow="fold"),
    )


def suppressed_view(found: Sequence["Suppressed"]) -> RenderableType:
    """One line for each suppressed address."""
    if not found:
        return Text("No address is suppressed.")
    table = _table("Address", "Mailstep, until", "SES", "Since")
    for one in found:
        table.add_row(
            Text(one.address or f"(only its hash is known: {(one.record or '').partition('#')[2][:12]}…)"),
            one.until.strftime("%Y-%m-%d") if one.until else "",
            Text((one.ses_reason or "").lower()),
            one.ses_since.strftime("%Y-%m-%d") if one.ses_since else "",
        )
    return table


def tally_view(tally: "Tally") -> RenderableType:
    """What became of a batch: the counts, and the first failures."""
    lines = [f"{count:,} {word}" for word, count in tally.ended.most_common()]
    lines += [f"{name}: {reason}" for name, reason in list(tally.failed.items())[:_FAILURES_SHOWN]]
    if more := len(tally.failed) - _FAILURES_SHOWN:
        lines += [f"and {more:,} more failed"] if more > 0 else []
    if tally.interrupted:
        lines.append(f"Interrupted after {tally.done:,} of {tally.total:,}.")
        lines += [f"Go on with: {tally.goes_on}"] if tally.goes_on else ["Repeat the command to do the rest."]
    return Text("\n".join(lines) or "Nothing was done.")


def erasure_view(report: "Report") -> RenderableType:
    """What an erasure deleted or would delete, and what it does not reach."""
    numbers = {
        place: sum(getattr(one, place) for one in report.messages)
        for place in ("raw", "parsed", "answers", "quarantine", "index", "ledger")
    }
    done = "would be erased" if report.dry_run else "erased"
    whose = " ".join(f"{name} {value}" for name, value in report.about.items())
    lines = [f"{counted(len(report.messages), 'message')} {done}, of {whose}:"]
    lines += [f"  {number:,} in {place}" for place, number in numbers.items()]
    lines.append(f"  {report.address_records:,} in the ledger, by the address itself")
    if report.mentioned:
        lines.append(f"Not erased: {counted(report.mentioned, 'message')} of other senders that only name the address.")
    if report.unknown_answers:
        lines.append(f"Not erased: {counted(report.unknown_answers, 'answer')} without a message.")
    if report.running:
        lines.append(f"Still being processed, so not erased: {', '.join(report.running)}. Erase again once they ended.")
    if report.interrupted:
        lines.append("Interrupted. Repeat the command to erase the rest.")
    return Group(
        Text("\n".join(lines)),
        Text("Not reached:"),
        *(Text(f"  {place}: {why}") for place, why in report.left_elsewhere.items()),
    )


def age(seconds: int | None) -> str:
    """A number of seconds as a person says it: `40 s`, `12 min`, `5 h`, `3 d`."""
    if seconds is None:
        return ""
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"


def _table(*titles: str) -> Table:
    table = Table(box=None, header_style="bold", pad_edge=False)
    for title in titles:
        table.add_column(title, justify="right" if title in {"Waiting", "In flight", "Octets"} else "left")
    return table
