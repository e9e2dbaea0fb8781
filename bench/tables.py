"""Our reader of tables beside DuckDB, polars and pandas: CPU and memory on large CSV, and how much each reads right.

    python -m bench.tables

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
from collections.abc import Callable
from pathlib import Path

PROJECT = Path(__file__).parents[1]
CASES = PROJECT / "tests" / "cases" / "tables"
MB = 1_000_000
ROUNDS = 3


def ours(path: Path) -> None:
    """The reader of the processor `tables`."""
    from mailstep.process.processors.tables.limits import Budget  # noqa: PLC0415 - each in its own process
    from mailstep.process.processors.tables.reading import read  # noqa: PLC0415

    began()
    read(path.name, path.read_bytes(), Budget())


def duckdb(path: Path) -> None:
    """DuckDB: the table, and SUMMARIZE."""
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


CANDIDATES: dict[str, Callable[[Path], None]] = {"duckdb": duckdb, "ours": ours, "polars": polars, "pandas": pandas}
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


def score() -> None:
    """Print how many of the small delimited files in tests/cases each reads as a person does, told nothing."""
    import duckdb as library  # noqa: PLC0415
    import pandas as frames  # noqa: PLC0415

    from mailstep.process.processors.tables.limits import Budget  # noqa: PLC0415
    from mailstep.process.processors.tables.reading import read  # noqa: PLC0415

    def by_us(path: Path) -> tuple[list[str], list[list[str]]]:
        [table] = read(path.name, path.read_bytes(), Budget())
        return list(table.header or ()), table.body

    def by_duckdb(path: Path) -> tuple[list[str], list[list[str]]]:
        found = library.connect().execute("SELECT * FROM read_csv(?, all_varchar = true)", [str(path)])
        names = [name for name, *_ in found.description or ()]
        return names, [[cell or "" for cell in row] for row in found.fetchall()]

    def by_pandas(path: Path) -> tuple[list[str], list[list[str]]]:
        frame = frames.read_csv(path, sep=None, engine="python", dtype=str, keep_default_na=False)
        return list(frame.columns), frame.to_numpy().tolist()

    expected = {
        name: value
        for name, value in json.loads((CASES / "expected.json").read_text()).items()
        if isinstance(value, list) and value[5] and not name.endswith(".xlsx")
    }
    print(f"\n{len(expected)} small files of tests/cases/tables\n")
    print("| reader | cells | cells and header |\n| --- | ---: | ---: |")
    for reader in (by_us, by_duckdb, by_pandas):
        cells = headers = 0
        for name, (_, _, header, _, rows, body) in expected.items():
            try:
                names, read_body = reader(CASES / name)
            except Exception:  # noqa: S112 - counts as not read
                continue
            right = len(read_body) == rows and [list(map(str, row)) for row in read_body[: len(body)]] == body
            cells += right
            headers += right and (names == header or (header is None and not set(names) & set(body[0])))
        print(f"| {reader.__name__[3:]} | {cells / len(expected):.0%} | {headers / len(expected):.0%} |")


def main() -> None:
    """Print all tables."""
    with tempfile.TemporaryDirectory() as directory:
        small, large = Path(directory, "orders.csv"), Path(directory, "million.csv")
        orders(small, 10 * MB)
        compare("10 MB of CSV, eight columns", small)
        million(large)
        compare("1,000,000 rows of CSV, four columns, 31 MB", large)
    score()


if __name__ == "__main__":
    measure(sys.argv[1], Path(sys.argv[2])) if len(sys.argv) > 2 else main()
