"""Commands that run a local account: `demo` and `up`."""

import os
import signal
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mailstep.aws.message_index import MessageIndex
from mailstep_cli import checkout, display, email_views, messages, samconfig
from mailstep_cli import demo as demonstration
from mailstep_cli.commands.shared import err, out
from mailstep_cli.errors import UserError
from mailstep_cli.home_stack import find
from mailstep_cli.local_application import check_application
from mailstep_cli.messages import Filter
from mailstep_cli.routing import check_route, routes_of_the_application
from mailstep_cli.smtp_client import read_message_file
from mailstep_cli.terminal import Text, print_json

if TYPE_CHECKING:
    from mailstep_cli.web.server import Server
    from mailstep_local.cloud import LocalCloud


app = typer.Typer()


AwsPort = Annotated[
    int | None,
    typer.Option(min=1, max=65535, metavar="PORT", help="Port of the local AWS endpoint. Default: any free port."),
]
SmtpPort = Annotated[
    int | None,
    typer.Option(min=1, max=65535, metavar="PORT", help="Port of the local SMTP server. Default: any free port."),
]
Directory = Annotated[
    Path | None, typer.Option(help="New directory for the outbox and log of this run. Default: one under .mailstep/.")
]

Example = Annotated[
    bool,
    typer.Option("--example", help="Also run examples/application, for the routes whose url is ${APPLICATION_URL}."),
]

ApplicationUrl = Annotated[
    str,
    typer.Option(
        metavar="URL",
        show_default=False,
        help="Endpoint of your own application, for the routes whose url is ${APPLICATION_URL}.",
    ),
]

ApplicationSecret = Annotated[
    str,
    typer.Option(
        metavar="SECRET",
        envvar="APPLICATION_SECRET",
        show_default=False,
        help="Secret that your application checks the requests with. Without one, they are not signed.",
    ),
]

AllowHost = Annotated[
    list[str] | None,
    typer.Option(
        metavar="HOST", help="Also accept requests to the AWS endpoint under this host name or address. Repeatable."
    ),
]


@app.command()
def demo(
    files: Annotated[list[Path] | None, typer.Argument(help="Messages to send. Default: a sample order.")] = None,
    route: Annotated[
        str | None,
        typer.Option(
            help="Route to send to. Default: the application's, with --example or --application-url; else the first "
            "one in To or Cc, else the first in routes.toml."
        ),
    ] = None,
    timeout: Annotated[
        float, typer.Option(min=1, metavar="SECONDS", help="Seconds to wait for all executions to end.")
    ] = 120,
    aws_port: AwsPort = None,
    smtp_port: SmtpPort = None,
    directory: Directory = None,
    example: Example = False,
    application_url: ApplicationUrl = "",
    application_secret: ApplicationSecret = "",
    as_json: Annotated[
        bool, typer.Option("--json", help="Print only a JSON array, with one object for each message.")
    ] = False,
) -> int:
    """Deploy the stack into a local AWS account, send messages to it, and show what happened to each."""
    check_route(route)
    project, running = _local_account("mailstep demo")
    url = check_application(application_url, application_secret, example=example)
    if route is None and (url or example):
        route = next(iter(routes_of_the_application()), None)
    messages = [read_message_file(path) for path in files or [project / "events" / "emails" / "order.eml"]]
    with err.status("") as status:

        def progress(text: str) -> None:
            status.update(f"{text} …")

        with running(
            _directory(project, directory),
            aws_port=aws_port,
            smtp_port=smtp_port,
            with_example=example,
            application_url=url,
            application_secret=application_secret,
            progress=progress,
        ) as cloud:
            progress(f"Following {len(messages)} message{'' if len(messages) == 1 else 's'} through the workflow")
            results = demonstration.run(cloud, messages, route=route, timeout=timeout)
    if as_json:
        print_json([result.as_json() for result in results], indent=2)
    else:
        for result in results:
            out.print(display.demo_view(result), crop=False)
    return 0 if all(result.status == "SUCCEEDED" for result in results) else 1


