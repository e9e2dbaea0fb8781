"""A hostile message on the page of `mailstep web` in Chromium: it is shown, and does nothing."""

import json
import struct
import threading
import zlib
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from email.message import EmailMessage, MIMEPart
from pathlib import Path
from socketserver import BaseRequestHandler, ThreadingTCPServer

import pytest
from playwright.sync_api import Browser, Dialog, Error, FrameLocator, Page, Playwright, Request, Route, expect

from mailstep_cli.message_files import parse_octets
from mailstep_cli.smtp_client import MessageFile
from mailstep_local.cloud import LocalCloud
from tests.support.browser import Watched, in_chromium, launched, opened
from tests.support.cloud import Desk, answering, eventually, index_of
from tests.support.project import run

pytestmark = in_chromium

EVIL = "evil.example"
SVG = f"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'><image href='https://{EVIL}/svg'/></svg>"
HOSTILE = f"""<p>Hello operator</p>
<script>alert(1);fetch('https://{EVIL}/script')</script><img src=x onerror="alert(2)"><svg onload="alert(3)"></svg>
<img src="https://{EVIL}/picture"><img srcset="https://{EVIL}/srcset 2x"><video poster="https://{EVIL}/poster"></video>
<picture><source srcset="https://{EVIL}/source"><img alt=""></picture><input type=image src="https://{EVIL}/input">
<style>@import 'https://{EVIL}/import'; @font-face {{ font-family: F; src: url(https://{EVIL}/font) }}
p {{ font-family: F; background: url(https://{EVIL}/css) }}</style>
<p style="background: url(https://{EVIL}/style); font-family: F">Styled</p>
<table background="https://{EVIL}/background"><tr><td background="https://{EVIL}/cell">x</td></tr></table>
<link rel=stylesheet href="https://{EVIL}/sheet"><link rel=preconnect href="https://{EVIL}/">
<link rel=prefetch href="https://{EVIL}/prefetch"><link rel=icon href="https://{EVIL}/icon">
<iframe src="https://{EVIL}/frame"></iframe><iframe srcdoc="<script>parent.alert(4)</script><img src='https://{EVIL}/in'>">
</iframe><object data="https://{EVIL}/object"></object><embed src="https://{EVIL}/embed">
<form id=f action="https://{EVIL}/form"><input name=q value=1><button id=send>Submit</button></form>
<form action="/messages/x/replay" method=post><button id=own>Own</button></form>
<meta http-equiv=refresh content="0;url=https://{EVIL}/refresh"><base href="https://{EVIL}/" target=_top>
<a id=top href="https://{EVIL}/top" target=_top>Top</a> <a id=blank href="https://{EVIL}/blank" target=_blank>Blank</a>
<a id=self href="https://{EVIL}/self" ping="https://{EVIL}/ping">Self</a> <a id=js href="javascript:alert(5)">JS</a>
<a id=data href="data:text/html,<script>alert(6)</script>" target=_top>Data</a>
<img src="data:image/svg+xml;base64,{b64encode(SVG.encode()).decode()}"><math><maction xlink:href="https://{EVIL}/math">m
</maction></math><audio src="https://{EVIL}/audio" autoplay></audio><body onload="alert(7)"></body>
<button formaction="https://{EVIL}/action" form=f id=action>Go</button>"""
"""What a message can try: scripts, frames, forms, a refresh, and each way to load something from elsewhere."""
CLICKED = ("send", "own", "action", "top", "blank", "js", "data", "self")
"""The ids of what a click could follow or send. The last one would leave the frame."""
FRAMES = {"html": "The message as its sender made it", "answer-html": "The answer"}


