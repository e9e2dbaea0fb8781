"""Finds what an installation's processors import and the deployed functions do not have."""

import ast
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import packages_distributions
from pathlib import Path

from mailstep.custom import FOLDER

_PROCESSORS = "mailstep.process.processors"
_RUNTIME = {"boto3", "botocore", "s3transfer"}
"""What AWS's python3.13 runtime brings (AWS Lambda Developer Guide, "Building Lambda functions with Python")."""
_NOT_FOUND = {"ImportError", "ModuleNotFoundError", "Exception", "BaseException"}


@dataclass(frozen=True)
class _Import:
    module: str
    file: Path
    line: int


def faults(functions: Path, processor: str) -> list[str]:
    """A sentence for each module that an installation's own processor imports and the functions lack, with the remedy.

    The files that the processor imports of the installation count too. An import that the code can do without does not:
    one in a `try` that catches its failure, or under `if TYPE_CHECKING`.

    Args:
        functions: The folder that is deployed as the functions' code.
        processor: The name of the processor.
    """
    start = _module_file(functions / FOLDER / "processors", [processor])
    missing = _missing(functions, start) if start else {}
    return [
        f"the processor {processor} imports {found.module} ({found.file.name}, line {found.line}), which the deployed "
        f"functions do not have: do without it, or add {_distribution(name)} to dependencies and to the group "
        "functions in pyproject.toml, and run make lock"
        for name, found in missing.items()
    ]


def _missing(functions: Path, start: Path) -> dict[str, _Import]:
    """The first import of each top-level module that the functions lack, in `start` and in what it imports of ours."""
    missing: dict[str, _Import] = {}
    known, waiting, seen = _bundled(functions), [start], {start}
    while waiting:
        file = waiting.pop()
        for found in _imports(file, _package(functions, file)):
            top, *_ = found.module.split(".")
            if ours := _own_file(functions, found.module):
                waiting += {ours} - seen
                seen.add(ours)
            elif not (top in known or (functions / top).is_dir() or (functions / f"{top}.py").is_file()):
                missing.setdefault(top, found)
    return missing


def _bundled(functions: Path) -> set[str]:
    """The modules that do not lie in the folder: of the standard library, the runtime, and the bundle's packages."""
    text = (functions / "requirements.txt").read_text("utf-8")
    required = {_normal(name) for name in re.findall(r"^([\w.-]+)\s*==", text, re.MULTILINE)}
    modules = {
        module for module, names in packages_distributions().items() if any(_normal(name) in required for name in names)
    }
    return modules | _RUNTIME | set(sys.stdlib_module_names)


def _distribution(module: str) -> str:
    """The name of the package that has a module, if it is installed here, or else the module's."""
    return next(iter(packages_distributions().get(module, ())), module)


def _normal(name: str) -> str:
    """A package's name in its normal form (Python Packaging User Guide, "Names and normalization")."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _own_file(functions: Path, module: str) -> Path | None:
    """The file of a module of the installation's own: a processor, or anything else that lies in the folder."""
    if module.startswith(f"{_PROCESSORS}."):
        parts = module.removeprefix(f"{_PROCESSORS}.").split(".")
        return _module_file(functions / FOLDER / "processors", parts)
    return None if module.partition(".")[0] == "mailstep" else _module_file(functions, module.split("."))


def _module_file(folder: Path, parts: list[str]) -> Path | None:
    """The file of the module, or of the module that has the name as an attribute."""
    for path in (folder.joinpath(*parts), folder.joinpath(*parts[:-1])):
        for file in (path.with_name(f"{path.name}.py"), path / "__init__.py"):
            if path != folder and file.is_file():
                return file
    return None


def _package(functions: Path, file: Path) -> list[str]:
    """The package of a file, to which its relative imports are."""
    processors = functions / FOLDER / "processors"
    if file.is_relative_to(processors):
        return [*_PROCESSORS.split("."), *file.parent.relative_to(processors).parts]
    return list(file.parent.relative_to(functions).parts)


def _imports(file: Path, package: list[str]) -> Iterator[_Import]:
    """The absolute name of everything that a file cannot do without, `from a import b` as `a.b`."""
    try:
        tree = ast.parse(file.read_bytes(), str(file))
    # The import of the processor says what is wrong.
    except (SyntaxError, ValueError):
        return
    optional = {node for outer in ast.walk(tree) for part in _optional(outer) for node in ast.walk(part)}
    for node in ast.walk(tree):
        if node in optional:
            continue
        match node:
            case ast.Import():
                for alias in node.names:
                    yield _Import(alias.name, file, node.lineno)
            case ast.ImportFrom(level=level):
                above = package[: len(package) - level + 1] if level else []
                module = [*above, *filter(None, [node.module])]
                for alias in node.names:
                    yield _Import(".".join([*module, alias.name]), file, node.lineno)


def _optional(node: ast.AST) -> list[ast.stmt]:
    """The statements within a node that run only if their imports can be found."""
    match node:
        case ast.Try(handlers=handlers) if any(map(_catches_a_missing_module, handlers)):
            return node.body
        case ast.If(test=ast.Name("TYPE_CHECKING") | ast.Attribute(attr="TYPE_CHECKING")):
            return node.body
    return []


def _catches_a_missing_module(handler: ast.ExceptHandler) -> bool:
    caught = {node.id for node in ast.walk(handler.type) if isinstance(node, ast.Name)} if handler.type else _NOT_FOUND
    return bool(caught & _NOT_FOUND)
