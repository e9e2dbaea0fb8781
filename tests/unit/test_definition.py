"""The workflow's definition: who handles which error, how often and how soon it is tried again, and that it ends.

Expectations come from docs/architecture.md ("Errors", "A burst"), from AWS's lists of errors, and from what each
function can raise; none is read from the definition.

Over 300 lines, because the definition has one file of tests.
"""

import inspect
import re
from collections import Counter
from collections.abc import Iterator
from graphlib import TopologicalSorter
from typing import Any

import pytest
from aws_lambda_powertools.utilities.idempotency import exceptions as idempotency
from jsonata import Jsonata

from mailstep import errors
from mailstep.route import Route
from tests.support.project import DEFINITION, FUNCTIONS, STATES, TEMPLATE

SENDING = ("SendReply", "SendRefusal", "SendDelayNotice", "SendFailureNotice", "SendCompletionNotice")
PROCESSING = ("ProcessEmail", "ReprocessEmail")
OF_FUNCTIONS = ("ParseEmail", "ValidateEmail", "CheckSender", *PROCESSING, *SENDING)
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
    # Only in the workflow of later answers (test_later_answers.py).
    "UnknownEmail": (),
    "ConfigurationError": OF_FUNCTIONS,
    **dict.fromkeys(("ApplicationBusy", "ApplicationDenied", "ApplicationRefused", "MalformedAnswer"), PROCESSING),
    **dict.fromkeys(
        ("SendUnconfirmed", "IdempotencyAlreadyInProgressError", "IdempotencyInconsistentStateError", *REMEDIED),
        SENDING,
    ),
    # The errors of the services that the workflow calls itself ("Error names": the service, then the exception).
    **dict.fromkeys(
        ("SQS.SdkClientException", "SQS.AmazonSQSException", "Sqs.SqsException", "States.HeartbeatTimeout"),
        ("QueueEmail",),
    ),
    **dict.fromkeys(("S3.S3Exception", "S3.SdkClientException"), ("QuarantineEmail",)),
    **dict.fromkeys(("Sns.SnsException", "SNS.SdkClientException"), ("AlertOperators",)),
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
        ("ConfigurationError", task): "an operator corrects routes.toml"
        for task in ("ParseEmail", "ValidateEmail", "ReprocessEmail")
    },
    ("MalformedAnswer", "ReprocessEmail"): "the second time: the application is at fault, and a redrive asks it again",
}
# Errors of ours that never reach the workflow by themselves.
ROOTS = {"MailstepError"}
# Powertools' errors that mean a defect of ours, or become a TransientError in send_once.py.
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
    # States.TaskFailed is any error but States.Timeout (Amazon States Language, "Errors").
    any_failure = "States.TaskFailed" in retried and error != "States.Timeout"
    return error in retried or any_failure or error in caught or "States.ALL" in caught


PAIRS = [(error, task) for error, tasks in RAISED_IN.items() for task in tasks]


def test_a_task_of_a_service_that_times_out_is_retried_or_caught() -> None:
    assert all(handled(task, "States.Timeout") for task in (*OF_SERVICES, "QueueEmail"))


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


def test_every_error_without_a_dot_is_a_class_of_ours_or_of_powertools() -> None:
    """A dot is AWS's: `States.`, `Lambda.`, `Runtime.` and the like name errors of services."""
    used = {error for state in STATES for branch in ("Retry", "Catch") for error in named(state, branch)}
    classes = {name for module in (errors, idempotency) for name, _ in inspect.getmembers(module, inspect.isclass)}
    assert {error for error in used if "." not in error} <= classes


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


def retries() -> Iterator[tuple[str, dict[str, Any]]]:
    """Each state with each of its retriers."""
    for name, state in STATES.items():
        for retrier in state.get("Retry", []):
            yield name, retrier


def test_what_is_retried_is_tried_at_least_once_more() -> None:
    """With MaxAttempts 0 an error is never retried (Amazon States Language, "Retrying after error")."""
    assert [(state, retrier["ErrorEquals"]) for state, retrier in retries() if retrier["MaxAttempts"] < 1] == []


