"""Who is authenticated: every result of SPF, DKIM and DMARC, with every relation of its domain to the From domain.

The rule is that of docs/policy.md, written out here: DMARC passed for the From domain, or SPF or DKIM passed for an
aligned one. Alignment is relaxed, and goes both ways (RFC 7489 section 3.1). The results are those of RFC 7208
section 2.6 and RFC 8601 section 2.7; a result may be missing.
"""

from collections.abc import Iterator
from itertools import product

import pytest
from publicsuffixlist import PublicSuffixList

from mailstep import authentication
from mailstep.authentication import is_authenticated, is_only_signed
from mailstep.contracts import Address, Message, Verdicts
from tests.support.messages import parsed

RESULTS = ("pass", "fail", "softfail", "neutral", "none", "temperror", "permerror", None)

# In the ASCII form, in which SES and DNS write it (RFC 5890), and in the form that people write.
A_LABELS = "post.xn--bcher-kva.example"
U_LABELS = "post.bücher.example"
FROM_DOMAINS = (A_LABELS, U_LABELS, "Post.Bücher.Example", "POST.XN--BCHER-KVA.EXAMPLE")
# The domain that a result is about, as related to the From domain.
RELATED = {
    "equal": A_LABELS,
    "parent": "xn--bcher-kva.example",
    "sub": f"mx.{A_LABELS}",
    "sibling": "mail.xn--bcher-kva.example",
    "a label more, without its dot": f"not{A_LABELS}",
    "ends alike, without the dot": "notxn--bcher-kva.example",
    "begins alike": f"{A_LABELS}.evil.example",
    "a suffix that begins within a label": "bcher-kva.example",
    "the public suffix": "example",
    "other": "evil.example",
    "other form of another domain": "post.buecher.example",
    "missing": None,
}


def aligned(domain: str | None) -> bool:
    """RFC 7489 sections 3.1 and 3.2: relaxed, so both belong to one organisational domain, here `bücher.example`.

    That is the public suffix, `example` by the rule `*` of the Public Suffix List, and one label more.
    """
    return domain is not None and domain.split(".")[-2:] == ["xn--bcher-kva", "example"]


def promised(spf: str | None, dkim: str | None, dmarc: str | None, *, of_spf: str, of_dkim: str, of_dmarc: str) -> bool:
    """Whether docs/policy.md lets Mailstep write to the sender. DMARC's result is about the From domain only."""
    return (
        (dmarc == "pass" and of_dmarc == "equal")
        or (spf == "pass" and aligned(RELATED[of_spf]))
        or (dkim == "pass" and aligned(RELATED[of_dkim]))
    )


def written(*authors: str, **verdicts: object) -> Message:
    return Message(
        email_id="m",
        route="orders",
        size_octets=1,
        from_=tuple(Address(address=author) for author in authors),
        verdicts=Verdicts.model_validate(verdicts),
    )


def rows() -> Iterator[tuple[tuple[str | None, ...], tuple[str, ...]]]:
    """Results and relations of SPF, DKIM and DMARC: all results about one domain, and passes about any domains."""
    yield from product(product(RESULTS, repeat=3), ((one, one, one) for one in RELATED))
    yield from product([("pass", "pass", "pass")], product(RELATED, repeat=3))


@pytest.mark.parametrize("domain", FROM_DOMAINS)
def test_a_sender_is_authenticated_by_dmarc_or_by_aligned_spf_or_dkim_and_by_nothing_else(domain: str) -> None:
    wrong, authenticated = [], 0
    for (spf, dkim, dmarc), (of_spf, of_dkim, of_dmarc) in rows():
        dkim_domain = RELATED[of_dkim]
        message = written(
            f"ann@{domain}",
            spf=spf, spf_domain=RELATED[of_spf],
            dkim=dkim, dkim_domains=() if dkim_domain is None else (dkim_domain,),
            dmarc=dmarc, dmarc_domain=RELATED[of_dmarc],
        )  # fmt: skip
        expected = promised(spf, dkim, dmarc, of_spf=of_spf, of_dkim=of_dkim, of_dmarc=of_dmarc)
        authenticated += expected
        if is_authenticated(message) != expected:
            wrong.append((spf, of_spf, dkim, of_dkim, dmarc, of_dmarc))
    assert wrong == []
    assert authenticated, "the table has senders of both kinds"


PROVEN = {"spf": "pass", "spf_domain": A_LABELS, "dkim": "pass", "dkim_domains": (A_LABELS,),
          "dmarc": "pass", "dmarc_domain": A_LABELS}  # fmt: skip


def test_one_of_several_signatures_is_enough() -> None:
    """RFC 6376 section 6.1: a message may have signatures of others beside its author's."""
    for domains in product(RELATED.values(), repeat=2):
        present = tuple(domain for domain in domains if domain)
        message = written(f"ann@{U_LABELS}", dkim="pass", dkim_domains=present)
        assert is_authenticated(message) == any(map(aligned, present)), present


@pytest.mark.parametrize("authors", [(), (f"ann@{A_LABELS}", f"ann@{A_LABELS}"), (f"ann@{A_LABELS}", "x@evil.example")])
def test_mail_of_no_author_or_of_several_is_not_authenticated(authors: tuple[str, ...]) -> None:
    """RFC 7489 section 6.6.1: with several From domains, none is the one that DMARC checks."""
    assert not is_authenticated(written(*authors, **PROVEN))
    assert is_authenticated(written(f"ann@{A_LABELS}", **PROVEN))


