"""Our reader of tables beside DuckDB, polars and pandas: CPU and memory on large CSV, and how much each reads right.

    python -m bench.tables [READER FILE]

With a reader and a file, it prints that reader's CPU seconds for its import and for the work, and its peak of memory.

Each candidate runs in a process of its own, on the same files, made by a seed. CPU counts all threads, so this
machine's load does not matter much; the table gives ratios to DuckDB. Each reads a CSV file and summarises its columns.
"""

import csv
import json
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from tests.support.exported_tables import exported_tables

PROJECT = Path(__file__).parents[1]
CASES = PROJECT / "tests" / "cases" / "tables"
MB = 1_000_000
ROUNDS = 3
EACH = 12  # tables of each shape


def ours(path: Path) -> None:
    """The reader of the processor `tables`."""
    from mailstep.process.processors.tables.limits import TableQuota  # noqa: PLC0415 - each in its own process
    from mailstep.process.processors.tables.reading import read  # noqa: PLC0415

    began()
    read(path.name, path.read_bytes(), TableQuota())


def duckdb(path: Path) -> None:
    """DuckDB: the table, SUMMARIZE, and the most frequent values of each column."""
    import duckdb as library  # noqa: PLC0415

    began()
    connection = library.connect()
    connection.execute("CREATE TABLE t AS SELECT * FROM read_csv(?)", [str(path)])
    connection.execute("SUMMARIZE t").fetchall()
    for name, *_ in connection.execute("DESCRIBE t").fetchall():
        connection.execute(f'SELECT "{name}", count(*) FROM t GROUP BY ALL ORDER BY 2 DESC LIMIT 3').fetchall()  # noqa: S608


def duckdb_without_values(path: Path) -> None:
    """DuckDB: the table, and SUMMARIZE, which counts no value."""
    import duckdb as library  # noqa: PLC0415

    began()
    connection = library.connect()
    connection.execute("CREATE TABLE t AS SELECT * FROM read_csv(?)", [str(path)])
    connection.execute("SUMMARIZE t").fetchall()


def polars(path: Path) -> None:
    """Polars: the frame, its description, and the values of each column."""
    import polars as library  # noqa: PLC0415

    began()
    frame = library.read_csv(path, try_parse_dates=True)
    frame.describe()
    for name in frame.columns:
        frame[name].value_counts()


def pandas(path: Path) -> None:
    """Pandas: the same."""
    import pandas as library  # noqa: PLC0415

    began()
    frame = library.read_csv(path)
    frame.describe(include="all")
    for name in frame.columns:
        frame[name].value_counts()


CANDIDATES: dict[str, Callable[[Path], None]] = {
    "duckdb": duckdb,
    "duckdb, SUMMARIZE only": duckdb_without_values,
    "ours": ours,
    "polars": polars,
    "pandas": pandas,
}
_BEGAN = [0.0]


def began() -> None:
    """The libraries are imported: what follows is work."""
    _BEGAN[0] = time.process_time()


def measure(name: str, path: Path) -> None:
    """Print seconds of CPU for the import and for the work, and MB at the peak, of one candidate."""
    CANDIDATES[name](path)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(_BEGAN[0], time.process_time() - _BEGAN[0], peak)


def orders(path: Path, octets: int) -> None:
    """A CSV file of orders: keys, dates, names, amounts, truth values, remarks."""
    chosen = random.Random(1)  # noqa: S311 - the same every time
    with path.open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["order_id", "date", "customer", "sku", "quantity", "price", "paid", "note"])
        number = 100_000
        while stream.tell() < octets:
            number += 1
            day = f"2024-{chosen.randint(1, 12):02}-{chosen.randint(1, 28):02}"
            customer, sku = f"Customer {chosen.randrange(5_000)}", f"SKU-{chosen.randint(1, 2_000):05}"
            price, note = f"{chosen.random() * 500:.2f}", chosen.choice(["", "", "fragile", "call before, please"])
            paid = chosen.choice(["true", "false"])
            writer.writerow([number, day, customer, sku, chosen.randint(1, 20), price, paid, note])


def million(path: Path) -> None:
    """A CSV file of a million rows of four columns."""
    chosen = random.Random(1)  # noqa: S311 - the same every time
    with path.open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["id", "day", "amount", "city"])
        for number in range(1_000_000):
            day = f"2024-{chosen.randint(1, 12):02}-{chosen.randint(1, 28):02}"
            writer.writerow([number, day, f"{chosen.random() * 500:.2f}", chosen.choice(["Bern", "Köln", "Oslo"])])


