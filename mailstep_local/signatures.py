"""Checks the Signature Version 4 of a request as AWS does, by computing it with botocore's own signer.

(AWS Identity and Access Management User Guide, "AWS Signature Version 4 for API requests"; Amazon S3 API Reference,
"Authenticating Requests".) MiniStack knows the keys: root's, those of users, and those of sessions with their tokens.
"""

import hmac
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any
from urllib.parse import parse_qs, parse_qsl

from botocore.auth import S3SigV4Auth, S3SigV4QueryAuth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from ministack import app
from ministack.core import iam_evaluator, sigv4
from ministack.core.responses import _account_from_sts_session, get_account_id
from ministack.core.router import detect_service

from mailstep_local.ministack_names import Names

_HEADER_ALGORITHM = "AWS4-HMAC-SHA256"
_STREAMED = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"
MINISTACK = Names(
    {
        "app:_extract_s3_vhost_bucket": "host",
        "core.iam_evaluator:AmbiguousAccessKeyError": None,
        "core.iam_evaluator:AuthError": None,
        "core.iam_evaluator:CredentialResolutionError": None,
        "core.iam_evaluator:SignedRequest": None,
        "core.iam_evaluator:_sigv2_check": "request, account_id",
        "core.iam_evaluator:find_iam_access_key_account": "access_key_id",
        "core.iam_evaluator:is_root_access_key": "access_key_id",
        "core.iam_evaluator:resolve_credential": "access_key_id, account_id, session_token",
        "core.responses:_account_from_sts_session": "access_key_id",
        "core.responses:get_account_id": "",
        "core.router:detect_service": "method, path, headers, query_params",
        "core.sigv4:HeaderSignature": None,
        "core.sigv4:SIGNATURE_MISMATCH": None,
        "core.sigv4:UNSIGNED_PAYLOAD": None,
        "core.sigv4:_chunk_signatures_match": "body, seed, signature, key",
        "core.sigv4:derive_signing_key": "secret, date_stamp, region, service",
        "core.sigv4:parse_header_signature": "headers",
        "core.sigv4:parse_query_signature": "query_params",
        "core.sigv4:request_time_failure": "signature, now",
    }
)

_NOT_HASHED = {sigv4.UNSIGNED_PAYLOAD, "STREAMING-UNSIGNED-PAYLOAD-TRAILER"}
_CREDENTIALS_IN_A_LINK = {"x-amz-algorithm", "x-amz-credential", "x-amz-signature", "awsaccesskeyid"}
_CLOCK_SKEW = timedelta(minutes=15)
_LONGEST_LINK = 7 * 24 * 3600
"""Longest validity of a presigned link, in seconds (Amazon S3 API Reference, `X-Amz-Expires`)."""


class NotAuthenticated(Exception):
    """A request that AWS would refuse before checking any policy; `code` is AWS's error code."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True)
class Request:
    """A request as received: `path` and `query` still percent-encoded, names of header fields in lower case."""

    method: str
    path: str
    query: str
    headers: list[tuple[str, str]]

    def field(self, name: str) -> str | None:
        """A header field's value; several of one name are joined by commas (RFC 9110, 5.2)."""
        values = [value for key, value in self.headers if key == name]
        return ",".join(values) if values else None

    def fields(self) -> dict[str, str]:
        """All header fields by name, several of one name joined likewise."""
        return {name: self.field(name) or "" for name, _ in self.headers}


