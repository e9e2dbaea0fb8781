"""The texts that senders read: complete in each language, right in number and notation, and nowhere else."""

import ast
import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from mailstep.texts.files import FORMS, REFERENCE, languages, placeholders, texts_in
from mailstep.texts.speaking import day, figure, language, notated, say, size, speaking
from tests.support.project import PROJECT

MAILSTEP = PROJECT / "functions" / "mailstep"
OTHERS = sorted(set(languages()) - {REFERENCE})
# Whose texts senders read. What else these modules write is for operators, and stands in no such sentence.
FOR_SENDERS = (
    *sorted((MAILSTEP / "process" / "processors").rglob("*.py")),
    *(MAILSTEP / name for name in ("notices.py", "reply/compose.py", "validate/attached_files.py")),
    MAILSTEP / "process" / "each_attachment.py",
)
# Three words, of which one is a word of English that no key, header field or format has.
SENTENCE = re.compile(r"\w+ .*\b(?:the|is|are|it|was|were|please|has|have|no|not|than|this|your|you)\b", re.IGNORECASE)


def test_four_languages_are_shipped() -> None:
    assert {"de", "en", "es", "fr"} <= set(languages())


@pytest.mark.parametrize("other", OTHERS)
def test_a_language_has_every_sentence_and_no_other(other: str) -> None:
    assert texts_in(other).keys() == texts_in(REFERENCE).keys()


@pytest.mark.parametrize("other", OTHERS)
def test_a_sentence_has_the_same_values_in_every_language(other: str) -> None:
    for key, sentence in texts_in(REFERENCE).items():
        assert placeholders(texts_in(other)[key]) == placeholders(sentence), key


@pytest.mark.parametrize("one", languages())
def test_a_sentence_about_a_number_has_a_form_for_each_number(one: str) -> None:
    for key, sentence in texts_in(one).items():
        if isinstance(sentence, str):
            assert "{count}" not in sentence, key
        else:
            assert {"one", "other"} <= sentence.keys() <= set(FORMS), key


@pytest.mark.parametrize("other", OTHERS)
def test_no_sentence_is_left_in_english(other: str) -> None:
    for key, sentence in texts_in(REFERENCE).items():
        words = re.findall(r"\w+", re.sub(r"\{\w+\}", "", str(sentence)))
        assert len(words) < 3 or texts_in(other)[key] != sentence, key


# Unicode CLDR, "Language Plural Rules", and "Numbers" of each locale (Spanish groups from five digits on).
@pytest.mark.parametrize(
    ("one", "rows"),
    [
        ("en", ["0 rows", "1 row", "2 rows", "1,234 rows", "1,000,000 rows"]),
        ("de", ["0 Zeilen", "1 Zeile", "2 Zeilen", "1.234 Zeilen", "1.000.000 Zeilen"]),
        ("fr", ["0 ligne", "1 ligne", "2 lignes", "1\u202f234 lignes", "1\u202f000\u202f000 de lignes"]),
        ("es", ["0 filas", "1 fila", "2 filas", "1234 filas", "1.000.000 filas"]),
    ],
)
def test_a_number_takes_its_plural_and_its_marks(one: str, rows: list[str]) -> None:
    with speaking(one):
        assert [say("counts.rows", count=count) for count in (0, 1, 2, 1234, 1_000_000)] == rows


@pytest.mark.parametrize(
    ("one", "written"),
    [
        ("en", ["1,234.5", "-0.25", "1.6 KB", "2024-03-09"]),
        ("de", ["1.234,5", "-0,25", "1,6\u00a0KB", "09.03.2024"]),
        ("fr", ["1\u202f234,5", "-0,25", "1,6\u00a0Ko", "09/03/2024"]),
        ("es", ["1234,5", "-0,25", "1,6\u00a0KB", "09/03/2024"]),
    ],
)
def test_numbers_sizes_and_days_are_written_as_the_language_does(one: str, written: list[str]) -> None:
    with speaking(one):
        assert [figure(1234.5), notated("-0.25"), size(1_600), day(date(2024, 3, 9))] == written


