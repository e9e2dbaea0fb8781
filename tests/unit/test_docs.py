"""What the pages name is there: files, sections of a page, parameters of the templates, commands and their options."""

import importlib.metadata
import json
import os
import re
import subprocess
import tomllib
from datetime import UTC, datetime
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
from fastapi.testclient import TestClient
from jsonschema import validate
from samcli.cli.types import CfnParameterOverridesType
from samcli.yamlhelper import yaml_parse
from standardwebhooks import Webhook
from typer.main import get_command

from mailstep.contracts import ApplicationRequest, ReplyPlan
from mailstep.errors import ApplicationRefused
from mailstep.testing import ReceivedEmail, receive
from mailstep_cli.cli import app
from tests.support.cloud import NEW_SECRET
from tests.support.messages import mail_with
from tests.support.project import MAILSTEP, PROJECT, RECEIVING, TEMPLATE

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
    return set({"template.yaml": TEMPLATE, "receiving.yaml": RECEIVING}[template]["Parameters"])


def test_every_parameter_that_a_page_sets_is_one_of_its_template() -> None:
    seen = 0
    for page in PAGES:
        text = page.read_text().replace("\\\n", " ")
        for command in re.findall(r"^(?:    |\$ )(sam deploy .*--parameter-overrides.*)$", text, flags=re.MULTILINE):
            template = "receiving.yaml" if "receiving " in command else "template.yaml"
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
        taken = CfnParameterOverridesType().convert(tuple(overrides), None, None)
        assert set(taken) <= parameters(template)
        # The shipped routes have none. A parameter that is not given keeps its value: a catch-all would never end.
        assert taken.get("CatchAllRoute") == ("" if template == "receiving.yaml" else None)
        assert ("ActiveRuleSet=mailstep-receiving" in overrides) == (bool(rule_set) and template == "receiving.yaml")


CI = yaml_parse((PROJECT / "examples" / "ci" / "deploy.yml").read_text())


def test_the_ci_example_gives_each_job_only_what_it_needs() -> None:
    """GitHub Docs, "Controlling permissions for GITHUB_TOKEN"; "Security hardening with OpenID Connect"."""
    assert CI["permissions"] == {}
    assert CI["jobs"]["check"]["permissions"] == {"contents": "read"}
    assert CI["jobs"]["deploy"]["permissions"] == {"contents": "read", "id-token": "write"}


def test_the_ci_example_names_every_action_by_commit() -> None:
    """GitHub Docs, "Secure use reference": a full-length commit SHA is the only immutable name."""
    used = [step["uses"] for job in CI["jobs"].values() for step in job["steps"] if "uses" in step]
    assert len(used) >= 3
    assert [action for action in used if not re.fullmatch(r"[\w./-]+@[0-9a-f]{40}", action)] == []


def test_the_ci_example_installs_and_builds_before_it_has_credentials() -> None:
    steps = [step.get("run") or step["uses"] for step in CI["jobs"]["deploy"]["steps"]]
    [credentials] = [n for n, step in enumerate(steps) if step.startswith("aws-actions/configure-aws-credentials@")]
    assert all(any(step.startswith(what) for step in steps[:credentials]) for what in ("make .venv/ready", "sam build"))
    assert not any(step.startswith(("make", "sam build", "pip", "uv ")) for step in steps[credentials:])


@pytest.mark.parametrize("lock", [*PROJECT.glob("tools/*-requirements.in")], ids=lambda path: path.name)
def test_every_tool_is_locked_with_hashes(lock: Path) -> None:
    locked = lock.with_suffix(".txt").read_text()
    pins = re.findall(r"^([\w.\[\]-]+)==\S+ .*\\$(?:\n    --hash=sha256:[0-9a-f]{64}(?: \\)?$)+", locked, re.MULTILINE)
    assert len(pins) == len(re.findall(r"^\S", locked, re.MULTILINE))
    assert all(pin in locked for pin in lock.read_text().split())


def test_no_tool_runs_unlocked() -> None:
    assert not re.search(r"\b(uvx|tool run|pipx run)\b", (PROJECT / "Makefile").read_text())


def test_every_option_of_mailstep_that_a_page_names_is_one() -> None:
    commands = get_command(app).commands  # type: ignore[attr-defined]
    seen = 0
    for page in PAGES:
        for name, rest in re.findall(r"\bmailstep ([a-z]+)((?: [^\n`#|]*)?)", page.read_text()):
            if name not in commands:
                continue
            command, word = commands[name], rest.split()[:1]
            if (below := getattr(command, "commands", {})) and word and word[0] in below:
                command = below[word[0]]
            known = {option for parameter in command.params for option in parameter.opts}
            named = set(re.findall(r"(?<=\s)--[a-z-]+", rest))
            assert named <= known, f"{page.name}: mailstep {name}{rest}"
            seen += len(named)
    assert seen > 5


