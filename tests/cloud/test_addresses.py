"""The addresses of routes and a thread, through the local SES, by the rules of receiving.yaml as deployed."""

import json
import smtplib
from collections.abc import Iterator
from email import message_from_bytes
from email.message import EmailMessage
from email.utils import make_msgid
from typing import Any

import pytest
import urllib3

from mailstep.contracts import Message
from mailstep_local.cloud import DOMAIN, LocalCloud
from mailstep_local.deployment import RECEIVING_STACK, STACK, route_names
from tests.support.cloud import Application, Desk, eventually, execution_arn, role_without
from tests.support.deployed_code import deployed_with
from tests.support.permissions import THREADING
from tests.support.project import PROJECT
from tests.support.receiving_stack import Stack

# feedback and first.last have the same processor.
ROUTES = (
    (PROJECT / "functions" / "routes.toml")
    .read_text()
    .replace("[routes.application]", "[routes.application]\nthread = true")
    + """
[routes."first.last"]
processor = "receipt"

[routes.all_else]
catch_all = true
"""
)


@pytest.fixture(scope="module")
def cloud_with_all_addresses(cloud: LocalCloud) -> Iterator[LocalCloud]:
    """The cloud with a route whose name has a dot, and a catch-all route: code and receiving stack."""
    receiving, names = Stack(cloud, RECEIVING_STACK, cloud.account.region), ",".join(route_names())
    with deployed_with(cloud, {"routes.toml": ROUTES}):
        given = {"Domain": DOMAIN, "Routes": f"{names},first.last"}
        assert receiving.change("update", CatchAllRoute="all_else", **given) == "UPDATE_COMPLETE", receiving.failures()
        yield cloud
        assert receiving.change("update", Domain=DOMAIN, Routes=names) == "UPDATE_COMPLETE", receiving.failures()
        cloud.account.client("s3").delete_objects(
            Bucket=cloud.outputs["MailBucketName"],
            Delete={
                "Objects": [
                    {"Key": found["Key"]}
                    for prefix in ("inbound/first.last/", "inbound/all_else/")
                    for found in listed(cloud, prefix)
                ]
            },
        )


def listed(cloud: LocalCloud, prefix: str) -> list[Any]:
    found: list[Any] = (
        cloud.account.client("s3")
        .list_objects_v2(Bucket=cloud.outputs["MailBucketName"], Prefix=prefix)
        .get("Contents", [])
    )
    return found


def deliver(cloud: LocalCloud, *recipients: str, **fields: str) -> str:
    """Send a message in one SMTP transaction; answer SES's id of it."""
    mail = EmailMessage()
    mail["From"], mail["Subject"] = "ann@shop.example", f"To {', '.join(recipients)}"
    mail["Message-ID"] = make_msgid(domain="shop.example")
    for name, value in fields.items():
        mail[name.replace("_", "-")] = value
    mail.set_content("Good morning")
    with smtplib.SMTP("127.0.0.1", cloud.smtp_port, timeout=60) as smtp:
        smtp.ehlo("mx.shop.example")
        smtp.mail("ann@shop.example")
        assert [smtp.rcpt(recipient)[0] for recipient in recipients] == [250] * len(recipients)
        return smtp.data(mail.as_bytes())[1].decode().rpartition(" ")[2]


def outcomes(cloud: LocalCloud, desk: Desk, ses_message_id: str, number: int) -> dict[str, dict[str, Any]]:
    """What became of a delivery, by route, once all its executions have ended."""
    assert eventually(lambda: len(desk.executions(ses_message_id, "SUCCEEDED")) == number, seconds=180)
    sfn, machine = cloud.account.client("stepfunctions"), cloud.outputs["StateMachineArn"]
    found = {}
    for name in desk.executions(ses_message_id):
        arn = f"{machine.replace(':stateMachine:', ':execution:')}:{name}"
        output = json.loads(sfn.describe_execution(executionArn=arn)["output"])
        found[output["route"]] = output
    return found


def parsed(cloud: LocalCloud, output: dict[str, Any]) -> Message:
    stored = cloud.account.client("s3").get_object(
        Bucket=cloud.outputs["MailBucketName"], Key=f"parsed/{output['email_id']}/message.json"
    )
    return Message.model_validate_json(stored["Body"].read())


def test_a_label_is_a_reply_token(cloud_with_all_addresses: LocalCloud, desk: Desk) -> None:
    cloud = cloud_with_all_addresses
    desk.forget_deliveries()
    sent = deliver(cloud, f"orders+4711@{DOMAIN}", To=f"orders@{DOMAIN}")
    ended = outcomes(cloud, desk, sent, 2)["orders"]
    assert ended["outcome"] == "replied"
    recipient = parsed(cloud, ended).recipient
    assert recipient is not None
    assert (recipient.address, recipient.label) == (f"orders+4711@{DOMAIN}", "4711")


def test_a_name_with_a_dot_is_an_address_and_a_prefix(cloud_with_all_addresses: LocalCloud, desk: Desk) -> None:
    desk.forget_deliveries()
    sent = deliver(cloud_with_all_addresses, f"first.last@{DOMAIN}", To=f"first.last@{DOMAIN}")
    ended = outcomes(cloud_with_all_addresses, desk, sent, 2)
    assert ended["first.last"]["outcome"] == "replied"
    assert (ended["all_else"]["outcome"], ended["all_else"]["reason"]) == ("silent", "other_route")


