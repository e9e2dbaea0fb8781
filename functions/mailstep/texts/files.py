"""Reads the texts of a language: the shipped file, and the sentences that an installation has of its own."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from string import Formatter

from mailstep import custom
from mailstep.errors import ConfigurationError
from mailstep.toml_text import TomlText, file_text

REFERENCE = "en"
"""The language that decides which sentences there are, and which names a sentence may have in braces."""
FORMS = ("zero", "one", "many", "other")
"""The forms that a sentence may have for numbers (Unicode CLDR, "Language Plural Rules")."""

_FACTS = "language"
"""The table of facts about a language. Its `one` is a fact, and not a form of a sentence."""
_NUMBERS = {"language.one": re.compile(r"\s*(\d+\s*)*"), "language.grouped_digits": re.compile(r"\d{1,2}")}
"""The facts that are numbers, as they may be written."""
_DEEP = 4
"""Tables within tables: a sentence lies in the third one at most."""

FOLDER = "texts"
"""The folder of texts within an installation's own folder."""

Sentence = str | Mapping[str, str]
"""A sentence, or its forms for numbers."""


@dataclass(frozen=True)
class TextsFile:
    """A file of texts as it is written: its sentences by their dotted keys."""

    toml: TomlText
    sentences: dict[str, Sentence]

    def fault(self, key: str, what: str) -> str:
        """The error message for a key."""
        return f"{self.toml.place(key)}: {what}"


def languages() -> list[str]:
    """The languages that have a file, the installation's own ones included: `de`, `en` and so on."""
    return sorted({file.stem for folder in (custom.TEXTS, *_own_folders()) for file in folder.glob("*.toml")})


@cache
def texts_in(language: str) -> Mapping[str, Sentence]:
    """All sentences of a language, by their keys. The installation's own come first.

    Raises:
        ConfigurationError: a file cannot be read, or names what does not exist.
    """
    known = dict(_read(custom.TEXTS / f"{language}.toml").sentences) if language in _shipped() else {}
    if own := custom.own_file(FOLDER, f"{language}.toml"):
        if faults := faults_of(own):
            raise ConfigurationError("; ".join(faults))
        known |= {key: _merged(known.get(key), written) for key, written in _read(own).sentences.items()}
    return known


def faults(folder: Path) -> list[str]:
    """One line for each mistake in an installation's own texts, which are in this folder."""
    return [fault for file in sorted(folder.glob("*.toml")) for fault in faults_of(file)]


def faults_of(own: Path) -> list[str]:
    """One line for each mistake in an installation's own file of a language.

    It may have any of the shipped sentences. Of a language that is not shipped, it must have all.
    """
    is_shipped = own.stem in _shipped()
    known = _read(custom.TEXTS / f"{own.stem if is_shipped else REFERENCE}.toml").sentences
    try:
        found = _read(own)
    except ConfigurationError as error:
        return [str(error)]
    faults = [
        found.fault(key, fault)
        for key, written in found.sentences.items()
        for fault in (*_faults(written, known.get(key)), *_wrong_number(key, written))
    ]
    missing = [] if is_shipped else list(_missing(known, found.sentences))
    return [
        *faults,
        *(f"{own}: {key} is missing: a language needs each sentence of {REFERENCE}.toml" for key in missing),
    ]


def placeholders(sentence: Sentence) -> set[str]:
    """The names in braces.

    Raises:
        ValueError: something else is in braces, or a brace stands alone.
    """
    forms = [sentence] if isinstance(sentence, str) else sentence.values()
    return {name for form in forms for name in _names(form)}


def _names(form: str) -> Iterator[str]:
    for _, name, specification, conversion in Formatter().parse(form):
        if name is None:
            continue
        # `{0}`, `{a.b}`, `{a[0]}` and `{a!r}` would reach into values.
        if not name.isidentifier() or specification or conversion:
            raise ValueError(f"{{{name}}} is no plain name")
        yield name


def _faults(written: Sentence, known: Sentence | None) -> Iterator[str]:
    if known is None:
        yield "there is no such sentence"
        return
    if isinstance(written, str) != isinstance(known, str):
        yield "write one text" if isinstance(known, str) else f"write a table with {' and '.join(known)}"
        return
    try:
        unknown = placeholders(written) - placeholders(known)
    except ValueError as error:
        yield f"{error}; write {{{{ for a brace"
        return
    if unknown:
        there = ", ".join(f"{{{name}}}" for name in sorted(placeholders(known))) or "none"
        yield f"{{{sorted(unknown)[0]}}} means nothing here; there are: {there}"


def _wrong_number(key: str, written: Sentence) -> Iterator[str]:
    if (form := _NUMBERS.get(key)) and isinstance(written, str) and not form.fullmatch(written):
        yield "write it in digits"


def _missing(known: Mapping[str, Sentence], there: Mapping[str, Sentence]) -> Iterator[str]:
    """What a whole language lacks: sentences, and of one with forms that for all other numbers."""
    for key, sentence in known.items():
        if key not in there:
            yield key
        elif not isinstance(sentence, str) and not isinstance(there[key], str) and "other" not in there[key]:
            yield f"{key}.other"


def _merged(known: Sentence | None, written: Sentence) -> Sentence:
    """An installation's own sentence. A form for numbers that it does not have is the shipped one."""
    return written if known is None or isinstance(known, str) or isinstance(written, str) else {**known, **written}


@cache
def _shipped() -> frozenset[str]:
    return frozenset(file.stem for file in custom.TEXTS.glob("*.toml"))


def _own_folders() -> list[Path]:
    return [folder / FOLDER for folder in custom.OWN]


def _read(file: Path) -> TextsFile:
    toml = TomlText(file_text(file), str(file))
    return TextsFile(toml, dict(_flat(toml, "", toml.document())))


def _flat(toml: TomlText, above: str, table: Mapping[str, object]) -> Iterator[tuple[str, Sentence]]:
    for name, value in table.items():
        key = f"{above}{name}"
        match value:
            case str():
                yield key, value
            case dict() if key != _FACTS and _are_forms(value):
                yield key, value
            case dict() if above.count(".") < _DEEP:
                yield from _flat(toml, f"{key}.", value)
            case _:
                raise ConfigurationError(f"{toml.place(key)}: write a text in quotes")


def _are_forms(table: Mapping[str, object]) -> bool:
    return bool(table) and table.keys() <= set(FORMS) and all(isinstance(form, str) for form in table.values())
