"""The command by itself, as `uv tool install .` makes it: what speaks to AWS works, what needs the checkout says so."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from mailstep_local.cloud import LocalCloud
from tests.support.project import EMAILS, PROJECT

# Its packages come from the index, which may take a while.
pytestmark = [pytest.mark.timeout(900), pytest.mark.xdist_group("deployments")]
Installed = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def tools(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where uv has put the command: an environment of its own, which shares nothing with this one."""
    directory = tmp_path_factory.mktemp("tools")
    environment = {name: value for name, value in os.environ.items() if name not in {"VIRTUAL_ENV", "PYTHONPATH"}}
    uv = shutil.which("uv") or str(PROJECT / ".uv" / "bin" / "uv")
    made = subprocess.run(
        # Built anew: uv would take a wheel that it built before of the same pyproject.toml.
        [uv, "tool", "install", "--reinstall-package", "mailstep", "--python", sys.executable, "."],
        cwd=PROJECT,
        env=environment | {"UV_TOOL_DIR": str(directory), "UV_TOOL_BIN_DIR": str(directory / "bin")},
        capture_output=True,
        text=True,
        timeout=800,
        check=False,
    )
    assert made.returncode == 0, made.stderr
    return directory


@pytest.fixture
def installed(tools: Path, tmp_path: Path) -> Installed:
    """The installed command in an empty directory, with no AWS account in reach unless told."""

    def run(*arguments: str, cwd: Path = tmp_path, **environment: str) -> subprocess.CompletedProcess[str]:
        nothing = {
            "HOME": str(tmp_path),
            "PATH": os.environ["PATH"],
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_EC2_METADATA_DISABLED": "true",
            "LANG": "C.UTF-8",
        }
        return subprocess.run(
            [tools / "bin" / "mailstep", *arguments],
            cwd=cwd, env=nothing | environment, capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip

    return run


def the_line(ended: subprocess.CompletedProcess[str]) -> str:
    assert (ended.returncode, ended.stdout) == (2, ""), ended
    [line] = ended.stderr.splitlines()
    assert line.startswith("mailstep: ")
    return line


def test_it_says_its_version_and_helps(installed: Installed) -> None:
    assert installed("--version").stdout == "mailstep 0.1.0\n"
    for option in ("-h", "--help"):
        shown = installed("replay", option)
        assert (shown.returncode, shown.stderr) == (0, "")
        assert "--reply-again" in shown.stdout


def test_without_credentials_each_question_to_aws_is_one_clear_line(installed: Installed) -> None:
    for command in (("history",), ("history", "x"), ("replay", "x")):
        line = the_line(installed(*command))
        assert "credentials" in line
    told = installed("doctor")
    assert (told.returncode, told.stderr) == (2, "")
    assert "✗ credentials" in told.stdout
    assert "→ set AWS credentials" in told.stdout


@pytest.mark.parametrize("command", ["up", "demo"])
def test_what_needs_the_checkout_says_so_in_one_line(installed: Installed, command: str) -> None:
    outside = the_line(installed(command))
    assert f"mailstep {command} needs a checkout of Mailstep" in outside
    assert "make .venv/ready" in outside
    within = the_line(installed(command, cwd=PROJECT))
    assert f"run `make .venv/ready` in {PROJECT}, then .venv/bin/mailstep {command}" in within


def test_routes_are_those_of_the_checkout_around_or_of_a_file(installed: Installed, tmp_path: Path) -> None:
    assert "inbound/orders/" in installed("routes", cwd=PROJECT / "docs").stdout
    assert "inbound/orders/" in installed("routes", str(PROJECT / "functions" / "routes.toml")).stdout
    assert "needs a checkout" in the_line(installed("routes"))
    (tmp_path / "routes.toml").write_text("[routes.a]\nprocessor = 'no'\n")
    assert "line 2: routes.a.processor" in the_line(installed("routes", "routes.toml"))


def test_parse_works_anywhere_and_the_templates_are_there(installed: Installed, tools: Path) -> None:
    shown = installed("parse", str(EMAILS / "order.eml"))
    assert (shown.returncode, shown.stderr) == (0, "")
    assert "order-4711.csv (text/csv" in shown.stdout
    render = "from mailstep.rendering import render; print(render('notice.txt.j2', kind='delay'))"
    python = tools / "mailstep" / "bin" / "python"
    told = subprocess.run([python, "-c", render], capture_output=True, text=True, check=True, cwd=tools).stdout
    assert told.startswith("Your message arrived")


def test_the_packages_in_site_packages_have_names_of_their_own(tools: Path) -> None:
    [record] = tools.glob("mailstep/lib/python3.13/site-packages/mailstep-*.dist-info/RECORD")
    names = {line.partition("/")[0] for line in record.read_text().splitlines() if not line.startswith("..")}
    assert {name for name in names if not name.endswith(".dist-info")} == {"mailstep", "mailstep_cli"}


def test_it_speaks_to_an_account(installed: Installed, cloud: LocalCloud) -> None:
    variables = cloud.account.variables()
    listed = installed("history", **variables)
    # What the other tests have mailed is in the list, if any ran before.
    assert (listed.returncode, listed.stderr) == (0, "")
    assert "No email." in listed.stdout or "Outcome" in listed.stdout
    told = installed("doctor", **variables)
    assert "✓ credentials" in told.stdout
    assert "✓ home stack" in told.stdout
    # The routes are in the checkout: no fault of the deployment.
    assert "✗ rules" not in told.stdout
    assert "\N{EN DASH} rules" in told.stdout
    assert "no email of" in the_line(installed("replay", "no-such-execution", **variables))
