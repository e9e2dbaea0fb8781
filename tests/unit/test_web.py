"""The page of `mailstep web`: who is answered, what is shown, and what a stranger's mail cannot do there.

Over 300 lines, because the whole page is tested as one operator uses it.
"""

import json
import re
from datetime import UTC, datetime, timedelta, tzinfo
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, Self

import boto3
import pytest
from starlette.testclient import TestClient
from typer.testing import CliRunner

from mailstep import keys, reference
from mailstep.contracts import Answer, Message, StoredEmail
from mailstep.index import indexing
from mailstep.index_entry import Feedback
from mailstep_cli import executions, failures, history, showing
from mailstep_cli.cli import app
from mailstep_cli.commands import finding
from mailstep_cli.commands import messages as message_commands
from mailstep_cli.errors import UserError
from mailstep_cli.home_stack import HomeStack
from mailstep_cli.web import pages, views
from mailstep_cli.web.graph import Graph, lay_out
from mailstep_cli.web.guard import Secrets
from mailstep_cli.web.mail_html import document
from mailstep_cli.web.sending import LocalMail
from mailstep_cli.web.views import Web
from tests.support.events import BUCKET, REGION
from tests.support.index import NOW, TABLE, WORKFLOW, email, ended_as, message_index, seen
from tests.support.project import PROJECT
from tests.support.requests import requests_made

pytestmark = pytest.mark.usefixtures("account")

PORT = 8123
ORIGIN = f"http://127.0.0.1:{PORT}"
HOSTILE = (
    "<p>Hello</p><script>alert(1)</script><img src=x onerror=alert(1)><img src='https://evil.example/p.png'>"
    "<form action='https://evil.example/'><button>Go</button></form><iframe src='https://evil.example/'></iframe>"
    "<meta http-equiv=refresh content='0;url=https://evil.example/'><base href='https://evil.example/'>"
    "<link rel=dns-prefetch href='https://evil.example/'><a href='https://evil.example/' target=_top>Click</a>"
)
DEFINITION: dict[str, Any] = json.loads((PROJECT / "statemachine" / "email.asl.json").read_text())


@pytest.fixture
def web() -> Web:
    """The page of a stack with two emails: an order that was answered, and a hostile one that failed."""
    _process_function()
    home = HomeStack(
        "mailstep",
        {"StateMachineArn": WORKFLOW, "MailBucketName": BUCKET, "MessageIndexName": TABLE},
        {"ProcessFunction": "mailstep-process", "EmailWorkflowAliaslive": WORKFLOW},
        NOW,
        {"ParsedRetentionDays": "30", "Domain": "mailstep.example", "ReplyFrom": ""},
    )
    s3 = boto3.client("s3", region_name=REGION)
    stored = [email(1), email(2, "tickets")]
    ends = [("SUCCEEDED", ended_as("replied", ses_message_id="0102")), ("FAILED", None)]
    fields: list[dict[str, Any]] = [
        {"subject": "Order 4711", "text": "Two lamps", "from": [{"name": "Ann", "address": "ann@shop.example"}]},
        {"subject": "<script>alert(1)</script>\u202etxt", "html": HOSTILE, "from": [{"address": "eve@evil.example"}]},
    ]
    for one, (status, output), found in zip(stored, ends, fields, strict=True):
        attached = {
            "filename": 'a".html', "media_type": "text/html", "size_octets": 9, "sha256": "0" * 64,
            "key": f"{one.email_id}-a",
        }  # fmt: skip
        basis = {"email_id": one.email_id, "route": one.route, "size_octets": 1600, "received": NOW}
        message = Message.model_validate(basis | found | {"attachments": [attached]})
        s3.put_object(Bucket=BUCKET, Key=keys.message(one.email_id), Body=message.model_dump_json().encode())
        s3.put_object(Bucket=BUCKET, Key=f"{one.email_id}-a", Body=b"<script>a")
        s3.put_object(Bucket=BUCKET, Key=one.key, Body=b"From: ann@shop.example\r\n\r\nTwo lamps")
        _execute(one)
        indexing.record(message_index(), seen(one, status, output=output, started=NOW))
    answer = Answer(text="Thank you for 4711")
    s3.put_object(Bucket=BUCKET, Key=keys.answer(stored[0].email_id), Body=answer.model_dump_json().encode())
    return Web(home, Secrets())


