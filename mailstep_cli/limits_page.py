"""Generates docs/limits.md from the modules that hold the limits, and the reason that each gives."""

import ast
import inspect
from itertools import pairwise
from types import ModuleType

from mailstep import limits
from mailstep.mime import options

_HEAD = """# Limits

`make reference` generates this page from `functions/mailstep/limits.py` and `functions/mailstep/mime/options.py`.
No limit loses a message: SES stores the raw message under `inbound/` first, and it stays there. `message.json` leaves
out the content beyond a limit of reading, with a defect if it matters. The limits of a route are its settings
([policy.md](policy.md)).

## What Mailstep does not do

- It receives by SES only, and only mail to your own domain. SES receives in some Regions only
  ([deploy.md](deploy.md)). SES accepts a message before Mailstep sees it, so Mailstep cannot refuse during SMTP.
- It replies to the sender of a message that SES authenticated. It sends no newsletters and no mail to third parties.
- It takes one message at a time. It does not join messages that a mail program split (`message/partial`).
- It does not decrypt S/MIME or PGP, and does not verify their signatures.
- It scans for viruses and spam as far as SES does.
- An execution can wait for an application or its queue for three days. Later answers have no such limit.
- It runs on Linux, and in an AWS account.

## Limits of AWS

| what | limit | what happens beyond it |
| --- | --- | --- |
| a received message | 40 MB, as SES counts it | SES rejects it, and the sender's server says so |
| a reply | 40 MB encoded, 50 recipients | the reply leaves out the answer's files, and says so |
| a request to an application | 6 MB, the event of a Lambda function | Mailstep cuts its longest texts and lists |
| an execution | 25,000 events, 256 KiB of state | the workflow passes references only, and waits longer each time |
| redrive of an execution | 14 days after it failed | `mailstep replay` processes the message anew |
| a queue's item | 14 days | the dead-letter queue keeps it; the message stays in S3 |
| messages at once | your Lambda concurrency, and SES's sending rate | messages wait in the queue, or a task retries |
"""


def limits_page() -> str:
    """The text of docs/limits.md."""
    return "\n".join(
        [
            _HEAD,
            *_section("The service's limits on a message", limits, inspect.getsource(limits)),
            "",
            *_section("Limits of reading a message", options.DEFAULTS, inspect.getsource(options.Options)),
            "",
        ]
    )


def _section(title: str, holder: ModuleType | options.Options, source: str) -> list[str]:
    """A table of the values that `source` assigns, each with the docstring below it (PEP 257)."""
    body = ast.parse(source).body
    if isinstance(body[0], ast.ClassDef):
        body = body[0].body
    rows = [f"## {title}", "", "| name | value | what it limits, and why |", "| --- | --- | --- |"]
    for assigned, said in pairwise(body):
        match assigned, said:
            case (
                ast.Assign(targets=[ast.Name(name)]) | ast.AnnAssign(target=ast.Name(name)),
                ast.Expr(ast.Constant(str(reason))),
            ):
                rows.append(f"| `{name}` | {_value(getattr(holder, name))} | {' '.join(reason.split())} |")
    return rows


def _value(value: object) -> str:
    return f"{value:,}" if isinstance(value, int) else str(value)
