"""Verdicts to try by hand: a sender's domain asks for what SES is to find, like SES's own mailbox simulator.

`ann@spam.simulator.example` is spam; `ann@spf.dkim.dmarc.simulator.example` fails all three. Everybody else passes.
A recipient's asks for what becomes of a reply: `ann@bounce.simulator.example`, `ann@complaint.simulator.example`.
"""

from dataclasses import dataclass

DOMAIN = "simulator.example"
NAMES = ("spam", "virus", "spf", "dkim", "dmarc")
FEEDBACK = ("Bounce", "Complaint")


@dataclass(frozen=True)
class Findings:
    """What fails."""

    failing: frozenset[str] = frozenset()

    def verdict(self, name: str) -> str:
        """In the words of X-SES-Spam-Verdict and X-SES-Virus-Verdict."""
        return "FAIL" if name in self.failing else "PASS"

    def result(self, name: str) -> str:
        """In the words of Authentication-Results (RFC 8601)."""
        return "fail" if name in self.failing else "pass"


def findings(domain: str) -> Findings:
    """What SES is to find in mail from `domain`."""
    return Findings(_asked_for(domain) & frozenset(NAMES))


def feedback(domain: str) -> list[str]:
    """The events, as SES names them, that a reply to `domain` is to bring about."""
    return [kind for kind in FEEDBACK if kind.lower() in _asked_for(domain)]


def _asked_for(domain: str) -> frozenset[str]:
    labels, _, _ = domain.lower().rpartition(f".{DOMAIN}")
    return frozenset(labels.split("."))
