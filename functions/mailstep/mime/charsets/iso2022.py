"""ISO 2022 in mail: ISO-2022-JP and its extensions (RFC 1468, 1554, 2237), ISO-2022-KR (RFC 1557), -CN (RFC 1922).

The Encoding Standard (section 13.2) has the sets of ISO-2022-JP and half-width katakana. Mail has the others too.
"""

import re
from collections.abc import Callable

_REPLACEMENT = "\ufffd"
# These choose a set: of two octets a character, of one, of Shift Out, of single shifts. Then a single shift, a shift,
# and the end of a line, which ends what was chosen (RFC 1468).
_CONTROL = re.compile(
    rb"\x1b\$\(?([@ABCDOPQ])|\x1b\(([BHIJT])|\x1b\$\)([ACEG])|\x1b\.([AF])|\x1bN(.)|([\x0e\x0f])|[\r\n]+", re.DOTALL
)
_TO_HIGH = bytes(octet | 0x80 if 0x20 < octet < 0x7F else octet for octet in range(256))

_KATAKANA_AT = {octet: chr(0xFF61 + octet - 0x21) for octet in range(0x21, 0x60)}
_ASCII = [chr(octet) if octet < 0x80 else _REPLACEMENT for octet in range(256)]
_ASCII[0x1B] = _REPLACEMENT
# Katakana of eight bits, which code pages 50220 to 50222 take.
_ASCII[0xA1:0xE0] = _KATAKANA_AT.values()
_ROMAN = [{"\\": "¥", "~": "‾"}.get(character, character) for character in _ASCII]
_KATAKANA = [_KATAKANA_AT.get(octet, c if octet < 0x21 else _REPLACEMENT) for octet, c in enumerate(_ASCII)]
_ONE_OCTET = {"B": "".join(_ASCII), "H": "".join(_ROMAN), "J": "".join(_ROMAN), "T": "".join(_ROMAN),
              "I": "".join(_KATAKANA)}  # fmt: skip
_TWO_OCTETS = {"@": "euc-jp", "B": "euc-jp", "D": "euc-jp", "A": "gbk", "E": "gbk", "C": "euc-kr",
               "O": "euc_jis_2004", "Q": "euc_jis_2004", "P": "euc_jis_2004"}  # fmt: skip
_THREE_OCTETS_IN_EUC = {"D", "P"}
_SINGLE_SHIFTED = {"A": "iso8859_1", "F": "iso8859_7"}

Read = Callable[[str, bytes], str]
"""Octets of a charset to text."""


def decode(octets: bytes, read: Read, shifted: str = "") -> str:
    """The text of octets in ISO 2022; `shifted` is the set of Shift Out where none is chosen, katakana if empty."""
    chosen, single, at = ("", "B"), "iso8859_1", 0
    pieces: list[str] = []
    before = chosen
    for control in _CONTROL.finditer(octets):
        pieces.append(_segment(octets[at : control.start()], *chosen, read))
        at = control.end()
        double, one, out, shift_set, shifted_one, shift = (
            group.decode("latin-1") if group else None for group in control.groups()
        )
        if double:
            chosen = (double, "")
        elif one:
            chosen = ("", one)
        elif out:
            shifted = out
        elif shift_set:
            single = _SINGLE_SHIFTED[shift_set]
        elif shifted_one:
            pieces.append(bytes([ord(shifted_one) | 0x80]).decode(single, "replace"))
        elif shift == "\x0e":
            before, chosen = chosen, (shifted, "" if shifted else "I")
        elif shift:
            chosen = before
        else:
            pieces.append(control[0].decode("ascii"))
            chosen = before = ("", "B")
    return "".join([*pieces, _segment(octets[at:], *chosen, read)])


def _segment(octets: bytes, double: str, one: str, read: Read) -> str:
    """Octets of one set: of two octets a character, or of one."""
    if not octets:
        return ""
    if one:
        return octets.decode("latin-1").translate(_ONE_OCTET[one])
    if double not in _TWO_OCTETS:
        return _REPLACEMENT * (len(octets) // 2)
    high = octets.translate(_TO_HIGH)
    if double in _THREE_OCTETS_IN_EUC:
        high = b"".join(b"\x8f" + high[at : at + 2] for at in range(0, len(high), 2))
    return read(_TWO_OCTETS[double], high)
