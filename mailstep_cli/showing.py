"""Gathers everything about one email: its index entry, the message, what each rule says of it, the answer."""

from collections.abc import Iterator
from functools import partial
from typing import Literal

import boto3
from botocore.exceptions import ClientError
from pydantic import Field

from mailstep import keys
from mailstep.authentication import is_authenticated
from mailstep.aws import mail_bucket
from mailstep.contracts import Answer, Contract, Message, StoredEmail
from mailstep.errors import ConfigurationError, MalformedAnswer
from mailstep.index_entry import IndexEntry
from mailstep.notices import with_filenames
from mailstep.route import Route
from mailstep.routes import load, own_addresses
from mailstep.validate import policy
from mailstep.validate.records import NothingOnRecord
from mailstep_cli import checkout
from mailstep_cli.errors import UserError
from mailstep_cli.home_stack import HomeStack

_OF_THE_PLACE = {"DOMAIN", "REPLY_FROM"}


class Ruling(Contract):
    """What one rule of the policy says of a message."""

    code: str = Field(description="docs/policy.md")
    means: str
    result: Literal["passes", "broken", "not asked"] = Field(
        description="`not asked`: the rule needs the records or the time of the moment at which the message came"
    )
    effect: str | None = Field(default=None, description="What a broken rule does: `tell`, `refuse` or `withhold`")
    explanation: str | None = None


class ShownEmail(Contract):
    """Everything about one email. `mailstep show --json` prints it."""

    schema_: Literal["mailstep.shown-email/1"] = Field(default="mailstep.shown-email/1", alias="schema")
    email: IndexEntry
    authenticated: bool | None = Field(default=None, description="Whether the sender is; null without a message")
    message: Message | None = Field(default=None, description="As ParseEmail stored it, unless it has expired")
    rules: tuple[Ruling, ...] = Field(
        default=(),
        description="By the rules and routes of this checkout, in order; empty without a message or checkout",
    )
    answer: Answer | None = Field(default=None, description="What the application or the processor answered")

    model_config = Contract.model_config | {"populate_by_name": True, "serialize_by_alias": True}


def gather(home: HomeStack, entry: IndexEntry) -> ShownEmail:
    """Everything about an email, read anew. Nothing is written or counted."""
    message = mail_bucket.find_message(home.bucket, entry.email_id)
    return ShownEmail(
        email=entry,
        message=message,
        authenticated=is_authenticated(message) if message else None,
        rules=tuple(_rulings(home, entry, message)) if message else (),
        answer=answer_to(home, entry.email_id),
    )


def answer_to(home: HomeStack, email_id: str) -> Answer | None:
    """What the application or the processor answered; None if there is no valid answer, or no longer."""
    try:
        return mail_bucket.find_answer(home.bucket, email_id)
    except MalformedAnswer:
        # An application writes its answers itself; ReplyFunction said what is wrong with this one.
        return None


def _rulings(home: HomeStack, entry: IndexEntry, message: Message) -> Iterator[Ruling]:
    routes = _routes(home)
    if routes is None:
        return
    case = policy.Case(
        message=message,
        email=StoredEmail(
            email_id=entry.email_id, route=message.route, bucket=home.bucket,
            key=entry.key or keys.inbound(message.route), stored=entry.stored,
        ),
        execution_arn="",
        route=routes.get(message.route),
        own_addresses=own_addresses(home.parameters["Domain"], home.parameters.get("ReplyFrom", "")),
        records=NothingOnRecord(),
        open_attachment=partial(mail_bucket.read_attachment, home.bucket),
        other_routes=frozenset(routes) - {message.route},
    )  # fmt: skip
    for rule in policy.RULES:
        if rule.needs == "stack":
            yield Ruling(code=rule.code, means=rule.means, result="not asked")
            continue
        explanation = rule.broken_by(case) if message.from_ or rule is policy.RULES[0] else None
        effect = rule.effect_on(case) if explanation else None
        yield Ruling(
            code=rule.code,
            means=rule.means,
            result="broken" if explanation else "passes",
            effect=effect.value if effect else None,
            explanation=with_filenames(explanation, message) if explanation else None,
        )


def _routes(home: HomeStack) -> dict[str, Route] | None:
    """The routes of this checkout with the deployed variables.

    None outside a checkout, if the file is wrong, and for an operator who may not read the function.
    """
    try:
        toml = checkout.routes_toml()
        function = boto3.client("lambda").get_function_configuration(FunctionName=home.resources["ProcessFunction"])
        variables = function.get("Environment", {}).get("Variables", {}).items()
        return load(toml.text, {n: value for n, value in variables if n not in _OF_THE_PLACE}, file=toml.file)
    except (UserError, ConfigurationError):
        return None
    except ClientError as error:
        if error.response["Error"]["Code"] == "AccessDeniedException":
            return None
        raise
