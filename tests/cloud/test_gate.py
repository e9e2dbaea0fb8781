"""Whom the local account lets in: web pages, rebound names and wrong signatures do nothing; AWS's clients work.

Over 300 lines, most of which are cases.
"""

import base64
import http.client
import io
import json
import os
import smtplib
import socket
import stat
import subprocess
import time
import zipfile
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import boto3
import botocore.auth
import pytest
import urllib3
from botocore.auth import S3SigV4Auth, S3SigV4QueryAuth, SigV4Auth, SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials
from botocore.exceptions import ClientError

from mailstep_local.account import Account
from mailstep_local.cloud import LocalCloud, empty_account
from tests.support.cloud import processes_of

Fields = dict[str, str]
FUNCTIONS = "/2015-03-31/functions"
EVIL = "https://evil.example"
# What a browser adds by itself (Fetch Standard, "Origin header"; W3C Fetch Metadata Request Headers).
BROWSERS: dict[str, Fields] = {
    "a page elsewhere": {"Origin": EVIL},
    "a page at another port of this machine": {"Origin": "http://localhost:3000"},
    "a sandboxed frame or a file": {"Origin": "null"},
    "a browser that leaves Origin out": {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"},
    "the same, from another port of this machine": {"Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "no-cors"},
    "an old browser": {"Referer": f"{EVIL}/page"},
}
# What a page may send without a preflight (Fetch Standard, "CORS-safelisted request-header").
SIMPLE = ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x")


def _archive() -> str:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as file:
        file.writestr("evil.py", "def handler(event, context): pass")
    return base64.b64encode(packed.getvalue()).decode()


CREATE_FUNCTION = json.dumps(
    {
        "FunctionName": "evil",
        "Runtime": "python3.13",
        "Role": "arn:aws:iam::000000000000:role/any",
        "Handler": "evil.handler",
        "Code": {"ZipFile": _archive()},
    }
).encode()
ATTEMPTS: dict[str, tuple[str, str, bytes]] = {
    "CreateFunction": ("POST", FUNCTIONS, CREATE_FUNCTION),
    "Invoke": ("POST", f"{FUNCTIONS}/evil/invocations", b"{}"),
    "PutObject": ("PUT", "/mail/evil", b"evil"),
    "DeleteObject": ("DELETE", "/mail/kept", b""),
    "CreateQueue": ("POST", "/", urlencode({"Action": "CreateQueue", "QueueName": "evil"}).encode()),
    "reset": ("POST", "/_ministack/reset", b""),
    "config": ("POST", "/_ministack/config", b'{"stepfunctions._SFN_WAIT_SCALE": 0}'),
    "mail": ("GET", "/_ministack/ses/messages", b""),
}


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    """An account with a bucket and an object in it, and no stack."""
    directory = tmp_path_factory.mktemp("gate") / "run"
    with empty_account(directory, allowed_hosts=["Docker.example", "172.17.0.1"]) as (started, _):
        started.client("s3").create_bucket(Bucket="mail")
        started.client("s3").put_object(Bucket="mail", Key="kept", Body=b"kept")
        yield started


def check_untouched(account: Account) -> None:
    """Nothing is there but what the fixture made."""
    assert account.client("lambda").list_functions()["Functions"] == []
    assert not account.client("sqs").list_queues().get("QueueUrls")
    found = account.client("s3").list_objects_v2(Bucket="mail")
    assert [stored["Key"] for stored in found["Contents"]] == ["kept"]


def send(
    account: Account, method: str, path: str, fields: Fields | None = None, body: bytes = b""
) -> tuple[int, bytes, Fields]:
    """Send just these header fields, with Host and Content-Length where they are not among them."""
    given = {"Host": urlsplit(account.endpoint).netloc, "Content-Length": str(len(body)), **(fields or {})}
    with closing(http.client.HTTPConnection(urlsplit(account.endpoint).netloc, timeout=20)) as connection:
        connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
        for name, value in given.items():
            connection.putheader(name, value)
        connection.endheaders(body)
        answer = connection.getresponse()
        return answer.status, answer.read(), {name.lower(): value for name, value in answer.getheaders()}


def refused(account: Account, method: str, path: str, fields: Fields | None = None, body: bytes = b"") -> bool:
    """Whether a request is refused, with no word to a browser's CORS check."""
    status, _, answered = send(account, method, path, fields, body)
    return status in {400, 403} and not [name for name in answered if name.startswith("access-control-")]


def keys(account: Account) -> Credentials:
    return Credentials(account.access_key_id, account.secret_access_key)


def signed(account: Account, method: str, path: str, body: bytes = b"", *, service: str = "s3", **given: str) -> Fields:
    """Header fields of a request that is signed as it should be."""
    fields = {
        "Host": urlsplit(account.endpoint).netloc,
        **{name.replace("_", "-"): text for name, text in given.items()},
    }
    request = AWSRequest(method, f"{account.endpoint}{path}", data=body, headers=fields)
    signer = S3SigV4Auth if service == "s3" else SigV4Auth
    signer(keys(account), service, account.region).add_auth(request)
    return dict(request.headers.items())


@pytest.mark.parametrize("attempt", ATTEMPTS.values(), ids=ATTEMPTS)
def test_a_simple_request_of_a_web_page_does_nothing(account: Account, attempt: tuple[str, str, bytes]) -> None:
    method, path, body = attempt
    for fields in BROWSERS.values():
        for content_type in SIMPLE:
            assert refused(account, method, path, {**fields, "Content-Type": content_type}, body), fields
    check_untouched(account)


def test_a_preflight_gets_no_permission(account: Account) -> None:
    asks = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization,x-amz-target"}
    for path in ("/", FUNCTIONS, "/mail/kept", "/_ministack/health", "/v2/email/identities"):
        for origin in (EVIL, "null", "http://localhost:3000"):
            assert refused(account, "OPTIONS", path, {"Origin": origin, **asks}), path
    assert refused(account, "OPTIONS", FUNCTIONS, asks)


def test_a_web_page_that_knew_the_credentials_would_be_refused_too(account: Account) -> None:
    for fields in BROWSERS.values():
        authorized = signed(account, "POST", FUNCTIONS, CREATE_FUNCTION, service="lambda")
        assert refused(account, "POST", FUNCTIONS, authorized | fields, CREATE_FUNCTION), fields
    check_untouched(account)


def test_no_answer_lets_a_web_page_read_it(account: Account) -> None:
    for path, service in (("/mail/kept", "s3"), (FUNCTIONS, "lambda"), ("/v2/email/identities", "ses")):
        own = signed(account, "GET", path, service=service) | {"Origin": account.endpoint}
        status, _, answered = send(account, "GET", path, own)
        assert status == 200
        assert not [name for name in answered if name.startswith("access-control-")]


REBOUND = (
    "evil.example", "evil.example:4566", "localhost.evil.example", "127.0.0.1.evil.example", "notlocalhost", "docker",
    "0.0.0.0",  # noqa: S104
    "169.254.169.254", "[::1]", "", "127.0.0.1@evil.example", "s3.amazonaws.com", "mail.s3.amazonaws.com",
)  # fmt: skip


@pytest.mark.parametrize("host", REBOUND)
def test_a_name_that_was_rebound_to_loopback_is_refused(account: Account, host: str) -> None:
    fields = signed(account, "POST", FUNCTIONS, CREATE_FUNCTION, service="lambda", Host=host)
    assert refused(account, "POST", FUNCTIONS, fields, CREATE_FUNCTION)
    assert refused(account, "GET", "/_ministack/health", {"Host": host})
    check_untouched(account)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "LOCALHOST", "docker.example", "172.17.0.1"])
