"""Workbooks read as ECMA-376 says, and hostile ones within the memory of the function: a table or a sentence."""

import io
import random
import re
import resource
import subprocess
import sys
import zipfile
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from pathlib import Path

import pytest

from mailstep.process.processors.tables import workbooks
from mailstep.process.processors.tables.limits import (
    MARKUP_BOUND,
    SHEETS_BOUND,
    TEXT_BOUND,
    UNPACKED_BOUND,
    TableQuota,
    UnreadableTable,
)
from mailstep.process.processors.tables.model import Value
from mailstep.process.processors.tables.reading import read
from mailstep.process.processors.tables.summaries import summarise
from tests.support.project import CASES, PROJECT
from tests.support.tables import one


def package(rows: str = "", *, strings: str = "<sst/>", styles: str = "<styleSheet/>", sheets: int = 1) -> bytes:
    """A workbook as small as ECMA-376 lets it be; each of its sheets is the same part."""
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"

    def relationships(**targets: str) -> str:
        each = (f'<Relationship Id="{k}" Type="{office}/{k}" Target="{target}"/>' for k, target in targets.items())
        return f"<Relationships>{''.join(each)}</Relationships>"

    listed = "".join(f'<sheet name="s{n}" sheetId="{n}" r:id="worksheet"/>' for n in range(sheets))
    parts = {
        "_rels/.rels": relationships(officeDocument="xl/workbook.xml"),
        "xl/workbook.xml": f'<workbook xmlns:r="{office}"><sheets>{listed}</sheets></workbook>',
        "xl/_rels/workbook.xml.rels": relationships(
            worksheet="worksheets/sheet1.xml", sharedStrings="sharedStrings.xml", styles="/xl/styles.xml"
        ),
        "xl/worksheets/sheet1.xml": f"<worksheet><sheetData>{rows}</sheetData></worksheet>",
        "xl/sharedStrings.xml": strings,
        "xl/styles.xml": styles,
    }
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as made:
        for name, content in parts.items():
            made.writestr(name, content)
    return stream.getvalue()


ROW = '<row r="1"><c r="A1" t="s"><v>0</v></c></row>'
MANY = '<row><c t="s"><v>0</v></c></row>' * 2_000
LONG = f"<sst><si><t>{'x' * 100_000}</t></si></sst>"
VALUE = "<row><c><v>1</v></c></row>"
ENTITIES = '<!DOCTYPE sst [<!ENTITY a "aaaaaaaaaa">]><sst>&a;</sst>'
HOSTILE: dict[str, tuple[Callable[[], bytes], str]] = {
    "99 MB of empty rows": (lambda: package("<row/>" * 16_500_000), "reaches to row 1,048,577"),
    "one string in many cells": (lambda: package(MANY, strings=LONG), "more text"),
    "a long format of many numbers": (
        lambda: package(
            '<row><c s="0"><v>1</v></c></row>' * 120_000,
            styles=f'<styleSheet><numFmts><numFmt numFmtId="200" formatCode="{"\U0001f600" * 200}0"/></numFmts>'
            '<cellXfs><xf numFmtId="200"/></cellXfs></styleSheet>',
        ),
        "more text",
    ),
    "a cell of long text": (lambda: package(f'<row><c t="str"><v>{"x" * (TEXT_BOUND + 1)}</v></c></row>'), "more text"),
    "long strings": (lambda: package(ROW, strings=f"<sst><si><t>{'x' * (TEXT_BOUND + 1)}</t></si></sst>"), "more text"),
    "a row of eight digits": (lambda: package('<row r="99999999"><c><v>1</v></c></row>'), "row 99,999,999"),
    "a row of thirty digits": (lambda: package(f'<row r="{"9" * 30}"><c><v>1</v></c></row>'), "not a workbook"),
    "a column of seven letters": (
        lambda: package('<row r="1"><c r="ZZZZZZZ1"><v>1</v></c></row>'),
        "column 8,353,082,582",
    ),
    "a string that is not there": (lambda: package(ROW), "not a workbook"),
    "entities": (lambda: package(ROW, strings=ENTITIES), "not a workbook"),
    "tags within tags": (lambda: package("<a>" * 1_000_000 + "</a>" * 1_000_000), "not a workbook"),
    "a tag without end": (lambda: package("<a " + 'b="" ' * 1_000_000 + "/>"), "not a workbook"),
    "a comment without end": (lambda: package(f"<!--{'x' * 50_000_000}-->"), "not a workbook"),
    "tags": (lambda: package("<a/>" * MARKUP_BOUND), "more cells"),
    "references": (lambda: package("&#65;" * MARKUP_BOUND), "more cells"),
    "spaces": (lambda: package(" " * UNPACKED_BOUND), "unpacks to more"),
    "one part as many sheets": (lambda: package(VALUE, sheets=10_000), f"more than {SHEETS_BOUND} sheets"),
    "formats": (lambda: package(VALUE, styles=f"<a><cellXfs>{'<xf/>' * 3_000_000}</cellXfs></a>"), "tables: 1"),
    "a lie about strings": (lambda: package(VALUE, strings='<sst count="9" uniqueCount="4000000000"/>'), "tables: 1"),
    "a lie about the sheet": (lambda: package(f'<dimension ref="A1:XFD1048576"/>{VALUE}'), "tables: 1"),
}


