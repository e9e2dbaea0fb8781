"""The reply: threaded, automatic, multipart, to one recipient, and free of header fields of the sender's making.

Over 300 lines, most of which are cases.
"""

import re
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.header import decode_header, make_header
from email.headerregistry import Address as MailAddress
from email.message import EmailMessage
from email.utils import getaddresses

import idna
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailstep import limits
from mailstep.addresses import NAME_BOUND, mailbox
from mailstep.contracts import Address, Answer, AnswerAttachment, Message
from mailstep.mime.options import DEFAULTS
from mailstep.notices import notice
from mailstep.reply.compose import THREAD_OCTETS, compose

SENDER = MailAddress("Bürobedarf, Meier", addr_spec="orders@mail.example")
NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


def message(**changes: object) -> Message:
    fields: dict[str, object] = {
        "email_id": "id-1",
        "route": "orders",
        "size_octets": 1,
        "from_": (Address(name="Ann Archer", address="ann@shop.example"),),
        "subject": "Order",
        "message_id": "<1@shop.example>",
    }
    return Message.model_validate(fields | changes)


def sent(original: Message, answer: Answer) -> EmailMessage:
    octets = compose(original, answer, sender=SENDER, to=mailbox(original.from_[0]), now=NOW).as_bytes()
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
    assert sent(message(subject=subject), Answer(text="x"))["Subject"] == expected


def test_a_thread_that_is_a_loop_can_be_told_by_its_length() -> None:
    thread = tuple(f"<{number}.of.a.usual.length@mail.shop.example>" for number in range(DEFAULTS.message_ids))
    references = sent(message(references=thread), Answer(text="x"))["References"].split()
    assert len(references) > DEFAULTS.message_ids


def test_a_long_thread_keeps_its_first_and_its_newest_references() -> None:
    thread = tuple(f"<{number}{'x' * 800}@shop.example>" for number in range(50))
    references = sent(message(references=thread), Answer(text="x"))["References"].split()
    assert sum(map(len, references)) < THREAD_OCTETS
    assert references[0] == thread[0]
    assert references[-2:] == [thread[-1], "<1@shop.example>"]


@pytest.mark.parametrize("name", ["x" * 5_000, "é" * 5_000, "名" * 5_000])
def test_a_name_without_end_is_cut_and_no_line_is_too_long(name: str) -> None:
    original = message(from_=(Address(name=name, address="ann@shop.example"),), subject="順" * 5_000)
    reply = compose(original, Answer(text="x"), sender=SENDER, to=mailbox(original.from_[0]), now=NOW)
    head = reply.as_bytes().partition(b"\r\n\r\n")[0]
    # 78, but for a single word of ASCII, which cannot be folded.
    assert max(map(len, head.split(b"\r\n"))) <= (NAME_BOUND + 1 if name.isascii() else 78)
    assert len(head) < 5_000


def test_what_the_email_package_trips_over_is_no_address() -> None:
    with pytest.raises(ValueError, match="not an address that SES can send to"):
        mailbox(Address(name="", address="=xn--#@[a@evil.example"))


def test_without_references_in_reply_to_stands_for_the_thread() -> None:
    reply = sent(message(in_reply_to=("<0@shop.example>",)), Answer(text="x"))
    assert reply["References"] == "<0@shop.example> <1@shop.example>"


def test_it_says_that_it_is_automatic() -> None:
    reply = sent(message(), Answer(text="x"))
    assert (reply["Auto-Submitted"], reply["X-Auto-Response-Suppress"]) == ("auto-replied", "All")
    assert reply["X-Mailstep-Email-Id"] == "id-1"
    assert reply["Date"]


def html_of(answer: Answer) -> str:
    part = sent(message(), answer).get_body(("html",))
    assert part
    content: str = part.get_content()
    return content


