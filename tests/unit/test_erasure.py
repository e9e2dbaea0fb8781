"""`mailstep erase` and `mailstep export`: everything of a person goes, or is handed out, and nothing of another.

Over 300 lines, because both commands must find the same places.
"""

import json
import re
import stat
import zipfile
from pathlib import Path
from typing import Any

import boto3
import pytest

from mailstep import reference
from mailstep.answers import read_answer
from mailstep.aws import ledger, mail_bucket, ses, threads
from mailstep.aws.ledger import Ledger
from mailstep.aws.reply_counts import count_id
from mailstep.contracts import Address, Answer, Message, ReplyRequest, StoredEmail
from mailstep.outcomes import ReplyKind
from mailstep.parse import handler as parse_handler
from mailstep.reply import send_once
from mailstep.start.identity import execution_name, later_answer, stored_email
from mailstep_cli import access_request, failures, mail_objects
from mailstep_cli.erasure import Erasure
from mailstep_cli.errors import UserError
from mailstep_cli.home_stack import HomeStack, execution_arn
from mailstep_cli.outputs import as_json
from tests.support.events import BUCKET, CONTEXT, REGION, event, stored_order
from tests.support.index import TABLE, message_index

pytestmark = pytest.mark.usefixtures("account", "executions")

STACK = HomeStack(
    "mailstep",
    {
        "MailBucketName": BUCKET,
        "LedgerTableName": "ledger",
        "MessageIndexName": TABLE,
        "StateMachineArn": "arn:aws:states:us-east-1:123456789012:stateMachine:mailstep-email",
        "LaterAnswerStateMachineArn": "arn:aws:states:us-east-1:123456789012:stateMachine:mailstep-later-answers",
    },
    parameters={"ParsedRetentionDays": "30"},
)
ANN, BOB = "ann@shop.example", "bob@other.example"


