"""Where a reply goes: to Reply-To within the authenticated author's organisation, else to From."""

import pytest

from mailstep.addressee import addressee
from mailstep.contracts import Address, Message
from mailstep.errors import RefusedEmail
from mailstep.route import Route
from mailstep.testing import receive
from mailstep.validate.policy import Case, validate
from tests.support.messages import EMAIL, stored

OWN = frozenset({"orders@mailstep.example", "noreply@mailstep.example"})


def mail(reply_to: str, author: str = "Ann <ann@shop.example>", **verdicts: str) -> Message:
    return stored(f"From: {author}\nReply-To: {reply_to}\nSubject: x\n\nx\n", **verdicts)


@pytest.mark.parametrize(
    "reply_to",
    ["desk@shop.example", "Desk <desk+1@Shop.Example>", "desk@mail.shop.example", "desk@a.b.shop.example"],
)
def test_a_reply_goes_to_reply_to_in_the_authors_organisational_domain(reply_to: str) -> None:
    """RFC 7489 section 3.2: the organisational domain is the public suffix and one label more."""
    assert addressee(mail(reply_to), OWN).address == reply_to.rpartition("<")[2].rstrip(">")


@pytest.mark.parametrize(
    "reply_to",
    [
        "ann@elsewhere.example",
        "ann@shop.example.evil.test",
        "ann@notshop.example",
        # Two: a reply has one recipient.
        "a@shop.example, b@shop.example",
        "undisclosed-recipients:;",
        # SES cannot send to these.
        "jürgen@shop.example",
        '"a b"@shop.example',
        "",
    ],
)
def test_any_other_reply_to_is_passed_over_for_from(reply_to: str) -> None:
    assert addressee(mail(reply_to), OWN).address == "ann@shop.example"


def from_provider(author: str, reply_to: str) -> Message:
    found = mail(reply_to, author)
    verdicts = found.verdicts.model_copy(update={"dmarc_domain": author.rpartition("@")[2]})
    return found.model_copy(update={"verdicts": verdicts})


@pytest.mark.parametrize(
    ("author", "victim"),
    [
        ("ann@gmail.com", "bob@gmail.com"),
        # Each customer of a help desk has a name of its own below one that all share.
        ("support@evil.zendesk.com", "support@victim.zendesk.com"),
        ("help@evil.freshdesk.com", "help@victim.freshdesk.com"),
        ("ann@outlook.com", "bob@outlook.com"),
        ("ann@yahoo.co.uk", "bob@yahoo.co.uk"),
        ("ann@gmx.de", "bob@gmx.de"),
        ("ann@docomo.ne.jp", "bob@docomo.ne.jp"),
        # A name below the provider's domain: all of them are in one organisational domain.
        ("ann@mail.fastmail.com", "bob@fastmail.com"),
        ("ann@fastmail.com", "bob@mail.fastmail.com"),
    ],
)
def test_reply_to_another_user_of_a_public_mail_provider_is_passed_over(author: str, victim: str) -> None:
    """They are strangers to each other, although they have one organisational domain (docs/addresses.md)."""
    assert addressee(from_provider(author, victim), OWN).address == author


@pytest.mark.parametrize("own", ["ann+orders@gmail.com", "Ann@GMail.com", '"ann"@gmail.com'])
def test_reply_to_the_authors_own_mailbox_counts_at_a_mail_provider_too(own: str) -> None:
    found = addressee(from_provider("ann@gmail.com", f"Desk <{own}>"), OWN)
    assert found.name == "Desk"


def test_a_public_suffix_is_no_organisation() -> None:
    """Public Suffix List: co.uk is one, so a.co.uk and b.co.uk have nothing in common."""
    found = mail("x@b.co.uk", "x@a.co.uk").model_copy(
        update={"verdicts": mail("x").verdicts.model_copy(update={"dmarc_domain": "a.co.uk"})}
    )
    assert addressee(found, OWN).address == "x@a.co.uk"


def test_reply_to_of_an_author_who_is_not_authenticated_does_not_count() -> None:
    forged = mail("desk@shop.example", "ann@shop.example", dmarc="fail", dkim="fail")
    forged = forged.model_copy(update={"verdicts": forged.verdicts.model_copy(update={"spf": "fail"})})
    assert addressee(forged, OWN).address == "ann@shop.example"


@pytest.mark.parametrize("own", ["orders@mailstep.example", "Orders+1@Mailstep.Example", "noreply@mailstep.example"])
def test_mailstep_never_writes_to_its_own_addresses(own: str) -> None:
    message = mail(own, "ann@mailstep.example")
    message = message.model_copy(
        update={"verdicts": message.verdicts.model_copy(update={"dmarc_domain": "mailstep.example"})}
    )
    assert addressee(message, OWN).address == "ann@mailstep.example"
    assert addressee(message, frozenset()).address == own
    assert addressee(mail("x@shop.example"), frozenset({"@shop.example"})).address == "ann@shop.example"


class Records:
    """Records that remember which addresses were asked about."""

    def __init__(self, suppressed: str = "", full: str = "") -> None:
        self.suppressed, self.full = suppressed, full
        self.counted: list[str] = []

    def is_suppressed(self, address: str) -> bool:
        return address == self.suppressed

    def record_delivery(self, _message: Message, _execution_arn: str) -> bool:
        return True

    def count_reply(self, message: Message, to: Address, _at_most: int) -> bool:
        mailboxes = [message.from_[0].address, to.address]
        self.counted += mailboxes
        return self.full not in mailboxes

    def forget_reply(self, _message: Message, _to: Address) -> None:
        raise AssertionError("a reply that is sent counts")


def withheld(message: Message, records: Records) -> str | None:
    return validate(Case(message, EMAIL, "arn", Route(), OWN, records, lambda _: b""))


@pytest.mark.parametrize("suppressed", ["ann@shop.example", "desk@shop.example"])
def test_an_answer_is_withheld_if_either_address_is_suppressed(suppressed: str) -> None:
    assert withheld(mail("desk@shop.example"), Records(suppressed=suppressed)) == "suppressed_sender"


@pytest.mark.parametrize("full", ["ann@shop.example", "desk@shop.example"])
def test_the_bounds_are_those_of_both_addresses(full: str) -> None:
    assert withheld(mail("desk@shop.example"), Records(full=full)) == "too_many_replies"
    records = Records()
    assert withheld(mail("desk@shop.example"), records) is None
    assert records.counted == ["ann@shop.example", "desk@shop.example"]


@pytest.mark.parametrize("robot", ["noreply@shop.example", "no-reply@shop.example", "mailer-daemon@shop.example"])
def test_a_reply_to_that_no_one_reads_gets_no_reply(robot: str) -> None:
    assert withheld(mail(robot), Records()) == "automatic_mail"
    # It is not where the reply would go.
    assert withheld(mail(robot.replace("shop.", "elsewhere.")), Records()) is None


def test_a_sender_that_ses_cannot_write_to_is_answered_at_its_reply_to() -> None:
    message = mail("juergen@shop.example", "jürgen@shop.example")
    assert withheld(message, Records()) is None
    assert withheld(mail("juergen@elsewhere.example", "jürgen@shop.example"), Records()) == "unanswerable_sender"


def test_the_reply_is_addressed_to_it() -> None:
    email = receive(b"From: Ann <ann@shop.example>\r\nReply-To: Desk <desk@shop.example>\r\nSubject: x\r\n\r\nx\r\n")
    try:
        email.validate()
    except RefusedEmail:  # pragma: no cover - a person wrote it
        pytest.fail("refused")
    assert email.reply(email.process("receipt"))["To"] == "Desk <desk@shop.example>"
