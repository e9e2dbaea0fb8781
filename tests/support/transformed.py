"""A template as CloudFormation would create it: loops, the SAM transform, conditions and every reference resolved.

The SAM CLI's own libraries do the transforms; only the names that AWS would give to resources are made up here.
"""

import json
import sys
from functools import cache
from pathlib import Path
from typing import Any

from samcli.lib.cfn_language_extensions.api import create_default_pipeline
from samcli.lib.cfn_language_extensions.models import PseudoParameterValues, ResolutionMode, TemplateProcessingContext
from samcli.lib.translate.sam_template_validator import SamTemplateValidator
from samcli.yamlhelper import yaml_parse

from tests.support.project import PROJECT

ACCOUNT = "123456789012"
STACKS = {"template.yaml": "mailstep", "receiving.yaml": "mailstep-receiving"}

# The property that names a resource, and its ARN after the account; `$` is that name (Service Authorization Reference).
_NAMED: dict[str, tuple[str, str]] = {
    "AWS::CloudWatch::Alarm": ("AlarmName", "cloudwatch:alarm:$"),
    "AWS::CloudWatch::Dashboard": ("DashboardName", "cloudwatch:dashboard/$"),
    "AWS::DynamoDB::Table": ("TableName", "dynamodb:table/$"),
    "AWS::Events::Rule": ("Name", "events:rule/$"),
    "AWS::IAM::ManagedPolicy": ("ManagedPolicyName", "iam:policy/$"),
    "AWS::IAM::Role": ("RoleName", "iam:role/$"),
    "AWS::KMS::Key": ("KeyId", "kms:key/$"),
    "AWS::Lambda::Function": ("FunctionName", "lambda:function:$"),
    "AWS::Logs::LogGroup": ("LogGroupName", "logs:log-group:$:*"),
    "AWS::S3::Bucket": ("BucketName", "s3:$"),
    "AWS::SES::ConfigurationSet": ("Name", "ses:configuration-set/$"),
    "AWS::SES::EmailIdentity": ("EmailIdentity", "ses:identity/$"),
    "AWS::SES::ReceiptRuleSet": ("RuleSetName", "ses:receipt-rule-set/$"),
    "AWS::SNS::Topic": ("TopicName", "sns:$"),
    "AWS::SQS::Queue": ("QueueName", "sqs:$"),
    "AWS::StepFunctions::StateMachine": ("StateMachineName", "states:stateMachine:$"),
}
_REF_IS_ARN = {
    "AWS::IAM::ManagedPolicy",
    "AWS::SNS::Topic",
    "AWS::StepFunctions::StateMachine",
    "AWS::StepFunctions::StateMachineVersion",
}
_RESOLVED = ("Resources", "Outputs")


@cache
def _source(template: str) -> str:
    return (PROJECT / template).read_text()


def transformed(
    template: str, parameters: dict[str, str], region: str = "us-east-1", account: str = ACCOUNT, stack: str = ""
) -> dict[str, Any]:
    """The resources of `template` (a file of the project) by logical id, as dictionaries of plain values.

    `parameters` override the template's defaults, as text like `--parameter-overrides`. A resource whose Condition is
    false is left out; every Ref, Fn::GetAtt and Fn::Sub is the text that AWS would put there. Each resource has its
    `Arn` beside Type and Properties.
    """
    return _document(template, parameters, region, account, stack)["Resources"]  # type: ignore[no-any-return]


def outputs(
    template: str, parameters: dict[str, str], region: str = "us-east-1", account: str = ACCOUNT, stack: str = ""
) -> dict[str, str]:
    """The outputs of `template`, resolved likewise."""
    found = _document(template, parameters, region, account, stack).get("Outputs", {})
    return {name: output["Value"] for name, output in found.items()}


def _document(template: str, parameters: dict[str, str], region: str, account: str, stack: str) -> dict[str, Any]:
    source = yaml_parse(_source(template))
    given = {name: p["Default"] for name, p in source["Parameters"].items() if "Default" in p} | parameters
    names = {
        "AWS::Region": region,
        "AWS::AccountId": account,
        "AWS::StackName": stack or STACKS[template],
        "AWS::Partition": "aws",
        "AWS::URLSuffix": "amazonaws.com",
    }
    translated = yaml_parse(
        SamTemplateValidator(
            source, None, region=region, parameter_overrides=given | names,
            language_extensions_enabled=True,
        ).get_translated_template_if_valid()
    )  # fmt: skip
    resources = translated["Resources"]
    for name, resource in resources.items():
        resource["Arn"] = _attribute(name, "Arn", resources)
    context = TemplateProcessingContext(
        fragment={**translated, **{part: _referred(translated.get(part, {}), resources) for part in _RESOLVED}},
        parameter_values={
            name: [item.strip() for item in str(value).split(",")]
            if source["Parameters"][name]["Type"] == "CommaDelimitedList"
            else str(value)
            for name, value in given.items()
        },
        pseudo_parameters=PseudoParameterValues(
            region=region, account_id=account, stack_name=names["AWS::StackName"], stack_id="the-stack",
            partition="aws", url_suffix="amazonaws.com",
        ),
        resolution_mode=ResolutionMode.FULL,
    )  # fmt: skip
    document: dict[str, Any] = create_default_pipeline(context).process_template(context)
    for part in _RESOLVED:
        document[part] = {
            name: entry
            for name, entry in document.get(part, {}).items()
            if context.resolved_conditions.get(entry.get("Condition", ""), True)
        }
    return document


