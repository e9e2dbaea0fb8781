"""How AWS refuses a request: by which name, and in which form."""

import warnings
from typing import Any
from uuid import uuid4

from botocore.model import DenormalizedStructureBuilder
from botocore.serialize import CBORSerializer
from moto.core.serialize import SerializationContext, get_serializer_class

from mailstep_local.ministack_names import Response
from mailstep_local.rules.wire import Call

_INVALID = {
    "json": "ValidationException",
    "query": "ValidationError",
    "rest-json": "ValidationException",
    "rest-xml": "InvalidArgument",
    "smithy-rpc-v2-cbor": "ValidationError",
}
"""The code of a member that breaks the model, by protocol (each service's API reference, "Common Errors")."""
_INVALID_OF_SERVICE = {
    "logs": "InvalidParameterException",
    "sesv2": "BadRequestException",
    "sqs": "InvalidParameterValue",
}
_MISSING_OF_SERVICE = {"sqs": "MissingParameter"}
_CBOR_ERROR = (
    DenormalizedStructureBuilder()
    .with_members({"__type": {"type": "string"}, "message": {"type": "string"}})
    .build_model()
)
_MALFORMED = {
    "json": "SerializationException",
    "query": "MalformedInput",
    "rest-json": "SerializationException",
    "rest-xml": "MalformedXML",
    "smithy-rpc-v2-cbor": "SerializationException",
}


class Refused(Exception):
    """AWS would refuse the call; `code` is AWS's name for the error."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


def invalid(service: str, protocol: str, *, missing: bool = False) -> str:
    """The code for a member that breaks the service's model. `missing`: a required member is missing."""
    found = _MISSING_OF_SERVICE.get(service) if missing else None
    return found or _INVALID_OF_SERVICE.get(service) or _INVALID[protocol]


def malformed(protocol: str) -> str:
    """The code for a body that cannot be read, or a member of the wrong type."""
    return _MALFORMED[protocol]


def response(call: Call, refused: Refused) -> Response:
    """The refusal in the protocol of the call, as status, header fields and body."""
    if call.protocol == "smithy-rpc-v2-cbor":
        written = bytearray()
        serializer: Any = CBORSerializer()
        serializer._serialize_data_item(written, {"__type": refused.code, "message": refused.message}, _CBOR_ERROR)
        return 400, {"Content-Type": "application/cbor", "smithy-protocol": "rpc-v2-cbor"}, bytes(written)
    serializer_class = get_serializer_class(call.service, call.protocol)
    with warnings.catch_warnings():
        # moto warns of codes that only AWS's "Common Errors" name.
        warnings.simplefilter("ignore")
        made = serializer_class(call.operation, SerializationContext(str(uuid4()))).serialize(refused)
    body = made["body"]
    return made["status_code"], dict(made["headers"]), body.encode() if isinstance(body, str) else body
