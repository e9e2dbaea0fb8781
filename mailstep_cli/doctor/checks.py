"""The list of checks, in the order of a message's way, and the code that runs them."""

from collections.abc import Callable, Iterator

from botocore.exceptions import BotoCoreError, ClientError

from mailstep.errors import ConfigurationError
from mailstep_cli.aws_errors import unasked
from mailstep_cli.doctor import capacity, failed_messages, pipeline, ses
from mailstep_cli.doctor.deployed_stack import Site, Stack
from mailstep_cli.doctor.findings import Finding, Result, fault, ok, unknown
from mailstep_cli.errors import UserError

Check = Callable[[Site], Finding]

_NOT_ALLOWED = {"AccessDenied", "AccessDeniedException", "AuthorizationError", "AuthorizationErrorException"}
_DEPLOYED = {"CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE", "IMPORT_COMPLETE"}
"""After a rolled back update, the previous deployment is still complete."""
_NOT_THERE_YET = {"InvalidAction", "NotImplemented", "UnknownOperationException"}


def credentials(site: Site) -> Finding:
    """The account and the Regions."""
    regions = sorted({site.home.region, site.receiving.region})
    return ok(f"account {site.account_id}, {' and '.join(regions)}")


def home_stack(site: Site) -> Finding:
    """The home stack is completely deployed."""
    return _stack(site.home)


def receiving_stack(site: Site) -> Finding:
    """The receiving stack is completely deployed."""
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
    "concurrency": capacity.concurrency,
    "stored mail": pipeline.stored_mail,
    "failed messages": failed_messages.executions,
    "later answers": failed_messages.later_answers,
    "dead letters": failed_messages.dead_letters,
    "application": pipeline.application,
    "sending": ses.sending,
    "reply addresses": ses.reply_addresses,
    "index": pipeline.index,
    "subscribers": pipeline.subscribers,
    "alarms": pipeline.alarms,
}


def run(site: Site) -> Iterator[Result]:
    """Run the checks one after the other. A request that AWS does not answer is not a fault of the deployment."""
    for name, check in CHECKS.items():
        yield Result(name, _answer(check, site))


def _answer(check: Check, site: Site) -> Finding:
    try:
        return check(site)
    except ClientError as error:
        return _refused(error)
    except BotoCoreError as error:
        return unknown(unasked(error), "check the network, the credentials and the Region")
    except KeyError as error:
        return fault(f"the stack has no {error.args[0]}", "deploy both stacks from this version: docs/deploy.md")
    except UserError as error:
        return unknown(str(error))
    except ConfigurationError as error:
        return fault(str(error), "fix routes.toml and deploy")


def _refused(error: ClientError) -> Finding:
    code, said = error.response["Error"].get("Code", ""), error.response["Error"].get("Message", "")
    if code in _NOT_ALLOWED:
        return unknown(f"permission denied: {said}", "run the doctor with credentials that have this permission")
    if code in _NOT_THERE_YET:
        return unknown(f"this account does not support the request: {said}")
    return fault(f"{error.operation_name} answered {code}: {said}", 'docs/runbook.md, "Changed by hand"')


def _stack(stack: Stack) -> Finding:
    if stack.status in _DEPLOYED:
        return ok(f"{stack.name} in {stack.region}: {stack.status}")
    return fault(
        f"{stack.name} in {stack.region} is {stack.status}",
        f"find out why: aws cloudformation describe-stack-events --stack-name {stack.name} --region {stack.region}",
    )
