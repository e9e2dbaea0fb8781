"""The text of a routes.toml: its tables, and its variables filled in."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from mailstep.errors import ConfigurationError
from mailstep.toml_text import TomlText

_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")


@dataclass(frozen=True)
class RoutesToml(TomlText):
    """The text of a routes.toml. Errors call it `file`."""

    file: str = "routes.toml"

    def tables(self) -> dict[str, object]:
        """The table of each route, by its name.

        Raises:
            ConfigurationError: it is not TOML, or has no route.
        """
        named = self.document().get("routes", {})
        if not isinstance(named, dict) or not named:
            raise ConfigurationError(f"{self.file} has no route: add one, as [routes.orders]")
        return named

    def fault(self, route: str, setting: str, what: str) -> str:
        """The error message for a setting of a route."""
        return f"{self.place_of(route, setting)}: {what}"

    def place_of(self, *path: str, written: tuple[str, ...] = ()) -> str:
        """The place in the file of a route, of its setting, or of one of the texts in `written`."""
        return self.place(".".join(["routes", *path]), written=written)


def variables(value: object) -> Iterator[str]:
    """The name of each `${NAME}` in a value, at any depth."""
    match value:
        case str():
            yield from _VARIABLE.findall(value)
        case dict():
            for inner in value.values():
                yield from variables(inner)
        case list():
            for inner in value:
                yield from variables(inner)


def filled(value: object, environment: dict[str, str]) -> object:
    """Fill in `${NAME}` after parsing, so that no value can change the file's structure. Any other `$` is literal."""
    match value:
        case str():
            return _VARIABLE.sub(lambda variable: environment[variable[1]], value)
        case dict():
            return {key: filled(inner, environment) for key, inner in value.items()}
        case list():
            return [filled(inner, environment) for inner in value]
        case _:
            return value