def test_nothing_attached_is_said_in_words() -> None:
    said = {}
    for one in ("en", "de", "fr", "es"):
        with speaking(one):
            said[one] = say("counts.attachments", count=0)
    assert said == {
        "en": "no attachments",
        "de": "keine Anhänge",
        "fr": "aucune pièce jointe",
        "es": "ningún archivo adjunto",
    }


def test_a_language_is_spoken_until_the_reply_is_written_even_if_that_fails() -> None:
    def fail() -> None:
        with speaking("de"):
            assert language() == "de"
            raise ValueError

    with pytest.raises(ValueError, match=r"^$"):
        fail()
    assert language() == "en"


@pytest.mark.parametrize("module", FOR_SENDERS, ids=lambda module: module.stem)
def test_no_sentence_for_a_sender_is_left_in_the_code(module: Path) -> None:
    assert [text for text in texts_of(ast.parse(module.read_text())) if SENTENCE.search(text)] == []


@pytest.mark.parametrize("template", sorted((MAILSTEP / "templates").glob("*.j2")), ids=lambda file: file.name)
def test_no_word_for_a_sender_is_left_in_a_template(template: Path) -> None:
    text = re.sub(r"<style>.*?</style>|<!--.*?-->", "", template.read_text(), flags=re.DOTALL)
    # In a tag of HTML are its own words; in one of Jinja, keys and names.
    outside = re.sub(r"\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}", "", text, flags=re.DOTALL)
    assert re.findall(r"[A-Za-z]{2,}", re.sub(r"<[^>]*>", "", outside)) == []
    tags = re.findall(r"\{[{%].*?[%}]\}", text, flags=re.DOTALL)
    written = [said for tag in tags for said in re.findall(r'"([^"]*)"', tag)]
    assert [said for said in written if re.search(r"[A-Za-z]{2,},? [A-Za-z]", said)] == []


@pytest.mark.parametrize("module", sorted(MAILSTEP.rglob("*.py")), ids=lambda module: module.stem)
def test_code_and_templates_name_sentences_that_there_are(module: Path) -> None:
    assert [key for key in keys_in(module.read_text()) if key not in texts_in(REFERENCE)] == []


def test_every_sentence_is_said_somewhere() -> None:
    files = [*MAILSTEP.rglob("*.py"), *(MAILSTEP / "templates").glob("*.j2"), *(PROJECT / "mailstep_cli").rglob("*.py")]
    code = "\n".join(file.read_text() for file in files)
    made = ("language.", "types.", "tables.kinds.", "tables.delimiters.", "tables.facts.no_", "sizes.")
    unused = [
        key
        for key in texts_in(REFERENCE)
        if f'"{key}"' not in code and not key.startswith(made) and f'between("{key.rpartition(".")[2]}"' not in code
    ]
    assert unused == []


def keys_in(code: str) -> list[str]:
    return re.findall(r'\bsay\(\s*"([\w.]+)"', code)


def texts_of(tree: ast.AST) -> Iterator[str]:
    """The texts of the code, but for docstrings and what is raised or logged for operators."""
    for node in ast.walk(tree):
        for child in ast.iter_child_nodes(node):
            is_docstring = isinstance(child, ast.Expr) and isinstance(child.value, ast.Constant)
            if is_docstring or _is_for_operators(child):
                for inner in ast.walk(child):
                    inner.for_operators = True  # type: ignore[attr-defined]
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and not hasattr(node, "for_operators"):
            yield node.value


def _is_for_operators(node: ast.AST) -> bool:
    if not isinstance(node, ast.Call):
        return False
    called = node.func
    name = called.id if isinstance(called, ast.Name) else called.attr if isinstance(called, ast.Attribute) else ""
    return name in {"error", "warning", "info", "compile", "ValueError", "NotImplementedError", "RuntimeError"}
