"""How an application knows us: each kind of proof, checked as the application would."""

import hashlib
import hmac
import json
import re
from collections.abc import Iterator
from datetime import datetime, timedelta, tzinfo
from typing import Any
from urllib.parse import urlsplit

import boto3
import pytest
from botocore.client import BaseClient
from botocore.exceptions import ClientError

from mailstep.aws import clients
from mailstep.errors import ConfigurationError, TransientError
from mailstep.process import signing
from mailstep.routes import Route
from tests.support.moto_account import moto_account

BODY = b'{"message": 1}'
URL = "https://abc.execute-api.eu-west-1.amazonaws.com/prod/mail"


@pytest.fixture(autouse=True)
def _account(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    for cache in (clients.client, signing._provider):
        cache.cache_clear()
    with moto_account():
        yield
    for cache in (clients.client, signing._provider):
        cache.cache_clear()


def secret(*values: str) -> str:
    """The ARN of a secret that had these values, the last one now."""
    manager = boto3.client("secretsmanager")
    arn = manager.create_secret(Name="app", SecretString=values[0])["ARN"]
    for value in values[1:]:
        manager.put_secret_value(SecretId=arn, SecretString=value)
    return arn


def accepts(header: str, known: str) -> bool:
    """Whether an application that knows one secret takes the signature (docs/applications.md)."""
    parts = [part.partition("=") for part in header.split(",")]
    timestamp = next(value for name, _, value in parts if name == "t")
    wanted = hmac.new(known.encode(), timestamp.encode() + b"." + BODY, hashlib.sha256).hexdigest()
    return any(hmac.compare_digest(wanted, value) for name, _, value in parts if name == "v1")


def test_an_hmac_is_made_with_the_secret_and_with_the_one_before_it() -> None:
    route = Route(url=URL, auth="hmac", secret=secret("old", "new"))
    header = signing.authenticate(route, BODY, {})[signing.SIGNATURE]
    assert accepts(header, "new")
    assert accepts(header, "old")
    assert not accepts(header, "other")
    assert re.fullmatch(r"t=\d{10},v1=[0-9a-f]{64},v1=[0-9a-f]{64}", header)


def test_an_hmac_of_a_secret_that_was_never_rotated() -> None:
    header = signing.authenticate(Route(url=URL, auth="hmac", secret=secret("only")), BODY, {})[signing.SIGNATURE]
    assert accepts(header, "only")
    assert header.count("v1=") == 1


def test_an_api_key_is_the_secret_of_now() -> None:
    made = signing.authenticate(Route(url=URL, auth="api_key", secret=secret("old", "new")), BODY, {"A": "b"})
    assert made == {"A": "b", "x-api-key": "new"}


def sigv4(url: str, made: dict[str, str], region: str) -> str:
    """The Authorization that API Gateway computes for a POST of BODY, signed with the credentials `test`, `secret`.

    IAM User Guide, "Create a signed AWS API request".
    """
    when, split = made["X-Amz-Date"], urlsplit(url)
    sent = {name.lower(): value for name, value in made.items()} | {"host": split.netloc}
    names = sorted(name for name in sent if name != "authorization")
    canonical = "\n".join(
        ["POST", split.path, split.query, *(f"{name}:{sent[name]}" for name in names), "", ";".join(names),
         hashlib.sha256(BODY).hexdigest()]
    )  # fmt: skip
    scope = f"{when[:8]}/{region}/execute-api/aws4_request"
    to_sign = f"AWS4-HMAC-SHA256\n{when}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    key = b"AWS4secret"
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    signature = hmac.new(key, to_sign.encode(), "sha256").hexdigest()
    return f"AWS4-HMAC-SHA256 Credential=test/{scope}, SignedHeaders={';'.join(names)}, Signature={signature}"


@pytest.mark.parametrize(
    ("url", "region"),
    [
        (URL, "eu-west-1"),
        ("https://abc.execute-api.cn-north-1.amazonaws.com.cn/prod/mail", "cn-north-1"),
        # A domain of one's own tells no Region: it is the function's own.
        ("https://api.shop.example/mail", "us-east-1"),
        ("https://abc.execute-api.eu-west-1.amazonaws.com.evil.example/mail", "us-east-1"),
    ],
)
def test_sigv4_is_what_api_gateway_computes_for_the_region_of_the_api(
    monkeypatch: pytest.MonkeyPatch, url: str, region: str
) -> None:
    for name, value in {"ACCESS_KEY_ID": "test", "SECRET_ACCESS_KEY": "secret", "SESSION_TOKEN": "token"}.items():
        monkeypatch.setenv(f"AWS_{name}", value)
    made = signing.authenticate(Route(url=url, auth="sigv4"), BODY, {"Idempotency-Key": "k"})
    assert made["Authorization"] == sigv4(url, made, region)
    assert (made["Idempotency-Key"], made["X-Amz-Security-Token"]) == ("k", "token")


def test_without_credentials_nothing_is_sent_unsigned(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(boto3.Session, "get_credentials", lambda _self: None)
    with pytest.raises(ConfigurationError, match="credentials"):
        signing.authenticate(Route(url=URL, auth="sigv4"), BODY, {})


def test_without_auth_nothing_is_added() -> None:
    assert signing.authenticate(Route(url=URL), BODY, {"A": "b"}) == {"A": "b"}


def test_a_missing_secret_is_a_configuration_error_that_says_so() -> None:
    arn = "arn:aws:secretsmanager:us-east-1:123456789012:secret:gone"
    with pytest.raises(ConfigurationError, match="ApplicationSecretArn") as caught:
        signing.authenticate(Route(url=URL, auth="hmac", secret=arn), BODY, {})
    assert json.dumps(str(caught.value)).isascii()


def test_a_secret_is_read_once_and_again_after_the_application_rejected_it() -> None:
    """docs/applications.md: a rotated secret is in use at the next try after a 401 or 403."""
    arn = secret("old")
    route = Route(url=URL, auth="api_key", secret=arn)
    assert signing.authenticate(route, BODY, {})["x-api-key"] == "old"
    boto3.client("secretsmanager").put_secret_value(SecretId=arn, SecretString="new")
    assert signing.authenticate(route, BODY, {})["x-api-key"] == "old", "Secrets Manager is not asked for each message"
    signing.forget_secrets()
    assert signing.authenticate(route, BODY, {})["x-api-key"] == "new"


def test_a_secret_is_kept_for_five_minutes(monkeypatch: pytest.MonkeyPatch) -> None:
    """docs/applications.md: a new secret is in use within five minutes."""
    now = datetime.now()

    class Clock(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> "datetime":  # type: ignore[override]
            return now

    monkeypatch.setattr("aws_lambda_powertools.utilities.parameters.base.datetime", Clock)
    arn = secret("old")
    route = Route(url=URL, auth="api_key", secret=arn)
    assert signing.authenticate(route, BODY, {})["x-api-key"] == "old"
    boto3.client("secretsmanager").put_secret_value(SecretId=arn, SecretString="new")
    now += timedelta(seconds=299)
    assert signing.authenticate(route, BODY, {})["x-api-key"] == "old"
    now += timedelta(seconds=2)
    assert signing.authenticate(route, BODY, {})["x-api-key"] == "new"


@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("ThrottlingException", TransientError),
        ("InternalServiceError", TransientError),
        # Not "does not exist": the role, or the key's policy, is what an operator has to correct.
        ("AccessDeniedException", ClientError),
        ("DecryptionFailure", ClientError),
    ],
)
def test_a_secret_that_cannot_be_read_now_is_not_taken_for_one_that_is_not_there(
    monkeypatch: pytest.MonkeyPatch, code: str, error: type[Exception]
) -> None:
    call = BaseClient._make_api_call  # type: ignore[attr-defined]

    def failing(self: Any, name: str, arguments: Any) -> Any:
        if name == "GetSecretValue":
            status = 500 if code == "InternalServiceError" else 400
            fault: Any = {"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}
            raise ClientError(fault, name)
        return call(self, name, arguments)

    arn = secret("only")
    monkeypatch.setattr(BaseClient, "_make_api_call", failing)
    with pytest.raises(error, match=code):
        signing.authenticate(Route(url=URL, auth="hmac", secret=arn), BODY, {})
