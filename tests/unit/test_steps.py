"""The steps against moto: what each leaves in S3, what it answers, and what AWS's faults become.

Over 300 lines, because every handler runs here after the one before it.
"""

import io
import json
import resource
import signal
import time
from email import message_from_string
from email.header import decode_header, make_header
from email.policy import compat32
from email.utils import getaddresses
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import boto3
import pytest
from aws_lambda_powertools.utilities.idempotency.exceptions import IdempotencyAlreadyInProgressError
from botocore.exceptions import (
    ClientError,
    EndpointConnectionError,
    FlexibleChecksumError,
    IncompleteReadError,
    ReadTimeoutError,
    ResponseStreamingError,
)
from moto.core import DEFAULT_ACCOUNT_ID
from moto.sesv2.models import sesv2_backends

from mailstep import limits, routes
from mailstep.aws import clients, mail_bucket, ses
from mailstep.contracts import Answer, Message, StoredEmail
from mailstep.errors import (
    ApplicationRefused,
    ConfigurationError,
    MalformedAnswer,
    RefusedEmail,
    ReplyRejected,
    SendUnconfirmed,
    TransientError,
    UnreadableEmail,
)
from mailstep.parse import handler as parse_handler
from mailstep.process import handler as process_handler
from mailstep.process.built_in import Processor
from mailstep.process.processors import OpenAttachment
from mailstep.reply import handler as reply_handler
from mailstep.reply import send_once
from mailstep.route import Route
from mailstep.validate import handler as validate_handler
from tests.support.events import BUCKET, CONTEXT, REGION, event

pytestmark = pytest.mark.usefixtures("account")
NOTHING_SENT = {"ses_message_id": None, "already_sent": False}


def test_the_samples_lead_from_step_to_step() -> None:
    assert parse_handler.handler(event("parse"), CONTEXT) == event("validate")["claim"]
    assert validate_handler.handler(event("validate"), CONTEXT) == event("process")["claim"]
    assert process_handler.handler(event("process"), CONTEXT) == {"answer_key": event("reply")["answer_key"]}
    assert reply_handler.handler(event("reply"), CONTEXT)["ses_message_id"]


def test_state_carries_no_text_of_the_message() -> None:
    claim = json.dumps(parse_handler.handler(event("parse"), CONTEXT))
    assert "Linen shirt" not in claim
    assert "Good morning" not in claim
    assert len(claim) < 2_000


