"""All that we change in MiniStack, each change with its reason (docs/emulation.md lists them for users).

MiniStack is pinned, and each patch first checks that what it replaces is there with the parameters it had: a newer
MiniStack fails here, loudly, and not in a test that is hard to read.
"""

import base64
import dataclasses
import inspect
import json
import os
import random
import re
import secrets
import smtplib
import sys
import threading
import time
from collections.abc import Awaitable, Callable, Iterable
from datetime import UTC, datetime
from email import message_from_bytes
from email.utils import parseaddr
from pathlib import Path
from types import ModuleType
from typing import Any

from botocore.auth import S3SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from ministack import app
from ministack.core import iam_actions, iam_evaluator, lambda_runtime
from ministack.core.responses import get_account_id, get_region
from ministack.services import lambda_svc, ses, ses_v2, sns, stepfunctions
from ministack.services.cloudformation import custom_resource

from mailstep_local import gate, provisioners, workflow_role
from mailstep_local.account import Account
from mailstep_local.signatures import Request
from mailstep_local.simulator import feedback

Response = tuple[int, dict[str, str], bytes]

# Under the inbound queue's visibility timeout.
_POLLER_PATIENCE_SECONDS = 60
_POLLER_PAUSE_SECONDS = 0.2

# What CloudFormation waits for a custom resource at most.
_LINK_SECONDS = 3600

# With its continuation lines (RFC 5322, 2.2.3).
_FROM_FIELD = re.compile(rb"^from[ \t]*:[^\r\n]*(?:\r?\n[ \t][^\r\n]*)*", re.IGNORECASE | re.MULTILINE)

_RUNTIME = "python3.13"
# What Lambda itself sets in a function's environment, beside the function's own variables.
_LAMBDA_VARIABLES = {
    "AWS_ACCESS_KEY_ID",
    "AWS_DEFAULT_REGION",
    "AWS_ENDPOINT_URL",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
    "AWS_LAMBDA_FUNCTION_NAME",
    "AWS_LAMBDA_FUNCTION_VERSION",
    "AWS_LAMBDA_LOG_STREAM_NAME",
    "AWS_LAMBDA_RUNTIME_API",
    "AWS_REGION",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "LAMBDA_TASK_ROOT",
    "_HANDLER",
    lambda_runtime.HOST_PREFIX_ENV,
}


class IncompatibleMiniStack(RuntimeError):  # a defect of ours, not of the user's
    """MiniStack no longer has what a patch replaces."""


def apply(*, bootstrap: Path, outbox: Path, smtp_port: int, allowed_hosts: Iterable[str] = ()) -> None:
    """Patch the MiniStack of this process."""
    _close_the_gate([*gate.OWN_HOSTS, *allowed_hosts])
    _serve_buckets_below_localhost()
    _keep_web_pages_from_the_runtime_api()
    _make_secrets_of_functions_unguessable()
    _sign_our_own_links()
    _run_functions_under_awslambdaric(bootstrap)
    _hide_the_host_from_functions()
    _act_on_what_is_sent(outbox, smtp_port)
    _read_concurrency_as_a_number()
    _take_loopback_for_tls()
    _authorise_raw_sending_as_ses_does()
    _pass_on_the_tagging_of_a_copy()
    _poll_again_while_throttled()
    _name_a_throttle_as_step_functions_does()
    _let_ses_assume_roles()
    provisioners.add()
    _evaluate_the_timeout_of_a_callback()
    _enforce_the_role_of_a_state_machine()
    _authorise_an_alias_as_its_workflow()
    _wait_between_retries_as_declared()


def _known(module: ModuleType | type, name: str, parameters: list[str]) -> Callable[..., Any]:
    """What a patch builds on, if it still is as the patch knows it.

    Raises:
        IncompatibleMiniStack: it is gone, or takes other parameters.
    """
    found: Callable[..., Any] | None = getattr(module, name, None)
    if found is None or list(inspect.signature(found).parameters) != parameters:
        raise IncompatibleMiniStack(
            f"{module.__name__}.{name} is not as mailstep_local/patches.py knows it: pin the version of MiniStack "
            "that it was written against, or write the patch anew"
        )
    return found


def _replace(module: ModuleType | type, name: str, parameters: list[str], new: Callable[..., Any]) -> None:
    _known(module, name, parameters)
    setattr(module, name, new)


