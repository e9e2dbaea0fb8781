"""What docs/emulation.md says of the local account, shown: where it is like AWS by our doing, and where it is not."""

import io
import json
import zipfile
from collections.abc import Callable, Iterator
from email import message_from_bytes
from typing import Any

import pytest

from mailstep_local.cloud import LocalCloud
from tests.support.cloud import Desk, eventually

PROBE = """
import importlib, os, sys
def handler(event, context):
    found = {}
    for name in event["modules"]:
        try:
            importlib.import_module(name)
            found[name] = True
        except ImportError:
            found[name] = False
    return {"found": found, "environment": sorted(os.environ), "python": list(sys.version_info[:2])}
"""


@pytest.fixture(scope="module")
def probe(cloud: LocalCloud) -> Iterator[Callable[..., Any]]:
    """A function of one file, which looks around."""
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as archive:
        archive.writestr("probe.py", PROBE)
    client = cloud.account.client("lambda")
    role = client.get_function_configuration(FunctionName=cloud.functions["ParseFunction"])["Role"]
    client.create_function(
        FunctionName="probe",
        Runtime="python3.13",
        Role=role,
        Handler="probe.handler",
        Code={"ZipFile": code.getvalue()},
        Environment={"Variables": {"OWN": "1"}},
    )

    def look(*modules: str) -> Any:
        answer = client.invoke(FunctionName="probe", Payload=json.dumps({"modules": modules}))
        return json.loads(answer["Payload"].read())

    yield look
    client.delete_function(FunctionName="probe")


def test_a_function_sees_what_awss_runtime_brings_and_nothing_else_of_this_machine(probe: Callable[..., Any]) -> None:
    found = probe("boto3", "awslambdaric", "json", "typer", "moto", "pydantic", "mailstep", "pip")["found"]
    assert {name for name, there in found.items() if there} == {"boto3", "awslambdaric", "json"}


def test_a_function_sees_its_own_variables_and_lambdas_but_none_of_the_host(
    probe: Callable[..., Any],
) -> None:
    names = set(probe()["environment"])
    assert {"OWN", "AWS_LAMBDA_FUNCTION_NAME", "AWS_REGION", "AWS_SESSION_TOKEN"} <= names
    assert not names & {"HOME", "VIRTUAL_ENV", "GATEWAY_PORT", "AUTH", "TMPDIR", "PYTEST_CURRENT_TEST"}


def test_functions_run_on_the_declared_python(probe: Callable[..., Any]) -> None:
    assert probe()["python"] == [3, 13]


def test_an_unknown_recipient_is_refused_at_smtp_time(cloud: LocalCloud) -> None:
    import smtplib  # noqa: PLC0415

    with smtplib.SMTP("127.0.0.1", cloud.smtp_port) as smtp:
        smtp.ehlo()
        smtp.mail("a@b.example")
        assert smtp.rcpt("nobody@mailstep.example")[0] == 550
        assert smtp.rcpt("ORDERS@mailstep.example")[0] == 250


def test_ses_refuses_an_identity_that_is_not_verified(cloud: LocalCloud) -> None:
    ses = cloud.account.client("sesv2")
    with pytest.raises(ses.exceptions.MessageRejected):
        ses.send_email(
            FromEmailAddress="a@elsewhere.example",
            Destination={"ToAddresses": ["b@shop.example"]},
            Content={"Raw": {"Data": b"From: a@elsewhere.example\r\n\r\nx"}},
        )


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        ({"FromEmailAddress": "orders@mailstep.example"}, "orders@mailstep.example"),
        ({"FromEmailAddress": "Till <orders@mailstep.example>"}, "Till <orders@mailstep.example>"),
        ({}, "Cash & Carry <orders@mailstep.example>"),
    ],
)
def test_from_email_address_is_the_from_field_also_of_a_raw_message(
    cloud: LocalCloud, given: dict[str, str], sent: str
) -> None:
    raw = b"From: Cash & Carry <orders@mailstep.example>\r\nTo: ann@shop.example\r\nSubject: x\r\n\r\nx\r\n"
    answer = cloud.account.client("sesv2").send_email(
        **given, Destination={"ToAddresses": ["ann@shop.example"]}, Content={"Raw": {"Data": raw}}
    )
    kept = message_from_bytes((cloud.outbox / f"{answer['MessageId']}.eml").read_bytes())
    assert kept.get_all("From") == [sent]


def test_history_has_no_task_started(cloud: LocalCloud, desk: Desk) -> None:
    [result] = desk.send("note.eml")
    sfn = cloud.account.client("stepfunctions")
    events = sfn.get_execution_history(executionArn=result.execution_arn)["events"]
    assert "TaskStarted" not in {event["type"] for event in events}


def test_a_function_writes_its_platform_lines_to_the_shared_log_group(desk: Desk) -> None:
    desk.send("note.eml")
    assert eventually(lambda: {"START", "END", "REPORT"} <= {line.split(" ")[0] for line in desk.log_lines()})