def test_the_accounts_own_names_are_taken(account: Account, host: str) -> None:
    host = f"{host}:{account.endpoint.rpartition(':')[2]}"
    assert send(account, "GET", "/mail/kept", signed(account, "GET", "/mail/kept", Host=host))[:2] == (200, b"kept")


@pytest.mark.parametrize("host", ["mail.127.0.0.1", "mail.localhost"])
def test_a_buckets_virtual_host_is_taken(account: Account, host: str) -> None:
    host = f"{host}:{account.endpoint.rpartition(':')[2]}"
    assert send(account, "GET", "/kept", signed(account, "GET", "/kept", Host=host))[:2] == (200, b"kept")


@pytest.mark.parametrize("attempt", ATTEMPTS.values(), ids=ATTEMPTS)
def test_what_is_not_signed_does_nothing(account: Account, attempt: tuple[str, str, bytes]) -> None:
    method, path, body = attempt
    made_up = "AWS4-HMAC-SHA256 Credential={}/{}/us-east-1/lambda/aws4_request, SignedHeaders=host, Signature=00"
    now = datetime.now(UTC)
    claims = [made_up.format(key, f"{now:%Y%m%d}") for key in ("test", "000000000000", account.access_key_id, "")]
    assert refused(account, method, path, {}, body)
    for authorization in (*claims, "AWS test:x", "Bearer x", "AWS4-HMAC-SHA256", ""):
        fields = {"Authorization": authorization, "X-Amz-Date": f"{now:%Y%m%dT%H%M%SZ}"}
        assert refused(account, method, path, fields, body), authorization
    assert refused(account, method, f"{path}?AWSAccessKeyId=test&Signature=x&Expires=9999999999", {}, body)
    check_untouched(account)


