"""The commands. Each reads its arguments, calls one function and shows the result.

Over 300 lines, because every command is here, and nothing else.
"""

import importlib.metadata
import os
import signal
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape

from mailstep_cli import (
    checkout,
    display,
    history,
    message_files,
    processing,
    replay,
    routing,
    stack_names,
    stored_mail,
)
from mailstep_cli import demo as demonstration
from mailstep_cli.doctor import checks
from mailstep_cli.doctor.deployed_stack import Blocked, visit
from mailstep_cli.doctor.findings import Result
from mailstep_cli.doctor.send_test import send_test
from mailstep_cli.errors import UserError
from mailstep_cli.executions import find_execution, latest
from mailstep_cli.routing import check_route, routes_of_the_example
from mailstep_cli.smtp_client import read_message_file
from mailstep_cli.table_files import read_tables, table_as_json
from mailstep_cli.terminal import Console, complain, print_json
from mailstep_cli.verify import experiments, lab

if TYPE_CHECKING:
    from mailstep_local.cloud import LocalCloud

app = typer.Typer(
    context_settings={"help_option_names": ["-h", "--help"]},
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    epilog="Completion in your shell: mailstep --install-completion",
)
_out = Console()
_err = Console(stderr=True)


def command() -> Any:
    """The whole command. Only the epilog names the completion options."""
    whole = typer.main.get_command(app)
    for option in whole.params:
        option.hidden = option.name in {"install_completion", "show_completion"}  # type: ignore[attr-defined]
    return whole


