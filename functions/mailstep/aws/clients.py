"""Creates the client of each AWS service, and turns AWS's faults into the errors that the workflow handles."""

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cache
from typing import Any

import boto3
from botocore import exceptions
from botocore.config import Config

from mailstep.errors import TransientError

# The workflow declares the retries. boto3 retries only once, for a momentary fault.
_CONFIG = Config(
    retries={"mode": "standard", "total_max_attempts": 2},
    connect_timeout=2,
    read_timeout=10,
    # For presigned links: new buckets require Signature Version 4 on their own regional host.
    signature_version="v4",
    s3={"addressing_style": "virtual"},
)
_THROTTLED = {
    "RequestLimitExceeded",
    "SlowDown",
    "Throttling",
    "ThrottlingException",
    "ThrottledException",
    "TooManyRequestsException",
    "ProvisionedThroughputExceededException",
    "LimitExceededException",
    "RequestTimeout",
}
# Network faults, and responses that end too early or arrive damaged.
_BROKEN_OFF = (
    exceptions.ConnectionError,
    exceptions.HTTPClientError,
    exceptions.IncompleteReadError,
    exceptions.FlexibleChecksumError,
)


@cache
def client(service: str) -> Any:
    """The environment's client for `service`, created on first use."""
    return boto3.client(service, config=_CONFIG)  # type: ignore[call-overload]


def answered(response: Mapping[str, Any]) -> datetime:
    """When AWS answered, by its own clock: the Date of the response, in whole seconds (RFC 9110 section 6.6.1)."""
    try:
        return parsedate_to_datetime(response["ResponseMetadata"]["HTTPHeaders"].get("date", ""))
    except ValueError:
        return datetime.now(UTC)


@contextmanager
def transient_faults() -> Generator[None]:
    """Raise throttling, 5xx and network faults of AWS as `TransientError`. Other errors pass unchanged.

    HTTP 429 means throttling, with any error code (RFC 6585 section 4).
    """
    try:
        yield
    except exceptions.ClientError as error:
        code = error.response.get("Error", {}).get("Code", "")
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        if code in _THROTTLED or status == 429 or status >= 500:
            raise TransientError(f"{error.operation_name}: {code} ({status})") from error
        raise
    except _BROKEN_OFF as error:
        raise TransientError(type(error).__name__) from error