def test_an_answer_without_html_gets_its_text_as_escaped_html() -> None:
    html = html_of(notice("refusal", message(), "Use <b> & try again.\nOr not."))
    assert "Use &lt;b&gt; &amp; try again.<br>Or not." in html


def test_a_display_name_is_encoded() -> None:
    reply = sent(message(), Answer(text="x"))
    assert reply["From"].addresses[0].display_name == "Bürobedarf, Meier"
    assert reply["From"].addresses[0].addr_spec == "orders@mail.example"
    octets = compose(
        message(), Answer(text="x"), sender=SENDER, to=MailAddress(addr_spec="ann@shop.example"), now=NOW
    ).as_bytes()
    assert octets.isascii()


# ---- Pictures within the HTML, files beside it ----

PNG = b"\x89PNG\r\n\x1a\n"


def test_a_long_name_with_commas_adds_no_recipient() -> None:
    name = "eve@evil.example, Smith, Jones & Partners, Limited Liability Company, and Sons"
    original = message(from_=(Address(name=name, address="ann@shop.example"),))
    reply = compose(original, Answer(text="x"), sender=SENDER, to=mailbox(original.from_[0]), now=NOW)
    field = message_from_bytes(reply.as_bytes(), policy=policy.compat32)["To"]
    [(shown, address)] = getaddresses([field])
    assert (str(make_header(decode_header(shown))), address) == (name, "ann@shop.example")


def picture(content_id: str | None, media_type: str = "image/png") -> AnswerAttachment:
    return AnswerAttachment(filename="bar.png", media_type=media_type, content=PNG, content_id=content_id)


def kinds(reply: EmailMessage) -> list[str]:
    return [part.get_content_type() for part in reply.walk()]


def test_a_picture_that_the_html_shows_goes_with_it() -> None:
    answer = Answer(
        text="x", html='<img src="cid:bar.1@mailstep" alt="a bar">', attachments=(picture("bar.1@mailstep"),)
    )
    reply = sent(message(), answer)
    assert kinds(reply) == ["multipart/alternative", "text/plain", "multipart/related", "text/html", "image/png"]
    [image] = [part for part in reply.walk() if part.get_content_type() == "image/png"]
    assert (image["Content-ID"], image.get_content_disposition()) == ("<bar.1@mailstep>", "inline")
    assert 'src="cid:bar.1@mailstep"' in html_of(answer)


@pytest.mark.parametrize("attachment", [picture(None), picture("other"), picture("bar", "image/svg+xml")])
def test_a_picture_that_the_html_does_not_show_is_attached_as_a_file(attachment: AnswerAttachment) -> None:
    reply = sent(message(), Answer(text="x", html='<img src="cid:bar">', attachments=(attachment,)))
    assert kinds(reply)[:3] == ["multipart/mixed", "multipart/alternative", "text/plain"]
    assert [part.get_content_type() for part in reply.iter_attachments()] == [attachment.media_type]
    assert "cid:" not in html_of(Answer(text="x", html='<img src="cid:bar">', attachments=(attachment,)))


def test_a_reply_over_the_limit_of_ses_goes_without_its_files_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    large = AnswerAttachment(filename="a.csv", media_type="text/csv", content=b"aaa" * 5_000)
    answer = Answer(text="x", html='y<img src="cid:bar">', attachments=(large, picture("bar")))
    monkeypatch.setattr(limits, "REPLY_OCTETS", 15_000)
    reply = sent(message(), answer)
    assert kinds(reply) == ["multipart/alternative", "text/plain", "multipart/related", "text/html", "image/png"]
    for part in ("plain", "html"):
        body = reply.get_body((part,))
        assert body
        assert "1 attachment was left out" in body.get_content()
    monkeypatch.setattr(limits, "REPLY_OCTETS", 0)
    assert kinds(sent(message(), answer)) == ["multipart/alternative", "text/plain", "text/html"]