# What is wrong; its name in the Query protocol, in the JSON protocols, and in S3 (each service's API Reference, "Common
# Errors"; Amazon S3 API Reference, "Error responses").
UNKNOWN = ("InvalidClientTokenId", "UnrecognizedClientException", "InvalidAccessKeyId")
WRONG = {
    "another secret": (
        {"SecretAccessKey": "x" * 40},
        ("SignatureDoesNotMatch", "InvalidSignatureException", "SignatureDoesNotMatch"),
    ),
    "an unknown key": ({"AccessKeyId": "AKIAIOSFODNN7EXAMPLE"}, UNKNOWN),  # pragma: allowlist secret
    "the key test": ({"AccessKeyId": "test", "SecretAccessKey": "test"}, UNKNOWN),  # pragma: allowlist secret
    "an account's id": ({"AccessKeyId": "000000000000"}, UNKNOWN),
    "an unknown token": (
        {"SessionToken": "x"},
        ("InvalidClientTokenId", "UnrecognizedClientException", "InvalidToken"),
    ),
}


@pytest.mark.parametrize(("credentials", "names"), WRONG.values(), ids=WRONG)
def test_a_wrong_signature_is_refused_by_awss_name_for_it(
    account: Account, credentials: Fields, names: tuple[str, str, str]
) -> None:
    query, json_name, s3 = names

    def client(service: str) -> Any:
        own = {"AccessKeyId": account.access_key_id, "SecretAccessKey": account.secret_access_key}
        return account.client_as(service, own | credentials)

    for code, call in (
        (query, client("sts").get_caller_identity),
        (query, client("cloudformation").list_stacks),
        (json_name, client("dynamodb").list_tables),
        (json_name, client("lambda").list_functions),
        (json_name, client("sesv2").list_email_identities),
        (s3, lambda: client("s3").put_object(Bucket="mail", Key="evil", Body=b"evil")),
    ):
        with pytest.raises(ClientError) as caught:
            call()
        assert caught.value.response["Error"]["Code"] == code
    check_untouched(account)


def test_an_unsigned_request_is_refused_by_awss_name_for_it(account: Account) -> None:
    query = urlencode({"Action": "GetCallerIdentity", "Version": "2011-06-15"}).encode()
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    assert b"<Code>MissingAuthenticationToken</Code>" in send(account, "POST", "/", form, query)[1]
    target = {"X-Amz-Target": "DynamoDB_20120810.ListTables", "Content-Type": "application/x-amz-json-1.0"}
    assert b'"MissingAuthenticationTokenException"' in send(account, "POST", "/", target, b"{}")[1]
    assert b"<Code>AccessDenied</Code>" in send(account, "GET", "/mail/kept")[1]


