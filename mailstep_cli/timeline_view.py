"""Shows a timeline in the terminal: a line for each attempt, with a bar to scale, and its error below."""

import json
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.padding import Padding

from mailstep.index_entry import email_id_of
from mailstep.validate.policy import MEANINGS, WITHHELD
from mailstep_cli.history import Attempt, State, Timeline
from mailstep_cli.related import Related
from mailstep_cli.terminal import Text

_CAUSE_BOUND = 240
_BAR = range(8, 29)
"""Columns of the bars: fewer say nothing, more say no more."""
_WORDS = ("caught", "failed", "retried", "running", "ok")
_STYLES = {"caught": "yellow", "failed": "red", "retried": "yellow", "running": "yellow", "ok": "green"}


def timeline_table(line: Timeline, title: str, *, verbose: bool = False) -> RenderableType:
    """Each attempt at each state: start, duration, a bar that places it within the execution, and its error.

    Names of states and errors are whole at any width: the bars give way first. `verbose` adds inputs and outputs, and
    causes in full.
    """
    return Group(Text(title, style="dim", overflow="fold"), _Attempts(line, verbose), _summary(line))


def readable_cause(cause: str | None, at_most: int = _CAUSE_BOUND) -> str:
    """The message inside a cause, as one short line. A function that fails leaves JSON with `errorMessage`."""
    text = cause or ""
    with suppress(ValueError, KeyError, TypeError):
        text = str(json.loads(text)["errorMessage"])
    said = " ".join(text.split())
    return said if len(said) <= at_most else f"{said[:at_most]}…"


def seconds(span: timedelta) -> str:
    """A span of time, in the units that a person would use."""
    whole = span.total_seconds()
    if whole < 60:
        return f"{whole:.2f} s"
    for unit, length, smaller, part in (("d", 86_400, "h", 3_600), ("h", 3_600, "min", 60), ("min", 60, "s", 1)):
        if whole >= length:
            return f"{whole // length:.0f} {unit} {whole % length // part:.0f} {smaller}"
    raise AssertionError(whole)


def aws_links(execution_arn: str, endpoint: str, stack: str) -> str:
    """Where AWS's console shows the execution, and the command that prints its log; empty for a local account."""
    host = urlsplit(endpoint).hostname or ""
    if not host.endswith((".amazonaws.com", ".amazonaws.com.cn")):
        return ""
    region, name = execution_arn.split(":")[3], execution_arn.rpartition(":")[2]
    console = "console.amazonaws.cn" if host.endswith(".cn") else "console.aws.amazon.com"
    return (
        f"Console, with its trace: https://{region}.{console}/states/home?region={region}"
        f"#/v2/executions/details/{execution_arn}\n"
        f"Log: sam logs --stack-name {stack} --region {region} --filter {email_id_of(name) or name}"
    )


def related_view(found: Related, arn: str) -> RenderableType:
    """The other executions of the email, and its later answers, with the names that `mailstep history` takes."""
    told: list[RenderableType] = []
    others = [one for one in found.executions if one.arn != arn]
    if arn not in {one.arn for one in found.executions} and arn in {one.execution_arn for one in found.later_answers}:
        told.append(Text(f"It sends a later answer to the email {found.email_id}"))
    for one in others:
        kind = "A replay" if one.replay else "The first execution"
        told.append(_to_copy(f"{kind} ({one.outcome}): mailstep history {one.name}"))
    for answer in found.later_answers:
        if answer.execution_arn != arn:
            told.append(_to_copy(f"Later answer {answer.name}: mailstep history {answer.execution_arn}"))
    return Group(*told)


def _to_copy(text: str) -> RenderableType:
    return Text(text, style="dim", no_wrap=True, overflow="ignore")


class _Attempts:
    """The lines of a timeline, as wide as the terminal allows."""

    def __init__(self, line: Timeline, verbose: bool) -> None:
        self._line, self._verbose = line, verbose
        self._names = max((len(Text(state.name)) for state in line.states), default=0)
        self._total = total(line)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        room = options.max_width - self._names - len("  Try      Start       Took    ") - max(map(len, _WORDS))
        bar = min(room, _BAR[-1]) if room in _BAR or room > _BAR[-1] else 0
        gap = f"  {'':{bar}}" if bar else ""
        yield Text(f"{'State':{self._names}}  Try      Start       Took{gap}  Outcome", style="bold", no_wrap=True)
        redriven = iter(self._line.redriven)
        redrive = next(redriven, None)
        for state in self._line.states:
            for number, attempt in enumerate(state.attempts, start=1):
                if redrive and attempt.started >= redrive:
                    yield Text(f"redriven after {seconds(redrive - self._line.started)}", style="bold yellow")
                    redrive = next(redriven, None)
                yield self._row(state, number, attempt, bar)
                if attempt.error:
                    yield Padding(self._error(state, number, attempt), (0, 0, 0, 2))
            if self._verbose:
                yield from _data(state)

    def _row(self, state: State, number: int, attempt: Attempt, bar: int) -> Text:
        took = seconds(attempt.duration) if attempt.duration is not None else ""
        row = Text(no_wrap=True)
        row.append(f"{Text(state.name if number == 1 else '').plain:{self._names}}  {number:>3} ")
        row.append(f"{seconds(attempt.started - self._line.started):>10} {took:>10}")
        if bar:
            row.append("  ").append(self._bar(state, number, attempt, bar))
        word = word_of(self._line, state, number)
        return row.append("  ").append(word, style=_STYLES[word])

    def _error(self, state: State, number: int, attempt: Attempt) -> Text:
        said = Text(attempt.error or "", style="red", overflow="fold")
        bound = len(attempt.cause or "") if self._verbose else _CAUSE_BOUND
        if cause := readable_cause(attempt.cause, bound):
            said.append(f": {cause}")
        if then := what_followed(self._line, state, number):
            said.append(f"; {then}", style="dim")
        return said

    def _bar(self, state: State, number: int, attempt: Attempt, width: int) -> Text:
        scale = width / max(self._total.total_seconds(), 0.001)

        def column(at: datetime) -> int:
            return min(int((at - self._line.started).total_seconds() * scale), width - 1)

        start, took = column(attempt.started), self._total if attempt.duration is None else attempt.duration
        length = max(1, min(int(took.total_seconds() * scale), width - start))
        before = state.attempts[number - 2].ended if number > 1 else None
        waited = min(column(before), start) if before else start
        bar = Text(" " * waited)
        bar.append("·" * (start - waited), style="dim")
        bar.append("━" * length, style="red" if attempt.error else "cyan")
        return bar.append(" " * (width - start - length))


