"""Generates docs/parameters.md from the templates: each parameter with its default, its values and its meaning."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mailstep_cli import templates

_HEAD = """# Parameters

`make reference` generates this page from `template.yaml` and `receiving.yaml`. Set parameters with
`--parameter-overrides`, or in `samconfig.toml` ([deploy.md](deploy.md)). A parameter that you leave out has its default
in a new stack, and keeps its value after that.
"""
_STACKS = {
    "template.yaml": "The home stack: `sam deploy`",
    "receiving.yaml": "The receiving stack: `sam deploy --config-env receiving`",
}


def parameters_page(project: Path) -> str:
    """The text of docs/parameters.md."""
    lines = [_HEAD]
    for file, title in _STACKS.items():
        lines += [f"## {title}", "", *_tables(templates.read(project / file))]
    return "\n".join(lines)


def _tables(template: dict[str, Any]) -> Iterator[str]:
    """A table for each group that the console shows."""
    for group in template["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]:
        yield f"**{group['Label']['default']}**"
        yield ""
        yield "| parameter | default | values | meaning |"
        yield "| --- | --- | --- | --- |"
        for name in group["Parameters"]:
            declared = template["Parameters"][name]
            # A page would take `<route>` for HTML.
            meaning = " ".join(declared["Description"].split()).replace("<", "\\<")
            yield f"| `{name}` | {_default(declared)} | {_values(declared)} | {meaning} |"
        yield ""


def _default(declared: dict[str, Any]) -> str:
    if "Default" not in declared:
        return "must be given"
    return f"`{declared['Default']}`" if declared["Default"] != "" else "empty"


def _values(declared: dict[str, Any]) -> str:
    if allowed := declared.get("AllowedValues"):
        return ", ".join(f"`{value}`" for value in allowed)
    least, most = declared.get("MinValue"), declared.get("MaxValue")
    if least is None:
        return ""
    return f"{least} or more" if most is None else f"{least} to {most}"
