"""Checks that the account's Lambda concurrency is enough for the stack, and says what to set."""

from mailstep_cli.doctor.deployed_stack import Site
from mailstep_cli.doctor.findings import Finding, fault, ok

UNRESERVED = 100
"""Environments that AWS keeps unreserved (AWS Lambda Developer Guide, "Configuring reserved concurrency")."""
_STEPS = 5
"""Environments that one message at a time needs beside StartFunction: four steps, and FeedbackFunction."""
_LEAST_START = 2
"""The least that an event source takes (AWS Lambda API Reference, ScalingConfig)."""


def concurrency(site: Site) -> Finding:
    """The account has enough Lambda environments, and no function of the stack can use up all of them."""
    limits = site.client("lambda").get_account_settings()["AccountLimit"]
    start, process = (int(site.home.parameters.get(name, 0)) for name in ("StartConcurrency", "ProcessConcurrency"))
    return judge(limits["ConcurrentExecutions"], limits["UnreservedConcurrentExecutions"], start, process)


def judge(limit: int, unreserved: int, start: int, process: int) -> Finding:
    """The finding for an account's limit of concurrent environments, and for the parameters of the stack.

    Args:
        limit: Environments of all functions in the Region (AccountLimit, ConcurrentExecutions).
        unreserved: Those that no function has reserved.
        start: StartConcurrency.
        process: ProcessConcurrency; 0 for no limit.
    """
    least = _LEAST_START + _STEPS
    if unreserved < least:
        return fault(
            f"only {unreserved} of the account's {limit} concurrent Lambda environments are unreserved; Mailstep needs "
            f"{least}",
            "ask for more in Service Quotas (AWS Lambda, Concurrent executions), or reserve fewer",
        )
    if start > _LEAST_START and start > unreserved // 2:
        return fault(
            f"StartFunction may use {start} of {unreserved} concurrent Lambda environments, which leaves too few for "
            "the other steps",
            f"deploy the home stack with StartConcurrency={max(_LEAST_START, unreserved // 5)}",
        )
    if process > limit // 2:
        return fault(
            f"ProcessFunction reserves {process} of the account's {limit} concurrent Lambda environments",
            f"deploy the home stack with ProcessConcurrency={limit // 2 if limit >= 2 * UNRESERVED else 0}",
        )
    few = "; AWS raises it on request, and until then ProcessConcurrency must be 0" if limit <= UNRESERVED else ""
    return ok(f"{limit} concurrent Lambda environments{few}")
