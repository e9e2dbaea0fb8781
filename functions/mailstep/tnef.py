"""Outlook's winmail.dat (TNEF): the attachments in it, by a library, or none where it cannot be read."""

import logging

from tnefparse import TNEF

from mailstep import bounds

logging.getLogger("tnef-decode").setLevel(logging.CRITICAL)  # it would log names of files


def unpack(octets: bytes, defects: list[str]) -> list[tuple[str, bytes]]:
    """The files in a winmail.dat as (name, content); empty where it is to be kept whole, which is noted."""
    if len(octets) > bounds.TNEF_OCTETS:
        defects.append("winmail.dat is too large to unpack: it is kept whole")
        return []
    try:
        packed = TNEF(octets)
        files = [(attachment.long_filename() or attachment.name, attachment.data) for attachment in packed.attachments]
        return [(name if isinstance(name, str) else "", bytes(data)) for name, data in files if data]
    except Exception:
        defects.append("winmail.dat cannot be read: it is kept whole")
        return []
