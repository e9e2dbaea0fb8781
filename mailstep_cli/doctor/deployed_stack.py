"""What the checks look at: the two deployed stacks, the clients of their Regions, the routes, and DNS."""

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from mailstep.route import Route
from mailstep.routes import load
from mailstep_cli import checkout
from mailstep_cli.aws_errors import refused, unasked, way_to_aws
from mailstep_cli.doctor.dns_records import Lookup, lookup
from mailstep_cli.doctor.findings import Result, fault

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient

_RESERVED = ("example", "test", "invalid", "localhost")
_RESERVED_DOMAINS = ("example.com", "example.net", "example.org")


class Blocked(Exception):
    """No check can run before the user acts."""

    def __init__(self, check: str, detail: str, remedy: str) -> None:
        super().__init__(detail)
        self.result = Result(check, fault(detail, remedy))


@dataclass(frozen=True)
class Stack:
    """A stack as CloudFormation describes it. `resources` maps a logical id to (type, physical id)."""

    name: str
    region: str
    status: str
    parameters: dict[str, str]
    outputs: dict[str, str]
    resources: dict[str, tuple[str, str]]

    def of_type(self, kind: str) -> dict[str, str]:
        """Logical to physical id of the resources of one CloudFormation type."""
        return {logical: physical for logical, (type_, physical) in self.resources.items() if type_ == kind}


@dataclass(frozen=True)
class Site:
    """A deployment: both stacks, and the clients to examine them with."""

    session: boto3.Session
    account_id: str
    partition: str
    home: Stack
    receiving: Stack
    lookup: Lookup = field(default=lookup)

    def client(self, service: str, region: str | None = None) -> Any:
        """The boto3 client for `service`, by default in the home Region."""
        return self.session.client(service, region_name=region or self.home.region)  # type: ignore[call-overload]

    @property
    def domain(self) -> str:
        """The domain that SES receives for."""
        return self.home.parameters["Domain"]

    @property
    def bucket(self) -> str:
        """The mail bucket's name."""
        return self.home.outputs["MailBucketName"]

    def variables(self, function: str) -> dict[str, str]:
        """A deployed function's environment variables, by its logical id."""
        name = self.home.resources[function][1]
        found = self.client("lambda").get_function_configuration(FunctionName=name)
        declared: dict[str, str] = found.get("Environment", {}).get("Variables", {})
        return declared

    def rules(self) -> list[dict[str, Any]]:
        """The receipt rules of our rule set, active or not."""
        ses = self.client("ses", self.receiving.region)
        try:
            found: list[dict[str, Any]] = ses.describe_receipt_rule_set(RuleSetName=self.rule_set)["Rules"]
        except ses.exceptions.RuleSetDoesNotExistException:
            return []
        return found

    @property
    def rule_set(self) -> str:
        """The rule set that holds our rules."""
        return self.receiving.outputs["RuleSetName"]

    @cached_property
    def routes(self) -> dict[str, Route]:
        """The routes of this checkout's routes.toml, filled in with the deployed variables.

        Raises:
            UserError: there is no checkout.
            ConfigurationError: the file is wrong.
        """
        # Another check looks at the addresses that replies come from.
        variables = self.variables("ProcessFunction").items()
        filled = {name: value for name, value in variables if name not in {"DOMAIN", "REPLY_FROM"}}
        toml = checkout.routes_toml()
        return load(toml.text, filled, file=toml.file)


def reserved(domain: str) -> bool:
    """Whether a domain is reserved for examples and tests, and so not in DNS (RFC 2606, RFC 6761)."""
    name = domain.lower().rstrip(".")
    return name.rpartition(".")[2] in _RESERVED or any(
        name == known or name.endswith(f".{known}") for known in _RESERVED_DOMAINS
    )


def visit(stack: str, receiving_stack: str, receiving_region: str | None) -> Site:
    """Find the account, the Region and both stacks.

    Raises:
        Blocked: credentials, a Region or a stack is missing.
    """
    try:
        session = boto3.Session()
        region = session.region_name
        if region is None:
            raise Blocked("credentials", "no Region is set", "export AWS_DEFAULT_REGION=<the home Region>")
        caller = session.client("sts").get_caller_identity()
        home = _read(session, "home stack", stack, region, "sam build && sam deploy")
        there = receiving_region or home.parameters.get("ReceivingRegion") or region
        receiving = _read(
            session,
            "receiving stack",
            receiving_stack,
            there,
            "deploy it (docs/deploy.md), or give its Region with --receiving-region",
        )
    except BotoCoreError as error:
        raise Blocked("credentials", unasked(error), way_to_aws()) from error
    except ClientError as error:
        raise Blocked("credentials", refused(error), "use credentials that may read both stacks") from error
    return Site(session, caller["Account"], caller["Arn"].split(":")[1], home, receiving)


def _read(session: boto3.Session, check: str, name: str, region: str, remedy: str) -> Stack:
    cloudformation: CloudFormationClient = session.client("cloudformation", region_name=region)
    try:
        stack = cloudformation.describe_stacks(StackName=name)["Stacks"][0]
    except ClientError as error:
        if "does not exist" in str(error):
            raise Blocked(check, f"there is no stack {name} in {region}", remedy) from error
        raise
    pages = cloudformation.get_paginator("list_stack_resources").paginate(StackName=name)
    return Stack(
        name,
        region,
        stack["StackStatus"],
        {p["ParameterKey"]: p.get("ParameterValue", "") for p in stack.get("Parameters", [])},
        {o["OutputKey"]: o["OutputValue"] for o in stack.get("Outputs", [])},
        {
            r["LogicalResourceId"]: (r["ResourceType"], r.get("PhysicalResourceId", ""))
            for page in pages
            for r in page["StackResourceSummaries"]
        },
    )