@pytest.fixture
def executions(account: None, monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """The ARNs of the executions that still run; nothing else has an execution."""
    running: set[str] = set()

    def described(_sfn: object, arn: str) -> object:
        return {"status": "RUNNING"} if arn in running else None

    monkeypatch.setattr(failures, "described", described)
    s3 = boto3.client("s3", region_name=REGION)
    s3.delete_object(Bucket=BUCKET, Key="inbound/orders/sample-order")
    s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    return running


def written_by(author: str, *, to: str = "orders@mailstep.example", fields: str = "") -> bytes:
    """The sample order as another person wrote it."""
    raw = stored_order().replace(b"ann@shop.example", author.encode())
    return raw.replace(b"To: orders@mailstep.example", f"{fields}To: {to}".encode())


def store(name: str, raw: bytes, *, parsed: bool = True) -> StoredEmail:
    """A message as it lies in the bucket after it was processed: raw, parsed, answered."""
    s3 = boto3.client("s3", region_name=REGION)
    key = f"inbound/orders/{name}"
    s3.put_object(Bucket=BUCKET, Key=key, Body=raw)
    email = stored_email(BUCKET, key)
    assert email
    if parsed:
        parse_handler.handler(email.model_dump(mode="json"), CONTEXT)
        mail_bucket.write_answer(BUCKET, email.email_id, Answer(text="Done."))
        index(email.email_id)
    return email


def index(email_id: str) -> None:
    """The entry that IndexFunction makes of a parsed message."""
    message = mail_bucket.read_message(BUCKET, f"parsed/{email_id}/message.json")
    message_index().change(email_id, lambda entry: entry.with_message(message))


def indexed() -> set[str]:
    items = boto3.client("dynamodb", region_name=REGION).scan(TableName=TABLE)["Items"]
    return {item["email_id"]["S"] for item in items}


def whatever_is_left() -> list[str]:
    """All that `aws s3` finds: every version and every delete marker."""
    pages = boto3.client("s3", region_name=REGION).get_paginator("list_object_versions").paginate(Bucket=BUCKET)
    return sorted(one["Key"] for page in pages for one in (*page.get("Versions", []), *page.get("DeleteMarkers", [])))


def records() -> set[str]:
    items = boto3.client("dynamodb", region_name=REGION).scan(TableName="ledger")["Items"]
    return {item["id"]["S"] for item in items}


def erased(whose: str, **options: Any) -> dict[str, Any]:
    found = Erasure(STACK, dry_run=options.pop("dry_run", False))
    if "@" in whose:
        found.find_person(whose, **options)
    else:
        found.find_email(whose)
    report: dict[str, Any] = as_json(found.erase())
    return report


def answered(email: StoredEmail, monkeypatch: pytest.MonkeyPatch, *, sent_as: str = "ses-1") -> None:
    """Everything that the service records of an email that was answered with notices before it."""
    message = mail_bucket.read_message(BUCKET, f"parsed/{email.email_id}/message.json")
    records = Ledger(lambda _: False)
    assert records.record_delivery(message, "arn")
    assert records.count_reply(message, message.from_[0], 10)
    monkeypatch.setattr(ses, "send", lambda *_args, **_named: sent_as)
    for kind in ReplyKind:
        for again in (False, True):
            request = event("reply") | {
                "kind": kind,
                "execution_name": f"{email.email_id}-r2" if again else email.email_id,
            }
            request["claim"] = request["claim"] | {
                "email": email.model_dump(mode="json") | {"reply_again": again},
                "message_key": f"parsed/{email.email_id}/message.json",
            }
            request["answer_key"] = f"answers/{email.email_id}.json" if kind == ReplyKind.ANSWER else None
            request["explanation"] = "Send it as CSV."
            send_once.reply(ReplyRequest.model_validate(request), remaining_milliseconds=lambda: 20_000)


@pytest.mark.parametrize("expired", [False, True], ids=["answer is there", "answer has expired"])
def test_later_answers_and_threads_are_erased_with_the_email(expired: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ses, "send", lambda *_args, **_named: "ses-1")
    email, other = store("one", stored_order()), store("other", written_by(BOB))
    message = mail_bucket.read_message(BUCKET, f"parsed/{email.email_id}/message.json")
    threads.join(message)
    key, s3 = f"answers/{email.email_id}/shipped.json", boto3.client("s3", region_name=REGION)
    version = s3.put_object(Bucket=BUCKET, Key=key, Body=b'{"text": "Shipped."}')["VersionId"]
    claim = event("reply")["claim"] | {
        "email": email.model_dump(mode="json"),
        "message_key": f"parsed/{email.email_id}/message.json",
    }
    answer = {"email_id": email.email_id, "name": "shipped", "bucket": BUCKET, "key": key}
    request = {"execution_name": "x", "claim": claim, "kind": ReplyKind.LATER_ANSWER, "later_answer": answer}
    send_once.reply(ReplyRequest.model_validate(request), remaining_milliseconds=lambda: 20_000)
    assert len(records()) == 3
    before = records()
    answered(other, monkeypatch, sent_as="ses-2")
    of_bob = records() - before
    if expired:
        s3.delete_object(Bucket=BUCKET, Key=key, VersionId=version)
    assert erased(ANN)["complete"]
    assert records() == of_bob
    assert {other.email_id in one or one == other.key for one in whatever_is_left()} == {True}


def test_an_email_whose_later_answer_is_being_sent_is_left_whole_and_named(executions: set[str]) -> None:
    email = store("hers", written_by(ANN))
    key = f"answers/{email.email_id}/shipped.json"
    boto3.client("s3", region_name=REGION).put_object(Bucket=BUCKET, Key=key, Body=b"{}")
    answer = later_answer(BUCKET, key)
    assert answer
    sends = execution_arn(STACK.outputs["LaterAnswerStateMachineArn"], execution_name(answer))
    executions.add(sends)
    before = whatever_is_left()
    report = erased(ANN)
    assert (report["running"], report["complete"], whatever_is_left()) == ([email.email_id], False, before)
    executions.remove(sends)
    assert erased(ANN)["complete"]
    assert whatever_is_left() == []


def test_an_erased_person_leaves_nothing_in_the_bucket_and_nothing_in_the_ledger(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    s3 = boto3.client("s3", region_name=REGION)
    hers = store("hers", written_by(ANN))
    answered(hers, monkeypatch)
    ledger.suppress(ANN, seconds=1000)
    colleague = Message(email_id="c", route=hers.route, size_octets=1, from_=(Address(address="c@shop.example"),))
    assert Ledger(lambda _: False).count_reply(colleague, Address(address=ANN), 10)
    # A second version, a deleted message, one in quarantine, and one whose parsed/ has expired.
    s3.put_object(Bucket=BUCKET, Key=hers.key, Body=written_by(ANN))
    deleted = store("deleted", written_by(ANN))
    s3.delete_object(Bucket=BUCKET, Key=deleted.key)
    s3.delete_object(Bucket=BUCKET, Key=f"answers/{deleted.email_id}.json")
    s3.put_object(Bucket=BUCKET, Key=f"answers/{hers.email_id}/shipped.json", Body=b"{}")
    quarantined = store("quarantined", written_by(ANN), parsed=False)
    s3.put_object(Bucket=BUCKET, Key=f"quarantine/{quarantined.email_id}", Body=written_by(ANN))
    store("old", written_by(ANN), parsed=False)
    assert len(records()) > 10

    report = erased(ANN)
    assert whatever_is_left() == []
    assert indexed() == set()
    # The count of replies to a whole domain names no person.
    left = {record for record in records() if not record.startswith("domain#")}
    assert left == {count_id(hers.route, "c@shop.example")}
    assert report["complete"]
    assert len(report["messages"]) == 4
    [first] = [one for one in report["messages"] if one["email_id"] == hers.email_id]
    assert (first["raw"], first["answers"], first["quarantine"], first["index"]) == (2, 2, 0, 1)


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(written_by("Ann+orders@SHOP.example"), id="a label, and capitals"),
        pytest.param(written_by('"ann"@shop.example'), id="quotes that are not needed"),
        pytest.param(written_by(BOB, fields="Sender: ann@shop.example\r\n"), id="Sender"),
        pytest.param(written_by(BOB, fields="Reply-To: Ann <ann@shop.example>\r\n"), id="Reply-To"),
        pytest.param(written_by(BOB).replace(b"<bob@other.example>", b"<ann@shop.example>", 1), id="Return-Path"),
    ],
)
def test_a_message_is_a_persons_in_whatever_way_she_is_named_as_its_writer(raw: bytes) -> None:
    email = store("any", raw)
    assert [one["email_id"] for one in erased(ANN)["messages"]] == [email.email_id]
    assert whatever_is_left() == []


