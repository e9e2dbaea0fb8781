"""Renders the pages: the list, one email, and the file that `mailstep history --html` writes."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from mailstep.filenames import safe_filename
from mailstep.outcomes import RUNNING, Outcome
from mailstep.validate.policy import MEANINGS
from mailstep_cli.email_views import moment, took
from mailstep_cli.terminal import counted, visible
from mailstep_cli.timeline_view import readable_cause, seconds, total, what_followed, word_of
from mailstep_cli.web.graph import Graph, lay_out

if TYPE_CHECKING:
    from mailstep.contracts import AnswerAttachment
    from mailstep.index_entry import IndexEntry
    from mailstep_cli.history import Attempt, State, Timeline
    from mailstep_cli.showing import ShownEmail

_SHORT = 600
"""Characters of HTML that fill a few lines."""


@dataclass(frozen=True)
class Row:
    """An attempt at a state. The bar's numbers are percentages of the whole execution."""

    state: str
    number: int
    start: str
    took: str
    wait_from: float
    bar_from: float
    bar_width: float
    word: str
    error: str
    cause: str
    followed: str
    redriven: bool
    input: str
    output: str


@dataclass(frozen=True)
class Run:
    """One execution as a page shows it. `graph` is None if AWS no longer has the definition."""

    name: str
    rows: tuple[Row, ...]
    graph: Graph | None
    took: str
    running: bool
    ended: datetime | None
    error: str | None
    cause: str
    other_events: tuple[tuple[str, int], ...]


def run(name: str, line: "Timeline", definition: dict[str, Any] | None) -> Run:
    """An execution with its graph and timeline."""
    return Run(
        name=name,
        rows=tuple(_rows(line)),
        graph=lay_out(definition, line) if definition else None,
        took=seconds(total(line)),
        running=line.ended is None,
        ended=line.ended,
        error=line.error,
        cause=readable_cause(line.cause),
        other_events=tuple(sorted(line.other_events.items())),
    )


def _rows(line: "Timeline") -> list[Row]:
    found: list[Row] = []
    redrives = list(line.redriven)
    for state in line.states:
        for number, attempt in enumerate(state.attempts, start=1):
            redriven = bool(redrives) and attempt.started >= redrives[0]
            if redriven:
                redrives.pop(0)
            found.append(_row(line, state, number, attempt, redriven=redriven))
    return found


def _row(line: "Timeline", state: "State", number: int, attempt: "Attempt", *, redriven: bool) -> Row:
    whole = max(total(line).total_seconds(), 0.001)

    def share(at: "datetime") -> float:
        return round(min(100.0, max(0.0, (at - line.started).total_seconds() / whole * 100)), 2)

    start, end = share(attempt.started), share(attempt.ended or line.ended or datetime.now(UTC))
    before = state.attempts[number - 2].ended if number > 1 else None
    last = number == len(state.attempts)
    return Row(
        state=state.name,
        number=number,
        start=seconds(attempt.started - line.started),
        took=seconds(attempt.duration) if attempt.duration is not None else "",
        wait_from=share(before) if before else start,
        bar_from=min(start, 99.2),
        bar_width=max(0.8, round(end - start, 2)),
        word=word_of(line, state, number),
        error=attempt.error or "",
        cause=readable_cause(attempt.cause, 4000),
        followed=what_followed(line, state, number) if attempt.error else "",
        redriven=redriven,
        input=_json(state.input) if last else "",
        output=_json(state.output) if last else "",
    )


def _json(value: Any) -> str:
    return "" if value is None else json.dumps(value, ensure_ascii=False, indent=2)


def render(template: str, **values: Any) -> str:
    """A page. Everything in it is escaped, and so are characters that hide or reorder text."""
    return _environment().get_template(template).render(**values)


def html_file(name: str, shown_run: Run, shown: "ShownEmail | None", frames: dict[str, str]) -> str:
    """The page of an email as one file that loads nothing: its style is in it, and it has no buttons.

    `frames` has the documents `message` and `answer` (frames.py).
    """
    return render(
        "message.html.j2", title=name, shown=shown, run=shown_run, entry=shown.email if shown else None,
        alone=True, turns=False, style=Markup(asset("page.css")), form="", local=False, frames=frames,  # noqa: S704 - our own
    )  # fmt: skip


def filename(one: "AnswerAttachment", number: int) -> str:
    """The name of an answer's file, which an application chose: safe to save, as those of a message are."""
    return safe_filename(one.filename, one.media_type, number)


def asset(name: str) -> str:
    """The style sheet or the script."""
    return (resources.files("mailstep_cli.web") / "static" / name).read_text("utf-8")


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("mailstep_cli.web"), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True, finalize=_shown,
    )  # fmt: skip
    environment.filters |= {"moment": moment, "took": took, "codes": _codes, "subject": _subject, "size": _size}
    environment.tests["short_html"] = _is_short
    environment.globals |= {
        "filename": filename,
        "meanings": MEANINGS,
        "in_quarantine": Outcome.QUARANTINED,
    }
    return environment


def _shown(value: Any) -> Any:
    if isinstance(value, Markup):
        return value
    return visible(value) if isinstance(value, str) else "" if value is None else value


def _is_short(html: str) -> bool:
    """Whether the HTML surely fills only a few lines: the page cannot see into its frame."""
    return len(html) < _SHORT and "<img" not in html


def _subject(entry: "IndexEntry") -> str:
    """The subject, or why there is none: the index learns it once the message is parsed."""
    if entry.subject is None:
        return "(not read yet)" if entry.outcome == RUNNING else "(not read)"
    return entry.subject or "(no subject)"


def _codes(entry: "IndexEntry") -> list[str]:
    """Why it ended so, in names alone: the reason of a message in quarantine is a sentence."""
    return [code for code in (entry.reason, entry.withheld, entry.error) if code and " " not in code]


def _size(octets: int | None) -> str:
    if octets is None:
        return ""
    return counted(octets, "octet") if octets < 10_000 else f"{octets / 1000:,.0f} kB"
