"""A switch for tests: SNS and EventBridge deliver each message twice, as at-least-once delivery may."""

from pathlib import Path
from typing import Any

from mailstep_local.ministack_names import Names

MINISTACK = Names(
    {
        "services.eventbridge:_invoke_target": "target, event, rule, view",
        "services.sns:_fanout": (
            "topic_arn, msg_id, message, subject, "
            "message_structure, message_attributes, message_group_id, message_dedup_id"
        ),
    }
)


def apply(switch: Path) -> None:
    """Patch SNS and EventBridge. While the file `switch` is there, they repeat each delivery once.

    (Amazon SNS Developer Guide, "Message delivery"; Amazon EventBridge User Guide, "Event delivery level": both
    deliver at least once.)
    """
    for name in MINISTACK.declared:
        MINISTACK.replace(name, _repeated(MINISTACK.original(name), switch))


def _repeated(deliver: Any, switch: Path) -> Any:
    def deliver_again(*arguments: Any, **named: Any) -> Any:
        if switch.exists():
            deliver(*arguments, **named)
        return deliver(*arguments, **named)

    return deliver_again
