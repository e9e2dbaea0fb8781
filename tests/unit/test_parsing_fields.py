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
        # A route before a quoted local part (RFC 5322 section 4.4, obs-route).
        ('<@relay.example:"a b"@b.example>', [("", '"a b"@b.example', None)]),
        ('Ann <@r.example,@s.example: "a:b"@b.example>, c@d', [("Ann", '"a:b"@b.example', None), ("", "c@d", None)]),
        ("jürgen@müller.example", [("", "jürgen@müller.example", None)]),
        ("x" * 400 + "@b.example", []),
        ("x@evil.example (<ceo@victim.example>)", [("<ceo@victim.example>", "x@evil.example", None)]),
        ("Ann <a@b.ex> (home <x@y.ex>)", [("Ann", "a@b.ex", None)]),
        ('<"ann"@x.example>', [("", '"ann"@x.example', None)]),
        # RFC 5322 sections 3.2.4 and 3.4.1: white space and any mark may stand in a quoted local part.
        ('"a b"@x.example', [("", '"a b"@x.example', None)]),
        ('"Lee, Ann" <"a b"@x.example>, c@d.ex', [("Lee, Ann", '"a b"@x.example', None), ("", "c@d.ex", None)]),
        ('"a b" @ x . example (Ann)', [("Ann", '"a b"@x.example', None)]),
        ('"a b".c@[192.0.2.1]', [("", '"a b".c@[192.0.2.1]', None)]),
        ('Ann <"a:b"@x.example>', [("Ann", '"a:b"@x.example', None)]),
        ('"a<b>"@x.example', [("", '"a<b>"@x.example', None)]),
        (r'"a\"b c"@x.example', [("", r'"a\"b c"@x.example', None)]),
        ('"a b"@x y', []),
        ('"Ann Lee" ann@x.example', [("Ann Lee", "ann@x.example", None)]),
        ('"a b"@evil.example <ann@x.example>', [("a b@evil.example", "ann@x.example", None)]),
        ('"Ann <a@b.ex>, Bob <c@d.ex>', [("Ann", "a@b.ex", None), ("Bob", "c@d.ex", None)]),
        ('"Ann :(" <a@b.ex>, c@d.ex', [("Ann :(", "a@b.ex", None), ("", "c@d.ex", None)]),
        ("jdoe@test  . example", [("", "jdoe@test.example", None)]),
        ("Joe B. j @ k.example", [("Joe B.", "j@k.example", None)]),
        ("Ann <a@b.example.>, c@d.example.", [("Ann", "a@b.example", None), ("", "c@d.example", None)]),
        ("<a@[IPv6:2001:db8::1]>", [("", "a@[IPv6:2001:db8::1]", None)]),
        ("=?iso_8859-1:1987?q?Zo=EB=2C_x?= <z@b.example>", [("Zoë, x", "z@b.example", None)]),
        ("=?utf-8?q?Zo=C3=AB,_x?= <z@b.example>", [("Zoë, x", "z@b.example", None)]),
        ("<Undisclosed-Recipient:@b.example;>", []),
        # Names that lack their quotes, commas that are missing: as programs write them that join strings.
        ("Lee, Ann <a@b.ex>, Roe, Bob <c@d.ex>", [("Lee, Ann", "a@b.ex", None), ("Roe, Bob", "c@d.ex", None)]),
        ("Example: Shop <a@b.example>", [("Example: Shop", "a@b.example", None)]),
        ("Ann <a@b.example> Bob <c@d.example>", [("Ann", "a@b.example", None), ("Bob", "c@d.example", None)]),
        ('<a@b.example> "Roe, Bob" <c@d.example>', [("", "a@b.example", None), ("Roe, Bob", "c@d.example", None)]),
        ("a@b.example c@d.example", [("", "a@b.example", None), ("", "c@d.example", None)]),
        ("mailto:a@b.example", [("", "a@b.example", None)]),
        ("Ann [a@b.example]", [("Ann", "a@b.example", None)]),
        ("<a@b.example> Ann Lee", [("Ann Lee", "a@b.example", None)]),
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
        # Offsets of ISO 8601 and JavaScript (ECMA-262, Date.prototype.toString), which libraries read as UTC.
        ("Tue, 24 Nov 2026 09:30:00 +01:00", "2026-11-24T09:30:00+01:00"),
        ("Tue Nov 24 2026 09:30:00 GMT+0100 (CET)", "2026-11-24T09:30:00+01:00"),
        ("Tue, 24 Nov 2026 09:30:00 UTC-0530", "2026-11-24T09:30:00-05:30"),
        ("2026-11-24T09:30:00-05:00", "2026-11-24T09:30:00-05:00"),
        ("Tue, 24 Nov 2026 09:30:00 GMT+1", "2026-11-24T09:30:00+01:00"),
        ("Tue, 24 Nov 2026 9:30:00 PM +0100", "2026-11-24T21:30:00+01:00"),
        # RFC 5322 section 4.3: a year of three digits counts from 1900.
        ("Tue, 24 Nov 126 09:30:00 +0100", "2026-11-24T09:30:00+01:00"),
        # Day or month first: in doubt, no date is better than a wrong one.
        ("24/11/2026 09:30", "2026-11-24T09:30:00+00:00"),
        ("11/10/2026 09:30", None),
        # RFC 5322 section 3.3 allows a leap second.
        ("Thu, 31 Dec 2026 23:59:60 +0000", "2026-12-31T23:59:59+00:00"),
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


