"""The example application beside the local cloud.

python -m localcloud.example PORT < a pipe that the parent holds open
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path

import urllib3

from localcloud.account import Account
from localcloud.deployment import PROJECT
from localcloud.errors import UserError
from localcloud.processes import end_with_parent

SECRET = "a secret of this machine only"  # noqa: S105 - it opens nothing
_DIRECTORY = PROJECT / "examples" / "application"
_START_SECONDS = 20


@contextmanager
def serving(account: Account, port: int, log: Path) -> Generator[dict[str, str]]:
    """Run the application on `port`; answer the parameters of Mailstep's stack that name it.

    Raises:
        UserError: it did not start.
    """
    with log.open("ab") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "localcloud.example", str(port)],
            cwd=PROJECT,
            env=account.environment() | {"MAILSTEP_SECRETS": SECRET},
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        _wait_until_up(port, process, log)
        secret = account.client("secretsmanager").create_secret(Name="mailstep-application", SecretString=SECRET)
        yield {
            "ApplicationUrl": f"http://127.0.0.1:{port}/mail",
            "ApplicationAuth": "hmac",
            "ApplicationSecretArn": secret["ARN"],
        }
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _wait_until_up(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        with suppress(urllib3.exceptions.HTTPError):
            if urllib3.request("GET", f"http://127.0.0.1:{port}/health", retries=False, timeout=2).status == 200:
                return
        time.sleep(0.1)
    raise UserError(f"the example application did not start within {_START_SECONDS} s: see {log}")


if __name__ == "__main__":
    import uvicorn

    end_with_parent()
    uvicorn.run(
        "application:app", app_dir=str(_DIRECTORY), host="127.0.0.1", port=int(sys.argv[1]), log_level="warning"
    )
