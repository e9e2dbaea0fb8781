"""The worst messages that were found, by kind: seconds for 40 MB of each, and how they grow from a quarter of it.

    python -m bench.hostile

Exit 1 if a kind takes over 15 s, or more than the growth of its size with a margin.
"""

import sys
import time
from collections.abc import Callable
from contextlib import suppress

from mailstep.contracts import StoredEmail
from mailstep.errors import UnreadableEmail
from mailstep.parse.message import parse

EMAIL = StoredEmail(email_id="bench", route="bench", bucket="bench", key="inbound/bench/bench")
OCTETS = 40_000_000
SECONDS = 15.0
GROWTH = 6.0  # of four times the octets
_SMALL = 0.1  # seconds that say nothing of growth

_HEAD = b"From: a@b.example\r\n"
_CMS = bytes.fromhex("30 80 06 09 2a 86 48 86 f7 0d 01 07 02 a0 80 30 80 02 01 01")


def _filled(pattern: bytes, octets: int) -> bytes:
    return (pattern * (octets // len(pattern) + 1))[:octets]


def _encoded(encoding: str, pattern: bytes) -> Callable[[int], bytes]:
    head = _HEAD + f"Content-Type: application/pdf\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n".encode()
    return lambda octets: head + _filled(pattern, octets)


def _typed(content_type: str, pattern: bytes, begin: bytes = b"") -> Callable[[int], bytes]:
    head = _HEAD + f"Content-Type: {content_type}\r\n\r\n".encode() + begin
    return lambda octets: head + _filled(pattern, octets)


def _headed(pattern: bytes) -> Callable[[int], bytes]:
    return lambda octets: _HEAD + _filled(pattern, octets) + b"\n\nx"


_NESTED = b"--b\r\nContent-Type: message/rfc822\r\n\r\n"
KINDS: dict[str, Callable[[int], bytes]] = {
    "base64 of lone digits": _encoded("base64", b"A="),
    "base64 of a digit a line": _encoded("base64", b"A===\r\n"),
    "base64 of short pieces": _encoded("base64", b"QQ=="),
    "base64 of pieces that count": _encoded("base64", b"AAAAAAAAAAAAAAAA=\r\n"),
    "base64 with others between": _encoded("base64", b"AA!"),
    "uuencoding of empty lines": _encoded("x-uuencode", b"!\n"),
    "uuencoding with wrong padding": _encoded("x-uuencode", b"#86%!!\n"),
    "quoted-printable of soft breaks": _encoded("quoted-printable", b"=\r\n"),
    "quoted-printable of lone CR": _encoded("quoted-printable", b"\r"),
    "lines that begin as boundaries do": _typed("multipart/mixed; boundary=b", b"--bx\n"),
    "boundaries with white space and more": _typed("multipart/mixed; boundary=b", b"--b \t x\n"),
    "a boundary and white space without end": _typed("multipart/mixed; boundary=b", b" ", b"--b"),
    "long boundaries but one letter": _typed(f"multipart/mixed; boundary={'b' * 70}", b"\n--" + b"b" * 69 + b"c"),
    "lines that might be an undeclared boundary": _typed("multipart/mixed", b"--x\n"),
    "undeclared boundaries before nearly a field": _typed("multipart/mixed", b"--x\ncontent"),
    "short fields": _headed(b"a:\n"),
    "lines that are no field": _headed(b"junk\n"),
    "a field of short folds": _headed(b" b\n"),
    "folds of white space": _headed(b"x:\n \n y\n"),
    "fields of white space": _headed(b"x:\n" + b" " * 5_000 + b"\n"),
    "text in the wrong charset": _typed("text/plain; charset=euc-jp", bytes(range(0x80, 0x100))),
    "signed data in empty pieces": _typed("application/pkcs7-mime", b"\x04\0", _CMS + b"\x31\x80"),
    "signed data in signed data": _typed("application/pkcs7-mime", b"\x30\x80", _CMS + b"\x31\x80"),
    "an attached message of short fields": _typed("multipart/mixed; boundary=b", b"a:\n", _NESTED),
}


def seconds(kind: str, octets: int) -> float:
    """Processor seconds for one message of that kind and size, attached messages read too."""
    raw = KINDS[kind](octets)
    began = time.process_time()
    with suppress(UnreadableEmail):
        parse(raw, EMAIL, lambda _key, _content: None, enclosed=True).to_json()
    return time.process_time() - began


def main() -> int:
    """Print the table."""
    print("| kind | s for 10 MB | s for 40 MB |\n| --- | ---: | ---: |")
    failed = False
    for kind in KINDS:
        quarter, whole = seconds(kind, OCTETS // 4), seconds(kind, OCTETS)
        failed |= whole > SECONDS or (whole > _SMALL and whole > GROWTH * quarter)
        print(f"| {kind} | {quarter:.2f} | {whole:.2f} |", flush=True)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
