"""The one way to AWS: a client per service, and AWS's faults in the errors the workflow knows."""

from collections.abc import Generator
from contextlib import contextmanager
from functools import cache
from typing import Any

import boto3
from botocore import exceptions
from botocore.config import Config

from mailstep.errors import TransientError

# The workflow's declared retries are the patience; boto3 only bridges a blip.
_CONFIG = Config(
    retries={"mode": "standard", "total_max_attempts": 2},
    connect_timeout=2,
    read_timeout=10,
    # Presigned links: Signature Version 4 on the bucket's own regional host, as new buckets ask for.
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
# The network, and an answer that ends too early or arrives damaged.
_BROKEN_OFF = (
    exceptions.ConnectionError,
    exceptions.HTTPClientError,
    exceptions.IncompleteReadError,
    exceptions.FlexibleChecksumError,
)


@cache
def client(service: str) -> Any:
    """The environment's client for `service`, made on first use."""
    return boto3.client(service, config=_CONFIG)  # type: ignore[call-overload]


@contextmanager
def transient_faults() -> Generator[None]:
    """Raise throttling, 5xx and network faults of AWS as `TransientError`; let all others pass as they are.

    HTTP 429 is throttling whatever its code says (RFC 6585 section 4).
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
