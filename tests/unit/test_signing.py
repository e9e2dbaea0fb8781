"""How an application knows us: each kind of proof, checked as the application would."""

import hashlib
import hmac
import json
import re
from collections.abc import Iterator

import boto3
import pytest
from moto import mock_aws

from mailstep.aws import clients
from mailstep.errors import ConfigurationError
from mailstep.process import signing
from mailstep.routes import Route

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
    with mock_aws():
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


def test_sigv4_is_for_the_region_of_the_api() -> None:
    made = signing.authenticate(Route(url=URL, auth="sigv4"), BODY, {"Idempotency-Key": "k"})
    assert "/eu-west-1/execute-api/aws4_request" in made["Authorization"]
    assert "idempotency-key" in made["Authorization"]
    assert made["X-Amz-Security-Token"] == "test"


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
