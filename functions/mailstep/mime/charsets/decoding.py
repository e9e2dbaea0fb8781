"""Which charset octets are in: the declared one where it fits, else the one that was meant."""

import codecs
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from webencodings.labels import LABELS

from mailstep.mime.charsets.decoders import REPLACEMENT, decoder
from mailstep.mime.charsets.labels import charset_of, says_nothing
from mailstep.mime.options import DEFAULTS, Options

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32le"),
    (codecs.BOM_UTF32_BE, "utf-32be"),
    (codecs.BOM_UTF16_LE, "utf-16le"),
    (codecs.BOM_UTF16_BE, "utf-16be"),
)
# Of octets in lower case. A pattern that begins with what it must find is ten times faster than one of both.
_LABELS = (
    re.compile(rb"charset[ \t]*=[ \t\"']*([\w.:+-]{2,60})"),
    re.compile(rb"=\?([\w.:+-]{2,60})(?:\*[\w-]*)?\?[bq]\?"),
)
_ESCAPES = (
    (re.compile(rb"\x1b\$[@B]|\x1b\$\([DOPQ]|\x1b\(I"), "iso-2022-jp"),
    (re.compile(rb"\x1b\$\)C"), "iso-2022-kr"),
)
# A line of a header, or one that goes on with it, which has octets above ASCII.
_UNDECLARED = re.compile(rb"^(?:[!-9;-~]+:|[ \t])[^\r\n\x80-\xff]*[\x80-\xff][^\r\n]*", re.MULTILINE)
_WESTERN = "windows-1252"
_MULTI_BYTE = {"shift_jis", "euc-jp", "euc-kr", "big5", "gbk", "gb18030"}
_MULTI_BYTE_CODECS = {
    "shift_jis": "cp932",
    "euc-jp": "euc_jp",
    "euc-kr": "cp949",
    "big5": "big5hkscs",
    "gb18030": "gb18030",
}
_SINGLE_BYTE = {*LABELS.values()} - _MULTI_BYTE - {"utf-8", "utf-16le", "utf-16be", "iso-2022-jp", "replacement"}
_NO_HINTS = {"utf-8", "us-ascii", "utf-16le", "utf-16be", "utf-7"}
# Quotes, dashes and other signs that have the same octet in all charsets of Windows.
_SIGNS = bytes.fromhex("80 82 84 85 91 92 93 94 95 96 97 99 a0 a3 a7 a9 ab ae b0 b1 b4 b7 bb")
_CONTROLS = bytes({*range(0x20)} - {*b"\t\n\v\f\r\x1b"})
_UNUSUAL = re.compile("[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f-\x9f\ufffd]")
_ASCII = bytes(range(128))
_PLAIN = bytes({*_ASCII} - {*_CONTROLS} - {0x1B})
# Octets. A shorter text that is not the US-ASCII that it declares is windows-1252, as the standard says.
_LEAST_TO_DOUBT = 256
_LEAST_OF_UTF8 = 3  # characters above ASCII
_LEAST_OF_WIDE = 4  # octets
_SAMPLE_OF_DAMAGED = 4_096  # octets
_GOOD_FOR_A_BAD = 8  # characters
_MOST = 0.7  # of the octets at even or odd places
# Mail without a declared charset is not in these, but the detector would often take a short text for them.
_NOT_IN_MAIL = [
    "iso8859-3", "iso8859-4", "iso8859-5", "iso8859-6", "iso8859-8", "iso8859-10", "iso8859-14", "iso8859-16", "johab",
    "utf-16", "utf-32", "utf-32-le", "utf-32-be",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Decoded:
    """Text, and how it was read."""

    text: str
    charset: str
    """The charset that it was read in: the Encoding Standard's name in lower case, or one that only mail has."""
    damaged: bool
    """Whether octets that are no character of that charset were replaced, each by one U+FFFD."""
    guessed: bool
    """Whether the charset is a guess: none is declared and the octets do not say it, or they do not fit it."""


def decode(
    octets: bytes,
    *,
    declared: str | None = None,
    hints: Sequence[str] = (),
    cut: bool = False,
    detect: bool = True,
    options: Options = DEFAULTS,
) -> Decoded:
    """The text of octets. Never raises, whatever the octets and the labels are.

    A byte order mark says the charset; else `declared` does where the octets fit it, but for a bad one here and there;
    else the octets do (UTF-8, UTF-16, ISO-2022-JP); else one of `hints`, labels that the message has elsewhere, in
    which they are text; else a detector guesses, which takes up to 10 ms, if `detect` allows it; else windows-1252.

    `cut` says that the octets may end within a character, which is then left out.
    """
    if declared is None and not octets.translate(None, _PLAIN):
        return Decoded(octets.decode("ascii"), "utf-8", damaged=False, guessed=False)
    label = None if declared is None or says_nothing(declared) else declared
    charset = charset_of(label) if label else None
    for mark, name in _MARKS:
        if octets.startswith(mark) and (name != "utf-32le" or len(octets) % 4 == 0):
            return _as(name, octets[len(mark) :], cut=cut)
    if charset:
        found = _as(charset, octets, cut=cut)
        if _fits(charset, found, octets):
            return found
    if evident := _evident(octets):
        return _as(evident, octets, cut=cut, guessed=label is not None or evident != "utf-8")
    # UTF-8 with a bad octet here and there is still UTF-8: any other charset would garble the good characters.
    good, bad = _good_and_bad(octets.decode("utf-8", "replace"))
    is_utf8 = good > 2 * bad
    otherwise = "utf-8" if is_utf8 or (good >= bad and _is_western(octets)) else _WESTERN
    if not is_utf8:
        sample = octets[: options.charset_sample]
        for guess in _guesses(sample, charset, hints, detect=detect):
            if len(sample) < len(octets) and not _is_text(_as(guess, sample, cut=True)):
                continue
            found = _as(guess, octets, cut=cut, guessed=not (charset == "us-ascii" and guess == _WESTERN))
            # Only pairs of octets are often taken for UTF-8 by chance.
            if _is_text(found) and (otherwise == _WESTERN or guess in _MULTI_BYTE):
                return found
    return _as(otherwise, octets, cut=cut, guessed=label is not None or otherwise == _WESTERN)


def hints_in(message: bytes, options: Options = DEFAULTS) -> tuple[str, ...]:
    """Charsets to try for a text that declares none: first a guess from such fields, then those that the message names.

    A header has room for thousands of such texts, so the guess is made once, for all of them.
    """
    sample = message[: options.labels_sample]
    lower = sample.lower()
    found = [(label.start(), label[1]) for pattern in _LABELS for label in pattern.finditer(lower)]
    named = (charset_of(label.decode("ascii")) for _, label in sorted(found))
    charsets = (charset for charset in named if charset and charset not in _NO_HINTS)
    names = tuple(islice(dict.fromkeys(charsets), options.labels))
    if sample.isascii():
        return names
    undeclared = decode(b"\n".join(_UNDECLARED.findall(message, 0, options.labels_sample)), hints=names)
    return tuple(dict.fromkeys((undeclared.charset, *names))) if undeclared.guessed else names


def _as(charset: str, octets: bytes, *, cut: bool, guessed: bool = False) -> Decoded:
    text, replaced = decoder(charset)(octets)
    if cut and replaced and text.endswith(REPLACEMENT):
        text, replaced = text[:-1], replaced - 1
    # The standard has no US-ASCII of its own.
    name = _WESTERN if charset == "us-ascii" else charset
    return Decoded(text, name, damaged=replaced > 0, guessed=guessed)


def _fits(charset: str, found: Decoded, octets: bytes) -> bool:
    """Whether octets are in the charset that they are declared in, but for a bad one here and there."""
    if octets.isascii() and not charset.startswith("iso-2022") and _escaped(octets):
        return False
    if charset == "utf-8":
        good, bad = _good_and_bad(found.text)
        return good >= bad
    if charset.startswith(("utf-16", "utf-32")):
        return b"\0" in octets or not octets or not _is_utf8(octets)
    if charset == "us-ascii":
        return not found.damaged
    if found.damaged or charset in _SINGLE_BYTE:
        # By chance no text of another charset is UTF-8 from end to end, and some programs only name the wrong one.
        least = 1 if found.damaged else _LEAST_OF_UTF8
        if _is_utf8(octets) and _good_and_bad(octets.decode("utf-8"))[0] >= least:
            return False
    good, bad = _good_and_bad(found.text)
    return good + 1 >= bad


def _is_text(found: Decoded) -> bool:
    """Whether a guess gave no controls, and hardly a replacement: none in charsets of one octet a character."""
    unusual = len(_UNUSUAL.findall(found.text))
    return not unusual or (found.charset in _MULTI_BYTE and unusual * 10 <= _good_and_bad(found.text)[0])


def _evident(octets: bytes) -> str | None:
    """The charset that octets show themselves."""
    if wide := _wide(octets):
        return wide
    return _escaped(octets) or ("utf-8" if _is_utf8(octets) else None)


def _escaped(octets: bytes) -> str | None:
    """The charset whose escape sequences are in the octets."""
    if b"\x1b" not in octets:
        return None
    return next((charset for escape, charset in _ESCAPES if escape.search(octets)), None)


def _guesses(octets: bytes, declared: str | None, hints: Sequence[str], *, detect: bool) -> Iterator[str]:
    high = octets.translate(None, _ASCII)
    for charset in map(charset_of, hints):
        if charset and charset not in _NO_HINTS and (charset != _WESTERN or _is_western(octets)):
            yield charset
    is_short_or_western = len(octets) < _LEAST_TO_DOUBT or _is_western(octets)
    if not high.translate(None, _SIGNS) or (declared == "us-ascii" and is_short_or_western):
        yield _WESTERN
    if not detect:
        return
    # A few words of another script among many of ASCII are taken for Western ones: then they are looked at alone.
    sample = b"\n".join(line for line in octets.splitlines() if not line.isascii())
    words = b" ".join(word for word in sample.split() if not word.isascii())
    sample = words if len(high) * 2 > len(words) else sample
    charset = _detect(sample)
    # Nearly any pair of octets is a character of GB18030.
    if charset not in _MULTI_BYTE or charset == "gb18030":
        yield from _damaged(sample)
    if charset and decoder(charset)(high) != decoder(_WESTERN)(high):
        yield charset
    yield _WESTERN


def _detect(octets: bytes) -> str | None:
    """The charset that a library takes octets for. Little mail needs it, and importing it slows each cold start."""
    import chardet  # noqa: PLC0415

    era = chardet.EncodingEra.MODERN_WEB | chardet.EncodingEra.LEGACY_ISO
    guess = chardet.detect(octets, encoding_era=era, exclude_encodings=_NOT_IN_MAIL, no_match_encoding=_WESTERN)
    return charset_of(guess["encoding"] or "")


def _damaged(octets: bytes) -> Iterator[str]:
    """The charset of pairs of octets that the detector names once the bad ones are out: one excludes it otherwise."""
    sample = octets[:_SAMPLE_OF_DAMAGED]
    for charset, codec in _MULTI_BYTE_CODECS.items():
        text, _ = decoder(charset)(sample)
        good, bad = _good_and_bad(text)
        whole = text.replace(REPLACEMENT, "").encode(codec, "ignore")
        if bad * _GOOD_FOR_A_BAD <= good and whole != sample and _detect(whole) == charset:
            yield charset


def _is_western(octets: bytes) -> bool:
    """Whether at most a quarter of the octets are above ASCII, as in languages with Latin letters."""
    return len(octets.translate(None, _ASCII)) * 4 <= len(octets)


def _wide(octets: bytes) -> str | None:
    """UTF-16 of an alphabet: nearly all octets at even or odd places are controls, which text does not have."""
    if len(octets) < _LEAST_OF_WIDE or len(octets) % 2:
        return None
    even, odd = (len(half) - len(half.translate(None, _CONTROLS)) for half in (octets[::2], octets[1::2]))
    for charset, many, few in (("utf-16le", odd, even), ("utf-16be", even, odd)):
        if many * 2 > len(octets) * _MOST and few * 3 < many:
            return charset
    return None


def _is_utf8(octets: bytes) -> bool:
    try:
        octets.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _good_and_bad(text: str) -> tuple[int, int]:
    """The characters above ASCII in a text, and the replaced ones."""
    bad = text.count(REPLACEMENT)
    return len(text) - bad - len(text.encode("ascii", "ignore")), bad
