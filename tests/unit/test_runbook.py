"""Each entry of docs/runbook.md was rehearsed on the local account by a test, or says what only AWS can show."""

import re

import pytest

from tests.support.project import PROJECT, TEMPLATE
from tests.support.runbook import SECTIONS, commands

DEAD_LETTERS = "test_a_record_that_was_set_aside_is_taken_up_again_and_starts_its_execution"
REHEARSED = {
    "An execution failed (mail by EventBridge: `ExecutionFailedRule`)": (
        "test_failed_executions_are_counted_then_redriven_once_each",
        "test_a_replay_that_was_interrupted_goes_on_and_each_message_has_one_new_execution",
        "test_the_stacks_own_workflow_replays_very_many_messages_once_each",
        "test_a_quarantined_message_is_shown_released_and_deleted",
    ),
    "A message was refused, or its reply withheld": (
        "test_an_operator_overrides_a_rule_for_one_message_and_is_on_record",
    ),
    "InboundDeadLetterAlarm": (DEAD_LETTERS,),
    "LaterAnswersFailedAlarm": ("test_the_command_answers_an_email_and_a_failed_answer_is_sent_by_a_redrive",),
    "ExecutionsFailedAlarm, ExecutionsTimedOutAlarm": ("test_failed_executions_are_counted_then_redriven_once_each",),
    "QuarantineAlarm": ("test_a_quarantined_message_is_shown_released_and_deleted",),
    "RepliesBoundedAlarm": (
        "test_a_flood_from_one_sender_is_answered_up_to_the_bound_and_every_message_is_accounted_for",
    ),
    "SubscriptionDeadLetterAlarm": (DEAD_LETTERS,),
    "FeedbackDeadLetterAlarm": ("test_a_bounce_that_was_set_aside_is_recorded_and_can_be_removed",),
    "FeedbackUnreadAlarm": ("test_a_bounce_that_cannot_be_read_rings_and_its_address_is_suppressed_by_hand",),
    "ApplicationDeadLetterAlarm": ("test_an_item_that_the_application_gave_up_goes_back_into_its_queue",),
    "IndexDeadLetterAlarm": ("test_a_status_event_that_was_set_aside_goes_back_to_the_index",),
    "IndexSweepAlarm": ("test_a_sweep_without_time_rings_and_the_command_fills_the_rest",),
    "Mail arrives, but nothing happens": (
        "test_each_fault_is_found_by_its_check_alone",
        "test_a_test_message_is_answered",
        "test_mail_of_a_route_that_came_back_is_found_and_processed_once",
    ),
    "Put a message back into the bucket": ("test_no_role_but_that_of_ses_may_put_mail_into_the_bucket",),
    "No sender gets a reply": ("test_a_redriven_message_is_answered_once",),
    "One sender gets no reply": ("test_a_bounce_that_was_set_aside_is_recorded_and_can_be_removed",),
    "A person asks for their data, or for its erasure": (
        "test_a_person_gets_a_copy_of_all_that_is_stored_and_then_nothing_is_stored",
    ),
    "Stop and resume": ("test_mail_of_a_route_that_came_back_is_found_and_processed_once",),
}
"""By entry: the tests in tests/cloud that follow it."""
ONLY_ON_AWS = {
    "InboundAgeAlarm": "mail has to wait for five minutes",
    "ReplyLatencyAlarm": "it looks back a quarter of an hour",
    "BounceRateAlarm, ComplaintRateAlarm": "the local SES has no rates",
    "Changed by hand": "MiniStack detects no drift",
}


def test_every_entry_was_rehearsed_or_says_why_only_aws_can_show_it() -> None:
    assert REHEARSED.keys() | ONLY_ON_AWS.keys() == SECTIONS.keys()
    assert not REHEARSED.keys() & ONLY_ON_AWS.keys()


@pytest.mark.parametrize("entry", REHEARSED)
def test_the_tests_of_an_entry_are_there_and_run_the_deployed_stack(entry: str) -> None:
    there = "\n".join(path.read_text() for path in (PROJECT / "tests" / "cloud").glob("test_*.py"))
    for name in REHEARSED[entry]:
        assert re.search(rf"^def {name}\(", there, re.MULTILINE), name


def test_each_alarm_has_an_entry_and_each_entry_an_alarm_that_is_there() -> None:
    alarms = {name for name, one in TEMPLATE["Resources"].items() if one["Type"] == "AWS::CloudWatch::Alarm"}
    assert {name for heading in SECTIONS for name in re.findall(r"\w+Alarm\b", heading)} == alarms


def test_no_entry_has_a_shell_loop_for_what_a_command_does() -> None:
    for name, text in SECTIONS.items():
        assert not re.search(r"^    (while|for|until) ", text, re.MULTILINE), name


def test_a_test_takes_its_commands_from_the_page() -> None:
    """Otherwise it would follow the entry as it was once written."""
    used = (PROJECT / "tests" / "cloud" / "test_acting.py").read_text()
    for entry, text in SECTIONS.items():
        if re.search(r"^    mailstep (queues|redrive|suppressed|export)", text, re.MULTILINE):
            family = entry if f'"{entry}"' in used else re.sub(r"^(Inbound|Subscription)", "", entry)
            assert family in used, entry


def test_placeholders_are_filled_in() -> None:
    [look, take_off] = commands("One sender gets no reply", the_address="ann@shop.example")
    assert (look[-1], take_off[1:]) == ("ann@shop.example", ["remove", "ann@shop.example"])
