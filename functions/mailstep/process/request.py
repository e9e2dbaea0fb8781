"""The body of the request to the application: below the limit of a Lambda, whatever the message."""

import re
from typing import Any

from pydantic_core import to_json

from mailstep import limits
from mailstep.contracts import ApplicationRequest
from mailstep.mime.defects import Defect

# JSON writes each as six characters. Tabs and line ends stay.
_CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f]+")
# No key or hash has a quarter of it, to which a last turn may cut. Five hundred attachments with five such texts each,
# and their links, have 4 MB.
_SHORTEST = 1_000


def request_body(request: ApplicationRequest) -> bytes:
    """The request in JSON, without control characters.

    If it is too large, all texts and lists that are longer than what fits are cut at one length, and the message gets
    the defect `request_truncated`. Attachments and their links all stay.
    """
    asked = _printable(request.model_dump(mode="json"))
    body = to_json(asked)
    room = limits.REQUEST_OCTETS
    while (octets := _octets_in_event(body)) > limits.REQUEST_OCTETS and room > _SHORTEST:
        # Shrinks in proportion, but within bounds, because only a part of the body can be cut.
        room = int(room * min(max(limits.REQUEST_OCTETS / octets, 0.25), 0.9))
        message = {name: _cut(value, room) for name, value in asked["message"].items()}
        message["attachments"] = [_cut(attachment, room) for attachment in asked["message"]["attachments"]]
        # In the order of the enumeration, as in every message.
        found = {*message["defects"], Defect.REQUEST_TRUNCATED}
        message["defects"] = [defect for defect in Defect if defect in found]
        body = to_json(asked | {"message": message})
    return body


def _octets_in_event(body: bytes) -> int:
    """The size of the body as API Gateway and function URLs hand it on: a string of JSON, or Base64."""
    return max(len(body) + body.count(b'"') + body.count(b"\\"), -(-len(body) // 3) * 4)


def _printable(value: Any) -> Any:
    match value:
        case str():
            return _CONTROLS.sub("", value)
        case list():
            return [_printable(item) for item in value]
        case dict():
            return {name: _printable(item) for name, item in value.items()}
        case _:
            return value


def _cut(value: Any, room: int) -> Any:
    """The value in about so many octets: the beginning of a text, the first items of a list."""
    match value:
        case str():
            return value.encode()[:room].decode(errors="ignore")
        case dict():
            return {name: _cut(item, room) for name, item in value.items()}
        case list():
            return _first_items(value, room)
        case _:
            return value


def _first_items(items: list[Any], room: int) -> list[Any]:
    kept = []
    for item in items:
        room -= len(to_json(item))
        if room < 0:
            break
        kept.append(item)
    return kept
