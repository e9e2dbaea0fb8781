"""The default processor: a digest of what was received, with a summary of each table."""

from mailstep.contracts import Attachment, Digest, Message
from mailstep.processors import OpenAttachment
from mailstep.rendering import render
from mailstep.tables import Table, UnreadableTable, is_table, summarise


def process(message: Message, open_attachment: OpenAttachment) -> Digest:
    """Answer with what arrived: size, attachments, and for tables rows, columns and figures per column."""
    received = [_received(attachment, open_attachment) for attachment in message.attachments]
    context = {"message": message, "received": received}
    return Digest(text=render("receipt.txt.j2", **context), html=render("receipt.html.j2", **context))


def _received(attachment: Attachment, open_attachment: OpenAttachment) -> dict[str, object]:
    tables: list[Table] = []
    problem = None
    if is_table(attachment):
        try:
            tables = summarise(attachment, open_attachment(attachment))
        except UnreadableTable as error:
            problem = str(error)
    return {"attachment": attachment, "tables": tables, "problem": problem}
