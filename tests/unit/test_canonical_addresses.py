"""One sender is one, however the address is written: one count, one suppression, one block, one place to reply to."""

# ruff: noqa: RUF001 - the characters are what is tested

import pytest

from mailstep.addresses import canonical, canonical_domain, domain_in_ascii, is_one_of, label, mailbox, without_label
from mailstep.aws import ledger
from mailstep.aws.ledger import Ledger
from mailstep.contracts import Address, Message, Verdicts
from mailstep.errors import RefusedEmail
from mailstep.route import Route
from mailstep.testing import receive
from mailstep.validate.policy import Case, validate
from tests.support.messages import EMAIL, mail_with

A_LABEL = "xn--bcher-kva.example"
SPELLINGS = [
    "ann@bücher.example",
    "Ann@bücher.example",
    "ANN@BÜCHER.EXAMPLE",
    f"ann@{A_LABEL}",
    "ann@XN--BCHER-KVA.example",
    "ann@bücher。example",
    "ann@bücher．example",
    "ann@bücher｡ｅｘａｍｐｌｅ",
    '"ann"@bücher.example',
    '"a\\nn"@bücher.example',
    f"ann@{A_LABEL}.",
    "ann+orders@bücher.example",
    "ann+7+8@bücher.example",
    '"ann+x"@BÜCHER。example',
]
WITHOUT_LABEL = [one for one in SPELLINGS if "+" not in one]


def written_by(address: str, email_id: str = "m") -> Message:
    return Message(
        email_id=email_id,
        route="orders",
        size_octets=1,
        from_=(Address(address=address),),
        return_path=address,
        verdicts=Verdicts(spam="PASS", virus="PASS", dmarc="pass", dmarc_domain=A_LABEL),
    )


def reason(message: Message, route: Route, own: frozenset[str] = frozenset()) -> str | None:
    records = Ledger(lambda _execution: False)
    """The code of the rule that refuses the message or withholds the reply, or None."""
    try:
        return validate(Case(message, EMAIL, "arn:of:m", route, own, records, lambda _attachment: b""))
    except RefusedEmail as refused:
        return refused.reason


@pytest.mark.usefixtures("ledger_table")
def test_a_suppressed_sender_is_suppressed_in_every_spelling() -> None:
    for suppressed in (SPELLINGS[0], SPELLINGS[-1]):
        ledger.suppress(suppressed, seconds=100)
        assert {reason(written_by(address), Route()) for address in SPELLINGS} == {"suppressed_sender"}
    assert reason(written_by("anna@bücher.example"), Route()) is None


@pytest.mark.usefixtures("ledger_table")
def test_a_blocked_sender_is_blocked_in_every_spelling() -> None:
    for pattern in WITHOUT_LABEL:
        if '"' in pattern or pattern.endswith("."):
            continue  # no patterns of a route (route_settings.py)
        route = Route(blocked_senders=(pattern,))
        assert {reason(written_by(address), route) for address in SPELLINGS} == {"blocked_sender"}, pattern


@pytest.mark.usefixtures("ledger_table")
def test_the_replies_to_one_sender_are_one_count_in_every_spelling() -> None:
    route = Route(replies_an_hour=5)
    found = [reason(written_by(address, f"m{n}"), route) for n, address in enumerate(SPELLINGS)]
    assert found == [None] * 5 + ["too_many_replies"] * (len(SPELLINGS) - 5)


@pytest.mark.usefixtures("ledger_table")
def test_a_label_on_one_of_our_own_addresses_is_still_our_own() -> None:
    own = frozenset({f"orders@{A_LABEL}"})
    for address in ("orders@bücher.example", "orders+1@bücher.example", '"orders"@bücher.example'):
        assert reason(written_by(address), Route(), own) == "own_address"


@pytest.mark.usefixtures("ledger_table")
def test_an_allowed_sender_is_allowed_in_every_spelling_but_with_no_label_that_is_not_listed() -> None:
    route = Route(allowed_senders=("ann@bücher.example",))
    assert {reason(written_by(address), route) for address in WITHOUT_LABEL} == {None}
    assert reason(written_by("ann+x@bücher.example"), route) == "sender_not_allowed"