@pytest.mark.parametrize("task", [*OF_SERVICES, "QueueEmail"])
def test_a_service_that_fails_for_a_moment_is_called_again(task: str) -> None:
    """As a function is: AWS throttles its own services' calls, too."""
    assert all(retrier["MaxAttempts"] >= 3 for state, retrier in retries() if state == task)


# Retriers whose first try comes later than 2 seconds, and is not spread, and why.
LATE = {
    "SendUnconfirmed": (60, "SES may have taken the reply: what it did is to be seen before it is sent again"),
    "ApplicationBusy": (60, "it asked for a pause (Retry-After), which a Retry cannot read"),
}


def test_the_first_retry_comes_within_two_seconds_with_full_jitter() -> None:
    """docs/architecture.md, "A burst"; AWS Step Functions Developer Guide, "Error handling": FULL draws from 0 on."""
    for state, retrier in retries():
        late = [LATE[error][0] for error in retrier["ErrorEquals"] if error in LATE]
        if late:
            assert [retrier["IntervalSeconds"]] == late, state
            assert len(retrier["ErrorEquals"]) == 1, state
        else:
            assert retrier["IntervalSeconds"] <= 2, (state, retrier["ErrorEquals"])
            assert retrier["JitterStrategy"] == "FULL", (state, retrier["ErrorEquals"])


def test_no_throttled_message_waits_longer_than_half_a_minute_between_two_tries() -> None:
    """docs/architecture.md, "A burst": every half minute at the latest, for four hours."""
    for state, retrier in retries():
        if "Lambda.TooManyRequestsException" in retrier["ErrorEquals"]:
            assert retrier["ErrorEquals"] == ["Lambda.TooManyRequestsException"], state
            assert retrier["MaxDelaySeconds"] == 30, state
            # On average half of it, with FULL jitter; in ProcessEmail ten minutes, then it counts as an outage.
            promised = 10 * 60 if state == "ProcessEmail" else 4 * 3600
            assert retrier["MaxAttempts"] * 30 / 2 >= promised * 0.95, state


def attempts(error: str) -> dict[str, int]:
    """How often each task is tried again after an error."""
    return {state: retrier["MaxAttempts"] for state, retrier in retries() if error in retrier["ErrorEquals"]}


@pytest.mark.parametrize("error", [error for error in RAISED_IN if len(attempts(error)) > 1])
def test_a_task_is_tried_as_often_as_the_others_unless_its_comment_says_why(error: str) -> None:
    found = attempts(error)
    [(usual, times), *_] = Counter(found.values()).most_common()
    for state, count in found.items():
        if count != usual and times > 1:
            assert f"{'More' if count > usual else 'Fewer'} tries" in STATES[state]["Comment"], (state, error)


# ---- It ends ----

CAN_SHUT = "told_of_failure"


def following(name: str) -> set[str]:
    """The states that can come after a state."""
    state = STATES[name]
    branches = [state, *state.get("Catch", []), *state.get("Choices", [])]
    return {branch[way] for branch in branches for way in ("Next", "Default") if way in branch}


def test_every_cycle_has_a_wait_or_a_bound() -> None:
    """What is left without the Wait states, and without the one way that a variable shuts, has no cycle."""
    graph = {
        name: {after for after in following(name) if STATES[after]["Type"] != "Wait"}
        for name, state in STATES.items()
        if state["Type"] != "Wait"
    }
    assert "SendFailureNotice" in graph["ChooseReply"]
    graph["ChooseReply"].remove("SendFailureNotice")
    TopologicalSorter(graph).prepare()  # raises CycleError


def test_the_failure_notice_is_sent_once_even_if_its_state_is_reached_again() -> None:
    """What bounds the cycle over ReprocessEmail: a second answer that is no answer fails the execution."""
    choices = STATES["ChooseReply"]["Choices"]
    [shut] = [choice for choice in choices if choice["Next"] == "FailUnanswered"]
    assert re.fullmatch(rf"\{{% \${CAN_SHUT} %\}}", shut["Condition"])
    assert "SendFailureNotice" not in {choice["Next"] for choice in choices}
    notice = STATES["SendFailureNotice"]
    for branch in (notice, *notice["Catch"]):
        assert branch["Assign"][CAN_SHUT] is True
    opened = [name for name, state in STATES.items() if state.get("Assign", {}).get(CAN_SHUT) is False]
    assert opened == ["ValidateEmail"]


