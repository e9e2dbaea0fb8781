"""What every suite needs: the environment that handlers are imported in, and the corpus."""

import os
from pathlib import Path

import pytest
from hypothesis import settings

from bench.corpus import DIRECTORY

# As template.yaml sets it, before a handler is imported.
os.environ["POWERTOOLS_SERVICE_NAME"] = "mailstep"

# How long an example takes depends on what else the machine does.
settings.register_profile("mailstep", deadline=None)
settings.load_profile("mailstep")


@pytest.hookimpl(tryfirst=True)  # before pytest-xdist reads the marks
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep a module's tests in one worker. Modules that deploy own accounts are a group: they share a build."""
    for item in items:
        if not item.get_closest_marker("xdist_group"):
            item.add_marker(pytest.mark.xdist_group(item.path.stem))


@pytest.fixture(scope="session")
def corpus() -> Path:
    """Real messages that nobody here wrote (MAIL_CORPUS, or ../shared/corpus)."""
    if not DIRECTORY.is_dir():
        pytest.skip(f"no corpus of real messages at {DIRECTORY}: set MAIL_CORPUS")
    return DIRECTORY
