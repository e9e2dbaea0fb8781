"""Finds a built-in processor by its name."""

from collections.abc import Callable
from importlib import import_module
from typing import cast

from mailstep.contracts import Answer, Message
from mailstep.errors import ConfigurationError
from mailstep.process.each_attachment import OpenAttachment

_PACKAGE = "mailstep.process.processors"
Processor = Callable[[Message, OpenAttachment], Answer]
"""Answers a message. It opens an attachment by the attachment's entry in the message."""


def built_in(name: str) -> Processor:
    """The built-in processor called `name`: an installation's own comes first.

    Raises:
        ConfigurationError: it does not exist, cannot be imported, or has no function `process`.
    """
    try:
        module = import_module(f"{_PACKAGE}.{name}")
    # Any failure at import is the processor's own fault. The error names what is missing.
    except (Exception, SystemExit) as error:
        raise ConfigurationError(f"the processor {name} cannot be imported: {type(error).__name__}: {error}") from error
    processor = getattr(module, "process", None)
    if not callable(processor):
        raise ConfigurationError(f"the processor {name} has no function `process`: add it")
    return cast("Processor", processor)
