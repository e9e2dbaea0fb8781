"""Checks the names of the two stacks before they are deployed: resources are named after them, within limits of AWS."""

import re
from collections.abc import Iterable

_HOME = re.compile(r"[a-z][a-z0-9-]{0,44}")
"""`<stack>-mail-<account>` names a bucket: 63 of a-z, 0-9 and - (Amazon S3 User Guide, "Bucket naming rules")."""
_STACK = re.compile(r"[A-Za-z][A-Za-z0-9-]*")
"""AWS CloudFormation API Reference, CreateStack, StackName."""
_RULE_MOST = 64
"""Characters of a receipt rule, and of its set (Amazon SES API Reference, ReceiptRule and CreateReceiptRuleSet)."""


def faults(stack: str, receiving_stack: str, routes: Iterable[str], *, guest: bool) -> list[str]:
    """A sentence for each fault of the names. `guest`: the rules go into a rule set that is active already."""
    found = []
    if not _HOME.fullmatch(stack):
        found.append(
            f"{stack!r} cannot name the home stack, because the mail bucket is named after it: use 1 to 45 of a-z, 0-9 "
            "and -, and begin with a letter"
        )
    if not _STACK.fullmatch(receiving_stack) or len(receiving_stack) > _RULE_MOST:
        found.append(
            f"{receiving_stack!r} cannot name the receiving stack: use 1 to {_RULE_MOST} of A-Z, a-z, 0-9 and -, and "
            "begin with a letter"
        )
    for route in routes:
        rule = rule_name(receiving_stack, route, guest=guest)
        over = len(rule) - _RULE_MOST
        if over > 0:
            found.append(
                f"the receipt rule of the route {route!r} would be {rule!r}, which has {len(rule)} characters. SES "
                f"takes {_RULE_MOST}: shorten the name of the receiving stack or of the route by {over}"
            )
    return found


def rule_name(receiving_stack: str, route: str, *, guest: bool) -> str:
    """The name of a route's receipt rule, as receiving.yaml makes it."""
    return f"{receiving_stack}-{'in-' if guest else ''}{route}"
