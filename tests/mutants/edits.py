"""What a mutant is, and how one is made of text, of the workflow's definition and of a template."""

import ast
import json
from collections.abc import Callable, Iterable, Iterator
from copy import deepcopy
from dataclasses import dataclass
from functools import cache
from typing import Any

from samcli.yamlhelper import yaml_parse

from tests.support.project import PROJECT

type Location = tuple[str | int, ...]
"""Where a value lies in a tree of dictionaries and lists."""


class DoesNotApply(Exception):
    """The file does not hold what the mutant changes."""


@dataclass(frozen=True)
class Mutant:
    """One fault: `change` takes the text of `file`, a path in the project, and returns it with the fault.

    `tests` are pytest's arguments, of which one test at least has to fail. `equivalent` says why none can.
    """

    name: str
    file: str
    change: Callable[[str], str]
    tests: tuple[str, ...]
    equivalent: str = ""

    def applied(self) -> str:
        """The text of the file with the fault.

        Raises:
            DoesNotApply: Nothing would change.
        """
        before = (PROJECT / self.file).read_text()
        after = self.change(before)
        if after == before:
            raise DoesNotApply(f"{self.name}: {self.file} does not hold what it changes")
        return after


def swapped(old: str, new: str) -> Callable[[str], str]:
    """An edit that puts `new` for `old`, which stands in the file exactly once."""

    def change(text: str) -> str:
        if text.count(old) != 1:
            raise DoesNotApply(f"{old!r} stands {text.count(old)} times in the file, not once")
        return text.replace(old, new)

    return change


def in_json(path: Location, change: Callable[[Any], Any]) -> Callable[[str], str]:
    """An edit of a JSON document: `change` gives the new value at `path`, or `REMOVED`."""
    return lambda text: json.dumps(_edited(json.loads(text), path, change), indent=2)


def in_yaml(path: Location, change: Callable[[Any], Any]) -> Callable[[str], str]:
    """The same of a template of CloudFormation, which becomes JSON: that is quick to read."""
    return lambda text: json.dumps(_edited(deepcopy(parsed(text)), path, change))


@cache
def parsed(template: str) -> Any:
    """The text of a template as dictionaries; not to be changed."""
    return yaml_parse(template)


REMOVED = object()


def removed(_value: Any) -> Any:
    """The change that takes a value away."""
    return REMOVED


def _edited(document: Any, path: Location, change: Callable[[Any], Any]) -> Any:
    *way, last = path
    parent = document
    try:
        for step in way:
            parent = parent[step]
        value = change(parent[last])
    except (KeyError, IndexError, TypeError) as error:
        raise DoesNotApply(f"nothing lies at {path}") from error
    if value is REMOVED:
        del parent[last]
    else:
        parent[last] = value
    return document


def walk(value: Any, path: Location = ()) -> Iterator[tuple[Location, Any]]:
    """Every value of a tree with its path."""
    yield path, value
    entries: Iterable[tuple[str | int, Any]] = ()
    if isinstance(value, dict):
        entries = value.items()
    elif isinstance(value, list):
        entries = enumerate(value)
    for step, inner in entries:
        yield from walk(inner, (*path, step))


def replaced(text: str, node: ast.expr, new: str) -> str:
    """The source with `new` in the place of a node of its syntax tree."""
    lines = [line.encode() for line in text.splitlines(keepends=True)]
    assert node.end_lineno is not None
    assert node.end_col_offset is not None
    start = sum(map(len, lines[: node.lineno - 1])) + node.col_offset
    end = sum(map(len, lines[: node.end_lineno - 1])) + node.end_col_offset
    source = text.encode()
    return (source[:start] + new.encode() + source[end:]).decode()
