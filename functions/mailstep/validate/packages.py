"""Finds programs by the octets of compound files: installers, and files that somebody put into a document."""

import re
import struct
from collections.abc import Iterator
from itertools import islice
from uuid import UUID

from mailstep.file_signatures import detected
from mailstep.validate import programs
from mailstep.validate.compound_file import CompoundFile

# The classes of packages, patches and transforms of Windows Installer.
_INSTALLERS = {UUID(f"000c108{kind}-0000-0000-c000-000000000046").bytes_le for kind in (2, 4, 6)}
# A document keeps a file in such a stream (MS-OLEDS section 2.3.6): the size and the kind of the data, its label and
# its name; the kind of the reference, and the path that it had; then the size of the file, and the file.
_PACKAGE = {"\x01ole10native"}
_PACKED = re.compile(rb".{4}\x02\0([^\0]*)\0([^\0]*)\0.{4}.{4}([^\0]*)\0.{4}(.*)", re.DOTALL)
_PACKAGES = 200  # files that are looked at; no document has so many
_OCTETS = 8_192  # of each: three names, and the beginning of the file


def programs_in(content: bytes) -> set[str]:
    """The types of the programs that a compound file is or has packed."""
    try:
        file = CompoundFile(content)
        found = {"application/x-msi"} if file.root_class in _INSTALLERS else set()
        packages = list(islice(file.streams(_PACKAGE, _OCTETS), _PACKAGES))
    except struct.error:
        return set()
    if len(packages) == _PACKAGES:
        found.add(programs.PROGRAM)
    return found.union(*map(_types, packages))


def _types(package: bytes) -> Iterator[str]:
    packed = _PACKED.match(package)
    if packed is None:
        return
    *names, data = packed.groups()
    kinds = [programs.of_name(name.decode("latin-1")) for name in names]
    yield from filter(None, (*kinds, programs.of_type(detected(data) or "")))
