"""What the checkout's samconfig.toml says of the home stack. SAM complains better than we do about a faulty file."""

import shlex
import tomllib
from pathlib import Path
from typing import Any

from mailstep_cli import checkout

_STACK = "mailstep"


def domain(project: Path) -> str:
    """The parameter Domain, or `""`."""
    given = _parameters(project, "deploy").get("parameter_overrides", ())
    try:
        pairs = shlex.split(given) if isinstance(given, str) else list(given)
    except (ValueError, TypeError):
        return ""
    return next((value for name, _, value in (str(pair).partition("=") for pair in pairs) if name == "Domain"), "")


def stack_name() -> str:
    """The name of the home stack: `stack_name` of `sam deploy`, or else `mailstep`."""
    project = checkout.find()
    named = project and (_parameters(project, "global") | _parameters(project, "deploy")).get("stack_name")
    return named if isinstance(named, str) and named else _STACK


def _parameters(project: Path, command: str) -> dict[str, Any]:
    """The parameters of `sam <command>` in the environment `default`; empty if they cannot be read."""
    try:
        found = tomllib.loads((project / "samconfig.toml").read_text("utf-8-sig"))["default"][command]["parameters"]
    except (OSError, ValueError, KeyError, TypeError):
        return {}
    return found if isinstance(found, dict) else {}
