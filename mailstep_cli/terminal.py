"""What goes to the terminal. Others wrote much of it: what a terminal would obey, or hide, is shown instead."""

import json
import sys
import unicodedata
from collections.abc import Iterable
from typing import Any

import rich.console
import rich.text
from rich.segment import Segment

# Control characters (C0, DEL, C1), formatting (bidirectional overrides, zero width), lone surrogates, line separators.
_OBEYED = {"Cc", "Cf", "Cs", "Zl", "Zp"}
# Line ends and tabs lay text out; the joiners are letters' shapes in Persian and Hindi, and parts of emoji.
_KEPT = "\n\t\N{ZERO WIDTH JOINER}\N{ZERO WIDTH NON-JOINER}"


class _Shown(dict[int, str]):
    """For str.translate: each character by its code, as it is shown."""

    def __missing__(self, code: int) -> str:
        character = chr(code)
        obeyed = character not in _KEPT and unicodedata.category(character) in _OBEYED
        self[code] = character.encode("unicode_escape").decode("ascii") if obeyed else character
        return self[code]


_SHOWN = _Shown()


def visible(text: str) -> str:
    r"""Text in which what a terminal would obey stands as an escape, as `\x1b` and `\u202e`; line ends are `\n`."""
    return text.replace("\r\n", "\n").translate(_SHOWN)


class Text(rich.text.Text):
    """Text made visible before it is laid out: rich leaves some control characters out, and passes others on."""

    def __init__(self, text: str = "", *arguments: Any, **options: Any) -> None:
        super().__init__(visible(text), *arguments, **options)

    def append(self, text: rich.text.Text | str, *arguments: Any, **options: Any) -> "Text":
        """Add text, made visible."""
        super().append(visible(text) if isinstance(text, str) else text, *arguments, **options)
        return self


class Console(rich.console.Console):
    """A console that passes nothing on that a terminal would obey, whatever it is given; its own codes are kept."""

    def render(self, *arguments: Any, **options: Any) -> Iterable[Segment]:
        """The segments of a renderable, made visible."""
        for segment in super().render(*arguments, **options):
            yield segment if segment.control else Segment(visible(segment.text), segment.style)


def print_json(value: object, *, indent: int | None = None) -> None:
    """Print JSON in US-ASCII: all else is escaped, and so is DEL, the one control character that JSON allows there."""
    print(json.dumps(value, indent=indent).replace("\x7f", "\\u007f"), flush=True)  # noqa: T201


def complain(line: str) -> None:
    """Print one line to stderr, whatever line ends are in it."""
    print(f"mailstep: {visible(' '.join(line.split()))}", file=sys.stderr)  # noqa: T201
