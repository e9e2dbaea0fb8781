"""Tables after the shapes of real exports: each program's own delimiter, notation, quoting, titles and totals."""

import csv
import io
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta

Column = tuple[str, str, Callable[[random.Random], str]]


@dataclass(frozen=True)
class Exported:
    """A file, and what a person reads in it."""

    content: bytes
    header: tuple[str, ...] | None
    kinds: list[str]
    rows: list[list[str]]


_NAMES = ["Müller", "O'Neill", "de la Cruz", 'Smith "Bob"', "Weiß, Anna", "Åkesson", "Dupont; fils", "X Æ"]
_NOTES = ["", "", "fragile", "call before\nnoon", '5" pipe', "see B, C", "a|b", "=1+1", "#3"]
_MARKS = ["", "N/A", "-", "NULL"]


def exported_tables(count: int, seed: int = 1) -> Iterator[Exported]:
    """So many tables, the same ones each time."""
    for number in range(count):
        yield _exported(random.Random(f"{seed} {number}"))  # noqa: S311 - the same every time


def _amount(chosen: random.Random, decimal: str, group: str, currency: str) -> str:
    shown = f"{chosen.random() * 10 ** chosen.randint(1, 6):,.2f}"
    return shown.replace(",", "\0").replace(".", decimal).replace("\0", group) + currency


def _day(chosen: random.Random, shape: str) -> str:
    return (date(2020, 1, 1) + timedelta(days=chosen.randrange(1_800))).strftime(shape)


def _columns(chosen: random.Random, decimal: str) -> list[Column]:
    group = chosen.choice([""] * 3 + [{",": ".", ".": ","}[decimal], " ", "'"])
    currency = chosen.choice(["", "", " €", "$"])
    shape = chosen.choice(["%Y-%m-%d", "%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y", "%Y-%m-%d %H:%M:%S", "%d-%b-%Y"])
    true, false = chosen.choice([("true", "false"), ("Yes", "No"), ("TRUE", "FALSE")])
    missing = chosen.random() < 0.3
    mark = chosen.choice(_MARKS)

    def number(r: random.Random) -> str:
        return mark if missing and r.random() < 0.1 else _amount(r, decimal, group, currency)

    known: list[Column] = [
        ("customer", "text", lambda r: r.choice(_NAMES)),
        ("zip", "text", lambda r: f"0{r.randrange(10_000):04}"),
        ("day", "date", lambda r: _day(r, shape)),
        ("amount", "number", number),
        ("count", "number", lambda r: str(r.randint(0, 500))),
        ("paid", "boolean", lambda r: r.choice([true, false])),
        ("phone", "text", lambda r: f"+49 {r.randint(30, 99)} {r.randint(100_000, 999_999)}"),
        ("share", "number", lambda r: f"{r.randint(1, 99)}{decimal}5%"),
        ("note", "text", lambda r: r.choice(_NOTES)),
        ("sku", "text", lambda r: f"{r.choice('ABC')}-{r.randint(100, 999)}"),
    ]
    picked = chosen.sample(known, chosen.randint(2, len(known)))
    return picked if any(kind != "text" for _, kind, _ in picked) else [*picked, known[4]]


def _exported(chosen: random.Random) -> Exported:
    decimal = chosen.choice([",", "."])
    delimiter = chosen.choice([";", "\t", "|", ";"] if decimal == "," else [",", ",", ",", "\t", ";", "|"])
    columns = _columns(chosen, decimal)
    rows = [[made(chosen) for _, _, made in columns] for _ in range(chosen.choice([12, 30, 100, 400]))]
    with_header = chosen.random() < 0.85
    header = tuple(name for name, *_ in columns)
    stream = io.StringIO()
    end = chosen.choice(["\r\n", "\n"])
    if chosen.random() < 0.3:
        writer = csv.writer(stream, delimiter=delimiter, quoting=csv.QUOTE_ALL, lineterminator=end)
    else:
        writer = csv.writer(stream, delimiter=delimiter, lineterminator=end)
    if delimiter == ";" and chosen.random() < 0.1:
        stream.write("sep=;\r\n")
    elif with_header and len(columns) > 2 and chosen.random() < 0.15:
        stream.write("Report of orders\r\n\r\n")
    writer.writerows([header, *rows] if with_header else rows)
    encoding = chosen.choice(["utf-8", "utf-8", "utf-8-sig", "cp1252", "utf-16"])
    kinds = [kind for _, kind, _ in columns]
    return Exported(stream.getvalue().encode(encoding), header if with_header else None, kinds, rows)
