"""One fact, one place: what Python defines is what the state machine, the templates and the docs name, and no more.

Defined but unused fails, and so does used but undefined. The promise is docs/architecture.md; metrics have
test_metrics.py, the environment has test_settings.py, and who handles which error has test_definition.py.

Over 300 lines, because every fact is compared here.
"""

import ast
import inspect
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mailstep import errors, keys
from mailstep.outcomes import APPLICATION_REFUSED, Outcome, ReplyKind
from mailstep.validate import policy
from mailstep_cli.doctor.checks import CHECKS
from tests.support.project import LATER_STATES, PROJECT, RECEIVING, STATES, TEMPLATE

ARCHITECTURE = (PROJECT / "docs" / "architecture.md").read_text()
RUNBOOK = (PROJECT / "docs" / "runbook.md").read_text()
SOURCES = sorted(
    path
    for folder in ("functions/mailstep", "mailstep_cli", "mailstep_local", "receiving")
    for path in (PROJECT / folder).rglob("*.py")
)
PAGES = [PROJECT / "README.md", *sorted((PROJECT / "docs").rglob("*.md"))]


def table(heading: str, page: str = ARCHITECTURE) -> list[list[str]]:
    """The cells of the first table below a heading, without its head."""
    below = re.search(rf"^#+ {re.escape(heading)}$\n(.*?)(?=^#|\Z)", page, re.MULTILINE | re.DOTALL)
    assert below, heading
    rows = [line for line in below[1].splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in row.strip("|").split(" | ")] for row in rows[2:]]


def code(cell: str) -> str:
    """The first thing in a cell that is set in code."""
    found = re.match(r"`([^`]+)`", cell)
    return found[1] if found else ""


def texts(value: object) -> Iterator[str]:
    """Every text in a document, names of its fields excepted."""
    match value:
        case str():
            yield value
        case dict():
            for inner in value.values():
                yield from texts(inner)
        case list():
            for inner in value:
                yield from texts(inner)


def constants(path: Path) -> Iterator[str]:
    """Every text in a module's code that is no docstring."""
    tree = ast.parse(path.read_text())
    said = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in said:
            yield node.value


# ---- S3 ----

PROMISED_PREFIXES = {code(prefix): kept for prefix, _, kept in table("The mail bucket")}


def bucket_prefixes(template: Any) -> set[str]:
    """The prefixes of the mail bucket that a template names: of objects' ARNs, and where it says `Prefix`."""
    arns = [re.search(r"(?:\$\{MailBucket\}|-mail-\$\{AWS::AccountId\})/([\w-]+/)", text) for text in texts(template)]
    return {found[1] for found in arns if found}


def test_the_prefixes_of_the_mail_bucket_are_those_of_the_docs() -> None:
    assert set(keys.PREFIXES) == PROMISED_PREFIXES.keys()
    assert keys.message("an-id").startswith(keys.PARSED)
    assert keys.attachment("an-id", 1) == "parsed/an-id/attachments/1"
    assert keys.answer("an-id").startswith(keys.ANSWERS)


def test_what_expires_and_what_is_kept_is_as_the_docs_say() -> None:
    rules = TEMPLATE["Resources"]["MailBucket"]["Properties"]["LifecycleConfiguration"]["Rules"]
    expires = {}
    for rule in rules:
        condition, there = ("HasMailRetention", rule["Fn::If"][1]) if "Fn::If" in rule else (None, rule)
        if "ExpirationInDays" in there:
            expires[there["Prefix"]] = (there["ExpirationInDays"]["Ref"], condition)
    promised = {
        prefix: (found[1], "HasMailRetention" if kept.startswith("for ever, or") else None)
        for prefix, kept in PROMISED_PREFIXES.items()
        if (found := re.search(r"`(\w+)`", kept))
    }
    assert expires == promised
    assert PROMISED_PREFIXES.keys() == expires.keys()


