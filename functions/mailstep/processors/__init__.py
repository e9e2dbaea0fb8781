"""What a route does with a message: a built-in processor found by name, or the application behind its URL.

A built-in processor is one module here with one function `process(message, open_attachment) -> Digest`.
"""

from collections.abc import Callable
from importlib import import_module

from mailstep.contracts import Attachment, Digest, Message
from mailstep.errors import ConfigurationError

OpenAttachment = Callable[[Attachment], bytes]
Processor = Callable[[Message, OpenAttachment], Digest]


def built_in(name: str) -> Processor:
    """The built-in processor called `name`.

    Raises:
        ConfigurationError: there is none.
    """
    try:
        module = import_module(f"{__name__}.{name}")
    except ModuleNotFoundError as error:
        # A package that the processor itself lacks is named by its own error.
        if error.name != f"{__name__}.{name}":
            raise
        raise ConfigurationError(
            f"routes.toml names the processor {name!r}: there is no functions/mailstep/processors/{name}.py"
        ) from error
    processor: Processor = module.process
    return processor
