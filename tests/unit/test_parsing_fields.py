"""Header fields, read as a careful reader would."""

import pytest

from tests.support.messages import field, parsed


@pytest.mark.parametrize(
    ("value", "subject"),
    [
        ("=?utf-8?q?Gr=C3=BC=C3=9Fe?=", "Grüße"),
        ("=?utf-8?b?R3LDvMOfZQ==?= =?utf-8?q?_aus?= Bern", "Grüße aus Bern"),
        ("=?utf-8?q?Gr=C3?= =?utf-8?q?=BC=C3=9Fe?=", "Grüße"),
        ("=?iso-8859-1?q?Gr=FC=DFe?=", "Grüße"),
        ("=?no-such-charset?q?Gr=C3=BC?=", "Grü"),
        ("=?utf-8?b?a?=", "=?utf-8?b?a?="),
        (b"Gr\xc3\xbc\xc3\x9fe", "Grüße"),
        (b"Gr\xfc\xdfe", "Grüße"),
        ("a\r\n\tb", "a b"),
        ("a\0b\x07c", "a b c"),
    ],
)
def test_subjects_are_decoded(value: str | bytes, subject: str) -> None:
    assert field("Subject", value).subject == subject


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("a@b.example", [("", "a@b.example", None)]),
        ("Ann <a@b.example>, c@d.example", [("Ann", "a@b.example", None), ("", "c@d.example", None)]),
        ('"Archer, Ann" <a@b.example>', [("Archer, Ann", "a@b.example", None)]),
        ("=?utf-8?q?Zo=C3=AB=2C?= <z@b.example>", [("Zoë,", "z@b.example", None)]),
        ("a@b.example (Ann (the first) Archer)", [("Ann (the first) Archer", "a@b.example", None)]),
        ("Team: a@b.example, Ann <c@d.example>;, e@f.example",
         [("", "a@b.example", "Team"), ("Ann", "c@d.example", "Team"), ("", "e@f.example", None)]),
        ("Ann a@b.example", [("Ann", "a@b.example", None)]),
        ("undisclosed-recipients:;", []),
        ("<<a@b.example>>", [("", "a@b.example", None)]),
        ("Ann <@relay.example:a@b.example>", [("Ann", "a@b.example", None)]),
        ("jürgen@müller.example", [("", "jürgen@müller.example", None)]),
        ("x" * 400 + "@b.example", []),
        ("x@evil.example (<ceo@victim.example>)", [("<ceo@victim.example>", "x@evil.example", None)]),
        ("Ann <a@b.ex> (home <x@y.ex>)", [("Ann", "a@b.ex", None)]),
        ('<"ann"@x.example>', [("", '"ann"@x.example', None)]),
        ('"Ann <a@b.ex>, Bob <c@d.ex>', [("Ann", "a@b.ex", None), ("Bob", "c@d.ex", None)]),
    ],
)  # fmt: skip
def test_addresses_are_found_as_a_reader_would(value: str, expected: list[tuple[str, str, str | None]]) -> None:
    assert [(a.name, a.address, a.group) for a in field("To", value).to] == expected


def test_a_from_without_an_address_has_a_defect_that_says_so() -> None:
    assert "from_without_address" in field("From", "the management").defects


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("Tue, 24 Nov 2026 09:30:00 +0100", "2026-11-24T09:30:00+01:00"),
        ("24 Nov 26 09:30 GMT", "2026-11-24T09:30:00+00:00"),
        ("2026-11-24 09:30:00", "2026-11-24T09:30:00+00:00"),
        ("yesterday", None),
        ("Monday", None),
        ("10:30", None),
        ("Tue, 99 Nov 99999999999 09:30:00 +9999", None),
    ],
)
def test_dates_keep_their_offset_or_their_text(value: str, expected: str | None) -> None:
    message = field("Date", value)
    assert (message.date.isoformat() if message.date else None) == expected
    assert message.date_raw == (None if expected else value)


def test_a_header_without_its_empty_line_loses_nothing() -> None:
    message = parsed("From: a@b.example\nSubject: x\nThis is the body.\n\nAnd more.\n")
    assert message.text == "This is the body.\n\nAnd more.\n"
    assert "header_not_ended" in message.defects


@pytest.mark.parametrize(
    ("value", "identifier"),
    [
        ("<a@b.example>", "<a@b.example>"),
        ("a@b.example", "<a@b.example>"),
        ("<a@b.example", "<a@b.example>"),
        ("<a\r\n @b.example>", "<a@b.example>"),
        ("no identifier", None),
    ],
)
def test_a_message_identifier_is_found_or_noted_as_a_defect(value: str, identifier: str | None) -> None:
    message = field("Message-ID", value)
    assert message.message_id == identifier
    assert ("message_id_unreadable" in message.defects) == (identifier is None)


def test_a_line_that_is_no_field_begins_the_body_unless_a_known_field_follows() -> None:
    said = parsed("Subject: x\nDear all,\nPlease pay 100 EUR.\nNote: today\n\nBye\n")
    assert said.text == "Dear all,\nPlease pay 100 EUR.\nNote: today\n\nBye\n"
    assert parsed("Subject: x\nstray\nFrom: a@b.example\n\nBye\n").from_[0].address == "a@b.example"
