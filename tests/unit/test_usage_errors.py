"""A wrong option or argument gets one line in plain words, which names what is meant and where to read more."""

import logging
import re
import sys
from pathlib import Path

import pytest
from typer._click.exceptions import ClickException

from mailstep.answers import read_answer
from mailstep.telemetry import logger
from mailstep_cli import later_answers
from mailstep_cli.cli import command
from mailstep_cli.errors import UserError
from mailstep_cli.home_stack import HomeStack
from mailstep_cli.terminal import open_terminal
from mailstep_cli.usage_errors import told


@pytest.mark.parametrize(
    ("typed", "line"),
    [
        (
            "tables x --rows many",
            "Invalid value for '--rows': 'many' does not fit: write a whole number. See: mailstep tables -h",
        ),
        (
            "tables x --rows -1",
            "Invalid value for '--rows': '-1' does not fit: write at least 0. See: mailstep tables -h",
        ),
        (
            "doctor --timeout soon",
            "Invalid value for '--timeout': 'soon' does not fit: write a number. See: mailstep doctor -h",
        ),
        (
            "doctor --timeout 0",
            "Invalid value for '--timeout': '0' does not fit: write at least 1. See: mailstep doctor -h",
        ),
        (
            "up --smtp-port 99999",
            "Invalid value for '--smtp-port': '99999' does not fit: write at most 65535. See: mailstep up -h",
        ),
        (
            "list --sinc 3d",
            "No such option: --sinc (Possible options: --json, --since, --stack). See: mailstep list -h",
        ),
        ("process x", "Missing option '--route'. See: mailstep process -h"),
        ("show", "Missing argument 'EMAIL'. See: mailstep show -h"),
        ("quarantine shw", "No such command 'shw'. Did you mean 'show'? See: mailstep quarantine -h"),
        ("frobnicate", "No such command 'frobnicate'. See: mailstep -h"),
    ],
)
def test_a_wrong_option_or_argument_is_one_line_that_says_what_to_do(typed: str, line: str) -> None:
    with pytest.raises(ClickException) as caught:
        command()(typed.split(), prog_name="mailstep", standalone_mode=False)
    assert told(caught.value) == line


def test_the_help_calls_no_value_by_a_type_of_python(capsys: pytest.CaptureFixture[str]) -> None:
    for typed in ("list", "replay", "doctor", "up", "demo", "reply", "routes", "quarantine release", "suppressed list"):
        command()([*typed.split(), "-h"], prog_name="mailstep", standalone_mode=False)
    shown = capsys.readouterr().out
    assert shown.count("--help") == 9
    assert re.findall(r"<[a-z]+(?:\[\w+\])?>|range>", shown.lower()) == []


@pytest.mark.parametrize(
    "typed",
    [
        *("list --since soon", "list --until soon", "stats --since soon", "index --since soon", "list --outcome x"),
        *("replay --failed --since soon", "redrive --failed --since soon", "export ann"),
    ],
)
def test_a_value_that_no_account_can_make_right_is_refused_before_aws_is_asked(
    typed: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("boto3.client", lambda *_, **__: pytest.fail("AWS was asked"))
    with pytest.raises(UserError, match=r"is not (a time|an address)|there is no outcome"):
        command()(typed.split(), prog_name="mailstep", standalone_mode=False)


def test_what_the_functions_log_is_a_line_for_a_person(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    handler = logger.registered_handler
    assert isinstance(handler, logging.StreamHandler)
    before, stream = handler.formatter, handler.stream
    try:
        open_terminal()
        handler.setStream(sys.stderr)
        read_answer(b'{"text": "x", "Colour": 1}')
    finally:
        handler.setFormatter(before)
        handler.setStream(stream)
    assert capsys.readouterr().err == "mailstep: The answer has fields that Mailstep does not know (fields: Colour)\n"


def test_a_file_that_is_no_answer_is_refused_with_what_to_write(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text('{"txt": "x"}')
    with pytest.raises(UserError, match=r"text: Field required.*docs/schemas/answer.json"):
        later_answers.write(HomeStack("mailstep", {}), "abc", tmp_path / "a.json", None)