def test_attachments_of_the_answer_go_out() -> None:
    attachment = AnswerAttachment(filename="a\r\nb.csv", media_type="text/csv", content=b"a,b")
    [part] = sent(message(), Answer(text="x", attachments=(attachment,))).iter_attachments()
    assert (part.get_filename(), part.get_content_type(), part.get_payload(decode=True)) == (
        "a b.csv",
        "text/csv",
        b"a,b",
    )


@pytest.mark.parametrize(("kind", "says"), [("delay", "is taking longer than usual"), ("failure", "will look into it")])
def test_a_notice_says_that_the_message_is_safe_and_which_reference_to_quote(kind: str, says: str) -> None:
    for part in ("plain", "html"):
        body = sent(message(), notice(kind, message())).get_body((part,))
        assert body
        text = body.get_content()
        assert says in text
        assert "you don't need to do anything" in text
        assert "please quote the reference below" in text


# ---- Nothing of the sender's making, and nobody but the sender ----


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("ann@shop.example", "ann@shop.example"),
        ("ann@grüße.example", "ann@xn--gre-6ka8l.example"),
        ("ann@straße.example", "ann@xn--strae-oqa.example"),
        ("ann@GRÜSSE.example", "ann@xn--grsse-lva.example"),
        ("ann@a_b.example", "ann@a_b.example"),
        ("o'hara+x@shop.example", "o'hara+x@shop.example"),
    ],
)
def test_the_domain_goes_out_in_ascii_and_never_becomes_another(address: str, expected: str) -> None:
    assert mailbox(Address(address=address)).addr_spec == expected


@pytest.mark.parametrize(
    "address",
    [
        "grüße@shop.example",
        "ann",
        "",
        "@",
        "ann@",
        "@shop.example",
        "a b@shop.example",
        "0@\n\n0",
        "0 @0",
        "a@b@c",
        "a@-..example",
    ],
)
def test_what_ses_cannot_send_to_is_no_mailbox(address: str) -> None:
    with pytest.raises(ValueError, match="not an address that SES can send to"):
        mailbox(Address(address=address))


ANY = st.text(max_size=60)
EVIL = st.sampled_from(
    ["", "\r\nBcc: victim@elsewhere.example\r\n\r\n", "\n\n", "\r", "\x0b", "\x0c", "\x1c", "\x85", "\u2028", "\0"]
)
HOSTILE = st.tuples(ANY, EVIL, ANY).map("".join)
ADDRESS = st.one_of(
    st.just("ann@shop.example"), HOSTILE, st.tuples(HOSTILE, HOSTILE).map("@".join), st.emails(),
    st.tuples(st.just("ann@shop.example"), EVIL, st.sampled_from([",", ";", ">,<", " "]), st.emails()).map("".join),
)  # fmt: skip
FIELDS = {
    "Auto-Submitted", "Content-Type", "Date", "From", "In-Reply-To", "MIME-Version", "References", "Subject", "To",
    "X-Auto-Response-Suppress", "X-Mailstep-Email-Id",
}  # fmt: skip