def _close_the_gate(hosts: list[str]) -> None:
    """MiniStack takes what is unsigned, or signed with the key `test`, for root's, and lets web pages ask and read."""
    parameters = ["scope", "receive", "send"]
    root = Account.of_this_process().access_key_id
    _replace(app, "app", parameters, gate.guarded(_known(app, "app", parameters), root, hosts))


def _serve_buckets_below_localhost() -> None:
    """`bucket.localhost` is a bucket's virtual host as `bucket.127.0.0.1` is; MiniStack knows one name only."""
    extract = _known(app, "_extract_s3_vhost_bucket", ["host"])

    def extract_below_own_names(host: str) -> str | None:
        name, _, _ = host.lower().partition(":")
        found: str | None = extract(re.sub(r"\.localhost$", f".{app._MINISTACK_HOST}", name))
        return found

    _replace(app, "_extract_s3_vhost_bucket", ["host"], extract_below_own_names)


def _keep_web_pages_from_the_runtime_api() -> None:
    """Each environment's Lambda Runtime API listens on loopback, unsigned as on AWS, where nobody else reaches it.

    A web page could take an event away from its function, or end the environment.
    """
    parameters = ["self", "generation", "pending"]
    build = _known(lambda_runtime.ProvidedWorker, "_build_handler_class", parameters)

    def build_with_gate(self: Any, generation: int, pending: Any) -> type:
        inner: Any = build(self, generation, pending)

        class RuntimeApi(inner):  # type: ignore[misc]
            def parse_request(self) -> bool:
                if not super().parse_request():
                    return False
                fields = [(name.lower(), value) for name, value in self.headers.items()]
                try:
                    # A runtime sends none of what a browser adds even where it only reads.
                    gate.check_sender(Request("POST", self.path, "", fields), gate.OWN_HOSTS)
                except gate.NotOurOwn as refusal:
                    self.send_error(403, str(refusal))
                    return False
                return True

        return RuntimeApi

    _replace(lambda_runtime.ProvidedWorker, "_build_handler_class", parameters, build_with_gate)


def _make_secrets_of_functions_unguessable() -> None:
    """MiniStack makes the credentials of a function's role from a digest of ARNs, which everybody knows."""
    make = _known(lambda_runtime, "execution_credentials", ["config"])
    salt = secrets.token_hex(32)

    def make_with_salt(config: dict[str, Any]) -> dict[str, str]:
        made: dict[str, str] = make({**config, "FunctionArn": f"{config['FunctionArn']}:{salt}"})
        return made

    for module in (lambda_runtime, lambda_svc):
        _replace(module, "execution_credentials", ["config"], make_with_salt)


def _sign_our_own_links() -> None:
    """On AWS a custom resource's ResponseURL and the links to a function's code are presigned; here they are bare."""
    account = Account.of_this_process()
    signer = S3SigV4QueryAuth(
        Credentials(account.access_key_id, account.secret_access_key), "s3", account.region, expires=_LINK_SECONDS
    )

    def signed(method: str, make: Callable[..., str]) -> Callable[..., str]:
        def make_signed(*arguments: Any) -> str:
            request = AWSRequest(method, make(*arguments).partition("?")[0])
            signer.add_auth(request)
            return str(request.url)

        return make_signed

    for module, name, parameters, method in (
        (custom_resource, "_response_url", ["token"], "PUT"),
        (lambda_svc, "_presigned_code_url", ["func_name"], "GET"),
        (lambda_svc, "_layer_content_url", ["layer_name", "version"], "GET"),
    ):
        _replace(module, name, parameters, signed(method, _known(module, name, parameters)))


def _run_functions_under_awslambdaric(bootstrap: Path) -> None:
    """MiniStack's own worker for Python turns every exception into `Runtime.HandlerError`.

    Its executor for `provided.*` speaks the real Lambda Runtime API, so AWS's own runtime client runs there: errors
    keep their names and traces, a killed function is `Runtime.ExitError`, an overrun `Sandbox.Timedout`.
    """
    code_directory = _known(lambda_svc, "_provided_runtime_code_dir", ["code_zip"])
    worker_class = _known(lambda_runtime, "_worker_class_for", ["config"])

    def code_directory_with_bootstrap(code_zip: bytes) -> str:
        directory: str = code_directory(code_zip)
        link = Path(directory, "bootstrap")
        if not link.exists():
            # Made aside and moved into place, because environments start at the same time.
            aside = link.with_name(f"bootstrap.{os.urandom(4).hex()}")
            aside.symlink_to(bootstrap)
            aside.replace(link)
        return directory

    def worker_class_for(config: dict[str, Any]) -> type:
        chosen: type = worker_class({"Runtime": "provided"} if config.get("Runtime") == _RUNTIME else config)
        return chosen

    _replace(lambda_svc, "_provided_runtime_code_dir", ["code_zip"], code_directory_with_bootstrap)
    _replace(lambda_runtime, "_worker_class_for", ["config"], worker_class_for)
    _replace(
        lambda_svc,
        "_execute_function_warm",
        ["func", "event", "request_id"],
        _known(lambda_svc, "_execute_function_provided_warm", ["func", "event", "request_id"]),
    )


