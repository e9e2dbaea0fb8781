"""Finds a built-in processor by its name, and calls it."""

from collections.abc import Callable
from importlib import import_module
from typing import cast

from mailstep import route_settings
from mailstep.contracts import Answer, Message
from mailstep.errors import ConfigurationError
from mailstep.process.each_attachment import OpenAttachment

_PACKAGE = "mailstep.process.processors"
Processor = Callable[[Message, OpenAttachment], Answer | None]
"""Answers a message; None asks for no reply. It opens an attachment by the attachment's entry in the message."""


def built_in(name: str) -> Processor:
    """The built-in processor called `name`: an installation's own comes first.

    Raises:
        ConfigurationError: it does not exist, cannot be imported, or has no function `process`.
    """
    try:
        module = import_module(f"{_PACKAGE}.{name}")
    # Any failure at import is the processor's own fault. The error names what is missing.
    except (Exception, SystemExit) as error:
        _check_name(name)
        raise ConfigurationError(f"the processor {name} cannot be imported: {type(error).__name__}: {error}") from error
    processor = getattr(module, "process", None)
    if not callable(processor):
        raise ConfigurationError(f"the processor {name} has no function `process`: add it")
    return cast("Processor", processor)


def _check_name(name: str) -> None:
    try:
        route_settings.processor(name)
    except ValueError as error:
        raise ConfigurationError(str(error)) from error


def answered(processor: Processor, message: Message, open_attachment: OpenAttachment) -> Answer | None:
    """The answer of a processor, or None if it asks for no reply.

    Raises:
        ApplicationRefused: the processor refuses the message.
        TypeError: it returns something else.
        Exception: whatever else the processor raises.
    """
    answer = processor(message, open_attachment)
    if answer is not None and not isinstance(answer, Answer):
        raise TypeError(f"the processor answered with {type(answer).__name__}: return an Answer, or None for no reply")
    return answer
