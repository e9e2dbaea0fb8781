"""Chromium as an operator's browser: a page of `mailstep web`, and all that it asks for and complains about."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, Playwright, expect

from mailstep_local.cloud import LocalCloud
from tests.support.project import MAILSTEP, PROJECT

CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
_MISSING = "Chromium is not installed (Debian: apt-get install chromium), and the variable CHROMIUM names none"
in_chromium = [pytest.mark.skipif(CHROMIUM is None, reason=_MISSING), pytest.mark.xdist_group("chromium")]
"""The marks of a module that needs a browser. Such modules share a worker, and so an account."""
_PATIENCE = 60_000
"""Milliseconds in which a page turns, beside whatever else the machine does."""
expect.set_options(timeout=_PATIENCE)


@dataclass
class Watched:
    """A page at an origin, with the requests that it makes and what it complains about."""

    page: Page
    origin: str
    asked: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def open(self, path: str) -> None:
        """Go to a path of the page."""
        self.page.goto(f"{self.origin}{path}")

    @property
    def outside(self) -> list[str]:
        """What it asked of others than `mailstep web`."""
        return [url for url in self.asked if not url.startswith((f"{self.origin}/", "data:", "about:", "blob:"))]


@contextmanager
def serving(cloud: LocalCloud) -> Iterator[str]:
    """Run `mailstep web` for an account; yield the address that it prints, with the token of its run."""
    here = cloud.account.environment() | {"MAILSTEP_SMTP": f"127.0.0.1:{cloud.smtp_port}"}
    with subprocess.Popen([MAILSTEP, "web"], cwd=PROJECT, env=here, stdout=subprocess.PIPE, text=True) as served:
        assert served.stdout
        yield served.stdout.readline().strip()
        served.terminate()


@contextmanager
def launched(playwright: Playwright, *options: str) -> Iterator[Browser]:
    """A browser of its own. Chromium's sandbox needs rights that a container does not give."""
    browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", *options])
    yield browser
    browser.close()


@contextmanager
def opened(browser: Browser, address: str, **options: Any) -> Iterator[Watched]:
    """A new window (of these options of Playwright's `new_context`) in which an operator opened the address."""
    context = browser.new_context(**options)
    context.set_default_timeout(_PATIENCE)
    split = urlsplit(address)
    watched = Watched(context.new_page(), f"{split.scheme}://{split.netloc}")
    context.on("request", lambda request: watched.asked.append(request.url))
    context.on("console", lambda said: watched.complaints.extend(_complaint(said)))
    context.on("weberror", lambda error: watched.complaints.append(str(error.error)))
    watched.page.goto(address)
    yield watched
    context.close()


def _complaint(said: ConsoleMessage) -> list[str]:
    return [f"{said.text} ({said.location['url']})"] if said.type in {"error", "warning"} else []