def test_a_signature_is_good_for_what_was_signed_only(account: Account) -> None:
    fields = signed(account, "POST", FUNCTIONS, CREATE_FUNCTION, service="lambda")
    assert refused(account, "POST", FUNCTIONS, fields, CREATE_FUNCTION + b" ")
    assert refused(account, "POST", f"{FUNCTIONS}?x=1", fields, CREATE_FUNCTION)
    assert refused(account, "POST", f"{FUNCTIONS}/other", fields, CREATE_FUNCTION)
    assert refused(account, "PUT", FUNCTIONS, fields, CREATE_FUNCTION)
    assert refused(account, "POST", FUNCTIONS, fields | {"X-Amz-Target": "AWSLambda.Other"}, CREATE_FUNCTION)
    assert refused(account, "POST", FUNCTIONS, fields | {"Host": "localhost"}, CREATE_FUNCTION)
    fields = signed(account, "PUT", "/mail/evil", b"one")
    assert refused(account, "PUT", "/mail/evil", fields, b"two")
    assert refused(account, "PUT", "/mail/other", fields, b"one")
    check_untouched(account)
    assert send(account, "GET", "/mail/kept", signed(account, "GET", "/mail/kept"))[0] == 200


def test_two_credentials_in_one_request_are_refused(account: Account) -> None:
    """Else one could be checked and another one acted on."""
    link = AWSRequest("GET", f"{account.endpoint}/mail/kept")
    S3SigV4QueryAuth(keys(account), "s3", account.region).add_auth(link)
    path = str(link.url).removeprefix(account.endpoint)
    assert send(account, "GET", path)[:2] == (200, b"kept")
    assert refused(account, "GET", path, signed(account, "GET", path))
    for second in ("X-Amz-Credential=x", "x-amz-credential=x", "X-Amz-Algorithm=AWS4-HMAC-SHA256", "AWSAccessKeyId=x"):
        assert refused(account, "GET", f"{path}&{second}")