def test_one_email_is_erased_by_the_reference_that_its_sender_names() -> None:
    email, other = store("one", written_by(ANN)), store("two", written_by(ANN))
    assert [one["email_id"] for one in erased(reference.spelled(email.email_id))["messages"]] == [email.email_id]
    assert indexed() == {other.email_id}


def test_a_reference_of_two_emails_erases_neither_and_names_both(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reference, "short", lambda _: "7K4QMTXA")
    emails = [store("one", written_by(ANN)), store("two", written_by(BOB))]
    with pytest.raises(UserError) as refused:
        erased("7k4q-mtxa")
    assert all(email.email_id in str(refused.value) for email in emails)
    assert indexed() == {email.email_id for email in emails}


def test_messages_of_others_stay_and_the_report_counts_those_that_name_the_person() -> None:
    store("his", written_by(BOB, to=f"orders@mailstep.example, {ANN}"))
    store("similar", written_by("joann@shop.example"))
    before = whatever_is_left()
    report = erased(ANN)
    assert whatever_is_left() == before
    assert (report["messages"], report["mentioned"]) == ([], 1)


@pytest.mark.parametrize(
    "other", ["joann@shop.example", "ann@shop.example.net", "mary-ann@shop.example", "x.ann@shop.example"]
)
def test_a_message_without_an_author_is_not_a_persons_because_it_names_a_longer_address(other: str) -> None:
    nobody = re.sub(rb"From:.*\r\n", b"", written_by(BOB, to=f"orders@mailstep.example, {other}"))
    store("any", nobody, parsed=False)
    assert erased(ANN)["messages"] == []
    assert whatever_is_left() != []


