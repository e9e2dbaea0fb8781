"""What an AWS client needs to look into the local account. The credentials are dummies; they open nothing else."""

import os
from dataclasses import dataclass
from functools import cache
from typing import Any

import boto3
from botocore.config import Config

REGION = "us-east-1"
ACCOUNT_ID = "000000000000"
ACCESS_KEY = "test"
"""MiniStack's root caller; each function runs as its own role all the same (AUTH=true)."""


@dataclass(frozen=True)
class Account:
    """The local AWS account behind one endpoint, seen from one Region."""

    endpoint: str
    region: str = REGION

    @cache  # noqa: B019 - an account lives as long as its process
    def client(self, service: str) -> Any:
        """The boto3 client for `service` against this account."""
        return self.client_as(service, {"AccessKeyId": ACCESS_KEY, "SecretAccessKey": ACCESS_KEY})

    def client_as(self, service: str, credentials: dict[str, Any]) -> Any:
        """The same with the Credentials of an answer by STS."""
        session = boto3.Session(
            aws_access_key_id=credentials["AccessKeyId"],
            aws_secret_access_key=credentials["SecretAccessKey"],
            aws_session_token=credentials.get("SessionToken"),
            region_name=self.region,
        )
        config = Config(retries={"mode": "standard"}, inject_host_prefix=False, proxies={})
        return session.client(service, endpoint_url=self.endpoint, config=config)  # type: ignore[call-overload]

    def variables(self) -> dict[str, str]:
        """The environment variables that point any AWS client here, and nowhere else."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": ACCESS_KEY,
            "AWS_SECRET_ACCESS_KEY": ACCESS_KEY,
            "AWS_DEFAULT_REGION": self.region,
            "AWS_REGION": self.region,
        }

    def environment(self) -> dict[str, str]:
        """This process's environment without the user's own AWS account, and with this one."""
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        nothing = {"AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull}
        past = {name: ",".join(filter(None, (inherited.get(name), "127.0.0.1"))) for name in ("NO_PROXY", "no_proxy")}
        return {**inherited, **nothing, **self.variables(), **past, "SAM_CLI_TELEMETRY": "0"}