def _process_function() -> None:
    """The function whose variables the routes of this checkout are read with."""
    iam, functions = boto3.client("iam", region_name=REGION), boto3.client("lambda", region_name=REGION)
    trust = {"Version": "2012-10-17", "Statement": []}
    role = iam.create_role(RoleName="process", AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"]
    functions.create_function(
        FunctionName="mailstep-process", Role=role, Runtime="python3.13", Handler="a.b", Code={"ZipFile": b"code"},
        Environment={"Variables": {"APPLICATION_URL": "", "APPLICATION_AUTH": "none"}},
    )  # fmt: skip


def _execute(stored: StoredEmail) -> None:
    sfn = boto3.client("stepfunctions", region_name=REGION)
    sfn.create_state_machine(
        name="mailstep-email",
        definition='{"StartAt": "End", "States": {"End": {"Type": "Pass", "End": true}}}',
        roleArn="arn:aws:iam::123456789012:role/workflow",
    )
    sfn.start_execution(stateMachineArn=WORKFLOW, name=stored.email_id, input=stored.model_dump_json())


@pytest.fixture
def stranger(web: Web) -> TestClient:
    return TestClient(web.app(PORT), base_url=ORIGIN, follow_redirects=False)


@pytest.fixture
def operator(web: Web, stranger: TestClient) -> TestClient:
    assert stranger.get("/", params={"token": web.own.token}).status_code == 303
    return stranger


ANN, EVE = email(1).email_id, email(2, "tickets").email_id


def test_a_query_of_very_many_fields_is_refused_as_any_other(stranger: TestClient) -> None:
    assert stranger.get(f"/?{'a=1&' * 60}").status_code == 403


def test_the_token_of_the_run_opens_the_page_and_leaves_the_address(web: Web, stranger: TestClient) -> None:
    assert stranger.get("/").status_code == 403
    assert stranger.get("/", params={"token": "another"}).status_code == 403
    opened = stranger.get("/", params={"token": web.own.token})
    assert (opened.status_code, opened.headers["location"]) == (303, "/")
    cookie = opened.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert web.own.token not in cookie
    assert stranger.get("/").status_code == 200


@pytest.mark.parametrize("path", ["/", f"/messages/{ANN}", f"/messages/{ANN}/raw", "/page.css"])
def test_a_name_that_another_site_points_here_is_refused(operator: TestClient, path: str) -> None:
    assert operator.get(path, headers={"Host": f"evil.example:{PORT}"}).status_code == 421
    assert operator.get(path, headers={"Host": f"127.0.0.1:{PORT + 1}"}).status_code == 421
    assert operator.get(path).status_code == 200


@pytest.mark.parametrize("act", ["replay", "redrive", "release"])
def test_a_post_needs_our_origin_and_the_token_of_our_form(web: Web, operator: TestClient, act: str) -> None:
    before = _executions()
    form = {"form": web.own.form}
    for headers in ({}, {"Origin": "https://evil.example"}, {"Origin": "null"}, {"Origin": "http://127.0.0.1:1"}):
        assert operator.post(f"/messages/{ANN}/{act}", data=form, headers=headers).status_code == 403
    for wrong in ({}, {"form": "another"}, {"form": web.own.token}):
        assert operator.post(f"/messages/{ANN}/{act}", data=wrong, headers={"Origin": ORIGIN}).status_code == 403
    assert _executions() == before


def _executions() -> set[str]:
    sfn = boto3.client("stepfunctions", region_name=REGION)
    return {one["name"] for one in sfn.list_executions(stateMachineArn=WORKFLOW)["executions"]}


def test_a_replay_from_the_page_starts_one_new_execution(web: Web, operator: TestClient) -> None:
    sfn = boto3.client("stepfunctions", region_name=REGION)
    sfn.stop_execution(executionArn=f"{WORKFLOW.replace(':stateMachine:', ':execution:')}:{EVE}")
    before = _executions()
    done = operator.post(f"/messages/{EVE}/replay", data={"form": web.own.form}, headers={"Origin": ORIGIN})
    assert done.status_code == 303
    assert _executions() - before == {f"{EVE}-r2"}
    terms = sfn.describe_execution(executionArn=f"{WORKFLOW.replace(':stateMachine:', ':execution:')}:{EVE}-r2")
    assert json.loads(terms["input"])["replay"] is True
    assert json.loads(terms["input"])["reply_again"] is False


@pytest.mark.parametrize("act", ["replay", "release"])
def test_the_page_follows_a_new_execution_before_the_index_knows_it(web: Web, operator: TestClient, act: str) -> None:
    """The page of what the index knows would show the old outcome, and never turn."""
    sfn = boto3.client("stepfunctions", region_name=REGION)
    sfn.stop_execution(executionArn=f"{WORKFLOW.replace(':stateMachine:', ':execution:')}:{EVE}")
    boto3.client("s3", region_name=REGION).put_object(Bucket=BUCKET, Key=keys.quarantined(EVE), Body=b"x")
    done = operator.post(f"/messages/{EVE}/{act}", data={"form": web.own.form}, headers={"Origin": ORIGIN})
    assert f"execution={EVE}-r2" in done.headers["location"]
    assert f'name="execution" value="{EVE}-r2"' in operator.get(done.headers["location"]).text


def test_the_page_waits_for_an_execution_that_step_functions_does_not_know_yet(operator: TestClient) -> None:
    """DescribeExecution is eventually consistent (AWS Step Functions API Reference)."""
    page = operator.get(f"/messages/{EVE}?execution={EVE}-r2")
    assert f'name="execution" value="{EVE}"' in page.text
    assert 'id="what-happened" data-live' in page.text


def test_a_message_is_released_though_the_clock_here_is_ahead(
    web: Web, operator: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Ahead(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> Self:
            return super().now(tz) + timedelta(hours=1)

    monkeypatch.setattr(views, "datetime", Ahead)
    s3 = boto3.client("s3", region_name=REGION)
    s3.put_object(Bucket=BUCKET, Key=keys.quarantined(EVE), Body=b"x")
    done = operator.post(f"/messages/{EVE}/release", data={"form": web.own.form}, headers={"Origin": ORIGIN})
    assert "Quarantine%3A+released" in done.headers["location"]
    assert "Contents" not in s3.list_objects_v2(Bucket=BUCKET, Prefix=keys.quarantined(EVE))


def test_the_page_waits_for_a_redrive_that_is_not_in_the_history_yet(
    web: Web, operator: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    sfn = boto3.client("stepfunctions", region_name=REGION)
    sfn.stop_execution(executionArn=web.home.execution(EVE))
    monkeypatch.setattr(views, "_ON_ITS_WAY", timedelta(0))
    monkeypatch.setattr(failures, "redrive", lambda *_: failures.REDRIVEN)
    live = 'id="what-happened" data-live'
    assert live not in operator.get(f"/messages/{EVE}").text
    done = operator.post(f"/messages/{EVE}/redrive", data={"form": web.own.form}, headers={"Origin": ORIGIN})
    assert live in operator.get(done.headers["location"]).text
    one = email(2, "tickets")
    ended = seen(one, "SUCCEEDED", output=ended_as("replied"), started=NOW, redriven=NOW, redrives=1)
    indexing.record(message_index(), ended)
    assert live not in operator.get(done.headers["location"]).text


def test_every_answer_has_a_policy_that_lets_nothing_in_from_elsewhere(operator: TestClient) -> None:
    for path in ("/", f"/messages/{ANN}", "/nothing"):
        policy = operator.get(path).headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert "http" not in policy


def test_the_list_shows_the_newest_and_takes_filters(operator: TestClient) -> None:
    everything = operator.get("/").text
    assert "Order 4711" in everything
    assert "eve@evil.example" in everything
    assert "eve@evil.example" not in operator.get("/", params={"route": "orders"}).text
    assert "Order 4711" not in operator.get("/", params={"outcome": "failed"}).text
    assert "Order 4711" not in operator.get("/", params={"from": "eve@evil.example"}).text
    assert operator.get("/", params={"outcome": "nonsense"}).status_code == 400
    assert operator.get("/", params={"since": "nonsense"}).status_code == 400


def test_the_reference_that_a_sender_reads_out_leads_to_the_email(operator: TestClient) -> None:
    for name in (reference.spelled(ANN), ANN[:8]):
        found = operator.get("/", params={"email": name}, follow_redirects=False)
        assert (found.status_code, found.headers["location"]) == (303, f"/messages/{ANN}")
    unknown = operator.get("/", params={"email": "3333-3333"})
    assert unknown.status_code == 400
    assert "mailstep list shows the latest ones" in unknown.text


def test_the_list_says_why_an_email_ended_so_and_that_its_reply_bounced(operator: TestClient) -> None:
    for number, outcome, reason in ((3, "silent", "automatic_mail"), (4, "quarantined", "it is no email")):
        indexing.record(message_index(), seen(email(number), output=ended_as(outcome, reason)))
    message_index().change(ANN, lambda entry: entry.with_feedback(Feedback(kind="Bounce")))
    rows = re.findall(r'<td class="ended">(.*?)</td>', operator.get("/").text, re.DOTALL)
    told = {" ".join(re.sub("<[^>]+>", " ", row).split()) for row in rows}
    assert told == {"replied bounce", "failed", "silent automatic_mail", "quarantined"}


@pytest.mark.parametrize(
    ("status", "subject", "shown"),
    [("RUNNING", None, "(not read yet)"), ("FAILED", None, "(not read)"), ("FAILED", "", "(no subject)")],
)
def test_an_email_without_a_subject_is_told_from_one_that_is_not_read(
    operator: TestClient, status: str, subject: str | None, shown: str
) -> None:
    one = email(5)
    indexing.record(message_index(), seen(one, status))
    message_index().change(one.email_id, lambda entry: entry.model_copy(update={"subject": subject}))
    assert f'<a href="/messages/{one.email_id}">{shown}</a>' in operator.get("/").text
    assert f">{shown}</h1>" in operator.get(f"/messages/{one.email_id}").text


def test_a_page_of_the_list_leads_to_the_older_ones(operator: TestClient) -> None:
    for number in range(10, 70):
        one = email(number)
        stored = one.model_copy(update={"stored": NOW - timedelta(minutes=number)})
        indexing.record(message_index(), seen(stored, output=ended_as("replied")))
    shown: list[str] = []
    path = "/"
    while path:
        text = operator.get(path).text
        shown += re.findall(r'href="/messages/([^"]+)"', text)
        older = re.search(r'href="(/\?[^"]+)">Older', text)
        path = older[1].replace("&amp;", "&") if older else ""
    assert len(shown) == len(set(shown)) == 62


def test_a_message_is_shown_beside_its_answer(operator: TestClient) -> None:
    text = operator.get(f"/messages/{ANN}").text
    assert "Two lamps" in text
    assert "Thank you for 4711" in text
    assert "<svg viewBox" in text
    assert operator.get("/messages/unknown").status_code == 404


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    return requests_made(monkeypatch)


def test_no_page_goes_through_the_executions(operator: TestClient, asked: list[str]) -> None:
    asked.clear()
    assert operator.get("/").status_code == operator.get(f"/messages/{ANN}").status_code == 200
    assert {"Query", "GetExecutionHistory", "DescribeStateMachineForExecution"} <= set(asked)
    assert not {"ListExecutions", "Scan", "ListObjectsV2"} & set(asked)


def test_a_page_asks_aws_for_a_number_of_things_that_does_not_depend_on_the_mail(
    operator: TestClient, asked: list[str]
) -> None:
    def of_pages() -> list[list[str]]:
        found = []
        for path in ("/", f"/messages/{ANN}"):
            asked.clear()
            assert operator.get(path).status_code == 200
            found.append(list(asked))
        return found

    before = of_pages()
    assert len(before[0]) <= 8
    assert len(before[1]) <= 8
    for number in range(10, 130):
        stored = email(number).model_copy(update={"stored": NOW - timedelta(minutes=number)})
        indexing.record(message_index(), seen(stored, output=ended_as("replied")))
    assert of_pages() == before


@pytest.mark.parametrize(
    "command",
    [
        ("list",), ("list", "--outcome", "failed"), ("list", "--from", "ann@shop.example"),
        ("list", "--route", "orders"), ("show", ANN[:8]), ("stats", "--since", "3d"), ("history",), ("history", ANN),
        ("replay", ANN, "--json"),
    ],
    ids=" ".join,
)  # fmt: skip
def test_no_command_that_names_mail_goes_through_the_executions(
    web: Web, asked: list[str], monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...]
) -> None:
    for module in (finding, message_commands, executions):
        monkeypatch.setattr(module, "find", lambda _: web.home)
    sfn = boto3.client("stepfunctions", region_name=REGION)
    sfn.stop_execution(executionArn=web.home.execution(ANN))
    asked.clear()
    ended = CliRunner().invoke(app, [*command, "--stack", "mailstep"])
    assert ended.exit_code == 0, ended.output
    assert asked
    assert not {"ListExecutions", "Scan", "ListObjectVersions"} & set(asked)
    # The later answers of one email are one page of its own prefix.
    assert asked.count("ListObjectsV2") <= (command == ("history", ANN))


@pytest.mark.parametrize(
    ("form", "refused"),
    [
        ({"to": "someone@elsewhere.example"}, "is not an address of a route"),
        ({"to": "orders@mailstep.example", "subject": "a\nBcc: b@shop.example"}, "one line"),
    ],
)
def test_a_composed_message_goes_to_a_route_with_the_fields_of_the_form(form: dict[str, str], refused: str) -> None:
    with pytest.raises(UserError, match=refused):
        LocalMail(9, ("orders@mailstep.example",)).send({"from": "ann@shop.example"} | form)


class _Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


def tags(html: str) -> list[tuple[str, dict[str, str | None]]]:
    parser = _Tags()
    parser.feed(html)
    return parser.found


def test_what_a_sender_wrote_is_text_on_the_page(operator: TestClient) -> None:
    for path in ("/", f"/messages/{EVE}"):
        page = operator.get(path).text
        assert "\u202e" not in page
        assert "&lt;script&gt;alert" in page
        assert [attributes for tag, attributes in tags(page) if tag == "script"] == [{"src": "/page.js", "defer": None}]


def test_the_html_of_a_message_is_in_a_frame_that_can_do_nothing(operator: TestClient) -> None:
    [frame] = [attributes for tag, attributes in tags(operator.get(f"/messages/{EVE}").text) if tag == "iframe"]
    # An empty sandbox allows no script, form, popup, navigation of the top, or origin (HTML Standard, 4.8.5).
    assert frame["sandbox"] == ""
    inner = operator.get(frame["src"] or "")
    policy = inner.headers["content-security-policy"]
    for directive in ("default-src 'none'", "form-action 'none'", "base-uri 'none'", "sandbox"):
        assert directive in policy
    assert "allow-" not in policy
    assert "evil.example" not in inner.text
    assert {tag for tag, _ in tags(inner.text)} & {"script", "form", "iframe", "base", "link"} == set()
    assert "Hello" in inner.text


def test_a_page_is_live_until_the_index_knows_the_end_that_the_history_has(
    operator: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else a message whose redrive ended before its event came would be shown as failed until a reload."""
    line = _line("ParseEmail")
    monkeypatch.setattr(history, "fetch", lambda *_: line)
    indexed = message_index().get(EVE)
    assert indexed
    for ended, live in (
        (indexed.executions[0].ended, False),
        (datetime.now(UTC) + timedelta(seconds=30), True),
        (NOW - timedelta(minutes=10), False),
        (None, True),
    ):
        line.ended = ended
        assert ('id="what-happened" data-live' in operator.get(f"/messages/{EVE}").text) is live, ended


@pytest.mark.parametrize("path", ["raw", "attachments/1"])
def test_files_are_saved_and_never_shown(operator: TestClient, path: str) -> None:
    answer = operator.get(f"/messages/{EVE}/{path}")
    assert answer.headers["content-disposition"].startswith("attachment; filename*=UTF-8''")
    assert '"' not in answer.headers["content-disposition"]
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.content


@pytest.mark.parametrize("number", [0, 2, 99])
def test_a_file_that_is_not_there_is_not_found(operator: TestClient, number: int) -> None:
    assert operator.get(f"/messages/{EVE}/attachments/{number}").status_code == 404


def test_mail_can_be_written_on_a_local_account_only(web: Web, operator: TestClient) -> None:
    assert operator.get("/compose").status_code == 404
    sent = operator.post("/compose", data={"form": web.own.form}, headers={"Origin": ORIGIN})
    assert sent.status_code in {404, 405}


def _line(*names: str) -> history.Timeline:
    states = [
        history.State(name, NOW, [history.Attempt(NOW, NOW)], left=NOW + timedelta(seconds=number))
        for number, name in enumerate(names)
    ]
    return history.Timeline(NOW, states=states, ended=NOW)


@pytest.fixture
def caught() -> Graph:
    """The real workflow, of a message that could not be read."""
    line = _line("ParseEmail", "QuarantineEmail", "CheckSender", "ChooseAlert", "EndInQuarantine")
    line.states[0].attempts[0].error = "UnreadableEmail"
    line.states[0].caught_by = "QuarantineEmail"
    return lay_out(DEFINITION, line)


def test_the_graph_has_every_state_and_transition_of_the_definition(caught: Graph) -> None:
    assert {box.name for box in caught.boxes} == set(DEFINITION["States"])
    transitions = set(re.findall(r'"(?:Next|Default)": "(\w+)"', json.dumps(DEFINITION)))
    assert {line.edge.target for line in caught.lines} == transitions


def test_the_taken_path_is_marked_and_a_catch_is_told_from_a_transition(caught: Graph) -> None:
    taken = {(one.edge.source, one.edge.target, one.edge.caught) for one in caught.lines if one.taken}
    assert taken == {
        ("ParseEmail", "QuarantineEmail", True),
        ("QuarantineEmail", "CheckSender", False),
        ("CheckSender", "ChooseAlert", False),
        ("ChooseAlert", "EndInQuarantine", False),
    }
    words = {box.name: box.word for box in caught.boxes if box.word}
    assert words["ParseEmail"] == "caught"
    assert words["EndInQuarantine"] == "ok"
    assert "SendReply" not in words


def test_no_state_covers_another_and_each_is_within_the_picture(caught: Graph) -> None:
    width, height = caught.box_width, caught.box_height
    for box in caught.boxes:
        assert 0 <= box.x <= caught.width - width
        assert 0 <= box.y <= caught.height - height
        for other in caught.boxes:
            apart = abs(box.x - other.x) >= width or abs(box.y - other.y) >= height
            assert box is other or apart, (box.name, other.name)


def test_the_path_of_an_answered_message_is_straight(caught: Graph) -> None:
    """README.md, the picture: parse, validate, process, reply."""
    middles = {box.name: box.x for box in caught.boxes}
    answered = ("ParseEmail", "ValidateEmail", "ChooseProcessor", "ProcessEmail", "ChooseReply", "SendReply")
    assert len({middles[name] for name in answered}) == 1


def test_a_circle_and_a_state_that_leads_to_itself_are_drawn() -> None:
    states = {"A": {"Next": "B"}, "B": {"Next": "A", "Catch": [{"Next": "B"}]}, "Alone": {}}
    graph = lay_out({"StartAt": "A", "States": states})
    assert {(one.edge.source, one.edge.target) for one in graph.lines} == {("A", "B"), ("B", "A"), ("B", "B")}


def test_the_file_has_all_in_itself(web: Web, caught: Graph, tmp_path: Path) -> None:
    line = _line("ParseEmail")
    line.other_events["NewKindOfEvent"] = 2
    entry = message_index().get(EVE)
    assert entry
    page = pages.html_file(
        EVE,
        pages.run(EVE, line, DEFINITION),
        showing.gather(web.home, entry),
        {"message": document(HOSTILE, {}), "answer": ""},
    )
    assert "NewKindOfEvent (2)" in page
    loading = [(tag, name) for tag, found in tags(page) for name in ("src", "href", "action") if found.get(name)]
    assert loading == []
    [frame] = [found for tag, found in tags(page) if tag == "iframe"]
    assert frame["sandbox"] == ""
    assert "evil.example" not in (frame["srcdoc"] or "evil.example")
    assert "default-src 'none'" in page


def test_a_picture_in_the_html_itself_is_kept() -> None:
    assert '<img src="data:image/png;base64,AAAA"' in document("<img src='data:image/png;base64,AAAA'>", {})
