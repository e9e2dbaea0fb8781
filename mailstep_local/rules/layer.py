"""Refuses what AWS refuses, for each request to the local account, before MiniStack sees it."""

from itertools import islice
from typing import Any

from mailstep_local.ministack_names import Response
from mailstep_local.rules import documented, shapes
from mailstep_local.rules.errors import Refused, invalid, malformed, response
from mailstep_local.rules.wire import Call, Unreadable, read, service_model
from mailstep_local.signatures import Request

_MOST_VIOLATIONS = 10


def refusal(service: str, request: Request, body: bytes, bucket: str | None = None) -> Response | None:
    """AWS's refusal of a request, in the protocol of its service; None if AWS would accept it.

    Args:
        service: The service that the request is routed to, by MiniStack's name or `sesv2`.
        request: The request as received.
        body: Its body.
        bucket: The bucket that the Host names, if it names one.
    """
    try:
        call = read(service, request, body, bucket)
    except Unreadable as error:
        return response(error.call, Refused(malformed(error.call.protocol), str(error)))
    if call is None:
        return None
    try:
        check(call)
    except Refused as refused:
        return response(call, refused)
    return None


def check(call: Call) -> None:
    """Check a call against the model and the documented rules.

    Raises:
        Refused: AWS would refuse it.
    """
    found = list(islice(shapes.violations(call.operation.input_shape, call.parameters), _MOST_VIOLATIONS))
    if found:
        code = invalid(call.service, call.protocol, missing=found[0].missing)
        counted = "1 validation error" if len(found) == 1 else f"{len(found)} validation errors"
        raise Refused(code, f"{counted} detected: {'; '.join(map(str, found))}")
    documented.check(call.service, call.operation.name, call.parameters)


def check_parameters(service: str, operation: str, parameters: dict[str, Any]) -> None:
    """Check a call that is made within MiniStack's process.

    Args:
        service: The service by botocore's name.
        operation: The operation by the model's name; one that the model does not have passes.
        parameters: As boto3 takes them.

    Raises:
        Refused: AWS would refuse it.
    """
    model = service_model(service)
    if model and operation in model.operation_names:
        check(Call(service, str(model.protocol), model.operation_model(operation), parameters))
