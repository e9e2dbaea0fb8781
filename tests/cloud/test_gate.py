"""Whom the local account lets in: a web page, a rebound name and a wrong signature do nothing; AWS's clients work."""

import http.client
import io
import json
import os
import smtplib
import socket
import stat
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any
from urllib.parse import urlencode, urlsplit

import boto3
import pytest
import urllib3
from botocore.auth import S3SigV4Auth, S3SigV4QueryAuth, SigV4Auth, SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials
from botocore.exceptions import ClientError

from mailstep_local.account import Account
from mailstep_local.cloud import LocalCloud, empty_account
from tests.cloud.conftest import processes_of

EVIL = "https://evil.example"
FUNCTION = {
    "FunctionName": "evil",
    "Runtime": "python3.13",
    "Role": "arn:aws:iam::000000000000:role/any",
    "Handler": "evil.handler",
}


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    """An account with a bucket and an object in it, and no stack."""
    with empty_account(tmp_path_factory.mktemp("gate") / "run", allowed_hosts=["docker.example", "172.17.0.1"]) as (
        started,
        _,
    ):
        started.client("s3").create_bucket(Bucket="mail")
        started.client("s3").put_object(Bucket="mail", Key="kept", Body=b"kept")
        yield started


def send(
    account: Account, method: str, path: str, headers: dict[str, str] | None = None, body: bytes = b""
) -> tuple[int, bytes, dict[str, str]]:
    """Send just these octets: no client adds a header field of its own but for Host and Content-Length."""
    connection = http.client.HTTPConnection(urlsplit(account.endpoint).netloc, timeout=20)
    connection.putrequest(method, path, skip_host=bool(headers and "Host" in headers), skip_accept_encoding=True)
    for name, value in (headers or {}).items():
        connection.putheader(name, value)
    if not headers or "Content-Length" not in headers:
        connection.putheader("Content-Length", str(len(body)))
    connection.endheaders(body)
    answer = connection.getresponse()
    said = answer.status, answer.read(), {name.lower(): value for name, value in answer.getheaders()}
    connection.close()
    return said