@dataclass(frozen=True)
class Claim:
    """The identity that a request claims, with its secret; `verify` checks the claim."""

    request: Request
    signature: sigv4.HeaderSignature
    secret: str
    presigned: bool

    def verify(self, body: bytes) -> None:
        """Check the signature over the request and its body.

        Raises:
            NotAuthenticated: the signature or the body's hash is not right.
        """
        expected = self._expected(body)
        if not hmac.compare_digest(expected.encode(), self.signature.signature.encode()):
            raise NotAuthenticated("SignatureDoesNotMatch", sigv4.SIGNATURE_MISMATCH)
        declared = self.request.field("x-amz-content-sha256")
        if declared and not self._is_true(declared, body, expected):
            raise NotAuthenticated(
                "XAmzContentSHA256Mismatch", "The provided 'x-amz-content-sha256' does not match what was computed."
            )

    def _expected(self, body: bytes) -> str:
        query = [pair for pair in _pairs(self.request.query) if not self.presigned or pair[0] != "X-Amz-Signature"]
        signer = self._signer()
        signed = set(self.signature.signed_headers.split(";"))
        request = AWSRequest(
            method=self.request.method,
            url=f"http://{self.request.field('host')}{self.request.path}",
            data=body,
            # Pairs, because a name may occur twice.
            params=query,  # type: ignore[arg-type]
        )
        for name, value in self.request.headers:
            if name in signed:
                request.headers[name] = value
        request.context["timestamp"] = self.signature.amz_date
        return str(signer.signature(signer.string_to_sign(request, signer.canonical_request(request)), request))

    def _signer(self) -> Any:
        signer = SigV4Auth
        if self.signature.service == "s3":
            signer = S3SigV4QueryAuth if self.presigned else S3SigV4Auth
        credentials = Credentials(self.signature.access_key_id, self.secret)
        return signer(credentials, self.signature.service, self.signature.region)

    def _is_true(self, declared: str, body: bytes, seed: str) -> bool:
        """Whether the body matches `x-amz-content-sha256`; the signature covers only that field."""
        if self.signature.service == "s3" and declared in _NOT_HASHED:
            return True
        if self.signature.service == "s3" and declared.startswith(_STREAMED):
            scope = (self.signature.date_stamp, self.signature.region, self.signature.service)
            key = sigv4.derive_signing_key(self.secret, *scope)
            return bool(sigv4._chunk_signatures_match(body, seed, self.signature, key))
        return hmac.compare_digest(declared.encode(), sha256(body).hexdigest().encode())


def check_service(signed_for: str, service: str) -> None:
    """Require that a signature is for the service that its request goes to.

    A presigned link does not cover the body: a form in it could name an operation of another service.

    Args:
        signed_for: The service in the scope of the credential.
        service: The service that the request is routed to, by its name in a scope.

    Raises:
        NotAuthenticated: They are not the same.
    """
    if signed_for != service:
        raise NotAuthenticated("SignatureDoesNotMatch", f"Credential should be scoped to correct service: {service!r}.")


def claim(request: Request, root: str) -> Claim | None:
    """Read the identity that a request claims, without checking it; `root` is the id of root's access key.

    Returns None for a valid link to S3 by Signature Version 2, which does not cover a body.

    Raises:
        NotAuthenticated: it is not signed, or in a way that AWS does not accept, or its key or time is invalid.
    """
    authorization = request.field("authorization")
    query = _pairs(request.query)
    if authorization is None and "AWSAccessKeyId" in dict(query):
        _check_version_2(request, root)
        return None
    presigned = any(name.lower() in _CREDENTIALS_IN_A_LINK for name, _ in query)
    if authorization is None and not presigned:
        raise NotAuthenticated("MissingAuthenticationToken", "Request is missing Authentication Token")
    signature = _in_link(request, query) if authorization is None else _in_header(request, authorization)
    if presigned and authorization is not None:
        raise NotAuthenticated("UnsupportedSignature", "Only one way to sign a request is taken at once.")
    if signature.date_stamp != signature.amz_date[:8]:
        raise NotAuthenticated("CredentialDateMismatch", "The date of the credential is not that of the request.")
    _check_that_all_is_signed(request, signature)
    token = dict(query).get("X-Amz-Security-Token") if presigned else request.field("x-amz-security-token")
    return Claim(request, signature, _secret(signature.access_key_id, token or "", root), presigned)


def _in_header(request: Request, authorization: str) -> sigv4.HeaderSignature:
    if not authorization.startswith(f"{_HEADER_ALGORITHM} "):
        raise NotAuthenticated("UnsupportedSignature", f"Please use {_HEADER_ALGORITHM}.")
    if authorization.count("Credential=") > 1:
        raise NotAuthenticated("IncompleteSignature", "Only one Credential is taken.")
    signature = _parsed(sigv4.parse_header_signature(request.fields()))
    _moment(signature.amz_date)
    if failure := sigv4.request_time_failure(signature):
        raise NotAuthenticated(*failure)
    return signature


