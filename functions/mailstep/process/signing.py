"""Authenticates requests to the application: by a signature or an API key. Secrets stay only in memory."""

import base64
import hmac
import re
import time
from functools import cache
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import boto3
from aws_lambda_powertools.utilities.parameters import SecretsProvider
from aws_lambda_powertools.utilities.parameters.exceptions import GetParameterError
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.exceptions import ClientError

from mailstep import settings
from mailstep.aws.clients import client, transient_faults
from mailstep.errors import ConfigurationError

if TYPE_CHECKING:
    from mailstep.route import Route

WEBHOOK_ID = "webhook-id"
"""The field with the idempotency key (Standard Webhooks, "Webhook headers"). It is signed, so no one can change it."""
_KEY_PREFIX = "whsec_"
_KEY_OCTETS = range(24, 65)
NEEDED = "it must be plain text, whsec_ and then the Base64 of 24 to 64 random octets"
"""What a secret must be to sign requests (Standard Webhooks, "Signature scheme")."""
_CACHE_SECONDS = 300
_API_GATEWAY = re.compile(r"\.execute-api\.([a-z0-9-]+)\.amazonaws\.com(\.cn)?$")


def authenticate(route: "Route", body: bytes, headers: dict[str, str]) -> dict[str, str]:
    """The headers, with the authentication that the route is set to. They have the request's `webhook-id`.

    Raises:
        ConfigurationError: the secret does not exist, may not be read, or is not what `auth` needs.
        TransientError: Secrets Manager is unavailable.
    """
    match route.auth:
        case "sigv4":
            return _signed_by_sigv4(route.url, body, headers)
        case "standard_webhooks":
            timestamp = str(round(time.time()))
            signed = b".".join([headers[WEBHOOK_ID].encode(), timestamp.encode(), body])
            signatures = " ".join(_signature(key, signed) for key in _signing_keys(route.secret))
            return headers | {"webhook-timestamp": timestamp, "webhook-signature": signatures}
        case "api_key":
            return headers | {"x-api-key": _api_key(route.secret)}
        case _:
            return headers


def _signature(key: bytes, signed: bytes) -> str:
    """A symmetric signature, `v1` (Standard Webhooks, "Signature scheme")."""
    return f"v1,{base64.b64encode(hmac.digest(key, signed, 'sha256')).decode()}"


def _signing_keys(arn: str) -> list[bytes]:
    """The keys to sign with: of the current secret, and of the previous one, if it is one for signing."""
    current, *previous = (signing_key(secret) for secret in _secrets(arn))
    if current is None:
        raise _unusable(f"cannot sign requests: {NEEDED}")
    return [current, *(key for key in previous if key)]


def signing_key(secret: str) -> bytes | None:
    """The key in a secret, with the prefix `whsec_` or without it, as the libraries of Standard Webhooks read it."""
    try:
        key = base64.b64decode(secret.removeprefix(_KEY_PREFIX), validate=True)
    except ValueError:
        return None
    return key if len(key) in _KEY_OCTETS else None


def _api_key(arn: str) -> str:
    key = _secrets(arn)[0]
    # An invalid field value would be an error that repeats it (RFC 9110 section 5.5).
    if not (key and key.isascii() and key.isprintable()):
        raise _unusable("is not an API key: store plain text, one line of printable US-ASCII")
    return key


def _unusable(why: str) -> ConfigurationError:
    # The next try reads what an operator has stored instead.
    forget_secrets()
    return ConfigurationError(f"the application's secret {why}")


def _signed_by_sigv4(url: str, body: bytes, headers: dict[str, str]) -> dict[str, str]:
    """Signature Version 4 for `execute-api`, as this function's role (IAM User Guide, "Signing AWS API requests")."""
    found = _API_GATEWAY.search(urlsplit(url).hostname or "")
    request = AWSRequest("POST", url, headers=headers, data=body)
    credentials = boto3.Session().get_credentials()
    if credentials is None:
        raise ConfigurationError("there are no AWS credentials to sign the request with")
    SigV4Auth(credentials, "execute-api", found[1] if found else settings.Runtime.read().region).add_auth(request)
    return dict(request.headers.items())


def _secrets(arn: str) -> list[str]:
    """The current secret, and the previous one if it still exists (AWSCURRENT, AWSPREVIOUS)."""
    current = _secret(arn, "AWSCURRENT")
    if current is None:
        raise ConfigurationError("the application's secret does not exist: check ApplicationSecretArn")
    previous = _secret(arn, "AWSPREVIOUS")
    return [current] if previous is None else [current, previous]


def _secret(arn: str, stage: str) -> str | None:
    try:
        with transient_faults():
            found = _provider(stage).get(arn, max_age=_CACHE_SECONDS, VersionStage=stage)
    except GetParameterError as error:
        cause = error.__cause__ or error.__context__ or error
        if isinstance(cause, ClientError) and cause.response["Error"]["Code"] == "ResourceNotFoundException":
            return None
        with transient_faults():
            raise cause from None
    # Editors and `echo` put a line end behind it. A binary secret has no text.
    return found.strip() if isinstance(found, str) else ""


def forget_secrets() -> None:
    """Forget the cached secrets, so that the next call reads them again: the application rejected them."""
    _provider.cache_clear()


@cache
def _provider(stage: str) -> SecretsProvider:
    # One for each stage: Powertools' cache does not distinguish stages.
    del stage
    return SecretsProvider(boto3_client=client("secretsmanager"))
