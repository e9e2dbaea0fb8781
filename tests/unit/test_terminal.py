"""What senders and AWS wrote reaches a terminal as text alone, whichever command prints it."""

import io
import json
import unicodedata
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from mailstep_cli.demo import Result as DemoResult
from mailstep_cli.display import demo_view, result_view
from mailstep_cli.doctor.findings import Result, fault
from mailstep_cli.history import timeline
from mailstep_cli.related import LaterAnswerSent, Related
from mailstep_cli.terminal import Console, Text, visible
from mailstep_cli.timeline_view import related_view, timeline_table
from tests.support.project import run

START = datetime(2026, 11, 24, tzinfo=UTC)
# ECMA-48: OSC 52 writes the clipboard, CSI 2J clears the screen; C1 has both in one character.
EVIL = "a\x1b]52;c;ZWNobyBvd25lZAo=\x07\x1b[2Jb\x9b2Jc\x9d0;t\x9cd\x7fe\rf\bg\u202eh\u2066i\u200bj\u2028k"
CASES = {
    # ../shared/cases/hostile/terminal-escapes.eml and terminal-escapes2.eml
    "clipboard": "hello \x1b]0;OWNED\x07\x1b]52;c;ZWNobyBvd25lZAo=\x07\x1b[2J text",
    "title": "hello \x1b]0;OWNED\x07 text",
}


def obeyed(shown: str) -> set[str]:
    """What a terminal would not simply show: control and format characters but for line ends."""
    joiners = "\n\u200c\u200d"
    return {c for c in shown if unicodedata.category(c) in {"Cc", "Cf", "Cs", "Zl", "Zp"} and c not in joiners}


def printed(view: Any, **options: Any) -> str:
    out = io.StringIO()
    Console(file=out, width=200, **options).print(view, crop=False)
    return out.getvalue()


@pytest.mark.parametrize("body", [*CASES.values(), EVIL.replace("\r", "")])
def test_parse_shows_a_senders_control_characters_as_text(tmp_path: Path, body: str) -> None:
    (tmp_path / "evil.eml").write_bytes(f"From: a@b.example\r\nSubject: hi\r\n\r\n{body}\r\n".encode())
    shown = run("parse", str(tmp_path / "evil.eml"))
    assert (shown.returncode, obeyed(shown.stdout), obeyed(shown.stderr)) == (0, set(), set())
    assert r"\x1b]" in shown.stdout
    told = run("parse", "--json", str(tmp_path / "evil.eml"))
    assert obeyed(told.stdout) == set()
    assert told.stdout.isascii()
    assert json.loads(told.stdout)["text"].startswith(body[:8])


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("parse",), "Caf\\xe9 \\u2192 \\U0001f600"),
        (("process", "--route", "orders"), "Caf\\xe9 \\u2192 \\U0001f600"),
        (("-h",), "Completion"),
        (("routes",), "processor tables"),
        (("routes", "--domain", "caf\xe9 x"), "caf"),
    ],
    ids=lambda value: value[0] if isinstance(value, tuple) else "",
)
def test_a_terminal_without_a_character_gets_its_escape(tmp_path: Path, arguments: tuple[str, ...], says: str) -> None:
    file = tmp_path / "a.eml"
    file.write_bytes("From: a@b.example\r\nSubject: Caf\xe9 \u2192 \U0001f600\r\n\r\nx\r\n".encode())
    given = (*arguments, str(file)) if arguments[0] in {"parse", "process"} else arguments
    for ascii_only in ({"PYTHONIOENCODING": "ascii"}, {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}):
        told = run(*given, **ascii_only)
        assert "Traceback" not in told.stderr
        assert says in told.stdout + told.stderr


def test_parse_shows_hostile_fields_and_file_names(tmp_path: Path) -> None:
    word = "=?utf-8?Q?a=1B=5D0=3Bt=07=C2=9B2J=E2=80=AEb?="
    part = f'Content-Type: text/csv\nContent-Disposition: attachment; filename="{word}.csv"\n'
    fields = f"From: {word} <a@b.example>\nTo: {word} <c@d.example>\nSubject: {word}\nDate: \x1b[2J\n{part}\na,b\n"
    named = tmp_path / "evil\x1b[2J\x9b\n\udcff.eml"
    named.write_text(fields)
    shown = run("parse", str(named))
    assert (shown.returncode, obeyed(shown.stdout)) == (0, set())
    assert r"\x9b2J" in shown.stdout
    missing = run("parse", f"{named}.eml")
    assert (missing.returncode, obeyed(missing.stderr), missing.stderr.count("\n")) == (2, set(), 1)
    assert obeyed(run("parse", "--json", str(named), f"{named}.eml").stdout) == set()


def history_of(text: str) -> Any:
    return timeline(
        [
            {"timestamp": START, "type": "ExecutionStarted"},
            {"timestamp": START, "type": "TaskStateEntered", "stateEnteredEventDetails": {"name": text}},
            {"timestamp": START, "type": "TaskScheduled", "taskScheduledEventDetails": {"resource": text}},
            {"timestamp": START, "type": "TaskFailed", "taskFailedEventDetails": {"error": text, "cause": text}},
            {
                "timestamp": START,
                "type": "TaskStateExited",
                "stateExitedEventDetails": {
                    "name": text,
                    "output": json.dumps({"outcome": text, "reason": text, "ses_message_id": text}),
                },
            },
            {"timestamp": START, "type": "ExecutionSucceeded"},
        ]
    )


def test_a_history_whose_states_errors_causes_and_outcomes_hold_escapes() -> None:
    shown = printed(timeline_table(history_of(EVIL), title=EVIL))
    assert obeyed(shown) == set()
    assert shown.count(r"\x1b]52;c;") >= 4
    failed = history_of(EVIL)
    failed.error, failed.cause = EVIL, EVIL
    assert obeyed(printed(timeline_table(failed, title="x"))) == set()


def test_a_reply_a_finding_and_a_later_answer_that_hold_escapes(tmp_path: Path) -> None:
    reply = tmp_path / "reply.eml"
    reply.write_text(f"From: a@b.example\nSubject: =?utf-8?Q?a=1B=5D0=3Bt=07?=\n\n{CASES['clipboard']}\n")
    result = DemoResult(Path(EVIL), f"arn:{EVIL}", "SUCCEEDED", "replied", EVIL, EVIL, reply, history_of(EVIL))
    answers = related_view(Related("email", (), (LaterAnswerSent(EVIL, f"arn:{EVIL}"),)), "arn:other")
    for view in (demo_view(result), result_view(Result("MX", fault(EVIL, EVIL))), answers):
        shown = printed(view)
        assert obeyed(shown) == set()
        assert r"\x1b]52;c;" in shown


def test_a_console_passes_on_nothing_that_a_view_forgot() -> None:
    assert obeyed(printed(EVIL, markup=False)) == set()


def test_colours_are_the_consoles_own() -> None:
    shown = printed(Text("red", style="red"), force_terminal=True, color_system="standard")
    assert shown == "\x1b[31mred\x1b[0m\n"


@pytest.mark.parametrize(
    "text",
    [
        "Grüße, 東京　です",
        "नमस्ते",
        "می\u200cخواهم",  # noqa: RUF001
        "👩\u200d🚒 ✓",
        "שלום",
        "tab\tand\nline",
        "back\\slash",
        "no\u00a0break",
    ],
)
def test_what_people_write_is_shown_as_it_is(text: str) -> None:
    assert visible(text) == text


def test_line_ends_of_mail_are_line_ends_and_a_lone_cr_is_shown() -> None:
    assert visible("a\r\nb\rc") == "a\nb\\rc"