def compare(title: str, path: Path) -> None:
    """Print a table of all candidates on one file: the median of the rounds."""
    print(
        f"\n{title}\n\n| reader | CPU s | DuckDB = 1 | import, CPU s | peak MB |\n| --- | ---: | ---: | ---: | ---: |"
    )
    first = 0.0
    for name in CANDIDATES:
        rounds = []
        for _ in range(ROUNDS):
            command = [sys.executable, "-W", "ignore", "-m", "bench.tables", name, str(path)]
            ended = subprocess.run(command, capture_output=True, text=True, check=True, cwd=PROJECT)
            rounds.append(tuple(map(float, ended.stdout.split())))
        imported, work, peak = sorted(rounds, key=lambda each: each[1])[ROUNDS // 2]
        first = first or work
        print(f"| {name} | {work:.2f} | {work / first:.1f} | {imported:.2f} | {peak:.0f} |")


Found = tuple[list[str], list[list[str]], list[str]]
"""Names of the columns, cells, and kinds of the columns, as a reader sees them."""
_KINDS_OF_DUCKDB = {
    "BIGINT": "number",
    "DOUBLE": "number",
    "HUGEINT": "number",
    "DATE": "date",
    "TIME": "date",
    "BOOLEAN": "boolean",
}


def by_ours(path: Path) -> Found:
    """What the processor `tables` reads."""
    from mailstep.process.processors.tables.limits import TableQuota  # noqa: PLC0415
    from mailstep.process.processors.tables.reading import read  # noqa: PLC0415

    [table] = read(path.name, path.read_bytes(), TableQuota())
    return list(table.header or ()), [*table.body], [column.kind for column in table.columns]


def by_duckdb(path: Path) -> Found:
    """What DuckDB reads: the cells as text, the kinds by its own types."""
    import duckdb as library  # noqa: PLC0415

    found = library.connect().execute("SELECT * FROM read_csv(?, all_varchar = true)", [str(path)])
    names = [name for name, *_ in found.description or ()]
    rows = [[(cell or "").strip() for cell in row] for row in found.fetchall()]
    types = library.connect().execute("DESCRIBE SELECT * FROM read_csv(?)", [str(path)]).fetchall()
    kinds = ["date" if kind.startswith("TIMESTAMP") else _KINDS_OF_DUCKDB.get(kind, "text") for _, kind, *_ in types]
    return names, rows, kinds


def by_pandas(path: Path) -> Found:
    """What pandas reads with its search for the delimiter: the cells as text, the kinds by its own types."""
    import pandas as library  # noqa: PLC0415

    frame = library.read_csv(path, sep=None, engine="python", dtype=str, keep_default_na=False)
    typed = library.read_csv(path, sep=None, engine="python")
    kinds = [
        "boolean" if kind == "bool" else "number" if kind in ("int64", "float64", "uint64") else "text"
        for kind in map(str, typed.dtypes)
    ]
    return list(frame.columns), [[cell.strip() for cell in row] for row in frame.to_numpy().tolist()], kinds


def score(
    title: str, directory: Path, tables: Iterable[tuple[str, bytes, list[str] | None, list[list[str]], list[str]]]
) -> None:
    """Print how many tables each reads as a person does, told nothing: the cells, the header too, the kinds too."""
    counts, total = {reader: [0, 0, 0] for reader in (by_ours, by_duckdb, by_pandas)}, 0
    for name, content, header, rows, kinds in tables:
        total += 1
        path = directory / name
        path.write_bytes(content)
        for reader, count in counts.items():
            try:
                names, cells, found = reader(path)
            except Exception:  # noqa: S112 - counts as not read
                continue
            right = cells[: len(rows)] == rows
            named = right and (header == names or (header is None and not {*names} & {*rows[0]}))
            # An empty column has no kind.
            typed = named and all(own in (kind, "empty") for own, kind in zip(kinds, found, strict=True))
            for place, held in enumerate((right, named, typed)):
                count[place] += held
    print(f"\n{total} {title}\n\n| reader | cells | header too | kinds too |\n| --- | ---: | ---: | ---: |")
    for reader, count in counts.items():
        print(f"| {reader.__name__[3:]} | " + " | ".join(f"{held / total:.0%}" for held in count) + " |")


def small_files() -> Iterator[tuple[str, bytes, list[str] | None, list[list[str]], list[str]]]:
    """The small delimited files in tests/cases of which all rows are known."""
    for name, expected in json.loads((CASES / "expected.json").read_text()).items():
        if isinstance(expected, list) and expected[5] and not name.endswith(".xlsx"):
            _, _, header, kinds, _, body = expected
            yield name, (CASES / name).read_bytes(), header, body, kinds.split()


def exports() -> Iterator[tuple[str, bytes, list[str] | None, list[list[str]], list[str]]]:
    """Tables after the shapes of real exports."""
    for number, made in enumerate(exported_tables(EACH)):
        rows = [[cell.strip() for cell in row] for row in made.rows]
        yield f"{number}.csv", made.content, list(made.header) if made.header else None, rows, made.kinds


def main() -> None:
    """Print all tables."""
    with tempfile.TemporaryDirectory() as directory:
        small, large = Path(directory, "orders.csv"), Path(directory, "million.csv")
        orders(small, 10 * MB)
        compare("10 MB of CSV, eight columns", small)
        million(large)
        compare("1,000,000 rows of CSV, four columns, 31 MB", large)
        score("small files of tests/cases/tables, each with a fault of its own", Path(directory), small_files())
        score("tables after the shapes of real exports (tests/support/exported_tables.py)", Path(directory), exports())


if __name__ == "__main__":
    measure(sys.argv[1], Path(sys.argv[2])) if len(sys.argv) > 2 else main()