def test_the_wait_for_the_application_ends_at_the_routes_horizon() -> None:
    """What bounds the cycle over WaitForApplication: each turn adds its wait, which is a second at least."""
    assert STATES["WaitForApplication"]["Assign"] == {"waited_seconds": "{% $waited_seconds + $wait_seconds %}"}
    first = STATES["CheckOutage"]["Choices"][0]
    assert first["Condition"] == "{% $waited_seconds + $wait_seconds > $claim.processing.outage_seconds %}"
    assert first["Next"] == "SendFailureNotice"
    for parameter in WAITS:
        assert TEMPLATE["Parameters"][parameter]["MinValue"] >= 1
    reset = [name for name, state in STATES.items() if state.get("Assign", {}).get("waited_seconds") == 0]
    assert reset == ["ValidateEmail"]


WAITS = ("OutageFirstWaitSeconds", "OutageLongestWaitSeconds")
HISTORY = 25_000
"""Events of one execution: the next one fails it for good (AWS Step Functions quotas, "State machine executions")."""


def turns_of_an_outage(hours: int, **parameters: int) -> int:
    """How often PlanNextTry plans another try within an outage, if the application asks for a second's patience."""
    planned = STATES["PlanNextTry"]["Assign"]["wait_seconds"].strip("{%} ")
    for name in WAITS:
        planned = planned.replace(f"${{{name}}}", str(parameters[name]))
    expression, seconds = Jsonata(planned), hours * 3600
    known: dict[str, Any] = {"claim": {"processing": {"outage_seconds": seconds}}, "retry_after": 1, "wait_seconds": 0}
    waited = turns = 0
    while True:
        frame = expression.create_frame()
        for name, value in known.items():
            frame.bind(name, value)
        known["wait_seconds"] = expression.evaluate(None, frame)
        turns += 1
        # CheckOutage; and far more turns than fit into history are enough to know.
        if waited + known["wait_seconds"] > seconds or turns > HISTORY // 10:
            return turns
        waited += known["wait_seconds"]


def events_of(state: str, *, quick_only: bool = False) -> int:
    """The most events that one visit of a state leaves in history.

    Entered and exited; for a task three for each attempt: scheduled, started, and its end (AWS Step Functions API
    Reference, HistoryEvent). With `quick_only`, the retrier of a throttled function is left out.
    """
    tries = 1 + sum(
        one["MaxAttempts"]
        for one in STATES[state].get("Retry", [])
        if not (quick_only and one["ErrorEquals"] == ["Lambda.TooManyRequestsException"])
    )
    return 2 + (3 * tries if STATES[state]["Type"] == "Task" else 0)


@pytest.mark.parametrize("longest", [1, 300, 3600])
def test_the_longest_outage_stays_within_the_events_that_an_execution_can_have(longest: int) -> None:
    """Every retry of every turn, and hours of throttling at the two tasks that retry most, all in one execution."""
    most_hours = next(m.le for m in Route.model_fields["outage_hours"].metadata if hasattr(m, "le"))
    turns = turns_of_an_outage(int(most_hours), OutageFirstWaitSeconds=1, OutageLongestWaitSeconds=longest)
    turn = ("ProcessEmail", "PlanNextTry", "CheckOutage", "WaitForApplication")
    others = [name for name in STATES if name not in turn]
    throttled = sorted((events_of(name) - events_of(name, quick_only=True) for name in others), reverse=True)
    events = turns * sum(map(events_of, turn)) + sum(events_of(name, quick_only=True) for name in others)
    assert most_hours == 72
    assert events + sum(throttled[:2]) < HISTORY


def test_the_longest_wait_is_the_parameters_where_that_is_enough() -> None:
    """60 s, doubled up to an hour, for a day: 60 + 120 + ... + 1920 = 3780 s, then 22 hours."""
    assert turns_of_an_outage(24, OutageFirstWaitSeconds=60, OutageLongestWaitSeconds=3600) <= 36
    tight = turns_of_an_outage(1, OutageFirstWaitSeconds=60, OutageLongestWaitSeconds=300)
    assert tight == len([1, 2, 4, 8, 16, 32, 64, 128, 256]) + 11, "511 s, then 300 s each, and the one too late"