def _png() -> bytes:
    """A picture of two pixels (PNG specification, W3C)."""

    def chunk(name: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

    header = struct.pack(">IIBBBBB", 2, 1, 8, 2, 0, 0, 0)
    pixels = zlib.compress(b"\0" + b"\xd0\x20\x20" * 2)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


@dataclass
class Stranger:
    """The server of evil.example: how often somebody connected to it, and with which octets they began."""

    port: int
    connections: int = 0
    requests: list[bytes] = field(default_factory=list)


@pytest.fixture(scope="module")
def listening() -> Iterator[Stranger]:
    class Connection(BaseRequestHandler):
        def handle(self) -> None:
            found.connections += 1
            self.request.settimeout(5)
            with suppress(OSError):
                if begun := self.request.recv(4096):
                    found.requests.append(begun)
                    self.request.sendall(b"HTTP/1.0 204 No Content\r\n\r\n")

    with ThreadingTCPServer(("127.0.0.1", 0), Connection) as server:
        found = Stranger(server.server_address[1])
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield found
        server.shutdown()


@pytest.fixture
def stranger(listening: Stranger) -> Stranger:
    """The server, which has forgotten what an earlier test made."""
    listening.connections, listening.requests = 0, []
    return listening


@pytest.fixture(scope="module")
def browser(playwright: Playwright, listening: Stranger) -> Iterator[Browser]:
    """A browser for which evil.example is the stranger's server, by any scheme and port."""
    with launched(playwright, f"--host-resolver-rules=MAP {EVIL} 127.0.0.1:{listening.port}") as started:
        yield started


@pytest.fixture(scope="module")
def hostile(cloud: LocalCloud, desk: Desk) -> str:
    """The email_id of a message that tries all that it can, in its HTML, names and fields; so does its answer."""
    message = EmailMessage()
    message["From"], message["To"] = '"<script>alert(8)</script>" <eve@shop.example>', "application@mailstep.example"
    message["Subject"], message["Message-ID"] = "<img src=x onerror=alert(9)>", "<hostile@shop.example>"
    message.set_content("Hello operator")
    message.add_alternative(HOSTILE + '<img alt="Own" src="cid:logo%40shop">', subtype="html")
    html = message.get_body(("html",))
    assert isinstance(html, MIMEPart)
    html.add_related(_png(), "image", "png", cid="<logo@shop>")
    message.add_attachment(HOSTILE.encode(), "text", "plain", filename='../../a"\u202egpj<b>.txt')
    raw = message.as_bytes()
    picture, file = (b64encode(content).decode() for content in (_png(), HOSTILE.encode()))
    answer = {
        "text": HOSTILE,
        "html": HOSTILE + '<img alt="Own" src="cid:own">',
        "attachments": [
            {"filename": "own.png", "media_type": "image/png", "content_id": "own", "content_base64": picture},
            {"filename": '../..\\c"\u202egpj<d>.txt', "media_type": "text/plain", "content_base64": file},
        ],
    }
    with answering(cloud) as application:
        application.says((200, json.dumps(answer).encode(), {"Content-Type": "application/json"}))
        [result] = desk.follow([MessageFile(Path("hostile.eml"), raw, parse_octets(raw, Path("hostile.eml")))])
    assert (result.outcome, result.execution_arn is None) == ("replied", False), result
    email_id = str(result.execution_arn).rpartition(":")[2]
    index = index_of(cloud)
    assert eventually(lambda: (entry := index.get(email_id)) and entry.outcome == "replied", seconds=60)
    return email_id


@dataclass
class Attacked:
    """What a hostile page could reach: dialogs, other windows, other addresses, and requests with their referrer."""

    watched: Watched
    did: list[str] = field(default_factory=list)
    requests: list[tuple[str, str, str]] = field(default_factory=list)

    @property
    def page(self) -> Page:
        return self.watched.page

    def dismisses(self, dialog: Dialog) -> None:
        self.did.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    def hears(self, request: Request) -> None:
        self.requests.append((request.method, request.url, request.headers.get("referer", "")))


@contextmanager
def attacked(browser: Browser, address: str) -> Iterator[Attacked]:
    """An operator's window in which a message may try what it likes; then it has reached nothing."""
    token = address.partition("token=")[2]
    with opened(browser, address) as watched:
        found = Attacked(watched)
        page = watched.page
        page.on("dialog", found.dismisses)
        page.on("download", lambda download: found.did.append(f"download: {download.url}"))
        page.context.on("page", lambda other: found.did.append(f"window: {other.url}"))
        page.context.on("request", found.hears)
        yield found
        inside = f"{watched.origin}/messages/"
        assert page.url.startswith(inside)
        assert found.did == []
        assert not [url for method, url, _ in found.requests if method != "GET" and url.startswith(watched.origin)]
        assert not [asked for asked in found.requests if token in "".join(asked)]
        assert all(referrer.startswith(f"{watched.origin}/") for *_, referrer in found.requests if referrer)


def frame(page: Page, name: str) -> FrameLocator:
    return page.frame_locator(f'iframe[title="{FRAMES[name]}"]')


def reaches_the_stranger(browser: Browser, stranger: Stranger) -> None:
    """Prove that the stranger would have heard of it: ask it, and see that it hears."""
    page = browser.new_page()
    with suppress(Error):
        page.goto(f"http://{EVIL}/asked")
    page.close()
    assert stranger.connections
    assert b"GET /asked" in b"".join(stranger.requests)


def test_a_hostile_message_and_a_hostile_answer_are_shown_and_do_nothing(
    browser: Browser, page_address: str, hostile: str, stranger: Stranger
) -> None:
    with attacked(browser, page_address) as found:
        page = found.page
        found.watched.open(f"/messages/{hostile}")
        expect(page.get_by_role("heading", level=1)).to_have_text("<img src=x onerror=alert(9)>")
        for name in FRAMES:
            inner = frame(page, name)
            expect(inner.get_by_text("Hello operator")).to_be_visible()
            assert inner.locator("a[href], form, iframe, script, meta[http-equiv=refresh], object, embed").count() == 0
            for text in ("Top", "Blank", "Self", "JS", "Data"):
                inner.get_by_text(text, exact=True).click()
    assert stranger.connections == 0
    reaches_the_stranger(browser, stranger)


@pytest.mark.parametrize("name", FRAMES)
def test_a_frame_holds_a_hostile_message_that_nothing_was_removed_from(
    browser: Browser, page_address: str, hostile: str, stranger: Stranger, name: str
) -> None:
    """The sandbox and the policy are a wall of their own, if the HTML were not sanitised, or not well."""

    def unsanitised(route: Route) -> None:
        # Without TLS the stranger can read what it is asked.
        route.fulfill(response=route.fetch(), body=HOSTILE.replace("https:", "http:"))

    with attacked(browser, page_address) as found:
        page = found.page
        page.route(f"**/messages/{hostile}/{name}", unsanitised)
        found.watched.open(f"/messages/{hostile}")
        inner = frame(page, name)
        expect(inner.get_by_text("Hello operator")).to_be_visible()
        for clicked in CLICKED:
            inner.locator(f"#{clicked}").click()
        # What a click begins is under way when another page is there.
        found.watched.open(f"/messages/{hostile}?done=again")
    # Chromium may connect for a hint or a frame before the policy refuses it, and then asks nothing.
    assert stranger.requests == []
    reaches_the_stranger(browser, stranger)


def test_a_message_and_its_answer_show_their_own_pictures(browser: Browser, page_address: str, hostile: str) -> None:
    with opened(browser, page_address) as watched:
        watched.open(f"/messages/{hostile}")
        for name in FRAMES:
            picture = frame(watched.page, name).get_by_alt_text("Own")
            expect(picture).to_be_visible()
            expect(picture).to_have_js_property("naturalWidth", 2)


@pytest.mark.parametrize(("of", "saved"), [("Message", "gpj_b_.txt"), ("Answer", "gpj_d_.txt")])
def test_a_hostile_file_is_saved_under_a_name_in_the_folder_of_downloads(
    browser: Browser, page_address: str, hostile: str, of: str, saved: str
) -> None:
    with opened(browser, page_address) as watched:
        watched.open(f"/messages/{hostile}")
        page = watched.page
        with page.expect_download() as download:
            page.get_by_label(of, exact=True).get_by_role("link", name=saved).click()
        assert download.value.suggested_filename.endswith(saved)
        assert not set(download.value.suggested_filename) & set('/\\<>"\u202e')
        assert Path(download.value.path()).read_bytes() == HOSTILE.encode()
        assert page.url == f"{watched.origin}/messages/{hostile}"


def test_the_file_of_a_hostile_message_does_nothing_and_shows_its_pictures(
    browser: Browser, cloud: LocalCloud, hostile: str, stranger: Stranger, tmp_path: Path
) -> None:
    written = run("history", hostile, "--html", str(tmp_path / "page.html"), **cloud.account.environment())
    assert written.returncode == 0, written.stderr
    context = browser.new_context()
    page, dialogs = context.new_page(), list[str]()

    def dismissed(dialog: Dialog) -> None:
        dialogs.append(dialog.message)
        dialog.dismiss()

    page.on("dialog", dismissed)
    page.goto((tmp_path / "page.html").as_uri())
    for name in FRAMES:
        expect(frame(page, name).get_by_text("Hello operator")).to_be_visible()
        expect(frame(page, name).get_by_alt_text("Own")).to_have_js_property("naturalWidth", 2)
    expect(page.locator("g.state.ok", has_text="SendReply")).to_be_attached()
    context.close()
    assert dialogs == []
    assert stranger.connections == 0
