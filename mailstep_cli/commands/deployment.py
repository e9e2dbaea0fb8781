"""Commands that check a deployment: `routes`, `doctor` and `verify-aws`."""

from pathlib import Path
from typing import Annotated

import typer

from mailstep_cli import display, routing, stack_names
from mailstep_cli.commands.shared import Stack, err, out
from mailstep_cli.doctor import checks
from mailstep_cli.doctor.deployed_stack import Blocked, visit
from mailstep_cli.doctor.findings import Result
from mailstep_cli.doctor.send_test import send_test
from mailstep_cli.errors import UserError
from mailstep_cli.routing import check_route
from mailstep_cli.terminal import print_json
from mailstep_cli.verify import experiments, lab

app = typer.Typer()


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
    catch_all: Annotated[
        bool,
        typer.Option("--catch-all", help="Print only the catch-all route, for the parameter CatchAllRoute."),
    ] = False,
    stack: Stack = "",
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
    if names and catch_all:
        raise UserError("print the names or the catch-all route, not both: --names, --catch-all")
    checked = routing.check(file, domain)
    guest = bool(active_rule_set)
    if faults := stack_names.faults(stack, receiving_stack or f"{stack}-receiving", checked.routes, guest=guest):
        raise UserError(*faults)
    if names:
        out.print(",".join(checked.with_rules_of_their_own), soft_wrap=True)
    elif catch_all:
        out.print(checked.catch_all or "", soft_wrap=True)
    else:
        out.print(display.routes_view(checked), crop=False)


@app.command()
def doctor(
    stack: Stack = "",
    receiving_stack: Annotated[
        str | None, typer.Option(help="The receiving stack. Default: the home stack's name with -receiving.")
    ] = None,
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
    timeout: Annotated[
        float, typer.Option(min=1, metavar="SECONDS", help="Seconds to wait for the reply to --send-test.")
    ] = 120,
    as_json: Annotated[bool, typer.Option("--json", help="Print only JSON.")] = False,
) -> int:
    """Check a deployment: what works, what does not, and how to fix it.

    Exits with 1 if a check failed, and with 2 if the checks could not run. A warning (!) is about messages that failed
    or were set aside: the deployment works, so it exits with 0.
    """
    results: list[Result] = []

    def told(result: Result) -> None:
        results.append(result)
        if not as_json:
            out.print(display.result_view(result), soft_wrap=True)

    check_route(test_route)
    try:
        site = visit(stack, receiving_stack or f"{stack}-receiving", receiving_region)
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
        out.print(display.plan_view(stack, lab.resources(receiving=receiving), chosen), soft_wrap=True)
        return 0
    results: list[Result] = []
    try:
        with err.status(f"Creating the stack {stack} …"), lab.deployed(stack, receiving=receiving) as place:
            for name, experiment in chosen.items():
                results.append(Result(name, experiments.attempt(experiment, place)))
                if not as_json:
                    out.print(display.result_view(results[-1]), soft_wrap=True)
    finally:
        if as_json:
            print_json([result.as_json() for result in results], indent=2)
    return 1 if any(result.finding.state == "fault" for result in results) else 0
