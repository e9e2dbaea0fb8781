"""Which route a message file goes to when the command sends it to a local account."""

from pathlib import Path

import pytest

from mailstep_cli.smtp_client import read_message_file, recipient

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
