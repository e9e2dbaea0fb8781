"""The helper for authors of processors: what it shows offline is what the deployed steps do."""

from pathlib import Path

import pytest

from mailstep.errors import ConfigurationError, MalformedAnswer, UnreadableEmail
from mailstep.process.processors import (
    Answer,
    AnswerAttachment,
    ApplicationRefused,
    Message,
    OpenAttachment,
    UnreadableAttachment,
    work_on_each,
)
from mailstep.route import Route
from mailstep.testing import receive
from mailstep.validate.policy import RULES
from tests.support.messages import SES, mail_with
from tests.support.project import EMAILS, EVENTS, run

PLAIN = b"From: Ann <ann@shop.example>\r\nSubject: Hello\r\nMessage-ID: <1@x>\r\n\r\nthree short words\r\n"
STORED = SES.format(spam="PASS", virus="PASS", dkim="fail", dmarc="fail").encode().replace(b"spf=pass", b"spf=fail")


def words(message: Message, _open_attachment: OpenAttachment) -> Answer:
    return Answer(text=f"You wrote {len(message.text.split())} words.")


def test_three_lines_lead_from_a_message_to_the_reply() -> None:
    email = receive(PLAIN)
    answer = email.process(words)
    reply = email.reply(answer)
    body = reply.get_body(("plain",))
    assert body
    assert body.get_content().startswith("You wrote 3 words.")
    assert (reply["To"], reply["Subject"], reply["In-Reply-To"]) == ("Ann <ann@shop.example>", "Re: Hello", "<1@x>")


def test_the_route_names_the_processor_and_a_name_another_one() -> None:
    email = receive(EMAILS / "order.eml", route="orders")
    assert "6 rows, 5 columns" in email.process().text
    assert "6 rows, 5 columns" not in email.process("receipt").text
    assert "6 rows, 5 columns" not in receive(str(EMAILS / "order.eml"), route="feedback").process().text


def test_attachments_are_opened_from_memory() -> None:
    def process(message: Message, open_attachment: OpenAttachment) -> Answer:
        worked = work_on_each(message, open_attachment, lambda _attachment, content: content)
        return Answer(text=repr([(one.attachment.filename, one.result) for one in worked]))

    assert receive(mail_with({"a.bin": b"\0\xff"})).process(process).text == "[('a.bin', b'\\x00\\xff')]"


def test_what_is_wrong_with_an_attachment_is_told_as_when_deployed() -> None:
    def work(_attachment: object, _content: bytes) -> None:
        raise UnreadableAttachment("It is upside down; please turn it.")

    def process(message: Message, open_attachment: OpenAttachment) -> Answer:
        return Answer(text="".join(one.problem or "" for one in work_on_each(message, open_attachment, work)))

    assert receive(mail_with({"a.bin": b"1"})).process(process).text == "It is upside down; please turn it."


def test_files_and_pictures_of_an_answer_are_in_the_reply_as_their_reader_gets_them() -> None:
    picture = AnswerAttachment(filename="p.png", media_type="image/png", content=b"\x89PNG", content_id="p")
    table = AnswerAttachment(filename="t.csv", media_type="text/csv", content=b"a,b\r\n")
    reply = receive(PLAIN).reply(
        Answer(text="x", html='<img src="cid:p"><script>x</script>', attachments=(picture, table))
    )
    [file] = reply.iter_attachments()
    assert (file.get_filename(), file.get_payload(decode=True)) == ("t.csv", b"a,b\r\n")
    [shown] = [part for part in reply.walk() if part.get_content_type() == "image/png"]
    assert (shown["Content-ID"], shown.get_payload(decode=True)) == ("<p>", b"\x89PNG")
    html = reply.get_body(("html",))
    assert html
    assert 'src="cid:p"' in html.get_content()
    assert "script" not in html.get_content()


def test_the_reply_is_from_the_address_that_the_route_sets() -> None:
    desk = Route(reply_from="desk@shop.example", reply_name="The Desk")
    assert receive(PLAIN, "sales", desk).reply(Answer(text="x"))["From"] == "The Desk <desk@shop.example>"
    assert receive(PLAIN, "orders").reply(Answer(text="x"))["From"] == "orders@mailstep.example"


