"""The policy, rule by rule: messages that are refused, messages whose reply is withheld, and messages that pass.

Over 300 lines, because every rule has its cases here.
"""

import random
import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from io import BytesIO
from zipfile import ZIP_BZIP2, ZIP_DEFLATED, ZIP_LZMA, ZIP_STORED, ZipFile

import pytest

from mailstep import limits
from mailstep.contracts import Address, Attachment, Message, Override, Recipient, StoredEmail, Verdicts
from mailstep.errors import RefusedEmail
from mailstep.mime.options import DEFAULTS
from mailstep.route import Route
from mailstep.validate import policy
from mailstep.validate.effects import Effect
from mailstep.validate.policy import MEANINGS, RULES, Case, validate, withheld_from
from tests.support.archives import BOMBS, ONE_DEEP, archive, declaring
from tests.support.project import CASES, PROJECT

ROUTE = Route(
    max_size_octets=1000,
    max_attachments=2,
    allowed_senders=("*@b.example", "*@mail.example", "*@*.simulator.example"),
    blocked_senders=("spammer@*",),
)
OWN = frozenset({"orders@mail.example"})


@dataclass
class Remembered:
    """Records in memory; those of DynamoDB are in test_ledger.py."""

    suppressed: set[str] = field(default_factory=set)
    delivered_before: bool = False
    answered_enough: bool = False

    def is_suppressed(self, address: str) -> bool:
        return address in self.suppressed

    def record_delivery(self, _message: Message, _execution_arn: str) -> bool:
        return not self.delivered_before

    def count_reply(self, _message: Message, _to: Address, at_most: int) -> bool:
        assert at_most == ROUTE.replies_an_hour
        return not self.answered_enough

    def forget_reply(self, _message: Message, _to: Address) -> None:
        pass


def message(**changes: object) -> Message:
    fields: dict[str, object] = {
        "email_id": "m",
        "route": "orders",
        "size_octets": 1000,
        "from_": (Address(address="a@b.example"),),
        "return_path": "a@b.example",
        "headers": (("From", "a@b.example"), ("Auto-Submitted", "no")),
        "verdicts": Verdicts(spam="PASS", virus="PASS", dmarc="pass", dmarc_domain="b.example"),
    }
    return Message.model_validate(fields | changes)


def header(name: str, value: str) -> dict[str, object]:
    return {"headers": ((name, value),)}


def reason(
    checked: Message, route: Route | None = ROUTE, records: Remembered | None = None, content: bytes = b""
) -> str | None:
    """The code of the rule that refuses a message, or None: then nothing withholds the reply."""
    try:
        withheld = check(checked, route, records, content)
    except RefusedEmail as refused:
        return refused.reason
    assert withheld is None
    return None


EMAIL = StoredEmail(email_id="m", route="orders", bucket="b", key="inbound/orders/1")


def check(
    checked: Message,
    route: Route | None = ROUTE,
    records: Remembered | None = None,
    content: bytes = b"",
    email: StoredEmail = EMAIL,
) -> str | None:
    """The code of the rule that withholds the reply, or None."""
    return validate(Case(checked, email, "arn:of:m", route, OWN, records or Remembered(), lambda _attachment: content))


def attached(*files: tuple[str, str, str | None]) -> dict[str, object]:
    """Attachments by file name, declared and detected media type."""
    return {
        "attachments": tuple(
            Attachment(
                filename=name, media_type=declared, media_type_detected=detected, size_octets=1, sha256="0", key=name
            )
            for name, declared, detected in files
        )
    }


def test_an_ordinary_message_passes_every_rule() -> None:
    assert reason(message()) is None


def seen(**verdicts: object) -> dict[str, object]:
    return {"verdicts": Verdicts.model_validate(verdicts)}


BROKEN = [
    ("no_sender", message(from_=())),
    ("virus", message(**seen(virus="FAIL", dmarc="pass", dmarc_domain="b.example"))),
    ("spam", message(**seen(spam="FAIL", dmarc="pass", dmarc_domain="b.example"))),
    ("unauthenticated", message(**seen())),
    ("unauthenticated", message(**seen(dmarc="fail"))),
    ("unauthenticated", message(**seen(dmarc="pass", dmarc_domain="evil.example"))),
    ("unauthenticated", message(from_=(Address(address="a@b.example"), Address(address="x@b.example")))),
    ("unauthenticated", message(**seen(spf="pass", spf_domain="elsewhere.example"))),
    ("unauthenticated", message(**seen(spf="fail", spf_domain="b.example"))),
    ("unauthenticated", message(**seen(dkim="pass", dkim_domains=("notb.example",)))),
    ("automatic_mail", message(**header("Auto-Submitted", "auto-replied (vacation)"))),
    ("automatic_mail", message(return_path="")),
    *(
        ("automatic_mail", message(from_=(Address(address=f"{local}@b.example"),)))
        for local in ("MAILER-DAEMON", "mailer-daemon+x", "mdaemon")
    ),
    (
        "own_address",
        message(from_=(Address(address="Orders@mail.example"),), **seen(spf="pass", spf_domain="mail.example")),
    ),
    ("own_address", message(**header("X-Mailstep-Email-Id", "abc"))),
    (
        "sender_not_allowed",
        message(from_=(Address(address="a@c.example"),), **seen(dmarc="pass", dmarc_domain="c.example")),
    ),
    ("too_large", message(size_octets=1001)),
    ("too_many_attachments", message(**attached(*[("a.csv", "text/csv", None)] * 3))),
    (
        "unscanned",
        message(**attached(("a.csv", "text/csv", None)), **seen(virus="GRAY", dmarc="pass", dmarc_domain="b.example")),
    ),
    ("attachment_type", message(**attached(("a.csv", "text/csv", "application/x-msdownload")))),
    ("attachment_type", message(**attached(("invoice.pdf.EXE", "application/pdf", None)))),
    ("attachment_type", message(**attached(("a.sh", "application/x-sh", None)))),
]
WITHHELD_BY_MESSAGE = [
    *(
        (
            "unanswerable_sender",
            message(
                from_=(Address(address=address),),
                **seen(dmarc="pass", dmarc_domain=address.rpartition("@")[2]),
            ),
        )
        for address in (
            "jo..hn@b.example",
            "a@b..simulator.example",
            "jürgen@b.example",
            '"a b"@b.example',
            ".@b.example",
        )
    ),
    ("automatic_mail", message(**header("auto-submitted", "auto-generated; owner=x"))),
    ("automatic_mail", message(**header("Precedence", "Bulk"))),
    ("automatic_mail", message(**header("List-Id", "<news.example>"))),
    ("automatic_mail", message(**header("X-Auto-Response-Suppress", "DR, OOF"))),
    ("automatic_mail", message(references=tuple(f"<{n}@b.example>" for n in range(101)))),
    *(
        ("automatic_mail", message(from_=(Address(address=f"{local}@b.example"),)))
        for local in ("postmaster", "no-reply", "noreply", "do-not-reply", "bounces+x=y")
    ),
]


