"""Reads CloudFormation templates of the checkout."""

from pathlib import Path
from typing import Any

import yaml


class _Template(yaml.SafeLoader):
    """Reads CloudFormation's short forms as what they stand for (`!Ref Name` as `{Ref: Name}`)."""


def _short_form(loader: yaml.SafeLoader, suffix: str, node: yaml.Node) -> dict[str, Any]:
    match node:
        case yaml.ScalarNode():
            value: Any = loader.construct_scalar(node)
        case yaml.SequenceNode():
            value = loader.construct_sequence(node, deep=True)
        case _:
            assert isinstance(node, yaml.MappingNode)  # noqa: S101 - YAML has three kinds of node
            value = loader.construct_mapping(node, deep=True)
    return {suffix: value}


_Template.add_multi_constructor("!", _short_form)


def read(path: Path) -> dict[str, Any]:
    """The template in a file of the checkout, with short forms as their dictionaries (`!Sub x` is `{"Sub": "x"}`)."""
    # A SafeLoader, and the checkout's own file.
    found: dict[str, Any] = yaml.load(path.read_text("utf-8"), Loader=_Template)  # noqa: S506
    return found
