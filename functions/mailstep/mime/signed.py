"""Protected mail: what is signed or encrypted (RFC 8551, RFC 3156), and the parts within opaque signed data."""

from dataclasses import dataclass, replace
from typing import Literal

from mailstep.mime.cms import NotReadable, Opened, open_cms
from mailstep.mime.defects import Defect
from mailstep.mime.options import DEFAULTS, Options
from mailstep.mime.structure import Part, leaves, structure
from mailstep.mime.transfer_encoding import content

Scheme = Literal["smime", "pgp"]
_SMIME = {"application/pkcs7-mime", "application/x-pkcs7-mime"}


@dataclass(frozen=True, slots=True)
class Protection:
    """How a message is signed and encrypted as a whole. Mailstep verifies and decrypts nothing."""

    signed: Scheme | None = None
    encrypted: Scheme | None = None


def open_signed(root: Part, defects: set[Defect], options: Options = DEFAULTS) -> Protection:
    """Add the content of each opaque S/MIME part as its child; return how the whole message is protected.

    The object identifier within says whether it is signed or encrypted; `smime-type` is optional, and often wrong.
    """
    kinds: dict[int, str | None] = {}
    room = options.parts - len(leaves(root))
    waiting = [(part, 1) for part in leaves(root) if _is_smime(part)]
    while waiting:
        part, depth = waiting.pop()
        opened = _open(part, defects, options)
        kinds[id(part)] = opened.kind
        if opened.content is None:
            continue
        if depth > options.signed_depth or room <= 0:
            defects.add(Defect.SIGNED_NOT_READ)
            continue
        defects.add(Defect.SIGNATURE_NOT_VERIFIED)
        part.children = [structure(opened.content, defects, replace(options, parts=room), top=False)]
        within = leaves(part)
        room -= len(within)
        waiting += [(inner, depth + 1) for inner in within if _is_smime(inner)]
    return _protection(root, kinds)


def _is_smime(part: Part) -> bool:
    if part.media_type in _SMIME:
        return True
    # Systems that do not know S/MIME make it a file (RFC 8551 section 3.9).
    return part.media_type == "application/octet-stream" and (part.disposition[1] or "").lower().endswith(".p7m")


def _open(part: Part, defects: set[Defect], options: Options) -> Opened:
    try:
        return open_cms(content(part, set()), options)
    except NotReadable:
        named = part.parameters.get("smime-type", "").lower()
        if named.startswith("signed"):
            defects.add(Defect.SIGNED_NOT_READ)
            return Opened("signed")
        return Opened("encrypted" if part.media_type in _SMIME and not named.startswith("cert") else None)


def _protection(root: Part, kinds: dict[int, str | None]) -> Protection:
    """Of the message as a whole: signed data may hold encrypted data, and the other way round."""
    found = Protection()
    part = root
    while True:
        kind = kinds.get(id(part)) or part.media_type.removeprefix("multipart/")
        types = {child.media_type for child in part.children}
        protocol = part.parameters.get("protocol", "").lower() or " ".join(types)
        scheme: Scheme = "pgp" if "pgp" in protocol else "smime"
        if kind == "signed":
            found = replace(found, signed=scheme)
        elif kind == "encrypted" or "application/pgp-encrypted" in types:  # Exchange makes it multipart/mixed
            found = replace(found, encrypted=scheme)
        if kind != "signed" or not part.children:
            return found
        part = part.children[0]
