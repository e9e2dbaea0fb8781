"""moto's AWS account, empty, with one session of boto3's for all tests: it reads the services' models once."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from unittest.mock import patch

import boto3
from moto import mock_aws


@contextmanager
def moto_account() -> Iterator[None]:
    """An account in which nothing is. Clients of the default session reach it."""
    with mock_aws(), patch("boto3.DEFAULT_SESSION", _session()):
        yield


@cache
def _session() -> boto3.Session:
    return boto3.Session()
