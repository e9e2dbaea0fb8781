"""What the commands that act on messages print with `--json`. docs/schemas has the JSON schema of each."""

from typing import Any

from pydantic import TypeAdapter

from mailstep_cli.access_request import Export
from mailstep_cli.batches import Tally
from mailstep_cli.distributed import MapRun
from mailstep_cli.erasure import Report
from mailstep_cli.outbox import Delivery, OutboxEntry
from mailstep_cli.quarantine import Quarantined, ShownQuarantined
from mailstep_cli.queues import Queue, TakenUp
from mailstep_cli.rebuilding import Rebuilt
from mailstep_cli.suppressed import Removed, Suppressed
from mailstep_cli.terminal import print_json

OUTPUTS: dict[str, Any] = {
    "index": Rebuilt,
    "outbox": list[OutboxEntry],
    "send": Delivery,
    "batch": Tally,
    "erasure-report": Report,
    "export": Export,
    "quarantine-list": list[Quarantined],
    "quarantine-show": ShownQuarantined,
    "replay-distributed": MapRun,
    "queues": list[Queue],
    "queues-redrive": TakenUp,
    "suppressed-list": list[Suppressed],
    "suppressed-remove": Removed,
}
"""By the name of the schema: the type of what is printed."""


def as_json(value: object) -> Any:
    """A value of one of these types, as JSON has it."""
    return TypeAdapter(type(value)).dump_python(value, mode="json")


def print_output(value: object) -> None:
    """Print a value of one of these types as JSON."""
    print_json(as_json(value), indent=2)
