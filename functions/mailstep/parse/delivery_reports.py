"""Reads delivery reports of mail systems (RFC 3464): what happened to a message, for each recipient."""

import re

from mailstep.contracts import DeliveryReport, ReportedRecipient
from mailstep.mime.fields import parse_unstructured
from mailstep.mime.options import DEFAULTS
from mailstep.mime.structure import Part, header
from mailstep.mime.transfer_encoding import content

_EMPTY_LINE = re.compile(rb"\r\n\r\n|\n\n|\r\r")


def delivery_report(root: Part) -> DeliveryReport | None:
    """The delivery report in a message; None if the message is not one."""
    status = next((child for child in root.children if child.media_type == "message/delivery-status"), None)
    if root.media_type != "multipart/report" or status is None:
        return None
    octets = content(status, set())[: DEFAULTS.field_value]
    groups: list[dict[str, str]] = []
    # Empty lines separate the groups of fields (RFC 3464 section 2.1).
    for block in _EMPTY_LINE.split(octets):
        fields, _ = header(block, 0, len(block), set())
        if fields:
            groups.append({name.lower(): parse_unstructured(value) for name, value in fields})
    return DeliveryReport(
        reporting_mta=_after_type(groups[0].get("reporting-mta")) if groups else None,
        recipients=tuple(
            ReportedRecipient(
                final_recipient=_after_type(group.get("final-recipient")),
                original_recipient=_after_type(group.get("original-recipient")),
                action=(group.get("action") or "").lower() or None,
                status=group.get("status"),
                diagnostic_code=_after_type(group.get("diagnostic-code")),
            )
            for group in groups
            if "final-recipient" in group or "action" in group
        ),
    )


def _after_type(value: str | None) -> str | None:
    """A value of RFC 3464 without the type before it, such as `rfc822;` or `smtp;`."""
    return value.partition(";")[2].strip() or value.strip() if value else None