@pytest.mark.parametrize(("made", "told"), HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_workbook_gets_a_sentence_within_the_memory_of_the_function(
    made: Callable[[], bytes], told: str
) -> None:
    assert re.search(told, summarised_within_memory(made()))


@pytest.mark.parametrize("file", sorted(CASES.glob("hostile/*.xlsx")) + sorted(CASES.glob("tables/b*.xlsx")), ids=str)
def test_a_hostile_case_gets_its_table_or_a_sentence_within_the_memory_of_the_function(file: Path) -> None:
    assert re.fullmatch(r"It .*\.|tables: [12]", summarised_within_memory(file.read_bytes()))


def summarised_within_memory(content: bytes) -> str:
    """What becomes of a table in a process with the memory of ProcessFunction (template.yaml)."""
    return in_a_process_of_its_own("what_becomes_of_it", content)


def in_a_process_of_its_own(function: str, content: bytes = b"") -> str:
    code = f"from tests.unit.test_workbooks import {function}; {function}()"
    ended = subprocess.run([sys.executable, "-c", code], input=content, capture_output=True, check=False, cwd=PROJECT)
    assert ended.returncode == 0, ended.stderr[-500:]
    return ended.stdout.decode().strip()


def bound_memory() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (1024 * 1024 * 1024,) * 2)


def what_becomes_of_it() -> None:
    content = sys.stdin.buffer.read()
    bound_memory()
    try:
        print(f"tables: {len(read('t.xlsx', content, TableQuota()))}")  # noqa: T201 - the parent reads it
    except UnreadableTable as error:
        print(error)  # noqa: T201