def signed(
    account: Account, method: str, path: str, *, service: str = "s3", body: bytes = b"", **headers: str
) -> dict[str, str]:
    """Header fields of a request that is signed as it should be."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    request = AWSRequest(method, f"{account.endpoint}{path}", data=body, headers=named)
    signer = S3SigV4Auth if service == "s3" else SigV4Auth
    credentials = Credentials(account.access_key_id, account.secret_access_key)
    signer(credentials, service, account.region).add_auth(request)
    return {**dict(request.headers), "Host": named.get("Host", urlsplit(account.endpoint).netloc)}


def archive() -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as file:
        file.writestr("evil.py", "def handler(event, context): open(event['file'], 'w').close()")
    return packed.getvalue()


def create_function() -> bytes:
    import base64  # noqa: PLC0415

    return json.dumps({**FUNCTION, "Code": {"ZipFile": base64.b64encode(archive()).decode()}}).encode()


def untouched(account: Account) -> bool:
    """Whether the account is as the fixture left it."""
    functions = [f["FunctionName"] for f in account.client("lambda").list_functions()["Functions"]]
    objects = {o["Key"] for o in account.client("s3").list_objects_v2(Bucket="mail").get("Contents", [])}
    return functions == [] and objects == {"kept"} and account.client("s3").get_object(Bucket="mail", Key="kept")


ATTEMPTS: dict[str, Callable[[Account], tuple[str, str, bytes]]] = {
    "CreateFunction": lambda _: ("POST", "/2015-03-31/functions", create_function()),
    "PutObject": lambda _: ("PUT", "/mail/evil", b"evil"),
    "DeleteObject": lambda _: ("DELETE", "/mail/kept", b""),
    "CreateQueue": lambda _: ("POST", "/", urlencode({"Action": "CreateQueue", "QueueName": "evil"}).encode()),
    "reset": lambda _: ("POST", "/_ministack/reset", b""),
    "config": lambda _: ("POST", "/_ministack/config", b'{"stepfunctions._SFN_WAIT_SCALE": 0}'),
    "mail": lambda _: ("GET", "/_ministack/ses/messages", b""),
}
BROWSERS = {
    "a page elsewhere": {"Origin": EVIL},
    "a page of another port here": {"Origin": "http://localhost:3000"},
    "a sandboxed frame": {"Origin": "null"},
    "a browser that sends no Origin": {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"},
    "an old browser": {"Referer": f"{EVIL}/page"},
    "a page on another local port, without Origin": {"Sec-Fetch-Site": "same-site"},
}
SIMPLE = {"text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"}
TEST_KEY = "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/lambda/aws4_request, SignedHeaders=host, Signature=0"


@pytest.mark.parametrize("attempt", ATTEMPTS)
@pytest.mark.parametrize("content_type", sorted(SIMPLE))
@pytest.mark.parametrize("headers", BROWSERS.values(), ids=BROWSERS)
def test_a_simple_request_of_a_web_page_does_nothing(
    account: Account, attempt: str, content_type: str, headers: dict[str, str]
) -> None:
    method, path, body = ATTEMPTS[attempt](account)
    status, _, answered = send(account, method, path, {**headers, "Content-Type": content_type}, body)
    assert status in {400, 401, 403}
    assert not [name for name in answered if name.startswith("access-control-")]
    assert untouched(account)


@pytest.mark.parametrize(
    "path", ["/", "/2015-03-31/functions", "/mail/kept", "/_ministack/health", "/v2/email/identities"]
)
def test_a_preflight_gets_no_permission(account: Account, path: str) -> None:
    asks = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization,x-amz-target"}
    for headers in ({"Origin": EVIL, **asks}, {**asks}, {"Origin": "null", **asks}):
        status, _, answered = send(account, "OPTIONS", path, headers)
        assert not [name for name in answered if name.startswith("access-control-")], headers
        assert status == 403 or path.endswith("health")


def test_a_web_page_that_knew_the_credentials_would_be_refused_too(account: Account) -> None:
    for headers in BROWSERS.values():
        body = create_function()
        fields = signed(account, "POST", "/2015-03-31/functions", service="lambda", body=body)
        assert send(account, "POST", "/2015-03-31/functions", fields | headers, body)[0] == 403
    assert untouched(account)


@pytest.mark.parametrize(
    "host",
    ["evil.example", "evil.example:4566", "localhost.evil.example", "127.0.0.1.evil.example", "notlocalhost", "0.0.0.0",
     "169.254.169.254", "[::1]", "", "127.0.0.1@evil.example", "s3.amazonaws.com", "mail.s3.us-east-1.amazonaws.com"],
)  # fmt: skip
def test_a_name_that_was_rebound_to_loopback_is_refused(account: Account, host: str) -> None:
    body = create_function()
    fields = signed(account, "POST", "/2015-03-31/functions", service="lambda", body=body, Host=host)
    status, said, _ = send(account, "POST", "/2015-03-31/functions", fields, body)
    assert status in {400, 403}, said
    assert send(account, "GET", "/_ministack/health", {"Host": host})[0] in {400, 403}
    assert untouched(account)


@pytest.mark.parametrize(
    "host", ["127.0.0.1:{port}", "localhost:{port}", "LOCALHOST:{port}", "docker.example:{port}", "172.17.0.1:4566"]
)
def test_the_accounts_own_names_are_taken(account: Account, host: str) -> None:
    host = host.format(port=account.endpoint.rpartition(":")[2])
    fields = signed(account, "GET", "/mail/kept", Host=host)
    assert send(account, "GET", "/mail/kept", fields)[:2] == (200, b"kept")
    assert send(account, "GET", "/mail/kept", fields | {"Origin": f"http://{host}"})[0] == 200


@pytest.mark.parametrize("host", ["mail.127.0.0.1", "mail.localhost"])
def test_a_buckets_virtual_host_is_taken(account: Account, host: str) -> None:
    host = f"{host}:{account.endpoint.rpartition(':')[2]}"
    assert send(account, "GET", "/kept", signed(account, "GET", "/kept", Host=host))[:2] == (200, b"kept")


@pytest.mark.parametrize("attempt", ATTEMPTS)
@pytest.mark.parametrize(
    "authorization", [None, TEST_KEY, TEST_KEY.replace("test", "000000000000"), "AWS test:x", "Bearer x"]
)
def test_what_is_not_signed_or_with_a_key_that_nobody_has_does_nothing(
    account: Account, attempt: str, authorization: str | None
) -> None:
    method, path, body = ATTEMPTS[attempt](account)
    fields = {"Authorization": authorization, "X-Amz-Date": "20260101T000000Z"} if authorization else {}
    assert send(account, method, path, fields, body)[0] in {400, 403}
    assert untouched(account)


def client(account: Account, service: str, **credentials: str) -> Any:
    own = {
        "AccessKeyId": account.access_key_id,
        "SecretAccessKey": account.secret_access_key,
        **credentials,
    }
    return account.client_as(service, own)


# Amazon S3 API Reference, "List of error codes"; for all others, "Common Errors" of the service's API Reference.
REFUSALS = {
    "another secret": ({"SecretAccessKey": "x" * 40}, "SignatureDoesNotMatch", "InvalidSignatureException", "SignatureDoesNotMatch"),
    "an unknown key": ({"AccessKeyId": "AKIAIOSFODNN7EXAMPLE"}, "InvalidClientTokenId", "UnrecognizedClientException", "InvalidAccessKeyId"),
    "the key test": ({"AccessKeyId": "test", "SecretAccessKey": "test"}, "InvalidClientTokenId", "UnrecognizedClientException", "InvalidAccessKeyId"),
    "an account's id": ({"AccessKeyId": "000000000000"}, "InvalidClientTokenId", "UnrecognizedClientException", "InvalidAccessKeyId"),
    "a token of nobody": ({"SessionToken": "x"}, "InvalidClientTokenId", "UnrecognizedClientException", "InvalidToken"),
}  # fmt: skip


@pytest.mark.parametrize(("credentials", "query", "json_", "s3"), REFUSALS.values(), ids=REFUSALS)
def test_a_wrong_signature_is_refused_by_awss_name_for_it(
    account: Account, credentials: dict[str, str], query: str, json_: str, s3: str
) -> None:
    for service, code, call in (
        ("sts", query, lambda made: made.get_caller_identity()),
        ("sns", query, lambda made: made.create_topic(Name="evil")),
        ("dynamodb", json_, lambda made: made.list_tables()),
        ("lambda", json_, lambda made: made.list_functions()),
        ("sesv2", json_, lambda made: made.list_email_identities()),
        ("s3", s3, lambda made: made.put_object(Bucket="mail", Key="evil", Body=b"evil")),
    ):
        with pytest.raises(ClientError) as refused:
            call(client(account, service, **credentials))
        assert refused.value.response["Error"]["Code"] == code, service
    assert untouched(account)


def test_an_unsigned_request_is_refused_by_awss_name_for_it(account: Account) -> None:
    query = urlencode({"Action": "GetCallerIdentity", "Version": "2011-06-15"}).encode()
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    assert b"<Code>MissingAuthenticationToken</Code>" in send(account, "POST", "/", form, query)[1]
    json_ = {"X-Amz-Target": "DynamoDB_20120810.ListTables", "Content-Type": "application/x-amz-json-1.0"}
    assert b"MissingAuthenticationTokenException" in send(account, "POST", "/", json_, b"{}")[1]
    assert b"<Code>AccessDenied</Code>" in send(account, "GET", "/mail/kept")[1]


def test_a_signature_covers_all_that_is_sent(account: Account) -> None:
    body = create_function()
    path = "/2015-03-31/functions"
    for changed in (
        ("POST", path, {}, body + b" "),
        ("POST", f"{path}?x=1", {}, body),
        ("POST", f"{path}/", {}, body),
        ("PUT", path, {}, body),
        ("POST", path, {"X-Amz-Target": "AWSLambda.Other"}, body),
        ("POST", path, {"X-Amz-Date": "20200101T000000Z"}, body),
    ):
        method, where, more, sent = changed
        fields = signed(account, "POST", path, service="lambda", body=body)
        status, said, _ = send(account, method, where, fields | more, sent)
        assert status in {400, 403}, (changed, said)
    fields = signed(account, "PUT", "/mail/evil", body=b"one")
    assert send(account, "PUT", "/mail/evil", fields, b"two")[0] in {400, 403}, "the body is not what was hashed"
    fields = signed(account, "PUT", "/mail/other", body=b"one")
    assert send(account, "PUT", "/mail/evil", fields, b"one")[0] == 403
    fields = signed(account, "GET", "/mail/kept")
    assert send(account, "GET", "/mail/kept", fields)[0] == 200, "and so it is taken as it was signed"
    assert untouched(account)


def test_two_credentials_in_one_request_are_refused(account: Account) -> None:
    link = client(account, "s3").generate_presigned_url("get_object", Params={"Bucket": "mail", "Key": "kept"})
    path = link.removeprefix(account.endpoint)
    assert send(account, "GET", path)[:2] == (200, b"kept")
    assert send(account, "GET", path, signed(account, "GET", path))[0] in {400, 403}


def test_an_old_request_is_refused(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    import botocore.auth  # noqa: PLC0415

    for minutes, status in ((0, 200), (-14, 200), (-16, 403), (16, 403)):
        moment = datetime.now(UTC) + timedelta(minutes=minutes)
        monkeypatch.setattr(botocore.auth, "get_current_datetime", lambda moment=moment: moment)
        assert send(account, "GET", "/mail/kept", signed(account, "GET", "/mail/kept"))[0] == status, minutes


@pytest.mark.parametrize("version", ["v4", "s3"])
def test_a_presigned_link_carries_its_own_signature_until_it_expires(account: Account, version: str) -> None:
    s3 = boto3.client(
        "s3",
        endpoint_url=account.endpoint,
        aws_access_key_id=account.access_key_id,
        aws_secret_access_key=account.secret_access_key,
        region_name=account.region,
        config=Config(signature_version=version),
    )
    where = {"Bucket": "mail", "Key": "kept"}
    link = s3.generate_presigned_url("get_object", Params=where)
    assert urllib3.request("GET", link).data == b"kept"
    followed = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Referer": f"{EVIL}/"}
    assert urllib3.request("GET", link, headers=followed).status == 200
    assert urllib3.request("GET", link.replace("/kept", "/other")).status == 403
    assert urllib3.request("DELETE", link).status == 403
    assert urllib3.request("GET", s3.generate_presigned_url("get_object", Params=where, ExpiresIn=1)).status == 200
    short = s3.generate_presigned_url("get_object", Params=where, ExpiresIn=1)
    time.sleep(2.1)
    assert urllib3.request("GET", short).status == 403
    upload = s3.generate_presigned_url("put_object", Params={"Bucket": "mail", "Key": "sent"})
    assert urllib3.request("PUT", upload, body=b"x").status == 200
    account.client("s3").delete_object(Bucket="mail", Key="sent")


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
        with pytest.raises(ClientError, match="InvalidAccessKeyId|InvalidToken|SignatureDoesNotMatch"):
            account.client_as("s3", session | wrong).get_object(Bucket="mail", Key="kept")
    assert untouched(account)


def chunked(account: Account, body: bytes, *, tamper: bytes | None = None) -> tuple[int, bytes]:
    """Upload in signed chunks (Amazon S3 API Reference, "Signature Calculations: Transferring Payload in Multiple Chunks")."""
    request = AWSRequest("PUT", f"{account.endpoint}/mail/streamed")
    request.headers["X-Amz-Content-SHA256"] = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"
    request.headers["X-Amz-Decoded-Content-Length"] = str(len(body))
    request.headers["Content-Encoding"] = "aws-chunked"
    signer = SigV4Auth(Credentials(account.access_key_id, account.secret_access_key), "s3", account.region)
    signer._normalize_url_path = lambda path: path  # type: ignore[method-assign]
    signer.add_auth(request)
    previous = str(request.headers["Authorization"]).rpartition("Signature=")[2]
    sent = b""
    for chunk in (body, b""):
        hashes = f"{sha256(b'').hexdigest()}\n{sha256(chunk).hexdigest()}"
        text = f"AWS4-HMAC-SHA256-PAYLOAD\n{request.context['timestamp']}\n{signer.credential_scope(request)}\n{previous}\n{hashes}"
        previous = signer.signature(text, request)
        shown = tamper if tamper and chunk else chunk
        sent += f"{len(chunk):x};chunk-signature={previous}\r\n".encode() + shown + b"\r\n"
    return send(account, "PUT", "/mail/streamed", dict(request.headers.items()), sent)[:2]


def test_each_chunk_of_a_signed_upload_is_checked(account: Account) -> None:
    assert chunked(account, b"good")[0] == 200
    assert account.client("s3").get_object(Bucket="mail", Key="streamed")["Body"].read() == b"good"
    status, said = chunked(account, b"good", tamper=b"evil")
    assert status in {400, 403}, said
    assert account.client("s3").get_object(Bucket="mail", Key="streamed")["Body"].read() == b"good"
    account.client("s3").delete_object(Bucket="mail", Key="streamed")


def test_a_body_that_s3_need_not_hash_is_taken_only_by_s3(account: Account) -> None:
    fields = signed_unhashed(account, "PUT", "/mail/unhashed", "s3")
    assert send(account, "PUT", "/mail/unhashed", fields, b"x")[0] == 200
    account.client("s3").delete_object(Bucket="mail", Key="unhashed")
    fields = signed_unhashed(account, "POST", "/2015-03-31/functions", "lambda")
    assert send(account, "POST", "/2015-03-31/functions", fields, create_function())[0] == 403
    assert untouched(account)


def signed_unhashed(account: Account, method: str, path: str, service: str) -> dict[str, str]:
    request = AWSRequest(method, f"{account.endpoint}{path}", headers={"X-Amz-Content-SHA256": "UNSIGNED-PAYLOAD"})
    SigV4Auth(Credentials(account.access_key_id, account.secret_access_key), service, account.region).add_auth(request)
    return dict(request.headers.items())


def test_a_presigned_link_of_another_service_is_taken(account: Account) -> None:
    request = AWSRequest("GET", f"{account.endpoint}/?Action=GetCallerIdentity&Version=2011-06-15")
    credentials = Credentials(account.access_key_id, account.secret_access_key)
    SigV4QueryAuth(credentials, "sts", account.region, expires=60).add_auth(request)
    assert b"arn:aws:iam::000000000000:root" in urllib3.request("GET", str(request.url)).data
    assert urllib3.request("GET", str(request.url).replace("GetCallerIdentity", "GetSessionToken")).status == 403


def test_a_link_cannot_be_good_for_longer_than_a_week(account: Account) -> None:
    for seconds, status in ((604_800, 200), (604_801, 400)):
        request = AWSRequest("GET", f"{account.endpoint}/mail/kept")
        credentials = Credentials(account.access_key_id, account.secret_access_key)
        S3SigV4QueryAuth(credentials, "s3", account.region, expires=seconds).add_auth(request)
        assert urllib3.request("GET", str(request.url)).status == status


def test_only_health_answers_without_a_signature(account: Account) -> None:
    assert send(account, "GET", "/_ministack/health")[0] == 200
    for path in ("/health", "/_localstack/health", "/_ministack/ready", "/_ministack/health/", "/_ministack/sqs/messages",
                 "/_ministack/cfn-response/x", "/_ministack/lambda-code/x", "/_ministack/rds/iam-auth", "//_ministack/reset"):  # fmt: skip
        for method in ("GET", "POST", "PUT"):
            assert send(account, method, path)[0] in {400, 403}, path


def test_a_websocket_is_refused(account: Account) -> None:
    upgrade = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
               "Sec-WebSocket-Version": "13", "Sec-WebSocket-Protocol": "mqtt"}  # fmt: skip
    for headers in ({"Host": "iot.us-east-1.localhost", **upgrade}, {**upgrade, "Origin": EVIL}):
        assert send(account, "GET", "/mqtt", headers)[0] == 403


def test_the_functions_code_is_behind_a_signed_link(cloud: LocalCloud) -> None:
    found = cloud.account.client("lambda").get_function(FunctionName=cloud.functions["ParseFunction"])
    link = found["Code"]["Location"]
    assert urllib3.request("GET", link).data[:2] == b"PK"
    assert urllib3.request("GET", link.partition("?")[0]).status == 403


def test_a_web_page_reaches_no_function_by_its_runtime_api(cloud: LocalCloud) -> None:
    cloud.account.client("lambda").invoke(FunctionName=cloud.functions["ParseFunction"], Payload=b"{}")
    [process, *_] = processes_of(cloud, cloud.functions["ParseFunction"])
    environment = dict(item.split(b"=", 1) for item in (process / "environ").read_bytes().split(b"\0") if item)
    where = environment[b"AWS_LAMBDA_RUNTIME_API"].decode()
    for headers in (*BROWSERS.values(), {"Host": "evil.example"}):
        for method, path in (("GET", "invocation/next"), ("POST", "init/error"), ("POST", "invocation/x/response")):
            answer = urllib3.request(method, f"http://{where}/2018-06-01/runtime/{path}", headers=headers, timeout=5)
            assert answer.status == 403, (headers, path)


def test_a_functions_credentials_are_made_of_nothing_that_is_known(cloud: LocalCloud) -> None:
    client = cloud.account.client("lambda")
    found = client.get_function_configuration(FunctionName=cloud.functions["ParseFunction"])
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
    with socket.create_connection(("127.0.0.1", cloud.smtp_port), timeout=20) as connection:
        connection.sendall(request.encode())
        said = b""
        while part := connection.recv(65536):
            said += part
    assert b"250 OK" not in said
    with smtplib.SMTP("127.0.0.1", cloud.smtp_port) as smtp:
        assert smtp.noop()[0] == 250


def test_credentials_are_new_in_each_run_and_stand_nowhere_but_in_its_environment(
    cloud: LocalCloud, account: Account
) -> None:
    assert cloud.account.access_key_id != account.access_key_id
    assert cloud.account.secret_access_key != account.secret_access_key
    assert len(account.access_key_id) == 20
    assert len(account.secret_access_key) == 40
    assert cloud.account.secret_access_key not in cloud.log.read_text()
    assert cloud.account.secret_access_key not in repr(cloud)
    assert stat.S_IMODE(cloud.directory.stat().st_mode) == 0o700
    with pytest.raises(ClientError, match="InvalidClientTokenId"):
        replace(cloud.account, endpoint=account.endpoint).client("sts").get_caller_identity()


def test_only_loopback_is_listened_on(cloud: LocalCloud) -> None:
    """Addresses of /proc/net/tcp are hexadecimal, the octets in reverse: 0100007F is 127.0.0.1."""
    own = {b"MINISTACK_HOST=127.0.0.1", f"AWS_ENDPOINT_URL={cloud.account.endpoint}".encode()}
    from pathlib import Path  # noqa: PLC0415

    sockets = set()
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if own <= set((process / "environ").read_bytes().split(b"\0")):
                sockets |= {
                    os.readlink(f)[8:-1] for f in (process / "fd").iterdir() if os.readlink(f).startswith("socket:")
                }
        except OSError:
            continue
    lines = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    listening = {line[1].partition(":")[0] for line in lines if line[3] == "0A" and line[9] in sockets}
    assert listening == {"0100007F"}


def test_sam_with_the_credentials_deploys_and_without_does_not(cloud: LocalCloud) -> None:
    sam = str(sys.executable).replace("python", "sam")
    environment = cloud.account.environment()
    command = [sam, "list", "stack-outputs", "--stack-name", "mailstep", "--output", "json"]
    listed = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=60)
    assert listed.returncode == 0, listed.stderr
    wrong = environment | {"AWS_SECRET_ACCESS_KEY": "test"}
    listed = subprocess.run(command, env=wrong, capture_output=True, text=True, check=False, timeout=60)
    assert listed.returncode != 0