def test_every_state_can_be_reached_and_leads_to_an_end() -> None:
    reached, todo = set(), ["ParseEmail"]
    while todo:
        name = todo.pop()
        if name not in reached:
            reached.add(name)
            todo += following(name)
    assert reached == STATES.keys()
    for name, state in STATES.items():
        assert following(name) or state.get("End") or state["Type"] in {"Fail", "Succeed"}, name


# ---- Time ----


def test_every_task_has_a_time_to_end_by() -> None:
    """Without one a task may wait for a year (AWS Step Functions Developer Guide, "Best practices")."""
    for name, state in STATES.items():
        if state["Type"] == "Task":
            assert "TimeoutSeconds" in state, name


@pytest.mark.parametrize("state", OF_FUNCTIONS)
def test_a_task_waits_a_little_longer_than_its_function_may_run(state: str) -> None:
    function = re.search(r"\$\{(\w+)Arn\}", STATES[state]["Arguments"]["FunctionName"])
    assert function
    timeout = FUNCTIONS[function[1]]["Timeout"]
    assert timeout < STATES[state]["TimeoutSeconds"] <= timeout + 5


def test_a_service_that_does_not_answer_is_called_again_within_a_minute() -> None:
    for task in OF_SERVICES:
        assert STATES[task]["TimeoutSeconds"] <= 60, task


def test_an_application_that_pulls_has_the_time_that_its_route_gives_it() -> None:
    """docs/applications.md, "By queue": `limit_hours`, and `heartbeat_seconds` from when the item is queued."""
    processing = {"limit_seconds": 7200, "heartbeat_seconds": 600}
    for name, seconds in (("TimeoutSeconds", 7200), ("HeartbeatSeconds", 600)):
        expression = Jsonata(STATES["QueueEmail"][name].strip("{%} "))
        frame = expression.create_frame()
        frame.bind("claim", {"processing": processing})
        assert expression.evaluate(None, frame) == seconds, name


def test_a_reply_that_died_is_waited_for_until_its_record_lapses() -> None:
    for name in SENDING:
        state = STATES[name]
        assert state["Arguments"]["FunctionName"] == "${ReplyFunctionArn}"
        [patient] = [r for r in state["Retry"] if "IdempotencyAlreadyInProgressError" in r["ErrorEquals"]]
        # With FULL jitter a wait is half as long on average. A message may meet five such deaths (its other Retry).
        average = patient["MaxDelaySeconds"] / 2
        assert average * patient["MaxAttempts"] > 5 * FUNCTIONS["ReplyFunction"]["Timeout"]


def test_every_state_says_in_one_line_what_it_is_for() -> None:
    comments = {name: state.get("Comment", "") for name, state in STATES.items()}
    assert [name for name, comment in comments.items() if not comment.strip() or "\n" in comment] == []


def test_every_placeholder_of_the_definition_is_filled_in() -> None:
    placeholders = set(re.findall(r"\$\{(\w+)\}", DEFINITION))
    assert placeholders == set(TEMPLATE["Resources"]["EmailWorkflow"]["Properties"]["DefinitionSubstitutions"])


def tries_after(task: str, error: str) -> int:
    """How often the task is retried after this error."""
    found: int = next(one["MaxAttempts"] for one in STATES[task]["Retry"] if error in one["ErrorEquals"])
    return found


@pytest.mark.parametrize("task", OF_FUNCTIONS)
def test_a_transient_fault_is_retried_more_than_a_few_times(task: str) -> None:
    """AWS's recommended retrier for its transient errors of Lambda has six attempts in all, or three of its own."""
    assert all(tries_after(task, error) >= 3 for error in (*TRANSIENT_OF_LAMBDA, "TransientError"))
    # The message itself may be what kills a function, twice over.
    assert all(tries_after(task, error) >= 2 for error in DEAD)


@pytest.mark.parametrize("task", SENDING)
def test_a_reply_that_ses_did_not_confirm_is_sent_once_more(task: str) -> None:
    """docs/architecture.md: once more, a minute later."""
    assert tries_after(task, "SendUnconfirmed") == 1
