"""Writes the page of one email as a file (`mailstep history --html`)."""

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from mailstep.index_entry import email_id_of
from mailstep_cli import showing
from mailstep_cli.history import Timeline
from mailstep_cli.home_stack import HomeStack
from mailstep_cli.web import frames, pages

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions import SFNClient


_WITHOUT_GRAPH = {"ExecutionDoesNotExist", "StateMachineDoesNotExist", "AccessDeniedException"}


def definition(sfn: "SFNClient", arn: str) -> dict[str, Any] | None:
    """The workflow as it was when the execution ran; None if AWS no longer has it, or the operator lacks the right."""
    try:
        text = sfn.describe_state_machine_for_execution(executionArn=arn)["definition"]
    except ClientError as error:
        if error.response["Error"]["Code"] in _WITHOUT_GRAPH:
            return None
        raise
    found: dict[str, Any] = json.loads(text)
    return found


def write_page(file: Path, home: HomeStack, sfn: "SFNClient", arn: str, line: Timeline) -> None:
    """Write an execution's page, with the message and answer of its email where the index knows it.

    The file has a stranger's mail in it, so only this user can read it.
    """
    name = arn.rpartition(":")[2]
    email_id = email_id_of(name)
    entry = home.index.get(email_id) if email_id and home.index_table else None
    shown = showing.gather(home, entry) if entry else None
    inner = {
        "message": frames.of_message(home.bucket, shown.message if shown else None),
        "answer": frames.of_answer(shown.answer if shown else None),
    }
    page = pages.html_file(name, pages.run(name, line, definition(sfn, arn)), shown, inner)
    with open(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as out:  # noqa: PTH123
        out.write(page)
