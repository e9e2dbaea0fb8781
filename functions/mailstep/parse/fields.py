"""The fields of a message's header, as the contracts have them."""

from datetime import datetime
from functools import partial

from mailstep.budget import Budget
from mailstep.contracts import Address
from mailstep.mime.defects import Defect
from mailstep.mime.fields import decode_words, parse_addresses, parse_date, parse_message_ids, unfold
from mailstep.mime.options import DEFAULTS
from mailstep.mime.structure import Part

_WITHOUT_ADDRESS = {
    "from": Defect.FROM_WITHOUT_ADDRESS,
    "to": Defect.TO_WITHOUT_ADDRESS,
    "cc": Defect.CC_WITHOUT_ADDRESS,
    "reply-to": Defect.REPLY_TO_WITHOUT_ADDRESS,
}


def field(root: Part, name: str) -> str:
    """The value of the first field of that name, unfolded; empty if there is no such field."""
    return unfold(root.first(name) or b"", root.hints)[: DEFAULTS.field_value]


def addresses(root: Part, name: str, defects: set[Defect]) -> tuple[Address, ...]:
    """The mailboxes of all fields of that name (RFC 5322 section 3.6.2 and 3.6.3)."""
    values = [value for raw in root.values(name) if (value := unfold(raw, root.hints))]
    if not values:
        return ()
    together = ", ".join(values)
    if len(together) > DEFAULTS.field_value:
        defects.add(Defect.ADDRESSES_TRUNCATED)
    found = parse_addresses(together[: DEFAULTS.field_value], hints=root.hints)
    if not found:
        defects.add(_WITHOUT_ADDRESS[name])
    return tuple(Address(name=one.name, address=one.address, group=one.group) for one in found)


def subject(root: Part) -> str:
    """The subject, decoded, on one line (RFC 5322 section 3.6.5)."""
    return " ".join(decode_words(field(root, "subject"), root.hints).split())


def date(root: Part, defects: set[Defect], budget: Budget) -> tuple[datetime | None, str | None]:
    """The date with its offset, and the field's text where it cannot be read (RFC 5322 section 3.6.1)."""
    sent = field(root, "date")
    when = budget.attempt(partial(parse_date, sent), None, defects, Defect.DATE_UNREADABLE)
    if sent and when is None:
        defects.add(Defect.DATE_UNREADABLE)
    return when, sent if sent and when is None else None


def message_id(root: Part, defects: set[Defect]) -> str | None:
    """The Message-ID (RFC 5322 section 3.6.4)."""
    value = field(root, "message-id")
    found = parse_message_ids(value)
    if value and not found:
        defects.add(Defect.MESSAGE_ID_UNREADABLE)
    return found[0] if found else None