@pytest.mark.parametrize("value", ["<a@b.ex>\r\n <c@d.ex>", "a@b.ex c@d.ex", "a@b.ex,<c@d.ex>"])
def test_references_are_found_with_and_without_brackets(value: str) -> None:
    assert field("References", value).references[-1] == "<c@d.ex>"
    assert field("In-Reply-To", "a@b.ex, c@d.ex").in_reply_to == ("<a@b.ex>", "<c@d.ex>")
    assert field("In-Reply-To", "Your message to orders@b.ex of Monday").in_reply_to == ()


# RFC 5322 appendix A.5.
WITH_COMMENTS = r"""From: Pete(A nice \) chap) <pete(his account)@silly.test(his host)>
To:A Group(Some people)
     :Chris Jones <c@(Chris's host.)public.example>,
         joe@example.org,
  John <jdoe@one.test> (my dear friend); (the end of the group)
Cc:(Empty list)(start)Hidden recipients  :(nobody(that I know))  ;
Date: Thu,
      13
        Feb
          1969
      23:32
               -0330 (Newfoundland Time)
Message-ID:              <testabcd.1234@silly.test>

Testing.
"""

# Appendix A.6.3, its white space line included.
OBSOLETE = """From  : John Doe <jdoe@machine(comment).  example>
To    : Mary Smith
  
          <mary@example.net>
Subject     : Saying Hello
Date  : Fri, 21 Nov 1997 09(comment):   55  :  06 -0600
Message-ID  : <1234   @   local(blah)  .machine .example>

This is a message just to say hello.
"""  # noqa: W293


def test_comments_and_folds_of_rfc_5322_appendix_a_5_are_read() -> None:
    message = parsed(WITH_COMMENTS)
    assert [(a.name, a.address) for a in message.from_] == [("Pete", "pete@silly.test")]
    assert [(a.name, a.address, a.group) for a in message.to] == [
        ("Chris Jones", "c@public.example", "A Group"),
        ("", "joe@example.org", "A Group"),
        ("John", "jdoe@one.test", "A Group"),
    ]
    assert message.cc == ()
    assert message.date
    assert message.date.isoformat() == "1969-02-13T23:32:00-03:30"
    assert (message.message_id, message.text) == ("<testabcd.1234@silly.test>", "Testing.\n")


def test_the_obsolete_addresses_of_rfc_5322_appendix_a_6_1_are_read() -> None:
    message = field("To", "Mary Smith <@node.test:mary@example.net>, , jdoe@test  . example")
    assert [(a.name, a.address) for a in message.to] == [("Mary Smith", "mary@example.net"), ("", "jdoe@test.example")]


def test_white_space_and_comments_of_rfc_5322_appendix_a_6_3_are_read() -> None:
    message = parsed(OBSOLETE)
    assert [(a.name, a.address) for a in message.from_] == [("John Doe", "jdoe@machine.example")]
    assert [(a.name, a.address) for a in message.to] == [("Mary Smith", "mary@example.net")]
    assert message.date
    assert message.date.isoformat() == "1997-11-21T09:55:06-06:00"
    assert (message.subject, message.message_id) == ("Saying Hello", "<1234@local.machine.example>")
    assert (message.text, message.defects) == ("This is a message just to say hello.\n", ())


def test_parentheses_in_a_message_identifier_without_white_space_are_its_own() -> None:
    assert field("Message-ID", "<2026(1)@b.example>").message_id == "<2026(1)@b.example>"


@pytest.mark.parametrize("white", [" ", "\t", "  \n\t"])
def test_a_line_of_white_space_folds_a_field_that_goes_on_and_ends_a_header_before_a_body(white: str) -> None:
    assert parsed(f"Subject: a\n{white}\n\tb\nTo: x@b.example\n\nHello").subject == "a b"
    folded = parsed(f"Subject: a\n{white}\nTo: x@b.example\n\nHello")
    assert ([a.address for a in folded.to], folded.text) == (["x@b.example"], "Hello")
    assert parsed(f"Subject: a\n{white}\n  Dear all,\n\nHello").text.endswith("  Dear all,\n\nHello")


def test_a_first_field_with_a_space_before_its_colon_is_no_envelope_of_mbox() -> None:
    assert parsed("From : a@b.example\nSubject : x\n\nhi").from_[0].address == "a@b.example"
    assert parsed("From a@b.example Tue Nov 24 09:30:00 2026\nSubject: x\n\nhi").subject == "x"


def test_ten_lines_of_junk_in_a_header_hide_no_field() -> None:
    junk = "".join(f"junk {line}\n" for line in range(10))
    message = parsed(f"Subject: x\n{junk}From: a@b.example\nMIME-Version: 1.0\n\nBye\n")
    assert ([a.address for a in message.from_], message.text) == (["a@b.example"], "Bye\n")
    # Without a field that only mail systems write, it is a body that quotes a message.
    quoting = parsed(f"Subject: x\n{junk}From: a@b.example\nTo: c@d.example\n\nBye\n")
    assert (quoting.from_, quoting.text.startswith("junk 0")) == ((), True)
