"""What a route's built-in processor answers to a message file, offline."""

import io
import logging
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from email.message import EmailMessage
from functools import partial
from pathlib import Path
from typing import Any, TextIO, cast

from jinja2 import TemplateSyntaxError

from mailstep import custom
from mailstep.contracts import Answer
from mailstep.errors import ApplicationRefused, ConfigurationError, RefusedEmail, UnreadableEmail
from mailstep.notices import notice
from mailstep.outcomes import APPLICATION_REFUSED, Outcome, ReplyKind
from mailstep.telemetry import logger
from mailstep.testing import ReceivedEmail, receive
from mailstep.texts.speaking import speaking
from mailstep.validate import policy
from mailstep_cli.errors import UserError
from mailstep_cli.message_files import read_file
from mailstep_cli.routing import route_with_processor
from mailstep_cli.terminal import visible


@dataclass(frozen=True)
class Processed:
    """How a message ends: `answer` is the processor's answer or a notice, `reply` what the sender gets; None: nothing.

    `reason` is the code of the rule that refuses the message, `withheld` that of the rule that withholds the reply.
    """

    file: Path
    route: str
    processor: str
    until_set: str | None
    """The url of the route, if its variable is not set: the processor answers until then."""
    outcome: Outcome
    reason: str | None
    withheld: str | None
    answer: Answer | None
    reply: EmailMessage | None
    rules_not_applied: tuple[str, ...]
    automatic_by: tuple[str, ...]
    """The signs of automatic mail in the message, by the names of their fields, if the policy judges by them."""

    def as_json(self) -> dict[str, Any]:
        """The object that `mailstep process --json` prints."""
        return {
            "file": str(self.file),
            "route": self.route,
            "processor": self.processor,
            "until_set": self.until_set,
            "outcome": self.outcome,
            "reason": self.reason,
            "withheld": self.withheld,
            "answer": self.answer.model_dump(mode="json") if self.answer else None,
            "rules_not_applied": list(self.rules_not_applied),
            "automatic_by": list(self.automatic_by),
        }


def process_file(path: Path, route: str) -> Processed:
    """Parse, validate and process a message file as mail to `route`, and compose the reply.

    What the processor prints or logs goes to stderr.

    Raises:
        UserError: the file is not an email, the route's mail is for an application, or a processor or template fails.
        ConfigurationError: the route or its processor is at fault.
    """
    settings, until_set = route_with_processor(route)
    processed = partial(Processed, path, route, settings.processor, until_set)
    try:
        email = receive(read_file(path), route, settings)
    except UnreadableEmail as error:
        raise UserError(f"{path}: not an email ({error})") from error
    try:
        withheld = email.validate()
    except RefusedEmail as refused:
        return _refused(processed, email, refused)
    reason, answer, replied = None, None, Outcome.REPLIED
    try:
        answer = _answer(email, settings.processor)
    except ApplicationRefused as refused:
        reason, replied = APPLICATION_REFUSED, Outcome.REFUSED
        answer = _notice(email, refused.explanation)
    reply = _reply(email, answer) if answer and not withheld else None
    silence = Outcome.SILENT if reason else Outcome.PROCESSED
    outcome = replied if reply else silence
    signs = _signs(email, withheld)
    return processed(outcome, reason, withheld, answer, reply, email.rules_not_applied, signs)


def _refused(processed: Callable[..., Processed], email: ReceivedEmail, refused: RefusedEmail) -> Processed:
    outcome, told = Outcome.SILENT, None
    if refused.tell_sender:
        outcome, told = Outcome.REFUSED, _notice(email, refused.explanation)
    reply = _reply(email, told) if told else None
    signs = _signs(email, refused.reason)
    return processed(outcome, refused.reason, refused.withheld, told, reply, email.rules_not_applied, signs)


def _notice(email: ReceivedEmail, explanation: str) -> Answer:
    with speaking(email.language):
        return notice(ReplyKind.REFUSAL, email.message, explanation)


def _signs(email: ReceivedEmail, code: str | None) -> tuple[str, ...]:
    return email.automatic_by() if code == policy.AUTOMATIC_MAIL else ()


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
