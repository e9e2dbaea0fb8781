"""How an application knows us: each kind of proof, checked as the application would.

Over 300 lines, because the kinds share the secret, its rotation and what is wrong with it.
"""

import base64
import hashlib
import hmac
import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from datetime import datetime, timedelta, tzinfo
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import boto3
import pytest
from botocore.client import BaseClient
from botocore.exceptions import ClientError
from standardwebhooks import Webhook, WebhookVerificationError

from mailstep.aws import clients
from mailstep.errors import ConfigurationError, TransientError
from mailstep.process import signing
from mailstep.route import Route
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


def signing_secret(octet: bytes) -> str:
    """A secret as Standard Webhooks writes it."""
    return f"whsec_{base64.b64encode(octet * 32).decode()}"


OLD, NEW, OTHER = map(signing_secret, (b"o", b"n", b"x"))


def signed(*secrets: str) -> dict[str, str]:
    """The headers of a request to a route whose secret had these values."""
    route = Route(url=URL, auth="standard_webhooks", secret=secret(*secrets))
    return signing.authenticate(route, BODY, {signing.WEBHOOK_ID: "key"})


def accepts(headers: dict[str, str], known: str, body: bytes = BODY) -> bool:
    """Whether an application with this secret accepts the request, by the library of Standard Webhooks."""
    try:
        Webhook(known).verify(body, headers)
    except WebhookVerificationError:
        return False
    return True


def test_a_request_is_signed_with_the_secret_and_with_the_one_before_it() -> None:
    headers = signed(OLD, NEW)
    assert accepts(headers, NEW)
    assert accepts(headers, OLD)
    assert not accepts(headers, OTHER)
    # Standard Webhooks, "Webhook headers".
    assert re.fullmatch(r"v1,[A-Za-z0-9+/]{43}= v1,[A-Za-z0-9+/]{43}=", headers["webhook-signature"])
    assert re.fullmatch(r"\d{10}", headers["webhook-timestamp"])
    assert headers["webhook-id"] == "key"


def test_a_secret_that_was_never_rotated_makes_one_signature() -> None:
    headers = signed(NEW)
    assert accepts(headers, NEW)
    assert headers["webhook-signature"].count("v1,") == 1


def test_a_changed_id_time_or_body_is_refused_by_the_library() -> None:
    headers = signed(NEW)
    later = str(int(headers["webhook-timestamp"]) + 1)
    assert not accepts(headers | {"webhook-id": "another"}, NEW)
    assert not accepts(headers | {"webhook-timestamp": later}, NEW)
    assert not accepts(headers, NEW, BODY + b" ")


