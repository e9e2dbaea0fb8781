"""Who may call the local account: signed requests to its own names only, from no web page (mailstep_local/gate.py)."""

import os
import re
import secrets
import socket
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from botocore.auth import S3SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from ministack import app

from mailstep_local import gate
from mailstep_local.account import Account
from mailstep_local.ministack_names import Names
from mailstep_local.signatures import Request

# What CloudFormation waits for a custom resource at most.
_LINK_SECONDS = 3600

MINISTACK = Names(
    {
        "app:_MINISTACK_HOST": None,
        "app:_extract_s3_vhost_bucket": "host",
        "app:app": "scope, receive, send",
        "core.lambda_runtime:ProvidedWorker._build_handler_class": "self, generation, pending",
        "core.lambda_runtime:execution_credentials": "config",
        "services.cloudformation.custom_resource:_response_url": "token",
        "services.lambda_svc:_layer_content_url": "layer_name, version",
        "services.lambda_svc:_presigned_code_url": "func_name",
        "services.lambda_svc:execution_credentials": "config",
    }
)


def apply(allowed_hosts: Iterable[str], *, rules: bool) -> None:
    """Close the account to all but its own clients.

    Args:
        allowed_hosts: The names it has beside those of loopback.
        rules: Whether requests must keep AWS's own rules (mailstep_local/rules/).
    """
    _close_the_gate([*gate.OWN_HOSTS, *allowed_hosts], rules=rules)
    _serve_buckets_below_localhost()
    _keep_others_from_the_runtime_api()
    _make_the_credentials_of_roles_unguessable()
    _sign_our_own_links()


def _close_the_gate(hosts: list[str], *, rules: bool) -> None:
    """MiniStack takes an unsigned request, or one signed with the key `test`, for root's, and lets web pages read."""
    root = Account.of_this_process().access_key_id
    MINISTACK.replace("app:app", gate.guarded(MINISTACK.original("app:app"), root, hosts, rules=rules))


def _serve_buckets_below_localhost() -> None:
    """`bucket.localhost` is a bucket's virtual host as `bucket.127.0.0.1` is; MiniStack knows one name only."""
    extract = MINISTACK.original("app:_extract_s3_vhost_bucket")

    def extract_below_own_names(host: str) -> str | None:
        name, _, _ = host.lower().partition(":")
        found: str | None = extract(re.sub(r"\.localhost$", f".{app._MINISTACK_HOST}", name))
        return found

    MINISTACK.replace("app:_extract_s3_vhost_bucket", extract_below_own_names)


def owner(client: tuple[str, int], server: tuple[str, int]) -> int | None:
    """The user id of the local process at the client's end of a TCP connection over IPv4; None if it is not found."""
    ends = [f"{_as_in_proc(address)}:{port:04X}" for address, port in (client, server)]
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        # sl, local_address, rem_address, st, queues, timer, retransmits, uid (proc(5))
        fields = line.split()
        if fields[1:3] == ends:
            return int(fields[7])
    return None


def _as_in_proc(address: str) -> str:
    """An IPv4 address as /proc/net/tcp has it: four octets in the machine's order, in hexadecimal."""
    return f"{int.from_bytes(socket.inet_aton(address), sys.byteorder):08X}"


def _keep_others_from_the_runtime_api() -> None:
    """Each environment's Lambda Runtime API listens on loopback, unsigned as on AWS, where only the runtime reaches it.

    A web page, or another user of this machine, could take an event away from its function, or end the environment.
    """
    build = MINISTACK.original("core.lambda_runtime:ProvidedWorker._build_handler_class")

    def build_with_gate(self: Any, generation: int, pending: Any) -> type:
        inner: Any = build(self, generation, pending)

        class RuntimeApi(inner):  # type: ignore[misc]
            def setup(self) -> None:
                super().setup()
                self.is_ours = owner(self.client_address, self.server.server_address) == os.getuid()

            def parse_request(self) -> bool:
                if not super().parse_request():
                    return False
                if not self.is_ours:
                    self.send_error(403, "Another user may not use this account")
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

    MINISTACK.replace("core.lambda_runtime:ProvidedWorker._build_handler_class", build_with_gate)


def _make_the_credentials_of_roles_unguessable() -> None:
    """MiniStack makes the credentials of a function's role from a digest of ARNs, which everybody knows."""
    make = MINISTACK.original("core.lambda_runtime:execution_credentials")
    salt = secrets.token_hex(32)

    def make_with_salt(config: dict[str, Any]) -> dict[str, str]:
        made: dict[str, str] = make({**config, "FunctionArn": f"{config['FunctionArn']}:{salt}"})
        return made

    for name in ("core.lambda_runtime:execution_credentials", "services.lambda_svc:execution_credentials"):
        MINISTACK.replace(name, make_with_salt)


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

    for name, method in (
        ("services.cloudformation.custom_resource:_response_url", "PUT"),
        ("services.lambda_svc:_presigned_code_url", "GET"),
        ("services.lambda_svc:_layer_content_url", "GET"),
    ):
        MINISTACK.replace(name, signed(method, MINISTACK.original(name)))
