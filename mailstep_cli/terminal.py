"""Output to the terminal. Strangers wrote much of it, so characters that control or hide text are shown as escapes."""

import io
import json
import logging
import sys
import unicodedata
from collections.abc import Iterable
from typing import Any

import rich.console
import rich.text
from aws_lambda_powertools.logging.formatter import LambdaPowertoolsFormatter
from rich.segment import Segment

from mailstep.telemetry import logger

# Control characters (C0, DEL, C1), formatting (bidirectional overrides, zero width), lone surrogates, line separators.
_OBEYED = {"Cc", "Cf", "Cs", "Zl", "Zp"}
# Line ends and tabs lay text out; the joiners shape letters in Persian and Hindi, and build emoji.
_KEPT = "\n\t\N{ZERO WIDTH JOINER}\N{ZERO WIDTH NON-JOINER}"


class _LogLine(LambdaPowertoolsFormatter):
    """Formats what the functions' code logs for a person: they log JSON on AWS."""

    _ANY = frozenset(vars(logging.makeLogRecord({})))

    def format(self, record: logging.LogRecord) -> str:
        extra = ", ".join(
            f"{name}: {', '.join(map(str, value)) if isinstance(value, list) else value}"
            for name, value in vars(record).items()
            if name not in self._ANY
        )
        trace = f"\n{self.formatException(record.exc_info)}" if record.exc_info else ""
        return visible(f"mailstep: {record.getMessage()}{f' ({extra})' if extra else ''}{trace}")


def open_terminal() -> None:
    """Make stdout and stderr print an escape for a character that their encoding does not have, and logs as lines."""
    logger.registered_handler.setFormatter(_LogLine())
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


class _Shown(dict[int, str]):
    """A table for str.translate, from the code of a character to its visible form."""

    def __missing__(self, code: int) -> str:
        character = chr(code)
        obeyed = character not in _KEPT and unicodedata.category(character) in _OBEYED
        self[code] = character.encode("unicode_escape").decode("ascii") if obeyed else character
        return self[code]


_SHOWN = _Shown()


def visible(text: str) -> str:
    r"""The text with escapes, such as `\x1b` and `\u202e`, for characters that a terminal obeys; line ends are `\n`."""
    return text.replace("\r\n", "\n").translate(_SHOWN)


class Text(rich.text.Text):
    """Text made visible before layout: rich drops some control characters and passes others on."""

    def __init__(self, text: str = "", *arguments: Any, **options: Any) -> None:
        super().__init__(visible(text), *arguments, **options)

    def append(self, text: rich.text.Text | str, *arguments: Any, **options: Any) -> "Text":
        """Add text, made visible."""
        super().append(visible(text) if isinstance(text, str) else text, *arguments, **options)
        return self


class Console(rich.console.Console):
    """A console that escapes every control character in what it prints, but keeps the codes of its own styles."""

    def render(self, *arguments: Any, **options: Any) -> Iterable[Segment]:
        """The segments of a renderable, made visible."""
        for segment in super().render(*arguments, **options):
            yield segment if segment.control else Segment(visible(segment.text), segment.style)


def counted(number: int, thing: str, things: str | None = None) -> str:
    """A number with its noun: `1 message`, `1,000 messages`; `things` is a plural that is not made with an s."""
    return f"{number:,} {thing if number == 1 else things or f'{thing}s'}"


def print_json(value: object, *, indent: int | None = None) -> None:
    """Print JSON in US-ASCII. Everything else is escaped, and so is DEL, the one control character JSON allows."""
    print(json.dumps(value, indent=indent).replace("\x7f", "\\u007f"), flush=True)  # noqa: T201


def complain(line: str) -> None:
    """Print the text to stderr as one line, without the line ends in it."""
    print(f"mailstep: {visible(' '.join(line.split()))}", file=sys.stderr)  # noqa: T201
