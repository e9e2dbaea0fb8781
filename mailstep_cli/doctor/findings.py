"""What a check answers: as it should be, at fault with a remedy, or not to be known from here."""

from dataclasses import asdict, dataclass
from typing import Literal

State = Literal["ok", "fault", "unknown"]


@dataclass(frozen=True)
class Finding:
    """What one check found. A fault carries a remedy: what to type or where to look."""

    state: State
    detail: str
    remedy: str = ""


@dataclass(frozen=True)
class Result:
    """A check by its name, and what it found."""

    name: str
    finding: Finding

    def as_json(self) -> dict[str, str]:
        """The object that `mailstep doctor --json` prints."""
        return {"name": self.name, **asdict(self.finding)}


def ok(detail: str) -> Finding:
    """As it should be."""
    return Finding("ok", detail)


def fault(detail: str, remedy: str) -> Finding:
    """Something to mend."""
    return Finding("fault", detail, remedy)


def unknown(detail: str, remedy: str = "") -> Finding:
    """Nothing that can be said from here, and why."""
    return Finding("unknown", detail, remedy)


def judged(problems: list[str], remedy: str, fine: str) -> Finding:
    """A fault that names every problem, or as it should be where there is none."""
    return fault("; ".join(problems), remedy) if problems else ok(fine)
