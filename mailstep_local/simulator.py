"""Simulates SES's verdicts: the sender's domain names the checks that fail, like SES's own mailbox simulator.

`ann@spam.simulator.example` is spam; `ann@spf.dkim.dmarc.simulator.example` fails all three. Other senders pass. A
recipient's domain decides what happens to a reply: `ann@bounce.simulator.example`, `ann@complaint.simulator.example`.
"""

from dataclasses import dataclass

DOMAIN = "simulator.example"
NAMES = ("spam", "virus", "spf", "dkim", "dmarc")
FEEDBACK = ("Bounce", "Complaint")


@dataclass(frozen=True)
class Findings:
    """The checks that fail."""

    failing: frozenset[str] = frozenset()

    def verdict(self, name: str) -> str:
        """In the words of X-SES-Spam-Verdict and X-SES-Virus-Verdict."""
        return "FAIL" if name in self.failing else "PASS"

    def result(self, name: str) -> str:
        """In the words of Authentication-Results (RFC 8601)."""
        return "fail" if name in self.failing else "pass"


def findings(domain: str) -> Findings:
    """The checks that fail for mail from `domain`."""
    return Findings(_asked_for(domain) & frozenset(NAMES))


def feedback(domain: str) -> list[str]:
    """The events, by SES's names, that a reply to `domain` causes."""
    return [kind for kind in FEEDBACK if kind.lower() in _asked_for(domain)]


def _asked_for(domain: str) -> frozenset[str]:
    labels, _, _ = domain.lower().rpartition(f".{DOMAIN}")
    return frozenset(labels.split("."))
