"""Compound files (MS-CFB), built octet by octet."""

import struct

OLE = bytes.fromhex("d0cf11e0a1b11ae1")
"""How each begins."""


def compound(stream: bytes, name: str = "Workbook", mini: bool = False, class_id: bytes = bytes(16)) -> bytes:
    """A compound file with one stream, its sectors from the last to the first (MS-CFB sections 2.2 to 2.6).

    `class_id` is the CLSID of its root.
    """
    size = 64 if mini else 512
    stream = stream.ljust(-(-max(len(stream), 1) // size) * size, b"\0")
    parts = [stream[at : at + size] for at in range(0, len(stream), size)]
    count = len(parts)
    backwards = b"".join(reversed(parts))
    chain = [0xFFFFFFFE if number == 0 else number - 1 for number in range(count)]

    def entry(called: str, kind: int, start: int, octets: int) -> bytes:
        written = (called + "\0").encode("utf-16-le")
        return (
            written.ljust(64, b"\0")
            + struct.pack("<HBB", len(written), kind, 1)
            + struct.pack("<III", 0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF)
            + (class_id if kind == 5 else bytes(16))
            + bytes(20)
            + struct.pack("<IQ", start, octets)
        )

    # Sector 0: the FAT; 1: the directory; 2: the mini FAT; from 3 on: the stream, or the mini stream.
    if mini:
        whole = backwards.ljust(-(-len(backwards) // 512) * 512, b"\0")
        sectors = len(whole) // 512
        fat = [0xFFFFFFFD, 0xFFFFFFFE, 0xFFFFFFFE, *range(4, 3 + sectors), 0xFFFFFFFE]
        mini_fat, root, first = chain, entry("Root Entry", 5, 3, len(backwards)), count - 1
    else:
        whole = backwards
        fat = [0xFFFFFFFD, 0xFFFFFFFE, 0xFFFFFFFE, *(3 + n if n < 0xFFFFFFF0 else n for n in chain)]
        mini_fat, root, first = [], entry("Root Entry", 5, 0xFFFFFFFE, 0), 3 + count - 1
    assert len(fat) <= 128

    def table(numbers: list[int]) -> bytes:
        return struct.pack("<128I", *[*numbers, *[0xFFFFFFFF] * (128 - len(numbers))])

    header = OLE + bytes(16) + struct.pack("<HHHHH", 0x3E, 3, 0xFFFE, 9, 6) + bytes(6)
    header += struct.pack("<IIIIIIIII", 0, 1, 1, 0, 4096, 2, 1, 0xFFFFFFFE, 0)
    header += struct.pack("<109I", 0, *[0xFFFFFFFF] * 108)
    directory = root + entry(name, 2, first, len(stream) if mini else max(len(stream), 4096)) + bytes(256)
    return header + table(fat) + directory + table(mini_fat) + whole
