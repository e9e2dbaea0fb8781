"""The example application beside the local cloud.

python -m mailstep_local.example PORT < a pipe that the parent holds open
"""

import secrets
import sys
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path

import urllib3

from mailstep_local.account import Account
from mailstep_local.deployment import PROJECT
from mailstep_local.processes import child, end_with_parent

SECRET = secrets.token_urlsafe()
"""The secret that the application and Mailstep share, for this process and those that it starts."""
_DIRECTORY = PROJECT / "examples" / "application"


@contextmanager
def serving(account: Account, port: int, log: Path) -> Generator[dict[str, str]]:
    """Run the application on `port`; yield the parameters of Mailstep's stack for it.

    Raises:
        UserError: it did not start.
    """

    def is_up() -> bool:
        with suppress(urllib3.exceptions.HTTPError):
            return urllib3.request("GET", f"http://127.0.0.1:{port}/health", retries=False, timeout=2).status == 200
        return False

    environment = account.environment() | {"MAILSTEP_SECRETS": SECRET}
    with child("mailstep_local.example", str(port), cwd=PROJECT, environment=environment, log=log, is_up=is_up):
        secret = account.client("secretsmanager").create_secret(Name="mailstep-application", SecretString=SECRET)
        yield {
            "ApplicationUrl": f"http://127.0.0.1:{port}/mail",
            "ApplicationAuth": "hmac",
            "ApplicationSecretArn": secret["ARN"],
        }


if __name__ == "__main__":
    import uvicorn

    end_with_parent()
    uvicorn.run(
        "application:app", app_dir=str(_DIRECTORY), host="127.0.0.1", port=int(sys.argv[1]), log_level="warning"
    )
