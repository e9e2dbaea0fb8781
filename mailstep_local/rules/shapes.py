"""Checks values against the shapes of botocore's models: required, enum, length, range and pattern.

botocore's own ParamValidator knows types, required members and minima only.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import regex

_SURROGATES = (r"\uD800\uDC00-\uDBFF\uDFFF", r"\U00010000-\U0010FFFF")
"""How Java writes the characters beyond U+FFFF, and how Python does."""


@dataclass(frozen=True)
class Violation:
    """A value that breaks a constraint of its shape. `missing`: a required member that is not there."""

    path: str
    value: str
    constraint: str
    missing: bool = False

    def __str__(self) -> str:
        """AWS's own sentence for it."""
        return f"Value {self.value} at '{self.path}' failed to satisfy constraint: {self.constraint}"


def violations(shape: Any, value: Any, path: str = "") -> Iterator[Violation]:
    """Each constraint that `value` breaks.

    Args:
        shape: A shape of a service's model, or None for an operation without parameters.
        value: The value by the model's names, as boto3 takes it; None stands for a member that is not there.
        path: Where the value is in the request, by AWS's spelling.
    """
    if shape is None or value is None or getattr(shape, "is_document_type", False):
        return
    match shape.type_name:
        case "structure":
            yield from _in_structure(shape, value, path)
        case "list":
            yield from _length(shape, value, path)
            for number, item in enumerate(value, start=1):
                yield from violations(shape.member, item, f"{path}.{number}.member")
        case "map":
            yield from _length(shape, value, path)
            for key, item in value.items():
                yield from violations(shape.key, key, f"{path}.key")
                yield from violations(shape.value, item, f"{path}.{key}.member")
        case "string":
            yield from _in_string(shape, value, path)
        case "blob":
            if isinstance(value, bytes | str):
                yield from _length(shape, value, path)
        case "integer" | "long" | "float" | "double":
            yield from _range(shape, value, path)


def _in_structure(shape: Any, value: Mapping[str, Any], path: str) -> Iterator[Violation]:
    for name in shape.required_members:
        if value.get(name) is None:
            yield Violation(_below(path, name), "null", "Member must not be null", missing=True)
    for name, member in shape.members.items():
        yield from violations(member, value.get(name), _below(path, name))


def _below(path: str, name: str) -> str:
    lower = name[:1].lower() + name[1:]
    return f"{path}.{lower}" if path else lower


def _in_string(shape: Any, value: str, path: str) -> Iterator[Violation]:
    if not isinstance(value, str):
        return
    broken = list(_length(shape, value, path))
    yield from broken
    if shape.enum and value not in shape.enum:
        allowed = ", ".join(shape.enum)
        yield Violation(path, _shown(shape, value), f"Member must satisfy enum value set: [{allowed}]")
    pattern = shape.metadata.get("pattern")
    # A text that is too long is not matched: the time may grow faster than the text.
    if pattern and not broken and not compiled(pattern).fullmatch(value):
        constraint = f"Member must satisfy regular expression pattern: {pattern}"
        yield Violation(path, _shown(shape, value), constraint)


@cache
def compiled(pattern: str) -> regex.Pattern[str]:
    r"""A pattern of a model, which is Java's, for Python. In Java, \w and \d are ASCII, and \p{...} is Unicode."""
    return regex.compile(pattern.replace(*_SURROGATES), 0 if r"\p" in pattern else regex.ASCII)


def _length(shape: Any, value: Any, path: str) -> Iterator[Violation]:
    least, most = shape.metadata.get("min"), shape.metadata.get("max")
    if least is not None and len(value) < least:
        constraint = f"Member must have length greater than or equal to {least}"
        yield Violation(path, _shown(shape, value), constraint)
    if most is not None and len(value) > most:
        constraint = f"Member must have length less than or equal to {most}"
        yield Violation(path, _shown(shape, value), constraint)


def _range(shape: Any, value: float, path: str) -> Iterator[Violation]:
    least, most = shape.metadata.get("min"), shape.metadata.get("max")
    if least is not None and value < least:
        constraint = f"Member must have value greater than or equal to {least}"
        yield Violation(path, _shown(shape, value), constraint)
    if most is not None and value > most:
        yield Violation(path, _shown(shape, value), f"Member must have value less than or equal to {most}")


def _shown(shape: Any, value: Any) -> str:
    """The value for a message: nothing secret, and nothing that a sender could have written at length."""
    if shape.metadata.get("sensitive") or isinstance(value, bytes | list | dict):
        return "'***'"
    return f"'{str(value)[:100]}'"
