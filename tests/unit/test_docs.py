"""What the pages name is there: files, sections of a page, parameters of the templates, commands and their options."""

import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
from samcli.cli.types import CfnParameterOverridesType
from samcli.yamlhelper import yaml_parse
from typer.main import get_command

from mailstep.contracts import StoredEmail
from mailstep.parse.message import parse
from mailstep_cli.cli import app
from tests.conftest import MAILSTEP, PROJECT

PAGES = sorted(
    PROJECT / name
    for name in subprocess.run(
        ["git", "ls-files", "*.md", "*.yml"],
        cwd=PROJECT, capture_output=True, text=True, check=True,
    ).stdout.split()
)  # fmt: skip


def anchors(page: Path) -> set[str]:
    """What GitHub makes of a page's headings."""
    headings = re.findall(r"^#+ (.*)$", page.read_text(), flags=re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(PROJECT)))
def test_every_link_leads_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text()):
        if re.match(r"https?:|mailto:", target):
            continue
        path, _, anchor = target.partition("#")
        file = (page.parent / path).resolve() if path else page
        assert file.exists(), target
        assert not anchor or anchor in anchors(file), target


def test_every_test_that_a_page_names_is_there() -> None:
    there = {name for path in PROJECT.glob("tests/**/*.py") for name in re.findall(r"def (test_\w+)", path.read_text())}
    seen = 0
    for page in PAGES:
        for name, cut in re.findall(r"`(test_\w+)(…?)`", page.read_text()):
            assert name in there or (cut and any(known.startswith(name) for known in there)), f"{page.name}: {name}"
            seen += 1
    assert seen > 10


def parameters(template: str) -> set[str]:
    return set(yaml_parse((PROJECT / template).read_text())["Parameters"])


def test_every_parameter_that_a_page_sets_is_one_of_its_template() -> None:
    seen = 0
    for page in PAGES:
        text = page.read_text().replace("\\\n", " ")
        for command in re.findall(r"^(?:    |\$ )(sam deploy .*--parameter-overrides.*)$", text, flags=re.MULTILINE):
            template = "receiving.yaml" if "--config-env receiving" in command else "template.yaml"
            named = set(re.findall(r"\b([A-Z]\w+)=", command))
            assert named <= parameters(template), f"{page.name}: {command}"
            seen += len(named)
    assert seen > 10


@pytest.mark.parametrize("rule_set", ["", "mailstep-receiving"])
def test_the_ci_example_gives_sam_what_it_takes(rule_set: str) -> None:
    example = yaml_parse((PROJECT / "examples" / "ci" / "deploy.yml").read_text())
    job = example["jobs"]["deploy"]
    given = dict.fromkeys(job["env"], "eu-west-1") | {"ACTIVE_RULE_SET": rule_set, "CANARY_MINUTES": "10"}
    given["PATH"] = f"{Path(MAILSTEP).parent}{os.pathsep}{os.environ['PATH']}"
    deployments = [step["run"] for step in job["steps"] if step.get("run", "").startswith("sam deploy")]
    assert len(deployments) == 2
    for command, template in zip(deployments, ("template.yaml", "receiving.yaml"), strict=True):
        script = 'sam() { printf "%s\\n" "$@"; }\n' + command
        told = subprocess.run(["bash", "-euc", script], env=given, capture_output=True, text=True, check=True).stdout
        overrides = told.split("--parameter-overrides\n")[1].split()
        assert set(CfnParameterOverridesType().convert(tuple(overrides), None, None)) <= parameters(template)
        assert ("ActiveRuleSet=mailstep-receiving" in overrides) == (bool(rule_set) and template == "receiving.yaml")


def test_every_option_of_mailstep_that_a_page_names_is_one() -> None:
    commands = get_command(app).commands  # type: ignore[attr-defined]
    seen = 0
    for page in PAGES:
        for name, rest in re.findall(r"\bmailstep ([a-z]+)((?: [^\n`#|]*)?)", page.read_text()):
            if name not in commands:
                continue
            known = {option for parameter in commands[name].params for option in parameter.opts}
            named = set(re.findall(r"(?<=\s)--[a-z-]+", rest))
            assert named <= known, f"{page.name}: mailstep {name}{rest}"
            seen += len(named)
    assert seen > 5


def test_the_processors_of_the_page_run_as_they_stand() -> None:
    page = (PROJECT / "docs" / "applications.md").read_text()
    sources = [code for code in re.findall(r"```python\n(.*?)```", page, flags=re.DOTALL) if "OpenAttachment" in code]
    raw = b"""From: ann@shop.example\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n\
--b\r\n\r\nthree short words\r\n\
--b\r\nContent-Disposition: attachment; filename=a.txt\r\n\r\nx\r\n\
--b\r\nContent-Disposition: attachment; filename=b.txt\r\n\r\nx\r\n--b--\r\n"""
    stored = StoredEmail(email_id="words", bucket="bucket", key="inbound/orders/words")
    message = parse(raw, stored, lambda _key, _content: None)
    answers = []
    for source in sources:
        processor: dict[str, Any] = {}
        exec(source, processor)  # noqa: S102 - our own page
        answer = processor["process"](message, lambda one: b"1\n2\n" if one.filename == "a.txt" else b"\0")
        answers.append(answer.text)
    assert answers == [
        "You wrote 3 words.",
        "a.txt: 2\nb.txt: It is not text; please send it as a text file.",
    ]
