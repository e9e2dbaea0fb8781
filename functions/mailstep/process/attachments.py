"""Each attachment of a message worked on by itself: one that fails does not take the reply from the others."""

from collections.abc import Callable
from dataclasses import dataclass

from mailstep.contracts import Attachment, Message
from mailstep.errors import MailstepError
from mailstep.telemetry import logger

OpenAttachment = Callable[[Attachment], bytes]
"""The decoded content of an attachment of the message."""
_FAILED = "It could not be read here. Please save it again, or in another format, and send it once more."
_TOO_MUCH = "It takes more room or time than there is here. Please send it in smaller parts."


class UnreadableAttachment(ValueError):
    """An attachment cannot be worked on; the text is a sentence for the sender, which says what to do."""


@dataclass(frozen=True)
class Worked[Result]:
    """An attachment with its result, or with `problem`, a sentence for the sender; neither where nothing was to do."""

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
    """What `work` makes of each attachment that is one of `only`; the others stand in the answer too.

    What is wrong with one attachment ends in its `problem`. An unforeseen error is logged by the name of its class:
    its text may hold what the sender wrote.

    Raises:
        MailstepError, ClientError: what is not the attachment's: S3 asks to try again, or a setting is wrong.
    """
    return tuple(
        # Opened outside of what is caught: where S3 fails, the workflow tries the whole step again.
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
        # Whatever a library makes of hostile octets.
        logger.error("An attachment could not be worked on", extra={"error": type(error).__name__})
        return Worked(attachment, problem=_TOO_MUCH if isinstance(error, MemoryError | TimeoutError) else _FAILED)