def test_s3_tells_the_topic_of_raw_messages_and_the_queue_of_answers() -> None:
    told = TEMPLATE["Resources"]["MailBucket"]["Properties"]["NotificationConfiguration"]
    for configurations, prefix in (("TopicConfigurations", keys.INBOUND), ("QueueConfigurations", keys.ANSWERS)):
        [one] = told[configurations]
        assert one["Filter"]["S3Key"]["Rules"] == [{"Name": "prefix", "Value": prefix}]


def test_ses_stores_where_the_workflow_reads() -> None:
    _, _, rule = RECEIVING["Resources"]["Fn::ForEach::RouteRules"]
    [stored] = rule["Rule&{Route}"]["Properties"]["Rule"]["Actions"]
    assert stored["S3Action"]["ObjectKeyPrefix"] == {"Fn::Sub": keys.inbound("${Route}")}
    assert bucket_prefixes(RECEIVING) == {keys.INBOUND}


def test_the_roles_name_every_prefix_and_no_other() -> None:
    assert bucket_prefixes(TEMPLATE) == set(keys.PREFIXES)


def test_the_definition_makes_the_keys_that_python_makes() -> None:
    prefixes = {found for text in texts(STATES) for found in re.findall(r"'([a-z]+/)'", text)}
    assert prefixes == {keys.ANSWERS, keys.QUARANTINE}
    before, after = keys.answer("\0").split("\0")
    made = [text for text in texts(STATES) if f"'{keys.ANSWERS}'" in text]
    assert len(made) == 3
    assert all(f"'{before}' & $claim.email.email_id & '{after}'" in text for text in made)
    assert keys.route("inbound/orders/x") == "orders"


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.relative_to(PROJECT).as_posix())
def test_only_keys_names_a_prefix_of_the_mail_bucket(path: Path) -> None:
    named = {text for text in constants(path) if re.match(rf"({'|'.join(keys.PREFIXES)})(\W|\w+/|$)", text)}
    assert not named or path.name == "keys.py"


def test_every_page_names_prefixes_that_there_are() -> None:
    """As `prefix/`, `prefix/*` and `prefix/<what>...`; a folder of the checkout is written in these ways too."""
    ours = {path.name for path in PROJECT.iterdir()} | {
        path.name for path in (PROJECT / "functions" / "mailstep").iterdir()
    }
    folders = {f"{name}/" for name in ours}
    named = {
        prefix
        for page in PAGES
        for prefix in re.findall(r"`(?:s3://[^/`]+/)?([a-z]+/)(?:\*|<[^`]*)?`", page.read_text())
    }
    # A media type, and a resource of SES.
    assert named - folders - {"image/", "identity/"} == set(keys.PREFIXES)


# ---- Outcomes, kinds and reasons ----

PROMISED_OUTCOMES = {code(outcome): (ends_on, means) for outcome, ends_on, means in table("Outcomes")}


def test_the_outcomes_are_those_of_the_docs() -> None:
    assert {outcome.value: outcome.means for outcome in Outcome} == {
        outcome: means for outcome, (_, means) in PROMISED_OUTCOMES.items()
    }


def outcomes_of(state: dict[str, Any]) -> set[str]:
    """The outcomes that a state's output can have."""
    output = state.get("Output")
    said = output.get("outcome", "") if isinstance(output, dict) else ""
    return set(re.findall(r"'(\w+)'", said)) if said.startswith("{%") else {said} - {""}


def test_every_outcome_ends_on_the_states_that_the_docs_name() -> None:
    ends = {
        (outcome, name)
        for states in (STATES, LATER_STATES)
        for name, state in states.items()
        for outcome in outcomes_of(state)
    }
    promised = {
        (outcome, name)
        for outcome, (ends_on, _) in PROMISED_OUTCOMES.items()
        for name in re.findall(r"[A-Z][a-z]+[A-Z]\w+", ends_on)
    }
    assert promised - {(Outcome.FAILED, "FailUnanswered")} == ends
    assert {outcome for outcome, _ in ends} == {*Outcome} - {Outcome.FAILED}
    assert STATES["FailUnanswered"]["Type"] == "Fail"


