"""The checks of messages that failed lately or were set aside: the deployment works, and someone must act."""

from datetime import UTC, datetime, timedelta
from itertools import islice

from mailstep_cli import failures
from mailstep_cli.doctor.deployed_stack import Site
from mailstep_cli.doctor.findings import Finding, ok, warning
from mailstep_cli.home_stack import HomeStack
from mailstep_cli.queues import Queues
from mailstep_cli.terminal import counted

SINCE = "1d"
"""How long ago a message may have failed, as `--since` takes it."""
_DAY = timedelta(days=1)
_COUNTED = 100
"""Failed messages that are counted: each takes two requests."""


def executions(site: Site) -> Finding:
    """No message failed, timed out or was aborted within a day, unless a replay or redrive of it succeeded since."""
    now = datetime.now(UTC)
    found = list(islice(failures.failures(failures.client(), _stack(site), now - _DAY, now), _COUNTED + 1))
    if not found:
        return ok("no message failed within a day")
    count = f"more than {_COUNTED:,} messages" if len(found) > _COUNTED else counted(len(found), "message")
    errors = ", ".join(sorted({failure.error or failure.status for failure in found}))
    stack = f"--since {SINCE} --stack {site.home.name}"
    return warning(
        f"{count} failed within a day ({errors})",
        f"see why: mailstep list --outcome failed {stack}; once that is fixed: mailstep replay --failed {stack}",
    )


def later_answers(site: Site) -> Finding:
    """No later answer failed within a day."""
    now = datetime.now(UTC)
    found = list(failures.ended(failures.client(), site.home.outputs["LaterAnswerStateMachineArn"], now - _DAY, now))
    if not found:
        return ok("no later answer failed within a day")
    return warning(
        f"{counted(len(found), 'later answer')} failed within a day",
        f"see why: mailstep history {found[0]['executionArn']}; docs/runbook.md, LaterAnswersFailedAlarm",
    )


def dead_letters(site: Site) -> Finding:
    """No dead-letter queue has a message."""
    waiting = {name: number for name, number in Queues(_stack(site)).dead_letter_counts().items() if number}
    if not waiting:
        return ok("the dead-letter queues are empty")
    names = [name.removesuffix("DeadLetterQueue").lower() for name in waiting]
    return warning(
        ", ".join(f"{counted(number, 'message')} in {name}" for name, number in waiting.items()),
        f"see what they are: mailstep queues --stack {site.home.name}; once the cause is fixed: "
        + "; ".join(f"mailstep queues --redrive {name} --stack {site.home.name}" for name in names),
    )


def _stack(site: Site) -> HomeStack:
    resources = {logical: physical for logical, (_, physical) in site.home.resources.items()}
    return HomeStack(site.home.name, site.home.outputs, resources, parameters=site.home.parameters)
