"""A processor for tables: what is in each column, the first rows, pictures of figures, and the cleaned table back."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import PurePath

from mailstep.contracts import Attachment, Digest, DigestAttachment, Message
from mailstep.pictures import bars
from mailstep.processors import OpenAttachment
from mailstep.rendering import render
from mailstep.tables import Column, Room, Table, UnreadableTable, as_csv, is_table, summarise

PICTURES_BOUND = 30
"""Pictures of one reply: beyond, nobody looks."""


@dataclass(frozen=True)
class _Received:
    """An attachment with what is to be said of it; `problem` is a sentence for the sender."""

    attachment: Attachment
    tables: tuple[Table, ...] = ()
    problem: str | None = None


def process(message: Message, open_attachment: OpenAttachment) -> Digest:
    """Answer with a summary of each table of the message, and the table itself as CSV in UTF-8."""
    room = Room()
    received = [_received(attachment, open_attachment, room) for attachment in message.attachments]
    tables = [(one, table) for one in received for table in one.tables]
    numbered = zip((column for _, table in tables for column in table.columns if column.spread), count(1), strict=False)
    pictures = {id(column): f"bars-{number}" for column, number in numbered if number <= PICTURES_BOUND}
    context = {"message": message, "received": received, "picture_of": lambda column: pictures.get(id(column))}
    return Digest(
        text=render("tables.txt.j2", **context),
        html=render("tables.html.j2", **context),
        attachments=(
            *_pictures([column for _, table in tables for column in table.columns], pictures),
            *(_cleaned(one.attachment, table, alone=len(one.tables) == 1) for one, table in tables),
        ),
    )


def _received(attachment: Attachment, open_attachment: OpenAttachment, room: Room) -> _Received:
    if not is_table(attachment):
        return _Received(attachment)
    try:
        return _Received(attachment, tuple(summarise(attachment, open_attachment(attachment), room)))
    except UnreadableTable as error:
        return _Received(attachment, problem=str(error))


def _pictures(columns: list[Column], identities: dict[int, str]) -> Iterator[DigestAttachment]:
    for column in columns:
        if identity := identities.get(id(column)):
            yield DigestAttachment.model_construct(
                filename=f"{identity}.png",
                media_type="image/png",
                content_base64=bars(column.spread),
                content_id=identity,
            )


def _cleaned(attachment: Attachment, table: Table, *, alone: bool) -> DigestAttachment:
    stem = PurePath(attachment.filename).stem
    name = stem if alone else f"{stem} {table.name}"
    return DigestAttachment.model_construct(
        filename=f"{name} (cleaned).csv", media_type="text/csv", content_base64=as_csv(table), content_id=None
    )
