"""The envelope recipient: what SES wrote, else the address in To or Cc that the route has, else the route's own."""

import pytest

from mailstep.contracts import Message, Recipient
from mailstep.parse.message import parse
from mailstep.parse.recipients import Place
from tests.support.messages import EMAIL, SES, parsed

ORDERS = Place("orders", "mail.example", frozenset({"tickets", "first.last"}))
REST = Place("rest", "mail.example", frozenset({"orders", "tickets", "first.last"}), catch_all=True)
SAID = "\r\n for orders@mail.example;"


def stored(said: str, rest: str = "", place: Place = ORDERS) -> Message:
    """A message as SES stores it; `said` is the recipient in its Received field, or nothing."""
    block = SES.format(spam="PASS", virus="PASS", dkim="pass", dmarc="pass")
    assert SAID in block
    block = block.replace(SAID, f"\r\n for {said};" if said else ";")
    raw = (block + rest.replace("\n", "\r\n") + "From: ann@shop.example\r\n\r\nx\r\n").encode()
    return parse(raw, EMAIL, lambda _key, _content: None, place=place)


@pytest.mark.parametrize(
    ("said", "address", "label"),
    [
        ("orders@mail.example", "orders@mail.example", None),
        ("orders+4711@mail.example", "orders+4711@mail.example", "4711"),
        # RFC 5233: the label begins at the first separator.
        ("orders+a+b@mail.example", "orders+a+b@mail.example", "a+b"),
        ("Orders+Ab@Mail.Example", "orders+ab@mail.example", "ab"),
        ("<orders+4711@mail.example>", "orders+4711@mail.example", "4711"),
        ("orders+@mail.example", "orders+@mail.example", None),
        # Another domain that a second receiving stack takes mail for.
        ("orders+1@second.example", "orders+1@second.example", "1"),
    ],
)
def test_the_recipient_is_the_one_that_ses_wrote(said: str, address: str, label: str | None) -> None:
    found = stored(said, "To: tickets@mail.example\nCc: orders+9@mail.example\n").recipient
    assert found == Recipient(address=address, label=label)


@pytest.mark.parametrize(
    ("fields", "address"),
    [
        ("To: Shop <orders+4711@mail.example>\n", "orders+4711@mail.example"),
        ("To: tickets@mail.example\nCc: orders+1@MAIL.example\n", "orders+1@mail.example"),
        ("To: orders@elsewhere.example, tickets+2@mail.example\n", "orders@mail.example"),
        ("To: undisclosed-recipients:;\n", "orders@mail.example"),
        ("", "orders@mail.example"),
    ],
)
def test_without_one_of_ses_it_is_the_address_that_the_route_has(fields: str, address: str) -> None:
    found = stored("", fields).recipient
    assert found is not None
    assert found.address == address


@pytest.mark.parametrize("helo", ["x for orders+forged@mail.example;", "orders+forged@mail.example"])
def test_what_the_sender_wrote_names_no_recipient(helo: str) -> None:
    raw = SES.format(spam="PASS", virus="PASS", dkim="pass", dmarc="pass").replace(SAID, ";")
    raw = raw.replace("from mx.shop.example", f"from {helo}")
    below = "Received: from a\r\n by inbound-smtp.us-east-1.amazonaws.com\r\n for orders+forged@mail.example;\r\n x\r\n"
    found = parse((raw + below + "From: a@b.example\r\n\r\nx").encode(), EMAIL, lambda *_: None, place=ORDERS).recipient
    assert found == Recipient(address="orders@mail.example")


@pytest.mark.parametrize(
    ("said", "fields", "address"),
    [
        ("anything+7@mail.example", "To: orders@mail.example\n", "anything+7@mail.example"),
        ("", "To: orders@mail.example, sales@mail.example\n", "sales@mail.example"),
        # SES may have named one of several.
        ("orders@mail.example", "Cc: sales@mail.example\n", "sales@mail.example"),
        ("", "To: a@elsewhere.example\n", "rest@mail.example"),
        # These are copies of what another route gets; the policy refuses them by this address.
        ("orders+1@mail.example", "To: orders@mail.example\n", "orders+1@mail.example"),
        ("first.last@mail.example", "", "first.last@mail.example"),
        ("", "To: orders@mail.example, tickets@mail.example\n", "orders@mail.example"),
    ],
)
def test_a_catch_all_route_has_each_address_that_no_other_has(said: str, fields: str, address: str) -> None:
    found = stored(said, fields, REST).recipient
    assert found is not None
    assert found.address == address


def test_a_message_outside_of_a_stack_has_no_recipient() -> None:
    assert parsed("From: a@b.example\nTo: orders@mail.example\n\nx\n").recipient is None
