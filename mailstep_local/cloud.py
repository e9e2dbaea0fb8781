"""Runs a local cloud: the account, the deployed stack, SMTP and the outbox. It stops everything that it started."""

import os
import re
import secrets
import shutil
import socket
from collections.abc import Callable, Generator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import urllib3

from mailstep_cli.errors import UserError
from mailstep_local import deployment, example
from mailstep_local import ses_receiving as receiving
from mailstep_local.account import ACCOUNT_ID, REGION, Account
from mailstep_local.processes import child

DOMAIN = "mailstep.example"
"""The domain that the local SES receives for; samconfig.toml names it too, for both local stacks."""
_CONCURRENCY = 8 * (os.cpu_count() or 1)
"""Concurrent environments of all functions, about 60 MB each. Beyond this, calls are throttled, as on AWS."""

Progress = Callable[[str], None]


@dataclass(frozen=True)
class LocalCloud:
    """A running local cloud and where everything in it is."""

    account: Account
    smtp_port: int
    directory: Path
    outputs: dict[str, str]
    addresses: list[str]
    functions: dict[str, str]

    @property
    def outbox(self) -> Path:
        """The directory of replies, each as `<SES message id>.eml`."""
        return self.directory / "outbox"

    @property
    def deliver_twice(self) -> Path:
        """A switch: while this file is there, SNS and EventBridge repeat each delivery."""
        return self.directory / "deliver-twice"

    @property
    def operators_mail(self) -> Path:
        """The directory of mail to the operators' address, each as `<id>.eml`; it is made with the first one."""
        return self.directory / "operators"

    @property
    def alarms_off(self) -> Path:
        """A switch: while this file is there, no alarm changes its state."""
        return self.directory / "alarms-off"

    @property
    def log(self) -> Path:
        """The log of MiniStack and `sam`."""
        return self.directory / "cloud.log"


@contextmanager
def running(
    directory: Path,
    *,
    aws_port: int | None = None,
    smtp_port: int | None = None,
    with_example: bool = False,
    application_url: str = "",
    application_secret: str = "",
    allowed_hosts: Sequence[str] = (),
    progress: Progress = lambda _: None,
) -> Generator[LocalCloud]:
    """Run a local cloud with the stack deployed, and stop all its processes at the end.

    `with_example` also runs examples/application, as the application of the route `application`. Otherwise that is the
    one at `application_url`, if it is not empty; with a secret, requests to it are signed.

    `directory` is for this run only; the outbox and the log stay there. By default, any free ports are used. The AWS
    endpoint accepts requests to loopback, and to the names and addresses in `allowed_hosts`.

    Raises:
        UserError: a port or the directory is in use, or `sam` is missing or failed.
    """
    progress("Starting the local AWS account")
    started = empty_account(directory, aws_port=aws_port, smtp_port=smtp_port, allowed_hosts=allowed_hosts)
    with started as (account, port), ExitStack() as beside:
        log = directory / "cloud.log"
        parameters = example.parameters(account, application_url, application_secret) if application_url else {}
        if with_example:
            parameters = beside.enter_context(example.serving(account, _port(None), log))
        with deployment.build_directory():
            if not deployment.is_built():
                progress("Building the functions (sam build)")
                deployment.build(account, log)
            progress("Deploying the stacks (sam deploy)")
            outputs = deployment.deploy(account, log, parameters)
            deployment.deploy_receiving(account, log)
        addresses = [f"{route}@{DOMAIN}" for route in deployment.route_names()]
        yield LocalCloud(account, port, directory, outputs, addresses, deployment.functions(account))


@contextmanager
def empty_account(
    directory: Path,
    *,
    aws_port: int | None = None,
    smtp_port: int | None = None,
    region: str = REGION,
    allowed_hosts: Sequence[str] = (),
) -> Generator[tuple[Account, int]]:
    """Run an account without any deployment, and SES's SMTP for `region`; yield the account and the SMTP port.

    Raises:
        UserError: as of `running`.
    """
    for host in allowed_hosts:
        if not re.fullmatch(r"[A-Za-z0-9.-]+", host):
            raise UserError(f"{host!r} is not a host: give it without scheme and port, such as 172.17.0.1")
    _make(directory)
    account = Account.new(f"http://127.0.0.1:{_port(aws_port, other_than=smtp_port)}", region)
    with _smtp_front(account, _port(smtp_port)) as port, _emulator(account, directory, port, allowed_hosts):
        yield account, port


def _make(directory: Path) -> None:
    try:
        directory.mkdir(parents=True, exist_ok=True)
        if any(directory.iterdir()):
            raise UserError(f"{directory} exists already and is not empty: give a new directory")
        # Other users of this machine must not read mail or code here.
        directory.chmod(0o700)
        (directory / "outbox").mkdir()
    except OSError as error:
        raise UserError(f"cannot create {directory}: {error.strerror}") from error


def _port(wanted: int | None, *, other_than: int | None = None) -> int:
    if wanted is not None and wanted == other_than:
        raise UserError(f"port {wanted} cannot be both the AWS endpoint and SMTP: give two ports")
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", wanted or 0))
        except OSError as error:
            raise UserError(f"port {wanted} cannot be used ({error.strerror}): give another one") from error
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def _smtp_front(account: Account, port: int) -> Generator[int]:
    """The SMTP server, bound at once, so that no other process takes the port during the deployment."""
    front = receiving.smtp_front(account, port)
    try:
        front.start()
    except OSError as error:
        raise UserError(f"port {port} cannot be used ({error.strerror}): give another one") from error
    try:
        yield port
    finally:
        front.stop()


@contextmanager
def _emulator(account: Account, directory: Path, smtp_port: int, allowed_hosts: Sequence[str]) -> Generator[None]:
    """Run MiniStack and its functions as one process group, which ends with this process (emulator.py)."""
    scratch = directory / "scratch"
    scratch.mkdir()
    identity = secrets.token_hex(8)
    environment = {
        **account.environment(),
        "AUTH": "true",
        "BIND_HOST": "127.0.0.1",
        # Mailstep does not use this listener, and MiniStack would bind it to every address.
        "IOT_MTLS_ENABLED": "0",
        "GATEWAY_PORT": account.endpoint.rpartition(":")[2],
        "MINISTACK_EDITION": identity,
        "LAMBDA_ACCOUNT_CONCURRENCY": str(_CONCURRENCY),
        "LOG_LEVEL": "WARNING",
        "MINISTACK_ACCOUNT_ID": ACCOUNT_ID,
        "MINISTACK_HOST": "127.0.0.1",
        "MINISTACK_REGION": account.region,
        "PYTHONUNBUFFERED": "1",
        "TMPDIR": str(scratch),
    }

    def is_up() -> bool:
        # Another process may have taken the port meanwhile, so check that this is our account.
        with suppress(urllib3.exceptions.HTTPError, ValueError):
            health = urllib3.request("GET", f"{account.endpoint}/_ministack/health", retries=False, timeout=2)
            return bool(health.json().get("edition") == identity)
        return False

    arguments = ("mailstep_local.emulator", str(directory), str(smtp_port), *allowed_hosts)
    try:
        with child(*arguments, cwd=scratch, environment=environment, log=directory / "cloud.log", is_up=is_up):
            yield
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
        shutil.rmtree(directory / "runtime", ignore_errors=True)
