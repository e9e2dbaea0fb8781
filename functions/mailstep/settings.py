"""The environment of the functions, typed: each variable once, with where template.yaml sets it.

A function reads its settings at the start of each invocation, so that what is missing is one error with the variable's
name, and not a failure in the middle of its work. The values are read anew each time: that takes microseconds.
"""

import os
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from mailstep.errors import ConfigurationError

GLOBALS = "Globals"
_STATE_MACHINE = r"^arn:[a-z-]+:states:[a-z0-9-]+:\d{12}:stateMachine:.+$"
_TABLE = r"^[A-Za-z0-9_.-]{3,255}$"  # Amazon DynamoDB API Reference, CreateTable
_TEMPLATE = "template.yaml"

# The role's credentials, which AWS Lambda sets (AWS Lambda Developer Guide, "Defined runtime environment variables").
_CREDENTIALS = {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"}


class Settings(BaseModel):
    """Some variables of the environment. Each field has the variable as its alias, and as its title where it is set."""

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)

    @classmethod
    def read(cls) -> Self:
        """The settings, from the environment of this moment.

        Raises:
            ConfigurationError: variables are missing or malformed; it names all of them, and never a value.
        """
        try:
            return cls.model_validate(os.environ)
        except ValidationError as error:
            places = {field.alias: field.title for field in cls.model_fields.values()}
            faults = []
            for fault in error.errors(include_input=False, include_context=False):
                name = str(fault["loc"][0])
                what = "is not set" if fault["type"] == "missing" else f"is malformed: {fault['msg']}"
                faults.append(f"{name} {what} ({places[name]})")
            raise ConfigurationError(f"environment variables: {'; '.join(faults)}") from None


def _set_in(*places: str) -> str:
    """Where a variable is set: `Globals`, or the functions that have it of their own."""
    return f"{_TEMPLATE}, {', '.join(places)}"


class Telemetry(Settings):
    """What metrics are emitted under."""

    service: str = Field(alias="POWERTOOLS_SERVICE_NAME", min_length=1, title=_set_in(GLOBALS))


class Domain(Settings):
    """Where mail comes to, and where replies come from."""

    domain: str = Field(alias="DOMAIN", min_length=1, title=_set_in(GLOBALS))
    # Empty: the route's own address.
    reply_from: str = Field(alias="REPLY_FROM", title=_set_in(GLOBALS))


class Workflow(Settings):
    """The workflow: StartFunction starts its alias, and SweepFunction lists its executions."""

    workflow_arn: str = Field(
        alias="STATE_MACHINE_ARN",
        pattern=_STATE_MACHINE,
        title=_set_in("StartFunction", "SweepFunction"),
    )


class LaterAnswers(Settings):
    """The workflow of later answers."""

    later_answers_arn: str = Field(
        alias="LATER_ANSWERS_ARN",
        pattern=_STATE_MACHINE,
        title=_set_in("StartFunction"),
    )


class MailBucket(Settings):
    """The bucket whose events are mail."""

    mail_bucket: str = Field(alias="MAIL_BUCKET", min_length=3, title=_set_in("StartFunction"))


class Ledger(Settings):
    """The ledger: what was sent, which addresses are suppressed, and the counts of replies."""

    table_name: str = Field(
        alias="TABLE_NAME",
        pattern=_TABLE,
        title=_set_in("ParseFunction", "ValidateFunction", "ReplyFunction", "FeedbackFunction"),
    )


class MessageIndex(Settings):
    """The table of the index of messages, and how long an entry is kept."""

    index_table: str = Field(
        alias="INDEX_TABLE_NAME",
        pattern=_TABLE,
        title=_set_in("FeedbackFunction", "IndexFunction", "SweepFunction"),
    )
    retention_days: int = Field(
        alias="PARSED_RETENTION_DAYS", gt=0, title=_set_in("FeedbackFunction", "IndexFunction", "SweepFunction")
    )


class Application(Settings):
    """How the application is asked."""

    timeout_seconds: float = Field(
        alias="APPLICATION_TIMEOUT_SECONDS", gt=0, allow_inf_nan=False, title=_set_in("ProcessFunction")
    )


class Sending(Settings):
    """How replies are handed to SES."""

    configuration_set: str = Field(alias="CONFIGURATION_SET", min_length=1, title=_set_in("ReplyFunction"))


class Runtime(Settings):
    """What AWS Lambda itself sets (AWS Lambda Developer Guide, "Defined runtime environment variables")."""

    region: str = Field(alias="AWS_REGION", min_length=1, title="AWS Lambda")


class Memory(Settings):
    """The memory that AWS Lambda gives the function; None elsewhere."""

    memory_mb: int | None = Field(None, alias="AWS_LAMBDA_FUNCTION_MEMORY_SIZE", gt=0, title="AWS Lambda")


class Libraries(Settings):
    """Where AWS Lambda keeps the libraries that Python itself needs: for a process of its own."""

    library_path: str = Field("", alias="LD_LIBRARY_PATH", title="AWS Lambda")


class StartFunction(Telemetry, Workflow, LaterAnswers, MailBucket):
    """What StartFunction reads."""


class ParseFunction(Telemetry, Domain, Ledger):
    """What ParseFunction reads."""


class ValidateFunction(Telemetry, Domain, Ledger):
    """What ValidateFunction reads, beside the variables of routes.toml."""


class ProcessFunction(Application, Runtime, Memory):
    """What ProcessFunction reads, beside the variables of routes.toml."""


class ReplyFunction(Telemetry, Domain, Ledger, Sending):
    """What ReplyFunction reads, beside the variables of routes.toml."""


class FeedbackFunction(Telemetry, Ledger, MessageIndex):
    """What FeedbackFunction reads."""


class IndexFunction(MessageIndex):
    """What IndexFunction reads."""


class SweepFunction(Telemetry, Workflow, MessageIndex):
    """What SweepFunction reads."""


def variables() -> dict[str, str]:
    """What `${NAME}` in routes.toml can mean: the environment without the role's credentials."""
    return {name: value for name, value in os.environ.items() if name not in _CREDENTIALS}
