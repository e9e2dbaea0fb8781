"""SES's suppression list of the account, which MiniStack lacks: its four operations, and what bounces put on it.

(Amazon SES API v2 Reference, PutSuppressedDestination and its companions.)
"""

import json
import time
from collections.abc import Awaitable
from typing import Any
from urllib.parse import unquote

from ministack.services import ses_v2

from mailstep_local.ministack_names import Names, Response

MINISTACK = Names(
    {
        "services.ses_v2:_json_err": "code, message, status",
        "services.ses_v2:handle_request": "method, path, headers, body, query_params",
        "services.ses_v2:json_response": "data, status, content_type",
    }
)


_PATH = "/v2/email/suppression/addresses"
_listed: dict[str, dict[str, Any]] = {}
"""By address: an entry of the list."""


def apply() -> None:
    """Add the operations."""
    handle = MINISTACK.original("services.ses_v2:handle_request")

    async def handle_with_list(
        method: str, path: str, headers: dict[str, str], body: bytes, query_params: dict[str, Any]
    ) -> Response:
        if path.rstrip("/").startswith(_PATH):
            return _answer(method, unquote(path.rstrip("/").removeprefix(_PATH).lstrip("/")), body)
        handled: Awaitable[Response] = handle(method, path, headers, body, query_params)
        return await handled

    MINISTACK.replace("services.ses_v2:handle_request", handle_with_list)


def put(address: str, reason: str) -> None:
    """Put an address on the list. `reason`: BOUNCE or COMPLAINT."""
    _listed[address] = {"EmailAddress": address, "Reason": reason, "LastUpdateTime": time.time()}


def _answer(method: str, address: str, body: bytes) -> Response:
    answer: Response
    if method == "PUT":
        asked = json.loads(body)
        put(asked["EmailAddress"], asked["Reason"])
        answer = ses_v2.json_response({})
    elif not address:
        answer = ses_v2.json_response({"SuppressedDestinationSummaries": list(_listed.values())})
    elif address not in _listed:
        answer = ses_v2._json_err("NotFoundException", f"Email address {address} does not exist on your list.", 404)
    elif method == "DELETE":
        del _listed[address]
        answer = ses_v2.json_response({})
    else:
        answer = ses_v2.json_response({"SuppressedDestination": _listed[address]})
    return answer
