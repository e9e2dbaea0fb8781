"""The workflow's definition: every error name in every task is retried, caught, or fails the execution for a reason.

Expectations come from docs/architecture.md ("Errors"), from AWS's lists of errors, and from what each function can
raise; none is read from the definition.
"""

import inspect
import json
from typing import Any

import pytest
from aws_lambda_powertools.utilities.idempotency import exceptions as idempotency

from mailstep import errors
from tests.support.project import PROJECT

STATES: dict[str, dict[str, Any]] = json.loads((PROJECT / "statemachine" / "email.asl.json").read_text())["States"]

SENDING = ("SendReply", "SendRefusal", "SendDelayNotice", "SendFailureNotice", "SendCompletionNotice")
PROCESSING = ("ProcessEmail", "ReprocessEmail")
OF_FUNCTIONS = ("ParseEmail", "ValidateEmail", *PROCESSING, *SENDING)
OF_SERVICES = ("QuarantineEmail", "AlertOperators")

# AWS Step Functions Developer Guide, "Handle transient Lambda service exceptions", and Lambda's 429.
TRANSIENT_OF_LAMBDA = (
    "Lambda.ClientExecutionTimeoutException",
    "Lambda.ServiceException",
    "Lambda.AWSLambdaException",
    "Lambda.SdkClientException",
    "Lambda.TooManyRequestsException",
)
# What a dead, stuck or overrun function is called (the same guide, "Error names"; AWS Lambda Developer Guide).
DEAD = ("Lambda.Unknown", "Runtime.ExitError", "Sandbox.Timedout", "States.Timeout")
REMEDIED = ("SenderNotVerified", "AccountInSandbox", "MailFromDomainNotVerified", "SendingPaused",
            "ConfigurationSetMissing", "ReplyContentRejected", "ReplyRejected")  # fmt: skip

# Who can raise what; an error of AWS's can come in any task of a function.
RAISED_IN: dict[str, tuple[str, ...]] = {
    **dict.fromkeys((*TRANSIENT_OF_LAMBDA, *DEAD, "TransientError"), OF_FUNCTIONS),
    "UnreadableEmail": ("ParseEmail",),
    "RefusedEmail": ("ValidateEmail",),
    "ConfigurationError": ("ValidateEmail", *PROCESSING, *SENDING),
    **dict.fromkeys(("ApplicationBusy", "ApplicationDenied", "ApplicationRefused", "MalformedAnswer"), PROCESSING),
    **dict.fromkeys(
        ("SendUnconfirmed", "IdempotencyAlreadyInProgressError", "IdempotencyInconsistentStateError", *REMEDIED),
        SENDING,
    ),
    # A defect of ours, and what Step Functions itself raises; by example, since they have no list.
    **dict.fromkeys(("ZeroDivisionError", "MemoryError", "States.DataLimitExceeded"), OF_FUNCTIONS),
}
DEFECT = "a defect: the execution fails on the task, and a redrive repeats it once the function is fixed"
REMEDY = "an operator does what the name says, then redrives"
# Neither retried nor caught, and why.
FAILS: dict[tuple[str, str], str] = {
    **{
        (error, task): DEFECT
        for error in ("ZeroDivisionError", "MemoryError", "States.DataLimitExceeded")
        for task in (
            "ParseEmail",
            "ValidateEmail",
            "ReprocessEmail",
            "SendReply",
            "SendRefusal",
            "SendCompletionNotice",
        )
    },
    **{
        (error, task): REMEDY
        for error in (*REMEDIED, "ConfigurationError")
        for task in ("SendReply", "SendRefusal", "SendCompletionNotice")
    },
    **{
        ("ConfigurationError", task): "an operator corrects routes.toml" for task in ("ValidateEmail", "ReprocessEmail")
    },
    ("MalformedAnswer", "ReprocessEmail"): "the second time: the application is at fault, and a redrive asks it again",
}
# Errors of ours that never reach the workflow by themselves.
ROOTS = {"MailstepError"}
# Powertools' errors that mean a defect of ours, or become a TransientError in sending.py.
NOT_OF_THE_WORKFLOW = {
    "BaseError",
    "IdempotencyInvalidStatusError",
    "IdempotencyItemAlreadyExistsError",
    "IdempotencyItemNotFoundError",
    "IdempotencyKeyError",
    "IdempotencyModelTypeError",
    "IdempotencyNoSerializationModelError",
    "IdempotencyPersistenceConfigError",
    "IdempotencyPersistenceConnectionError",
    "IdempotencyPersistenceConsistencyError",
    "IdempotencyPersistenceLayerError",
    "IdempotencyValidationError",
}


def named(state: str, branch: str) -> set[str]:
    return {error for one in STATES[state].get(branch, []) for error in one["ErrorEquals"]}


def handled(state: str, error: str) -> bool:
    retried, caught = named(state, "Retry"), named(state, "Catch")
    return error in retried or error in caught or "States.ALL" in caught


PAIRS = [(error, task) for error, tasks in RAISED_IN.items() for task in tasks]


@pytest.mark.parametrize(("error", "task"), PAIRS)
def test_an_error_is_retried_or_caught_or_fails_the_execution_for_a_reason(error: str, task: str) -> None:
    assert handled(task, error) != ((error, task) in FAILS), FAILS.get((error, task), "neither retried nor caught")


def test_every_error_class_is_in_the_table() -> None:
    ours = {
        name for name, found in inspect.getmembers(errors, inspect.isclass) if issubclass(found, errors.MailstepError)
    }
    powertools = {
        name
        for name, found in inspect.getmembers(idempotency, inspect.isclass)
        if issubclass(found, idempotency.BaseError)
    }
    assert ours - ROOTS | powertools - NOT_OF_THE_WORKFLOW <= RAISED_IN.keys()
    assert {error for error, _ in FAILS} <= RAISED_IN.keys()


def test_every_error_that_the_definition_names_exists() -> None:
    of_queues = {
        "SQS.SdkClientException",
        "SQS.AmazonSQSException",
        "Sqs.SqsException",
        "TransientError",
        "ApplicationRefused",
    }
    for name in STATES:
        known = {"States.ALL", *RAISED_IN} | ({"States.TaskFailed"} if name in OF_SERVICES else set())
        used = named(name, "Retry") | named(name, "Catch")
        assert used <= (known | of_queues if name == "QueueEmail" else known), name


def test_every_task_is_one_of_those_in_the_table() -> None:
    tasks = {name for name, state in STATES.items() if state["Type"] == "Task"}
    assert tasks == {*OF_FUNCTIONS, *OF_SERVICES, "QueueEmail"}
    invoked = {name for name in tasks if STATES[name]["Resource"].endswith("states:::lambda:invoke")}
    assert invoked == {*OF_FUNCTIONS}


@pytest.mark.parametrize("task", OF_FUNCTIONS)
def test_every_transient_error_of_lambda_is_retried_in_every_task(task: str) -> None:
    assert {*TRANSIENT_OF_LAMBDA, *DEAD, "TransientError"} <= named(task, "Retry")


def test_a_reply_goes_out_once_by_the_same_rules_from_every_state_that_sends() -> None:
    first, *others = (STATES[state]["Retry"] for state in SENDING)
    assert all(other == first for other in others)