def test_every_end_says_an_outcome_and_the_email() -> None:
    for name, state in [*STATES.items(), *LATER_STATES.items()]:
        if state.get("End"):
            assert outcomes_of(state), name
            assert {"outcome", "email_id", "route", "reason"} <= state["Output"].keys(), name


def test_the_workflow_sends_every_kind_of_reply_and_no_other() -> None:
    sent = [
        state["Arguments"]["Payload"]["kind"]
        for state in [*STATES.values(), *LATER_STATES.values()]
        if "Reply" in json.dumps(state.get("Arguments", {}).get("FunctionName", ""))
    ]
    assert sorted(sent) == sorted(ReplyKind)


def test_every_kind_that_a_template_or_a_page_names_is_one() -> None:
    dashboard = TEMPLATE["Resources"]["Dashboard"]["Properties"]["DashboardBody"]["Fn::Sub"]
    named = re.findall(r'"kind", "(\w+)"|kind=\\"(\w+)', dashboard)
    assert {one or other for one, other in named} <= {*ReplyKind}
    page = (PROJECT / "docs" / "metrics.md").read_text()
    [kinds] = re.findall(r"`kind` is one of ([^|]+) \|", page)
    assert set(re.findall(r"`(\w+)`", kinds)) == {*ReplyKind}


def test_the_notice_has_words_for_every_kind_that_mailstep_writes_itself() -> None:
    template = (PROJECT / "functions" / "mailstep" / "templates" / "notice.txt.j2").read_text()
    named = set(re.findall(r'kind == "(\w+)"', template))
    # What has no branch of its own is the last one, a failure.
    assert named <= {*ReplyKind}
    assert {*ReplyKind} - named <= {ReplyKind.ANSWER, ReplyKind.LATER_ANSWER, ReplyKind.FAILURE}


def test_the_reasons_of_the_policy_page_are_those_of_the_rules() -> None:
    page = (PROJECT / "docs" / "policy.md").read_text()
    assert [rule.code for rule in policy.RULES] == re.findall(r"^\| \d+ \| `(\w+)` \|", page, re.MULTILINE)
    assert f"`{APPLICATION_REFUSED}`" in page
    assert policy.MEANINGS.keys() == {rule.code for rule in policy.RULES} | {APPLICATION_REFUSED}
    assert policy.WITHHELD.keys() < policy.MEANINGS.keys()
    # A code has at most one rule for each effect.
    assert len({(rule.code, rule.effect) for rule in policy.RULES}) == len(policy.RULES)


def test_a_reason_that_the_definition_names_is_one() -> None:
    named = {text for name, text in fields(STATES, "reason") if not text.startswith("{%")}
    assert named == {APPLICATION_REFUSED}


def fields(value: object, wanted: str) -> Iterator[tuple[str, str]]:
    match value:
        case dict():
            for name, inner in value.items():
                if name == wanted and isinstance(inner, str):
                    yield name, inner
                yield from fields(inner, wanted)
        case list():
            for inner in value:
                yield from fields(inner, wanted)


NAMES = {*Outcome, *ReplyKind, APPLICATION_REFUSED} - {"answer", "failed"}
"""What means an outcome, a kind or a reason wherever it stands alone; those two are words of other fields too."""


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.relative_to(PROJECT).as_posix())
def test_no_module_spells_an_outcome_a_kind_or_a_reason_by_itself(path: Path) -> None:
    if path.name == "outcomes.py":
        return
    # A code of one word, as spam, is a word of SES too.
    rules = {rule.code for rule in policy.RULES if "_" in rule.code} if path.name != "policy.py" else set()
    # The table of the policy says of each rule whether it is silent: a word, and no outcome.
    allowed = {"silent"} if path.name == "policy_page.py" else set()
    assert not (set(constants(path)) & (NAMES | rules)) - allowed


