"""The local account's endpoint and credentials, and its AWS clients."""

import base64
import os
import secrets
import string
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any, Self

import boto3
from botocore.config import Config

REGION = "us-east-1"
ACCOUNT_ID = "000000000000"
_KEY_ID_ALPHABET = string.ascii_uppercase + "234567"


@dataclass(frozen=True)
class Account:
    """The local AWS account: its endpoint, one Region and root's credentials.

    Each function still runs as its own role.
    """

    endpoint: str
    access_key_id: str
    secret_access_key: str = field(repr=False)
    region: str = REGION

    @classmethod
    def new(cls, endpoint: str, region: str = REGION) -> Self:
        """An account to start at `endpoint`, with new credentials, which are valid nowhere else.

        They have the form of AWS's own: 20 characters and 40.
        """
        access_key_id = "AKIA" + "".join(secrets.choice(_KEY_ID_ALPHABET) for _ in range(16))
        return cls(endpoint, access_key_id, base64.b64encode(secrets.token_bytes(30)).decode(), region)

    @classmethod
    def of_this_process(cls) -> Self:
        """The account in this process's `variables`."""
        names = ("AWS_ENDPOINT_URL", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION")
        return cls(*(os.environ[name] for name in names))

    def seen_from(self, region: str) -> Self:
        """The same account in another Region."""
        return replace(self, region=region)

    @cache  # noqa: B019 - an account lives as long as its process
    def client(self, service: str) -> Any:
        """The boto3 client for `service` against this account."""
        root = {"AccessKeyId": self.access_key_id, "SecretAccessKey": self.secret_access_key}
        return self.client_as(service, root)

    def client_as(self, service: str, credentials: dict[str, Any]) -> Any:
        """The same with the Credentials of a response from STS."""
        session = boto3.Session(
            aws_access_key_id=credentials["AccessKeyId"],
            aws_secret_access_key=credentials["SecretAccessKey"],
            aws_session_token=credentials.get("SessionToken"),
            region_name=self.region,
        )
        config = Config(retries={"mode": "standard"}, inject_host_prefix=False, proxies={})
        return session.client(service, endpoint_url=self.endpoint, config=config)  # type: ignore[call-overload]

    def variables(self) -> dict[str, str]:
        """The environment variables that point any AWS client to this account."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": self.access_key_id,
            "AWS_SECRET_ACCESS_KEY": self.secret_access_key,
            "AWS_DEFAULT_REGION": self.region,
            "AWS_REGION": self.region,
        }

    def environment(self) -> dict[str, str]:
        """This process's environment, with this account in place of the user's own AWS account."""
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        nothing = {"AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull}
        past = {name: ",".join(filter(None, (inherited.get(name), "127.0.0.1"))) for name in ("NO_PROXY", "no_proxy")}
        return {**inherited, **nothing, **self.variables(), **past, "SAM_CLI_TELEMETRY": "0"}