@pytest.mark.parametrize(("code", "refused"), BROKEN)
def test_a_message_that_breaks_a_rule_is_refused_with_its_code(code: str, refused: Message) -> None:
    assert reason(refused) == code


@pytest.mark.parametrize(("code", "accepted"), WITHHELD_BY_MESSAGE)
def test_a_message_that_must_not_be_answered_is_accepted_without_a_reply(code: str, accepted: Message) -> None:
    """RFC 3834 forbids responses to automatic mail, not work."""
    assert check(accepted) == code


REFUSED_BY_RECORD = [("duplicate_message", Remembered(delivered_before=True))]
WITHHELD_BY_RECORD = [
    ("suppressed_sender", Remembered(suppressed={"a@b.example"})),
    ("too_many_replies", Remembered(answered_enough=True)),
]
OTHER_CASE = message(from_=(Address(address="A@B.example"),))


@pytest.mark.parametrize(("code", "records"), REFUSED_BY_RECORD)
def test_what_is_on_record_refuses(code: str, records: Remembered) -> None:
    assert reason(message(), records=records) == code
    assert reason(OTHER_CASE, records=records) == code


@pytest.mark.parametrize(("code", "records"), WITHHELD_BY_RECORD)
def test_what_is_on_record_withholds_the_reply(code: str, records: Remembered) -> None:
    assert check(message(), records=records) == code
    assert check(OTHER_CASE, records=records) == code


RECEIVED = datetime(2026, 11, 24, 8, 30, tzinfo=UTC)


def stored(after: timedelta, **changes: object) -> StoredEmail:
    return EMAIL.model_copy(update={"stored": RECEIVED + after, **changes})


def test_mail_that_was_stored_long_after_its_receipt_is_stale_unless_it_is_replayed() -> None:
    old = message(received=RECEIVED)
    check(old, email=stored(timedelta(hours=72)))
    with pytest.raises(RefusedEmail) as refused:
        check(old, email=stored(timedelta(hours=72, seconds=1)))
    assert (refused.value.reason, refused.value.tell_sender) == ("stale_message", False)
    check(old, email=stored(timedelta(days=400), replay=True))
    check(old, email=stored(timedelta(days=400)), route=ROUTE.model_copy(update={"max_age_hours": 24 * 500}))
    with pytest.raises(RefusedEmail):
        check(old, email=stored(timedelta(hours=2)), route=ROUTE.model_copy(update={"max_age_hours": 1}))


def test_mail_that_only_waited_in_the_queue_is_not_stale() -> None:
    """Both times are of its receipt; how long ago that is does not count."""
    check(message(received=RECEIVED - timedelta(days=30)), email=stored(timedelta(days=-30)))
    check(message(received=RECEIVED), email=EMAIL)
    check(message(received=None), email=stored(timedelta(days=400)))


def test_mail_to_no_route_is_refused() -> None:
    assert reason(message(), None) == "unknown_route"


ZIPPED = message(**attached(("data.zip", "application/zip", "application/zip")))


@pytest.mark.parametrize("made", BOMBS.values(), ids=BOMBS)
def test_an_archive_bomb_is_refused_by_what_it_declares(made: Callable[[], bytes]) -> None:
    assert reason(ZIPPED, content=made()) == "archive_bomb"


def _damaged() -> bytes:
    """An archive whose inner one cannot be inflated any more."""
    whole = bytearray(archive(("n.zip", archive(("a.csv", b"1" * 9_000)))))
    at = whole.index(b"n.zip") + len("n.zip")
    whole[at : at + 8] = b"\xff" * 8
    return bytes(whole)


def _in_lzma() -> bytes:
    stream = BytesIO()
    with ZipFile(stream, "w", ZIP_LZMA) as made:
        made.writestr("n.zip", b"x" * 500)
    whole = bytearray(stream.getvalue())
    at = whole.index(b"n.zip") + len("n.zip") + 4
    whole[at : at + 12] = b"\xff" * 12
    return bytes(whole)


def _compressed_as(method: int) -> bytes:
    """An archive whose inner one is of a compression that Python lacks (APPNOTE 4.4.5)."""
    whole = archive(("n.zip", archive(("a.csv", b"1" * 100))))
    central = whole.rindex(b"PK\x01\x02")
    octets = method.to_bytes(2, "little")
    return whole[:8] + octets + whole[10 : central + 10] + octets + whole[central + 12 :]


TAKES_MANY = ROUTE.model_copy(update={"max_attachments": 100})
ZIP = "application/zip"


