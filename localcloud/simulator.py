"""Verdicts to try by hand: a sender's domain asks for what SES is to find, like SES's own mailbox simulator.

`ann@spam.simulator.example` is spam; `ann@spf.dkim.dmarc.simulator.example` fails all three. Everybody else passes.
"""

from dataclasses import dataclass

DOMAIN = "simulator.example"
NAMES = ("spam", "virus", "spf", "dkim", "dmarc")


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
    labels, _, _ = domain.lower().rpartition(f".{DOMAIN}")
    return Findings(frozenset(labels.split(".")) & frozenset(NAMES))
