"""Addresses and domains: one form for both ways to write a domain, and what can name a host or a mailbox.

Domains in both forms are the examples of RFC 3492 and of registries; limits are those of RFC 1035, 1123 and 5321.
"""

import pytest

from mailstep.addresses import (
    canonical,
    canonical_domain,
    domain_in_ascii,
    is_address,
    is_domain,
    mailbox,
    one_line,
)
from mailstep.contracts import Address

# A domain as people write it, and the same as DNS has it (RFC 5890).
FORMS = [
    ("bücher.example", "xn--bcher-kva.example"),
    ("BÜCHER.example", "xn--bcher-kva.example"),
    ("straße.example", "xn--strae-oqa.example"),
    ("例え.example", "xn--r8jz45g.example"),
    ("mail.shop.example", "mail.shop.example"),
]


@pytest.mark.parametrize(("written", "in_dns"), FORMS)
def test_a_domain_has_one_form_however_it_is_written(written: str, in_dns: str) -> None:
    assert domain_in_ascii(written) == in_dns
    assert canonical_domain(written) == canonical_domain(in_dns.upper()) == in_dns
    assert mailbox(Address(address=f"Ann@{written}")).addr_spec == f"Ann@{in_dns}"
    assert canonical(f"Ann@{written}") == canonical(f"ANN@{in_dns.upper()}") == f"ann@{in_dns}"


def test_a_domain_with_characters_that_idna_has_not_stays_itself() -> None:
    """Some registered names have an underscore."""
    assert domain_in_ascii("a_b.example") == "a_b.example"
    assert canonical("Ann@A_b.example") == "ann@a_b.example"


def test_what_is_no_domain_is_only_made_lower_case() -> None:
    assert canonical_domain("Ü..Example") == "ü..example"
    assert canonical("ANN@Ü..Example") == "ann@ü..example"
    with pytest.raises(UnicodeError):
        domain_in_ascii("ü..example")


def test_an_address_ends_with_the_domain_after_its_last_at() -> None:
    """RFC 5321 section 4.1.2: a quoted local part may have an @ of its own."""
    assert canonical('"A@b"@Shop.example') == '"a@b"@shop.example'
    assert canonical('"a@b"@BÜCHER.example') == '"a@b"@xn--bcher-kva.example'


def test_text_without_an_at_gets_none() -> None:
    assert canonical("Shop.example") == "shop.example"
    assert canonical("") == ""


@pytest.mark.parametrize("local", ["jürgen", '"a@b"', '"a b"', '"a..b"'])
def test_only_ascii_that_needs_no_quotes_may_stand_before_the_at_of_a_recipient(local: str) -> None:
    """SES does not support SMTPUTF8 (RFC 6531), and Mailstep does not answer local parts that need quotes."""
    with pytest.raises(ValueError, match=r"^not an address that SES can send to$"):
        mailbox(Address(address=f"{local}@shop.example"))
    assert mailbox(Address(address="juergen@shop.example")).addr_spec == "juergen@shop.example"


LABEL = "a" * 63


@pytest.mark.parametrize(
    ("domain", "can_name_a_host"),
    [
        ("shop.example", True),
        ("SHOP.example", True),
        ("bücher.example", True),
        ("example", True),
        ("4711.example", True),
        ("a-b.example", True),
        ("a_b.example", True),
        ("_dmarc.shop.example", True),
        # RFC 1035 section 2.3.4: labels of 63 octets, names of 253 characters.
        (f"{LABEL}.example", True),
        (f"a{LABEL}.example", False),
        (f"{LABEL}.{LABEL}.{LABEL}.{'a' * 61}", True),
        (f"{LABEL}.{LABEL}.{LABEL}.{'a' * 62}", False),
        # RFC 1123 section 2.1: the last label is not all digits, as an IP address's is.
        ("192.0.2.1", False),
        ("4711", False),
        ("-a.example", False),
        ("a-.example", False),
        ("a..example", False),
        (".example", False),
        # RFC 1034 section 3.1: the dot of the root makes no other name.
        ("example.", True),
        ("example..", False),
        ("a b.example", False),
        ("a@b.example", False),
        ("shop.example\n", False),
        ("shop.exa_mple", False),
        ("", False),
    ],
)
def test_what_can_name_a_host(domain: str, can_name_a_host: bool) -> None:
    assert is_domain(domain) == can_name_a_host


@pytest.mark.parametrize(
    ("address", "can_send"),
    [
        ("orders@shop.example", True),
        ("Orders+new@bücher.example", True),
        ("o'hara.x_y-z@shop.example", True),
        # RFC 5321 section 4.5.3.1.1: 64 octets before the @.
        (f"{'a' * 64}@shop.example", True),
        (f"{'a' * 65}@shop.example", False),
        ("a..b@shop.example", False),
        (".a@shop.example", False),
        ("a.@shop.example", False),
        ("a b@shop.example", False),
        ("a@b@shop.example", False),
        ("jürgen@shop.example", False),
        ("@shop.example", False),
        ("orders@", False),
        ("orders@-shop.example", False),
        ("shop.example", False),
    ],
)
def test_what_ses_can_send_from(address: str, can_send: bool) -> None:
    assert is_address(address) == can_send


def test_a_mailbox_has_the_authors_name_on_one_line_and_not_without_end() -> None:
    made = mailbox(Address(name="Ann\r\n  Archer\t\0 (Ünïted)", address=" ann@bücher.example "))
    assert (made.display_name, made.addr_spec) == ("Ann Archer (Ünïted)", "ann@xn--bcher-kva.example")
    assert mailbox(Address(name="n" * 101, address="ann@shop.example")).display_name == "n" * 100
    assert mailbox(Address(address="ann@shop.example")).display_name == ""


@pytest.mark.parametrize(
    "address",
    [f"an{space}n@shop.example" for space in " \t\n\0\u2003"]
    + [f"ann{space}@shop.example" for space in " \t\n\0\u2003"]
    + [f"ann@{space}shop.example" for space in " \t\n\0\u2003"],
)
def test_an_address_with_white_space_in_it_does_not_become_another(address: str) -> None:
    with pytest.raises(ValueError, match=r"^not an address that SES can send to$"):
        mailbox(Address(address=address))


@pytest.mark.parametrize("address", ["ann@shop.example, bob@shop.example", "<ann@shop.example>", "ann@ü..example"])
def test_what_is_no_single_address_is_no_mailbox(address: str) -> None:
    with pytest.raises(ValueError, match=r"^not an address that SES can send to$"):
        mailbox(Address(address=address))


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("one line", "one line"),
        ("  a \r\n\tb  ", "a b"),
        ("a\x00b\x1bc\x7fd\x85e\u2028f\u00a0g", "a b c d e f g"),
        ("Ünïted, 注文", "Ünïted, 注文"),
        ("", ""),
        ("\n", ""),
    ],
)
def test_a_line_has_no_control_characters_and_single_spaces(text: str, line: str) -> None:
    assert one_line(text) == line