def _in_link(request: Request, query: list[tuple[str, str]]) -> sigv4.HeaderSignature:
    names = [name for name, _ in query if name.lower().startswith("x-amz-")]
    if len({name.lower() for name in names}) < len(names):
        raise NotAuthenticated("IncompleteSignature", "Each parameter of a signature is taken once.")
    if dict(query).get("X-Amz-Algorithm") != _HEADER_ALGORITHM:
        raise NotAuthenticated("UnsupportedSignature", f"Please use {_HEADER_ALGORITHM}.")
    signature = _parsed(sigv4.parse_query_signature(parse_qs(request.query, keep_blank_values=True)))
    seconds = dict(query).get("X-Amz-Expires", "")
    if not (seconds.isascii() and seconds.isdigit() and 0 < int(seconds) <= _LONGEST_LINK):
        raise NotAuthenticated("IncompleteSignature", f"X-Amz-Expires must be between 1 and {_LONGEST_LINK} seconds.")
    since = datetime.now(UTC) - _moment(signature.amz_date)
    if not -_CLOCK_SKEW <= since <= timedelta(seconds=int(seconds)):
        raise NotAuthenticated("RequestExpired", "Request has expired")
    return signature


def _check_version_2(request: Request, root: str) -> None:
    """A link as boto3 makes it for S3 by default; MiniStack checks it with botocore's signer."""
    query = parse_qs(request.query, keep_blank_values=True)
    headers = request.fields()
    [key, *others] = query["AWSAccessKeyId"]
    if others or detect_service(request.method, request.path, headers, query) != "s3":
        raise NotAuthenticated("UnsupportedSignature", f"Please use {_HEADER_ALGORITHM}.")
    _secret(key, query.get("x-amz-security-token", [""])[0], root)
    bucket = app._extract_s3_vhost_bucket(headers.get("host", ""))
    path = f"/{bucket}{request.path}" if bucket else request.path
    signed = iam_evaluator.SignedRequest(key, request.method, request.path, query, headers, sigv2=True, auth_path=path)
    checked = iam_evaluator._sigv2_check(signed, get_account_id())
    if isinstance(checked, iam_evaluator.AuthError):
        raise NotAuthenticated(checked.code, checked.message)


def _parsed(found: sigv4.HeaderSignature | tuple[str, str]) -> sigv4.HeaderSignature:
    if isinstance(found, tuple):
        raise NotAuthenticated(*found)
    return found


def _moment(amz_date: str) -> datetime:
    try:
        return datetime.strptime(amz_date, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError:
        raise NotAuthenticated(
            "IncompleteSignature", "The date of the request is not in ISO 8601's basic form."
        ) from None


def _check_that_all_is_signed(request: Request, signature: sigv4.HeaderSignature) -> None:
    """Require that the host and every x-amz-* field are signed, because unsigned ones could change the call."""
    must = {"host"} | {name for name, _ in request.headers if name.startswith("x-amz-")}
    if unsigned := must - set(signature.signed_headers.split(";")):
        raise NotAuthenticated("SignatureDoesNotMatch", f"These header fields are not signed: {sorted(unsigned)}")


def _secret(access_key_id: str, token: str, root: str) -> str:
    """The secret of a key that is active and not expired, from MiniStack."""
    unknown = NotAuthenticated("InvalidClientTokenId", "The security token included in the request is invalid.")
    # MiniStack accepts other ids as root's too: `test`, and any account's.
    if iam_evaluator.is_root_access_key(access_key_id) and access_key_id != root:
        raise unknown
    try:
        owner = _account_from_sts_session(access_key_id) or iam_evaluator.find_iam_access_key_account(access_key_id)
    except iam_evaluator.AmbiguousAccessKeyError:
        raise unknown from None
    found = iam_evaluator.resolve_credential(access_key_id, owner or get_account_id(), token)
    if isinstance(found, iam_evaluator.CredentialResolutionError):
        # A session's key without its token counts as unknown.
        raise unknown if found.code == "InvalidToken" and not token else NotAuthenticated(found.code, found.message)
    return str(found.secret_access_key)


def _pairs(query: str) -> list[tuple[str, str]]:
    return parse_qsl(query, keep_blank_values=True)
