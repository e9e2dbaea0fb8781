"""The reply: threaded, automatic, multipart, to one recipient, and free of header fields of the sender's making."""

from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailstep.contracts import Address, Digest, DigestAttachment, Message
from mailstep.replying import THREAD_BOUND, compose, failure_notice, refusal

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


def message(**changes: object) -> Message:
    fields: dict[str, object] = {
        "id": "id-1",
        "route": "orders",
        "size_octets": 1,
        "from_": (Address(name="Ann Archer", address="ann@shop.example"),),
        "subject": "Order",
        "message_id": "<1@shop.example>",
    }
    return Message.model_validate(fields | changes)


def sent(original: Message, digest: Digest) -> EmailMessage:
    octets = compose(original, digest, sender="orders@mail.example", now=NOW).as_bytes()
    return message_from_bytes(octets, _class=EmailMessage, policy=policy.default)


@pytest.mark.parametrize(
    ("subject", "expected"),
    [
        ("Order", "Re: Order"),
        ("Re: Order", "Re: Order"),
        ("RE: re: Re[2]: Order", "Re: Order"),
        ("", "Re:"),
        ("Report", "Re: Report"),
        ("Grüße aus Zürich", "Re: Grüße aus Zürich"),
    ],
)
def test_re_does_not_pile_up(subject: str, expected: str) -> None:
    assert sent(message(subject=subject), Digest(text="x"))["Subject"] == expected


def test_a_long_thread_keeps_its_first_and_its_newest_references() -> None:
    thread = tuple(f"<{number}@shop.example>" for number in range(50))
    references = sent(message(references=thread), Digest(text="x"))["References"].split()
    assert len(references) == THREAD_BOUND
    assert references[0] == "<0@shop.example>"
    assert references[-2:] == ["<49@shop.example>", "<1@shop.example>"]


def test_without_references_in_reply_to_stands_for_the_thread() -> None:
    reply = sent(message(in_reply_to=("<0@shop.example>",)), Digest(text="x"))
    assert reply["References"] == "<0@shop.example> <1@shop.example>"


def test_it_says_that_it_is_automatic() -> None:
    reply = sent(message(), Digest(text="x"))
    assert (reply["Auto-Submitted"], reply["X-Auto-Response-Suppress"]) == ("auto-replied", "All")
    assert reply["X-Mailstep-Id"] == "id-1"
    assert reply["Date"]


def test_text_becomes_html_escaped_where_the_digest_has_none() -> None:
    html = sent(message(), refusal("Use <b> & try again.")).get_body(("html",))
    assert html
    assert "Use &lt;b&gt; &amp; try again." in html.get_content()


def test_what_could_act_is_taken_out_of_html_from_outside() -> None:
    digest = Digest(text="x", html='<p onclick="x()">Hi</p><script>x()</script><a href="javascript:x()">y</a>')
    html = sent(message(), digest).get_body(("html",))
    assert html
    content = html.get_content()
    assert "Hi" in content
    for evil in ("onclick", "<script", "javascript:"):
        assert evil not in content


def test_attachments_of_the_digest_go_out() -> None:
    attachment = DigestAttachment(filename="a\r\nb.csv", media_type="text/csv", content_base64="YSxi")
    [part] = sent(message(), Digest(text="x", attachments=(attachment,))).iter_attachments()
    assert (part.get_filename(), part.get_content_type(), part.get_payload(decode=True)) == (
        "a b.csv",
        "text/csv",
        b"a,b",
    )


def test_a_failure_notice_says_that_nothing_is_lost() -> None:
    text = sent(message(), failure_notice()).get_body(("plain",))
    assert text
    assert "Nothing is lost" in text.get_content()


ANY = st.text(max_size=60)


@given(name=ANY, subject=ANY, identifier=ANY, references=st.lists(ANY, max_size=3))
def test_no_header_field_of_the_senders_making_gets_into_the_reply(
    name: str, subject: str, identifier: str, references: list[str]
) -> None:
    evil = "\r\nBcc: victim@elsewhere.example\r\n\r\n"
    original = message(
        from_=(Address(name=name + evil, address="ann@shop.example"),),
        subject=subject + evil,
        message_id=f"<{identifier}{evil}@x>",
        references=tuple(f"<{r}{evil}@x>" for r in references),
    )
    reply = sent(original, Digest(text="x"))
    assert sorted(reply.keys()) == [
        "Auto-Submitted", "Content-Type", "Date", "From", "In-Reply-To", "MIME-Version", "References", "Subject", "To",
        "X-Auto-Response-Suppress", "X-Mailstep-Id",
    ]  # fmt: skip
    assert [address.addr_spec for address in reply["To"].addresses] == ["ann@shop.example"]
