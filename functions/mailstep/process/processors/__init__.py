"""Built-in processors, found by name.

Each is one module here or in functions/custom/processors/, with one function
`process(message, open_attachment) -> Answer`.
"""

from collections.abc import Callable
from importlib import import_module
from typing import cast

from mailstep import custom
from mailstep.contracts import Answer, Attachment, Message
from mailstep.errors import ConfigurationError

# An installation's own processors come first.
__path__ = custom.PROCESSORS
OpenAttachment = Callable[[Attachment], bytes]
Processor = Callable[[Message, OpenAttachment], Answer]


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
