"""The deployed home stack, as the commands need it: its outputs, and the names that AWS gave its resources."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import boto3

from mailstep.aws.clients import answered
from mailstep.aws.message_index import MessageIndex
from mailstep_cli.errors import UserError

CLOCK = timedelta(seconds=1)
"""How exact AWS's clock is in the Date of a response: it is cut to whole seconds (RFC 9110 section 5.6.7)."""


@dataclass(frozen=True)
class HomeStack:
    """A stack of template.yaml. `resources` maps a logical id to a physical one, `parameters` a name to its value."""

    name: str
    outputs: dict[str, str]
    resources: dict[str, str] = field(default_factory=dict)
    asked: datetime = field(default_factory=lambda: datetime.now(UTC))
    """When AWS was asked, by AWS's own clock, up to `CLOCK` later: it is compared with times that AWS wrote."""
    parameters: dict[str, str] = field(default_factory=dict)

    @property
    def bucket(self) -> str:
        """The mail bucket."""
        return self.outputs["MailBucketName"]

    @property
    def ledger(self) -> str:
        """The table that records what was sent."""
        return self.outputs["LedgerTableName"]

    @property
    def index(self) -> MessageIndex:
        """The index of messages.

        Raises:
            UserError: the stack was deployed before there was one.
        """
        if "MessageIndexName" not in self.outputs:
            raise UserError(
                f"the stack {self.name!r} has no index of messages: deploy this version, then mailstep index"
            )
        return MessageIndex(self.outputs["MessageIndexName"], int(self.parameters["ParsedRetentionDays"]))

    @property
    def index_table(self) -> str | None:
        """The table of the index; None if the stack was deployed before there was one."""
        return self.outputs.get("MessageIndexName")

    @property
    def workflow(self) -> str:
        """The ARN of the workflow."""
        return self.outputs["StateMachineArn"]

    @property
    def workflow_alias(self) -> str:
        """The ARN that mail is started by, so that a canary sees replays too."""
        return self.resources["EmailWorkflowAliaslive"]

    def execution(self, name: str) -> str:
        """The ARN of the execution of that name."""
        return execution_arn(self.workflow, name)


def execution_arn(workflow: str, name: str) -> str:
    """The ARN of an execution of that name. `workflow` is the ARN of a state machine, or of an alias of it."""
    unqualified = ":".join(workflow.split(":")[:7])
    return f"{unqualified.replace(':stateMachine:', ':execution:')}:{name}"


def find(stack: str) -> HomeStack:
    """The stack of that name, in the account and Region that this shell points to.

    Raises:
        UserError: the stack is not Mailstep's.
    """
    cloudformation = boto3.client("cloudformation")
    answer = cloudformation.describe_stacks(StackName=stack)
    outputs = {output["OutputKey"]: output["OutputValue"] for output in answer["Stacks"][0].get("Outputs", [])}
    if "StateMachineArn" not in outputs or "MailBucketName" not in outputs:
        raise UserError(f"the stack {stack!r} is not Mailstep's: name the home stack with --stack")
    pages = cloudformation.get_paginator("list_stack_resources").paginate(StackName=stack)
    resources = {
        found["LogicalResourceId"]: found.get("PhysicalResourceId", "")
        for page in pages
        for found in page["StackResourceSummaries"]
    }
    parameters = {
        one["ParameterKey"]: one.get("ParameterValue", "") for one in answer["Stacks"][0].get("Parameters", [])
    }
    return HomeStack(stack, outputs, resources, answered(answer), parameters)