def test_as_many_cells_as_the_quota_has_are_read_within_the_memory_of_the_function() -> None:
    cells = "<c><v>12</v></c>" * 20
    rows = f"<row>{cells}</row>" * (MARKUP_BOUND // (20 * 4 + 2) - 1)
    assert summarised_within_memory(package(rows)) == "tables: 1"


def test_only_cells_that_hold_something_count() -> None:
    formatted = "".join(f'<row r="{n}"><c r="A{n}" s="1"/><c r="XFD{n}" s="1"/></row>' for n in range(2, 1_000))
    rows = f'<row r="1"><c r="A1"><v>7</v></c></row>{formatted}<row r="1048576"><c r="A1048576" s="1"/></row>'
    table = one(package(rows), "t.xlsx")
    assert (table.header, [*table.body]) == (None, [["7"]])


STYLES = """<styleSheet><numFmts><numFmt numFmtId="164" formatCode="[Red]&quot;dm&quot;0.0\\m_d"/>
<numFmt numFmtId="165" formatCode="[h]:mm"/><numFmt numFmtId="166" formatCode="dd.mm.yyyy hh:mm"/>
<numFmt numFmtId="167" formatCode="#,##0.00 [$€-407];[Red]-#,##0.00 [$€-407]"/>
<numFmt numFmtId="168" formatCode="00000"/>
</numFmts><cellStyleXfs><xf numFmtId="22"/></cellStyleXfs>
<cellXfs><xf numFmtId="0"/><xf numFmtId="14"/><xf numFmtId="165"/><xf numFmtId="164"/><xf numFmtId="166"/>
<xf numFmtId="167"/><xf numFmtId="168"/><xf numFmtId="10"/><xf numFmtId="18"/></cellXfs></styleSheet>"""
CELLS = [
    ("<c><v>1234567890123456789</v></c>", "1234567890123456789", 1234567890123456789),
    ('<c t="n"><v>1.50E1</v></c>', "15", 15),
    ("<c><v>1.234567890123457E+19</v></c>", "12345678901234570000", 12345678901234570000),
    ('<c t="inlineStr"><is><r><t>a</t></r><r><t>b</t></r><rPh><t>c</t></rPh></is></c>', "ab", "ab"),
    ('<c t="str"><f>A1&amp;"x"</f><v>a &lt; b</v></c>', "a < b", "a < b"),
    ('<c t="str"><v>tab_x0009_, face_xD83D__xDE00_, lone_xD800_.</v></c>', "tab\t, face😀, lone\ufffd.", None),
    ('<c t="str"><v>nothing_x0000_.</v></c>', "nothing.", "nothing."),
    ('<c t="str"><v>12</v></c>', "12", "12"),
    ('<c t="b"><v>1</v></c>', "TRUE", True),
    ('<c t="b"><v>true</v></c>', "TRUE", True),
    ('<c t="b"><v>false</v></c>', "FALSE", False),
    ('<c t="e"><v>#DIV/0!</v></c>', "#DIV/0!", None),
    ('<c s="1"><v>45292</v></c>', "2024-01-01", date(2024, 1, 1)),
    ('<c s="4"><v>45292.5</v></c>', "01.01.2024 12:00", datetime(2024, 1, 1, 12)),
    ('<c s="8"><v>0.25</v></c>', "6:00 AM", time(6)),
    ('<c s="1"><v>1</v></c>', "1900-01-01", date(1900, 1, 1)),
    ('<c s="1"><v>61</v></c>', "1900-03-01", date(1900, 3, 1)),
    ('<c s="2"><v>1.5</v></c>', "36:00", timedelta(hours=36)),
    ('<c s="3"><v>0.5</v></c>', "dm0.5m", 0.5),
    ('<c s="5"><v>-1234.5</v></c>', "-1,234.50 €", -1234.5),
    ('<c s="6"><v>1067</v></c>', "01067", None),
    ('<c s="7"><v>0.0525</v></c>', "5.25%", 0.0525),
    ('<c s="1"><v>1e300</v></c>', "1e+300", 1e300),
    ('<c s="9999"><v>2</v></c>', "2", 2),
    ('<c t="d"><v>2024-01-01</v></c>', "2024-01-01", date(2024, 1, 1)),
]


@pytest.mark.parametrize(("cell", "shown", "value"), CELLS, ids=[cell for cell, *_ in CELLS])
def test_a_cell_is_shown_as_excel_shows_it_and_keeps_its_value(cell: str, shown: str, value: Value) -> None:
    """ECMA-376 part 1, 18.3.1.4, 18.8.30 and 18.8.31."""
    [sheet] = workbooks.sheets(package(f"<row>{cell}</row>", styles=STYLES), TableQuota())
    assert sheet.rows == [[shown]]
    if value is not None:
        column = summarise("c", [sheet.rows[0][0]] * 3)
        assert column.value(sheet.rows[0][0]) == value


@pytest.mark.parametrize("cell", ["<c><f>A1+1</f></c>", "<c><f>A1+1</f><v/></c>"])
def test_a_formula_without_a_stored_result_is_empty_and_told(cell: str) -> None:
    [sheet] = workbooks.sheets(package(f"<row><c><v>1</v></c>{cell}</row>"), TableQuota())
    assert (sheet.rows, len(sheet.notes)) == ([["1"]], 1)


def test_a_string_before_the_first_one_is_no_string() -> None:
    with pytest.raises(UnreadableTable, match="not a workbook"):
        one(package('<row><c t="s"><v>-1</v></c></row>', strings="<sst><si><t>x</t></si></sst>"), "t.xlsx")


def test_no_sheet_and_no_archive_with_extreme_fields_is_more_than_a_sentence() -> None:
    """Seeded: row and column numbers, and the 16 and 32-bit fields of the ZIP, set to what breaks counting."""
    told = set(in_a_process_of_its_own("summarise_extremes").splitlines())
    assert "a table" in told
    assert len(told) > 2
    assert all(line == "a table" or re.fullmatch(r"It .*\.", line) for line in told), told


def test_no_broken_xml_of_a_sheet_is_more_than_a_sentence() -> None:
    """Seeded: octets of the parts themselves are changed, which a changed archive would hide behind its checksums."""
    rows = '<row r="1"><c r="A1" t="s" s="1"><v>0</v></c><c r="B1" s="2"><v>45292.5</v></c></row>' * 3
    with zipfile.ZipFile(io.BytesIO(package(rows, strings="<sst><si><t>x</t></si></sst>", styles=STYLES))) as whole:
        parts = {name: whole.read(name) for name in whole.namelist()}
    chosen = random.Random(1)  # noqa: S311 - the same every time
    read_tables, sentences = 0, set()
    for _ in range(2_000):
        name = chosen.choice(["xl/worksheets/sheet1.xml", "xl/styles.xml", "xl/sharedStrings.xml", "xl/workbook.xml"])
        broken = bytearray(parts[name])
        for _ in range(chosen.randint(1, 4)):
            broken[chosen.randrange(len(broken))] = chosen.choice(b'<>/="0123456789rstvcA&; \xff')
        stream = io.BytesIO()
        with zipfile.ZipFile(stream, "w") as made:
            for part, content in (parts | {name: bytes(broken)}).items():
                made.writestr(part, content)
        try:
            read_tables += len(read("t.xlsx", stream.getvalue(), TableQuota()))
        except UnreadableTable as error:
            sentences.add(str(error))
    assert read_tables
    assert sentences
    assert all(re.fullmatch(r"It .*\.", sentence) for sentence in sentences)


NUMBERS = [0, 1, 2, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 2**63 - 1, 2**64, 10**30, -1]


def summarise_extremes() -> None:
    bound_memory()
    chosen = random.Random(1)  # noqa: S311 - the same every time
    for _ in range(3_000):
        content = extreme_cell(chosen) if chosen.random() < 0.5 else extreme_archive(chosen)
        try:
            read("t.xlsx", content, TableQuota())
            print("a table")  # noqa: T201
        except UnreadableTable as error:
            print(error)  # noqa: T201


def extreme_cell(chosen: random.Random) -> bytes:
    row, number, style, value, count = (chosen.choice(NUMBERS) for _ in range(5))
    place = f"{chosen.choice(['', 'A', 'XFD', 'ZZZZ', 'a' * 12])}{number}"
    cell = f'<c r="{place}" s="{style}" t="{chosen.choice(["s", "n", "b"])}"><v>{value}</v></c>'
    strings = f'<sst count="{count}" uniqueCount="{count}"><si><t>x</t></si></sst>'
    return package(f'<row r="{row}">{cell}</row>', strings=strings)


def extreme_archive(chosen: random.Random) -> bytes:
    octets = bytearray(package('<row r="1"><c r="A1" t="s"><v>0</v></c></row>', strings="<sst><si><t>x</t></si></sst>"))
    records = [at for at in range(len(octets) - 22) if octets[at : at + 2] == b"PK"]
    for _ in range(chosen.randint(1, 3)):
        width = chosen.choice([2, 4])
        at = min(chosen.choice(records) + chosen.randrange(4, 46), len(octets) - width)
        value = chosen.choice([*NUMBERS[:8], len(octets) - 1, len(octets), len(octets) + 1])
        octets[at : at + width] = (value % 256**width).to_bytes(width, "little")
    return bytes(octets)
