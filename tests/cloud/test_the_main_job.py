"""The main job, on the deployed stack: a message in by SMTP, the reply out, and the same story in history."""

import base64
import re
from pathlib import Path

import pytest

from mailstep_cli import demo
from mailstep_cli.smtp_client import read_message_file
from mailstep_local.cloud import LocalCloud
from tests.support.cloud import Desk, body, processes_of, reply_of
from tests.support.project import EMAILS, run

# What becomes of each sample: outcome, reason, and a piece of the text that the sender reads.
OUTCOMES = {
    "order.eml": ("replied", None, "6 rows, 5 columns"),
    "note.eml": ("replied", None, "no attachments"),
    "thread.eml": ("replied", None, "no attachments"),
    "workbook.eml": ("replied", None, "Stock: 4 Zeilen, 4 Spalten"),
    "broken-table.eml": ("replied", None, "not a workbook that can be read"),
    "out-of-office.eml": ("silent", "automatic_mail", None),
    "newsletter.eml": ("processed", None, None),
    "bounce.eml": ("silent", "automatic_mail", None),
    "no-sender.eml": ("silent", "no_sender", None),
    "too-large.eml": ("refused", "too_large", "at most 20,000 are accepted"),
}


@pytest.fixture(scope="module")
def results(desk: Desk) -> dict[str, demo.Result]:
    return {result.file.name: result for result in desk.send(*OUTCOMES)}


def test_every_sample_has_a_declared_outcome() -> None:
    assert {path.name for path in EMAILS.iterdir()} == set(OUTCOMES)


@pytest.mark.parametrize("name", OUTCOMES)
def test_each_sample_ends_as_declared(results: dict[str, demo.Result], name: str) -> None:
    outcome, reason, text = OUTCOMES[name]
    result = results[name]
    assert (result.status, result.outcome, result.reason) == ("SUCCEEDED", outcome, reason)
    if text is None:
        assert result.reply is None
    else:
        assert text in body(reply_of(result), "plain")


def test_the_reply_is_threaded_and_marked_as_automatic(results: dict[str, demo.Result]) -> None:
    reply = reply_of(results["thread.eml"])
    assert reply["From"] == "orders@mailstep.example"
    assert reply["To"] == "Ben Baker <ben@partner.example>"
    assert reply["Subject"] == "Re: Are you open on Saturday?"
    assert reply["In-Reply-To"] == "<saturday.3@partner.example>"
    assert reply["References"] == (
        "<saturday.1@partner.example> <saturday.2@mailstep.example> <saturday.3@partner.example>"
    )
    assert reply["Auto-Submitted"] == "auto-replied"
    assert "</html>" in body(reply, "html")


def test_errors_keep_their_own_names_in_history(results: dict[str, demo.Result]) -> None:
    refused = results["out-of-office.eml"]
    assert refused.error == "RefusedEmail"
    assert [state["name"] for state in refused.as_json()["states"]] == [
        "ParseEmail",
        "ValidateEmail",
        "ChooseRefusal",
        "StaySilent",
    ]


ORDINARY = [
    "talon/messages/standard_replies/android.eml",
    "php-mime-mail-parser/messages/issue163",
    "rails-actionmailbox/messages/welcome.eml",
    "mime4j/messages/core/src/test/resources/testmsgs/example.msg",
    "mikel-mail/messages/emails/multi_charset/japanese_attachment.eml",
]


def test_ordinary_mail_that_nobody_here_wrote_is_replied_to(desk: Desk, corpus: Path) -> None:
    files = [read_message_file(corpus / name) for name in ORDINARY]
    for file, result in zip(files, desk.follow(files, route="orders"), strict=True):
        assert result.outcome == "replied", result
        reply = reply_of(result)
        assert file.message
        assert reply["In-Reply-To"] == file.message.message_id
        assert file.message.message_id in reply["References"]
        assert "Your message arrived" in body(reply, "plain")
        assert "Your message arrived" in body(reply, "html")


def test_an_unreadable_message_is_mailed_and_quarantined(desk: Desk, tmp_path: Path) -> None:
    image = tmp_path / "image.eml"
    image.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(100))
    [result] = desk.follow([read_message_file(image)])
    assert (result.status, result.outcome) == ("SUCCEEDED", "quarantined")


def test_what_waits_for_a_consumer_is_still_running_when_the_demo_ends(cloud: LocalCloud, desk: Desk) -> None:
    desk.forget_deliveries()
    [result] = demo.run(cloud, [read_message_file(EMAILS / "order.eml")], route="tickets", timeout=20)
    assert (result.status, result.outcome) == ("RUNNING", "still running")
    told = run("replay", result.execution_arn or "", **cloud.account.variables())
    assert (told.returncode, "is still running" in told.stderr) == (2, True)
    cloud.account.client("stepfunctions").stop_execution(executionArn=result.execution_arn or "")
    cloud.account.client("sqs").purge_queue(QueueUrl=cloud.outputs["ApplicationQueueUrl"])


def test_the_largest_message_that_ses_takes_is_parsed_within_512_mb(
    cloud: LocalCloud, desk: Desk, tmp_path: Path
) -> None:
    message = tmp_path / "large.eml"
    head = b"From: Ann <ann@shop.example>\r\nMessage-ID: <large@shop.example>\r\n"
    head += b"Content-Type: multipart/mixed; boundary=b\r\n"
    content = base64.encodebytes(bytes(range(256)) * 115_000).replace(b"\n", b"\r\n")
    part = b"--b\r\nContent-Type: application/pdf\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    message.write_bytes(head + b"\r\n" + part + content + b"--b--\r\n")
    assert 40_000_000 < message.stat().st_size < 40 * 1024 * 1024
    [result] = desk.send("large.eml", route="orders", directory=tmp_path)
    assert result.outcome == "replied", result
    assert "29.4 MB" in body(reply_of(result), "plain")
    peaks = [peak_kilobytes(process) for process in processes_of(cloud, cloud.functions["ParseFunction"])]
    assert peaks
    assert max(peaks) < 512 * 1024


def peak_kilobytes(process: Path) -> int:
    """The high-water mark of a process's resident memory (proc(5), VmHWM)."""
    found = re.search(r"VmHWM:\s+(\d+) kB", (process / "status").read_text())
    return int(found[1]) if found else 0


def test_the_functions_log_ids_and_no_personal_data(desk: Desk, results: dict[str, demo.Result]) -> None:
    arn = results["order.eml"].execution_arn
    assert arn
    name = arn.rpartition(":")[2]
    assert any('"Replied"' in line for line in desk.log_lines(name))
    for private in ("ann@shop.example", "Order 4711", "spring collection", "Linen shirt"):
        assert not [line for line in desk.log_lines(private) if private in line]
