"""What IAM decides, decided as AWS does."""

import dataclasses
import json
import re
from typing import Any

from ministack.core import iam_evaluator

from mailstep_local.ministack_names import Names

MINISTACK = Names(
    {
        "app:pin_request_origin": "source_ip, secure_transport",
        "core.iam_actions:extract_resource_arn": (
            "service, method, path, headers, body, query_params, region, account_id"
        ),
        "core.iam_evaluator:EvalContext": None,
        "core.iam_evaluator:_resolve_condition_key": "key, ctx",
        "core.iam_evaluator:evaluate_trust_policy": "trust_doc, caller_arn, ctx",
        "core.iam_evaluator:pin_request_origin": "source_ip, secure_transport",
    }
)


def apply() -> None:
    """Patch IAM's evaluation of policies."""
    _take_loopback_for_tls()
    _let_ses_assume_roles()
    _name_the_role_of_a_session()
    _authorise_an_alias_as_its_workflow()
    _authorise_on_what_the_call_names()


def _take_loopback_for_tls() -> None:
    """The bucket's policy denies requests without TLS; the local account speaks plain HTTP on loopback only."""
    pin = MINISTACK.original("core.iam_evaluator:pin_request_origin")

    def pin_as_secure(source_ip: str, secure_transport: bool) -> None:
        pin(source_ip, secure_transport=True)

    for name in ("core.iam_evaluator:pin_request_origin", "app:pin_request_origin"):
        MINISTACK.replace(name, pin_as_secure)


def _let_ses_assume_roles() -> None:
    """SES assumes a rule's role as the service, with the rule as aws:SourceArn; MiniStack has no service that does.

    mailstep_local/ses_s3_action.py calls as root and names the rule as ExternalId: nobody else may pass for SES.
    """
    evaluate = MINISTACK.original("core.iam_evaluator:evaluate_trust_policy")

    def evaluate_for_ses(
        trust_doc: str | dict[str, Any], caller_arn: str, ctx: iam_evaluator.EvalContext | None = None
    ) -> bool:
        source = (ctx.service_context.get("sts:externalid") if ctx else None) or ""
        if ctx and caller_arn.endswith(":root") and source.startswith("arn:aws:ses:"):
            document = json.loads(trust_doc) if isinstance(trust_doc, str) else trust_doc
            statements = [s for s in document["Statement"] if s["Principal"].get("Service") == "ses.amazonaws.com"]
            added = {"aws:sourcearn": source, "aws:sourceaccount": source.split(":")[4]}
            trust_doc = {"Statement": statements}
            ctx = dataclasses.replace(ctx, service_context=ctx.service_context | added)
        allowed: bool = evaluate(trust_doc, caller_arn, ctx)
        return allowed

    MINISTACK.replace("core.iam_evaluator:evaluate_trust_policy", evaluate_for_ses)


def _name_the_role_of_a_session() -> None:
    """`aws:PrincipalArn` is the ARN of the role, also for a session of the role. MiniStack gives the session's.

    (IAM User Guide, "AWS global condition context keys".) The roles here have no path.
    """
    resolve = MINISTACK.original("core.iam_evaluator:_resolve_condition_key")

    def resolve_role(key: str, ctx: iam_evaluator.EvalContext) -> Any:
        value = resolve(key, ctx)
        if key.lower() == "aws:principalarn":
            session = re.fullmatch(r"arn:([^:]+):sts::(\d+):assumed-role/([^/]+)/.+", str(value))
            return f"arn:{session[1]}:iam::{session[2]}:role/{session[3]}" if session else value
        return value

    MINISTACK.replace("core.iam_evaluator:_resolve_condition_key", resolve_role)


def _authorise_an_alias_as_its_workflow() -> None:
    """Step Functions asks for permission on the workflow's own ARN, also where a call names an alias of it.

    (AWS Step Functions Developer Guide, "Authorization for versions and aliases".) MiniStack asks for the alias's ARN.
    """
    extract = MINISTACK.original("core.iam_actions:extract_resource_arn")

    def extract_unqualified(service: str, *others: Any) -> str:
        arn: str = extract(service, *others)
        unqualified = re.match(r"arn:[^:]+:states:[^:]+:[^:]+:stateMachine:[^:]+", arn)
        return unqualified[0] if unqualified else arn

    MINISTACK.replace("core.iam_actions:extract_resource_arn", extract_unqualified)


def _authorise_on_what_the_call_names() -> None:
    """A redrive of a queue is authorised on that queue, and a look at a Map Run on that run. MiniStack takes `*`.

    (Service Authorization Reference, "Actions, resources, and condition keys" for Amazon SQS and AWS Step Functions.)
    """
    extract = MINISTACK.original("core.iam_actions:extract_resource_arn")

    def extract_named(service: str, method: str, path: str, headers: Any, body: Any, *others: Any) -> str:
        arn: str = extract(service, method, path, headers, body, *others)
        if arn == "*":
            named = re.search(
                rb'"(?:SourceArn|mapRunArn)"\s*:\s*"([^"]+)"', body if isinstance(body, bytes) else str(body).encode()
            )
            return named[1].decode() if named else arn
        return arn

    MINISTACK.replace("core.iam_actions:extract_resource_arn", extract_named)
