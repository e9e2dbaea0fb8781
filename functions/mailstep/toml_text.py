"""The text of a TOML file of settings, with the lines of its keys: an error names the line of a mistake."""

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path

from mailstep.errors import ConfigurationError


@dataclass(frozen=True)
class TomlText:
    """The text of a TOML file. Errors call it `file`."""

    text: str
    file: str

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


def file_text(path: Path) -> str:
    """The text of a TOML file, without the byte order mark that some editors put first.

    Raises:
        ConfigurationError: it cannot be read, or is not UTF-8.
    """
    try:
        return path.read_text("utf-8-sig")
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise ConfigurationError(f"{path}, line {line}: not UTF-8: save the file in that encoding") from error
