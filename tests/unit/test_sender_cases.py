"""What people's systems really send: who is processed, and who is replied to, as the cases' README says of each."""

from pathlib import Path

import pytest

from mailstep.route import Route
from mailstep.testing import receive
from tests.support.project import CASES

SENDERS, POLICY = CASES / "senders", CASES / "policy"

REPLIED = {
    *("55-inline-pictures-default-route", "csv-and-signature-logo", "csv-and-smime-p7s", "csv-declared-ms-excel"),
    *("zip-declared-x-zip-compressed", "jpeg-declared-image-jpg", "pdf-declared-binary-octet-stream"),
    *("gmail-attachment", "html-only", "opaque-signed", "forwarded-message", "text-that-looks-like-a-header"),
    *("return-path-in-subdomain", "any-message", "resent-after-failure", "two-files-one-name"),
}
# "a person wrote it, by way of a machine: processed, not answered"
WITHHELD = {
    *("m365-rule-forward", "exchange-list-x-auto-response-suppress", "google-group"),
    "contact-form-noreply-reply-to",
}
# "never answered: a machine wrote it"
REFUSED = {"x-autoreply", "x-autorespond", "precedence-auto-reply", "dsn-with-envelope-sender", "read-receipt"}


def codes(path: Path, route: Route | None = None) -> tuple[str | None, str | None]:
    """The code of the rule that refuses the message, and of the rule that withholds its reply."""
    email = receive(path, settings=route or Route())
    return email.refused_by(), email.withheld_by()


def test_every_case_is_here() -> None:
    assert {path.stem for path in SENDERS.iterdir()} == REPLIED | WITHHELD | REFUSED


@pytest.mark.parametrize("name", sorted(REPLIED))
def test_a_persons_message_is_processed_and_replied_to(name: str) -> None:
    assert codes(SENDERS / f"{name}.eml") == (None, None)


@pytest.mark.parametrize("name", ["csv-and-signature-logo", "csv-and-smime-p7s", "csv-declared-ms-excel"])
def test_a_route_that_takes_only_tables_takes_them_with_logo_and_signature(name: str) -> None:
    assert codes(SENDERS / f"{name}.eml", Route(attachment_types=("text/csv",))) == (None, None)


@pytest.mark.parametrize("name", sorted(WITHHELD))
def test_a_persons_message_that_a_machine_passed_on_is_processed_and_not_replied_to(name: str) -> None:
    assert codes(SENDERS / f"{name}.eml") == (None, "automatic_mail")
    assert codes(SENDERS / f"{name}.eml", Route(automatic_mail="refuse")) == ("automatic_mail", None)


@pytest.mark.parametrize("name", sorted(REFUSED))
def test_what_a_machine_wrote_in_response_is_neither_processed_nor_replied_to(name: str) -> None:
    assert codes(SENDERS / f"{name}.eml") == ("automatic_mail", None)


# RFC 3834 section 5: a person's; the others are never answered. No-reply senders and a subject alone are processed.
PROCESSED = {"p09-subject-automatic-reply", "p10-from-no_reply", "p11-from-shop-noreply"}


@pytest.mark.parametrize("path", sorted(POLICY.iterdir()), ids=lambda path: path.stem)
def test_automatic_mail_is_never_answered_and_a_person_is(path: Path) -> None:
    if path.stem == "p14-auto-submitted-no-with-comment":
        assert codes(path) == (None, None)
    elif path.stem in PROCESSED:
        assert codes(path) == (None, "automatic_mail")
    else:
        assert codes(path) == ("automatic_mail", None)
