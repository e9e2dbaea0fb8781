"""Each test module stands by itself: what two of them share lies in tests/support, and fixtures in conftest files."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.project import PROJECT


def imported(module: Path) -> Iterator[str]:
    """The absolute names of the modules that a module imports, wherever in it that is."""
    package = module.relative_to(PROJECT).parent.parts
    for node in ast.walk(ast.parse(module.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = ".".join([*package[: len(package) - node.level + 1], node.module or ""] if node.level else [])
            origin = (base or node.module or "").strip(".")
            yield from (f"{origin}.{alias.name}" for alias in node.names)


def others(module: Path) -> list[str]:
    """What a module imports of the tests besides tests.support, and tests.mutants, which holds no test."""
    free = ("tests.support.", "tests.mutants.")
    return [name for name in imported(module) if f"{name}.".startswith("tests.") and not f"{name}.".startswith(free)]


PACKAGES = ("tests", "bench", "mailstep_cli", "mailstep_local", "functions")


@pytest.mark.parametrize("package", PACKAGES)
def test_no_test_module_is_imported_by_another(package: str) -> None:
    modules = sorted((PROJECT / package).rglob("*.py"))
    assert modules
    assert {str(module): found for module in modules if (found := others(module))} == {}


@pytest.mark.parametrize(
    "line",
    [
        "from tests.unit.test_steps import event",
        "from tests.cloud.conftest import Desk",
        "from tests import conftest",
        "import tests.unit.test_steps as steps",
        "from .test_steps import event",
        "from . import test_steps",
        "from ..cloud import test_roles",
        "def later():\n    from tests.unit import test_steps",
    ],
)
def test_every_way_to_import_a_test_module_is_seen(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, line: str) -> None:
    monkeypatch.setattr("tests.unit.test_independence.PROJECT", tmp_path)
    module = tmp_path / "tests" / "unit" / "test_new.py"
    module.parent.mkdir(parents=True)
    module.write_text(f"{line}\nfrom tests.support.events import event\nfrom tests.support import project\n")
    assert len(others(module)) == 1


@pytest.mark.parametrize("folder", ["functions", "mailstep_cli", "mailstep_local", "receiving", "tests", "bench"])
def test_a_module_over_300_lines_says_in_its_first_lines_why_it_is_one(folder: str) -> None:
    modules = {path: path.read_text().splitlines() for path in (PROJECT / folder).rglob("*.py")}
    long = {path for path, lines in modules.items() if len(lines) > 300}
    assert {path.name for path in long if "300 lines" not in " ".join(modules[path][:9])} == set()


def test_the_tests_of_a_module_stay_in_one_worker(request: pytest.FixtureRequest) -> None:
    """pytest-xdist groups tests by what it adds to their names; else each worker deploys a stack for each module."""
    grouped = bool(request.config.getoption("loadgroup", default=False))
    assert request.node.nodeid.endswith("@test_independence") is grouped