@pytest.mark.parametrize(
    ("code", "raw", "settings"),
    [
        ("no_sender", b"Subject: x\r\n\r\nx\r\n", Route()),
        ("automatic_mail", b"Auto-Submitted: auto-replied\r\n" + PLAIN, Route()),
        ("own_address", PLAIN.replace(b"ann@shop.example", b"orders@mailstep.example"), Route()),
        ("own_address", PLAIN, Route(reply_from="Ann@shop.example")),
        ("blocked_sender", PLAIN, Route(blocked_senders=("*@shop.example",))),
        ("sender_not_allowed", PLAIN, Route(allowed_senders=("*@other.example",))),
        ("too_large", PLAIN, Route(max_size_octets=10)),
        ("attachment_type", mail_with({"a.exe": b"MZ"}).as_bytes(), Route()),
        ("unauthenticated", b"From: a@b.example, c@d.example\r\n\r\nx\r\n", Route()),
        ("unauthenticated", STORED + PLAIN, Route()),
        ("virus", STORED.replace(b"Virus-Verdict: PASS", b"Virus-Verdict: FAIL") + PLAIN, Route()),
        (None, STORED + PLAIN, Route(require_authentication=False)),
        (None, b"List-Id: <news.example>\r\n" + PLAIN, Route()),
        ("automatic_mail", b"List-Id: <news.example>\r\n" + PLAIN, Route(automatic_mail="refuse")),
        (None, PLAIN, Route()),
    ],
    # The name of a boundary differs in each worker.
    ids=lambda value: "" if isinstance(value, bytes) else None,
)
def test_the_policy_refuses_by_the_code_of_its_rule(code: str | None, raw: bytes, settings: Route) -> None:
    assert receive(raw, "orders", settings).refused_by() == code


@pytest.mark.parametrize(
    ("code", "raw", "settings"),
    [
        ("automatic_mail", b"List-Id: <news.example>\r\n" + PLAIN, Route()),
        ("automatic_mail", b"List-Id: <news.example>\r\n" + PLAIN, Route(max_size_octets=10)),
        ("unauthenticated", STORED + PLAIN, Route(require_authentication=False)),
        ("unanswerable_sender", PLAIN.replace(b"ann@shop.example", b'"a,b"@shop.example'), Route()),
        ("unanswerable_sender", PLAIN.replace(b"ann@shop.example", b'"a b"@shop.example'), Route()),
        (None, b"Auto-Submitted: auto-replied\r\n" + PLAIN, Route()),
        (None, PLAIN, Route()),
    ],
)
def test_the_policy_withholds_the_reply_by_the_code_of_its_rule(code: str | None, raw: bytes, settings: Route) -> None:
    assert receive(raw, "orders", settings).withheld_by() == code


def test_the_routes_own_settings_are_those_of_routes_toml() -> None:
    assert receive(EMAILS / "too-large.eml", "feedback").refused_by() == "too_large"
    assert receive(EMAILS / "too-large.eml", "orders").refused_by() is None


def test_a_stored_message_keeps_its_verdicts_and_the_sender_of_another_file_is_authenticated() -> None:
    stored = receive(EVENTS / "stored-order.eml")
    assert stored.refused_by() is None
    assert "unauthenticated" not in stored.rules_not_applied
    assert {"unauthenticated", "virus", "spam"} <= set(receive(PLAIN).rules_not_applied)
    assert set(receive(PLAIN).rules_not_applied) < {rule.code for rule in RULES}


def test_a_sender_that_ses_did_not_authenticate_gets_no_reply() -> None:
    with pytest.raises(ValueError, match="did not authenticate"):
        receive(STORED + PLAIN).reply(Answer(text="x"))


def test_fields_of_ses_that_a_sender_wrote_below_other_fields_do_not_count() -> None:
    pretended = receive(b"X-First: 1\r\n" + STORED + PLAIN)
    assert "unauthenticated" in pretended.rules_not_applied


