"""Processes each attachment by itself: if one fails, the reply still has the results of the others."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial

from mailstep import limits, settings
from mailstep.budget import Budget, OverBudget, octets_of
from mailstep.contracts import Attachment, Message
from mailstep.errors import MailstepError
from mailstep.telemetry import logger
from mailstep.texts.speaking import say

OpenAttachment = Callable[[Attachment], bytes]
"""The decoded content of an attachment of the message."""


class UnreadableAttachment(ValueError):
    """An attachment cannot be processed; the text tells the sender what to do."""


@dataclass(frozen=True)
class Worked[Result]:
    """An attachment with its result, or with `problem`, a sentence for the sender. A skipped one has neither."""

    attachment: Attachment
    result: Result | None = None
    problem: str | None = None


def work_on_each[Result](
    message: Message,
    open_attachment: OpenAttachment,
    work: Callable[[Attachment, bytes], Result],
    *,
    only: Callable[[Attachment], bool] = lambda _attachment: True,
) -> tuple[Worked[Result], ...]:
    """Call `work` on each attachment that `only` selects; the result has the other attachments too.

    If `work` fails on an attachment, its `problem` says so. So it does if `work` takes too much memory, or more than
    half of the time that is left: together, the attachments have limits.ATTACHMENTS_SECONDS. An unexpected error is
    logged by the name of its class: its text may contain what the sender wrote.

    Raises:
        MailstepError, ClientError: for what is not the attachment's fault: S3 is unavailable, or a setting is wrong.
    """
    memory = settings.Memory.read().memory_mb
    done: list[Worked[Result]] = []
    # Slow attachments may use up all the time, so that the budget ends between two attachments.
    with suppress(OverBudget), Budget(limits.ATTACHMENTS_SECONDS, octets_of(memory) if memory else None) as budget:

        def worked(attachment: Attachment) -> Worked[Result]:
            if not only(attachment):
                return Worked(attachment)
            # Opened outside the try block: if S3 fails, the workflow retries the whole step.
            with budget.paused():
                content = open_attachment(attachment)
            return _worked(attachment, partial(budget.bounded, partial(work, attachment, content)))

        for attachment in message.attachments:
            done.append(worked(attachment))
    rest = message.attachments[len(done) :]
    return (
        *done,
        *(Worked(attachment, problem=say("attachment.too_much") if only(attachment) else None) for attachment in rest),
    )


def _worked[Result](attachment: Attachment, work: Callable[[], Result]) -> Worked[Result]:
    try:
        return Worked(attachment, work())
    except UnreadableAttachment as error:
        return Worked(attachment, problem=str(error))
    except MailstepError:
        raise
    except OverBudget as error:
        logger.error("An attachment takes too much", extra={"scarce": error.scarce})
        return Worked(attachment, problem=say("attachment.too_much"))
    except Exception as error:
        # A library may raise anything on hostile input.
        logger.error("An attachment could not be processed", extra={"error": type(error).__name__})
        return Worked(
            attachment, problem=say("attachment.too_much" if isinstance(error, TimeoutError) else "attachment.failed")
        )
