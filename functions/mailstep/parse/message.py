"""Parses raw octets into a Message: finds the parts, decodes the text, and hands on the rest as attachments."""

from functools import partial

from mailstep.budget import Budget, OverBudget
from mailstep.contracts import Message, StoredEmail, TextKind
from mailstep.errors import UnreadableEmail
from mailstep.file_signatures import NOT_IN_TEXT
from mailstep.mime.bodies import Bodies, bodies
from mailstep.mime.defects import Defect, in_order
from mailstep.mime.fields import parse_message_ids, parse_unstructured
from mailstep.mime.signed import Protection, open_signed
from mailstep.mime.structure import Part, structure
from mailstep.parse.attachment_parts import NESTED, Attachments, Keep
from mailstep.parse.calendar import calendar_method
from mailstep.parse.delivery_reports import delivery_report
from mailstep.parse.enclosed import EnclosedMessages
from mailstep.parse.fields import addresses, date, field, message_id, subject
from mailstep.parse.recipients import Place, recipient
from mailstep.parse.replies.splitting import Reply, is_forwarded, split
from mailstep.parse.ses_verdicts import is_ses_field, received, ses_block, verdicts
from mailstep.parse.ses_verdicts import recipient as ses_recipient
from mailstep.parse.texts import TextBody, Texts, read_texts, unpacked_texts
from mailstep.parse.threads import FindThread, first_of, thread_id


def parse(
    raw: bytes,
    email: StoredEmail,
    keep: Keep,
    budget: Budget | None = None,
    *,
    enclosed: bool = False,
    place: Place | None = None,
    find_thread: FindThread = lambda _ses_message_id: None,
) -> Message:
    """Parse a message as SES stored it, whatever it is, within a budget; without one, time and memory are not bounded.

    `enclosed` says whether attached messages are read too, one level deep. `place` has the addresses of the route;
    without it, the message has no recipient. `find_thread` knows the replies that Mailstep sent.

    Raises:
        UnreadableEmail: nothing says it is an email (no header field but those that SES adds, and no text), or reading
            it takes more time or memory than the budget has.
    """
    try:
        with budget or Budget() as bound:
            message = _parse(raw, email, keep, bound, enclosed=enclosed, place=place)
    except OverBudget as error:
        raise UnreadableEmail(str(error)) from None
    # Asked outside of the budget: the ledger may be slow.
    return message.model_copy(update={"thread_id": thread_id(message.thread_id, find_thread)})


def _parse(
    raw: bytes, email: StoredEmail, keep: Keep, budget: Budget, *, enclosed: bool, place: Place | None
) -> Message:
    defects: set[Defect] = set()
    root = structure(raw, defects)
    if _is_no_email(raw, root):
        raise UnreadableEmail("it is not text and has no header field of its own")
    protection = budget.attempt(partial(open_signed, root, defects), Protection(), defects, Defect.SIGNED_NOT_READ)
    found = bodies(root)
    attachments = Attachments(email.email_id, keep, defects, budget)
    texts = _texts_and_files(root, found, attachments, defects, budget, enclosed=enclosed)
    body = texts.body
    block = ses_block(raw)
    report = budget.attempt(partial(delivery_report, root), None, defects, Defect.DELIVERY_REPORT_UNREADABLE)
    # The text of a delivery report quotes no one.
    reply = Reply(body.text, TextKind.PLAIN) if report else _reply(body, subject(root), defects, budget)
    asked = budget.attempt(partial(calendar_method, found.files), None, defects, Defect.PART_NOT_DECODED)
    when, date_raw = date(root, defects, budget)
    references, in_reply_to = field(root, "references"), parse_message_ids(field(root, "in-reply-to"))
    own_id = message_id(root, defects)
    to, cc = addresses(root, "to", defects), addresses(root, "cc", defects)
    return Message(
        email_id=email.email_id,
        route=email.route,
        raw_key=email.key,
        size_octets=len(raw) - (block.octets if block else 0),
        received=received(block),
        return_path=field(root, "return-path").strip("<> ") if root.first("return-path") is not None else None,
        from_=addresses(root, "from", defects),
        recipient=recipient(ses_recipient(block), (*to, *cc), place) if place else None,
        to=to,
        cc=cc,
        reply_to=addresses(root, "reply-to", defects),
        subject=subject(root),
        date=when,
        date_raw=date_raw,
        message_id=own_id,
        in_reply_to=in_reply_to,
        references=parse_message_ids(references),
        # Of the first message; `parse` makes it the id of the thread.
        thread_id=first_of(references, in_reply_to, own_id, email.email_id),
        text=body.text,
        text_from_html=body.from_html,
        html=texts.html or None,
        reply_text=reply.text,
        reply_kind=reply.kind,
        signature=reply.signature,
        quoted_text=reply.quoted,
        attachments=tuple(attachments.described),
        delivery_report=report,
        calendar_method=asked,
        signed=protection.signed,
        encrypted=protection.encrypted,
        verdicts=verdicts(block, (name for name, _ in root.fields)),
        headers=tuple((name, parse_unstructured(value, root.hints)) for name, value in root.fields),
        defects=in_order(defects),
    )


def _texts_and_files(
    root: Part, found: Bodies, attachments: Attachments, defects: set[Defect], budget: Budget, *, enclosed: bool
) -> Texts:
    """The texts of the message; adds its files to the attachments. The text may be only in a winmail.dat among them."""
    texts = read_texts(root, found, attachments, defects, budget)
    attachments.wants_body = texts.is_empty
    enclosed_messages = EnclosedMessages(attachments, budget) if enclosed else None
    for part in found.files:
        if enclosed_messages and part.media_type in NESTED:
            enclosed_messages.read(attachments.add_part(part), defects)
        else:
            attachments.add_part(part)
    return unpacked_texts(attachments.body, defects, budget) if attachments.body else texts


def _reply(body: TextBody, subject_line: str, defects: set[Defect], budget: Budget) -> Reply:
    """The text divided into reply, signature and history; all of it is the reply if that fails."""
    divide = partial(split, body.text, forwarded=is_forwarded(subject_line), hints=body.hints)
    return budget.attempt(divide, Reply(body.text, TextKind.PLAIN), defects, Defect.REPLY_NOT_FOUND)


def _is_no_email(raw: bytes, root: Part) -> bool:
    """Whether there are only fields that SES adds, and no text. Text alone counts as a body without a header."""
    if any(not is_ses_field(name) for name, _ in root.fields):
        return False
    stored_by_ses = any(name.lower().startswith("x-ses-") for name, _ in root.fields)
    if root.fields and not stored_by_ses:
        return False
    return not raw or bool(NOT_IN_TEXT.search(raw, root.start, root.start + 1_000))
