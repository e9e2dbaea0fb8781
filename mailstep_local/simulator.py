"""Simulates SES's verdicts: the sender's domain names what SES finds, like SES's own mailbox simulator.

Each label before `simulator.example` is a check (`spam`, `virus`, `spf`, `dkim`, `dmarc`), which then fails, or a check
and its result: `ann@spam-gray.simulator.example`, `ann@virus-processing-failed.simulator.example`,
`ann@spf-softfail.dkim-none.simulator.example`. With `absent`, SES says nothing: `ann@dkim-absent.simulator.example`.
Every other check passes. A recipient's domain decides what happens to a reply: `ann@bounce.simulator.example`,
`ann@complaint.simulator.example`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

DOMAIN = "simulator.example"
FEEDBACK = ("Bounce", "Complaint")
ABSENT = "absent"

_VERDICTS = ("pass", "fail", "gray", "processing-failed")
"""Amazon SES Developer Guide, "Contents of notifications for email receiving" (spamVerdict, virusVerdict)."""
_RESULTS = ("pass", "fail", "softfail", "neutral", "none", "policy", "temperror", "permerror")
"""RFC 8601, 2.7, and for DMARC RFC 7489, 11.2."""
CHECKS = {"spam": _VERDICTS, "virus": _VERDICTS, "spf": _RESULTS, "dkim": _RESULTS, "dmarc": _RESULTS}


@dataclass(frozen=True)
class Findings:
    """The results that SES finds, by check; a check that is not there passes."""

    results: Mapping[str, str] = field(default_factory=dict)

    def verdict(self, check: str) -> str | None:
        """In the words of X-SES-Spam-Verdict and X-SES-Virus-Verdict; None if the field is absent."""
        found = self.result(check)
        return found.upper().replace("-", "_") if found else None

    def result(self, check: str) -> str | None:
        """In the words of Authentication-Results (RFC 8601); None if SES says nothing."""
        found = self.results.get(check, "pass")
        return None if found == ABSENT else found


def findings(domain: str) -> Findings:
    """What SES finds in mail from `domain`."""
    asked = (label.partition("-") for label in _labels(domain))
    return Findings(
        {
            check: result or "fail"
            for check, _, result in asked
            if (result or "fail") in (*CHECKS.get(check, ()), ABSENT) and check in CHECKS
        }
    )


def feedback(domain: str) -> list[str]:
    """The events, by SES's names, that a reply to `domain` causes."""
    return [kind for kind in FEEDBACK if kind.lower() in _labels(domain)]


def _labels(domain: str) -> list[str]:
    labels, _, _ = domain.lower().rpartition(f".{DOMAIN}")
    return labels.split(".")