def word_of(line: Timeline, state: State, number: int) -> str:
    """How an attempt, counted from 1, ended: `ok`, `running`, `retried`, `caught` or `failed`."""
    attempt = state.attempts[number - 1]
    if not attempt.error:
        return "ok" if attempt.ended else "running"
    if number < len(state.attempts):
        return "failed" if _was_redriven(line, state, number) else "retried"
    return "caught" if state.caught_by else "failed" if line.ended or state.left else "retried"


def what_followed(line: Timeline, state: State, number: int) -> str:
    """What the workflow did after an attempt that failed, counted from 1; empty if it ended there."""
    if _was_redriven(line, state, number):
        return ""
    if number < len(state.attempts):
        failed = state.attempts[number - 1]
        return f"retried after {seconds(state.attempts[number].started - (failed.ended or failed.started))}"
    return f"a Catch went on to {state.caught_by}" if state.caught_by else ""


def _was_redriven(line: Timeline, state: State, number: int) -> bool:
    """Whether the execution failed with an attempt, counted from 1, and an operator's redrive made the next one."""
    if number >= len(state.attempts):
        return False
    ended, following = state.attempts[number - 1].ended, state.attempts[number].started
    return ended is not None and any(ended <= redrive <= following for redrive in line.redriven)


def _data(state: State) -> Iterator[RenderableType]:
    for name, value in (("input", state.input), ("output", state.output)):
        if value is not None:
            shown = Text(f"{name} {json.dumps(value, ensure_ascii=False)}", style="dim", overflow="fold")
            yield Padding(shown, (0, 0, 0, 2))


def _summary(line: Timeline) -> Text:
    how = "failed after" if line.error else "done in" if line.ended else "running for"
    summary = Text(f"{how} {seconds(total(line))}")
    if line.error:
        summary.append(f"  {line.error}: {readable_cause(line.cause)}", style="red")
    elif cause := _last_cause(line):
        summary.append(f"  last: {cause}", style="yellow")
    summary.append(_ending(line))
    if line.override:
        summary.append(f"\n{line.override.rule} was overridden by {line.override.by}", style="yellow")
    if line.other_events:
        counted = ", ".join(f"{kind} ({count})" for kind, count in sorted(line.other_events.items()))
        summary.append(f"\nOther events: {counted}", style="dim")
    return summary


def _last_cause(line: Timeline) -> str:
    """The cause of the latest failed attempt, if the execution still runs."""
    failed = [attempt for state in line.states for attempt in state.attempts if attempt.error]
    return readable_cause(failed[-1].cause) if failed and line.ended is None else ""


def _ending(line: Timeline) -> str:
    """The outcome of the message, and the reason's code with its meaning (docs/policy.md)."""
    said = line.states[-1].output if line.ended and line.states else None
    if not isinstance(said, dict) or "outcome" not in said:
        return ""
    reason, withheld = said.get("reason"), said.get("withheld")
    if line.states[-1].name == "EndWithoutReply" and not withheld:
        return ", processed (the application, or the processor, asked for no reply)"
    meaning = f": {MEANINGS[reason]}" if reason in MEANINGS else ""
    again = " (this reply had been sent before, so it was not sent again)" if _was_sent_before(line.states[-1]) else ""
    return (
        f", {said['outcome']}"
        + (f" ({reason}{meaning})" if reason else "")
        + (f", {withheld_reply(withheld)}" if withheld else "")
        + again
    )


def withheld_reply(code: str) -> str:
    """Says that the reply is withheld: the code of the rule, and what it means."""
    return f"reply withheld ({code}{f': {WITHHELD[code]}' if code in WITHHELD else ''})"


def _was_sent_before(state: State) -> bool:
    match state.result:
        case {"Payload": {"already_sent": bool(already_sent)}}:
            return already_sent
        case _:
            return False


def total(line: Timeline) -> timedelta:
    """How long the execution took, or has taken so far."""
    return (line.ended or datetime.now(UTC)) - line.started
