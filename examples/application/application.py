"""An application with a mailbox: it gets orders by email from Mailstep, and answers with the result."""

import asyncio
import csv
import hashlib
import hmac
import io
import json
import os
import time
from typing import Annotated, Any

import boto3
import httpx
from fastapi import FastAPI, Header, HTTPException, Request, Response
from fastapi.responses import JSONResponse

OLD_SECONDS = 300
"""Older signatures are rejected, so that a recorded request cannot be sent again later."""

app = FastAPI(title="Orders by email")
# The answer for each Idempotency-Key. Your application would store it in its database, together with the order.
_answered: dict[str, dict[str, Any]] = {}
_orders: list[dict[str, Any]] = []
_lock = asyncio.Lock()


@app.get("/health")
def health() -> dict[str, int]:
    """Health, and the number of orders."""
    return {"orders": len(_orders)}


@app.post("/mail")
async def take_mail(
    request: Request,
    mailstep_signature: Annotated[str, Header()],
    idempotency_key: Annotated[str, Header()],
) -> Response:
    """Process one email from Mailstep (docs/applications.md); return the answer for its sender."""
    body = await request.body()
    if not is_signed(mailstep_signature, body, secrets(), now=time.time()):
        raise HTTPException(401, "the signature is not one of our secrets'")
    if os.environ.get("MAINTENANCE"):
        return Response(status_code=503, headers={"Retry-After": "120"})
    # One at a time, so that a repeated request finds the answer.
    async with _lock:
        if idempotency_key in _answered:
            return JSONResponse(_answered[idempotency_key])
        return await answer(idempotency_key, json.loads(body))


async def answer(idempotency_key: str, email: dict[str, Any]) -> Response:
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
    _answered[idempotency_key] = answer
    return JSONResponse(answer)


def is_signed(signature: str, body: bytes, known: list[str], *, now: float) -> bool:
    """Whether `Mailstep-Signature`, `t=<seconds>,v1=<hex>[,v1=<hex>]`, was made with a valid secret."""
    parts = [part.partition("=") for part in signature.split(",")]
    timestamp = next((value for name, _, value in parts if name == "t"), "")
    if not timestamp.isdecimal() or abs(now - int(timestamp)) > OLD_SECONDS:
        return False
    ours = [hmac.new(one.encode(), timestamp.encode() + b"." + body, hashlib.sha256).hexdigest() for one in known]
    theirs = [value for name, _, value in parts if name == "v1"]
    return any(hmac.compare_digest(one.encode(), other.encode()) for one in ours for other in theirs)


def secrets() -> list[str]:
    """The valid secrets, two during a rotation: from MAILSTEP_SECRETS, or else from Secrets Manager."""
    if named := os.environ.get("MAILSTEP_SECRETS"):
        return named.split(",")
    manager, found = boto3.client("secretsmanager"), []
    for stage in ("AWSCURRENT", "AWSPREVIOUS"):
        try:
            found.append(
                manager.get_secret_value(SecretId=os.environ["SECRET_ARN"], VersionStage=stage)["SecretString"]
            )
        except manager.exceptions.ResourceNotFoundException:
            continue
    return found