def _referred(value: Any, resources: dict[str, Any]) -> Any:  # noqa: PLR0911 - one a shape
    """`value` with each reference to a resource replaced by the name or ARN of that resource."""
    match value:
        case {"Ref": str(target)} if target in resources:
            return _ref(target, resources)
        case {"Fn::GetAtt": [str(target), str(attribute)]}:
            return _attribute(target, attribute, resources)
        case {"Fn::Sub": str(text)}:
            return _substituted(text, {}, resources)
        case {"Fn::Sub": [str(text), dict(variables)]}:
            return _substituted(text, _referred(variables, resources), resources)
        case dict():
            return {name: _referred(inner, resources) for name, inner in value.items()}
        case list():
            return [_referred(inner, resources) for inner in value]
    return value


def _substituted(text: str, variables: dict[str, Any], resources: dict[str, Any]) -> Any:
    for target in resources:
        if f"${{{target}}}" in text:
            variables[target] = _ref(target, resources)
        while f"${{{target}." in text:
            attribute = text.partition(f"${{{target}.")[2].partition("}")[0]
            name = f"{target}{attribute.replace('.', '')}"
            text = text.replace(f"${{{target}.{attribute}}}", f"${{{name}}}")
            variables[name] = _attribute(target, attribute, resources)
    return {"Fn::Sub": [text, variables]} if variables else {"Fn::Sub": text}


def _ref(target: str, resources: dict[str, Any]) -> Any:
    kind = resources[target]["Type"]
    if kind == "AWS::SQS::Queue":
        host = "https://sqs.${AWS::Region}.${AWS::URLSuffix}/${AWS::AccountId}/${Name}"
        return {"Fn::Sub": [host, {"Name": _name(target, resources)}]}
    if kind == "AWS::StepFunctions::StateMachineAlias":
        # SAM names an alias after its state machine.
        machine = target.partition("Alias")[0]
        name = resources[target]["Properties"]["Name"]
        return {"Fn::Sub": ["${Machine}:${Name}", {"Machine": _attribute(machine, "Arn", resources), "Name": name}]}
    return _attribute(target, "Arn", resources) if kind in _REF_IS_ARN else _name(target, resources)


def _name(target: str, resources: dict[str, Any]) -> Any:
    resource = resources[target]
    given = resource.get("Properties", {}).get(_NAMED.get(resource["Type"], ("", ""))[0])
    return _referred(given, resources) if given else {"Fn::Sub": f"${{AWS::StackName}}-{target}"}


def _attribute(target: str, attribute: str, resources: dict[str, Any]) -> Any:
    if attribute != "Arn":
        named = _NAMED.get(resources[target]["Type"], ("", ""))[0] == attribute or attribute == "Name"
        return _name(target, resources) if named else {"Fn::Sub": f"${{AWS::StackName}}-{target}-{attribute}"}
    kind = resources[target]["Type"]
    service, _, rest = _NAMED.get(kind, ("", f"{kind.split('::')[1].lower()}:$"))[1].partition(":")
    where = {"s3": ":", "iam": ":${AWS::AccountId}"}.get(service, "${AWS::Region}:${AWS::AccountId}")
    text = f"arn:${{AWS::Partition}}:{service}:{where}:{rest.replace('$', '${Name}')}"
    return {"Fn::Sub": [text, {"Name": _name(target, resources)}]}


ALL_OPTIONS = {
    "template.yaml": {
        "CanaryMinutes": "10",
        "ApplicationApiArn": f"arn:aws:execute-api:us-east-1:{ACCOUNT}:api/prod/POST/mail",
        "ApplicationSecretArn": f"arn:aws:secretsmanager:us-east-1:{ACCOUNT}:secret:app-abcdef",
        "ReceivingRegion": "us-west-2",
        "MailKeyArn": f"arn:aws:kms:us-east-1:{ACCOUNT}:key/1",
        "MailRetentionDays": "30",
        "OperatorEmail": "ops@example.com",
        "OperatorUrl": "https://pager.example/hook",
        "ArrivalsEmail": "team@example.com",
        "ArrivalsUrl": "https://chat.example/hook",
        "ProcessConcurrency": "5",
    },
    "receiving.yaml": {"MailKeyArn": f"arn:aws:kms:us-east-1:{ACCOUNT}:key/1", "CatchAllRoute": "rest"},
}
"""Parameters that make every condition of a template true."""


def write(directory: Path) -> None:
    """Write each template, with no option and with all of them, for a policy linter to read."""
    directory.mkdir(parents=True, exist_ok=True)
    for template, options in ALL_OPTIONS.items():
        for name, parameters in (("plain", {}), ("all-options", options)):
            found = transformed(template, {"Domain": "mail.example.com"} | parameters)
            plain = {logical: {k: v for k, v in one.items() if k != "Arn"} for logical, one in found.items()}
            document = {"AWSTemplateFormatVersion": "2010-09-09", "Resources": plain}
            (directory / f"{Path(template).stem}-{name}.json").write_text(json.dumps(document, indent=1))


if __name__ == "__main__":
    write(Path(sys.argv[1]))