def examples(sign: str) -> list[str]:
    """The Python of docs/applications.md in which a word stands."""
    page = (PROJECT / "docs" / "applications.md").read_text()
    return [dedent(code) for code in re.findall(r"```python\n(.*?)```", page, flags=re.DOTALL) if sign in code]


def run_as_it_stands(source: str) -> dict[str, Any]:
    names: dict[str, Any] = {}
    exec(source, names)  # noqa: S102 - our own page
    return names


def test_the_processors_of_the_page_run_as_they_stand() -> None:
    email = receive(mail_with({"a.txt": b"1\n2\n", "b.txt": b"\0\1\2"}, text="three short words"))
    *answering, deciding = (run_as_it_stands(source)["process"] for source in examples("OpenAttachment"))
    assert [email.process(processor).text for processor in answering] == [
        "You wrote 3 words.",
        "a.txt: 2\nb.txt: It is not text; please send it as a text file.",
    ]
    picture = mail_with({})
    picture.add_attachment(b"\x89PNG", "image", "png", filename="a.png")
    assert receive(picture).process(deciding).text == "Thank you for the picture."
    assert receive(mail_with({}, subject="FYI: closed")).process(deciding) is None
    with pytest.raises(ApplicationRefused) as refused:
        email.process(deciding)
    assert refused.value.explanation == "Please attach a picture."


def test_the_endpoint_of_the_page_answers_as_it_stands(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("APPLICATION_SECRET", NEW_SECRET)
    [source] = examples("FastAPI()")
    answered = json.loads((PROJECT / "docs" / "schemas" / "answer.json").read_text())
    with TestClient(run_as_it_stands(source)["app"]) as application:
        for attachments, status in (({"a.csv": b"a,b"}, 200), ({}, 422)):
            message = receive(mail_with(attachments, text="x")).message
            request = ApplicationRequest(message=message, attachment_urls={}, reply=ReplyPlan(will_be_sent=True))
            body, now = request.model_dump_json(), datetime.now(UTC)
            signature = Webhook(NEW_SECRET).sign("1", now, body)
            signed = {"webhook-id": "1", "webhook-timestamp": str(int(now.timestamp())), "webhook-signature": signature}
            answer = application.post("/mail", content=body, headers=signed)
            assert answer.status_code == status
            for name in signed:
                for wrong in ("", "x", "v1,"):
                    refused = application.post("/mail", content=body, headers=signed | {name: wrong})
                    assert refused.status_code == 401
            assert application.post("/mail", content=body).status_code == 401
            if status == 200:
                validate(answer.json(), answered)
            else:
                assert answer.json()["reason"]


def test_the_test_of_the_page_passes_as_it_stands(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(PROJECT)
    [source] = examples("mailstep.testing")
    tests = [test for name, test in run_as_it_stands(source).items() if name.startswith("test_")]
    assert len(tests) == 1
    tests[0]()


def test_the_page_names_the_rules_that_the_test_helper_does_not_apply() -> None:
    page = " ".join((PROJECT / "docs" / "applications.md").read_text().split())
    said = page.partition("Without these fields, the rules ")[2].partition("`mailstep process`")[0]
    assert set(re.findall(r"`(\w+)`", said)) == set(receive(mail_with({})).rules_not_applied)


def test_the_page_describes_what_the_test_helper_has() -> None:
    page = (PROJECT / "docs" / "applications.md").read_text()
    rows = re.findall(r"^\| (`\..*?) \|", page, flags=re.MULTILINE)
    named = {name for row in rows for name in re.findall(r"`\.(\w+)", row)}
    assert named == {"message", "open_attachment", "process", "reply", "refused_by", "withheld_by"}
    assert named <= {*dir(ReceivedEmail), *ReceivedEmail.__dataclass_fields__}


def test_the_page_imports_a_processors_needs_from_one_place() -> None:
    page = (PROJECT / "docs" / "applications.md").read_text()
    assert set(re.findall(r"^from (mailstep\S*) import", page, flags=re.MULTILINE)) == {
        "mailstep.process.processors",
        "mailstep.testing",
    }


def test_the_changelog_begins_with_the_version_of_the_package() -> None:
    version = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]["version"]
    newest = next(line for line in (PROJECT / "CHANGELOG.md").read_text().splitlines() if line.startswith("## "))
    assert newest.removeprefix("## ").partition(",")[0] == version == importlib.metadata.version("mailstep")
