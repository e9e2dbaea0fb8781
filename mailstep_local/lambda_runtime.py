"""Builds AWS's python3.13 runtime from this environment's packages: the runtime interface client and boto3."""

import sys
from importlib.metadata import distribution
from pathlib import Path

from packaging.requirements import Requirement

_BROUGHT_BY_AWS = ("awslambdaric", "boto3")

# -S: no site-packages. The function sees its bundle, then the runtime's packages, then the standard library.
_BOOTSTRAP = """#!/bin/sh
PYTHONPATH="$LAMBDA_TASK_ROOT:{runtime}" exec "{python}" -S -m awslambdaric "$_HANDLER"
"""


def lay_out(directory: Path) -> Path:
    """Build the runtime in `directory`; return its bootstrap, which uses the Lambda Runtime API."""
    packages = directory / "packages"
    packages.mkdir(parents=True)
    for name in _closure(_BROUGHT_BY_AWS):
        for file in distribution(name).files or ():
            top = file.parts[0]
            if top not in {"..", "__pycache__"} and not (packages / top).exists():
                (packages / top).symlink_to(Path(str(distribution(name).locate_file(top))))
    bootstrap = directory / "bootstrap"
    python = Path(sys.base_prefix) / "bin" / f"python{sys.version_info.major}.{sys.version_info.minor}"
    bootstrap.write_text(_BOOTSTRAP.format(runtime=packages, python=python))
    bootstrap.chmod(0o755)
    return bootstrap


def _closure(names: tuple[str, ...]) -> set[str]:
    """The distributions with all their requirements."""
    found: set[str] = set()
    waiting = list(names)
    while waiting:
        name = waiting.pop().lower()
        if name in found:
            continue
        found.add(name)
        for text in distribution(name).requires or ():
            requirement = Requirement(text)
            if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
                waiting.append(requirement.name)
    return found
