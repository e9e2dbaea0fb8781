"""Processes each attachment by itself: if one fails, the reply still has the results of the others."""

from collections.abc import Callable
from dataclasses import dataclass

from mailstep.contracts import Attachment, Message
from mailstep.errors import MailstepError
from mailstep.telemetry import logger

OpenAttachment = Callable[[Attachment], bytes]
"""The decoded content of an attachment of the message."""
_FAILED = "It could not be read. Please save it again, or in another format, and send it once more."
_TOO_MUCH = "It takes too much memory or time to process. Please send it in smaller parts."


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

    If `work` fails on an attachment, its `problem` says so. An unexpected error is logged by the name of its class:
    its text may contain what the sender wrote.

    Raises:
        MailstepError, ClientError: for what is not the attachment's fault: S3 is unavailable, or a setting is wrong.
    """
    return tuple(
        # Opened outside the try block: if S3 fails, the workflow retries the whole step.
        _worked(attachment, open_attachment(attachment), work) if only(attachment) else Worked(attachment)
        for attachment in message.attachments
    )


def _worked[Result](
    attachment: Attachment, content: bytes, work: Callable[[Attachment, bytes], Result]
) -> Worked[Result]:
    try:
        return Worked(attachment, work(attachment, content))
    except UnreadableAttachment as error:
        return Worked(attachment, problem=str(error))
    except MailstepError:
        raise
    except Exception as error:
        # A library may raise anything on hostile input.
        logger.error("An attachment could not be processed", extra={"error": type(error).__name__})
        return Worked(attachment, problem=_TOO_MUCH if isinstance(error, MemoryError | TimeoutError) else _FAILED)
