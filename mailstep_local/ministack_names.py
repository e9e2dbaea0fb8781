"""The names of MiniStack that we use. It promises none: each is declared beside its use, and checked at start."""

import inspect
import pkgutil
from collections.abc import Callable, Mapping
from typing import Any

Response = tuple[int, dict[str, str], bytes]
"""What a service of MiniStack answers: status, header fields and body."""


class IncompatibleMiniStack(RuntimeError):  # a defect of ours, not of the user's
    """MiniStack does not have a name that we use, or the function of that name takes other parameters."""


class Names:
    """What one module of ours uses of MiniStack.

    Args:
        declared: By name, as `<module below ministack>:<attribute>`: the parameters of a function, as "a, b"; None for
            anything else.
    """

    def __init__(self, declared: Mapping[str, str | None]) -> None:
        self.declared = declared

    def check(self) -> None:
        """See that MiniStack has every declared name as it is declared.

        Raises:
            IncompatibleMiniStack: With the first name that is gone or takes other parameters.
        """
        for name, parameters in self.declared.items():
            try:
                found = _resolve(name)
            except (ImportError, AttributeError) as error:
                raise IncompatibleMiniStack(f"MiniStack has no {name}. {_ADVICE}") from error
            if parameters is not None and ", ".join(inspect.signature(found).parameters) != parameters:
                raise IncompatibleMiniStack(f"MiniStack's {name} does not take ({parameters}). {_ADVICE}")

    def original(self, name: str) -> Callable[..., Any]:
        """The function that a patch builds on.

        Raises:
            KeyError: The name is not declared.
        """
        _ = self.declared[name]
        found: Callable[..., Any] = _resolve(name)
        return found

    def replace(self, name: str, new: Callable[..., Any]) -> None:
        """Put `new` in place of a function of MiniStack.

        Raises:
            KeyError: The name is not declared.
        """
        _ = self.declared[name]
        module, _, attribute = name.partition(":")
        parent, _, last = attribute.rpartition(".")
        setattr(_resolve(f"{module}:{parent}"), last, new)


_ADVICE = "Install the version that pyproject.toml pins, or change the module that declares this name."


def _resolve(name: str) -> Any:
    return pkgutil.resolve_name(f"ministack.{name}")
