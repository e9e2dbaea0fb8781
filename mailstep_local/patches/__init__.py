"""All that we change in MiniStack, each change with its reason; docs/emulation.md says which are MiniStack's defects.

MiniStack is pinned. Each module here, and each beside that uses MiniStack, declares the names that it uses
(mailstep_local/ministack_names.py), and all are checked before anything is changed.
"""

from collections.abc import Iterable
from pathlib import Path

from mailstep_local import gate, provisioners, signatures, workflow_role
from mailstep_local.patches import (
    access,
    alarms,
    asynchronous,
    concurrency,
    distributed_map,
    iam,
    lambda_functions,
    log_lines,
    memory,
    own_calls,
    queues,
    redrive,
    repeats,
    ses_rules,
    ses_sending,
    ses_suppression,
    sns_mail,
    step_functions,
    waits,
)

USERS = (
    access,
    alarms,
    asynchronous,
    concurrency,
    distributed_map,
    gate,
    iam,
    lambda_functions,
    log_lines,
    memory,
    own_calls,
    provisioners,
    queues,
    redrive,
    repeats,
    ses_rules,
    ses_sending,
    ses_suppression,
    signatures,
    sns_mail,
    step_functions,
    waits,
    workflow_role,
)
"""Every module of ours that uses MiniStack in the emulator's process."""

CONCURRENCY = 1000
"""Concurrent executions of functions in an account, if AWS has not set fewer (AWS Lambda, "Lambda quotas")."""


def apply(
    *,
    bootstrap: Path,
    run: Path,
    smtp_port: int,
    allowed_hosts: Iterable[str] = (),
    rules: bool = True,
    account_concurrency: int = CONCURRENCY,
) -> None:
    """Patch the MiniStack of this process.

    Args:
        bootstrap: The program that runs a function's handler.
        run: The run's directory. SES keeps the messages that it was asked to send in its `outbox`; while there is a
            file `deliver-twice`, SNS and EventBridge repeat each delivery; while there is a file `alarms-off`, no alarm
            changes its state. SNS's mail to subscribers is kept in `operators`.
        smtp_port: Where SES's own receiving listens, on loopback.
        allowed_hosts: The names of this account beside those of loopback.
        rules: Whether calls must keep AWS's own rules (mailstep_local/rules/); False is for debugging only.
        account_concurrency: The concurrent executions of functions that the account has.

    Raises:
        IncompatibleMiniStack: A name that we use is gone, or is not as we know it; nothing is patched then.
    """
    for user in USERS:
        user.MINISTACK.check()
    access.apply(allowed_hosts, rules=rules)
    lambda_functions.apply(bootstrap)
    log_lines.apply()
    concurrency.apply(account_concurrency)
    asynchronous.apply()
    ses_sending.apply(run / "outbox", smtp_port)
    ses_rules.apply()
    ses_suppression.apply()
    iam.apply()
    queues.apply()
    memory.apply()
    sns_mail.apply(run / "operators")
    repeats.apply(run / "deliver-twice")
    alarms.apply(run / "alarms-off")
    step_functions.apply()
    distributed_map.apply()
    waits.apply()
    redrive.apply()
    provisioners.add()
    if rules:
        own_calls.apply()