@pytest.mark.parametrize("hers", ["ann@shop.example", "<ANN+orders@Shop.Example>,", "mailto:ann@shop.example."])
def test_a_message_without_an_author_is_a_persons_if_its_header_names_her(hers: str) -> None:
    nobody = re.sub(rb"From:.*\r\n", b"", written_by(BOB, fields=f"X-Author: {hers}\r\n"))
    email = store("any", nobody, parsed=False)
    assert [one["email_id"] for one in erased(ANN)["messages"]] == [email.email_id]


def test_a_dry_run_reports_the_same_and_erases_nothing() -> None:
    email = store("hers", written_by(ANN))
    ledger.suppress(ANN, seconds=1000)
    before = whatever_is_left(), records()
    told = erased(ANN, dry_run=True)
    assert (whatever_is_left(), records()) == before
    assert (told["dry_run"], told["complete"], told["address_records"]) == (True, False, 1)
    assert told["messages"] == erased(ANN)["messages"]
    assert told["messages"][0]["email_id"] == email.email_id


def test_the_report_can_be_kept_because_it_has_no_address() -> None:
    store("hers", written_by(ANN))
    report = json.dumps(erased(ANN)).lower()
    assert "ann" not in report.replace("nothing", "").split("left_elsewhere", maxsplit=1)[0]
    assert "shop.example" not in report


def test_a_suppressed_address_can_stay_suppressed() -> None:
    ledger.suppress(ANN, seconds=1000)
    erased(ANN, keep_suppression=True)
    assert Ledger(lambda _: False).is_suppressed(ANN)
    erased(ANN)
    assert not Ledger(lambda _: False).is_suppressed(ANN)


def test_an_email_that_is_being_processed_is_left_whole_and_named(executions: set[str]) -> None:
    email = store("hers", written_by(ANN))
    executions.add(STACK.execution(email.email_id))
    before = whatever_is_left()
    report = erased(ANN)
    assert (report["running"], report["complete"]) == ([email.email_id], False)
    assert whatever_is_left() == before


def test_an_erasure_that_was_interrupted_finds_the_rest_again(monkeypatch: pytest.MonkeyPatch) -> None:
    store("1", written_by(ANN))
    store("2", written_by(ANN))
    delete = mail_objects.delete
    left = iter([True])

    def interrupted(*arguments: Any) -> int:
        if not next(left, False):
            raise KeyboardInterrupt
        return delete(*arguments)

    with monkeypatch.context() as patched:
        patched.setattr(mail_objects, "delete", interrupted)
        report = erased(ANN)
    assert (report["interrupted"], report["complete"]) == (True, False)
    assert len(erased(ANN)["messages"]) == 2
    assert whatever_is_left() == []


def test_one_email_is_erased_by_its_id_and_no_other() -> None:
    email, other = store("one", written_by(ANN)), store("other", written_by(ANN))
    report = erased(email.email_id)
    assert report["about"] == {"email_id": email.email_id}
    assert all(other.email_id in key or key == other.key for key in whatever_is_left())
    assert other.key in whatever_is_left()
    with pytest.raises(UserError, match="nothing is stored"):
        erased(email.email_id)


@pytest.mark.parametrize("name", ["", "{}/attachments", "{}/", "*"])
def test_what_is_no_whole_id_erases_nothing(name: str) -> None:
    with pytest.raises(UserError, match="is not the id of an email"):
        Erasure(STACK, dry_run=False).find_email(name.format("sample-order"))


