"""Reads delivery reports of mail systems (RFC 3464): what happened to a message, for each recipient."""

import re

from mailstep.contracts import DeliveryReport, ReportedRecipient
from mailstep.mime.fields import parse_unstructured, without_comments
from mailstep.mime.options import DEFAULTS
from mailstep.mime.structure import Part, header
from mailstep.mime.transfer_encoding import content

_EMPTY_LINES = re.compile(rb"(?:\r\n|\n|\r(?!\n))(?:[ \t]*+(?:\r\n|\n|\r(?!\n)))++")
# RFC 3464 section 2.1, RFC 6533 section 4.
_STATUS = {"message/delivery-status", "message/global-delivery-status"}


def delivery_report(root: Part) -> DeliveryReport | None:
    """The delivery report in a message; None if the message is not one."""
    report = _report(root)
    status = next((child for child in report.children if child.media_type in _STATUS), None) if report else None
    if status is None:
        return None
    octets = content(status, set())[: DEFAULTS.field_value]
    groups: list[dict[str, str]] = []
    # Empty lines separate the groups of fields (RFC 3464 section 2.1).
    for block in _EMPTY_LINES.split(octets.strip(b"\r\n")):
        fields, _ = header(block, 0, len(block), set())
        if fields:
            groups.append({name.lower(): " ".join(parse_unstructured(value).split()) for name, value in fields})
    return DeliveryReport(
        reporting_mta=_after_type(without_comments(groups[0].get("reporting-mta", ""))[0]) if groups else None,
        recipients=tuple(
            ReportedRecipient(
                final_recipient=_address(group.get("final-recipient")),
                original_recipient=_address(group.get("original-recipient")),
                action=_token(group.get("action")),
                status=_token(group.get("status")),
                diagnostic_code=_after_type(group.get("diagnostic-code")),
            )
            for group in groups
            if "final-recipient" in group or "action" in group
        ),
    )


def _report(root: Part) -> Part | None:
    """The report that a message is; a gateway may have put a footer beside it."""
    part = root.children[0] if root.media_type == "multipart/mixed" and root.children else root
    return part if part.media_type == "multipart/report" else None


def _token(value: str | None) -> str | None:
    """A value of one word, in lower case and without comments."""
    return next(iter(without_comments(value or "")[0].lower().split()), None)


def _address(value: str | None) -> str | None:
    return (_after_type(value) or "").strip("<> ") or None


def _after_type(value: str | None) -> str | None:
    """A value of RFC 3464 without the type before it, such as `rfc822;` or `smtp;`."""
    return value.partition(";")[2].strip() or value.strip() if value else None