def _hide_the_host_from_functions() -> None:
    """MiniStack gives a function the whole environment of its host; AWS gives it only its own.

    With the host's, a missing variable in template.yaml would show first on AWS.
    """
    worker_environment = _known(lambda_svc, "_provided_worker_env", ["config", "code_dir", "port"])

    def own_environment(config: dict[str, Any], code_dir: str, port: int) -> dict[str, str]:
        declared = set(config.get("Environment", {}).get("Variables", {}))
        full: dict[str, str] = worker_environment(config, code_dir, port)
        own = {name: value for name, value in full.items() if name in declared | _LAMBDA_VARIABLES}
        return {"PATH": "/usr/local/bin:/usr/bin:/bin", "LANG": "en_US.UTF-8", "TZ": ":UTC", **own}

    _replace(lambda_svc, "_provided_worker_env", ["config", "code_dir", "port"], own_environment)


def _act_on_what_is_sent(outbox: Path, smtp_port: int) -> None:
    """MiniStack keeps parsed fields of what SES was asked to send, and neither delivers it nor tells of it."""
    parameters = ["method", "path", "headers", "body", "query_params"]
    handle = _known(ses_v2, "handle_request", parameters)
    tell = _tell_of_bounces_and_complaints()

    async def handle_and_act(
        method: str, path: str, headers: dict[str, str], body: bytes, query_params: dict[str, Any]
    ) -> Response:
        handled: Awaitable[Response] = handle(method, path, headers, body, query_params)
        response = await handled
        if method == "POST" and path.endswith("/outbound-emails") and response[0] == 200:
            request, message_id = json.loads(body), json.loads(response[2])["MessageId"]
            if raw := base64.b64decode(request.get("Content", {}).get("Raw", {}).get("Data", "")):
                raw = with_from_field(raw, request.get("FromEmailAddress"))
                _keep(outbox, message_id, raw)
                _deliver_to_our_own_domains(smtp_port, request, message_id, raw)
            tell(request, message_id)
        return response

    _replace(ses_v2, "handle_request", parameters, handle_and_act)


def with_from_field(raw: bytes, from_email_address: str | None) -> bytes:
    """The raw message as SES sends it: where FromEmailAddress is given, it is the From field, display name and all.

    (Amazon SES API v2 Reference, SendEmail: "The email address to use as the "From" address for the email"; seen on SES
    by the authors of laravel/framework#37881, who lost the name that only the raw message had.)
    """
    if not from_email_address:
        return raw
    blank = re.search(rb"\r?\n\r?\n", raw)
    header, rest = (raw[: blank.start()], raw[blank.start() :]) if blank else (raw, b"")
    field = f"From: {from_email_address}".encode()
    replaced, found = _FROM_FIELD.subn(lambda _: field, header, count=1)
    return (replaced if found else field + b"\r\n" + header) + rest


def _author(request: dict[str, Any]) -> str:
    """The address that a SendEmail of API v2 sends as: FromEmailAddress, or else the raw message's own From field."""
    raw = base64.b64decode(request.get("Content", {}).get("Raw", {}).get("Data", ""))
    return parseaddr(request.get("FromEmailAddress") or str(message_from_bytes(raw)["From"] or ""))[1]


def _keep(outbox: Path, message_id: str, raw: bytes) -> None:
    """The reply is judged by its octets: each raw message is written to the outbox as `<SES message id>.eml`."""
    name = re.sub(r"[^A-Za-z0-9.@_-]", "_", message_id)
    whole = outbox / f"{name}.part"
    whole.write_bytes(raw)
    whole.replace(outbox / f"{name}.eml")


def _deliver_to_our_own_domains(smtp_port: int, request: dict[str, Any], message_id: str, raw: bytes) -> None:
    """SES's own mail to a domain that SES receives for comes in again by its MX.

    A raw message to a domain that is an identity here goes to the local SMTP front, from SES's own envelope address.
    """
    to = [a for a in request.get("Destination", {}).get("ToAddresses", []) if _is_identity(_domain(a))]
    if to:
        sender = f"{message_id.partition('@')[0]}@amazonses.com"
        threading.Thread(target=_deliver, args=(smtp_port, sender, to, raw), daemon=True).start()


