"""Raw octets to a Message: the structure found, the text to read decoded, everything else handed on as attachments."""

import re
from functools import partial

from mailstep.contracts import SUBJECT_IN_STATE, Address, Message, StoredEmail, Summary
from mailstep.errors import UnreadableEmail
from mailstep.mime.bodies import bodies
from mailstep.mime.defects import Defect
from mailstep.mime.fields import (
    decode_words,
    parse_addresses,
    parse_date,
    parse_message_ids,
    parse_unstructured,
    unfold,
)
from mailstep.mime.options import DEFAULTS
from mailstep.mime.structure import Part, structure
from mailstep.parse.attachments import Attachments, Keep
from mailstep.parse.budget import Budget, OverBudget
from mailstep.parse.delivery_reports import delivery_report
from mailstep.parse.reply_text import reply_text
from mailstep.parse.ses_verdicts import is_ses_field, received, ses_block, verdicts
from mailstep.parse.texts import read_text

_NO_TEXT = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f]")
_WITHOUT_ADDRESS = {
    "from": Defect.FROM_WITHOUT_ADDRESS,
    "to": Defect.TO_WITHOUT_ADDRESS,
    "cc": Defect.CC_WITHOUT_ADDRESS,
    "reply-to": Defect.REPLY_TO_WITHOUT_ADDRESS,
}


def parse(raw: bytes, email: StoredEmail, keep: Keep, budget: Budget | None = None) -> Message:
    """Parse a message as SES stored it, whatever it is, within a budget; without one, time and memory are not bounded.

    Raises:
        UnreadableEmail: nothing says it is an email (no header field but those that SES adds, and no text), or reading
            it takes more time or memory than the budget has.
    """
    try:
        with budget or Budget() as bound:
            return _parse(raw, email, keep, bound)
    except OverBudget as error:
        raise UnreadableEmail(str(error)) from None


def _parse(raw: bytes, email: StoredEmail, keep: Keep, budget: Budget) -> Message:
    defects: set[Defect] = set()
    root = structure(raw, defects)
    headers = tuple((name, parse_unstructured(value, root.hints)) for name, value in root.fields)
    if _is_no_email(raw, root):
        raise UnreadableEmail("it is neither text nor has a header field of its own")
    found = bodies(root)
    attachments = Attachments(raw, email.email_id, keep, defects, budget)
    text = read_text(raw, found.text, attachments, defects, budget)
    html = read_text(raw, found.html, attachments, defects, budget)
    for part in found.files:
        attachments.add_part(part)
    block = ses_block(root.fields)
    sent = _field(root, "date")
    when = budget.attempt(partial(parse_date, sent), None, defects, Defect.DATE_UNREADABLE)
    if sent and when is None:
        defects.add(Defect.DATE_UNREADABLE)
    return Message(
        email_id=email.email_id,
        route=email.route,
        size_octets=len(raw),
        received=received(block),
        return_path=_field(root, "return-path").strip("<> ") if root.first("return-path") is not None else None,
        from_=_addresses(root, "from", defects),
        to=_addresses(root, "to", defects),
        cc=_addresses(root, "cc", defects),
        reply_to=_addresses(root, "reply-to", defects),
        subject=" ".join(decode_words(_field(root, "subject"), root.hints).split()),
        date=when,
        date_raw=sent if sent and when is None else None,
        message_id=_message_id(root, defects),
        in_reply_to=parse_message_ids(_field(root, "in-reply-to")),
        references=parse_message_ids(_field(root, "references")),
        text=text,
        html=html or None,
        reply_text=budget.attempt(partial(reply_text, text), text, defects, Defect.REPLY_NOT_FOUND),
        attachments=tuple(attachments.described),
        delivery_report=budget.attempt(
            partial(delivery_report, raw, root), None, defects, Defect.DELIVERY_REPORT_UNREADABLE
        ),
        signed=_protection(root, "signed"),
        encrypted=_protection(root, "encrypted"),
        verdicts=verdicts(block),
        headers=headers,
        defects=tuple(defect for defect in Defect if defect in defects),
    )


def summary(message: Message) -> Summary:
    """What state may carry of a message."""
    return Summary(
        from_address=message.from_[0].address if message.from_ else None,
        subject=message.subject[:SUBJECT_IN_STATE],
        message_id=message.message_id,
        size_octets=message.size_octets,
        attachments=len(message.attachments),
    )


def _is_no_email(raw: bytes, root: Part) -> bool:
    """No field but those that SES adds, and content that is no text: bare text is taken for a body without a header."""
    if any(not is_ses_field(name) for name, _ in root.fields):
        return False
    stored_by_ses = any(name.lower().startswith("x-ses-") for name, _ in root.fields)
    if root.fields and not stored_by_ses:
        return False
    return not raw or bool(_NO_TEXT.search(raw, root.start, root.start + 1_000))


def _field(root: Part, name: str) -> str:
    return unfold(root.first(name) or b"", root.hints)[: DEFAULTS.field_value]


def _addresses(root: Part, name: str, defects: set[Defect]) -> tuple[Address, ...]:
    if root.first(name) is None:
        return ()
    values = [
        value for value in (unfold(raw, root.hints) for field, raw in root.fields if field.lower() == name) if value
    ]
    together = ", ".join(values)
    if len(together) > DEFAULTS.field_value:
        defects.add(Defect.ADDRESSES_TRUNCATED)
    found = parse_addresses(together[: DEFAULTS.field_value], hints=root.hints)
    if values and not found:
        defects.add(_WITHOUT_ADDRESS[name])
    return tuple(Address(name=one.name, address=one.address, group=one.group) for one in found)


def _message_id(root: Part, defects: set[Defect]) -> str | None:
    value = _field(root, "message-id")
    found = parse_message_ids(value)
    if value and not found:
        defects.add(Defect.MESSAGE_ID_UNREADABLE)
    return found[0] if found else None


def _protection(root: Part, what: str) -> str | None:
    """Whether the message is signed or encrypted as a whole, and how (RFC 8551 section 3, RFC 3156)."""
    if root.media_type == f"multipart/{what}":
        return "pgp" if "pgp" in root.parameters.get("protocol", "").lower() else "smime"
    if root.media_type in {"application/pkcs7-mime", "application/x-pkcs7-mime"}:
        kind = "signed" if root.parameters.get("smime-type", "").lower().startswith("signed") else "encrypted"
        return "smime" if kind == what else None
    return None
