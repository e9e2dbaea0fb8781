"""Reads tables as the processor `tables` does, offline."""

from pathlib import Path
from typing import Any

from mailstep.contracts import Attachment, Message
from mailstep.process.each_attachment import Worked, work_on_each
from mailstep.process.processors.tables.limits import TableQuota
from mailstep.process.processors.tables.model import Table
from mailstep.process.processors.tables.reading import read
from mailstep_cli.message_files import read_file


def read_tables(path: Path) -> Worked[list[Table]]:
    """The tables of a file, or the sentence that the sender would be told.

    Raises:
        UserError: the file cannot be opened.
    """
    content = read_file(path)
    attachment = Attachment(filename=path.name, media_type="", size_octets=len(content), sha256="", key=path.name)
    message = Message(email_id="file", route="file", size_octets=len(content), attachments=(attachment,))
    [worked] = work_on_each(message, lambda _: content, lambda made, octets: read(made.filename, octets, TableQuota()))
    return worked


def table_as_json(table: Table, rows: int) -> dict[str, Any]:
    """A table with its first rows, as `--json` prints it."""
    return {
        "name": table.name,
        "encoding": table.encoding,
        "delimiter": table.delimiter,
        "header": None if table.header is None else list(table.header),
        "columns": [{"name": column.name, "kind": column.kind} for column in table.columns],
        "rows": table.rows,
        "body": [list(map(str, row)) for row in table.body[:rows]],
        "notes": list(table.notes),
    }
