"""Values with parameters (RFC 2045 section 5.1, RFC 2231): Content-Type, Content-Disposition."""

import re
from collections.abc import Sequence

from mailstep.mime.charsets import decode

Parameters = dict[str, str]
"""By name, in lower case; values are decoded."""

_PARAMETER = re.compile(r";\s*([^\s=;]+)\s*=\s*(\"(?:[^\"\\]|\\.)*\"?|[^;]*)", re.DOTALL)
_WINDOWS_PATH = re.compile(r"[A-Za-z]:\\[^\\]|\\\\[^\\]+\\[^\\]")


def parse_parameters(value: str, hints: Sequence[str] = ()) -> tuple[str, Parameters]:
    """The value before the first `;` in lower case, and its parameters (RFC 2045 section 5.1, RFC 2231).

    The first `;` may be missing, and so may the value: `application/pdf name=a.pdf`, `filename=a.pdf`.
    """
    main, separator, rest = value.partition(";")
    if "=" in main:
        first = re.match(r"\s*([^\s=]*)(?=\s)", main)
        main, separator, rest = (first[1], ";", value[first.end() :]) if first else ("", ";", value)
    plain: Parameters = {}
    pieces: dict[str, dict[int, tuple[str, bool]]] = {}
    for name, text in _PARAMETER.findall(separator + rest):
        base, *marks = name.lower().split("*")
        content = _unquoted(text.strip())
        if not marks:
            plain.setdefault(base, content)
            continue
        number = next((int(mark) for mark in marks if mark.isdigit() and len(mark) < 4), 0)
        pieces.setdefault(base, {}).setdefault(number, (content, marks[-1] == ""))
    for base, numbered in pieces.items():
        plain[base] = _joined(numbered, hints)
    return main.strip().lower(), plain


def _unquoted(text: str) -> str:
    if not text.startswith('"'):
        return text.removesuffix('"')
    within = text[1:].removesuffix('"')
    # Programs that write a path of Windows do not double its backslashes.
    return within if _WINDOWS_PATH.match(within) else re.sub(r"\\(.)", r"\1", within)


def _joined(numbered: dict[int, tuple[str, bool]], hints: Sequence[str]) -> str:
    """The continuations of RFC 2231 section 3 in order, percent-decoded where section 4 says so."""
    ordered = [numbered[number] for number in sorted(numbered)]
    charset = ""
    if ordered[0][1] and ordered[0][0].count("'") >= 2:
        charset, _, content = ordered[0][0].split("'", 2)
        ordered[0] = (content.strip('"'), True)
    octets = b"".join(
        re.sub(rb"%([0-9A-Fa-f]{2})", lambda hexed: bytes([int(hexed[1], 16)]), content.encode("utf-8", "replace"))
        if extended
        else content.encode("utf-8", "replace")
        for content, extended in ordered
    )
    return decode(octets, declared=charset, hints=hints, detect=False).text
