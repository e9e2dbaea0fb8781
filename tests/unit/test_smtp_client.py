"""How the command sends a message file to a local account: to which route, and what it says of a refusal."""

import smtplib
from pathlib import Path

import pytest

from mailstep_cli.errors import UserError
from mailstep_cli.smtp_client import read_message_file, recipient, send

ADDRESSES = ["orders@mailstep.example", "feedback@mailstep.example"]


@pytest.mark.parametrize(
    ("fields", "route", "to", "is_said"),
    [
        ("To: feedback@mailstep.example", None, "feedback@mailstep.example", False),
        ("To: ann@shop.example\nCc: Feedback@MAILSTEP.example", None, "feedback@mailstep.example", False),
        ("To: feedback+4711@mailstep.example", None, "feedback+4711@mailstep.example", False),
        ("To: sales@other.example", None, "orders@mailstep.example", True),
        ("Subject: nobody", None, "orders@mailstep.example", True),
        ("To: sales@other.example", "feedback", "feedback@mailstep.example", False),
    ],
)
def test_a_message_goes_to_the_route_that_it_names_and_a_foreign_address_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], fields: str, route: str | None, to: str, is_said: bool
) -> None:
    path = tmp_path / "a.eml"
    path.write_text(f"From: ann@shop.example\n{fields}\n\nHello\n")
    assert recipient(read_message_file(path), ADDRESSES, route) == to
    assert ("--route" in capsys.readouterr().err) == is_said


@pytest.mark.parametrize(
    ("command", "told"),
    [
        ("mail", "SES rejects the sender <ann@shop.example>: 550 no"),
        ("rcpt", "SES rejects mail to sales@mailstep.example: 550 no. Send it to an address that the account has"),
        ("data", "SES rejects the message: 550 no"),
    ],
)
def test_a_refusal_says_what_was_refused_and_where_the_addresses_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str, told: str
) -> None:
    for name in ("mail", "rcpt", "data"):
        answer = (550, b"no") if name == command else (250, b"Ok")
        monkeypatch.setattr(smtplib.SMTP, name, lambda *_, answer=answer: answer)
    monkeypatch.setattr(smtplib.SMTP, "connect", lambda *_: (220, b"Ok"))
    monkeypatch.setattr(smtplib.SMTP, "ehlo", lambda *_: (250, b"Ok"))
    path = tmp_path / "a.eml"
    path.write_text("From: ann@shop.example\n\nHello\n")
    with pytest.raises(UserError, match=told):
        send(read_message_file(path), "sales@mailstep.example", port=25)
