"""Authenticates requests to the application: by SigV4, an HMAC or an API key. Secrets stay only in memory."""

import hashlib
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
    from mailstep.routes import Route

SIGNATURE = "Mailstep-Signature"
"""`t=<seconds since 1970>,v1=<hex>[,v1=<hex>]`: HMAC-SHA256 of `<t>.<body>` with each valid secret."""
_CACHE_SECONDS = 300
_API_GATEWAY = re.compile(r"\.execute-api\.([a-z0-9-]+)\.amazonaws\.com(\.cn)?$")


def authenticate(route: "Route", body: bytes, headers: dict[str, str]) -> dict[str, str]:
    """The headers, with the authentication that the route is set to.

    Raises:
        ConfigurationError: the secret does not exist, or may not be read.
        TransientError: Secrets Manager is unavailable.
    """
    match route.auth:
        case "sigv4":
            return _signed_by_sigv4(route.url, body, headers)
        case "hmac":
            return headers | {SIGNATURE: signature(_secrets(route.secret), body, round(time.time()))}
        case "api_key":
            return headers | {"x-api-key": _secrets(route.secret)[0]}
        case _:
            return headers


def signature(secrets: list[str], body: bytes, timestamp: int) -> str:
    """The value of Mailstep-Signature. Any one of the secrets is enough to check it, so that they can be rotated."""
    signed = f"{timestamp}.".encode() + body
    made = [hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest() for secret in secrets]
    return ",".join([f"t={timestamp}", *(f"v1={one}" for one in made)])


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
            return str(_provider(stage).get(arn, max_age=_CACHE_SECONDS, VersionStage=stage))
    except GetParameterError as error:
        cause = error.__cause__ or error.__context__ or error
        if isinstance(cause, ClientError) and cause.response["Error"]["Code"] == "ResourceNotFoundException":
            return None
        with transient_faults():
            raise cause from None


def forget_secrets() -> None:
    """Forget the cached secrets, so that the next call reads them again: the application rejected them."""
    _provider.cache_clear()


@cache
def _provider(stage: str) -> SecretsProvider:
    # One for each stage: Powertools' cache does not distinguish stages.
    del stage
    return SecretsProvider(boto3_client=client("secretsmanager"))
