"""The command as it is put together: what it may import, what it is installed with, what a shell can complete."""

import json
import subprocess
import sys
import tomllib

import pytest

from tests.support.command import typed
from tests.support.project import CASES, PROJECT


def test_the_command_is_imported_without_the_local_account() -> None:
    missing = ("mailstep_local", "samcli", "ministack", "aiosmtpd", "awslambdaric", "pip", "uvicorn")
    script = f"import sys; sys.modules |= dict.fromkeys({missing}); import mailstep_cli.cli, mailstep_cli.reference"
    assert subprocess.run([sys.executable, "-c", script], cwd=PROJECT, check=False).returncode == 0


def test_the_command_is_installed_with_all_that_the_functions_package_needs() -> None:
    declared = tomllib.loads((PROJECT / "pyproject.toml").read_text())
    assert set(declared["dependency-groups"]["functions"]) <= set(declared["project"]["dependencies"])


@pytest.mark.parametrize(
    "command",
    [
        *("demo", "up", "history", "replay", "redrive", "queues", "quarantine", "suppressed", "erase", "export"),
        *("routes", "parse", "tables", "process", "doctor"),
    ],
)
def test_every_command_helps_under_both_names(command: str) -> None:
    short, long = typed(command, "-h"), typed(command, "--help")
    assert (short.returncode, short.stderr) == (0, "")
    assert short.stdout == long.stdout
    assert f"mailstep {command}" in short.stdout


def test_the_help_names_completion_once_and_the_version() -> None:
    shown = typed("-h").stdout
    assert shown.count("completion") == 1
    assert "--version" in shown


def test_a_shell_completes_commands_and_options() -> None:
    # --show-completion asks which shell started it, and CI has none.
    assert "complete " in typed(_MAILSTEP_COMPLETE="source_bash").stdout
    asked = {"_MAILSTEP_COMPLETE": "complete_bash"}
    assert typed(**asked, COMP_WORDS="mailstep re", COMP_CWORD="1").stdout.split() == ["replay", "redrive", "reply"]
    assert "--reply-again" in typed(**asked, COMP_WORDS="mailstep replay --", COMP_CWORD="2").stdout.split()


def test_tables_prints_one_line_of_json_for_each_file() -> None:
    files = [str(CASES / "tables" / name) for name in ("18-no-header.csv", "01-german-excel.csv", "42-empty.csv")]
    ended = typed("tables", "--json", "--rows", "1", *files)
    lines = [json.loads(line) for line in ended.stdout.splitlines()]
    assert (ended.returncode, [line["file"] for line in lines]) == (2, files)
    [without] = lines[0]["tables"]
    assert (without["header"], without["rows"], without["body"]) == (None, 3, [["1", "10", "x"]])
    [german] = lines[1]["tables"]
    assert (german["name"], german["encoding"], german["delimiter"]) == ("01-german-excel.csv", "windows-1252", ";")
    assert german["columns"][2] == {"name": "Betrag", "kind": "number"}
    assert german["body"] == [["31.12.2024", "Müller GmbH", "1.234,56", "3"]]
    assert lines[2] == {"file": files[2], "error": "It is empty."}


def test_tables_shows_a_person_how_a_file_was_read() -> None:
    ended = typed("tables", str(CASES / "tables" / "07-title-above.csv"))
    assert ended.returncode == 0
    assert "3 rows, 3 columns, utf-8" in ended.stdout
    assert "Sales report 2024" in ended.stdout


def test_tables_names_a_file_that_is_not_there_once_and_counts_one_column_as_one() -> None:
    ended = typed("tables", "no-such-file.csv", str(CASES / "tables" / "19-one-column.csv"))
    # As `mailstep parse` ends for a file that is no message.
    assert ended.returncode == 2
    assert ended.stderr.count("no-such-file.csv") == 1
    assert "1 column," in ended.stdout
