"""functions/custom: an upgrade never collides with an installation's own settings, and they win."""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support.project import MAILSTEP, PROJECT

ROUTES = Path("functions/routes.toml")
NOTICE = Path("functions/mailstep/templates/notice.txt.j2")
GERMAN = Path("functions/mailstep/texts/de.toml")
OWN_ROUTES = '[routes.returns]\nprocessor = "words"\nlanguage = "de"\nreply_logo = "logo.png"\n'
OWN_TEXTS = """
[reply]
signature = "Gesendet von Beispiel & Söhne."

[counts.rows]
one = "eine Zeile"
"""
# The signature and header of a PNG (Portable Network Graphics Specification, 5.2 and 11.2.1): 60 by 20 pixels.
LOGO = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x3c\0\0\0\x14\x08\x06\0\0\0"
PROCESSOR = '''"""Counts words."""

from mailstep.contracts import Answer, Message
from mailstep.process.processors import OpenAttachment


def process(message: Message, _open_attachment: OpenAttachment) -> Answer:
    return Answer(text="{0}")
'''
# What a function says of its routes, templates and processors.
ASK = """
import json, mailstep
from mailstep import rendering, routes
from mailstep.process.built_in import built_in
from mailstep.reply.look import look_of
from mailstep.texts.speaking import say, speaking
with speaking("de"):
    rows = [say("counts.rows", count=number) for number in (1, 2)]
    said = [say("reply.signature"), say("reply.reference", reference="R"), *rows]
print(json.dumps({
    "code": mailstep.__file__,
    "routes": list(routes.routes()),
    "texts": said,
    "logos": [look_of(route).logo and look_of(route).logo.width for route in routes.routes().values()],
    "notice": rendering.render("notice.txt.j2", kind="refusal", explanation="", email_id="r"),
    "processors": {name: built_in(name).__code__.co_filename for name in ("words", "receipt", "tables")},
}))
"""


def git(place: Path, *arguments: str) -> str:
    as_whom = ("-c", "user.name=Ann", "-c", "user.email=ann@shop.example", "-c", "commit.gpgsign=false")
    return subprocess.run(
        ["git", *as_whom, *arguments], cwd=place, capture_output=True, text=True, check=True, timeout=60
    ).stdout


def commit(place: Path, files: dict[Path, str]) -> None:
    for name, text in files.items():
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).write_text(text)
    git(place, "add", "-A")
    git(place, "commit", "-qm", "change")


@pytest.fixture
def upstream(tmp_path: Path) -> Path:
    """A repository with what is shipped."""
    there = tmp_path / "upstream"
    shutil.copytree(PROJECT / "functions", there / "functions", ignore=shutil.ignore_patterns("__pycache__"))
    # This checkout may be an installation itself.
    shutil.rmtree(there / "functions" / "custom")
    for name in ("template.yaml", "samconfig.toml", "functions/custom/README.md"):
        (there / name).parent.mkdir(exist_ok=True)
        shutil.copy(PROJECT / name, there / name)
    git(there, "init", "-q", "-b", "main")
    git(there, "add", "-A")
    git(there, "commit", "-qm", "release")
    return there


@pytest.fixture
def installed(upstream: Path, tmp_path: Path) -> Path:
    """A checkout whose installation has routes, a template and processors of its own, one in place of a shipped one."""
    there = tmp_path / "installed"
    git(tmp_path, "clone", "-q", str(upstream), str(there))
    custom = Path("functions/custom")
    (there / custom).mkdir(exist_ok=True)
    (there / custom / "logo.png").write_bytes(LOGO)
    commit(
        there,
        {
            custom / "routes.toml": OWN_ROUTES,
            custom / "templates" / "notice.txt.j2": "Our own words for {{ kind }}.",
            custom / "texts" / "de.toml": OWN_TEXTS,
            custom / "processors" / "words.py": PROCESSOR,
            custom / "processors" / "receipt.py": PROCESSOR,
        },
    )
    return there


def asked(checkout: Path) -> Any:
    said = subprocess.run(
        [sys.executable, "-c", ASK],
        cwd=checkout, env={"PYTHONPATH": str(checkout / "functions")}, capture_output=True, text=True, timeout=60,
        check=False,
    )  # fmt: skip
    assert said.returncode == 0, said.stderr
    found = json.loads(said.stdout)
    assert found["code"].startswith(str(checkout))
    return found