def test_a_route_at_fault_stops_its_own_mail_only(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "routes.toml"
    faulty = '[routes.orders]\nprocessor = "tables"\n[routes.sales]\nallowed_senders = ["shop.example"]\n'
    file.write_text(f'{faulty}[routes.cash]\nreply_name = "Cash $ Carry"\nreply_from = "cash@mailstep.example"\n')
    monkeypatch.setattr(routes, "ROUTES_FILE", file)
    parse_handler.handler(event("parse"), CONTEXT)
    for route in ("orders", "cash"):
        request = event("validate")
        request["claim"]["email"]["route"] = route
        assert validate_handler.handler(request, CONTEXT)["email"]["route"] == route
    for step, request in (
        (validate_handler, event("validate")),
        (process_handler, event("process")),
        (reply_handler, event("reply")),
    ):
        request["claim"]["email"]["route"] = "sales"
        with pytest.raises(ConfigurationError, match=r"^routes.toml, line 4: routes.sales.allowed_senders: "):
            step.handler(request, CONTEXT)
    assert send_once.sender_of("cash").display_name == "Cash $ Carry"


def test_our_own_addresses_include_those_of_faulty_routes_in_canonical_form(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = tmp_path / "routes.toml"
    file.write_text("[routes.a]\n[routes.b]\nurl = 'x'\n[routes.c]\nreply_from = 'Desk@Bücher.example'\n")
    monkeypatch.setattr(routes, "ROUTES_FILE", file)
    monkeypatch.setenv("DOMAIN", "xn--bcher-kva.example")
    monkeypatch.setenv("REPLY_FROM", "Office@bücher.example")
    own = routes.own_addresses("bücher.example", "Office@bücher.example")
    assert own == {f"{name}@xn--bcher-kva.example" for name in ("a", "b", "c", "desk", "office")}
    assert send_once.sender_of("a").addr_spec == "Office@xn--bcher-kva.example"


def processed_by(monkeypatch: pytest.MonkeyPatch, processor: Processor) -> Any:
    parse_handler.handler(event("parse"), CONTEXT)
    monkeypatch.setattr("mailstep.process.dispatch.built_in", lambda _name: processor)
    return process_handler.handler(event("process"), CONTEXT)


def test_a_processor_that_wants_no_reply_ends_as_an_application_that_answers_204(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert processed_by(monkeypatch, lambda *_: None) == {"answer_key": None}


def test_the_reason_of_a_processor_reaches_the_sender_by_the_bucket_and_never_the_state(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(_message: Message, _open_attachment: OpenAttachment) -> Answer:
        raise ApplicationRefused("Ann, please attach your order.")

    with pytest.raises(ApplicationRefused) as caught:
        processed_by(monkeypatch, refuse)
    told = json.loads(str(caught.value))
    assert (told["reason"], told["tell_sender"], told["explanation"]) == ("application_refused", True, None)
    assert "Ann, please attach your order." in mail_bucket.read_answer(BUCKET, told["answer_key"]).text


def test_an_answer_of_the_queues_consumer_is_read_as_leniently_as_one_by_http() -> None:
    boto3.client("s3", region_name=REGION).put_object(
        Bucket=BUCKET, Key="answers/1.json", Body=b'\xef\xbb\xbf{"Text": "Done.", "attachments": null, "id": 7}'
    )
    assert mail_bucket.read_answer(BUCKET, "answers/1.json") == Answer(text="Done.")


def test_an_answer_of_the_queues_consumer_that_cannot_be_read_fails_by_its_name() -> None:
    boto3.client("s3", region_name=REGION).put_object(Bucket=BUCKET, Key="answers/1.json", Body=b"<html>")
    with pytest.raises(MalformedAnswer, match="not JSON"):
        mail_bucket.read_answer(BUCKET, "answers/1.json")


def test_a_second_run_of_the_reply_sends_nothing_and_says_so() -> None:
    for step, name in ((parse_handler, "parse"), (process_handler, "process")):
        step.handler(event(name), CONTEXT)
    first = reply_handler.handler(event("reply"), CONTEXT)
    assert first["already_sent"] is False
    assert reply_handler.handler(event("reply"), CONTEXT) == first | {"already_sent": True}
    failure = event("reply") | {"kind": "failure", "answer_key": None}
    assert reply_handler.handler(failure, CONTEXT) != first


@pytest.mark.parametrize("kind", ["delay", "failure"])
def test_only_a_notice_that_ses_may_have_accepted_makes_the_sender_wait(
    monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    parse_handler.handler(event("parse"), CONTEXT)
    notice = event("reply") | {"kind": kind, "answer_key": None}
    done = event("reply") | {"kind": "completion", "answer_key": None}
    for error in (ReplyRejected("MessageRejected"), SendUnconfirmed("SES did not answer")):

        def fail(*_: object, error: Exception = error, **__: object) -> str:
            raise error

        with monkeypatch.context() as broken:
            broken.setattr(ses, "send", fail)
            with pytest.raises(type(error)):
                reply_handler.handler(notice, CONTEXT)
        answered = reply_handler.handler(done, CONTEXT)["ses_message_id"]
        assert bool(answered) == isinstance(error, SendUnconfirmed)


def test_a_completion_is_sent_only_to_a_sender_who_was_told_to_wait() -> None:
    parse_handler.handler(event("parse"), CONTEXT)
    done = event("reply") | {"kind": "completion", "answer_key": None}
    assert reply_handler.handler(done, CONTEXT) == NOTHING_SENT
    delay = event("reply") | {"kind": "delay", "answer_key": None}
    assert reply_handler.handler(delay, CONTEXT)["ses_message_id"]
    replayed = done | {"execution_name": "its replay"}
    assert reply_handler.handler(replayed, CONTEXT)["ses_message_id"]


def test_a_reply_under_way_elsewhere_is_not_sent_beside_it(monkeypatch: pytest.MonkeyPatch) -> None:
    parse_handler.handler(event("parse"), CONTEXT)
    process_handler.handler(event("process"), CONTEXT)
    seen: list[type] = []

    def send_again(**_: object) -> str:
        with pytest.raises(IdempotencyAlreadyInProgressError):
            reply_handler.handler(event("reply"), CONTEXT)
        seen.append(IdempotencyAlreadyInProgressError)
        return "ses-1"

    monkeypatch.setattr(send_once, "_send", send_again)
    assert reply_handler.handler(event("reply"), CONTEXT)["ses_message_id"] == "ses-1"
    assert seen


@pytest.mark.parametrize("seconds", [9_000, 18_000])
def test_another_attempt_may_send_only_after_the_time_of_this_one(
    monkeypatch: pytest.MonkeyPatch, seconds: int
) -> None:
    for step, name in ((parse_handler, "parse"), (process_handler, "process")):
        step.handler(event(name), CONTEXT)
    reserved: list[float] = []

    def see_the_record(**_: object) -> str:
        records = boto3.client("dynamodb", region_name=REGION).scan(TableName="ledger")["Items"]
        reserved.extend(int(record["in_progress_expiration"]["N"]) / 1_000 - time.time() for record in records)
        return "ses-1"

    monkeypatch.setattr(send_once, "_send", see_the_record)
    context = SimpleNamespace(**vars(CONTEXT) | {"get_remaining_time_in_millis": lambda: seconds * 1_000})
    reply_handler.handler(event("reply"), cast("Any", context))
    assert reserved == [pytest.approx(seconds, abs=600)]


def test_a_message_that_takes_parse_too_long_is_unreadable(monkeypatch: pytest.MonkeyPatch) -> None:
    def endless(*_arguments: object) -> None:
        while True:
            pass

    before = resource.getrlimit(resource.RLIMIT_DATA), signal.getsignal(signal.SIGALRM)
    monkeypatch.setattr("mailstep.parse.message.structure", endless)
    soon: Any = SimpleNamespace(**vars(CONTEXT) | {"get_remaining_time_in_millis": lambda: 1_000})
    with pytest.raises(UnreadableEmail, match="more time than a message may"):
        parse_handler.handler(event("parse"), soon)
    assert (resource.getrlimit(resource.RLIMIT_DATA), signal.getsignal(signal.SIGALRM)) == before


def test_a_message_that_is_gone_or_empty_or_too_large_is_unreadable(monkeypatch: pytest.MonkeyPatch) -> None:
    s3 = boto3.client("s3", region_name=REGION)
    email = StoredEmail(**event("parse"))
    monkeypatch.setattr(limits, "MESSAGE_OCTETS", 100)
    with pytest.raises(UnreadableEmail, match="more than 100 octets"):
        mail_bucket.read_raw(email)
    s3.put_object(Bucket=BUCKET, Key=email.key, Body=b" \r\n")
    with pytest.raises(UnreadableEmail, match="empty"):
        mail_bucket.read_raw(email)
    s3.delete_object(Bucket=BUCKET, Key=email.key)
    with pytest.raises(UnreadableEmail, match="not there"):
        mail_bucket.read_raw(email)


def test_an_email_is_read_although_the_version_of_its_event_is_gone() -> None:
    s3 = boto3.client("s3", region_name=REGION)
    s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    email = StoredEmail(**event("parse"))
    first = s3.put_object(Bucket=BUCKET, Key=email.key, Body=b"Subject: the first version")["VersionId"]
    s3.put_object(Bucket=BUCKET, Key=email.key, Body=b"Subject: a copy in place")
    named = email.model_copy(update={"version_id": first})
    assert mail_bucket.read_raw(named) == b"Subject: the first version"
    s3.delete_object(Bucket=BUCKET, Key=email.key, VersionId=first)
    assert mail_bucket.read_raw(named) == b"Subject: a copy in place"


def test_a_raw_message_is_read_without_a_length(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clients.client("s3"), "get_object", lambda **_: {"Body": io.BytesIO(b"Subject: x")})
    assert mail_bucket.read_raw(StoredEmail(**event("parse"))) == b"Subject: x"


def test_a_refusal_names_reason_and_sender_for_the_state_machine() -> None:
    parse_handler.handler(event("parse"), CONTEXT)
    key = event("validate")["claim"]["message_key"]
    s3 = boto3.client("s3", region_name=REGION)
    message = json.loads(s3.get_object(Bucket=BUCKET, Key=key)["Body"].read())
    s3.put_object(Bucket=BUCKET, Key=key, Body=json.dumps(message | {"from": []}))
    with pytest.raises(RefusedEmail) as caught:
        validate_handler.handler(event("validate"), CONTEXT)
    assert json.loads(str(caught.value)).keys() == {"reason", "tell_sender", "explanation", "answer_key", "withheld"}


@pytest.mark.parametrize(
    ("code", "status", "transient"),
    [
        ("SlowDown", 503, True),
        ("ThrottlingException", 400, True),
        ("InternalError", 500, True),
        ("AccessDenied", 403, False),
        # RFC 6585 section 4: 429 is throttling, whatever a service calls it.
        ("MaxMessageRateExceeded", 429, True),
        ("", 429, True),
    ],
)  # fmt: skip
def test_faults_of_aws_become_what_the_workflow_knows(code: str, status: int, transient: bool) -> None:
    response: Any = {"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}
    with pytest.raises(TransientError if transient else ClientError), clients.transient_faults():
        raise ClientError(response, "GetObject")


@pytest.mark.parametrize(
    "fault",
    [
        EndpointConnectionError(endpoint_url="https://s3"),
        ResponseStreamingError(error="reset"),
        IncompleteReadError(actual_bytes=1, expected_bytes=2),
        FlexibleChecksumError(error_msg="other"),
    ],
)
def test_a_network_fault_is_transient(fault: Exception) -> None:
    with pytest.raises(TransientError), clients.transient_faults():
        raise fault


def test_links_to_attachments_are_signed_for_the_buckets_own_region(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    link = mail_bucket.link(BUCKET, "parsed/m/attachments/1", seconds=60)
    assert link.startswith(f"https://{BUCKET}.s3.eu-central-1.amazonaws.com/parsed/m/attachments/1?")
    assert "X-Amz-Algorithm=AWS4-HMAC-SHA256" in link
    assert "X-Amz-Expires=60" in link


@pytest.mark.parametrize("operation", ["PutItem", "UpdateItem"])
def test_a_throttled_ledger_is_transient(monkeypatch: pytest.MonkeyPatch, operation: str) -> None:
    import botocore.client  # noqa: PLC0415

    for step, name in ((parse_handler, "parse"), (process_handler, "process")):
        step.handler(event(name), CONTEXT)
    call = botocore.client.BaseClient._make_api_call  # type: ignore[attr-defined]

    def throttled(self: Any, name: str, arguments: Any) -> Any:
        if name == operation:
            fault: Any = {"Error": {"Code": "ThrottlingException"}, "ResponseMetadata": {"HTTPStatusCode": 400}}
            raise ClientError(fault, name)
        return call(self, name, arguments)

    monkeypatch.setattr(botocore.client.BaseClient, "_make_api_call", throttled)
    with pytest.raises(TransientError, match="ledger"):
        reply_handler.handler(event("reply"), CONTEXT)


@pytest.fixture
def ready(account: None) -> None:
    """The sample, parsed and processed."""
    for step, name in ((parse_handler, "parse"), (process_handler, "process")):
        step.handler(event(name), CONTEXT)


@pytest.fixture
def ses_answers(monkeypatch: pytest.MonkeyPatch) -> Any:
    import botocore.client  # noqa: PLC0415

    call = botocore.client.BaseClient._make_api_call  # type: ignore[attr-defined]

    def answer(code: str, text: str = "", status: int = 400) -> None:
        def refusing(self: Any, name: str, arguments: Any) -> Any:
            if name == "SendEmail":
                fault: Any = {"Error": {"Code": code, "Message": text}, "ResponseMetadata": {"HTTPStatusCode": status}}
                raise ClientError(fault, name)
            return call(self, name, arguments)

        monkeypatch.setattr(botocore.client.BaseClient, "_make_api_call", refusing)

    return answer


_UNVERIFIED = "Email address is not verified. The following identities failed the check in region US-EAST-1: "
REJECTIONS = [
    ("MessageRejected", f"{_UNVERIFIED}orders@mailstep.example, ann@shop.example", "SenderNotVerified"),
    ("MessageRejected", f"{_UNVERIFIED}mailstep.example", "SenderNotVerified"),
    ("MessageRejected", f"{_UNVERIFIED}ann@shop.example", "AccountInSandbox"),
    ("MessageRejected", "Attachment name for ann@shop.example is invalid", "ReplyContentRejected"),
    ("BadRequestException", "Local address contains control or whitespace: ann@shop.example", "ReplyContentRejected"),
    ("MailFromDomainNotVerifiedException", "", "MailFromDomainNotVerified"),
    ("AccountSuspendedException", "", "SendingPaused"),
    ("SendingPausedException", "", "SendingPaused"),
    ("NotFoundException", "Configuration set <x> does not exist.", "ConfigurationSetMissing"),
]


@pytest.mark.parametrize(("code", "text", "remedy"), REJECTIONS)
def test_an_error_of_ses_names_the_remedy_and_not_the_recipient(
    ready: None, ses_answers: Any, code: str, text: str, remedy: str
) -> None:
    ses_answers(code, text)
    with pytest.raises(ReplyRejected) as caught:
        reply_handler.handler(event("reply"), CONTEXT)
    assert type(caught.value).__name__ == remedy
    assert code in str(caught.value)
    assert "redrive" in str(caught.value)
    assert "ann@" not in str(caught.value)


def test_a_rejection_of_ses_without_a_word_is_one_too(ready: None, monkeypatch: pytest.MonkeyPatch) -> None:
    def rejecting(**_call: Any) -> None:
        raise ClientError({"Error": {"Code": "MessageRejected"}}, "SendEmail")

    monkeypatch.setattr(ses.client(), "send_email", rejecting)
    with pytest.raises(ReplyRejected, match="MessageRejected"):
        reply_handler.handler(event("reply"), CONTEXT)


@pytest.mark.parametrize(
    ("code", "status"), [("TooManyRequestsException", 429), ("LimitExceededException", 400), ("InternalFailure", 500)]
)
def test_what_ses_cannot_take_now_is_tried_again(ready: None, ses_answers: Any, code: str, status: int) -> None:
    ses_answers(code, status=status)
    with pytest.raises(TransientError):
        reply_handler.handler(event("reply"), CONTEXT)


def test_what_ses_may_have_taken_is_not_sent_again_at_once(ready: None, monkeypatch: pytest.MonkeyPatch) -> None:
    def silent(**_call: Any) -> None:
        raise ReadTimeoutError(endpoint_url="https://email.us-east-1.amazonaws.com")

    monkeypatch.setattr(ses.client(), "send_email", silent)
    with pytest.raises(SendUnconfirmed, match="SES did not answer: ReadTimeoutError"):
        reply_handler.handler(event("reply"), CONTEXT)
    config: Any = ses.client().meta.config
    assert config.retries["total_max_attempts"] == 1, "boto3 repeats nothing by itself"
    assert config.connect_timeout + config.read_timeout < 60, (
        "below ReplyFunction's Timeout, so that the step can say so"
    )
    assert config.read_timeout >= 45, "SES scans a reply of 40 MB before it answers"


def test_the_reply_goes_to_the_sender_alone_by_the_configuration_set(
    ready: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[dict[str, Any]] = []

    def send(**call: Any) -> dict[str, str]:
        sent.append(call)
        return {"MessageId": "ses-1"}

    monkeypatch.setattr(ses.client(), "send_email", send)
    reply_handler.handler(event("reply"), CONTEXT)
    [call] = sent
    assert call["Destination"] == {"ToAddresses": ["ann@shop.example"]}
    assert call["ConfigurationSetName"] == "mailstep-replies"
    # It would replace the message's own From field.
    assert "FromEmailAddress" not in call
    assert call["FeedbackForwardingEmailAddress"] == "bounces@mailstep.example"


def test_no_reply_goes_to_an_unauthenticated_sender(ready: None, ses_answers: Any) -> None:
    ses_answers("InternalFailure", status=500)
    key = event("validate")["claim"]["message_key"]
    s3 = boto3.client("s3", region_name=REGION)
    message = json.loads(s3.get_object(Bucket=BUCKET, Key=key)["Body"].read())
    unproven = message | {"verdicts": message["verdicts"] | {"dmarc": "fail", "spf": "fail", "dkim": "fail"}}
    s3.put_object(Bucket=BUCKET, Key=key, Body=json.dumps(unproven))
    assert reply_handler.handler(event("reply"), CONTEXT) == NOTHING_SENT


@pytest.mark.parametrize("kind", ["answer", "refusal", "delay", "failure", "completion"])
def test_a_rule_that_withholds_the_reply_withholds_every_kind(ready: None, kind: str) -> None:
    if kind == "completion":
        reply_handler.handler(event("reply") | {"kind": "delay", "answer_key": None}, CONTEXT)
    request = event("reply") | {"kind": kind}
    request["claim"]["withheld"] = "automatic_mail"
    assert reply_handler.handler(request, CONTEXT) == NOTHING_SENT
    request["claim"]["withheld"] = None
    assert reply_handler.handler(request, CONTEXT)["ses_message_id"]


def test_a_message_whose_reply_is_withheld_passes_validation_with_the_rules_code(ready: None) -> None:
    key = event("validate")["claim"]["message_key"]
    s3 = boto3.client("s3", region_name=REGION)
    message = json.loads(s3.get_object(Bucket=BUCKET, Key=key)["Body"].read())
    s3.put_object(Bucket=BUCKET, Key=key, Body=json.dumps(message | {"headers": [["List-Id", "<x.example>"]]}))
    assert validate_handler.handler(event("validate"), CONTEXT)["withheld"] == "automatic_mail"


def test_each_kind_of_reply_is_sent_once_an_email_unless_a_replay_asks_for_another(ready: None) -> None:
    def run(kind: str, execution: str, *, again: bool = False) -> str:
        request = event("reply") | {"kind": kind, "execution_name": execution}
        request["claim"]["email"]["reply_again"] = again
        answer: str = reply_handler.handler(request, CONTEXT)["ses_message_id"]
        return answer

    kinds = ("answer", "refusal", "delay", "failure")
    first = {kind: run(kind, "e") for kind in kinds}
    assert len(set(first.values())) == len(kinds)
    assert {kind: run(kind, "e-r2") for kind in kinds} == first
    again = {kind: run(kind, "e-r3", again=True) for kind in kinds}
    assert not set(again.values()) & set(first.values())
    assert {kind: run(kind, "e-r3", again=True) for kind in kinds} == again


@pytest.mark.parametrize(
    ("setting", "stack", "comes_from"),
    [
        ("", "", "orders@mailstep.example"),
        ("", "office@mailstep.example", "office@mailstep.example"),
        ("sales@mailstep.example", "office@mailstep.example", "sales@mailstep.example"),
    ],
)
def test_a_route_names_where_its_replies_come_from(
    monkeypatch: pytest.MonkeyPatch, setting: str, stack: str, comes_from: str
) -> None:
    monkeypatch.setenv("REPLY_FROM", stack)
    monkeypatch.setattr(send_once, "routes", lambda: {"orders": Route(reply_from=setting, reply_name="Bürobedarf")})
    sender = send_once.sender_of("orders")
    assert (sender.addr_spec, sender.display_name) == (comes_from, "Bürobedarf")


@pytest.mark.parametrize("address", ["orders@elsewhere.example", "orders@sub.mailstep.example", "orders", "a b@c@d"])
def test_a_reply_never_comes_from_outside_the_domain(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    monkeypatch.setenv("REPLY_FROM", address)
    with pytest.raises(ConfigurationError, match="'orders'"):
        send_once.sender_of("orders")
    # routes.toml is checked already; a route that was removed while its email was processed is not in it any more.
    monkeypatch.setattr(send_once, "routes", dict)
    with pytest.raises(ConfigurationError, match="'orders'"):
        send_once.sender_of("orders")


NAMES = [
    "",
    "Orders",
    "Ünïted, Inc.",
    'Say "hi", Bob',
    "Cash & Carry (North)",
    "back\\slash; <a@b.example>, c",
    "Smith, Jones & Partners, Limited Liability Company of the North, the South, and Sons, Inc.",
    "Smith, Jönes & Partners, Limited Liability Company of the North, the South, and Sons, Inc.",
    "注文を受け付ける部署の、とても長い名前、" * 3,
]


@pytest.mark.parametrize("name", NAMES)
def test_ses_is_given_the_routes_display_name_and_address(
    ready: None, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """RFC 5322 section 3.4, read as RFC 2047 says, by the older of Python's two parsers: it wrote nothing of this."""
    monkeypatch.setattr(send_once, "routes", lambda: {"orders": Route(reply_name=name)})
    reply_handler.handler(event("reply"), CONTEXT)
    [sent] = sesv2_backends[DEFAULT_ACCOUNT_ID][REGION].core_backend.sent_messages
    assert sent.source == "orders@mailstep.example", (
        "SES reads the sender from the From field, without FromEmailAddress"
    )
    field = message_from_string(sent.raw_data, policy=compat32)["From"]
    [(shown, address)] = getaddresses([field.replace("\r\n", "").replace("\n", "")])
    assert (str(make_header(decode_header(shown))), address) == (name, "orders@mailstep.example")
    lines = field.splitlines()
    assert all(len(line) <= 76 for line in lines if "=?" in line), "RFC 2047 section 2"
