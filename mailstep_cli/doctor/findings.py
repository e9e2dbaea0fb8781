"""The results of checks: ok, a warning or fault with its remedy, or unknown."""

from dataclasses import asdict, dataclass
from typing import Literal

State = Literal["ok", "warning", "fault", "unknown"]
"""A fault is of the deployment, and the doctor exits with 1. A warning is of single messages, and it exits with 0."""


@dataclass(frozen=True)
class Finding:
    """What one check found. A fault and a warning have a remedy: what to type or where to look."""

    state: State
    detail: str
    remedy: str = ""


@dataclass(frozen=True)
class Result:
    """The name of a check, and its finding."""

    name: str
    finding: Finding

    def as_json(self) -> dict[str, str]:
        """The object that `mailstep doctor --json` prints."""
        return {"name": self.name, **asdict(self.finding)}


def ok(detail: str) -> Finding:
    """The check passed."""
    return Finding("ok", detail)


def fault(detail: str, remedy: str) -> Finding:
    """Something is wrong, with the remedy."""
    return Finding("fault", detail, remedy)


def warning(detail: str, remedy: str) -> Finding:
    """The deployment works, and someone must act, with the remedy."""
    return Finding("warning", detail, remedy)


def unknown(detail: str, remedy: str = "") -> Finding:
    """The check could not be made, with the reason."""
    return Finding("unknown", detail, remedy)


def judged(problems: list[str], remedy: str, fine: str) -> Finding:
    """A fault that names every problem, or ok if the list is empty."""
    return fault("; ".join(problems), remedy) if problems else ok(fine)