@pytest.mark.parametrize("address", WITHOUT_LABEL)
def test_the_reply_goes_to_the_mailbox_that_every_spelling_means(address: str) -> None:
    assert mailbox(Address(address=address)).addr_spec.lower() == f"ann@{A_LABEL}"


def test_the_case_before_the_at_stays_in_a_reply() -> None:
    """RFC 5321 section 2.4: the host may tell upper from lower case there."""
    assert mailbox(Address(address="Ann.O@SHOP.example")).addr_spec == "Ann.O@shop.example"


@pytest.mark.parametrize(
    "address",
    [
        '"a b"@shop.example',
        '"a@victim.example"@shop.example',
        '""@shop.example',
        '"a.."@shop.example',
        "a..b@shop.example",
    ],
)
def test_a_local_part_that_needs_its_quotes_is_not_answered(address: str) -> None:
    with pytest.raises(ValueError, match="not an address that SES can send to"):
        mailbox(Address(address=address))
    stored = receive(mail_with({}), settings=Route()).stored
    message = written_by(address).model_copy(
        update={"verdicts": Verdicts(spam="PASS", virus="PASS", dmarc="pass", dmarc_domain="shop.example")}
    )
    case = Case(message, stored, "", Route(), frozenset(), Ledger(lambda _: False), lambda _: b"")
    assert validate(case) == "unanswerable_sender"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("ann@shop.example", "anna@shop.example"),
        ("ann@shop.example", "ann@shop.example.evil.example"),
        ("ann@straße.example", "ann@strasse.example"),
        ('"ann "@shop.example', "ann@shop.example"),
        ('"a.n.n"@shop.example', "ann@shop.example"),
        ("+ann@shop.example", "@shop.example"),
        ("ann@shop.example＠evil.example", "ann@evil.example"),
    ],
)
def test_two_senders_stay_two(one: str, other: str) -> None:
    assert canonical(one) != canonical(other)
    assert without_label(one) != without_label(other)


@pytest.mark.parametrize(
    "domain", ["evil.example＠shop.example", "a℀b.example", "a‥b.example", "a，b.example", "", "-a.example"]
)
def test_a_name_that_the_mapping_makes_no_domain_is_not_one(domain: str) -> None:
    """UTS 46 maps some characters to what ends a domain: a reply would go elsewhere."""
    with pytest.raises(ValueError, match=r".*"):
        domain_in_ascii(domain)


@pytest.mark.parametrize(
    "domain", ["bücher.example", "SHOP.example", "ｓhop。example", "a_b.example", "i❤.example", "[192.0.2.1]"]
)
def test_the_canonical_form_of_a_canonical_domain_is_itself(domain: str) -> None:
    assert canonical_domain(canonical_domain(domain)) == canonical_domain(domain)


def test_a_label_is_all_between_the_first_plus_and_the_last_at_sign() -> None:
    """RFC 5233 section 4: the detail begins at the separator. RFC 5322 section 3.4.1: a quoted @ is no end."""
    assert label("orders@mail.example") is None
    assert label("orders+4711@mail.example") == "4711"
    assert label("orders+4711+2@mail.example") == "4711+2"
    assert label('"orders+x@y"@mail.example') == 'x@y"'
    assert without_label('"ann@x+1"@b.example') == without_label('"ann@x+2"@b.example')


@pytest.mark.parametrize("address", ["ann@mail.example", "ann+x@mail.example", '"ann@b.example"@mail.example'])
def test_each_address_of_an_own_domain_is_our_own(address: str) -> None:
    assert is_one_of(address, frozenset({"@mail.example"}))
    assert not is_one_of(address, frozenset({"@b.example", "bob@mail.example"}))


@pytest.mark.parametrize("address", ["gr\u00fc\u00dfe@b.example", '"a\\"b"@b.example', '"a\\\\b"@b.example'])
def test_a_local_part_gets_no_quotes_and_loses_no_escape_that_it_needs(address: str) -> None:
    """RFC 6531 section 3.3 and RFC 5321 section 4.1.2."""
    assert canonical(address) == address


def test_a_full_width_domain_may_have_an_underscore_as_an_ascii_one_may() -> None:
    assert canonical("ann@\uff42_x.example") == canonical("ann@b_x.example") == "ann@b_x.example"
