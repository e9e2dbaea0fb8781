"""What lies in the mail bucket: how each object is stored, and how much of it is read."""

from collections.abc import Iterator
from typing import Any

import boto3
import pytest

from mailstep import keys, limits
from mailstep.aws import clients, mail_bucket
from mailstep.contracts import Answer, Message, StoredEmail
from mailstep.errors import UnreadableEmail
from mailstep.route import Route
from tests.support.moto_account import moto_account

BUCKET = "mail"
PAGE = b"<script>alert(document.cookie)</script>"


@pytest.fixture(autouse=True)
def s3(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    clients.client.cache_clear()
    with moto_account():
        found = boto3.client("s3")
        found.create_bucket(Bucket=BUCKET)
        yield found
    clients.client.cache_clear()


def test_no_browser_takes_an_attachment_for_a_page(s3: Any) -> None:
    """A browser saves application/octet-stream, and runs no script in it (RFC 2046 section 4.5.1)."""
    mail_bucket.write_attachment(BUCKET, "parsed/1/attachments/1", PAGE)
    stored = s3.get_object(Bucket=BUCKET, Key="parsed/1/attachments/1")
    assert (stored["ContentType"], stored["Body"].read()) == ("application/octet-stream", PAGE)


def test_a_message_and_an_answer_are_stored_as_json(s3: Any) -> None:
    """RFC 8259 section 11."""
    message = Message(email_id="1", route="orders", size_octets=1)
    for key in (mail_bucket.write_message(BUCKET, message), mail_bucket.write_answer(BUCKET, "1", Answer(text="x"))):
        assert s3.get_object(Bucket=BUCKET, Key=key)["ContentType"] == "application/json"
    assert mail_bucket.read_message(BUCKET, "parsed/1/message.json") == message
    assert mail_bucket.read_answer(BUCKET, "answers/1.json") == Answer(text="x")


def test_the_largest_message_that_ses_receives_is_read_with_what_ses_puts_on_top(s3: Any) -> None:
    """Amazon SES quotas: 40 MB with attachments. The issue's measure of the fields on top: 2.2 KB."""
    largest = b"x: y\n" + b"a" * (40 * 1024 * 1024 + 2_200 - 5)
    s3.put_object(Bucket=BUCKET, Key="inbound/orders/largest", Body=largest)
    email = StoredEmail(email_id="1", route="orders", bucket=BUCKET, key="inbound/orders/largest")
    assert len(mail_bucket.read_raw(email)) == len(largest)
    assert Route(max_size_octets=len(largest)).max_size_octets == len(largest)


def test_no_more_of_a_raw_message_is_read_than_ses_could_have_stored(monkeypatch: pytest.MonkeyPatch, s3: Any) -> None:
    asked: list[int | None] = []

    class Endless:
        def read(self, most: int | None = None) -> bytes:
            asked.append(most)
            return b"x" * (limits.MESSAGE_OCTETS + 1)

    monkeypatch.setattr(clients.client("s3"), "get_object", lambda **_: {"Body": Endless()})
    with pytest.raises(UnreadableEmail):
        mail_bucket.read_raw(StoredEmail(email_id="1", route="orders", bucket=BUCKET, key="inbound/orders/1"))
    assert asked == [limits.MESSAGE_OCTETS + 1]


def test_no_two_attachments_messages_or_answers_share_a_key() -> None:
    """docs/architecture.md: a key is made from the email's id and a number, never from what a sender wrote."""
    made = [keys.attachment(email, number) for email in ("a", "b") for number in (1, 2, 11)]
    made += [one(email) for one in (keys.message, keys.answer) for email in ("a", "b")]
    assert len(set(made)) == len(made)
