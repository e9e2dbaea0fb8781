"""The program that reads an XLS workbook: octets on standard input, its cells as lines of JSON on standard output.

Its argument is the memory that it may take, in octets.

The first line has `formats` and `since_1904`; a sheet begins with a line of `name` and `hidden`; then each row is
`[row, [[column, kind, value, format], ...]]`, counted from 0.
"""

import json
import os
import resource
import sys
from collections.abc import Iterator
from typing import Any

MEMORY_BOUND = 640 * 1024 * 1024
"""Octets of address space at most. The first argument is less if the function needs more itself."""
OUTPUT_BOUND = 60 * 1024 * 1024
"""Octets of JSON: many cells may refer to one string."""
SECONDS_BOUND = 8
"""Seconds for a workbook: below the half of limits.ATTACHMENTS_SECONDS, which one attachment may take."""
ENCRYPTED, UNREADABLE, EXHAUSTED = 10, 11, 12
"""Exit codes: it has a password; it is no workbook; it needs too much memory, or holds too much."""
_TEXT, _NUMBER, _DATE, _BOOLEAN, _ERROR = 1, 2, 3, 4, 5  # xlrd.biffh.XL_CELL_…
_KINDS = {_TEXT: "s", _NUMBER: "n", _DATE: "n", _BOOLEAN: "b"}


def main() -> int:
    """Read the workbook; the result is the exit code."""
    memory = int(sys.argv[1])
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS_BOUND, SECONDS_BOUND))
    # Within the limits, and not where the function imports this module's constants.
    import xlrd  # noqa: PLC0415

    content = sys.stdin.buffer.read()
    try:
        with open(os.devnull, "w") as log:  # noqa: PTH123
            book = xlrd.open_workbook(file_contents=content, formatting_info=True, on_demand=True, logfile=log)
            left = OUTPUT_BOUND
            for line in _lines(book, xlrd.error_text_from_code):
                written = json.dumps(line, separators=(",", ":"), ensure_ascii=False).encode("utf-8", "replace")
                left -= len(written)
                if left < 0:
                    return EXHAUSTED
                sys.stdout.buffer.write(written + b"\n")
    except xlrd.XLRDError as error:
        return ENCRYPTED if "encrypted" in str(error).lower() else UNREADABLE
    except MemoryError:
        return EXHAUSTED
    except Exception:  # xlrd raises AssertionError, struct.error and others on broken files
        return UNREADABLE
    return 0


def _lines(book: Any, error_texts: dict[int, str]) -> Iterator[object]:
    codes = list(dict.fromkeys(_code(book, number) for number in range(len(book.xf_list)))) or ["General"]
    place = {code: number for number, code in enumerate(codes)}
    of_format = [place[_code(book, number)] for number in range(len(book.xf_list))] or [0]
    yield {"formats": codes, "since_1904": book.datemode == 1}
    for number in range(book.nsheets):
        sheet = book.sheet_by_index(number)
        yield {"name": sheet.name, "hidden": sheet.visibility != 0}
        for row in range(sheet.nrows):
            cells = []
            for column, cell in enumerate(sheet.row(row)):
                if cell.ctype == _ERROR:
                    cells.append((column, "e", error_texts.get(cell.value, "#N/A"), 0))
                elif cell.ctype in _KINDS:
                    style = of_format[cell.xf_index] if cell.xf_index is not None else 0
                    cells.append((column, _KINDS[cell.ctype], cell.value, style))
            if cells:
                yield row, cells
        book.unload_sheet(number)


def _code(book: Any, number: int) -> str:
    found = book.format_map.get(book.xf_list[number].format_key)
    return found.format_str if found else "General"


if __name__ == "__main__":
    sys.exit(main())
