"""Commands that work offline, on files: `parse`, `tables` and `process`."""

from pathlib import Path
from typing import Annotated

import typer

from mailstep_cli import display, message_files, processing
from mailstep_cli.commands.shared import out
from mailstep_cli.errors import UserError
from mailstep_cli.table_files import read_tables, table_as_json
from mailstep_cli.terminal import complain, print_json

app = typer.Typer()


@app.command(name="parse")
def parse_files(
    files: Annotated[list[Path], typer.Argument(help="Message files.")],
    as_json: Annotated[
        bool,
        typer.Option("--json", help="Print the Message contract (docs/message.md) as JSON, one line for each file."),
    ] = False,
    attachments: Annotated[Path | None, typer.Option(help="Directory to write the attachments to.")] = None,
) -> int:
    """Parse message files as ParseEmail does, and show the result. Works offline.

    Exits with 2 if a file is not a message. Defects in a message are not a failure.
    """
    ended = [_parse_one(path, attachments, as_json=as_json) for path in files]
    return 0 if all(ended) else 2


@app.command(name="tables")
def read_table_files(
    files: Annotated[list[Path], typer.Argument(help="CSV files, workbooks, or archives of them. No stack is needed.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print one line of JSON for each file.")] = False,
    rows: Annotated[int, typer.Option(min=0, metavar="NUMBER", help="Rows to show of each table.")] = 5,
) -> int:
    """Read tables as the processor `tables` does: show their encoding, header, kinds of columns, and first rows.

    Exits with 2 if a file has no table that can be read.
    """
    ended = [_read_one(path, rows, as_json=as_json) for path in files]
    return 0 if all(ended) else 2


@app.command(
    name="process",
    epilog="Example: mailstep process events/emails/order.eml --route orders",
)
def process_file(
    file: Annotated[Path, typer.Argument(help="A message file.")],
    route: Annotated[
        str, typer.Option(help="Route that the message comes to. A built-in processor must answer its mail.")
    ],
    as_json: Annotated[bool, typer.Option("--json", help="Print the outcome and the answer as JSON.")] = False,
) -> None:
    """Process a message as a route's built-in processor does, and show the reply. Works offline.

    The sender counts as authenticated, unless the file begins with the fields that SES puts on top.

    The rules of the policy that need a running stack do not apply; it prints their codes.
    """
    processed = processing.process_file(file, route)
    if as_json:
        print_json(processed.as_json(), indent=2)
    else:
        out.print(display.process_view(processed), crop=False)


def _parse_one(path: Path, attachments: Path | None, *, as_json: bool) -> bool:
    try:
        message = message_files.parse_file(path, attachments)
    except UserError as error:
        if as_json:
            print_json({"file": str(path), "error": str(error)})
        complain(str(error))
        return False
    if as_json:
        print_json({"file": str(path), **message.model_dump(mode="json")})
    else:
        out.print(display.message_view(str(path), message))
    return True


def _read_one(path: Path, rows: int, *, as_json: bool) -> bool:
    try:
        worked = read_tables(path)
        problem = worked.problem
    except UserError as error:
        worked, problem = None, str(error)
    if as_json:
        tables = [table_as_json(table, rows) for table in (worked and worked.result) or ()]
        print_json({"file": str(path), **({"error": problem} if problem else {"tables": tables})})
    elif problem:
        complain(f"{path.name}: {problem}" if worked else problem)
    else:
        out.print(display.tables_view(path, (worked and worked.result) or (), rows))
    return not problem