def test_the_library_for_node_accepts_the_request_and_refuses_a_changed_one(tmp_path: Path) -> None:
    """The npm package `standardwebhooks`; a machine without Node or a registry tests with the Python package only."""
    npm, node = shutil.which("npm"), shutil.which("node")
    if not npm or not node:
        pytest.skip("node and npm are not installed")
    options = ("--prefer-offline", "--fetch-retries=0", "--ignore-scripts", "--no-audit", "--no-fund")
    install = [npm, "install", *options, "standardwebhooks@1"]
    installed = subprocess.run(install, cwd=tmp_path, capture_output=True, text=True, check=False)
    if installed.returncode:
        pytest.skip(f"npm cannot install standardwebhooks: {installed.stderr.strip().splitlines()[-1:]}")
    headers = signed(OLD, NEW)
    later = str(int(headers["webhook-timestamp"]) + 1)
    cases = {
        "new": (NEW, headers, BODY),
        "old": (OLD, headers, BODY),
        "other key": (OTHER, headers, BODY),
        "body": (NEW, headers, BODY + b" "),
        "time": (NEW, headers | {"webhook-timestamp": later}, BODY),
        "id": (NEW, headers | {"webhook-id": "another"}, BODY),
    }
    told = json.dumps({name: [key, sent, body.decode()] for name, (key, sent, body) in cases.items()})
    program = """
        const { Webhook, WebhookVerificationError } = require("standardwebhooks");
        const accepted = [];
        for (const [name, [key, headers, body]] of Object.entries(JSON.parse(process.argv[1]))) {
          try { new Webhook(key).verify(body, headers); accepted.push(name); }
          catch (error) { if (!(error instanceof WebhookVerificationError)) throw error; }
        }
        console.log(JSON.stringify(accepted));
    """
    said = subprocess.run([node, "-e", program, told], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert json.loads(said.stdout or "null") == ["new", "old"], said.stderr


@pytest.mark.parametrize(
    "written",
    [
        NEW.removeprefix("whsec_"),
        f"{NEW}\n",
        # Standard Webhooks, "Signature scheme": 24 to 64 octets.
        f"whsec_{base64.b64encode(b'n' * 24).decode()}",
        f"whsec_{base64.b64encode(b'n' * 64).decode()}",
        # What Secrets Manager and the example's template generate: letters and digits.
        "a1B2" * 16,
    ],
)
def test_a_secret_is_read_as_the_libraries_read_it_and_without_a_line_end(written: str) -> None:
    assert accepts(signed(written), written.strip())


@pytest.mark.parametrize(
    "written",
    [
        "a secret in words",
        json.dumps({"key": NEW}),
        "whsec_too-short",
        "whsec_" + base64.b64encode(b"n" * 23).decode(),
        "whsec_" + base64.b64encode(b"n" * 65).decode(),
        "whsec_" + base64.b64encode(b"n" * 32).decode().rstrip("="),
        "whsec_n\N{LATIN SMALL LETTER O WITH DIAERESIS}",
    ],
)
def test_a_secret_that_cannot_sign_is_a_configuration_error_that_says_what_to_store(written: str) -> None:
    """Standard Webhooks, "Signature scheme": 24 to 64 octets, as whsec_ and Base64."""
    with pytest.raises(
        ConfigurationError, match="plain text, whsec_ and then the Base64 of 24 to 64 random octets"
    ) as caught:
        signed(written)
    assert written not in str(caught.value)


@pytest.mark.parametrize("auth", ["standard_webhooks", "api_key"])
def test_a_binary_secret_is_a_configuration_error_too(auth: Any) -> None:
    arn = boto3.client("secretsmanager").create_secret(Name="app", SecretBinary=b"n" * 32)["ARN"]
    with pytest.raises(ConfigurationError, match="plain text"):
        signing.authenticate(Route(url=URL, auth=auth, secret=arn), BODY, {signing.WEBHOOK_ID: "key"})


def test_a_secret_that_was_corrected_is_in_use_at_once_and_the_unusable_one_before_it_signs_nothing() -> None:
    arn = secret("a secret in words")
    route = Route(url=URL, auth="standard_webhooks", secret=arn)
    with pytest.raises(ConfigurationError):
        signing.authenticate(route, BODY, {signing.WEBHOOK_ID: "key"})
    boto3.client("secretsmanager").put_secret_value(SecretId=arn, SecretString=NEW)
    headers = signing.authenticate(route, BODY, {signing.WEBHOOK_ID: "key"})
    assert accepts(headers, NEW)
    assert headers["webhook-signature"].count("v1,") == 1


def test_an_api_key_is_the_secret_of_now() -> None:
    made = signing.authenticate(Route(url=URL, auth="api_key", secret=secret("old", "new\n")), BODY, {"A": "b"})
    assert made == {"A": "b", "x-api-key": "new"}


@pytest.mark.parametrize("written", ["two\nlines", "caf\N{LATIN SMALL LETTER E WITH ACUTE}", " "])
def test_an_api_key_that_no_header_field_can_hold_is_a_configuration_error(written: str) -> None:
    with pytest.raises(ConfigurationError, match="one line of printable US-ASCII") as caught:
        signing.authenticate(Route(url=URL, auth="api_key", secret=secret(written)), BODY, {})
    assert written not in str(caught.value) or written == " "


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
        signing.authenticate(Route(url=URL, auth="standard_webhooks", secret=arn), BODY, {"webhook-id": "k"})
    assert json.dumps(str(caught.value)).isascii()


def test_a_secret_is_read_once_and_again_after_the_application_rejected_it() -> None:
    """docs/applications.md: a rotated secret is in use at the next try after a 401 or 403."""
    arn = secret("old")
    route = Route(url=URL, auth="api_key", secret=arn)
    assert signing.authenticate(route, BODY, {})["x-api-key"] == "old"
    boto3.client("secretsmanager").put_secret_value(SecretId=arn, SecretString="new")  # pragma: allowlist secret
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
    boto3.client("secretsmanager").put_secret_value(SecretId=arn, SecretString="new")  # pragma: allowlist secret
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
        signing.authenticate(Route(url=URL, auth="standard_webhooks", secret=arn), BODY, {"webhook-id": "k"})