# ---- Outputs of the stacks, and the doctor's checks ----


def outputs_read() -> Iterator[tuple[str, str]]:
    """Each output that the command or the local account reads: the stack, `home` or `receiving`, and the name."""
    # `mailstep verify-aws` has a stack of its own.
    for path in (path for path in SOURCES if "verify" not in path.parts):
        for node in ast.walk(ast.parse(path.read_text())):
            match node:
                case ast.Subscript(value=stack, slice=ast.Constant(value=str(name))):
                    written = ast.unparse(stack)
                    if written.rpartition(".")[2] == "outputs":
                        yield "receiving" if "receiving" in written else "home", name


@pytest.mark.parametrize(("stack", "template"), [("home", TEMPLATE), ("receiving", RECEIVING)])
def test_an_output_that_the_command_reads_is_one_of_its_template(stack: str, template: dict[str, Any]) -> None:
    named = {name for where, name in outputs_read() if where == stack}
    assert named
    assert named <= template["Outputs"].keys()


@pytest.mark.parametrize("template", [TEMPLATE, RECEIVING], ids=["home", "receiving"])
def test_every_output_is_read_by_the_command_or_named_by_a_page(template: dict[str, Any]) -> None:
    named = {name for _, name in outputs_read()} | {
        word for page in PAGES for word in re.findall(r"\w+", page.read_text())
    }
    # docs/deploy.md has all of these published together.
    records = {
        name for name, output in template["Outputs"].items() if output["Description"].startswith("DNS record - ")
    }
    assert template["Outputs"].keys() - records <= named


def test_the_runbook_names_the_doctors_checks_in_their_order() -> None:
    rows = table("Mail arrives, but nothing happens", RUNBOOK)
    assert [name for names, _ in rows for name in re.findall(r"`([^`]+)`", names)] == list(CHECKS)


def test_a_check_of_the_doctor_that_another_section_of_the_runbook_names_is_one() -> None:
    named = {
        name
        for names in re.findall(r"\bchecks? ((?:`[^`]+`(?:,? and |, )?)+)", RUNBOOK)
        for name in re.findall(r"`([^`]+)`", names)
    }
    assert len(named) >= 3
    assert named <= CHECKS.keys()


# ---- Errors ----

OURS = {
    name: found
    for name, found in inspect.getmembers(errors, inspect.isclass)
    if issubclass(found, errors.MailstepError) and found is not errors.MailstepError
}


def test_what_the_workflow_does_about_each_error_is_what_the_docs_say() -> None:
    rows: dict[str, str] = {}
    for name, _, does in table("Errors"):
        if code(name):
            # The first row is what happens at once; further ones say what happens after that.
            rows.setdefault(code(name), does)
    promised = {name: does for name, does in rows.items() if "." not in name}
    assert promised == {name: found.workflow for name, found in OURS.items() if "workflow" in vars(found)}
    assert all(found.workflow for found in OURS.values())


def test_every_rejection_of_ses_has_its_remedy_in_the_docs() -> None:
    page = (PROJECT / "docs" / "sending.md").read_text()
    rejections = {name: found for name, found in OURS.items() if issubclass(found, errors.ReplyRejected)}
    del rejections["ReplyRejected"]
    assert {code(name): remedy for name, remedy in table("When SES rejects a reply", page)} == {
        name: found.remedy for name, found in rejections.items()
    }


def test_every_error_is_raised_by_a_module() -> None:
    named = {
        node.attr if isinstance(node, ast.Attribute) else node.id
        for path in SOURCES
        if path.name != "errors.py"
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute | ast.Name)
    }
    assert OURS.keys() <= named


def test_a_state_that_fails_names_an_error_that_the_docs_explain() -> None:
    for name, state in STATES.items():
        if state["Type"] == "Fail":
            assert f"(`{state['Error']}`)" in ARCHITECTURE, name
            assert state["Error"] not in OURS
