"""Outlook's winmail.dat (TNEF): the attachments in it, by a library, or none where it cannot be read."""

import logging

from tnefparse import TNEF

from mailstep import bounds

logging.getLogger("tnef-decode").setLevel(logging.CRITICAL)  # it would log names of files


def unpack(octets: bytes, defects: list[str]) -> tuple[list[tuple[str, bytes]], bool]:
    """The files in a winmail.dat as (name, content), and whether that is all that is in it.

    Where it is not (it has a text of its own, or cannot be read) it is to be kept whole.
    """
    if len(octets) > bounds.TNEF_OCTETS or _objects(octets) > bounds.TNEF_OBJECTS:
        defects.append("winmail.dat is too large to unpack: it is kept whole")
        return [], False
    try:
        packed = TNEF(octets)
        files = [(attachment.long_filename() or attachment.name, attachment.data) for attachment in packed.attachments]
        found = [(name if isinstance(name, str) else "", bytes(data)) for name, data in files if data]
        return found, bool(found) and not (packed.body or packed.htmlbody or packed.rtfbody)
    except Exception:  # the library raises whatever a broken file makes it raise
        defects.append("winmail.dat cannot be read: it is kept whole")
        return [], False


def _objects(octets: bytes) -> int:
    """How many objects there are, up to the bound ([MS-OXTNEF] section 2.1.3: level, id, length, data, checksum)."""
    at, count = 6, 0
    while at + 9 <= len(octets) and count <= bounds.TNEF_OBJECTS:
        at += 11 + int.from_bytes(octets[at + 5 : at + 9], "little")
        count += 1
    return count
