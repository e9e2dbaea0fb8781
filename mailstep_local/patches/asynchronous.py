"""How SNS invokes a function: Lambda queues the event, and tries again what it throttles and what fails.

(AWS Lambda Developer Guide, "How Lambda handles errors and retries with asynchronous invocation": throttled events for
six hours, failed ones twice, then the dead-letter queue has the event.)
"""

import json
import threading
import time
from typing import Any

from ministack.core.responses import get_region

from mailstep_local.account import Account
from mailstep_local.ministack_names import Names

_THROTTLED_SECONDS = 6 * 3600
_RETRIES = 2
_PAUSE_SECONDS = 1
"""AWS waits for a minute, then for two. A second is as long as MiniStack's own asynchronous invocations wait."""

MINISTACK = Names(
    {
        "core.responses:get_region": "",
        "services.lambda_svc:_execute_function_with_config_scope": "func, event",
        "services.sns:_deliver_to_lambda": (
            "endpoint, envelope, topic_arn, sub_arn, msg_id, raw_message, message_attributes"
        ),
    }
)


def apply() -> None:
    """Patch SNS's delivery to functions. MiniStack invokes once, and drops an event that is throttled or fails."""
    deliver = MINISTACK.original("services.sns:_deliver_to_lambda")
    execute = MINISTACK.original("services.lambda_svc:_execute_function_with_config_scope")
    # Each delivery has a thread of its own.
    delivery = threading.local()

    def deliver_asynchronously(*arguments: Any) -> None:
        delivery.is_asynchronous = True
        deliver(*arguments)

    def execute_until_it_is_done(func: dict[str, Any], event: dict[str, Any]) -> dict[str, Any]:
        result: dict[str, Any] = execute(func, event)
        if not getattr(delivery, "is_asynchronous", False):
            return result
        end, retries = time.monotonic() + _THROTTLED_SECONDS, 0
        while result.get("error") and time.monotonic() < end:
            if not result.get("throttle"):
                retries += 1
                if retries > _RETRIES:
                    break
            time.sleep(_PAUSE_SECONDS)
            result = execute(func, event)
        if result.get("error"):
            _set_aside(func, event)
        return result

    MINISTACK.replace("services.sns:_deliver_to_lambda", deliver_asynchronously)
    MINISTACK.replace("services.lambda_svc:_execute_function_with_config_scope", execute_until_it_is_done)


def _set_aside(func: dict[str, Any], event: dict[str, Any]) -> None:
    queue = (func["config"].get("DeadLetterConfig") or {}).get("TargetArn", "")
    if queue:
        sqs = Account.of_this_process().seen_from(get_region()).client("sqs")
        url = sqs.get_queue_url(QueueName=queue.rpartition(":")[2])["QueueUrl"]
        sqs.send_message(QueueUrl=url, MessageBody=json.dumps(event))
