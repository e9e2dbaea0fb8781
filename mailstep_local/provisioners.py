"""CloudFormation types that MiniStack lacks: receipt rule sets and rules, DKIM records, versions and aliases."""

from collections.abc import Callable
from functools import cache
from typing import Any

from ministack.core.responses import get_region
from ministack.services import ses_v2
from ministack.services.cloudformation import provisioners

from mailstep_local.account import Account
from mailstep_local.ministack_names import Names

MINISTACK = Names(
    {
        "core.responses:get_region": "",
        "services.cloudformation.provisioners:_RESOURCE_HANDLERS": None,
        "services.cloudformation.provisioners:_delete_predecessor": "delete_fn, args, kwargs",
        "services.cloudformation.stacks:_runs_on_worker_thread": "resource_type",
        "services.ses_v2:_easy_dkim_attributes": "identity, identity_type, signing_attributes",
        "services.ses_v2:_identities": None,
    }
)

Properties = dict[str, Any]
Provisioned = tuple[str, dict[str, str]]
"""The values of Ref and of Fn::GetAtt."""

_OURS = (
    "AWS::SES::ReceiptRule",
    "AWS::SES::ReceiptRuleSet",
    "AWS::StepFunctions::StateMachineAlias",
    "AWS::StepFunctions::StateMachineVersion",
)


def add() -> None:
    """Teach the MiniStack of this process the types."""
    handlers = provisioners._RESOURCE_HANDLERS
    handlers["AWS::SES::ReceiptRuleSet"] = {"create": _create_set, "delete": _delete_set}
    handlers["AWS::SES::ReceiptRule"] = {"create": _create_rule, "update": _update_rule, "delete": _delete_rule}
    version = {"create": _publish_version, "update": _publish_another_version, "delete": _delete_version}
    handlers["AWS::StepFunctions::StateMachineVersion"] = version
    alias = {"create": _create_alias, "update": _update_alias, "delete": _delete_alias}
    handlers["AWS::StepFunctions::StateMachineAlias"] = alias
    identity = handlers["AWS::SES::EmailIdentity"]
    identity["create"] = _with_dkim_records(identity["create"])
    identity["update"] = _with_dkim_records(identity["update"])
    # They call this same account, so they must not block its event loop.
    name = "services.cloudformation.stacks:_runs_on_worker_thread"
    on_worker_thread = MINISTACK.original(name)
    MINISTACK.replace(name, lambda resource_type: resource_type in _OURS or on_worker_thread(resource_type))


def _account() -> Account:
    """This same account, in the stack's Region."""
    return _account_in(get_region())


@cache
def _account_in(region: str) -> Account:
    return Account.of_this_process().seen_from(region)


def _create_set(logical_id: str, properties: Properties, stack_name: str) -> Provisioned:
    name = properties.get("RuleSetName") or f"{stack_name}-{logical_id}"
    _account().client("ses").create_receipt_rule_set(RuleSetName=name)
    return name, {}


def _delete_set(name: str, _properties: Properties) -> None:
    _account().client("ses").delete_receipt_rule_set(RuleSetName=name)


def _create_rule(logical_id: str, properties: Properties, stack_name: str) -> Provisioned:
    rule = {"Name": f"{stack_name}-{logical_id}", **properties["Rule"]}
    for flag in ("Enabled", "ScanEnabled"):
        rule[flag] = str(rule.get(flag, False)).lower() == "true"
    after = {"After": properties["After"]} if "After" in properties else {}
    _account().client("ses").create_receipt_rule(RuleSetName=properties["RuleSetName"], Rule=rule, **after)
    return rule["Name"], {}


def _update_rule(name: str, old: Properties, new: Properties, stack_name: str) -> Provisioned:
    """Update in place if set and name are the same; otherwise create the new rule, and delete the old one later."""
    moved = (old["RuleSetName"], old["Rule"].get("Name")) != (new["RuleSetName"], new["Rule"].get("Name"))
    if moved:
        created = _create_rule(name, new, stack_name)
        provisioners._delete_predecessor(_delete_rule, name, old)
        return created
    _delete_rule(name, old)
    return _create_rule(name, {**new, "Rule": {**new["Rule"], "Name": name}}, stack_name)


def _delete_rule(name: str, properties: Properties) -> None:
    _account().client("ses").delete_receipt_rule(RuleSetName=properties["RuleSetName"], RuleName=name)


def _step_functions() -> Any:
    return _account().client("stepfunctions")


def _publish_version(_logical_id: str, properties: Properties, _stack_name: str) -> Provisioned:
    arn = _step_functions().publish_state_machine_version(
        stateMachineArn=properties["StateMachineArn"], revisionId=properties["StateMachineRevisionId"]
    )["stateMachineVersionArn"]
    return arn, {"Arn": arn}


def _publish_another_version(arn: str, old: Properties, new: Properties, stack_name: str) -> Provisioned:
    """Publish a new version, because versions never change. The old one is deleted unless the template retains it."""
    published = _publish_version(arn, new, stack_name)
    provisioners._delete_predecessor(_delete_version, arn, old)
    return published


def _delete_version(arn: str, _properties: Properties) -> None:
    _step_functions().delete_state_machine_version(stateMachineVersionArn=arn)


def _routing(properties: Properties) -> list[dict[str, Any]]:
    """Shift all traffic at once: the local account does not wait for a canary."""
    return [{"stateMachineVersionArn": properties["DeploymentPreference"]["StateMachineVersionArn"], "weight": 100}]


def _create_alias(_logical_id: str, properties: Properties, _stack_name: str) -> Provisioned:
    arn = _step_functions().create_state_machine_alias(
        name=properties["Name"], routingConfiguration=_routing(properties)
    )["stateMachineAliasArn"]
    return arn, {"Arn": arn}


def _update_alias(arn: str, _old: Properties, new: Properties, _stack_name: str) -> Provisioned:
    _step_functions().update_state_machine_alias(stateMachineAliasArn=arn, routingConfiguration=_routing(new))
    return arn, {"Arn": arn}


def _delete_alias(arn: str, _properties: Properties) -> None:
    _step_functions().delete_state_machine_alias(stateMachineAliasArn=arn)


def _with_dkim_records(provision: Callable[..., Provisioned]) -> Callable[..., Provisioned]:
    """Easy DKIM's three CNAMEs as attributes (AWS CloudFormation, AWS::SES::EmailIdentity, "Return values")."""

    def provision_with_records(*arguments: Any, **named: Any) -> Provisioned:
        name, attributes = provision(*arguments, **named)
        identity = ses_v2._identities[name]
        dkim = ses_v2._easy_dkim_attributes(name, identity["IdentityType"], {})
        identity["DkimAttributes"] = {**dkim, "SigningEnabled": True}
        records = {
            f"DkimDNSToken{part}{number}": f"{token}.{suffix}"
            for number, token in enumerate(dkim["Tokens"], start=1)
            for part, suffix in (("Name", f"_domainkey.{name}"), ("Value", "dkim.amazonses.com"))
        }
        return name, {**attributes, **records}

    return provision_with_records
