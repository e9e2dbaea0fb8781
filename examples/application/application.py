"""An application with a mailbox: it gets orders by email from Mailstep, and answers with the result."""

import asyncio
import csv
import io
import json
import os
import re
import time
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import boto3
import httpx
from fastapi import FastAPI, HTTPException, Request, Response
from fastapi.responses import JSONResponse
from standardwebhooks import Webhook, WebhookVerificationError

OLD_SECONDS = 300
"""A request is accepted this long, so that a recorded one cannot be sent again later (Standard Webhooks)."""
SECRET_SECONDS = 300
"""How long the secrets are kept in memory. Mailstep signs with the old and the new one while a secret rotates."""
_ID = re.compile(r"[A-Za-z0-9_-]{1,100}")
_TIMESTAMP = re.compile(r"[0-9]{1,12}")
_SIGNATURES = re.compile(r"v1,[A-Za-z0-9+/]{43}=( v1,[A-Za-z0-9+/]{43}=){0,3}")

app = FastAPI(title="Orders by email")
# The answer for each webhook-id. Your application would store it in its database, together with the order.
_answered: dict[str, dict[str, Any]] = {}
_orders: list[dict[str, Any]] = []
_lock = asyncio.Lock()


@app.get("/health")
def health() -> dict[str, int]:
    """Health, and the number of orders."""
    return {"orders": len(_orders)}


@app.post("/mail")
async def take_mail(request: Request) -> Response:
    """Process one email from Mailstep (docs/applications.md); return the answer for its sender."""
    body = await request.body()
    # Reading a secret may wait for AWS.
    if not await asyncio.to_thread(is_signed, request.headers, body, now=time.time()):
        raise HTTPException(401, "the signature is not one of our secrets'")
    if os.environ.get("MAINTENANCE"):
        return Response(status_code=503, headers={"Retry-After": "120"})
    key = request.headers["webhook-id"]
    # One at a time, so that a repeated request finds the answer.
    async with _lock:
        if key in _answered:
            return JSONResponse(_answered[key])
        return await answer(key, json.loads(body))


async def answer(key: str, email: dict[str, Any]) -> Response:
    """Take the order, and store the answer by its key."""
    message = email["message"]
    if message["subject"].lower().startswith("fyi"):
        return Response(status_code=204)
    tables = [one for one in message["attachments"] if one["filename"].lower().endswith(".csv")]
    if not tables:
        return JSONResponse({"reason": "Please attach your order as a CSV file."}, status_code=422)
    async with httpx.AsyncClient() as client:
        content = (await client.get(email["attachment_urls"][tables[0]["key"]])).raise_for_status().text
    lines = list(csv.DictReader(io.StringIO(content)))
    _orders.append({"from": message["from"][0]["address"], "lines": lines})
    answer = {"text": f"Thank you. Order {len(_orders)} has {len(lines)} lines; it ships tomorrow."}
    _answered[key] = answer
    return JSONResponse(answer)


def is_signed(headers: Mapping[str, str], body: bytes, *, now: float) -> bool:
    """Whether a request was signed with a valid secret in the last five minutes (Standard Webhooks).

    Anyone can send a request. So its fields are checked first, and a secret is read only for one that could be right.
    """
    shapes = {"webhook-id": _ID, "webhook-timestamp": _TIMESTAMP, "webhook-signature": _SIGNATURES}
    signed = {name: headers.get(name, "") for name in shapes}
    if not all(shape.fullmatch(signed[name]) for name, shape in shapes.items()):
        return False
    if abs(now - int(signed["webhook-timestamp"])) > OLD_SECONDS:
        return False
    return any(_is_made_with(secret, signed, body) for secret in secrets())


def _is_made_with(secret: str, signed: dict[str, str], body: bytes) -> bool:
    try:
        Webhook(secret).verify(body, signed, json_parse=False)
    # A body that is not UTF-8 is no request of Mailstep's.
    except (WebhookVerificationError, UnicodeDecodeError):
        return False
    return True


def secrets() -> tuple[str, ...]:
    """The valid secrets, two during a rotation: from MAILSTEP_SECRETS, or else from Secrets Manager."""
    if named := os.environ.get("MAILSTEP_SECRETS"):
        return tuple(named.split(","))
    return _secrets_of(os.environ["SECRET_ARN"], int(time.monotonic() // SECRET_SECONDS))


@lru_cache(maxsize=1)
def _secrets_of(arn: str, _period: int) -> tuple[str, ...]:
    """The secrets that Secrets Manager has, read once in each period."""
    manager, found = boto3.client("secretsmanager"), []
    for stage in ("AWSCURRENT", "AWSPREVIOUS"):
        try:
            found.append(manager.get_secret_value(SecretId=arn, VersionStage=stage)["SecretString"].strip())
        except manager.exceptions.ResourceNotFoundException:
            continue
    return tuple(found)
