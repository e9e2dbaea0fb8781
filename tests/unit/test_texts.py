"""The texts that senders read: complete in each language, right in number and notation, and nowhere else.

Over 300 lines, because each rule of the files of texts is tried on each language, and each mistake on one's own.
"""

import ast
import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from mailstep import custom
from mailstep.contracts import Attachment
from mailstep.errors import ConfigurationError
from mailstep.media_types import FORMATS, WORDS, registered
from mailstep.texts.choosing import of_message, of_text
from mailstep.texts.files import FORMS, REFERENCE, faults, languages, placeholders, texts_in
from mailstep.texts.speaking import day, figure, language, notated, say, size, speaking
from mailstep.texts.types import pattern_names, type_name
from tests.support.messages import field, parsed
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
        ("es", ["0 filas", "1 fila", "2 filas", "1234 filas", "1.000.000 de filas"]),
    ],
)
def test_a_number_takes_its_plural_and_its_marks(one: str, rows: list[str]) -> None:
    with speaking(one):
        assert [say("counts.rows", count=count) for count in (0, 1, 2, 1234, 1_000_000)] == rows


@pytest.mark.parametrize(
    ("one", "written"),
    [
        ("en", ["1,234.5", "-0.25", "1.6 kB", "2024-03-09"]),
        ("de", ["1.234,5", "-0,25", "1,6\u00a0kB", "09.03.2024"]),
        ("fr", ["1\u202f234,5", "-0,25", "1,6\u00a0ko", "09/03/2024"]),
        ("es", ["1234,5", "-0,25", "1,6\u00a0kB", "09/03/2024"]),
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


# As people call them. A type without a word is called by the end of the file's name.
@pytest.mark.parametrize(
    ("name", "declared", "word", "german"),
    [
        ("a.xlsx", "application/octet-stream", "Excel workbook", "Excel-Arbeitsmappe"),
        ("a.xlsm", "application/octet-stream", "Excel workbook", "Excel-Arbeitsmappe"),
        ("a.bin", "application/vnd.ms-excel", "Excel workbook", "Excel-Arbeitsmappe"),
        ("a.docm", "application/octet-stream", "Word document", "Word-Dokument"),
        ("a.pptx", "application/octet-stream", "PowerPoint presentation", "PowerPoint-Präsentation"),
        ("a.pdf", "application/octet-stream", "PDF document", "PDF-Dokument"),
        ("a.csv", "application/vnd.ms-excel", "CSV file", "CSV-Datei"),
        ("a.tsv", "application/octet-stream", "TSV file", "TSV-Datei"),
        ("a.zip", "application/x-zip-compressed", "ZIP archive", "ZIP-Archiv"),
        ("a.JPG", "image/pjpeg", "JPEG picture", "JPEG-Bild"),
        ("a", "image/x-unheard-of", "picture", "Bild"),
        ("a.wav", "audio/x-wav", "sound file", "Tonaufnahme"),
        ("plan.dwg", "application/octet-stream", "DWG file", "DWG-Datei"),
        ("noname", "application/octet-stream", "file", "Datei"),
        ("a.<script>", "application/octet-stream", "file", "Datei"),
    ],
)
def test_a_type_is_said_in_words(name: str, declared: str, word: str, german: str) -> None:
    attachment = Attachment(filename=name, media_type=declared, size_octets=1, sha256="", key="k")
    assert type_name(attachment) == word
    with speaking("de"):
        assert type_name(attachment) == german


def test_the_types_that_a_route_accepts_are_said_in_words_each_once() -> None:
    accepted = ("text/csv", "application/csv", "image/*", "application/vnd.ms-excel", "application/vnd.example")
    assert pattern_names(accepted) == "CSV file, picture, Excel workbook, application/vnd.example"


@pytest.mark.parametrize("table", [WORDS, FORMATS])
def test_each_type_with_a_word_is_a_registered_one(table: dict[str, str]) -> None:
    assert {kind for kind in table if registered(kind) != kind} == set()
    assert {f"types.{word}" for word in WORDS.values()} <= texts_in(REFERENCE).keys()


@pytest.mark.parametrize(
    ("language", "written", "says"),
    [
        ("de", '[notice]\nrefusl = "Nein."', "line 2: notice.refusl: there is no such sentence"),
        ("de", '[reply]\nreference = "Nummer {number}"', "line 2: reply.reference: {number} means nothing here"),
        ("de", '[reply]\nreference = "Nummer {number}"', "there are: {reference}"),
        ("de", '[reply]\nreference = "{reference.__class__}"', "is no plain name"),
        ("de", '[reply]\nreference = "{reference!r}"', "is no plain name"),
        ("de", '[reply]\nreference = "{0}"', "is no plain name"),
        ("de", '[reply]\nsignature = "50 % {"', "line 2: reply.signature"),
        ("de", "[reply]\nsignature = 5", "line 2: reply.signature: write a text in quotes"),
        ("de", '[counts]\nrows = "Zeilen"', "line 2: counts.rows: write a table with one and other"),
        (
            "de",
            '[language]\ngrouped_digits = "four"',
            "line 2: language.grouped_digits: write it in digits",
        ),
        ("it", '[counts.rows]\none = "{count} riga"', "counts.rows.other is missing: a language needs each sentence"),
        ("de", "[notice\n", "line 1: not TOML"),
        (
            "it",
            '[reply]\nsignature = "Inviato da Mailstep."',
            "notice.refusal is missing: a language needs each sentence",
        ),
        ("de", f"{'a.' * 3000}b = 1", "line 1: a.a.a"),
    ],
)
def test_a_mistake_in_ones_own_texts_is_named_with_its_line(
    tmp_path: Path, language: str, written: str, says: str
) -> None:
    (tmp_path / f"{language}.toml").write_text(written)
    found = faults(tmp_path)
    assert says in " ".join(found)
    assert all(str(tmp_path) in fault for fault in found)


def test_ones_own_texts_may_be_a_whole_language(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "texts").mkdir()
    shipped = (MAILSTEP / "texts" / "en.toml").read_text()
    (tmp_path / "texts" / "it.toml").write_text(shipped.replace("Sent by Mailstep.", "Inviato da Mailstep."))
    monkeypatch.setattr(custom, "OWN", [tmp_path])
    assert faults(tmp_path / "texts") == []
    assert "it" in languages()
    with speaking("it"):
        assert say("reply.signature") == "Inviato da Mailstep."
    texts_in.cache_clear()


def test_a_mistake_in_one_language_leaves_the_others_as_they_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "texts").mkdir()
    (tmp_path / "texts" / "es.toml").write_text('[reply]\nsignatur = "x"\n')
    monkeypatch.setattr(custom, "OWN", [tmp_path])
    texts_in.cache_clear()
    assert of_text("Guten Tag, bitte senden Sie mir das Angebot.") == "de"
    assert of_text("Hola, adjunto el pedido. Gracias") == ""
    assert of_message(parsed("From: ann@shop.example\nContent-Language: es\n\nHola\n")) == "en"


def test_a_sender_cannot_choose_a_language_whose_file_is_wrong(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "texts").mkdir()
    (tmp_path / "texts" / "es.toml").write_text('[reply]\nsignatur = "x"\n')
    monkeypatch.setattr(custom, "OWN", [tmp_path])
    texts_in.cache_clear()
    for declared, chosen in (("es", "en"), ("es, de", "de"), ("es-MX,fr", "fr")):
        assert of_message(field("Content-Language", declared)) == chosen


def test_a_fact_of_a_language_can_be_replaced_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "texts").mkdir()
    (tmp_path / "texts" / "de.toml").write_text('[language]\none = "1 21"\n')
    monkeypatch.setattr(custom, "OWN", [tmp_path])
    assert faults(tmp_path / "texts") == []
    texts_in.cache_clear()
    with speaking("de"):
        assert say("counts.rows", count=21) == "21 Zeile"
    texts_in.cache_clear()


def test_a_form_of_a_sentence_can_be_replaced_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "texts").mkdir()
    (tmp_path / "texts" / "de.toml").write_text('[counts.rows]\none = "ein Datensatz"\n')
    monkeypatch.setattr(custom, "OWN", [tmp_path])
    texts_in.cache_clear()
    with speaking("de"):
        assert (say("counts.rows", count=1), say("counts.rows", count=2)) == ("ein Datensatz", "2 Zeilen")
    texts_in.cache_clear()


def test_a_function_says_what_is_wrong_in_ones_own_texts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "texts").mkdir()
    (tmp_path / "texts" / "es.toml").write_text('[reply]\nsignatur = "x"\n')
    monkeypatch.setattr(custom, "OWN", [tmp_path])
    texts_in.cache_clear()
    with speaking("es"), pytest.raises(ConfigurationError, match=r"line 2: reply\.signatur: there is no such"):
        say("reply.signature")


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
