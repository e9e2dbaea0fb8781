"""The text of a routes.toml: its tables, the lines of its keys, and its variables filled in."""

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass

from mailstep.errors import ConfigurationError

_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")


@dataclass(frozen=True)
class RoutesToml:
    """The text of a routes.toml. Errors call it `file`."""

    text: str
    file: str = "routes.toml"

    def document(self) -> dict[str, object]:
        """The whole document.

        Raises:
            ConfigurationError: it is not TOML.
        """
        try:
            return tomllib.loads(self.text)
        # ValueError also for numbers that are too large, RecursionError for nesting.
        except (ValueError, RecursionError) as error:
            said = re.fullmatch(r"(.*) \(at (?:line (\d+), column \d+|end of document)\)", str(error))
            line = int(said[2]) if said and said[2] else self.text.count("\n") + 1
            raise ConfigurationError(f"{self.file}, line {line}: not TOML: {said[1] if said else error}") from error

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

    def place(self, key: str, *, written: tuple[str, ...] = ()) -> str:
        """The place in the file of a dotted key, or of one of the texts in `written`."""
        return f"{self.file}, line {self._line(key, written)}: {key}"

    def _line(self, path: str, written: tuple[str, ...]) -> int:
        """The line of a key, or else of its table, or of a text below it: TOML's parser keeps no positions."""
        rows = self.text.split("\n")
        path, table, found, depth = _key(path), "", 0, 0
        for number, row in enumerate(rows):
            if header := re.match(r"\s*\[([^\[\]]+)\]", row):
                here = table = _key(header[1])
            elif key := re.match(r"""\s*([\w.'" -]+?)\s*=""", row):
                here = f"{table}.{_key(key[1])}".removeprefix(".")
            else:
                continue
            if len(here) > depth and f"{path}.".startswith(f"{here}."):
                found, depth = number, len(here)
        for number, row in enumerate(rows[found:], start=found + 1):
            if not row.lstrip().startswith("#") and any(part in row for part in written):
                return number
        return found + 1


def _key(written: str) -> str:
    return re.sub(r"""["'\s]""", "", written)


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
