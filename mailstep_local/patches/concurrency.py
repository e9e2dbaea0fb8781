"""The account's concurrency: Lambda tells it, and reserves no more of it than AWS would.

MiniStack bounds by itself how many this machine runs at once, which is another number.
"""

import json
from collections.abc import Callable
from typing import Any

from ministack.services import lambda_svc
from ministack.services.cloudformation import provisioners

from mailstep_local.ministack_names import Names, Response

MINISTACK = Names(
    {
        "services.cloudformation.provisioners:_RESOURCE_HANDLERS": None,
        "services.lambda_svc:_functions": None,
        "services.lambda_svc:_get_account_settings": "",
        "services.lambda_svc:_put_function_concurrency": "func_name, data",
        "services.lambda_svc:error_response_json": "code, message, status, extra, message_key, content_type",
    }
)


_UNRESERVED = 100
"""What must stay unreserved, or all of a smaller account (AWS Lambda, "Configuring reserved concurrency")."""


def apply(limit: int) -> None:
    """Patch Lambda. `limit`: the concurrent executions of the account, which AWS sets to 1,000 or, at first, fewer."""
    settings = MINISTACK.original("services.lambda_svc:_get_account_settings")
    put = MINISTACK.original("services.lambda_svc:_put_function_concurrency")

    def settings_with_limit() -> Response:
        status, fields, body = settings()
        told = json.loads(body)
        told["AccountLimit"] |= {
            "ConcurrentExecutions": limit,
            "UnreservedConcurrentExecutions": limit - _reserved(),
        }
        return status, fields, json.dumps(told).encode()

    def put_bounded(func_name: str, data: dict[str, Any]) -> Response:
        wanted = data.get("ReservedConcurrentExecutions", 0)
        least = min(_UNRESERVED, limit)
        if wanted and limit - _reserved(except_of=func_name) - wanted < least:
            refused: Response = lambda_svc.error_response_json(
                "InvalidParameterValueException",
                "Specified ReservedConcurrentExecutions for function decreases account's "
                f"UnreservedConcurrentExecution below its minimum value of [{least}].",
                400,
            )
            return refused
        answer: Response = put(func_name, data)
        return answer

    MINISTACK.replace("services.lambda_svc:_get_account_settings", settings_with_limit)
    MINISTACK.replace("services.lambda_svc:_put_function_concurrency", put_bounded)
    function = provisioners._RESOURCE_HANDLERS["AWS::Lambda::Function"]
    function["create"] = _reserving(function["create"], lambda _name, properties, *_: properties)
    function["update"] = _reserving(function["update"], lambda _name, _old, properties, *_: properties)


def _reserved(*, except_of: str = "") -> int:
    names = [name for name in lambda_svc._functions if name != except_of]
    return sum(lambda_svc._functions[name].get("concurrency") or 0 for name in names)


def _reserving(provision: Callable[..., Any], properties_of: Callable[..., dict[str, Any]]) -> Callable[..., Any]:
    """MiniStack's CloudFormation ignores ReservedConcurrentExecutions."""

    def provision_and_reserve(*arguments: Any) -> Any:
        name, attributes = provision(*arguments)
        wanted = properties_of(*arguments).get("ReservedConcurrentExecutions")
        if wanted is None:
            lambda_svc._functions[name]["concurrency"] = None
            return name, attributes
        status, _, body = lambda_svc._put_function_concurrency(name, {"ReservedConcurrentExecutions": int(wanted)})
        if status >= 400:
            raise ValueError(json.loads(body)["message"])
        return name, attributes

    return provision_and_reserve