def _show_version(wanted: bool) -> None:
    if wanted:
        _out.print(f"mailstep {importlib.metadata.version('mailstep')}", highlight=False)
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Try Mailstep on this machine, check a deployment, and see what happened to every message."""


AwsPort = Annotated[
    int | None, typer.Option(min=1, max=65535, help="Port of the local AWS endpoint. Default: any free port.")
]
SmtpPort = Annotated[
    int | None, typer.Option(min=1, max=65535, help="Port of the local SMTP server. Default: any free port.")
]
Directory = Annotated[
    Path | None, typer.Option(help="New directory for the outbox and log of this run. Default: one under .mailstep/.")
]

Example = Annotated[
    bool,
    typer.Option("--example", help="Also run examples/application, for the routes whose url is ${APPLICATION_URL}."),
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
        typer.Option(help="Route to send to. Default: the first one in To or Cc, else the first in routes.toml."),
    ] = None,
    timeout: Annotated[float, typer.Option(min=1, help="Seconds to wait for all executions to end.")] = 120,
    aws_port: AwsPort = None,
    smtp_port: SmtpPort = None,
    directory: Directory = None,
    example: Example = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print only a JSON array, with one object for each message.")
    ] = False,
) -> int:
    """Deploy the stack into a local AWS account, send messages to it, and show what happened to each."""
    check_route(route)
    project, running = _local_account("mailstep demo")
    _note_on_the_example(wanted=example)
    messages = [read_message_file(path) for path in files or [project / "events" / "emails" / "order.eml"]]
    with _err.status("") as status:

        def progress(text: str) -> None:
            status.update(f"{text} …")

        with running(
            _directory(project, directory),
            aws_port=aws_port,
            smtp_port=smtp_port,
            with_example=example,
            progress=progress,
        ) as cloud:
            progress(f"Following {len(messages)} message{'' if len(messages) == 1 else 's'} through the workflow")
            results = demonstration.run(cloud, messages, route=route, timeout=timeout)
    if as_json:
        print_json([result.as_json() for result in results], indent=2)
    else:
        for result in results:
            _out.print(display.demo_view(result), crop=False)
    return 0 if all(result.status == "SUCCEEDED" for result in results) else 1


@app.command()
def up(
    aws_port: AwsPort = None,
    smtp_port: SmtpPort = None,
    directory: Directory = None,
    example: Example = False,
    allow_host: AllowHost = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one line of JSON when ready.")] = False,
) -> None:
    """Run a local AWS account with the stack deployed, until you press Ctrl-C."""
    project, running = _local_account("mailstep up")
    _note_on_the_example(wanted=example)
    with (
        _err.status("") as status,
        running(
            _directory(project, directory),
            aws_port=aws_port,
            smtp_port=smtp_port,
            with_example=example,
            allowed_hosts=allow_host or (),
            progress=lambda text: status.update(f"{text} …"),
        ) as cloud,
    ):
        status.stop()
        places = _places(cloud)
        if as_json:
            print_json(places | _credentials(cloud))
        else:
            _out.print(display.places_view(places, cloud.account.variables()), crop=False)
        signal.pause()


@app.command(name="history")
def show_history(
    execution: Annotated[
        str | None,
        typer.Argument(
            help="Name of an execution, its first characters, or its ARN. Default: list the latest executions."
        ),
    ] = None,
    stack: Annotated[str, typer.Option(help="Stack whose executions to search by name.")] = "mailstep",
) -> None:
    """Show what happened to a message, state by state.

    It asks the account and the endpoint that this shell's AWS variables name.
    """
    if execution is None:
        _out.print(display.executions_list(latest(stack)), crop=False)
        return
    arn, sfn = find_execution(execution, stack)
    line = history.fetch(sfn, arn)
    _out.print(display.timeline_table(line, title=arn.rpartition(":")[2]))


@app.command(name="replay")
def replay_execution(
    executions: Annotated[
        list[str] | None, typer.Argument(help="Names of executions, their first characters, or their ARNs.")
    ] = None,
    stack: Annotated[str, typer.Option(help="Stack whose executions to search by name.")] = "mailstep",
    reply_again: Annotated[
        bool,
        typer.Option("--reply-again", help="Reply even if the sender already has a reply. The policy still applies."),
    ] = False,
    stored: Annotated[
        str | None,
        typer.Option(
            metavar="ROUTE",
            help="Instead, process the stored messages of ROUTE that have no execution, such as those that arrived "
            "while routes.toml did not have the route.",
        ),
    ] = None,
) -> None:
    """Process messages again, each in a new execution. A second reply is sent only with --reply-again."""
    if bool(executions) == bool(stored):
        raise UserError("name executions to replay, or a route with --stored")
    if stored:
        check_route(stored)
        _out.print(display.started_view(stored_mail.start_stored(stack, stored)), soft_wrap=True)
    for execution in executions or []:
        arn, sfn = find_execution(execution, stack)
        again = replay.replay(sfn, arn, reply_again=reply_again)
        name = again.rpartition(":")[2]
        _out.print(f"Replaying as {escape(name)}. Follow it with: mailstep history {escape(name)}", soft_wrap=True)


@app.command(name="routes")
def check_routes(
    file: Annotated[
        Path | None,
        typer.Argument(help="A routes.toml. Default: functions/custom/routes.toml, else functions/routes.toml."),
    ] = None,
    domain: Annotated[
        str | None,
        typer.Option(help="The stack's Domain. Default: the one in samconfig.toml, if there is one."),
    ] = None,
    names: Annotated[
        bool, typer.Option("--names", help="Print only the names, for the parameter Routes of receiving.yaml.")
    ] = False,
    stack: Annotated[str, typer.Option(help="Also check this name of the home stack.")] = "mailstep",
    receiving_stack: Annotated[
        str | None,
        typer.Option(help="Also check this name of the receiving stack. Default: the home stack's with -receiving."),
    ] = None,
    active_rule_set: Annotated[
        str,
        typer.Option(help="The receiving stack's ActiveRuleSet, if the rules go into a set that is active already."),
    ] = "",
) -> None:
    """Check routes.toml and the names of the stacks, and show how each route processes its mail."""
    checked = routing.check(file, domain)
    guest = bool(active_rule_set)
    if faults := stack_names.faults(stack, receiving_stack or f"{stack}-receiving", checked.routes, guest=guest):
        raise UserError(*faults)
    _out.print(",".join(checked.routes) if names else display.routes_view(checked), crop=False, soft_wrap=names)


@app.command(name="parse")
def parse_files(
    files: Annotated[list[Path], typer.Argument(help="Message files.")],
    as_json: Annotated[
        bool,
        typer.Option("--json", help="Print the Message contract (docs/message.md) as JSON, one line for each file."),
    ] = False,
    attachments: Annotated[Path | None, typer.Option(help="Directory to write the attachments to.")] = None,
) -> int:
    """Parse message files as ParseEmail does, and show the result. Works offline.

    Exits with 2 if a file is not a message. Defects in a message are not a failure.
    """
    ended = [_parse_one(path, attachments, as_json=as_json) for path in files]
    return 0 if all(ended) else 2


@app.command(name="tables")
def read_table_files(
    files: Annotated[list[Path], typer.Argument(help="CSV files, workbooks, or archives of them. No stack is needed.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print one line of JSON for each file.")] = False,
    rows: Annotated[int, typer.Option(min=0, help="Rows to show of each table.")] = 5,
) -> int:
    """Read tables as the processor `tables` does: show their encoding, header, kinds of columns, and first rows.

    Exits with 1 if a file has no table that can be read.
    """
    ended = [_read_one(path, rows, as_json=as_json) for path in files]
    return 0 if all(ended) else 1


@app.command(
    name="process",
    epilog="Example: mailstep process events/emails/order.eml --route orders",
)
def process_file(
    file: Annotated[Path, typer.Argument(help="A message file.")],
    route: Annotated[
        str, typer.Option(help="Route that the message comes to. A built-in processor must answer its mail.")
    ],
    as_json: Annotated[bool, typer.Option("--json", help="Print the outcome and the answer as JSON.")] = False,
) -> None:
    """Process a message as a route's built-in processor does, and show the reply. Works offline.

    The sender counts as authenticated, unless the file begins with the fields that SES puts on top.

    The rules of the policy that need a running stack do not apply.
    """
    processed = processing.process_file(file, route)
    if as_json:
        print_json(processed.as_json(), indent=2)
    else:
        _out.print(display.process_view(processed), crop=False)


@app.command()
def doctor(
    stack: Annotated[str, typer.Option(help="The home stack.")] = "mailstep",
    receiving_stack: Annotated[str, typer.Option(help="The receiving stack.")] = "mailstep-receiving",
    receiving_region: Annotated[
        str | None, typer.Option(help="Region of the receiving stack. Default: the home stack's ReceivingRegion.")
    ] = None,
    test_route: Annotated[
        str | None,
        typer.Option("--send-test", metavar="ROUTE", help="Also send a message to ROUTE and wait for the reply."),
    ] = None,
    sender: Annotated[
        str | None,
        typer.Option("--from", help="Sender for --send-test, at a domain verified in SES. Default: OperatorEmail."),
    ] = None,
    timeout: Annotated[float, typer.Option(min=1, help="Seconds to wait for the reply to --send-test.")] = 120,
    as_json: Annotated[bool, typer.Option("--json", help="Print only JSON.")] = False,
) -> int:
    """Check a deployment: what works, what does not, and how to fix it.

    Exits with 1 if a check failed, and with 2 if the checks could not run.
    """
    results: list[Result] = []

    def told(result: Result) -> None:
        results.append(result)
        if not as_json:
            _out.print(display.result_view(result), soft_wrap=True)

    check_route(test_route)
    try:
        site = visit(stack, receiving_stack, receiving_region)
        for result in checks.run(site):
            told(result)
        if test_route:
            told(Result("test message", send_test(site, test_route, sender, timeout)))
    except Blocked as blocked:
        told(blocked.result)
        return 2
    finally:
        if as_json:
            print_json([result.as_json() for result in results], indent=2)
    return 1 if any(result.finding.state == "fault" for result in results) else 0


@app.command(name="verify-aws")
def verify_aws(
    only: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="Run only this experiment. Repeatable. Default: all.")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print what it would do, and ask AWS for nothing.")
    ] = False,
    stack: Annotated[str, typer.Option(help="Name of the stack to create and remove.")] = "mailstep-verify",
    receiving: Annotated[
        bool, typer.Option("--receiving", help="SES receives mail in this Region: try receipt rules too.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print only JSON.")] = False,
) -> int:
    """Try in your AWS account what the design relies on (docs/aws-facts.md), in a stack of its own that is removed.

    It costs a few cents and takes about five minutes. Exits with 1 if AWS behaves differently.
    """
    chosen = experiments.choose(only or [])
    if dry_run:
        _out.print(display.plan_view(stack, lab.resources(receiving=receiving), chosen), soft_wrap=True)
        return 0
    results: list[Result] = []
    try:
        with _err.status(f"Creating the stack {stack} …"), lab.deployed(stack, receiving=receiving) as place:
            for name, experiment in chosen.items():
                results.append(Result(name, experiments.attempt(experiment, place)))
                if not as_json:
                    _out.print(display.result_view(results[-1]), soft_wrap=True)
    finally:
        if as_json:
            print_json([result.as_json() for result in results], indent=2)
    return 1 if any(result.finding.state == "fault" for result in results) else 0


def _parse_one(path: Path, attachments: Path | None, *, as_json: bool) -> bool:
    try:
        message = message_files.parse_file(path, attachments)
    except UserError as error:
        if as_json:
            print_json({"file": str(path), "error": str(error)})
        complain(str(error))
        return False
    if as_json:
        print_json({"file": str(path), **message.model_dump(mode="json")})
    else:
        _out.print(display.message_view(path, message))
    return True


def _read_one(path: Path, rows: int, *, as_json: bool) -> bool:
    try:
        worked = read_tables(path)
        problem = worked.problem
    except UserError as error:
        worked, problem = None, str(error)
    if as_json:
        tables = [table_as_json(table, rows) for table in (worked and worked.result) or ()]
        print_json({"file": str(path), **({"error": problem} if problem else {"tables": tables})})
    elif problem:
        complain(f"{path.name}: {problem}")
    else:
        _out.print(display.tables_view(path, (worked and worked.result) or (), rows))
    return not problem


def _local_account(command: str) -> tuple[Path, Callable[..., AbstractContextManager["LocalCloud"]]]:
    """The checkout, and the function that runs a local account from it. The installed command may lack both.

    Raises:
        UserError: one of them is missing.
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


def _note_on_the_example(*, wanted: bool) -> None:
    """Say if `--example` has no effect, because every route with a url names it itself."""
    if wanted and not routes_of_the_example():
        complain(
            f"--example has no effect: no route in {checkout.routes_file()} has the url ${{APPLICATION_URL}}, "
            "which --example sets"
        )


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
        "functions": cloud.functions,
        "pid": os.getpid(),
    }
