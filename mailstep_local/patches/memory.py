"""Lists of MiniStack's own that only grow: what was sent and what happened, for pages that we do not use."""

from collections.abc import Callable
from typing import Any

from mailstep_local.ministack_names import Names

MINISTACK = Names(
    {
        "services.eventbridge:_events_log_list": "",
        "services.ses:_sent_emails_list": "",
        "services.ses_v2:_sent_emails_list": "",
    }
)

KEPT = 1000


def apply() -> None:
    """Keep the latest entries only."""
    for name in MINISTACK.declared:
        MINISTACK.replace(name, _latest(MINISTACK.original(name)))


def _latest(entries: Callable[[], list[Any]]) -> Callable[[], list[Any]]:
    def latest() -> list[Any]:
        found = entries()
        del found[:-KEPT]
        return found

    return latest
