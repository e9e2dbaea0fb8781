"""What a processor imports, and how one is found by its name.

A built-in processor is one module here or in functions/custom/processors/, with one function
`process(message, open_attachment) -> Answer`. It imports everything that it needs of Mailstep from here.
"""

from collections.abc import Callable
from importlib import import_module
from typing import cast

from mailstep import custom
from mailstep.contracts import Answer, AnswerAttachment, Attachment, Message
from mailstep.errors import ConfigurationError
from mailstep.process.each_attachment import OpenAttachment, UnreadableAttachment, Worked, work_on_each

__all__ = [
    "Answer",
    "AnswerAttachment",
    "Attachment",
    "Message",
    "OpenAttachment",
    "Processor",
    "UnreadableAttachment",
    "Worked",
    "built_in",
    "work_on_each",
]

# An installation's own processors come first.
__path__ = custom.PROCESSORS
Processor = Callable[[Message, OpenAttachment], Answer]
"""Answers a message. It opens an attachment by the attachment's entry in the message."""


def built_in(name: str) -> Processor:
    """The built-in processor called `name`.

    Raises:
        ConfigurationError: it does not exist, cannot be imported, or has no function `process`.
    """
    try:
        module = import_module(f"{__name__}.{name}")
    # Any failure at import is the processor's own fault. The error names what is missing.
    except (Exception, SystemExit) as error:
        raise ConfigurationError(f"the processor {name} cannot be imported: {type(error).__name__}: {error}") from error
    processor = getattr(module, "process", None)
    if not callable(processor):
        raise ConfigurationError(f"the processor {name} has no function `process`: add it")
    return cast("Processor", processor)
