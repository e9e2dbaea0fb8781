"""The results of checks: ok, a fault with its remedy, or unknown."""

from dataclasses import asdict, dataclass
from typing import Literal

State = Literal["ok", "fault", "unknown"]


@dataclass(frozen=True)
class Finding:
    """What one check found. A fault has a remedy: what to type or where to look."""

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


def unknown(detail: str, remedy: str = "") -> Finding:
    """The check could not be made, with the reason."""
    return Finding("unknown", detail, remedy)


def judged(problems: list[str], remedy: str, fine: str) -> Finding:
    """A fault that names every problem, or ok if the list is empty."""
    return fault("; ".join(problems), remedy) if problems else ok(fine)