@given(
    name=HOSTILE, address=ADDRESS, subject=HOSTILE, said=HOSTILE, identifier=st.none() | HOSTILE,
    references=st.lists(HOSTILE, max_size=3), filename=HOSTILE, html=st.none() | HOSTILE,
)  # fmt: skip
def test_whatever_the_message_the_header_is_ours_and_the_sender_is_the_one_recipient(
    name: str, address: str, subject: str, said: str, identifier: str | None, references: list[str], filename: str,
    html: str | None,
) -> None:  # fmt: skip
    original = message(
        from_=(Address(name=name, address=address),),
        subject=subject,
        message_id=identifier and f"<{identifier}@x>",
        references=tuple(f"<{r}@x>" for r in references),
        reply_to=(Address(address="victim@elsewhere.example"),),
        cc=(Address(address="victim@elsewhere.example"),),
    )
    answer = Answer(text=f"x{said}", html=html, subject=subject, attachments=(
        AnswerAttachment(filename=filename, media_type="text/csv", content=b"a,b"),
    ))  # fmt: skip
    try:
        recipient = mailbox(original.from_[0])
    except ValueError:
        return
    # Of the sender's own proven address, or of nobody: the same before the @, and the same domain.
    local, _, domain = address.strip().rpartition("@")
    assert recipient.username in {local, re.sub(r'\\(.)|"', r"\1", local)}
    assert recipient.domain in {domain.lower().removesuffix("."), as_a_labels(domain).removesuffix(".")}
    octets = compose(original, answer, sender=SENDER, to=mailbox(original.from_[0]), now=NOW).as_bytes()
    head, _, _ = octets.partition(b"\r\n\r\n")
    names = [line.partition(b":")[0].decode() for line in head.split(b"\r\n") if line[:1] not in b" \t"]
    assert set(names) <= FIELDS
    assert len(names) == len(set(names))
    assert b"\r" not in head.replace(b"\r\n", b"")
    assert b"\n" not in head.replace(b"\r\n", b"")
    reply = message_from_bytes(octets, _class=EmailMessage, policy=policy.default)
    assert [to.addr_spec for to in reply["To"].addresses] == [recipient.addr_spec]


def as_a_labels(domain: str) -> str:
    try:
        return idna.encode(domain, uts46=True).decode()
    except idna.IDNAError:
        return ""


@pytest.mark.parametrize("hidden", ["=0D=0ABcc:_m@evil.example", "=0A=0A<h1>Pay_here</h1>"])
def test_an_encoded_word_within_a_text_hides_no_line_end(hidden: str) -> None:
    # RFC 2047 section 6.2: a decoded word is not decoded again. What a text says stays text.
    text = f"A =?utf-8?q?{hidden}?=.pdf"
    file = AnswerAttachment(filename=text, media_type="application/pdf", content=b"%PDF")
    original = message(from_=(Address(name=text, address="ann@shop.example"),))
    reply = sent(original, Answer(subject=text, text="x", attachments=(file,)))
    parts = list(reply.walk())
    [attached] = reply.iter_attachments()
    shown = text.replace("=?", "= ?")
    assert (reply["Subject"], attached.get_filename()) == (f"Re: {shown}", shown)
    assert [(to.display_name, to.addr_spec) for to in reply["To"].addresses] == [(shown, "ann@shop.example")]
    assert "bcc" not in {name.lower() for part in parts for name in part}
    assert attached.get_content() == b"%PDF"


def test_an_encoded_word_in_an_identifier_stays_as_it_is() -> None:
    # RFC 2047 section 5: no encoded word stands in an identifier, so a client compares the characters themselves.
    known = tuple(f"<{number}.=?utf-8?{letter}?{'5Lit' * 60}?=@x.example>" for number in range(40) for letter in "qbz")
    original = message(message_id="<=?utf-8?b?DQpCY2M6IHg=?=@x.example>", references=known)
    octets = compose(original, Answer(text="x"), sender=SENDER, to=mailbox(original.from_[0]), now=NOW).as_bytes()
    fields = re.sub(rb"\r\n(?= )", b"", octets.partition(b"\r\n\r\n")[0]).decode().split("\r\n")
    assert f"In-Reply-To: {original.message_id}" in fields
    [references] = [field.split()[1:] for field in fields if field.startswith("References:")]
    assert references[0] == known[0]
    assert references[-1] == original.message_id
    assert len(references) > 20
    assert set(references) <= {*known, original.message_id}


def test_a_reply_stands_in_the_thread_of_the_message_that_it_answers() -> None:
    """RFC 5322 section 3.6.4: In-Reply-To is the parent's Message-ID; References, the parent's and that."""
    reply = sent(message(references=("<0@shop.example>",)), Answer(text="x"))
    assert reply["In-Reply-To"] == "<1@shop.example>"
    assert reply["References"] == "<0@shop.example> <1@shop.example>"
