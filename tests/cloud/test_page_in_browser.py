"""The page of `mailstep web` in Chromium: what an operator does there, by pointer and by keys alone."""

import json
import threading
from collections.abc import Callable

import pytest
from playwright.sync_api import Browser, Page, expect

from mailstep.aws.message_index import MessageIndex
from mailstep_local.cloud import LocalCloud
from tests.support.browser import Watched, in_chromium, opened
from tests.support.cloud import Application, Desk, eventually, failed_order, index_of, put, role_without
from tests.support.events import stored_order

pytestmark = in_chromium


@pytest.fixture(scope="module")
def index(cloud: LocalCloud) -> MessageIndex:
    return index_of(cloud)


def indexed(index: MessageIndex, email_id: str, outcome: str) -> None:
    assert eventually(lambda: (found := index.get(email_id)) and found.outcome == outcome, seconds=60)


def states(page: Page, word: str) -> list[str]:
    """The states of the graph that have this word."""
    return page.locator(f"g.state.{word} text").all_text_contents()


def has_outcome(page: Page, outcome: str) -> None:
    expect(page.locator(".ending .outcome")).to_have_text(outcome)


ANSWER = json.dumps({"text": "Thank you for 4711", "html": "<p>Thank you for <b>4711</b></p>"}).encode()


def test_a_message_is_sent_by_the_form_and_its_states_turn_without_a_reload(
    operator: Watched, application: Application, desk: Desk
) -> None:
    desk.forget_deliveries()
    goes_on = threading.Event()

    def at_last() -> tuple[int, bytes, dict[str, str]]:
        goes_on.wait(60)
        return 200, ANSWER, {"Content-Type": "application/json"}

    application.answers = [at_last]
    page = operator.page
    page.get_by_role("link", name="Write a message").click()
    page.get_by_label("To").select_option("application@mailstep.example")
    page.get_by_label("Subject").fill("By the form")
    page.get_by_label("Text", exact=True).fill("Is it there?")
    page.get_by_role("button", name="Send").click()
    # The list is live: the message comes into it by itself.
    page.locator(".list tr", has_text="application").filter(has_text="running").get_by_role("link").first.click()
    page.wait_for_url("**/messages/*")
    page.evaluate("window.sameDocument = true")
    expect(page.locator("g.state.running text")).to_have_text("ProcessEmail")
    assert {"ParseEmail", "ValidateEmail"} <= set(states(page, "ok"))
    goes_on.set()
    has_outcome(page, "replied")
    expect(page.get_by_role("heading", level=1)).to_have_text("By the form")
    assert "SendReply" in states(page, "ok")
    assert page.evaluate("window.sameDocument")
    expect(page.frame_locator('iframe[title="The answer"]').get_by_text("Thank you for 4711")).to_be_visible()
    expect(page.get_by_label("Message", exact=True).get_by_text("Is it there?")).to_be_visible()


def press_until(page: Page, key: str, reached: Callable[[], bool]) -> None:
    for _ in range(60):
        page.keyboard.press(key)
        if reached():
            return
    raise AssertionError(f"{key} does not lead there")


def focused(page: Page) -> str:
    return str(page.evaluate("document.activeElement.innerText || document.activeElement.getAttribute('aria-label')"))


