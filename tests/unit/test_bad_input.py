"""What a user does wrong gets one clear line and exit 2."""

import json
import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.command import typed
from tests.support.project import PROJECT


def the_line(ended: subprocess.CompletedProcess[str]) -> str:
    assert ended.returncode == 2, ended
    assert ended.stdout == ""
    [line] = ended.stderr.strip().splitlines()
    assert line.startswith("mailstep: ")
    return line


@pytest.mark.parametrize("host", ["172.17.0.1:4566", "http://172.17.0.1", "*", "[::1]", ""])
def test_an_invalid_host_to_allow_is_refused(tmp_path: Path, host: str) -> None:
    assert "is not a host" in the_line(typed("up", "--allow-host", host, "--directory", str(tmp_path / "run")))
    assert not (tmp_path / "run").exists()


def test_no_such_file() -> None:
    assert "nowhere.eml: No such file" in the_line(typed("demo", "nowhere.eml"))


def test_a_directory() -> None:
    assert "directory" in the_line(typed("demo", "events"))


def test_a_processor_that_is_not_there(tmp_path: Path) -> None:
    routes = tmp_path / "routes.toml"
    routes.write_text('[routes.words]\nprocessor = "words"\n')
    assert "line 2: routes.words.processor: there is no" in the_line(typed("routes", str(routes)))


def test_a_catch_all_route_alone_is_refused_before_cloudformation_refuses_its_empty_list(tmp_path: Path) -> None:
    routes = tmp_path / "routes.toml"
    routes.write_text("[routes.rest]\ncatch_all = true\n")
    for option in ([], ["--names"], ["--catch-all"]):
        line = the_line(typed("routes", str(routes), *option))
        assert "line 2: routes.rest.catch_all: a catch-all route needs another route beside it" in line
    # What the refusal says to add is enough.
    routes.write_text("[routes.postmaster]\n[routes.rest]\ncatch_all = true\n")
    assert typed("routes", str(routes), "--names").stdout == "postmaster\n"
    assert "rest (catch-all)" in typed("routes", str(routes)).stdout


def test_a_profile_that_is_not_there() -> None:
    ended = typed("doctor", AWS_PROFILE="no-such-profile")
    assert ended.returncode == 2
    assert "no-such-profile" in ended.stdout + ended.stderr
    assert "Traceback" not in ended.stderr


def test_an_account_that_is_gone_is_named() -> None:
    gone = {"AWS_ENDPOINT_URL": "http://127.0.0.1:9", "AWS_DEFAULT_REGION": "us-east-1"}
    keys = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_MAX_ATTEMPTS": "1"}
    line = the_line(typed("history", **gone, **keys))
    assert "http://127.0.0.1:9" in line
    assert "unset AWS_ENDPOINT_URL" in line


def test_a_port_in_use(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        assert f"port {port} cannot be used" in the_line(
            typed("demo", "--aws-port", port, "--directory", str(tmp_path / "demo"))
        )
        assert f"port {port} cannot be used" in the_line(
            typed("up", "--smtp-port", port, "--directory", str(tmp_path / "up"))
        )


def test_one_port_for_both(tmp_path: Path) -> None:
    assert "cannot be both" in the_line(
        typed("demo", "--aws-port", "18111", "--smtp-port", "18111", "--directory", str(tmp_path / "run"))
    )


def test_an_invalid_port_is_refused() -> None:
    assert "65535" in the_line(typed("up", "--aws-port", "70000"))


def test_a_directory_that_cannot_be_made() -> None:
    assert "cannot create" in the_line(typed("demo", "--directory", "/proc/nope"))


def test_an_unknown_route_is_refused_before_anything_starts() -> None:
    assert "there is no route 'nonsense'" in the_line(typed("demo", "--route", "nonsense"))


def test_no_arguments_at_all_is_no_error_message() -> None:
    ended = typed()
    assert (ended.returncode, ended.stderr) == (2, "")
    assert "demo" in ended.stdout


def test_history_without_credentials_says_what_to_set() -> None:
    nothing = {
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_DEFAULT_REGION": "us-east-1",
    }
    assert "mailstep up" in the_line(typed("history", "x", AWS_EC2_METADATA_DISABLED="true", **nothing))


def test_parse_names_each_file_that_is_no_message(tmp_path: Path) -> None:
    empty = tmp_path / "empty.eml"
    empty.touch()
    ended = typed("parse", "--json", str(empty), str(PROJECT / "events/emails/note.eml"))
    assert ended.returncode == 2
    bad, good = [json.loads(line) for line in ended.stdout.splitlines()]
    assert bad["file"] == str(empty)
    assert "not an email" in bad["error"]
    assert good["subject"] == "Are you open on Saturday?"
    assert len(ended.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    "name", ["../../x.csv", "C:\\\\x.csv", "x" * 5_000 + ".csv", "ü" * 255 + ".csv", "\u202egpj.csv", ""]
)
def test_attachments_are_written_under_safe_names(tmp_path: Path, name: str) -> None:
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        fields = f'Content-Type: text/csv\nContent-Disposition: attachment; filename="{name}"\n'
        (tmp_path / folder / "evil.eml").write_text(f"{fields}\na,b {folder}\n")
    out = tmp_path / "out"
    files = [str(tmp_path / folder / "evil.eml") for folder in ("one", "two")]
    assert typed("parse", *files, "--attachments", str(out)).returncode == 0
    written = sorted(path.relative_to(out) for path in out.rglob("*") if path.is_file())
    assert [str(path.parent) for path in written] == ["evil.eml", "evil.eml-2"]
    assert all(path.name.startswith("1-") and path.suffix == ".csv" for path in written)
    assert [(out / path).read_text() for path in written] == ["a,b one\n", "a,b two\n"]


def test_a_directory_that_is_there_already(tmp_path: Path) -> None:
    (tmp_path / "outbox").mkdir()
    assert "exists already" in the_line(typed("demo", "--directory", str(tmp_path)))


def test_an_unknown_option() -> None:
    assert "--nonsense" in the_line(typed("demo", "--nonsense"))


def test_sam_missing(tmp_path: Path) -> None:
    """An environment with everything but `sam`: this one's packages under another interpreter link."""
    bin_directory = tmp_path / "bin"
    bin_directory.mkdir()
    (bin_directory / "python").symlink_to(sys.executable)
    shutil.copy(Path(sys.prefix) / "pyvenv.cfg", tmp_path / "pyvenv.cfg")
    packages = Path(sys.prefix) / "lib" / f"python3.{sys.version_info.minor}" / "site-packages"
    ended = subprocess.run(
        [bin_directory / "python", "-c", "from mailstep_cli.main import main; main()", "up"],
        cwd=PROJECT,
        env={"PATH": str(bin_directory), "PYTHONPATH": f"{PROJECT}:{PROJECT / 'functions'}:{packages}"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert "SAM CLI is missing" in the_line(ended)


@pytest.mark.parametrize("version", ["3.8", "3.10", "3.11"])
def test_a_python_that_is_too_old(version: str) -> None:
    python = next(
        (
            path
            for root in (Path.home() / ".pyenv/versions").glob(f"{version}*")
            if (path := root / "bin/python").exists()
        ),
        None,
    ) or shutil.which(f"python{version}")
    if python is None:
        pytest.skip(f"no Python {version} on this machine")
    ended = subprocess.run(
        [python, "-c", "from mailstep_cli.main import main; main()"],
        cwd=PROJECT,
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert "needs Python 3.13" in the_line(ended)