@app.command()
def up(
    aws_port: AwsPort = None,
    smtp_port: SmtpPort = None,
    directory: Directory = None,
    example: Example = False,
    application_url: ApplicationUrl = "",
    application_secret: ApplicationSecret = "",
    allow_host: AllowHost = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one line of JSON when ready.")] = False,
) -> None:
    """Run a local AWS account with the stack deployed, until you press Ctrl-C."""
    project, running = _local_account("mailstep up")
    url = check_application(application_url, application_secret, example=example)
    with (
        err.status("") as status,
        running(
            _directory(project, directory),
            aws_port=aws_port,
            smtp_port=smtp_port,
            with_example=example,
            application_url=url,
            application_secret=application_secret,
            allowed_hosts=allow_host or (),
            progress=lambda text: status.update(f"{text} …"),
        ) as cloud,
    ):
        status.stop()
        page = _page(cloud)
        places = {"web": page.url} | _places(cloud)
        page.run_beside()
        if as_json:
            print_json(places | _credentials(cloud))
        else:
            here = {"MAILSTEP_SMTP": places["smtp"], "MAILSTEP_OUTBOX": places["outbox"]}
            out.print(display.places_view(places, cloud.account.variables() | here), crop=False)
            _show_what_comes(cloud)
        signal.pause()


def _page(cloud: "LocalCloud") -> "Server":
    """The page of the local stack, on which mail can be written too."""
    from mailstep_cli.web.sending import LocalMail  # noqa: PLC0415 - the other commands start without a server
    from mailstep_cli.web.server import bind  # noqa: PLC0415

    # The page asks AWS as `mailstep web` does: by the environment. Nothing else in this process does so.
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        del os.environ[name]
    os.environ.update(cloud.account.environment())
    return bind(find(samconfig.stack_name()), local=LocalMail(cloud.smtp_port, tuple(cloud.addresses)))


def _show_what_comes(cloud: "LocalCloud") -> None:
    """Show each email as it comes and as it ends, with the file of its reply, until the user ends it."""
    index = MessageIndex(cloud.outputs["MessageIndexName"], retention_days=0, dynamodb=cloud.account.client("dynamodb"))
    for entry in messages.follow(index, Filter(), datetime.now(UTC)):
        out.print(email_views.email_line(entry))
        for reply in (cloud.outbox / f"{one}.eml" for one in entry.ses_message_ids):
            if reply.exists():
                out.print(Text(f"          {reply}", style="dim"), soft_wrap=True)


def _local_account(command: str) -> tuple[Path, Callable[..., AbstractContextManager["LocalCloud"]]]:
    """The checkout, and the function that runs a local account from it. The installed command may lack both.

    Raises:
        UserError: the checkout or its environment is missing.
    """
    project = checkout.needed(command, environment=True)
    try:
        from mailstep_local.cloud import running  # noqa: PLC0415 - only these commands need it
    except ModuleNotFoundError as error:
        raise UserError(
            f"{command} needs the environment of the checkout (this one lacks {error.name}): run `make .venv/ready` in "
            f"{project}, then .venv/bin/{command}"
        ) from error
    return project, running


def _directory(project: Path, wanted: Path | None) -> Path:
    stamp = datetime.now(UTC).strftime("%Y%m%d-%H%M%S")
    return (wanted or project / ".mailstep" / f"{stamp}-{os.getpid()}").absolute()


def _credentials(cloud: "LocalCloud") -> dict[str, str]:
    return {
        "access_key_id": cloud.account.access_key_id,
        "secret_access_key": cloud.account.secret_access_key,
    }


def _places(cloud: "LocalCloud") -> dict[str, Any]:
    return {
        "aws": cloud.account.endpoint,
        "smtp": f"127.0.0.1:{cloud.smtp_port}",
        "bucket": cloud.outputs["MailBucketName"],
        "topic_arn": cloud.outputs["EmailReceivedTopicArn"],
        "queue_url": cloud.outputs["InboundQueueUrl"],
        "dlq_url": cloud.outputs["InboundDeadLetterQueueUrl"],
        "state_machine_arn": cloud.outputs["StateMachineArn"],
        "table": cloud.outputs["LedgerTableName"],
        "addresses": cloud.addresses,
        "outbox": str(cloud.outbox),
        "operators_mail": str(cloud.operators_mail),
        "functions": cloud.functions,
        "pid": os.getpid(),
    }
