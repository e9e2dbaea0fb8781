"""The example application beside the local cloud, and the parameters of the stack for an application.

python -m mailstep_local.example PORT < a pipe that the parent holds open
"""

import base64
import secrets
import sys
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path

import urllib3

from mailstep_local.account import Account
from mailstep_local.deployment import PROJECT
from mailstep_local.processes import child, end_with_parent

SECRET = f"whsec_{base64.b64encode(secrets.token_bytes(32)).decode()}"
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
        yield parameters(account, f"http://127.0.0.1:{port}/mail", SECRET)


def parameters(account: Account, url: str, secret: str) -> dict[str, str]:
    """The parameters of Mailstep's stack for an application; requests are signed if the secret is not empty."""
    if not secret:
        return {"ApplicationUrl": url}
    stored = account.client("secretsmanager").create_secret(Name="mailstep-application", SecretString=secret)
    return {"ApplicationUrl": url, "ApplicationAuth": "standard_webhooks", "ApplicationSecretArn": stored["ARN"]}


if __name__ == "__main__":
    import uvicorn

    end_with_parent()
    uvicorn.run(
        "application:app", app_dir=str(_DIRECTORY), host="127.0.0.1", port=int(sys.argv[1]), log_level="warning"
    )
