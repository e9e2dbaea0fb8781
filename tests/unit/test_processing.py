"""`mailstep process` as an author types it, in a checkout with routes and processors of an installation's own."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from jsonschema import validate

from tests.support.command import typed
from tests.support.messages import SES, mail_with
from tests.support.project import EMAILS, EVENTS, PROJECT, run

PROCESSORS = {
    "words": 'return Answer(text=f"You wrote {len(message.text.split())} words.")',
    "broken": 'print("on the way:", message.text)\n    return {}["no such key"]',
    "dictionary": 'return {"text": "x"}',
    "leaving": "raise SystemExit(7)",
    # Named as functions and modules that the processors' package uses or might use.
    "cast": 'return Answer(text="cast")',
    "custom": 'return Answer(text="custom")',
    "built_in": 'return Answer(text="built_in")',
    "silent": "return None",
    "refusing": 'raise ApplicationRefused("Please attach your order.")',
    "echo": "print(message.text)\n    return Answer(text=message.text)",
}
ROUTES = "\n".join(
    [
        *(f'[routes.{name.replace("_", "-")}]\nprocessor = "{name}"' for name in PROCESSORS),
        '[routes.missing]\nprocessor = "nowhere"',
        '[routes.faulty]\nprocessor = "words"\nreplies_an_hour = 0',
        '[routes.open]\nprocessor = "words"\nrequire_authentication = false',
        '[routes.open-refusing]\nprocessor = "refusing"\nrequire_authentication = false',
        '[routes.sales]\nurl = "https://app.example/mail"',
        '[routes.named]\nprocessor = "words"\nreply_name = "The Desk"',
    ]
)
FIELDS = "From: ann@shop.example\r\nSubject: Hello\r\nMessage-ID: <1@x>\r\n"
TEXT = "three short\x1b[31m words"
UNPROVEN = SES.format(spam="PASS", virus="PASS", dkim="fail", dmarc="fail").replace("spf=pass", "spf=fail")


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkout with settings of its own in functions/custom."""
    made = tmp_path_factory.mktemp("checkout")
    for folder in ("functions", "mailstep_cli"):
        shutil.copytree(PROJECT / folder, made / folder, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(PROJECT / "template.yaml", made)
    custom = made / "functions" / "custom"
    (custom / "routes.toml").write_text(ROUTES)
    (custom / "processors").mkdir(exist_ok=True)
    for name, body in PROCESSORS.items():
        (custom / "processors" / f"{name}.py").write_text(
            "from mailstep.process.processors import Answer, ApplicationRefused, Message, OpenAttachment\n\n\n"
            f"def process(message: Message, open_attachment: OpenAttachment) -> Answer:\n    {body}\n"
        )
    (made / "hello.eml").write_bytes(f"{FIELDS}\r\n{TEXT}\r\n".encode())
    (made / "unproven.eml").write_bytes(f"{UNPROVEN}{FIELDS}\r\n{TEXT}\r\n".encode())
    return made


def process(checkout: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join([str(checkout), str(checkout / "functions")])
    return subprocess.run(
        [sys.executable, "-c", "from mailstep_cli.main import main; main()", "process", *arguments],
        cwd=checkout, env=os.environ | {"PYTHONPATH": path}, capture_output=True, text=True, timeout=150, check=False,
    )  # fmt: skip


def ended(checkout: Path, *arguments: str) -> dict[str, object]:
    told = process(checkout, "--json", *arguments)
    assert told.returncode == 0, told.stderr
    found: dict[str, object] = json.loads(told.stdout)
    return found


def test_a_processor_of_ones_own_answers_and_the_reply_is_as_its_reader_gets_it(checkout: Path) -> None:
    shown = process(checkout, "hello.eml", "--route", "named")
    assert (shown.returncode, shown.stderr) == (0, "")
    for line in ("From: The Desk <named@mailstep.example>", "To: ann@shop.example", "You wrote 3 words."):
        assert line in shown.stdout
    assert "duplicate_message" in shown.stdout, "it says what is not applied"


def test_json_is_the_outcome_and_the_answer_of_the_contract() -> None:
    told = typed("process", "events/emails/order.eml", "--route", "orders", "--json")
    found = json.loads(told.stdout)
    assert (found["outcome"], found["reason"]) == ("replied", None)
    assert "6 rows, 5 columns" in found["answer"]["text"]
    validate(found["answer"], json.loads((PROJECT / "docs" / "schemas" / "answer.json").read_text()))


def test_the_reply_is_shown_with_its_files() -> None:
    shown = typed("process", "events/emails/order.eml", "--route", "orders").stdout
    assert "Attachment: order-4711 (cleaned).csv (text/csv, " in shown
    assert "Attachment: order-4711 (cleaned).xlsx" in shown
    assert "Picture: bars-1.png (image/png, " in shown


def test_a_refused_message_shows_what_the_sender_reads_and_a_silent_one_why() -> None:
    told = typed("process", "--route", "feedback", str(EMAILS / "too-large.eml"))
    assert told.returncode == 0
    assert "at most 20,000 are accepted" in told.stdout
    assert "too-large.eml: refused" in told.stdout.replace("\n", "")
    silent = json.loads(typed("process", "--json", "--route", "orders", str(EMAILS / "out-of-office.eml")).stdout)
    assert (silent["outcome"], silent["reason"], silent["answer"]) == ("silent", "automatic_mail", None)


def test_automatic_mail_is_shown_with_the_sign_that_it_has(tmp_path: Path) -> None:
    mail = "From: ann@shop.example\nTo: orders@mail.example\n{}\n\nHello\n"
    for field, sign in (("Auto-Submitted: auto-replied", "Auto-Submitted"), ("List-Id: <a.example>", "List-*")):
        (file := tmp_path / "mail.eml").write_text(mail.format(field))
        assert f"It is automatic mail by {sign}." in typed("process", str(file), "--route", "orders").stdout
        assert json.loads(typed("process", "--json", str(file), "--route", "orders").stdout)["automatic_by"] == [sign]
    (tmp_path / "mail.eml").write_text(mail.format("X-Plain: yes"))
    assert "automatic mail by" not in typed("process", str(tmp_path / "mail.eml"), "--route", "orders").stdout


def test_what_ses_said_of_a_stored_message_counts(checkout: Path) -> None:
    stored = ended(checkout, str(EVENTS / "stored-order.eml"), "--route", "words")
    assert (stored["outcome"], "unauthenticated" in json.dumps(stored["rules_not_applied"])) == ("replied", False)
    unproven = ended(checkout, "unproven.eml", "--route", "words")
    assert (unproven["outcome"], unproven["reason"]) == ("silent", "unauthenticated")


def test_an_unproven_sender_of_an_open_route_is_processed_and_gets_no_reply(checkout: Path) -> None:
    open_ = ended(checkout, "unproven.eml", "--route", "open")
    assert (open_["outcome"], open_["reason"], open_["withheld"]) == ("processed", None, "unauthenticated")
    shown = process(checkout, "unproven.eml", "--route", "open").stdout
    assert "No reply: reply withheld (unauthenticated: Neither DMARC" in " ".join(shown.split())
    assert "You wrote 3 words." in shown
    assert "To: ann@shop.example" not in shown


def test_a_processor_that_wants_no_reply_or_refuses_is_shown_so(checkout: Path) -> None:
    silent = ended(checkout, "hello.eml", "--route", "silent")
    assert (silent["outcome"], silent["reason"], silent["answer"]) == ("processed", None, None)
    assert "No reply: the processor asked for none." in process(checkout, "hello.eml", "--route", "silent").stdout
    refused = ended(checkout, "hello.eml", "--route", "refusing")
    assert (refused["outcome"], refused["reason"]) == ("refused", "application_refused")
    shown = process(checkout, "hello.eml", "--route", "refusing").stdout
    assert "application_refused: " in shown
    assert "Please attach your order." in shown
    # Nothing is sent to a sender who is not authenticated, a refusal neither.
    silent = ended(checkout, "unproven.eml", "--route", "open-refusing")
    assert (silent["outcome"], silent["reason"]) == ("silent", "application_refused")


@pytest.mark.parametrize(
    ("route", "says"),
    [
        ("sales", "mailstep demo --route sales"),
        ("nobody", "there is no route 'nobody' in "),
        ("missing", "there is no functions/custom/processors/nowhere.py"),
        ("faulty", "routes.faulty.replies_an_hour"),
        ("nobody", "functions/custom/routes.toml; there are: words,"),
        ("broken", "the processor broken failed at broken.py, line 6: KeyError: 'no such key'"),
        ("dictionary", "the processor answered with dict"),
        ("leaving", "the processor leaving failed at leaving.py, line 5: SystemExit: 7"),
    ],
)
def test_what_an_author_did_wrong_is_one_line(checkout: Path, route: str, says: str) -> None:
    told = process(checkout, "hello.eml", "--route", route)
    assert (told.returncode, told.stdout) == (2, "")
    *printed, line = told.stderr.strip().splitlines()
    assert line.startswith("mailstep: ")
    assert says in line
    assert [one for one in printed if one] == (["on the way: three short\\x1b[31m words"] if route == "broken" else [])


def test_mail_for_a_queue_needs_its_consumer_and_the_command_is_named() -> None:
    told = typed("process", "events/emails/order.eml", "--route", "tickets")
    assert told.returncode == 2
    [line] = told.stderr.strip().splitlines()
    assert "mailstep demo --route tickets" in line


def test_a_route_whose_url_is_not_set_yet_is_processed_as_mailstep_routes_says() -> None:
    [said] = [line for line in run("routes", COLUMNS="200").stdout.splitlines() if line.startswith("application ")]
    assert "processor receipt, until ${APPLICATION_URL} is set" in said
    told = typed("process", "events/emails/order.eml", "--route", "application")
    assert told.returncode == 0
    assert "Answered by the processor receipt, until ${APPLICATION_URL} is set." in told.stdout
    other = typed("process", "events/emails/order.eml", "--route", "orders").stdout
    assert "Answered by the processor tables." in other
    assert "Your message arrived" in told.stdout


def test_a_missing_file_or_one_that_is_not_an_email_is_one_line(checkout: Path) -> None:
    (checkout / "nothing.eml").write_bytes(b"\0\1\2")
    for name, says in (("nowhere.eml", "No such file"), ("nothing.eml", "not an email")):
        told = process(checkout, name, "--route", "words")
        assert (told.returncode, told.stdout) == (2, "")
        [line] = told.stderr.strip().splitlines()
        assert f"{name}: {says}" in line


def test_a_terminal_obeys_nothing_that_a_sender_wrote(checkout: Path) -> None:
    """Neither in the reply, nor where the processor prints it."""
    shown = process(checkout, "hello.eml", "--route", "echo")
    assert "\x1b[31m" not in shown.stdout + shown.stderr
    assert "three short\\x1b[31m words" in shown.stderr
    assert "three short\\x1b[31m words" in shown.stdout
    answer = ended(checkout, "hello.eml", "--route", "echo")["answer"]
    assert isinstance(answer, dict)
    assert answer["text"].strip() == TEXT


def test_a_log_line_of_the_processor_is_no_part_of_the_json(checkout: Path, tmp_path: Path) -> None:
    """`tables` logs what it cannot foresee; here, it is a processor that logs."""
    source = (checkout / "functions" / "custom" / "processors" / "words.py").read_text()
    logging = source.replace("    return", '    logger.error("one line")\n    return')
    noisy = checkout / "functions" / "custom" / "processors" / "noisy.py"
    noisy.write_text(f"from mailstep.telemetry import logger\n{logging}")
    routes = checkout / "functions" / "custom" / "routes.toml"
    routes.write_text(f'{ROUTES}\n[routes.noisy]\nprocessor = "noisy"\n')
    (tmp_path / "a.eml").write_bytes(mail_with({"a.txt": b"1"}).as_bytes())
    told = process(checkout, "--json", str(tmp_path / "a.eml"), "--route", "noisy")
    assert json.loads(told.stdout)["outcome"] == "replied"
    assert "one line" in told.stderr


@pytest.mark.parametrize("name", ["cast", "custom", "built_in"])
def test_a_processor_may_have_any_modules_name(checkout: Path, name: str) -> None:
    assert ended(checkout, "hello.eml", "--route", name.replace("_", "-"))["answer"]["text"] == name  # type: ignore[index]


@pytest.mark.parametrize(
    ("template", "says"),
    [
        ("Hello\n{% if %}", "reply.txt.j2, line 2: Expected an expression"),
        ("Hello\n{{ nothing }}", "reply.txt.j2, line 2: UndefinedError: 'nothing' is undefined"),
        ("Hello\n{{ 1 / 0 }}", "reply.txt.j2, line 2: ZeroDivisionError"),
    ],
)
def test_a_broken_template_of_ones_own_is_one_line(checkout: Path, template: str, says: str) -> None:
    own = checkout / "functions" / "custom" / "templates" / "reply.txt.j2"
    own.parent.mkdir(exist_ok=True)
    own.write_text(template)
    try:
        told = process(checkout, "hello.eml", "--route", "words")
    finally:
        own.unlink()
    assert (told.returncode, told.stdout) == (2, "")
    assert says in told.stderr
    assert len(told.stderr.splitlines()) == 1
