"""The files of a reply: each cleaned table as CSV, and all of an attachment as a workbook."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from pathlib import PurePath

from mailstep.contracts import AnswerAttachment, Attachment
from mailstep.filenames import cut, safe_filename
from mailstep.media_types import XLSX
from mailstep.process.processors.tables.csv_files import as_csv
from mailstep.process.processors.tables.limits import TooLargeToReturn
from mailstep.process.processors.tables.model import Table
from mailstep.process.processors.tables.xlsx_files import as_xlsx
from mailstep.texts.speaking import say

FILES_OCTETS = 26_000_000
"""Octets of all files of a reply: Base64 with its line ends adds 37 %, and SES's limit is 40,000,000."""
NAME_OCTETS = 120
"""Octets that the sender's own name has in the name of a file."""


@dataclass
class Files:
    """Makes the files of one reply, which together have at most `room` octets, and names that differ."""

    room: int = FILES_OCTETS
    taken: set[str] = field(default_factory=set)

    def of(self, attachment: Attachment, tables: Sequence[Table]) -> tuple[list[AnswerAttachment], list[str]]:
        """The files of an attachment's tables, and a sentence for each file that cannot be sent back."""
        files, problems = [], []
        for name, media_type, write in _wanted(attachment, tables):
            try:
                content = write(room=self.room)
            except TooLargeToReturn as reason:
                problems.append(say("tables.not_attached", file=name, reason=reason))
            else:
                self.room -= len(content)
                files.append(AnswerAttachment(filename=self._apart(name), media_type=media_type, content=content))
        return files, problems

    def _apart(self, name: str) -> str:
        stem, suffix = PurePath(name).stem, PurePath(name).suffix
        others = (f"{stem} {number}{suffix}" for number in count(2))
        while name.casefold() in self.taken:
            name = next(others)
        self.taken.add(name.casefold())
        return name


def _wanted(attachment: Attachment, tables: Sequence[Table]) -> Iterator[tuple[str, str, Callable[..., bytes]]]:
    name = PurePath(attachment.filename.removesuffix(".gz")).stem
    yield _name(name, "xlsx", *tables), XLSX, partial(as_xlsx, tables)
    for table in tables:
        # A file's own tables have its name already.
        apart = table.name.removeprefix(attachment.filename)
        apart = apart if apart != table.name else f" {table.name}"
        own = name if len(tables) == 1 else f"{cut(name, NAME_OCTETS // 2)}{apart}"
        yield _name(own, "csv", table), "text/csv", partial(as_csv, table)


def _name(name: str, extension: str, *tables: Table) -> str:
    if all(table.complete for table in tables):
        done = say("tables.cleaned")
    elif len(tables) == 1:
        done = say("tables.cleaned_first_rows", count=tables[0].rows)
    else:
        done = say("tables.cleaned_not_all")
    plain = cut(name.replace("/", "_").replace("\\", "_"), NAME_OCTETS)
    return safe_filename(f"{plain} ({done}).{extension}", "", 1)
