"""What a route's built-in processor answers to a message file, offline."""

import io
import logging
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path
from typing import Any, TextIO, cast

from jinja2 import TemplateSyntaxError

from mailstep import custom
from mailstep.authentication import is_authenticated
from mailstep.contracts import Answer
from mailstep.errors import ApplicationRefused, ConfigurationError, RefusedEmail, UnreadableEmail
from mailstep.notices import notice
from mailstep.outcomes import APPLICATION_REFUSED, Outcome, ReplyKind
from mailstep.telemetry import logger
from mailstep.testing import ReceivedEmail, receive
from mailstep_cli.errors import UserError
from mailstep_cli.message_files import read_file
from mailstep_cli.routing import route_with_processor
from mailstep_cli.terminal import visible


@dataclass(frozen=True)
class Processed:
    """How a message ends: `answer` is what is said to the sender, `reply` what the sender gets; None: nothing."""

    file: Path
    route: str
    outcome: Outcome
    reason: str | None
    answer: Answer | None
    reply: EmailMessage | None
    rules_not_applied: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """The object that `mailstep process --json` prints."""
        return {
            "file": str(self.file),
            "route": self.route,
            "outcome": self.outcome,
            "reason": self.reason,
            "answer": self.answer.model_dump(mode="json") if self.answer else None,
            "rules_not_applied": list(self.rules_not_applied),
        }


def process_file(path: Path, route: str) -> Processed:
    """Parse, validate and process a message file as mail to `route`, and compose the reply.

    What the processor prints or logs goes to stderr.

    Raises:
        UserError: the file is not an email, the route's mail is for an application, or a processor or template fails.
        ConfigurationError: the route or its processor is at fault.
    """
    settings = route_with_processor(route)
    try:
        email = receive(read_file(path), route, settings)
    except UnreadableEmail as error:
        raise UserError(f"{path}: not an email ({error})") from error
    outcome, reason, answer = _ending(email, settings.processor)
    reply = _reply(email, answer) if answer and is_authenticated(email.message) else None
    return Processed(path, route, outcome, reason, answer, reply, email.rules_not_applied)


def _ending(email: ReceivedEmail, processor: str) -> tuple[Outcome, str | None, Answer | None]:
    """The outcome with its reason, as the workflow names them, and what is said to the sender."""
    try:
        email.validate()
        answer = _answer(email, processor)
    except RefusedEmail as refused:
        if not refused.tell_sender:
            return Outcome.SILENT, refused.reason, None
        return Outcome.REFUSED, refused.reason, notice(ReplyKind.REFUSAL, email.message, refused.explanation)
    except ApplicationRefused as refused:
        return Outcome.REFUSED, APPLICATION_REFUSED, notice(ReplyKind.REFUSAL, email.message, refused.explanation)
    replied = answer and is_authenticated(email.message)
    return Outcome.REPLIED if replied else Outcome.PROCESSED, None, answer


def _answer(email: ReceivedEmail, processor: str) -> Answer | None:
    try:
        with _shown_on_stderr():
            return email.process()
    except (ConfigurationError, ApplicationRefused):
        raise
    # Whatever the processor does: its author reads what and where.
    except (Exception, SystemExit) as error:
        raise UserError(f"the processor {processor} failed{_place(error)}: {type(error).__name__}: {error}") from error


def _reply(email: ReceivedEmail, answer: Answer) -> EmailMessage:
    try:
        return email.reply(answer)
    except TemplateSyntaxError as error:
        raise UserError(f"the template {error.name}, line {error.lineno}: {error.message}") from error
    # An installation's own template may fail in any way: its author reads what and where.
    except Exception as error:
        raise UserError(f"the reply cannot be made{_place(error)}: {type(error).__name__}: {error}") from error


def _place(error: BaseException) -> str:
    """Where in a processor or template it was."""
    folders = (*map(Path, custom.PROCESSORS), *custom.TEMPLATES)
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        if any(Path(frame.filename).is_relative_to(folder) for folder in folders):
            return f" at {Path(frame.filename).name}, line {frame.lineno}"
    return ""


@contextmanager
def _shown_on_stderr() -> Iterator[None]:
    """Show what is printed and logged meanwhile as text that no terminal obeys: a processor may print what it reads."""
    written, log = io.StringIO(), cast("logging.StreamHandler[TextIO]", logger.registered_handler)
    log.setStream(written)
    try:
        with redirect_stdout(written), redirect_stderr(written):
            yield
    finally:
        log.setStream(sys.stderr)
        sys.stderr.write(visible(written.getvalue()))