def test_an_earlier_email_of_a_thread_is_not_named_by_its_thread_any_more() -> None:
    first, second = store("one", stored_order()), store("two", stored_order())
    message = mail_bucket.read_message(BUCKET, f"parsed/{first.email_id}/message.json")
    for email_id in (first.email_id, second.email_id):
        threads.join(message.model_copy(update={"email_id": email_id}))
    assert erased(first.email_id)["complete"]
    left = boto3.client("dynamodb", region_name=REGION).scan(TableName="ledger")["Items"]
    assert first.email_id not in json.dumps(left)


def test_a_message_of_which_only_the_parsed_form_is_left_is_found_too() -> None:
    email = store("hers", written_by(ANN))
    s3 = boto3.client("s3", region_name=REGION)
    for version in s3.list_object_versions(Bucket=BUCKET, Prefix="inbound/")["Versions"]:
        s3.delete_object(Bucket=BUCKET, Key=version["Key"], VersionId=version["VersionId"])
    assert [one["email_id"] for one in erased(ANN)["messages"]] == [email.email_id]
    assert whatever_is_left() == []


@pytest.mark.parametrize("by_id", [False, True])
def test_an_entry_in_the_index_of_which_nothing_else_is_left_is_found_too(by_id: bool) -> None:
    email, other = store("hers", written_by("ann+x@shop.example")), store("his", written_by(BOB))
    s3 = boto3.client("s3", region_name=REGION)
    for version in s3.list_object_versions(Bucket=BUCKET)["Versions"]:
        if email.email_id in version["Key"] or version["Key"] == email.key:
            s3.delete_object(Bucket=BUCKET, Key=version["Key"], VersionId=version["VersionId"])
    found = erased(email.email_id if by_id else ANN)["messages"]
    assert [one["email_id"] for one in found] == [email.email_id]
    assert indexed() == {other.email_id}


def test_an_export_has_all_that_is_stored_of_a_person_and_nothing_of_another(tmp_path: Path) -> None:
    raw = written_by(ANN)
    hers, his = store("hers", raw), store("his", written_by(BOB))
    deleted = store("deleted", written_by(ANN))
    boto3.client("s3", region_name=REGION).delete_object(Bucket=BUCKET, Key=deleted.key)
    file = tmp_path / "export.zip"
    told = access_request.write(STACK, "ANN+x@shop.example", file)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    with zipfile.ZipFile(file) as archive:
        names = set(archive.namelist())
        assert archive.read(f"{hers.email_id}/message.eml") == raw
        assert Message.model_validate_json(archive.read(f"{hers.email_id}/message.json")).email_id == hers.email_id
        assert read_answer(archive.read(f"{hers.email_id}/answer.json")).text == "Done."
        assert json.loads(archive.read(f"{hers.email_id}/index.json"))["email_id"] == hers.email_id
    assert f"{deleted.email_id}/message.eml" in names
    assert not any(his.email_id in name for name in names)
    assert (told.messages, told.expired) == (2, 0)
    with pytest.raises(UserError, match="Name a new file"):
        access_request.write(STACK, ANN, file)


def test_an_export_has_the_index_entry_of_a_message_that_has_expired(tmp_path: Path) -> None:
    hers, expired, his = (
        store("hers", written_by(ANN)),
        store("expired", written_by(ANN)),
        store("his", written_by(BOB)),
    )
    s3 = boto3.client("s3", region_name=REGION)
    for version in s3.list_object_versions(Bucket=BUCKET)["Versions"]:
        if version["Key"] == expired.key or expired.email_id in version["Key"]:
            s3.delete_object(Bucket=BUCKET, Key=version["Key"], VersionId=version["VersionId"])
    told = access_request.write(STACK, ANN, tmp_path / "export.zip")
    assert (told.messages, told.expired) == (2, 1)
    with zipfile.ZipFile(tmp_path / "export.zip") as archive:
        assert json.loads(archive.read("messages.json")) == sorted([hers.email_id, expired.email_id])
        of_expired = [name for name in archive.namelist() if name.startswith(expired.email_id)]
        assert of_expired == [f"{expired.email_id}/index.json"]
        assert json.loads(archive.read(of_expired[0]))["subject"]
        assert not any(his.email_id in name for name in archive.namelist())