def _is_identity(name: str) -> bool:
    """MiniStack keeps what API v1 and API v2 made in two places."""
    return name in ses._identities or name in ses_v2._identities


def _domain(address: str) -> str:
    return parseaddr(address)[1].rpartition("@")[2].lower()


def _deliver(port: int, sender: str, to: list[str], raw: bytes) -> None:
    try:
        with smtplib.SMTP("127.0.0.1", port, timeout=60) as smtp:
            smtp.ehlo("amazonses.com")
            smtp.sendmail(sender, to, raw)
    except (OSError, smtplib.SMTPException) as error:
        # SES would bounce it; nobody waits for that here.
        print(f"SES could not deliver to {to}: {error}", file=sys.stderr)  # noqa: T201 - the emulator's log


def _read_concurrency_as_a_number() -> None:
    """A parameter of type Number reaches MiniStack's event source mapping as text, on which its poller fails.

    CloudFormation coerces it to the property's type.
    """
    concurrency = _known(lambda_svc, "_sqs_esm_concurrency", ["esm", "func_rec", "config", "queue"])

    def concurrency_of(
        esm: dict[str, Any], func_rec: dict[str, Any], config: dict[str, Any], queue: dict[str, Any] | None = None
    ) -> int:
        scaling = {name: int(value) for name, value in (esm.get("ScalingConfig") or {}).items()}
        chosen: int = concurrency({**esm, "ScalingConfig": scaling}, func_rec, config, queue)
        return chosen

    _replace(lambda_svc, "_sqs_esm_concurrency", ["esm", "func_rec", "config", "queue"], concurrency_of)


def _take_loopback_for_tls() -> None:
    """The bucket's policy denies what does not come by TLS; the local account speaks plain HTTP on loopback only."""
    pin = _known(iam_evaluator, "pin_request_origin", ["source_ip", "secure_transport"])

    def pin_as_secure(source_ip: str, secure_transport: bool) -> None:
        pin(source_ip, secure_transport=True)

    for module in (iam_evaluator, app):
        _replace(module, "pin_request_origin", ["source_ip", "secure_transport"], pin_as_secure)


def _authorise_raw_sending_as_ses_does() -> None:
    """SES asks for `ses:SendRawEmail` where a SendEmail of API v2 carries a raw message.

    It asks on the sender's identity, in the sandbox on the recipients' too, and on the configuration set. MiniStack
    asks for `ses:SendEmail` on `*`, which AWS would not accept of our role.
    """
    parameters = ["method", "path", "headers", "body", "query_params", "request_id"]
    enforce = _known(app, "_enforce_ses_v2", parameters)
    verified = _known(ses, "_production_access_enabled", [])

    def enforce_raw(
        method: str, path: str, headers: dict[str, str], body: bytes, query_params: dict[str, Any], request_id: str
    ) -> Response | None:
        request = json.loads(body) if method == "POST" and path.endswith("/outbound-emails") else {}
        if not request.get("Content", {}).get("Raw"):
            plain: Response | None = enforce(method, path, headers, body, query_params, request_id)
            return plain
        sender = _author(request)
        recipients = [] if verified() else request.get("Destination", {}).get("ToAddresses", [])
        resources = [f"identity/{_identity(address)}" for address in (sender, *recipients)]
        if name := request.get("ConfigurationSetName"):
            resources.append(f"configuration-set/{name}")
        for resource in resources:
            arn = f"arn:aws:ses:{app.extract_region(headers, query_params)}:{get_account_id()}:{resource}"
            denied: Response | None = app._enforce_data_plane(
                "sesv2",
                "ses:SendRawEmail",
                headers,
                query_params,
                request_id,
                resource_arn=arn,
                service_context={"ses:FromAddress": sender},
                named_resource=arn,
            )
            if denied:
                return denied
        return None

    _replace(app, "_enforce_ses_v2", parameters, enforce_raw)


def _identity(address: str) -> str:
    """The identity that SES asks about: the address where it is verified by itself, else its domain."""
    return address if address in ses._identities else address.rpartition("@")[2]


