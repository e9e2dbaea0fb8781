"""The list of checks, in the order in which mail meets what they look at, and how they are run."""

from collections.abc import Callable, Iterator

from botocore.exceptions import BotoCoreError, ClientError

from mailstep.errors import ConfigurationError
from mailstep_cli.aws_errors import unasked
from mailstep_cli.doctor import pipeline, ses
from mailstep_cli.doctor.deployed_stack import Site, Stack
from mailstep_cli.doctor.findings import Finding, Result, fault, ok, unknown
from mailstep_cli.errors import UserError

Check = Callable[[Site], Finding]

_NOT_ALLOWED = {"AccessDenied", "AccessDeniedException", "AuthorizationError", "AuthorizationErrorException"}
_DEPLOYED = {"CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE", "IMPORT_COMPLETE"}
"""A rolled back update leaves what was deployed before, whole."""
_NOT_THERE_YET = {"InvalidAction", "NotImplemented", "UnknownOperationException"}


def credentials(site: Site) -> Finding:
    """Whose account this is, and which Regions."""
    regions = sorted({site.home.region, site.receiving.region})
    return ok(f"account {site.account_id}, {' and '.join(regions)}")


def home_stack(site: Site) -> Finding:
    """The home stack is deployed whole."""
    return _stack(site.home)


def receiving_stack(site: Site) -> Finding:
    """The receiving stack is deployed whole."""
    return _stack(site.receiving)


CHECKS: dict[str, Check] = {
    "credentials": credentials,
    "home stack": home_stack,
    "receiving stack": receiving_stack,
    "identity": ses.identity,
    "DKIM": ses.dkim,
    "MX": ses.mx,
    "SPF": ses.spf,
    "DMARC": ses.dmarc,
    "active rule set": ses.active_rule_set,
    "rules": ses.rules,
    "unknown routes": ses.unknown_routes,
    "storing": ses.rule_roles,
    "notification": pipeline.notification,
    "topic policy": pipeline.topic_policy,
    "subscription": pipeline.inbound_subscription,
    "queue policy": pipeline.queue_policy,
    "event source": pipeline.event_source,
    "application": pipeline.application,
    "sending": ses.sending,
    "reply addresses": ses.reply_addresses,
    "subscribers": pipeline.subscribers,
    "alarms": pipeline.alarms,
}


def run(site: Site) -> Iterator[Result]:
    """Every check, one after the other. A question that AWS does not answer is no fault of the deployment."""
    for name, check in CHECKS.items():
        yield Result(name, _answer(check, site))


def _answer(check: Check, site: Site) -> Finding:
    try:
        return check(site)
    except ClientError as error:
        return _refused(error)
    except BotoCoreError as error:
        return unknown(unasked(error), "look at network, credentials and Region")
    except KeyError as error:
        return fault(f"the stack has no {error.args[0]}", "deploy the stacks of this version: docs/deploy.md")
    except UserError as error:
        return unknown(str(error))
    except ConfigurationError as error:
        return fault(str(error), "mend functions/routes.toml and deploy")


def _refused(error: ClientError) -> Finding:
    code, said = error.response["Error"].get("Code", ""), error.response["Error"].get("Message", "")
    if code in _NOT_ALLOWED:
        return unknown(f"not allowed to look: {said}", "ask with credentials that may")
    if code in _NOT_THERE_YET:
        return unknown(f"this account cannot be asked: {said}")
    return fault(f"{error.operation_name} answered {code}: {said}", 'docs/runbook.md, "Changed by hand"')


def _stack(stack: Stack) -> Finding:
    if stack.status in _DEPLOYED:
        return ok(f"{stack.name} in {stack.region}: {stack.status}")
    return fault(
        f"{stack.name} in {stack.region} is {stack.status}",
        f"aws cloudformation describe-stack-events --stack-name {stack.name} --region {stack.region} says why",
    )
