"""Says a sentence, a number, a size or a day in the language of the reply that is being written."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import date

from mailstep.texts.files import REFERENCE, texts_in

_MILLION = 1_000_000
_language = ContextVar("language", default=REFERENCE)


@contextmanager
def speaking(language: str) -> Iterator[None]:
    """Say everything in this language meanwhile. Before, and afterwards, it is English: operators read that."""
    before = _language.set(language)
    try:
        yield
    finally:
        _language.reset(before)


def language() -> str:
    """The language of the reply that is being written: `de`, `en`, `es`, `fr`, or one of the installation's own."""
    return _language.get()


def say(key: str, **values: object) -> str:
    """The sentence with this key, with its values. Whole numbers are written as the language does.

    Raises:
        ConfigurationError: the file of the language is wrong.
        KeyError: there is no such sentence, or it needs another value.
    """
    return sentence(key, values).format(**{name: written(value) for name, value in values.items()})


def sentence(key: str, values: Mapping[str, object]) -> str:
    """The sentence with its names in braces, in the form for `count`, if it has several."""
    texts = texts_in(language())
    said = texts[key]
    if isinstance(said, str):
        return said
    count = values["count"]
    assert isinstance(count, int)  # noqa: S101 - of the sentences with forms
    form = "one" if str(count) in _fact("one").split() else "other"
    if count % _MILLION == 0:
        form = "many" if count else "zero" if "zero" in said else form
    return said.get(form, said["other"])


def figure(number: float) -> str:
    """A number with only its meaningful digits: `12`, `3.5`, `1,234.57`, `0.0004`, `1.5e+20`. Whole ones keep all."""
    if isinstance(number, int):
        return notated(f"{number:,}")
    if 0 < abs(number) < 1 or abs(number) >= 1e15:
        return notated(f"{number:.2g}")
    return notated(f"{number:,.2f}".rstrip("0").rstrip("."))


def notated(number: str) -> str:
    """A number that is written in English, `1,234.5`, as the language writes it: `1.234,5`."""
    whole, point, decimals = number.partition(".")
    digits = sum(character.isdigit() for character in whole)
    mark = _fact("group_mark") if digits >= int(_fact("grouped_digits")) else ""
    return f"{whole.replace(',', mark)}{point and _fact('decimal_mark')}{decimals}"


def size(octets: int) -> str:
    """A size as people read it: `512 bytes`, `1.4 kB`, `3.0 MB` (units of 1,000)."""
    for unit, name in ((1_000_000, "megabytes"), (1_000, "kilobytes")):
        if octets >= unit:
            return say(f"sizes.{name}", number=notated(f"{octets / unit:.1f}"))
    return say("sizes.bytes", count=octets)


def day(when: date) -> str:
    """A day of the calendar: `2024-03-31`, `31.03.2024`."""
    return say("language.date", year=f"{when.year:04}", month=f"{when.month:02}", day=f"{when.day:02}")


def _fact(name: str) -> str:
    fact = texts_in(language())[f"language.{name}"]
    assert isinstance(fact, str)  # noqa: S101 - none has forms
    return fact


def written(value: object) -> object:
    """A value as a sentence has it: a whole number as the language writes it, and anything else as it is."""
    return figure(value) if isinstance(value, int) and not isinstance(value, bool) else value
