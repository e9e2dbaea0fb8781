"""All that we change in MiniStack, each change with its reason; docs/emulation.md says which are MiniStack's defects.

MiniStack is pinned. Each module here, and each beside that uses MiniStack, declares the names that it uses
(mailstep_local/ministack_names.py), and all are checked before anything is changed.
"""

from collections.abc import Iterable
from pathlib import Path

from mailstep_local import gate, provisioners, signatures, workflow_role
from mailstep_local.patches import access, iam, lambda_functions, own_calls, ses_sending, step_functions, waits

USERS = (
    access,
    gate,
    iam,
    lambda_functions,
    provisioners,
    own_calls,
    ses_sending,
    signatures,
    step_functions,
    waits,
    workflow_role,
)
"""Every module of ours that uses MiniStack in the emulator's process."""


def apply(
    *, bootstrap: Path, outbox: Path, smtp_port: int, allowed_hosts: Iterable[str] = (), rules: bool = True
) -> None:
    """Patch the MiniStack of this process.

    Args:
        bootstrap: The program that runs a function's handler.
        outbox: Where SES keeps the messages that it was asked to send.
        smtp_port: Where SES's own receiving listens, on loopback.
        allowed_hosts: The names of this account beside those of loopback.
        rules: Whether calls must keep AWS's own rules (mailstep_local/rules/); False is for debugging only.

    Raises:
        IncompatibleMiniStack: A name that we use is gone, or is not as we know it; nothing is patched then.
    """
    for user in USERS:
        user.MINISTACK.check()
    access.apply(allowed_hosts, rules=rules)
    lambda_functions.apply(bootstrap)
    ses_sending.apply(outbox, smtp_port)
    iam.apply()
    step_functions.apply()
    waits.apply()
    provisioners.add()
    if rules:
        own_calls.apply()
