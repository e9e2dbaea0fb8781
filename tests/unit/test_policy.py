"""The policy, rule by rule: a message that passes and messages that do not, with their codes."""

import pytest

from mailstep.contracts import Address, Message, Verdicts
from mailstep.errors import RefusedEmail
from mailstep.policy import RULES, validate
from mailstep.routes import Route

ROUTE = Route(max_size_octets=1000)


def message(**changes: object) -> Message:
    fields: dict[str, object] = {
        "id": "m",
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


def reason(checked: Message, route: Route | None = ROUTE) -> str | None:
    """The code of the rule that refuses a message, or None."""
    try:
        validate(checked, route)
    except RefusedEmail as refused:
        return refused.reason
    return None


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
    *(
        (
            "unanswerable_sender",
            message(
                from_=(Address(address=address),),
                **seen(dmarc="pass", dmarc_domain=address.rpartition("@")[2]),
            ),
        )
        for address in ("jo..hn@b.example", "a@b..example", "jürgen@b.example", "a b@b.example", ".@b.example")
    ),
    ("automatic_mail", message(**header("Auto-Submitted", "auto-replied (vacation)"))),
    ("automatic_mail", message(**header("auto-submitted", "auto-generated; owner=x"))),
    ("automatic_mail", message(return_path="")),
    ("automatic_mail", message(**header("Precedence", "Bulk"))),
    ("automatic_mail", message(**header("List-Id", "<news.example>"))),
    ("automatic_mail", message(**header("X-Auto-Response-Suppress", "DR, OOF"))),
    ("automatic_mail", message(references=tuple(f"<{n}@b.example>" for n in range(101)))),
    *(
        ("automatic_mail", message(from_=(Address(address=f"{local}@b.example"),)))
        for local in ("MAILER-DAEMON", "postmaster", "no-reply", "noreply", "do-not-reply", "bounces+x=y")
    ),
    ("too_large", message(size_octets=1001)),
]


@pytest.mark.parametrize(("code", "refused"), BROKEN)
def test_a_message_that_breaks_a_rule_is_refused_with_its_code(code: str, refused: Message) -> None:
    assert reason(refused) == code


def test_mail_to_no_route_is_refused() -> None:
    assert reason(message(), None) == "unknown_route"


def test_every_rule_has_a_case_here() -> None:
    assert {rule.code for rule in RULES} == {code for code, _ in BROKEN} | {"unknown_route"}


def test_automatic_mail_and_mail_without_a_sender_are_never_answered() -> None:
    assert {rule.code for rule in RULES if rule.tell_sender} == {"too_large"}


@pytest.mark.parametrize("local", ["anna", "noreplyanna", "bouncesless", "postmasters"])
def test_people_are_not_taken_for_robots(local: str) -> None:
    assert reason(message(from_=(Address(address=f"{local}@b.example"),))) is None


@pytest.mark.parametrize(
    "vouched",
    [
        seen(dmarc="pass", dmarc_domain="b.example"),
        seen(dmarc="none", spf="pass", spf_domain="b.example"),
        seen(dkim="pass", dkim_domains=("other.example", "b.example")),
    ],
)
def test_a_sender_that_something_vouches_for_passes(vouched: dict[str, object]) -> None:
    assert reason(message(**vouched)) is None
