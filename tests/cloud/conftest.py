"""One local cloud for the whole run, and an application for its route `application`."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Playwright, sync_playwright

from mailstep_local.cloud import LocalCloud, running
from tests.support.browser import Watched, launched, opened, serving
from tests.support.cloud import NEW_SECRET, OLD_SECRET, Application, Desk, answering


@pytest.fixture(scope="session")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCloud]:
    with running(tmp_path_factory.mktemp("cloud") / "run") as started:
        # Failures are made on purpose here, and the doctor would find their alarms. test_acting.py lets them ring.
        started.alarms_off.touch()
        yield started


@pytest.fixture(scope="session")
def desk(cloud: LocalCloud) -> Desk:
    return Desk(cloud)


@pytest.fixture
def application(cloud: LocalCloud) -> Iterator[Application]:
    """The application of the route `application`, as the parameter ApplicationUrl would name it."""
    with answering(cloud) as service:
        yield service


@pytest.fixture(scope="module")
def playwright() -> Iterator[Playwright]:
    """It runs an event loop in this thread, so no other module's tests may run beside it."""
    with sync_playwright() as started:
        yield started


@pytest.fixture(scope="module")
def browser(playwright: Playwright) -> Iterator[Browser]:
    with launched(playwright) as started:
        yield started


@pytest.fixture(scope="module")
def page_address(cloud: LocalCloud) -> Iterator[str]:
    """The address that `mailstep web` prints."""
    with serving(cloud) as address:
        yield address


@pytest.fixture
def operator(browser: Browser, page_address: str) -> Iterator[Watched]:
    """An operator's page. Whatever a test does there, nothing complains, and nothing is loaded from elsewhere."""
    with opened(browser, page_address) as watched:
        yield watched
        assert watched.complaints == []
        assert watched.outside == []


@pytest.fixture(scope="session")
def secret(cloud: LocalCloud) -> str:
    """The ARN of the one secret that ProcessFunction's role may read here, rotated once."""
    manager = cloud.account.client("secretsmanager")
    arn: str = manager.create_secret(Name="mailstep-application", SecretString=OLD_SECRET)["ARN"]
    manager.put_secret_value(SecretId=arn, SecretString=NEW_SECRET)
    return arn