@pytest.mark.parametrize(
    "route",
    [Route(url="https://app.example/mail"), Route(queue="https://sqs.us-east-1.amazonaws.com/000000000000/q.fifo")],
)
def test_mail_for_an_application_has_no_processor(route: Route) -> None:
    with pytest.raises(ConfigurationError, match="for an application"):
        receive(PLAIN, "sales", route).process()


def test_a_route_that_is_not_there_is_refused_at_once_unless_its_settings_are_given() -> None:
    with pytest.raises(ConfigurationError, match=r"no route 'nowhere' in .*routes\.toml; there are: .*orders"):
        receive(PLAIN, "nowhere")
    assert receive(PLAIN, "nowhere", Route()).process().text.startswith("Your message arrived")


def test_a_processor_that_is_not_there_is_told_in_the_same_words_as_by_mailstep_routes(tmp_path: Path) -> None:
    (tmp_path / "routes.toml").write_text('[routes.words]\nprocessor = "nowhere"\n')
    said = run("routes", str(tmp_path / "routes.toml")).stderr
    with pytest.raises(ConfigurationError) as caught:
        receive(PLAIN).process("nowhere")
    assert str(caught.value).startswith("there is no functions/custom/processors/nowhere.py: name one of ")
    assert str(caught.value) in " ".join(said.split())


def test_an_answer_that_could_not_be_stored_and_read_again_is_no_answer() -> None:
    invalid = AnswerAttachment.model_construct(filename="a", media_type="html", content=b"", content_id=None)
    with pytest.raises(MalformedAnswer, match="media_type"):
        receive(PLAIN).process(lambda *_: Answer.model_construct(text="x", attachments=(invalid,)))
    with pytest.raises(TypeError, match="answered with dict"):
        receive(PLAIN).process(lambda *_: {"text": "x"})  # type: ignore[arg-type]


def test_a_processor_may_want_no_reply_or_refuse_the_message() -> None:
    assert receive(PLAIN).process(lambda *_: None) is None

    def refuse(_message: Message, _open_attachment: OpenAttachment) -> Answer:
        raise ApplicationRefused("Please attach\r\nyour order.")

    with pytest.raises(ApplicationRefused) as caught:
        receive(PLAIN).process(refuse)
    assert caught.value.explanation == "Please attach your order."


def test_work_on_an_attachment_may_refuse_the_whole_message() -> None:
    def work(_attachment: object, _content: bytes) -> None:
        raise ApplicationRefused("Please send it without macros.")

    with pytest.raises(ApplicationRefused):
        receive(mail_with({"a.bin": b"1"})).process(
            lambda message, open_attachment: Answer(text=repr(work_on_each(message, open_attachment, work)))
        )


def test_a_refusal_without_a_reason_is_a_defect_of_the_processor() -> None:
    with pytest.raises(ValueError, match="reason"):
        ApplicationRefused(" \n")
    assert len(ApplicationRefused("x" * 10_000).explanation) == 500


def test_an_answer_without_a_text_is_a_defect_of_the_processor_and_html_alone_is_an_answer() -> None:
    with pytest.raises(ValueError, match="a processor returns None"):
        Answer(text=" \n")
    reply = receive(PLAIN).reply(
        Answer(text="", html="<h1>Order&nbsp;1</h1><p>Ships <b>today</b>.<br>Bye<style>p{}</style>")
    )
    body = reply.get_body(("plain",))
    assert body
    assert body.get_content().startswith("Order 1\r\nShips today.\r\nBye\r\n")
    blank = receive(PLAIN).reply(Answer(text="Done.", html=" ")).get_body(("html",))
    assert blank
    assert "Done." in blank.get_content()


def test_what_is_no_email_is_unreadable_as_when_deployed(tmp_path: Path) -> None:
    (tmp_path / "x.eml").write_bytes(b"")
    with pytest.raises(UnreadableEmail):
        receive(tmp_path / "x.eml")