@pytest.mark.parametrize(
    "content",
    [
        ONE_DEEP,
        archive(("a.csv", b"1")),
        b"no archive",
        ONE_DEEP[:40],
        _damaged(),
        _in_lzma(),
        _compressed_as(9),
        _compressed_as(93),
        archive(("n.zip", archive(("a.csv", b"1"))), compression=ZIP_LZMA).replace(b"\0\0\x80\0", b"\xff" * 4),
        archive(*((f"{n}.zip", archive(("a.csv", b"1"))) for n in range(500))),
    ],
    ids=[
        *("one deep", "plain", "none", "cut off", "damaged", "LZMA", "Deflate64", "Zstandard"),
        *("LZMA that asks for 4 GB", "many folders"),
    ],
)
def test_an_ordinary_or_broken_archive_is_no_bomb(content: bytes) -> None:
    assert reason(ZIPPED, content=content) is None


def test_all_archives_of_a_message_share_one_budget() -> None:
    third = archive(("n.zip", bytes(limits.NESTED_ARCHIVE_OCTETS // 3)))
    many = archive(*((str(n), b"") for n in range(limits.ARCHIVE_MEMBERS // 3)))
    for content in (third, many, declaring(limits.ARCHIVE_OCTETS // 3)):
        zipped = [("data.zip", "application/zip", "application/zip")]
        assert reason(message(**attached(*zipped * 2)), TAKES_MANY, content=content) is None
        assert reason(message(**attached(*zipped * 4)), TAKES_MANY, content=content) == "archive_bomb"


def test_nested_archives_that_break_late_are_inflated_only_up_to_the_limit() -> None:
    whole = bytearray(archive(("n.zip", bytes(1_000_000) + b"x")))
    at = whole.index(b"PK\x01\x02") - 4
    whole[at : at + 4] = b"\xff" * 4
    many = message(**attached(*[("data.zip", "application/zip", "application/zip")] * 80))
    assert reason(many, TAKES_MANY, content=bytes(whole)) == "archive_bomb"


def test_fourteen_archives_of_forty_megabytes_are_refused_and_the_sender_is_told() -> None:
    mail = message_from_bytes((CASES / "hostile" / "fourteen-archives.eml").read_bytes())
    contents = iter([bytes(part.get_payload(decode=True)) for part in mail.walk() if part.get_content_type() == ZIP])
    fourteen = message(**attached(*[("a.zip", ZIP, ZIP)] * 14))
    with pytest.raises(RefusedEmail) as refused:
        validate(Case(fourteen, EMAIL, "arn:of:m", TAKES_MANY, OWN, Remembered(), lambda _: next(contents)))
    assert (refused.value.reason, refused.value.tell_sender) == ("archive_bomb", True)
    assert "Please send" in refused.value.explanation


def test_no_archive_with_extreme_fields_is_more_than_no_bomb_or_a_bomb() -> None:
    chosen = random.Random(1)  # noqa: S311 - the same every time
    inner = archive(("a.csv", b"1" * 100))
    good = [archive(("n.zip", inner), compression=c) for c in (ZIP_STORED, ZIP_DEFLATED, ZIP_BZIP2, ZIP_LZMA)]
    found = set()
    for _ in range(4_000):
        octets = bytearray(chosen.choice(good))
        records = [at for at in range(len(octets) - 22) if octets[at : at + 2] == b"PK"]
        for _ in range(chosen.randint(1, 3)):
            width = chosen.choice([2, 4])
            at = min(chosen.choice(records) + chosen.randrange(4, 50), len(octets) - width)
            value = chosen.choice(
                [0, 1, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFF, *range(len(octets) - 1, len(octets) + 2)]
            )
            octets[at : at + width] = (value % 256**width).to_bytes(width, "little")
        found.add(reason(ZIPPED, content=bytes(octets)))
    assert found == {None, "archive_bomb"}


CSV_ONLY = ROUTE.model_copy(update={"attachment_types": ("text/csv", "image/*")})


@pytest.mark.parametrize(
    ("files", "accepted"),
    [
        (("a.csv", "text/csv", None), True),
        (("a.csv", "TEXT/CSV", None), True),
        (("a.csv", "application/octet-stream", None), True),
        (("a.png", "image/png", "image/png"), True),
        (("a.csv", "text/csv", "application/x-msdownload"), False),
        (("a.png", "image/png", "application/zip"), False),
        (("a.pdf", "application/pdf", "application/pdf"), False),
        (("a.bin", "application/octet-stream", None), False),
    ],
)
def test_an_attachment_is_what_it_is_declared_and_detected_to_be(
    files: tuple[str, str, str | None], accepted: bool
) -> None:
    assert reason(message(**attached(files)), CSV_ONLY) == (None if accepted else "attachment_type")


def test_an_office_document_is_no_zip_to_a_route_that_takes_it() -> None:
    excel = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    route = ROUTE.model_copy(update={"attachment_types": (excel,)})
    assert reason(message(**attached(("a.xlsx", excel, "application/zip"))), route) is None


def test_a_blocked_and_a_strange_sender() -> None:
    def sender(address: str) -> Message:
        domain = address.rpartition("@")[2]
        return message(from_=(Address(address=address),), verdicts=Verdicts(dmarc="pass", dmarc_domain=domain.lower()))

    assert reason(sender("spammer@b.example")) == "blocked_sender"
    assert reason(sender("a@c.example")) == "sender_not_allowed"
    assert reason(sender("a@notb.example")) == "sender_not_allowed"
    assert reason(sender("A@B.Example")) is None


def test_a_route_may_process_unauthenticated_mail_but_tells_its_sender_nothing() -> None:
    open_route = ROUTE.model_copy(update={"require_authentication": False})
    assert check(message(**seen()), open_route) == "unauthenticated"
    with pytest.raises(RefusedEmail) as refused:
        check(message(size_octets=1001, **seen()), open_route)
    assert (refused.value.reason, refused.value.tell_sender) == ("too_large", False)


def test_unauthenticated_mail_does_not_use_up_the_replies_of_the_address_it_claims() -> None:
    open_route = ROUTE.model_copy(update={"require_authentication": False})
    assert check(message(**seen()), open_route, Remembered(answered_enough=True)) == "unauthenticated"
    records = Asked()
    check(message(**seen()), open_route, records)
    assert (records.deliveries, records.replies) == (1, 0)


def test_a_domain_is_the_same_in_either_form() -> None:
    route = ROUTE.model_copy(update={"allowed_senders": ()})
    verdicts = seen(dmarc="pass", dmarc_domain="xn--bcher-kva.example")
    assert reason(message(from_=(Address(address="ann@bücher.example"),), **verdicts), route) is None


def test_an_archive_behind_a_broken_one_is_checked() -> None:
    whole = bytearray(archive(("n.zip", archive(("a.csv", b"1" * 9_000))), ("bomb.zip", declaring(2**31))))
    at = whole.index(b"n.zip") + len("n.zip")
    whole[at : at + 8] = b"\xff" * 8
    assert reason(ZIPPED, content=bytes(whole)) == "archive_bomb"


SEEN_FIRST = {"no_sender", "virus", "spam", "unauthenticated"}
CATCH_ALL = ROUTE.model_copy(update={"catch_all": True})


@pytest.mark.parametrize(
    ("recipient", "route", "refused"),
    [
        ("orders@mail.example", CATCH_ALL, "other_route"),
        ("orders+4711@mail.example", CATCH_ALL, "other_route"),
        ("sales@mail.example", CATCH_ALL, None),
        ("rest@mail.example", CATCH_ALL, None),
        # A route of its own never gets a copy.
        ("orders@mail.example", ROUTE, None),
    ],
)
def test_the_catch_all_route_leaves_to_other_routes_what_is_theirs(
    recipient: str, route: Route, refused: str | None
) -> None:
    checked = message(route="rest", recipient=Recipient(address=recipient))
    case = Case(checked, EMAIL, "arn", route, OWN, Remembered(), lambda _: b"", frozenset({"orders", "tickets"}))
    assert refused_by(case) == refused


def test_a_copy_for_the_catch_all_route_is_one_whatever_else_is_wrong_with_it() -> None:
    spam = message(
        route="rest", recipient=Recipient(address="orders@mail.example"), verdicts=Verdicts(spam="FAIL", virus="FAIL")
    )
    case = Case(spam, EMAIL, "arn", CATCH_ALL, OWN, Remembered(), lambda _: b"", frozenset({"orders"}))
    assert refused_by(case) == "other_route"
    assert refused_by(replace(case, route=ROUTE)) == "virus"


def refused_by(case: Case) -> str | None:
    try:
        validate(case)
    except RefusedEmail as found:
        return found.reason
    return None


def test_with_a_catch_all_route_each_address_of_the_domain_is_our_own() -> None:
    checked = message(
        from_=(Address(address="sales@mail.example"),),
        verdicts=Verdicts(spam="PASS", virus="PASS", dmarc="pass", dmarc_domain="mail.example"),
    )
    case = Case(checked, EMAIL, "arn", Route(), OWN | {"@mail.example"}, Remembered(), lambda _: b"")
    assert refused_by(case) == "own_address"
    assert refused_by(replace(case, own_addresses=OWN)) is None


AT_ALL = Case(message(), EMAIL, "arn:of:m", ROUTE, OWN, Remembered(), lambda _attachment: b"")
"""A message that passes; each case below breaks one rule with it."""
LATER: list[tuple[str, Case]] = [
    *((code, replace(AT_ALL, message=refused)) for code, refused in BROKEN if code not in SEEN_FIRST),
    *((code, replace(AT_ALL, records=records)) for code, records in REFUSED_BY_RECORD),
    ("unknown_route", replace(AT_ALL, route=None)),
    (
        "stale_message",
        replace(AT_ALL, message=message(received=RECEIVED), email=stored(timedelta(days=4))),
    ),
    (
        "other_route",
        replace(
            AT_ALL,
            message=message(route="rest", recipient=Recipient(address="orders@mail.example")),
            route=CATCH_ALL,
            other_routes=frozenset({"orders"}),
        ),
    ),
    ("blocked_sender", replace(AT_ALL, route=ROUTE.model_copy(update={"blocked_senders": ("a@b.example",)}))),
    ("archive_bomb", replace(AT_ALL, message=ZIPPED, open_attachment=lambda _attachment: BOMBS["too many members"]())),
]


class RepliedElsewhere(Remembered):
    """Records of a message that came to another route before."""

    def record_delivery(self, message: Message, execution_arn: str) -> bool:
        return message.route == "orders" and super().record_delivery(message, execution_arn)


WITHHELD: list[tuple[str, Case]] = [
    *((code, replace(AT_ALL, message=accepted)) for code, accepted in WITHHELD_BY_MESSAGE),
    *((code, replace(AT_ALL, records=records)) for code, records in WITHHELD_BY_RECORD),
    (
        "replied_by_other_route",
        replace(
            AT_ALL,
            message=message(cc=(Address(address="Feedback+1@mail.example"),)),
            same_processor=frozenset({"feedback@mail.example"}),
            records=RepliedElsewhere(),
        ),
    ),
]


# Not the one that comes last: a route that refuses the message does not reply for the others, so it must refuse before.
REPLIED_BY_ANOTHER = [case for code, case in WITHHELD if code == "replied_by_other_route"]
WITHHELD_FROM_THE_SENDER = [one for one in WITHHELD if one[0] != "replied_by_other_route"]


@dataclass
class Asked(Remembered):
    """Records that know what was asked of them."""

    deliveries: int = 0
    replies: int = 0

    def record_delivery(self, message: Message, execution_arn: str) -> bool:
        self.deliveries += 1
        return super().record_delivery(message, execution_arn)

    def count_reply(self, message: Message, to: Address, at_most: int) -> bool:
        self.replies += 1
        return super().count_reply(message, to, at_most)

    def forget_reply(self, message: Message, to: Address) -> None:
        self.replies -= 1


def asked(case: Case) -> Asked:
    assert isinstance(case.records, Remembered)
    return Asked(case.records.suppressed, case.records.delivered_before, case.records.answered_enough)


def broken(case: Case) -> tuple[str | None, str | None]:
    """The code of the rule that refuses the message, and of the rule that withholds the reply."""
    try:
        return None, validate(case)
    except RefusedEmail as refused:
        return refused.reason, refused.withheld


@pytest.mark.parametrize(("code", "case"), [*LATER, *WITHHELD])
def test_nothing_else_is_asked_of_a_message_whose_sender_is_not_authenticated(code: str, case: Case) -> None:
    """docs/security.md: forged mail is refused before anything is recorded, opened or told in the sender's name."""
    assert code in broken(case)
    records = asked(case)
    with pytest.raises(RefusedEmail) as refused:
        validate(replace(case, message=case.message.model_copy(update={"verdicts": Verdicts()}), records=records))
    # A copy is refused as one, before anything is asked of its sender.
    expected = code if code == "other_route" else "unauthenticated"
    told = (refused.value.reason, refused.value.tell_sender, refused.value.withheld)
    assert told == (expected, False, None)
    assert (records.deliveries, records.replies) == (0, 0)


OF_THE_SENDER = {"automatic_mail", "blocked_sender", "own_address", "suppressed_sender", "too_many_replies",
                 "unanswerable_sender"}  # fmt: skip


@pytest.mark.parametrize(("code", "case"), [*LATER, *WITHHELD])
def test_a_later_answer_is_withheld_for_what_is_known_of_the_sender_and_not_of_the_message(
    code: str, case: Case
) -> None:
    """docs/applications.md, "A later answer": not to a sender that Mailstep may not write to."""
    assert code in broken(case)
    assert withheld_from(replace(case, records=asked(case))) == (code if code in OF_THE_SENDER else None)


@pytest.mark.parametrize(("code", "checked"), [one for one in BROKEN if one[0] in SEEN_FIRST])
def test_a_later_answer_is_withheld_from_a_sender_that_the_first_rules_refuse(code: str, checked: Message) -> None:
    assert withheld_from(replace(AT_ALL, message=checked)) == code


NOT_RECORDED = ("automatic_mail", "own_address", "unknown_route", "stale_message", "blocked_sender")


@pytest.mark.parametrize(("code", "case"), [one for one in LATER if one[0] in NOT_RECORDED])
def test_what_is_refused_silently_leaves_no_record(code: str, case: Case) -> None:
    """A machine's mail, or our own, does not use up the replies that its sender may get (RFC 3834 section 2)."""
    records = asked(case)
    with pytest.raises(RefusedEmail, match=code):
        validate(replace(case, records=records))
    assert (records.deliveries, records.replies) == (0, 0)


def test_a_duplicate_does_not_count_as_another_reply() -> None:
    records = Asked(delivered_before=True)
    with pytest.raises(RefusedEmail, match="duplicate_message"):
        validate(replace(AT_ALL, records=records))
    assert records.replies == 0


@pytest.mark.parametrize(("code", "case"), [one for one in WITHHELD_FROM_THE_SENDER if one[0] != "too_many_replies"])
def test_a_reply_that_is_withheld_is_not_counted_and_the_delivery_is_recorded(code: str, case: Case) -> None:
    records = asked(case)
    assert validate(replace(case, records=records)) == code
    assert (records.deliveries, records.replies) == (1, 0)


@pytest.mark.parametrize(("code", "case"), WITHHELD_FROM_THE_SENDER)
def test_a_message_whose_reply_is_withheld_is_checked_by_all_other_rules_and_refused_silently(
    code: str, case: Case
) -> None:
    """A list's message that is too large is refused, and its sender hears nothing: it must not be answered."""
    large = replace(case, message=case.message.model_copy(update={"size_octets": 1001}))
    with pytest.raises(RefusedEmail) as refused:
        validate(large)
    assert (refused.value.reason, refused.value.tell_sender, refused.value.withheld) == ("too_large", False, code)
    with pytest.raises(RefusedEmail, match="duplicate_message"):
        validate(replace(case, records=replace(asked(case), delivered_before=True)))


def test_the_first_rule_that_withholds_the_reply_gives_the_code() -> None:
    both = message(**header("List-Id", "<news.example>"))
    assert check(both, records=Remembered(suppressed={"a@b.example"})) == "automatic_mail"
    assert check(message(), records=Remembered({"a@b.example"}, answered_enough=True)) == "suppressed_sender"


def test_a_route_may_refuse_the_automatic_mail_of_which_others_withhold_the_reply() -> None:
    strict = ROUTE.model_copy(update={"automatic_mail": "refuse"})
    for code, accepted in WITHHELD_BY_MESSAGE:
        assert broken(replace(AT_ALL, message=accepted, route=strict)) == (
            (code, None) if code == "automatic_mail" else (None, code)
        )
    assert check(message(), strict) is None


def test_a_refusal_that_is_told_counts_as_a_reply_and_over_the_bound_it_is_silent() -> None:
    """Two machines can loop with refusals as they can with replies (RFC 3834 section 2)."""
    records = Asked()
    assert broken(replace(AT_ALL, message=message(size_octets=1001), records=records)) == ("too_large", None)
    assert records.replies == 1
    with pytest.raises(RefusedEmail) as refused:
        check(message(size_octets=1001), records=Remembered(answered_enough=True))
    assert (refused.value.tell_sender, refused.value.withheld) == (False, "too_many_replies")


def test_every_rule_has_a_case_here() -> None:
    refusing = {rule.code for rule in RULES if rule.effect is not Effect.WITHHOLD}
    assert {code for code, _ in LATER} | SEEN_FIRST == refusing
    assert {code for code, _ in WITHHELD} == {rule.code for rule in RULES if rule.effect is Effect.WITHHOLD}


def test_every_code_is_explained_where_an_operator_looks() -> None:
    page = (PROJECT / "docs" / "policy.md").read_text()
    assert all(f"`{code}`" in page for code in MEANINGS)


def test_no_rule_that_tells_the_sender_comes_before_one_that_asks_who_it_is() -> None:
    # What withholds a reply that another route sends asks nothing of the sender.
    told = [rule.effect is Effect.TELL for rule in RULES if rule.code != "replied_by_other_route"]
    assert told == sorted(told)
    silent = {rule.code for rule in RULES if rule.effect is not Effect.TELL}
    assert {"virus", "spam", "unauthenticated", "automatic_mail", "own_address", "duplicate_message"} <= silent


@pytest.mark.parametrize("local", ["anna", "noreplyanna", "bouncesless", "postmasters"])
def test_people_are_not_taken_for_robots(local: str) -> None:
    assert reason(message(from_=(Address(address=f"{local}@b.example"),))) is None


@pytest.mark.parametrize(
    "verdicts",
    [
        seen(dmarc="pass", dmarc_domain="b.example"),
        seen(dmarc="none", spf="pass", spf_domain="b.example"),
        seen(dkim="pass", dkim_domains=("other.example", "b.example")),
    ],
)
def test_an_authenticated_sender_passes(verdicts: dict[str, object]) -> None:
    assert reason(message(**verdicts)) is None


@pytest.mark.parametrize(
    "pattern", ["*@bücher.example", "*@xn--bcher-kva.example", " *@BÜCHER.example ", "Ann@Bücher.Example"]
)
@pytest.mark.parametrize("sender", ["ann@bücher.example", "Ann@XN--BCHER-KVA.example", "ANN@BÜCHER.example"])
def test_a_pattern_in_either_form_is_for_senders_in_either_form(pattern: str, sender: str) -> None:
    proven = Verdicts(spam="PASS", virus="PASS", dmarc="pass", dmarc_domain="xn--bcher-kva.example")
    written = message(from_=(Address(address=sender),), verdicts=proven)
    assert reason(written, Route(allowed_senders=(pattern,))) is None
    assert reason(written, Route(blocked_senders=(pattern,))) == "blocked_sender"
    assert reason(written, Route(allowed_senders=("*@buecher.example",))) == "sender_not_allowed"


def test_an_own_address_is_known_in_either_form() -> None:
    proven = Verdicts(spam="PASS", virus="PASS", dmarc="pass", dmarc_domain="xn--bcher-kva.example")
    written = message(from_=(Address(address="Orders@Bücher.example"),), verdicts=proven)
    own = frozenset({"orders@xn--bcher-kva.example"})
    with pytest.raises(RefusedEmail) as refused:
        validate(Case(written, EMAIL, "arn:of:m", ROUTE, own, Remembered(), lambda _attachment: b""))
    assert refused.value.reason == "own_address"


@pytest.mark.parametrize("pattern", ["TEXT/CSV", " text/csv ", "text/*", "*", "*/csv", "te?t/csv"])
def test_a_media_type_is_known_however_its_pattern_is_written(pattern: str) -> None:
    table = message(**attached(("a.csv", "Text/CSV", None)))
    assert reason(table, Route(attachment_types=(pattern,))) is None


NORMAL = {"Auto-Submitted": "No; comment", "Precedence": "first-class", "X-Auto-Response-Suppress": "DR, RN, NRN",
          "Listed-In": "x", "X-List-Id": "x"}  # fmt: skip
AUTOMATIC: list[tuple[str, dict[str, object]]] = [
    ("Auto-Submitted", header("Auto-Submitted", " AUTO-Generated ")),
    ("Auto-Submitted", header("Auto-Submitted", "auto-notified; x=no")),
    ("Auto-Submitted", header("Auto-Submitted", "")),
    ("null Return-Path", {"return_path": ""}),
    ("Precedence", header("Precedence", " BULK ")),
    ("Precedence", header("Precedence", "list")),
    ("Precedence", header("Precedence", "junk")),
    ("List-*", header("LIST-Unsubscribe", "<https://news.example>")),
    ("X-Auto-Response-Suppress", header("X-Auto-Response-Suppress", "All")),
    ("X-Auto-Response-Suppress", header("X-Auto-Response-Suppress", "DR, AutoReply")),
    ("X-Auto-Response-Suppress", header("X-Auto-Response-Suppress", "oof,dr")),
    ("References", {"references": tuple(f"<{n}@b.example>" for n in range(DEFAULTS.message_ids))}),
    ("From", {"from_": (Address(address="No-Reply@b.example"),)}),
]


REFUSES_AUTOMATIC = ROUTE.model_copy(update={"automatic_mail": "refuse"})


@pytest.mark.parametrize(("sign", "changes"), AUTOMATIC)
def test_a_refusal_of_automatic_mail_names_the_sign(sign: str, changes: dict[str, object]) -> None:
    """RFC 3834 section 2; RFC 2369; [MS-OXCMAIL] for X-Auto-Response-Suppress."""
    with pytest.raises(RefusedEmail) as refused:
        check(message(**changes), REFUSES_AUTOMATIC)
    assert refused.value.explanation.endswith(f" automatic mail ({sign}).")
    assert (refused.value.reason, refused.value.tell_sender) == ("automatic_mail", False)


def test_all_signs_of_automatic_mail_are_named() -> None:
    with pytest.raises(RefusedEmail, match=r"\(null Return-Path, From\)"):
        check(message(return_path="", from_=(Address(address="bounces@b.example"),)))


def test_mail_that_only_looks_like_automatic_mail_passes() -> None:
    for name, value in NORMAL.items():
        assert reason(message(**header(name, value))) is None, name
    assert reason(message(references=tuple(f"<{n}@b.example>" for n in range(DEFAULTS.message_ids - 1)))) is None
    assert reason(message(return_path=None)) is None


NAMES = {"SES", "DMARC", "SPF", "DKIM", "ZIP", "From", "routes.toml", "Auto-Submitted", "X-Mailstep-Email-Id"}


@pytest.mark.parametrize(
    ("code", "case"),
    [*LATER, *((code, replace(AT_ALL, message=refused)) for code, refused in BROKEN if code in SEEN_FIRST)],
)
def test_a_refusal_is_told_in_whole_sentences(code: str, case: Case) -> None:
    """CONTRIBUTING.md, "House style": the sender, or an operator, must understand it at the first reading."""
    with pytest.raises(RefusedEmail, match=code) as refused:
        validate(case)
    # The notice has the name of the file there (notices.py).
    text = refused.value.explanation.replace("{attachment 1}", "An attachment")
    sentences = re.split(r"(?<=[.]) ", text)
    assert all(re.match("[A-Z]", sentence) and sentence.endswith(".") for sentence in sentences), text
    words = re.findall(r"[^\s(),.;:]+", re.sub(r"'[^']*'|\([^)]*\)|routes\.toml|Accepted types: .*", "", text))
    assert [word for word in words if word not in NAMES and not re.fullmatch(r"[A-Z]?[a-z]+('s)?|[\d,]+", word)] == []
    assert code == "virus" or len(words) > 4


def test_a_refusal_tells_the_sender_what_is_accepted() -> None:
    """CONTRIBUTING.md, "House style": refusals tell the sender what to change."""

    def told(checked: Message, route: Route = ROUTE) -> str:
        with pytest.raises(RefusedEmail) as refused:
            check(checked, route)
        assert refused.value.tell_sender
        return str(refused.value.explanation)

    assert "at most 1,000 are" in told(message(size_octets=1001))
    assert "1,001 bytes" in told(message(size_octets=1001))
    three = told(message(**attached(*[("a.csv", "text/csv", None)] * 3)))
    assert "3 attachments" in three
    assert "at most 2 are" in three
    one = told(message(**attached(("a.csv", "text/csv", None))), ROUTE.model_copy(update={"max_attachments": 0}))
    assert "1 attachment;" in one
    assert "accepts none" in one
    typed = told(message(**attached(("a.pdf", "application/pdf", None))), CSV_ONLY)
    assert typed.startswith("{attachment 1} "), "the notice has the file's name there"
    assert "Accepted types: CSV file, picture. Please save" in typed


def test_a_refusal_is_in_the_language_of_the_route_or_else_of_the_message() -> None:
    """docs/policy.md, "Settings of a route", `language`."""
    german = header("Content-Language", "de")
    for language, fields, said in (
        ("", {}, "1,001 bytes"),
        ("", german, "1.001 Byte"),
        ("en", german, "1,001 bytes"),
        ("de", {}, "1.001 Byte"),
    ):
        with pytest.raises(RefusedEmail) as refused:
            check(message(size_octets=1001, **fields), ROUTE.model_copy(update={"language": language}))
        assert said in str(refused.value.explanation), (language, fields)


def test_limits_of_a_route_are_the_last_that_pass() -> None:
    assert reason(message(size_octets=1000)) is None
    assert reason(message(**attached(*[("a.csv", "text/csv", None)] * 2))) is None


@pytest.mark.parametrize("declared", [
    "application/x-msdownload", "application/x-msdos-program", "application/x-dosexec", "application/x-executable",
    "application/x-elf", "application/x-sh", "application/x-apple-diskimage", "application/java-archive",
    "application/vnd.android.package-archive", "application/vnd.microsoft.portable-executable", "application/hta",
])  # fmt: skip
def test_a_program_is_refused_by_its_octets_and_by_its_label_if_nothing_else_says_what_it_is(declared: str) -> None:
    """docs/policy.md, `attachment_type`: the octets count before the name, and the name before the label."""
    for file in (("a.csv", "text/csv", declared), ("a", declared, None), ("a.unknown", declared.upper(), None)):
        assert reason(message(**attached(file))) == "attachment_type", file
        assert reason(message(**attached(("b.csv", "text/csv", None), file))) == "attachment_type"
    assert reason(message(**attached(("a.csv", declared, None)))) is None, "its name says more than its label"


@pytest.mark.parametrize("suffix", [
    "exe", "com", "scr", "pif", "cpl", "msi", "msp", "bat", "cmd", "ps1", "vb", "vbs", "vbe", "js", "jse", "wsf", "wsh",
    "hta", "lnk", "jar", "reg", "dll", "apk", "app", "dmg", "iso", "img",
])  # fmt: skip
def test_a_program_is_refused_by_its_name(suffix: str) -> None:
    for name in (f"a.{suffix}", f"a.pdf.{suffix.upper()}"):
        assert reason(message(**attached((name, "application/octet-stream", None)))) == "attachment_type", name
    assert reason(message(**attached((f"a.{suffix}.csv", "text/csv", None)))) is None
    assert reason(message(**attached((f"a-{suffix}", "text/csv", None)))) is None


@pytest.mark.parametrize(
    ("files", "accepted"),
    [
        # Without any type the name tells it, and without one there is none.
        (("a.csv", "application/octet-stream", "application/octet-stream"), True),
        (("a.CSV", "application/octet-stream", None), True),
        (("a", "application/octet-stream", None), False),
        (("a.png", "application/octet-stream", "text/csv"), True),
        (("a.csv", "application/octet-stream", "application/pdf"), False),
        # A ZIP archive is one, if the declared type is not one of those that are ZIP archives too.
        (("a.csv", "text/csv", "application/zip"), False),
        (("a.csv", "application/zip", "application/zip"), False),
    ],
)
def test_a_type_that_says_nothing_leaves_it_to_the_other_one_or_to_the_name(
    files: tuple[str, str, str | None], accepted: bool
) -> None:
    assert reason(message(**attached(files)), CSV_ONLY) == (None if accepted else "attachment_type")


def test_every_route_may_leave_out_each_of_its_rules() -> None:
    """Of a route without settings, nothing but its defaults is asked (docs/policy.md, "Settings of a route")."""
    assert reason(message(), Route()) is None
    assert (
        reason(message(from_=(Address(address="x@c.example"),), **seen(spf="pass", spf_domain="c.example")), Route())
        is None
    )
    assert (
        reason(message(size_octets=40 * 1024 * 1024, **attached(*[("a.csv", "text/csv", None)] * 50)), Route()) is None
    )


def test_the_ledger_is_asked_about_the_author_in_one_form_and_the_execution() -> None:
    """What reaches the records is what their docstrings say (mailstep/aws/ledger.py)."""
    asked_of: list[object] = []

    class Writing(Remembered):
        def is_suppressed(self, address: str) -> bool:
            asked_of.append(address)
            return super().is_suppressed(address)

        def record_delivery(self, message: Message, execution_arn: str) -> bool:
            asked_of.append((message.email_id, execution_arn))
            return super().record_delivery(message, execution_arn)

        def count_reply(self, message: Message, to: Address, at_most: int) -> bool:
            asked_of.append((message.email_id, to.address, at_most))
            return super().count_reply(message, to, at_most)

    check(message(from_=(Address(address="A@B.example"),)), records=Writing())
    assert asked_of == ["a@b.example", ("m", "arn:of:m"), ("m", "A@B.example", ROUTE.replies_an_hour)]


def test_only_what_may_be_an_archive_is_opened() -> None:
    opened: list[str] = []

    def opening(one: Attachment) -> bytes:
        opened.append(one.filename)
        return b""

    files = message(**attached(("a.csv", "text/csv", None), ("b.zip", "application/octet-stream", None)))
    validate(replace(AT_ALL, message=files, open_attachment=opening))
    assert opened == ["b.zip"]


def test_every_rule_has_the_effect_that_docs_policy_md_says() -> None:
    page = (PROJECT / "docs" / "policy.md").read_text()
    rows = re.findall(r"^\| \d+ \| `(\w+)` \|.*\| (told|silent|withheld)(?:;[^|]*)? \|", page, re.MULTILINE)
    words = {Effect.TELL: "told", Effect.REFUSE: "silent", Effect.WITHHOLD: "withheld"}
    assert rows == [(rule.code, words[rule.effect]) for rule in RULES]


# The issue: refused silently, withheld, told; and what an operator may override.
SILENT = {"no_sender", "virus", "spam", "unauthenticated", "automatic_mail", "own_address", "unknown_route",
          "stale_message", "blocked_sender", "duplicate_message", "other_route"}  # fmt: skip
NOT_ANSWERED = {
    "automatic_mail",
    "unanswerable_sender",
    "suppressed_sender",
    "too_many_replies",
    "replied_by_other_route",
}
TOLD = {"sender_not_allowed", "too_large", "unscanned", "too_many_attachments", "attachment_type", "archive_bomb"}


def test_the_effects_are_those_that_were_decided() -> None:
    def of(effect: Effect) -> set[str]:
        return {rule.code for rule in RULES if rule.effect is effect}

    assert (of(Effect.REFUSE), of(Effect.WITHHOLD), of(Effect.TELL)) == (SILENT, NOT_ANSWERED, TOLD)


def overridden(rule: str) -> StoredEmail:
    operator = Override(rule=rule, by="arn:aws:iam::123456789012:user/ann")
    return EMAIL.model_copy(update={"replay": True, "override": operator})


NEVER = {"no_sender", "unknown_route", "unanswerable_sender"}
STILL_NO_REPLY = {"unauthenticated", "own_address"}


@pytest.mark.parametrize(
    ("code", "case"), [*((code, replace(AT_ALL, message=one)) for code, one in BROKEN), *LATER, *WITHHELD]
)
def test_an_override_lets_one_message_past_one_rule_but_replies_to_no_unproven_sender(code: str, case: Case) -> None:
    before = broken(case)
    after = broken(replace(case, email=overridden(code)))
    if code in NEVER:
        assert after == before
    elif code in STILL_NO_REPLY:
        assert after == (None, code)
    elif before == ("automatic_mail", None):
        assert after == (None, "automatic_mail"), "no machine's response gets a reply (RFC 3834 section 2)"
    else:
        assert after == (None, None)


@pytest.mark.parametrize(("code", "case"), [*LATER, *WITHHELD])
def test_an_override_is_of_the_named_rule_alone(code: str, case: Case) -> None:
    others = {rule.code for rule in RULES} - {code, "stale_message"}
    before = broken(replace(case, email=case.email.model_copy(update={"replay": True})))
    for other in others:
        assert broken(replace(case, email=overridden(other).model_copy(update={"replay": True}))) == before, other


def test_nothing_overrides_the_authentication_of_a_sender_for_a_reply() -> None:
    for rule in RULES:
        for route in (ROUTE, ROUTE.model_copy(update={"require_authentication": False})):
            unproven = replace(AT_ALL, message=message(**seen()), route=route, email=overridden(rule.code))
            assert "unauthenticated" in broken(unproven), rule.code


def test_an_overridden_bound_counts_no_reply() -> None:
    records = Asked(answered_enough=True)
    assert check(message(), records=records, email=overridden("too_many_replies")) is None
    assert records.replies == 0


def test_another_route_that_replied_withholds_no_later_answer() -> None:
    """It is for the message alone: the sender may be written to."""
    assert [withheld_from(case) for case in REPLIED_BY_ANOTHER] == [None]


@pytest.mark.parametrize(
    ("code", "begins"),
    [
        # A route may refuse lists too.
        ("automatic_mail", ["A machine responded with it", "A machine passed it on"]),
        ("virus", ["SES found a virus"]),
        # No rule of the code refuses.
        ("suppressed_sender", ["The address is suppressed"]),
    ],
)
def test_a_code_means_what_each_rule_with_it_means(code: str, begins: list[str]) -> None:
    # Not only as it was when the module was imported: mutmut makes its faults after that.
    assert policy._meaning(code) == MEANINGS[code]
    meanings = MEANINGS[code].split(". Or: ")
    assert [meaning[: len(begin)] for meaning, begin in zip(meanings, begins, strict=True)] == begins
