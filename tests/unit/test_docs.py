"""What the pages name is there: files, sections of a page, parameters of the templates, commands and their options."""

import re
import subprocess
from pathlib import Path

import pytest
from samcli.yamlhelper import yaml_parse
from typer.main import get_command

from operate.cli import app
from tests.conftest import PROJECT

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


def test_every_parameter_that_a_page_sets_is_one_of_a_template() -> None:
    known = {
        name
        for template in [PROJECT / "template.yaml", PROJECT / "receiving.yaml", *PROJECT.glob("examples/*/*.yaml")]
        for name in yaml_parse(template.read_text()).get("Parameters", {})
    }
    named = {
        name
        for page in PAGES
        for overrides in re.findall(r"--parameter-overrides((?:\\\n|[^\n`])*(?:\n +\w+=[^\n]*)?)", page.read_text())
        for name in re.findall(r"\b([A-Z]\w+)=", overrides)
    }
    assert len(named) > 5
    assert named <= known


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
