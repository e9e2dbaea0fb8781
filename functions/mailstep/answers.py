"""Reads an answer as applications write it: leniently where frameworks differ, strictly where it matters.

An application answers by HTTP, or writes the answer to the mail bucket itself. docs/applications.md, "The answer", says
what is read.
"""

import json
import re
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import to_json

from mailstep import limits
from mailstep.contracts import Answer, AnswerAttachment
from mailstep.errors import MalformedAnswer
from mailstep.html_depth import is_deeper
from mailstep.telemetry import logger

_EXPLANATION_BOUND = 500
_NAMES_SHOWN = 10
_NAMED, _NO_REPLY = "the application's answer", ": answer 204 if there is no reply"
# A name in the log is an application's own, never something that it was sent.
_NAME = re.compile(r"[A-Za-z0-9_.-]{1,40}")


def read_answer(octets: bytes, *, later: bool = False) -> Answer:
    """The answer in JSON (docs/schemas/answer.json); `later` says that it is a later answer, which has no status.

    Names of fields are found without regard to case and underscores; unknown ones are logged. A null stands for a field
    that is not there. Parameters of a media type are dropped, and its letters made lower case.

    Raises:
        MalformedAnswer: it is not an answer; the text says what is wrong, without its content.
    """
    named, hint = ("the later answer", "") if later else (_NAMED, _NO_REPLY)
    answer = json_value(octets, named, hint)
    if answer is None:
        raise MalformedAnswer(f"{named} is empty{hint}")
    if not isinstance(answer, dict):
        raise MalformedAnswer(f"{named} is not a JSON object")
    unknown: set[str] = set()
    fields = _fields(answer, Answer, unknown)
    if isinstance(files := fields.get("attachments"), list):
        fields["attachments"] = [_file(file, unknown) if isinstance(file, dict) else file for file in files]
    if unknown:
        shown = sorted({name if _NAME.fullmatch(name) else "?" for name in unknown})[:_NAMES_SHOWN]
        logger.warning("The answer has fields that Mailstep does not know", extra={"fields": shown})
    if isinstance(html := fields.get("html"), str) and is_deeper(html, limits.HTML_DEPTH):
        raise MalformedAnswer(f"{named} is invalid: html nests over {limits.HTML_DEPTH} elements")
    try:
        written = to_json(fields)
    # Of a list or an object where a text belongs: it is nested too deeply, or has half a surrogate pair.
    except ValueError:
        raise MalformedAnswer(f"{named} is invalid: a field has nested values that cannot be read") from None
    try:
        return Answer.model_validate_json(written, by_alias=True, by_name=False)
    except ValidationError as error:
        faults = "; ".join(
            f"{'.'.join(map(str, fault['loc']))}: {fault['msg'].removeprefix('Value error, ')}".removeprefix(": ")
            for fault in error.errors(include_input=False, include_context=False)
        )
        raise MalformedAnswer(f"{named} is invalid: {faults[:_EXPLANATION_BOUND]}") from None


def reason(octets: bytes) -> str:
    """The `reason` of a refusal in JSON, by the same rules; empty if there is none, and then it is not a refusal."""
    try:
        refusal = json_value(octets)
    except MalformedAnswer:
        return ""
    said = (
        next((said for name, said in refusal.items() if _bare(name) == "reason"), "")
        if isinstance(refusal, dict)
        else ""
    )
    return _characters(said) if isinstance(said, str) else ""


def json_value(octets: bytes, named: str = _NAMED, hint: str = _NO_REPLY) -> Any:
    """What is written in JSON, in UTF-8 with or without a byte order mark; None for nothing but white space.

    Raises:
        MalformedAnswer: it is not JSON.
    """
    if not octets.strip():
        return None
    try:
        return json.loads(octets)
    # Deep nesting exceeds the limit of the parser.
    except (ValueError, RecursionError):
        raise MalformedAnswer(f"{named} is not JSON{hint}") from None


def _fields(written: dict[str, Any], shape: type[BaseModel], unknown: set[str]) -> dict[str, Any]:
    """The fields of a shape under their names in JSON. A name that is spelled exactly comes before another spelling."""
    names = [field.alias or name for name, field in shape.model_fields.items()]
    bare = {_bare(name): name for name in names}
    found: dict[str, Any] = {}
    for name, value in written.items():
        meant = name if name in names else bare.get(_bare(name), "")
        if meant and (meant == name or meant not in written):
            found[meant] = _characters(value) if isinstance(value, str) else value
        else:
            unknown.add(name)
    return {name: value for name, value in found.items() if value is not None}


def _file(written: dict[str, Any], unknown: set[str]) -> dict[str, Any]:
    fields = _fields(written, AnswerAttachment, unknown)
    if isinstance(media_type := fields.get("media_type"), str):
        fields["media_type"] = media_type.partition(";")[0].strip().lower()
    return fields


def _bare(name: str) -> str:
    """The letters of a name, as `ContentBase64`, `contentBase64` and `content_base64` share them."""
    return name.replace("_", "").lower()


def _characters(text: str) -> str:
    """The text with U+FFFD for each half of a surrogate pair: programs of UTF-16 cut texts between the two."""
    return text if text.isascii() else text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