def test_a_failed_message_shows_the_catch_that_it_took_and_is_replayed_by_keys_alone(
    operator: Watched, application: Application, desk: Desk, index: MessageIndex
) -> None:
    failed = failed_order(desk, application)
    assert failed.execution_arn
    email_id = failed.execution_arn.rpartition(":")[2]
    indexed(index, email_id, "failed")
    page = operator.page
    operator.open("/?outcome=failed")
    press_until(page, "j", lambda: email_id in str(page.evaluate("document.activeElement.href")))
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/messages/{email_id}")
    assert states(page, "failed") == ["ReprocessEmail"]
    assert "ProcessEmail" in states(page, "caught")
    taken = page.locator("path.edge.taken title").all_text_contents()
    assert "ProcessEmail to SendFailureNotice (Catch)" in taken
    assert "ChooseLastTry to ReprocessEmail" in taken
    assert "ValidateEmail to SendRefusal (Catch)" not in taken

    application.says((200, ANSWER, {"Content-Type": "application/json"}))
    press_until(page, "Tab", lambda: focused(page) == "Replay")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_have_text("Processing it again.")
    has_outcome(page, "replied")
    assert "SendReply" in states(page, "ok")
    expect(page.get_by_label("Executions").get_by_role("link")).to_have_count(2)
    page.keyboard.press("u")
    page.wait_for_url(f"{operator.origin}/")


def test_a_message_is_released_from_quarantine_and_answered(
    operator: Watched, cloud: LocalCloud, desk: Desk, index: MessageIndex
) -> None:
    email = put(cloud, "page-quarantined", b"\x00 no email")
    indexed(index, email.email_id, "quarantined")
    page = operator.page
    page.get_by_label("Outcome").select_option("quarantined")
    page.get_by_role("button", name="Show").click()
    page.wait_for_url("**outcome=quarantined**")
    operator.open(f"/messages/{email.email_id}")
    assert "ParseEmail to QuarantineEmail (Catch)" in page.locator("path.edge.taken title").all_text_contents()
    # The cause is gone: now the object is an order.
    desk.forget_deliveries()
    put(cloud, "page-quarantined", stored_order())
    cloud.account.client("s3").delete_object(Bucket=email.bucket, Key=email.key, VersionId=email.version_id)
    page.get_by_role("button", name="Release from quarantine").click()
    expect(page.get_by_role("status")).to_have_text("Quarantine: released.")
    has_outcome(page, "replied")


def test_the_failed_task_of_a_message_is_redriven(operator: Watched, cloud: LocalCloud, index: MessageIndex) -> None:
    role: str = cloud.account.client("lambda").get_function_configuration(
        FunctionName=cloud.functions["ParseFunction"]
    )["Role"]
    with role_without(cloud, role.rpartition("/")[2], "s3:GetObjectVersion"):
        email = put(cloud, "page-redriven", b"From: robot@shop.example\r\n\r\nx")
        indexed(index, email.email_id, "failed")
    operator.open(f"/messages/{email.email_id}")
    assert states(operator.page, "failed") == ["ParseEmail"]
    operator.page.get_by_role("button", name="Redrive").click()
    expect(operator.page.get_by_role("status")).to_have_text("The failed task is repeated.")
    has_outcome(operator.page, "silent")
    expect(operator.page.get_by_text("Redriven here")).to_be_visible()


def test_pages_are_read_without_script(browser: Browser, page_address: str, desk: Desk, index: MessageIndex) -> None:
    [result] = desk.send("note.eml", route="feedback")
    email_id = str(result.execution_arn).rpartition(":")[2]
    indexed(index, email_id, "replied")
    with opened(browser, page_address, java_script_enabled=False) as watched:
        page = watched.page
        page.locator(f'.list a[href="/messages/{email_id}"]').click()
        has_outcome(page, "replied")
        assert "SendReply" in states(page, "ok")
        expect(page.get_by_label("Message", exact=True).get_by_text("Hello, are you open")).to_be_visible()
        expect(page.frame_locator('iframe[title="The answer"]').get_by_text("Your message arrived")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_page_is_wider_than_a_telephone(browser: Browser, page_address: str, scheme: str) -> None:
    with opened(
        browser, page_address, viewport={"width": 390, "height": 844}, color_scheme=scheme, has_touch=True
    ) as watched:
        page = watched.page
        paths = ["/", "/compose", str(page.locator(".list a").first.get_attribute("href"))]
        for path in paths:
            watched.open(path)
            assert page.evaluate("document.documentElement.scrollWidth") == 390, path
