"""How SNS invokes a function: Lambda queues the event, and tries again what it throttles and what fails.

(AWS Lambda Developer Guide, "How Lambda handles errors and retries with asynchronous invocation": throttled events for
six hours, failed ones twice, then the dead-letter queue has the event.)
"""

import json
import threading
import time
from collections.abc import Callable
from typing import Any

from ministack.core.responses import get_region
from ministack.services import lambda_svc
from ministack.services.cloudformation import provisioners

from mailstep_local.account import Account
from mailstep_local.ministack_names import Names

_THROTTLED_SECONDS = 6 * 3600
_RETRIES = 2
_PAUSE_SECONDS = 1
"""AWS waits for a minute, then for two. A second is as long as MiniStack's own asynchronous invocations wait."""

MINISTACK = Names(
    {
        "core.responses:get_region": "",
        "services.cloudformation.provisioners:_RESOURCE_HANDLERS": None,
        "services.lambda_svc:_execute_function_with_config_scope": "func, event",
        "services.lambda_svc:_functions": None,
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

    def execute_and_remember(func: dict[str, Any], event: dict[str, Any]) -> dict[str, Any]:
        result: dict[str, Any] = execute(func, event)
        delivery.last = (func, event, result)
        return result

    def deliver_until_it_is_done(*arguments: Any) -> None:
        end, failed = time.monotonic() + _THROTTLED_SECONDS, 0
        while True:
            delivery.last = None
            # Again as a whole: the function may have another configuration by then.
            deliver(*arguments)
            if delivery.last is None or not delivery.last[2].get("error"):
                return
            func, event, result = delivery.last
            failed += not result.get("throttle")
            if failed > _RETRIES or time.monotonic() > end:
                _set_aside(func, event)
                return
            time.sleep(_PAUSE_SECONDS)

    MINISTACK.replace("services.sns:_deliver_to_lambda", deliver_until_it_is_done)
    MINISTACK.replace("services.lambda_svc:_execute_function_with_config_scope", execute_and_remember)
    function = provisioners._RESOURCE_HANDLERS["AWS::Lambda::Function"]
    function["create"] = _with_dead_letters(function["create"], lambda _name, properties, *_: properties)
    function["update"] = _with_dead_letters(function["update"], lambda _name, _old, properties, *_: properties)


def _with_dead_letters(provision: Callable[..., Any], properties_of: Callable[..., dict[str, Any]]) -> Any:
    """MiniStack's CloudFormation ignores DeadLetterConfig."""

    def provision_with_dead_letters(*arguments: Any) -> Any:
        name, attributes = provision(*arguments)
        config, declared = lambda_svc._functions[name]["config"], properties_of(*arguments).get("DeadLetterConfig")
        config.pop("DeadLetterConfig", None)
        config.update({"DeadLetterConfig": declared} if declared else {})
        return name, attributes

    return provision_with_dead_letters


def _set_aside(func: dict[str, Any], event: dict[str, Any]) -> None:
    if queue := func["config"].get("DeadLetterConfig", {}).get("TargetArn"):
        sqs = Account.of_this_process().seen_from(get_region()).client("sqs")
        url = sqs.get_queue_url(QueueName=queue.rpartition(":")[2])["QueueUrl"]
        sqs.send_message(QueueUrl=url, MessageBody=json.dumps(event))
