"""The command as it is put together: what it may import, what it is installed with, what a shell can complete."""

import subprocess
import sys
import tomllib

import pytest

from tests.support.project import PROJECT, run


def test_the_command_is_imported_without_the_local_account() -> None:
    missing = ("mailstep_local", "samcli", "ministack", "aiosmtpd", "awslambdaric", "pip", "uvicorn")
    script = f"import sys; sys.modules |= dict.fromkeys({missing}); import mailstep_cli.cli, mailstep_cli.reference"
    assert subprocess.run([sys.executable, "-c", script], cwd=PROJECT, check=False).returncode == 0


def test_the_command_is_installed_with_all_that_the_functions_package_needs() -> None:
    declared = tomllib.loads((PROJECT / "pyproject.toml").read_text())
    assert set(declared["dependency-groups"]["functions"]) <= set(declared["project"]["dependencies"])


@pytest.mark.parametrize("command", ["demo", "up", "history", "replay", "routes", "parse", "process", "doctor"])
def test_every_command_helps_under_both_names(command: str) -> None:
    short, long = run(command, "-h"), run(command, "--help")
    assert (short.returncode, short.stderr) == (0, "")
    assert short.stdout == long.stdout
    assert f"mailstep {command}" in short.stdout


def test_the_help_names_completion_once_and_the_version() -> None:
    shown = run("-h").stdout
    assert shown.count("completion") == 1
    assert "--version" in shown


def test_a_shell_completes_commands_and_options() -> None:
    script = run("--show-completion", "bash").stdout
    assert "complete " in script
    asked = {"_MAILSTEP_COMPLETE": "complete_bash"}
    assert run(**asked, COMP_WORDS="mailstep re", COMP_CWORD="1").stdout.split() == ["replay"]
    assert "--reply-again" in run(**asked, COMP_WORDS="mailstep replay --", COMP_CWORD="2").stdout.split()