def test_a_catch_all_route_gets_what_no_other_route_has(cloud_with_all_addresses: LocalCloud, desk: Desk) -> None:
    rules = cloud_with_all_addresses.account.client("ses").describe_active_receipt_rule_set()["Rules"]
    assert rules[-1]["Recipients"] == [DOMAIN]
    desk.forget_deliveries()
    sent = deliver(cloud_with_all_addresses, f"sales+7@{DOMAIN}", To=f"Sales <sales@{DOMAIN}>")
    ended = outcomes(cloud_with_all_addresses, desk, sent, 1)["all_else"]
    assert ended["outcome"] == "replied"
    recipient = parsed(cloud_with_all_addresses, ended).recipient
    assert recipient is not None
    assert (recipient.address, recipient.label) == (f"sales+7@{DOMAIN}", "7")


def test_a_message_to_a_route_and_to_an_unknown_address_reaches_both(
    cloud_with_all_addresses: LocalCloud, desk: Desk
) -> None:
    desk.forget_deliveries()
    both = (f"first.last@{DOMAIN}", f"sales@{DOMAIN}")
    sent = deliver(cloud_with_all_addresses, *both, To=", ".join(both))
    ended = outcomes(cloud_with_all_addresses, desk, sent, 2)
    recipients = {route: parsed(cloud_with_all_addresses, output).recipient for route, output in ended.items()}
    assert {route: found.address for route, found in recipients.items() if found} == {
        "first.last": f"first.last@{DOMAIN}",
        "all_else": f"sales@{DOMAIN}",
    }


def test_a_message_to_two_routes_of_one_processor_gets_one_reply(
    cloud_with_all_addresses: LocalCloud, desk: Desk
) -> None:
    desk.forget_deliveries()
    first, second = f"feedback@{DOMAIN}", f"first.last@{DOMAIN}"
    sent = deliver(cloud_with_all_addresses, first, second, To=first, Cc=second)
    ended = outcomes(cloud_with_all_addresses, desk, sent, 3)
    assert ended.pop("all_else")["reason"] == "other_route"
    said = {(output["outcome"], output.get("withheld")) for output in ended.values()}
    assert said == {("replied", None), ("processed", "replied_by_other_route")}


@pytest.mark.parametrize(
    ("reply_to", "to"),
    [("desk@mail.shop.example", "desk@mail.shop.example"), ("ann@other.example", "ann@shop.example")],
)
def test_a_reply_goes_to_reply_to_within_the_senders_domain_only(
    cloud_with_all_addresses: LocalCloud, desk: Desk, reply_to: str, to: str
) -> None:
    cloud = cloud_with_all_addresses
    desk.forget_deliveries()
    sent = deliver(cloud, f"orders@{DOMAIN}", To=f"orders@{DOMAIN}", Reply_To=reply_to)
    ended = outcomes(cloud, desk, sent, 2)["orders"]
    reply = (cloud.outbox / f"{ended['ses_message_id']}.eml").read_bytes()
    assert message_from_bytes(reply)["To"] == to


def test_an_application_gets_the_earlier_messages_of_the_sender_in_the_thread(
    cloud_with_all_addresses: LocalCloud, desk: Desk, application: Application
) -> None:
    cloud, to = cloud_with_all_addresses, f"application@{DOMAIN}"
    desk.forget_deliveries()
    application.says((200, b'{"text": "The first answer."}'))
    first = outcomes(cloud, desk, deliver(cloud, to, To=to), 2)["application"]
    assert first["outcome"] == "replied"
    # The client names our reply alone, by the Message-ID that SES gave it.
    fetched: list[Any] = []

    def fetch_the_thread() -> tuple[int, bytes]:
        [earlier] = application.requests[-1]["body"]["thread"]
        urls = (earlier["message_url"], *earlier["answer_urls"])
        fetched.extend(json.loads(urllib3.request("GET", url).data) for url in urls)
        return 200, b'{"text": "The second answer."}'

    application.answers = [fetch_the_thread]
    # The local SES answers with the domain.
    named = f"<{first['ses_message_id'].partition('@')[0]}@email.amazonses.com>"
    second = outcomes(cloud, desk, deliver(cloud, to, To=to, In_Reply_To=named), 2)["application"]
    assert second["outcome"] == "replied"
    message, answer = fetched
    assert message["email_id"] == first["email_id"]
    assert message["thread_id"] == parsed(cloud, second).thread_id
    assert answer["text"] == "The first answer."
    role, action = THREADING
    home = cloud.account.client("cloudformation").describe_stack_resource(
        StackName=STACK, LogicalResourceId=role.replace("Function", "Role")
    )
    arn = execution_arn(cloud, second["email_id"])
    stored = json.loads(cloud.account.client("stepfunctions").describe_execution(executionArn=arn)["input"])
    with role_without(cloud, home["StackResourceDetail"]["PhysicalResourceId"], action):
        error, denied = desk.invoke(role, stored)
    assert error
    assert action in denied["errorMessage"]