def _tell_of_bounces_and_complaints() -> Callable[[dict[str, Any], str], None]:
    """A function that tells a configuration set's event destinations what became of a message.

    Where the recipient's domain asks for a bounce or complaint (simulator.py), the event goes to the topic as SES would
    send it, and as the topic's policy allows (Amazon SES Developer Guide, "Event publishing").
    """
    detail = _known(ses, "_notification_detail", ["kind", "rcpt", "ts", "bounce_subtype"])
    allows = _known(sns, "topic_policy_allows", ["topic_arn", "service", "source_arn", "source_account"])

    def tell(request: dict[str, Any], message_id: str) -> None:
        name = request.get("ConfigurationSetName", "")
        destinations = (ses_v2._config_sets.get(name) or {}).get("EventDestinations") or {}
        arn = f"arn:aws:ses:{get_region()}:{get_account_id()}:configuration-set/{name}"
        now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        for recipient in request.get("Destination", {}).get("ToAddresses", []):
            mail = {
                "timestamp": now,
                "source": _author(request),
                "sendingAccountId": get_account_id(),
                "messageId": message_id,
                "destination": [recipient],
                "tags": {"ses:configuration-set": [name]},
            }
            for kind in feedback(recipient.rpartition("@")[2]):
                event = {"eventType": kind, **detail(kind, recipient, now), "mail": mail}
                for destination in destinations.values():
                    topic = destination.get("SnsDestination", {}).get("TopicArn", "")
                    if kind.upper() in destination["MatchingEventTypes"] and allows(
                        topic, "ses.amazonaws.com", arn, get_account_id()
                    ):
                        sns.publish_internal(topic, event, "Amazon SES Email Event Notification")

    return tell


def _pass_on_the_tagging_of_a_copy() -> None:
    """MiniStack's `aws-sdk:s3:copyObject` knows TaggingDirective, but not Tagging: a copy would lose its tags."""
    members = stepfunctions._REST_XML_OP_SPECS.get("s3", {}).get("CopyObject", {}).get("header_params")
    if members is None or "TaggingDirective" not in members:
        raise IncompatibleMiniStack("stepfunctions._REST_XML_OP_SPECS is not as mailstep_local/patches.py knows it")
    members.setdefault("Tagging", "x-amz-tagging")


def _poll_again_while_throttled() -> None:
    """A throttled batch waits out its visibility timeout in MiniStack; Lambda's poller backs off and tries again.

    (AWS Lambda Developer Guide, "Using Lambda with Amazon SQS": throttled batches are retried until the timeout.)
    """
    run = _known(lambda_svc, "_run_sqs_batch", ["esm", "func_rec", "event", "batch", "queue_url", "queue_name"])
    execute = _known(lambda_svc, "_execute_function", ["func", "event"])
    poller = threading.local()

    def run_batch(*args: Any) -> None:
        poller.until = time.monotonic() + _POLLER_PATIENCE_SECONDS
        try:
            run(*args)
        finally:
            poller.until = 0

    def execute_again(func: dict[str, Any], event: dict[str, Any]) -> dict[str, Any]:
        result: dict[str, Any] = execute(func, event)
        while result.get("throttle") and time.monotonic() < getattr(poller, "until", 0):
            time.sleep(_POLLER_PAUSE_SECONDS)
            result = execute(func, event)
        return result

    parameters = ["esm", "func_rec", "event", "batch", "queue_url", "queue_name"]
    _replace(lambda_svc, "_run_sqs_batch", parameters, run_batch)
    _replace(lambda_svc, "_execute_function", ["func", "event"], execute_again)


def _name_a_throttle_as_step_functions_does() -> None:
    """A throttled function is `Lambda.TooManyRequestsException` to a workflow; MiniStack calls it `Lambda.Unknown`.

    (AWS Step Functions Developer Guide, "Handle transient Lambda service exceptions".)
    """
    throttle = _known(lambda_svc, "_throttle_response", ["reason_code", "msg", "retry_after"])

    def named_throttle(reason_code: str, msg: str, retry_after: int = 1) -> dict[str, Any]:
        response: dict[str, Any] = throttle(reason_code, msg, retry_after)
        response["body"]["errorType"] = "Lambda.TooManyRequestsException"
        return response

    _replace(lambda_svc, "_throttle_response", ["reason_code", "msg", "retry_after"], named_throttle)


def _let_ses_assume_roles() -> None:
    """SES assumes a rule's role as the service, with the rule as aws:SourceArn; MiniStack has no service that does.

    mailstep_local/ses_s3_action.py calls as root and names the rule as ExternalId: nobody else may pass for SES.
    """
    parameters = ["trust_doc", "caller_arn", "ctx"]
    evaluate = _known(iam_evaluator, "evaluate_trust_policy", parameters)

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

    _replace(iam_evaluator, "evaluate_trust_policy", parameters, evaluate_for_ses)


