"""Reads a request as the service's model describes it: which operation it calls, with which parameters.

botocore's models say how requests look; moto's routers and parsers read them. SQS's legacy query protocol and EC2's are
not read: no client of today's SDKs sends the first, and Mailstep does not use the second.
"""

import gzip
import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from io import BytesIO
from typing import Any
from xml.etree.ElementTree import ParseError

import botocore.loaders
from botocore.parsers import ResponseParserError, RpcV2CBORParser
from moto.core.model import OperationModel, ServiceModel
from moto.core.parse import PROTOCOL_PARSERS, JSONParser, RequestParserError, RestJSONParser
from moto.core.request import Request as MotoRequest
from moto.core.routing import PROTOCOL_ROUTERS, ProtocolRouter
from werkzeug.exceptions import HTTPException

from mailstep_local.signatures import Request

_CBOR = "smithy-rpc-v2-cbor"
_FORM = "application/x-www-form-urlencoded"
_MODELS = {"states": "stepfunctions", "monitoring": "cloudwatch"}
"""botocore's name for a service, if MiniStack has another."""
_JSON_TYPES: dict[str, type | tuple[type, ...]] = {
    "structure": dict,
    "map": dict,
    "list": list,
    "string": str,
    "blob": str,
    "boolean": bool,
    "integer": int,
    "long": int,
    "float": (int, float),
    "double": (int, float),
}


@dataclass(frozen=True)
class Call:
    """A call of an operation. `parameters` are by the names of the model, as boto3 takes them."""

    service: str
    protocol: str
    operation: OperationModel
    parameters: dict[str, Any]


class Malformed(Exception):
    """A body cannot be read, or a member has another type than the model says."""


class Unreadable(Exception):
    """A call whose operation is known and whose parameters cannot be read; `call` has no parameters."""

    def __init__(self, call: Call, message: str) -> None:
        super().__init__(message)
        self.call = call


@cache
def service_model(service: str) -> ServiceModel | None:
    """The model of a service, by botocore's name or MiniStack's; None if it has no such model."""
    name = _MODELS.get(service, service)
    try:
        description = botocore.loaders.create_loader().load_service_model(name, "service-2")
    except botocore.exceptions.UnknownServiceError:
        return None
    return ServiceModel(description, name)


def signing_name(service: str) -> str:
    """The service's name in the scope of a credential (AWS Signature Version 4)."""
    model = service_model(service)
    return str(model.signing_name) if model else service


def read(service: str, request: Request, body: bytes, bucket: str | None = None) -> Call | None:
    """The call that a request makes; None if the service has no model, or the model no such operation.

    Args:
        service: The service that the request is routed to, by MiniStack's name.
        request: The request as received.
        body: Its body.
        bucket: The bucket that the Host names, if it names one.

    Raises:
        Unreadable: The body cannot be read, or a member has another type than the model says.
    """
    model = service_model(service)
    if model is None:
        return None
    protocol = _protocol(model, request.field("content-type") or "")
    if request.field("content-encoding") == "gzip" and service != "s3":
        body = gzip.decompress(body)
    if protocol == _CBOR:
        return _read_cbor(model, request, body)
    path = f"/{bucket}{request.path}" if bucket else request.path
    url = f"http://localhost{path}" + (f"?{request.query}" if request.query else "")
    received = MotoRequest.from_primitives(request.method, url, request.fields(), body)
    router = _router(model.service_name, protocol)
    try:
        operation, labels = router.match(received) if router else (None, {})
    except HTTPException:
        return None
    if operation is None:
        return None
    call = Call(model.service_name, protocol, operation, {})
    whole = {
        "method": request.method,
        "headers": received.headers,
        "body": body,
        "url_path": path,
        "url_params": labels,
        "values": received.values,
    }
    return _with_parameters(call, lambda: _PARSERS[protocol](operation).parse(whole))


def _with_parameters(call: Call, parse: Callable[[], dict[str, Any]]) -> Call:
    try:
        return replace(call, parameters=parse())
    except (Malformed, ParseError, RequestParserError, ResponseParserError, ValueError, TypeError) as error:
        raise Unreadable(call, str(error)) from error


def _protocol(model: ServiceModel, content_type: str) -> str:
    offered = model.metadata.get("protocols") or [model.protocol]
    if "cbor" not in content_type and _CBOR in offered:
        return "query" if content_type.startswith(_FORM) else "json"
    return str(model.protocol)


@cache
def _router(service: str, protocol: str) -> ProtocolRouter | None:
    model, router = service_model(service), PROTOCOL_ROUTERS.get(protocol)
    return router(model) if model and router else None


def _read_cbor(model: ServiceModel, request: Request, body: bytes) -> Call | None:
    name = request.path.rpartition("/")[2]
    if name not in model.operation_names:
        return None
    call = Call(model.service_name, _CBOR, model.operation_model(name), {})
    return _with_parameters(call, lambda: RpcV2CBORParser().parse_data_item(BytesIO(body)) if body else {})


class _Strict:
    """JSON whose members have the types of the model: moto's parsers take "5" for a number, and text for a list."""

    _in_body = True

    def _parse_body_as_json(self, body: bytes) -> Any:
        try:
            return json.loads(body) if body else {}
        except ValueError as error:
            raise Malformed("The body is not JSON") from error

    def _parse_non_payload_attrs(self, *arguments: Any) -> None:
        self._in_body = False
        try:
            super()._parse_non_payload_attrs(*arguments)  # type: ignore[misc]
        finally:
            self._in_body = True

    def _parse_shape(self, shape: Any, value: Any) -> Any:
        if self._in_body and value is not None and not getattr(shape, "is_document_type", False):
            _check_type(shape, value)
        return super()._parse_shape(shape, value)  # type: ignore[misc]


def _check_type(shape: Any, value: Any) -> None:
    wanted = _JSON_TYPES.get(shape.type_name)
    is_right = isinstance(value, wanted) if wanted else True
    if isinstance(value, bool):
        is_right = shape.type_name == "boolean"
    if isinstance(value, bytes):
        # The payload of a REST request, which is no JSON.
        is_right = shape.type_name in {"blob", "string"}
    if not is_right:
        raise Malformed(f"{type(value).__name__} can not be converted to a {shape.type_name} ({shape.name})")


class _StrictJSONParser(_Strict, JSONParser):  # type: ignore[misc]
    """JSON by the header field X-Amz-Target."""


class _StrictRestJSONParser(_Strict, RestJSONParser):  # type: ignore[misc]
    """JSON by method and path."""


_PARSERS = {**PROTOCOL_PARSERS, "json": _StrictJSONParser, "rest-json": _StrictRestJSONParser}