def test_a_request_is_good_for_a_quarter_of_an_hour(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    for minutes, status in ((0, 200), (-14, 200), (-16, 403), (16, 403)):
        moment = datetime.now(UTC) + timedelta(minutes=minutes)
        monkeypatch.setattr(botocore.auth, "get_current_datetime", lambda moment=moment: moment)
        assert send(account, "GET", "/mail/kept", signed(account, "GET", "/mail/kept"))[0] == status, minutes


@pytest.mark.parametrize("version", ["v4", "s3"])
def test_a_presigned_link_carries_its_own_signature_until_it_expires(account: Account, version: str) -> None:
    """`s3` is Signature Version 2, which boto3 uses for links unless told otherwise."""
    s3 = boto3.client(
        "s3",
        endpoint_url=account.endpoint,
        aws_access_key_id=account.access_key_id,
        aws_secret_access_key=account.secret_access_key,
        region_name=account.region,
        config=Config(signature_version=version),
    )
    where = {"Bucket": "mail", "Key": "kept"}
    short = s3.generate_presigned_url("get_object", Params=where, ExpiresIn=1)
    link = s3.generate_presigned_url("get_object", Params=where)
    followed = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Referer": f"{EVIL}/"}
    assert urllib3.request("GET", link, headers=followed).data == b"kept"
    assert urllib3.request("GET", link, headers={"Origin": EVIL}).status == 403
    assert urllib3.request("GET", link.replace("/kept", "/other")).status == 403
    assert urllib3.request("DELETE", link).status == 403
    time.sleep(2.1)
    assert urllib3.request("GET", short).status == 403
    check_untouched(account)
    upload = s3.generate_presigned_url("put_object", Params={"Bucket": "mail", "Key": "sent"})
    assert urllib3.request("PUT", upload, body=b"x").status == 200
    account.client("s3").delete_object(Bucket="mail", Key="sent")


def test_a_presigned_link_of_another_service_is_taken(account: Account) -> None:
    request = AWSRequest("GET", f"{account.endpoint}/?Action=GetCallerIdentity&Version=2011-06-15")
    SigV4QueryAuth(keys(account), "sts", account.region, expires=60).add_auth(request)
    assert b"arn:aws:iam::000000000000:root" in urllib3.request("GET", str(request.url)).data
    assert urllib3.request("GET", str(request.url).replace("CallerIdentity", "SessionToken")).status == 403


def test_a_link_is_good_for_a_week_at_most(account: Account) -> None:
    for seconds, status in ((604_800, 200), (604_801, 400)):
        request = AWSRequest("GET", f"{account.endpoint}/mail/kept")
        S3SigV4QueryAuth(keys(account), "s3", account.region, expires=seconds).add_auth(request)
        assert urllib3.request("GET", str(request.url)).status == status


def test_what_a_roles_session_signs_is_taken_with_its_token_only(account: Account) -> None:
    iam = account.client("iam")
    trust = {"Statement": [{"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}]}
    role = iam.create_role(RoleName="reader", AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"]
    may = {"Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::mail/*"}]}
    iam.put_role_policy(RoleName="reader", PolicyName="read", PolicyDocument=json.dumps(may))
    session = account.client("sts").assume_role(RoleArn=role, RoleSessionName="reading")["Credentials"]
    reader = account.client_as("s3", session)
    assert reader.get_object(Bucket="mail", Key="kept")["Body"].read() == b"kept"
    with pytest.raises(ClientError, match="AccessDenied"):
        reader.put_object(Bucket="mail", Key="evil", Body=b"evil")
    for wrong in ({"SessionToken": ""}, {"SessionToken": "x"}, {"SecretAccessKey": "x"}):
        with pytest.raises(ClientError, match=r"InvalidAccessKeyId|InvalidToken|SignatureDoesNotMatch"):
            account.client_as("s3", session | wrong).get_object(Bucket="mail", Key="kept")
    check_untouched(account)


def test_each_chunk_of_a_signed_upload_is_checked(account: Account) -> None:
    """Amazon S3 API Reference, "Transferring Payload in Multiple Chunks (Chunked Upload)"."""
    request = AWSRequest(
        "PUT",
        f"{account.endpoint}/mail/streamed",
        headers={
            "X-Amz-Content-SHA256": "STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
            "X-Amz-Decoded-Content-Length": "4",
            "Content-Encoding": "aws-chunked",
        },
    )
    signer: Any = SigV4Auth(keys(account), "s3", account.region)
    signer.add_auth(request)
    signature = request.headers["Authorization"].rpartition("Signature=")[2]
    sent = b""
    for chunk in (b"good", b""):
        hashes = f"{sha256(b'').hexdigest()}\n{sha256(chunk).hexdigest()}"
        head = f"AWS4-HMAC-SHA256-PAYLOAD\n{request.context['timestamp']}\n{signer.credential_scope(request)}"
        signature = signer.signature(f"{head}\n{signature}\n{hashes}", request)
        sent += f"{len(chunk):x};chunk-signature={signature}\r\n".encode() + chunk + b"\r\n"
    fields = dict(request.headers.items())
    assert refused(account, "PUT", "/mail/streamed", fields, sent.replace(b"good", b"evil"))
    assert refused(account, "PUT", "/mail/streamed", fields, sent.partition(b"0;chunk")[0])
    check_untouched(account)
    assert send(account, "PUT", "/mail/streamed", fields, sent)[0] == 200
    stored = account.client("s3").get_object(Bucket="mail", Key="streamed")["Body"].read()
    account.client("s3").delete_object(Bucket="mail", Key="streamed")
    assert stored == b"good"


def test_only_s3_takes_a_body_that_was_not_hashed(account: Account) -> None:
    def unhashed(method: str, path: str, service: str) -> Fields:
        request = AWSRequest(method, f"{account.endpoint}{path}", headers={"X-Amz-Content-SHA256": "UNSIGNED-PAYLOAD"})
        SigV4Auth(keys(account), service, account.region).add_auth(request)
        return dict(request.headers.items())

    assert refused(account, "POST", FUNCTIONS, unhashed("POST", FUNCTIONS, "lambda"), CREATE_FUNCTION)
    check_untouched(account)
    assert send(account, "PUT", "/mail/unhashed", unhashed("PUT", "/mail/unhashed", "s3"), b"x")[0] == 200
    account.client("s3").delete_object(Bucket="mail", Key="unhashed")


def test_only_health_answers_without_a_signature(account: Account) -> None:
    assert send(account, "GET", "/_ministack/health")[0] == 200
    for name in ("ready", "health/", "sqs/messages", "cfn-response/x", "cfn-signal/x", "lambda-code/x", "rds/iam-auth"):
        for method in ("GET", "POST", "PUT"):
            assert refused(account, method, f"/_ministack/{name}"), name
    for path in ("/health", "/_localstack/health", "//_ministack/reset", "/%5fministack/reset"):
        assert refused(account, "POST", path), path


def test_a_websocket_is_refused(account: Account) -> None:
    upgrade = {
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Protocol": "mqtt",
    }
    assert send(account, "GET", "/mqtt", {"Host": "iot.us-east-1.localhost", **upgrade})[0] == 403
    assert send(account, "GET", "/mqtt", {"Origin": EVIL, **upgrade})[0] == 403


def test_a_functions_code_is_behind_a_signed_link(cloud: LocalCloud) -> None:
    found = cloud.account.client("lambda").get_function(FunctionName=cloud.functions["ParseFunction"])
    link = found["Code"]["Location"]
    assert urllib3.request("GET", link).data.startswith(b"PK")
    assert urllib3.request("GET", link.partition("?")[0]).status == 403


def test_a_web_page_reaches_no_function_by_its_runtime_api(cloud: LocalCloud) -> None:
    cloud.account.client("lambda").invoke(FunctionName=cloud.functions["ParseFunction"], Payload=b"{}")
    [process, *_] = processes_of(cloud, cloud.functions["ParseFunction"])
    variables = dict(line.split(b"=", 1) for line in (process / "environ").read_bytes().split(b"\0") if line)
    runtime = f"http://{variables[b'AWS_LAMBDA_RUNTIME_API'].decode()}/2018-06-01/runtime"
    for fields in (*BROWSERS.values(), {"Host": "evil.example"}):
        for method, path in (("GET", "invocation/next"), ("POST", "init/error"), ("POST", "invocation/x/response")):
            assert urllib3.request(method, f"{runtime}/{path}", headers=fields, timeout=5).status == 403, (fields, path)


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become another user")
def test_another_user_of_this_machine_reaches_no_function_by_its_runtime_api(cloud: LocalCloud) -> None:
    name = cloud.functions["ParseFunction"]
    cloud.account.client("lambda").invoke(FunctionName=name, Payload=b"{}")
    environment = (processes_of(cloud, name)[0] / "environ").read_bytes().split(b"\0")
    variables = dict(pair.split(b"=", 1) for pair in environment if b"=" in pair)
    link = f"http://{variables[b'AWS_LAMBDA_RUNTIME_API'].decode()}/2018-06-01/runtime/invocation/x/response"
    ask = f"import urllib.request as u; print(u.urlopen(u.Request({link!r}, b'{{}}')).status)"
    answered = {
        user: subprocess.run(
            ["/usr/bin/python3", "-c", ask], user=user, capture_output=True, text=True, check=False, cwd="/", env={}
        ).stderr
        for user in (0, 65534)
    }
    assert "HTTP Error 400" in answered[0], "the request id is wrong, and the user is right"
    assert "HTTP Error 403" in answered[65534]


@pytest.mark.parametrize("version", ["v4", "s3"])
@pytest.mark.parametrize("form", ["Action=CreateQueue&QueueName=evil", "Action=CreateTopic&Name=evil"])
def test_a_presigned_links_form_reaches_no_other_service(account: Account, version: str, form: str) -> None:
    """The link's signature does not cover the body."""
    session: Any = boto3.Session(account.access_key_id, account.secret_access_key, region_name=account.region)
    s3 = session.client("s3", endpoint_url=account.endpoint, config=Config(signature_version=version))
    link = s3.generate_presigned_url("put_object", Params={"Bucket": "mail", "Key": "evil"}, HttpMethod="POST")
    path = link.removeprefix(account.endpoint)
    fields = {"Content-Type": "application/x-www-form-urlencoded"}
    status, body, _ = send(account, "POST", path, fields, form.encode())
    assert (status, b"SignatureDoesNotMatch" in body) == (403, True)
    check_untouched(account)


def test_a_signature_for_one_service_opens_no_other(account: Account) -> None:
    body = b"Action=CreateQueue&QueueName=evil"
    request = AWSRequest(
        "POST", f"{account.endpoint}/", data=body, headers={"Content-Type": "application/x-www-form-urlencoded"}
    )
    request.headers["X-Amz-Target"] = "AmazonSQS.CreateQueue"
    SigV4Auth(keys(account), "s3", account.region).add_auth(request)
    assert refused(account, "POST", "/", dict(request.headers), body)
    check_untouched(account)


def test_a_roles_secret_is_made_of_nothing_that_is_known(cloud: LocalCloud) -> None:
    """MiniStack by itself makes it from two ARNs."""
    client, name = cloud.account.client("lambda"), cloud.functions["ParseFunction"]
    client.invoke(FunctionName=name, Payload=b"{}")
    found = client.get_function_configuration(FunctionName=name)
    digest = sha256(f"{found['FunctionArn']}:{found['Role']}".encode()).hexdigest()
    guessed = {
        "AccessKeyId": f"ASIA{digest[:16].upper()}",
        "SecretAccessKey": sha256(f"secret:{digest}".encode()).hexdigest(),
        "SessionToken": sha256(f"token:{digest}".encode()).hexdigest(),
    }
    with pytest.raises(ClientError, match="InvalidClientTokenId"):
        cloud.account.client_as("sts", guessed).get_caller_identity()


def test_a_web_page_cannot_speak_smtp(cloud: LocalCloud) -> None:
    message = "EHLO x\r\nMAIL FROM:<a@shop.example>\r\nRCPT TO:<orders@mailstep.example>\r\nDATA\r\n\r\nx\r\n.\r\n"
    request = (
        f"POST / HTTP/1.1\r\nHost: 127.0.0.1:{cloud.smtp_port}\r\nConnection: keep-alive\r\n"
        f"Content-Length: {len(message)}\r\nUser-Agent: Mozilla/5.0\r\nContent-Type: text/plain\r\nAccept: */*\r\n"
        f"Origin: {EVIL}\r\nSec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: no-cors\r\n\r\n{message}"
    )
    said = b""
    with socket.create_connection(("127.0.0.1", cloud.smtp_port), timeout=20) as connection, suppress(ConnectionError):
        connection.sendall(request.encode())
        while part := connection.recv(65_536):
            said += part
    assert b"250" not in said
    with smtplib.SMTP("127.0.0.1", cloud.smtp_port) as smtp:
        assert smtp.noop()[0] == 250


def test_the_credentials_of_a_run_open_no_other_run_and_only_their_owner_can_read_them(
    cloud: LocalCloud, account: Account
) -> None:
    secret = cloud.account.secret_access_key
    assert (len(cloud.account.access_key_id), len(secret)) == (20, 40), "as AWS's own are"
    assert stat.S_IMODE(cloud.directory.stat().st_mode) == 0o700
    assert secret not in cloud.log.read_text()
    assert secret not in repr(cloud)
    with pytest.raises(ClientError, match="InvalidClientTokenId"):
        replace(cloud.account, endpoint=account.endpoint).client("sts").get_caller_identity()


def test_only_loopback_is_listened_on(cloud: LocalCloud) -> None:
    """In /proc/net/tcp an address is its octets in reverse, hexadecimal (proc_pid_net(5)): 0100007F is 127.0.0.1."""
    endpoint = f"AWS_ENDPOINT_URL={cloud.account.endpoint}".encode()
    sockets = set()
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if endpoint in (process / "environ").read_bytes().split(b"\0"):
                sockets |= {str(file.readlink()) for file in (process / "fd").iterdir()}
    lines = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    listening = [line[1] for line in lines if line[3] == "0A" and f"socket:[{line[9]}]" in sockets]
    assert listening
    assert {address.partition(":")[0] for address in listening} == {"0100007F"}