def _evaluate_the_timeout_of_a_callback() -> None:
    """TimeoutSeconds may be a JSONata expression (Amazon States Language, "Task"); MiniStack takes numbers only."""
    arguments = _known(stepfunctions, "_apply_jsonata_arguments", ["state_def", "raw_input", "ctx"])
    call_back = _known(stepfunctions, "_invoke_with_callback", ["resource", "input_data", "token", "state_def"])
    attempt = threading.local()

    def arguments_and_timeout(state_def: dict[str, Any], raw_input: Any, ctx: Any = None) -> Any:
        if isinstance(state_def.get("TimeoutSeconds"), str):
            attempt.timeout = stepfunctions._jsonata_state_field(state_def, "TimeoutSeconds", "number", raw_input, ctx)
        return arguments(state_def, raw_input, ctx)

    def call_back_in_time(resource: str, input_data: Any, token: str, state_def: dict[str, Any]) -> Any:
        if isinstance(state_def.get("TimeoutSeconds"), str):
            state_def = {**state_def, "TimeoutSeconds": attempt.timeout}
        return call_back(resource, input_data, token, state_def)

    _replace(stepfunctions, "_apply_jsonata_arguments", ["state_def", "raw_input", "ctx"], arguments_and_timeout)
    _replace(
        stepfunctions, "_invoke_with_callback", ["resource", "input_data", "token", "state_def"], call_back_in_time
    )


def _enforce_the_role_of_a_state_machine() -> None:
    """A task needs its workflow's role to allow it; MiniStack calls as root (mailstep_local/workflow_role.py)."""
    arguments = _known(stepfunctions, "_apply_jsonata_arguments", ["state_def", "raw_input", "ctx"])

    def allowed_arguments(state_def: dict[str, Any], raw_input: Any, ctx: Any = None) -> Any:
        found = arguments(state_def, raw_input, ctx)
        machine = stepfunctions._state_machines.get((ctx or {}).get("StateMachine", {}).get("Id", ""))
        if state_def.get("Type") == "Task" and machine:
            lacking = workflow_role.missing(machine["roleArn"], state_def["Resource"], found)
            if lacking:
                raise stepfunctions._ExecutionError(
                    "States.Permissions", f"{machine['roleArn']} is not authorized to perform: {lacking}"
                )
        return found

    _replace(stepfunctions, "_apply_jsonata_arguments", ["state_def", "raw_input", "ctx"], allowed_arguments)


def _authorise_an_alias_as_its_workflow() -> None:
    """Step Functions asks for permission on the workflow's own ARN, also where a call names an alias of it.

    (AWS Step Functions Developer Guide, "Authorization for versions and aliases".) MiniStack asks for the alias's ARN.
    """
    parameters = ["service", "method", "path", "headers", "body", "query_params", "region", "account_id"]
    extract = _known(iam_actions, "extract_resource_arn", parameters)

    def extract_unqualified(service: str, *others: Any) -> str:
        arn: str = extract(service, *others)
        unqualified = re.match(r"arn:[^:]+:states:[^:]+:[^:]+:stateMachine:[^:]+", arn)
        return unqualified[0] if unqualified else arn

    _replace(iam_actions, "extract_resource_arn", parameters, extract_unqualified)


def _wait_between_retries_as_declared() -> None:
    """MiniStack ignores MaxDelaySeconds and JitterStrategy (Amazon States Language, "Errors", Retry)."""
    parameters = ["retriers", "error", "retry_counts"]
    find = _known(stepfunctions, "_find_matching_retrier", parameters)

    def find_with_delay(retriers: list[dict[str, Any]], error: str, retry_counts: dict[int, int]) -> tuple[Any, int]:
        retrier, index = find(retriers, error, retry_counts)
        if retrier is None:
            return None, index
        delay = retrier.get("IntervalSeconds", 1) * retrier.get("BackoffRate", 2.0) ** retry_counts.get(index, 0)
        delay = min(delay, retrier.get("MaxDelaySeconds", delay))
        if retrier.get("JitterStrategy") == "FULL":
            delay *= random.random()  # noqa: S311 - it spreads tries; nothing is to be kept from anybody
        return {**retrier, "IntervalSeconds": delay, "BackoffRate": 1.0}, index

    _replace(stepfunctions, "_find_matching_retrier", parameters, find_with_delay)
