"""One message to two routes with the same built-in processor gets one reply, by the ledger's own records."""

from dataclasses import replace

import pytest

from mailstep import routes
from mailstep.aws.ledger import Ledger
from mailstep.contracts import Message
from mailstep.errors import RefusedEmail
from mailstep.route import Route
from mailstep.routes import with_the_same_processor
from mailstep.validate.policy import Case, validate
from tests.support.messages import EMAIL, stored

pytestmark = pytest.mark.usefixtures("ledger_table")
BOTH = "To: orders@mail.example\nCc: Feedback <feedback+7@MAIL.example>\n"
TWINS = frozenset({"orders@mail.example", "feedback@mail.example"})


def delivered(
    route: str, fields: str = BOTH, settings: Route | None = None, failed: str = "", name: str = "email"
) -> str | None:
    """What withholds the reply of a route to a message; `failed` is an execution that failed."""
    message: Message = stored(f"From: ann@shop.example\nMessage-ID: <1@shop.example>\n{fields}\nHello\n")
    message = message.model_copy(update={"route": route, "email_id": f"{name}-{route}"})
    case = Case(
        message,
        EMAIL.model_copy(update={"route": route, "email_id": f"{name}-{route}"}),
        f"arn:{route}",
        settings or Route(processor="receipt"),
        frozenset(),
        Ledger(lambda arn: arn == failed),
        lambda _: b"",
    )
    return validate(replace(case, same_processor=TWINS - {f"{route}@mail.example"}))


def test_the_first_of_two_routes_replies_and_the_other_says_why_it_does_not() -> None:
    assert delivered("feedback") is None
    assert delivered("orders") == "replied_by_other_route"
    # Each again, as a retry or a redrive does.
    assert delivered("feedback") is None
    assert delivered("orders") == "replied_by_other_route"


def test_a_reply_that_another_route_sends_does_not_count() -> None:
    """A bound counts what is sent: of a message to two routes, one reply."""
    bounded = Route(processor="receipt", replies_an_hour=1)
    assert delivered("feedback") is None
    for _ in range(2):
        assert delivered("orders", settings=bounded) == "replied_by_other_route"
    found = [
        delivered("orders", f"To: orders@mail.example\nSubject: {n}\n", bounded, name=f"other-{n}") for n in range(2)
    ]
    assert found == [None, "too_many_replies"]


def test_if_the_route_that_replies_fails_the_other_one_replies() -> None:
    assert delivered("feedback") is None
    assert delivered("orders", failed="arn:feedback") is None


def test_a_message_to_one_route_is_answered_by_it() -> None:
    for route in ("orders", "feedback"):
        assert delivered(route, f"To: {route}@mail.example\n") is None


def test_routes_with_different_processors_both_reply() -> None:
    assert delivered("feedback") is None
    assert delivered("orders", settings=Route(processor="tables")) is None


def test_a_route_that_refuses_the_message_does_not_reply_for_the_other() -> None:
    with pytest.raises(RefusedEmail, match="too_large"):
        delivered("feedback", settings=Route(processor="receipt", max_size_octets=10))
    assert delivered("orders") is None


def test_the_routes_of_a_processor_are_those_that_no_application_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    found = {
        "a": Route(processor="receipt"),
        "b": Route(),
        "c": Route(processor="tables"),
        "d": Route(url="https://app.example/"),
    }
    monkeypatch.setattr(routes, "routes", lambda: found)
    assert with_the_same_processor("a", "Mail.example") == {"b@mail.example"}
    assert with_the_same_processor("d", "mail.example") == frozenset()
    assert with_the_same_processor("unknown", "mail.example") == frozenset()