@pytest.mark.parametrize(
    "author", ["ann", "", "ann@", "@", A_LABELS, f"ann@{A_LABELS}@evil.example", "ann@[192.0.2.1]"]
)
def test_an_address_with_another_domain_or_without_one_is_not_authenticated(author: str) -> None:
    nothing = {"spf": "pass", "spf_domain": "", "dkim": "pass", "dkim_domains": ("",), "dmarc": "pass"}
    assert not is_authenticated(written(author, **nothing))
    if "@" in author:
        assert not is_authenticated(written(author, **PROVEN))


def test_the_domain_of_an_address_is_behind_its_last_at() -> None:
    """RFC 5321 section 4.1.2: a quoted local part may have an @ of its own."""
    assert is_authenticated(written(f'"ann@evil.example"@{U_LABELS}', dmarc="pass", dmarc_domain=A_LABELS))
    assert not is_authenticated(written(f'"ann@evil.example"@{U_LABELS}', dmarc="pass", dmarc_domain="evil.example"))


# ---- The same from the fields that SES writes ----


def received(*results: str, envelope_from: str = "bounce@unrelated.example", author: str = U_LABELS) -> Message:
    """A message with SES's fields on top (../shared/cases/ses): each result begins a folded line.

    It has a signature for each result of DKIM (RFC 8601 section 2.7.1).
    """
    lines = "".join(f"\n {result}" for result in results if result)
    return parsed(
        f"Return-Path: <{envelope_from}>\n"
        "Received: from mx.example (mx.example [198.51.100.7])\n by inbound-smtp.us-east-1.amazonaws.com with SMTP\n"
        " for orders@mail.example;\n Tue, 24 Nov 2026 08:30:02 +0000 (UTC)\n"
        "X-SES-Spam-Verdict: PASS\nX-SES-Virus-Verdict: PASS\n"
        f"Received-SPF: pass client-ip=198.51.100.7; envelope-from={envelope_from}; helo=mx.example;\n"
        f"Authentication-Results: amazonses.com;{lines}\n"
        f"{'DKIM-Signature: v=1\n' * lines.count(' dkim=')}From: ann@{author}\n\nx"
    )


def clause(method: str, result: str | None, domain: str | None) -> str:
    if result is None:
        return ""
    about = {"spf": "client-ip=198.51.100.7;", "dkim": f"header.i=@{domain};", "dmarc": f"header.from={domain};"}
    return f"{method}={result} {about[method]}"


@pytest.mark.parametrize("method", ["spf", "dkim", "dmarc"])
@pytest.mark.parametrize("relation", [relation for relation, domain in RELATED.items() if domain])
def test_a_result_as_ses_writes_it_authenticates_as_the_table_says(method: str, relation: str) -> None:
    for result in RESULTS:
        domain = RELATED[relation]
        message = received(
            clause(method, result, domain),
            envelope_from=f"x@{domain}" if method == "spf" else "bounce@unrelated.example",
        )
        seen = dict[str, str | None](spf=None, dkim=None, dmarc=None) | {method: result}
        expected = promised(**seen, of_spf=relation, of_dkim=relation, of_dmarc=relation)
        assert is_authenticated(message) == expected, (method, result, domain)


@pytest.mark.parametrize("method", ["spf", "dmarc"])
@pytest.mark.parametrize("second", RESULTS[:-1])
def test_a_result_that_is_said_twice_is_not_believed(method: str, second: str | None) -> None:
    """RFC 8601 section 2.2: SPF and DMARC have one result for a message, so that the sender wrote the second one."""
    sender = f"x@{A_LABELS}"
    first = clause(method, "pass", A_LABELS)
    assert is_authenticated(received(first, envelope_from=sender))
    other = clause(method, second, A_LABELS)
    for results in ((first, other), (other, first)):
        assert not is_authenticated(received(*results, envelope_from=sender)), results


@pytest.mark.parametrize("other", RESULTS[:-1])
def test_each_signature_has_a_result_of_its_own(other: str) -> None:
    """RFC 8601 section 2.7.1: DKIM has one result for each signature, and a failed one changes no other."""
    true, strange = clause("dkim", "pass", A_LABELS), clause("dkim", other, "evil.example")
    assert is_authenticated(received(true, strange))
    assert is_authenticated(received(strange, true))
    assert not is_authenticated(received(strange, clause("dkim", "fail", A_LABELS)))


def test_the_domain_of_a_result_may_be_in_capitals_and_a_top_level_domain_proves_nothing() -> None:
    assert is_authenticated(received(clause("dmarc", "pass", A_LABELS.upper())))
    assert is_authenticated(received(clause("dkim", "pass", A_LABELS.upper())))
    assert not is_authenticated(received(clause("dkim", "pass", "example")))
    assert not is_authenticated(received(clause("spf", "pass", None), envelope_from="x@example"))


def test_without_any_result_the_sender_is_not_authenticated() -> None:
    assert not is_authenticated(received("", envelope_from=f"x@{A_LABELS}"))
    assert not is_authenticated(parsed(f"From: ann@{A_LABELS}\n\nx"))


def test_many_signatures_do_not_read_the_list_of_suffixes_again(monkeypatch: pytest.MonkeyPatch) -> None:
    read = 0

    class Counted(PublicSuffixList):
        def __init__(self, source: list[bytes | str]) -> None:
            nonlocal read
            read += 1
            super().__init__(source)

    monkeypatch.setattr("publicsuffixlist.PublicSuffixList", Counted)
    authentication._suffixes.cache_clear()
    others = tuple(f"mail{number}.evil{number}.example" for number in range(400))
    assert not is_authenticated(written(f"ann@{A_LABELS}", dkim="pass", dkim_domains=others))
    assert read == 1
    authentication._suffixes.cache_clear()


def test_a_message_that_names_no_author_is_authenticated_by_nothing() -> None:
    message = written(spf="pass", spf_domain="shop.example", dkim="pass", dkim_domains=("shop.example",))
    assert not is_authenticated(message)
    assert not is_only_signed(message)
