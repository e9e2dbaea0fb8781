"""Decodes the transfer encoding of a part (RFC 2045 section 6). A part that cannot be decoded stays undecoded."""

import binascii
import io
import re

from mailstep.mime.defects import Defect
from mailstep.mime.fields import unfold
from mailstep.mime.structure import Part

_DIGITS = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_NO_DIGITS = bytes(set(range(256)) - set(_DIGITS))
_PLAUSIBLE = 0.8  # share of base64 characters: mail systems add some lines, but not every fifth character
# Pieces that were encoded one by one are lines or files. Millions of lone digits are neither, and take half a minute.
_FEW_PIECES, _SHORT_PIECE = 1_000, 8
_PADDING = 1_000  # octets after the digits: padding and empty lines
_LONE_CR = re.compile(rb"\r(?!\n)")
_SOFT_BREAK = re.compile(rb"=[ \t]{1,100}\r?\n")
_BETWEEN_PADDING = re.compile(rb"[^=]+")
_UU_BEGIN = re.compile(rb"^begin [0-7]{3,4} [^\r\n]*(?:\r\n|\n|\r)", re.MULTILINE)


def content(part: Part, defects: set[Defect]) -> bytes:
    """The decoded content of a part. Adds what is wrong with it to `defects`."""
    encoded = part.raw[part.start : part.end]
    declared = part.first("content-transfer-encoding")
    if declared is None:
        return encoded
    encoding = unfold(declared).lower().strip("\"' ;")
    match encoding.split(";")[0].split("(")[0].strip():
        case "base64":
            return _base64(encoded, defects)
        case "quoted-printable":
            return binascii.a2b_qp(_SOFT_BREAK.sub(b"=\n", _without_lone_cr(encoded)))
        case "x-uuencode" | "uuencode" | "x-uue" | "uue":
            return _uu(encoded, defects)
        case "" | "7bit" | "8bit" | "binary":
            return encoded
        case _:
            defects.add(Defect.TRANSFER_ENCODING_UNKNOWN)
            return encoded


def _without_lone_cr(encoded: bytes) -> bytes:
    """The octets with LF for each CR that no LF follows."""
    if encoded.count(b"\r") == encoded.count(b"\r\n"):
        return encoded
    # A pattern takes ten times as long where nearly every octet is one. An octet that does not occur stands for CRLF.
    free = next((bytes([octet]) for octet in range(0x80, 0x100) if bytes([octet]) not in encoded), None)
    if free is None:
        return _LONE_CR.sub(b"\n", encoded)
    return encoded.replace(b"\r\n", free).replace(b"\r", b"\n").replace(free, b"\r\n")


def _base64(encoded: bytes, defects: set[Defect]) -> bytes:
    """Decode as far as possible. Content that is plainly not base64 stays undecoded."""
    padding = encoded.find(b"=")
    first_end = padding if padding >= 0 else len(encoded)
    faults: set[Defect] = set()
    octets = _whole(encoded, first_end)
    if octets is None:
        first, rest = encoded[:first_end], encoded[first_end + 1 :]
        paddings = rest.count(b"=")
        if paddings > _FEW_PIECES and len(rest) < paddings * _SHORT_PIECE:
            defects.add(Defect.BASE64_WRONG)
            return encoded
        octets = _digits(first, faults)
        if not rest.translate(None, _DIGITS + b"=\r\n\t "):
            # Several pieces, each encoded alone, that were joined.
            octets += b"".join(_digits(piece[0], faults) for piece in _BETWEEN_PADDING.finditer(rest))
        else:
            faults.add(Defect.BASE64_FOLLOWED_BY_TEXT)
    written = first_end - sum(encoded.count(end, 0, first_end) for end in (b"\r", b"\n"))
    if len(octets) < written * 3 // 4 * _PLAUSIBLE:
        defects.add(Defect.BASE64_WRONG)
        return encoded
    defects |= faults
    return octets


def _whole(encoded: bytes, first_end: int) -> bytes | None:
    """The content if it is one piece with the padding that it needs, as nearly all is, without a copy of `encoded`."""
    if encoded[first_end : first_end + _PADDING].strip(b"=\r\n\t ") or len(encoded) > first_end + _PADDING:
        return None
    digits = first_end - sum(encoded.count(space, 0, first_end) for space in (b"\r", b"\n", b"\t", b" "))
    try:
        octets = binascii.a2b_base64(encoded)
    except binascii.Error:
        return None
    return octets if len(octets) == digits * 3 // 4 else None  # else other characters are among the digits


def _digits(encoded: bytes, faults: set[Defect]) -> bytes:
    digits = len(encoded) - sum(map(encoded.count, (b"\r", b"\n", b"\t", b" ")))
    try:
        return binascii.a2b_base64(encoded + b"=" * (-digits % 4))
    except binascii.Error:
        kept = encoded.translate(None, _NO_DIGITS)
        whole = kept[: len(kept) - (len(kept) % 4 == 1)]
        faults.add(Defect.BASE64_CUT_OFF)
        return binascii.a2b_base64(whole + b"=" * (-len(whole) % 4))


def _uu(encoded: bytes, defects: set[Defect]) -> bytes:
    begin = _UU_BEGIN.search(encoded)
    decoded = bytearray()
    for line in io.BytesIO(encoded[begin.end() if begin else 0 :]):
        if line.strip() in {b"end", b"`", b""}:
            continue
        try:
            decoded += binascii.a2b_uu(line.rstrip(b"\r\n"))
        except binascii.Error:
            # Some encoders count the padding wrongly: cut the line to the octets it announces.
            length = (((line[0] - 32) & 63) * 4 + 5) // 3
            try:
                decoded += binascii.a2b_uu(line[:length])
            except binascii.Error:
                defects.add(Defect.UUENCODING_BROKEN)
                return encoded
    return bytes(decoded)