def test_an_upgrade_merges_without_a_conflict_and_the_installations_own_settings_win(
    upstream: Path, installed: Path
) -> None:
    german = (upstream / GERMAN).read_text()
    commit(
        upstream,
        {
            ROUTES: (upstream / ROUTES).read_text() + '\n[routes.invoices]\nprocessor = "tables"\n',
            NOTICE: "New words of upstream.",
            GERMAN: german.replace("Gesendet von", "Versandt von").replace("Vorgangs", "Auftrags"),
            Path("functions/mailstep/process/processors/receipt.py"): PROCESSOR.replace("{0}", "upstream's"),
        },
    )
    git(installed, "pull", "-q", "--no-rebase", "--no-edit")
    assert "New words of upstream." in (installed / NOTICE).read_text(), "the upgrade is there"
    assert "[routes.invoices]" in (installed / ROUTES).read_text()
    assert git(installed, "status", "--porcelain") == ""

    found = asked(installed)
    custom = installed / "functions" / "custom"
    assert found["routes"] == ["returns"]
    assert found["notice"] == "Our own words for refusal."
    # A sentence of one's own stays, or a form of one; what it does not name is upstream's, as it is now.
    own = ["Gesendet von Beispiel & Söhne.", "eine Zeile"]
    assert found["texts"] == [own[0], "Auftragsnummer: R", own[1], "2 Zeilen"]
    assert found["logos"] == [60]
    assert found["processors"]["words"] == str(custom / "processors" / "words.py")
    assert found["processors"]["receipt"] == str(custom / "processors" / "receipt.py")
    # What the installation has none of is the shipped one.
    assert found["processors"]["tables"].startswith(str(installed / "functions" / "mailstep" / "process"))


def test_the_command_reads_the_installations_own_routes_and_processors(installed: Path) -> None:
    """As `uv tool install .` has it: the command lies elsewhere, and is started within the checkout."""
    shown = subprocess.run(
        [MAILSTEP, "routes", "functions/custom/routes.toml"],
        cwd=installed, capture_output=True, text=True, check=True, timeout=60,
    ).stdout  # fmt: skip
    assert "processor words" in shown
    assert "Routes=returns" in shown


def test_the_command_names_what_a_processor_imports_and_the_deployed_functions_lack(installed: Path) -> None:
    words = installed / "functions" / "custom" / "processors" / "words.py"
    words.write_text(f"import openpyxl\n{PROCESSOR}")
    told = subprocess.run(
        [MAILSTEP, "routes", "functions/custom/routes.toml"],
        cwd=installed, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert told.returncode == 2
    assert "routes.returns.processor: the processor words imports openpyxl (words.py, line 1)" in told.stderr


def test_the_local_account_deploys_a_rule_for_each_of_the_installations_routes(installed: Path) -> None:
    for package in ("mailstep_cli", "mailstep_local"):
        shutil.copytree(PROJECT / package, installed / package, ignore=shutil.ignore_patterns("__pycache__"))
    said = subprocess.run(
        [sys.executable, "-c", "from mailstep_local import deployment as d; print(d.__file__, *d.route_names())"],
        cwd=installed, env={"PYTHONPATH": f"{installed}:{installed / 'functions'}"}, capture_output=True, text=True,
        check=True, timeout=60,
    ).stdout  # fmt: skip
    assert said.split() == [str(installed / "mailstep_local" / "deployment.py"), "returns"]


def test_the_command_of_a_checkout_finds_its_own_routes_before_the_shipped_ones(installed: Path) -> None:
    shutil.copytree(PROJECT / "mailstep_cli", installed / "mailstep_cli")
    said = subprocess.run(
        [sys.executable, "-c", "from mailstep_cli.main import main; main()", "routes", "--names"],
        cwd=installed, env={"PYTHONPATH": f"{installed}:{installed / 'functions'}"}, capture_output=True, text=True,
        check=False, timeout=60,
    )  # fmt: skip
    assert said.stdout == "returns\n", said.stderr
