"""SES orders receipt rules, and tries each place where it will write at set-up: it refuses what it cannot use."""

import asyncio
import json
from collections.abc import Awaitable
from typing import Any

from botocore.exceptions import ClientError
from ministack.core.responses import get_account_id, get_region
from ministack.services import ses, sns

from mailstep_local.account import Account
from mailstep_local.ministack_names import Names, Response
from mailstep_local.rules import wire
from mailstep_local.rules.errors import Refused, response
from mailstep_local.ses_s3_action import store
from mailstep_local.signatures import Request

MINISTACK = Names(
    {
        "core.responses:get_account_id": "",
        "core.responses:get_region": "",
        "services.ses:_receipt_result": "action, data",
        "services.ses:_receipt_rule_sets": None,
        "services.ses:handle_request": "method, path, headers, body, query_params",
        "services.ses_v2:_put_event_destination": "name, dest_name, definition, create",
        "services.sns:publish_internal": (
            "topic_arn, message, subject, "
            "message_structure, message_attributes, message_group_id, message_deduplication_id"
        ),
        "services.sns:topic_policy_allows": "topic_arn, service, source_arn, source_account",
    }
)


SETUP_NOTIFICATION = "AMAZON_SES_SETUP_NOTIFICATION"
_NOTICE = "Successfully validated SNS topic for Amazon SES event publishing."


def apply() -> None:
    """Patch SES's receipt rules and event destinations."""
    _write_a_first_object()
    _publish_a_first_notice()


def _write_a_first_object() -> None:
    """SES writes an object where a new rule will store mail, and refuses the rule if it cannot.

    (Amazon SES Developer Guide, "Deliver to S3 bucket action"; API_CreateReceiptRule, InvalidS3Configuration.)
    """
    handle = MINISTACK.original("services.ses:handle_request")

    async def handle_and_try(
        method: str, path: str, headers: dict[str, str], body: bytes, query_params: dict[str, Any]
    ) -> Response:
        call = wire.read("ses", Request(method, path, "", list(headers.items())), body) if body else None
        if call and call.operation.name == "SetReceiptRulePosition":
            refused = _move(**call.parameters)
            return response(call, refused) if refused else ses._receipt_result(call.operation.name)
        if call and call.operation.name == "CreateReceiptRule":
            account = Account.of_this_process().seen_from(get_region())
            for action in call.parameters["Rule"].get("Actions", []):
                refused = await asyncio.to_thread(_try_to_store, account, call.parameters, action.get("S3Action"))
                if refused:
                    return response(call, refused)
        handled: Awaitable[Response] = handle(method, path, headers, body, query_params)
        return await handled

    MINISTACK.replace("services.ses:handle_request", handle_and_try)


def _try_to_store(account: Account, parameters: dict[str, Any], action: dict[str, Any] | None) -> Refused | None:
    if action is None:
        return None
    text = (
        f"Amazon SES has set up the rule {parameters['Rule']['Name']} of {parameters['RuleSetName']}, "
        "which stores mail here.\n"
    )
    try:
        store(
            account,
            parameters["RuleSetName"],
            parameters["Rule"]["Name"],
            action,
            SETUP_NOTIFICATION,
            text.encode(),
        )
    except ClientError as error:
        return Refused("InvalidS3Configuration", f"Could not write to bucket: {action['BucketName']} ({error})")
    return None


def _move(RuleSetName: str, RuleName: str, After: str | None = None) -> Refused | None:  # noqa: N803 - SES's
    """Put a rule behind another one, or first (Amazon SES API Reference, SetReceiptRulePosition)."""
    rules = ses._receipt_rule_sets.get(RuleSetName, {"Rules": []})["Rules"]
    names = [rule["Name"] for rule in rules]
    missing = next((name for name in (RuleName, After) if name is not None and name not in names), None)
    if missing is not None:
        return Refused("RuleDoesNotExist", f"Rule does not exist: {missing}")
    moved = rules.pop(names.index(RuleName))
    rules.insert(next((n for n, rule in enumerate(rules, start=1) if rule["Name"] == After), 0), moved)
    return None


def _publish_a_first_notice() -> None:
    """SES checks a topic by a plain text, as soon as an event destination names it, and refuses one that it cannot use.

    (Amazon SES Developer Guide, "Set up an Amazon SNS event destination for event publishing".)
    """
    put = MINISTACK.original("services.ses_v2:_put_event_destination")

    def put_and_publish(name: str, dest_name: str, definition: Any, *, create: bool) -> Response | None:
        topic = ((definition or {}).get("SnsDestination") or {}).get("TopicArn")
        if topic and not _publish(topic, name):
            text = f"Could not publish to SNS topic: {topic}"
            error = {"__type": "BadRequestException", "message": text}
            return 400, {"Content-Type": "application/json"}, json.dumps(error).encode()
        refused: Response | None = put(name, dest_name, definition, create=create)
        return refused

    MINISTACK.replace("services.ses_v2:_put_event_destination", put_and_publish)


def _publish(topic: str, configuration_set: str) -> bool:
    source = f"arn:aws:ses:{get_region()}:{get_account_id()}:configuration-set/{configuration_set}"
    allowed = sns.topic_policy_allows(topic, "ses.amazonaws.com", source, get_account_id())
    return bool(allowed and sns.publish_internal(topic, _NOTICE, "Amazon SES Email Event Notification"))
