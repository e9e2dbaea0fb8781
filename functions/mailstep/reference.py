"""The short reference of an email, which a person can read out on the telephone."""

import hashlib

_LETTERS = "34679" + "ACDEFGHJ" + "KMNPQRTVWXY"
"""No two of these look or sound like another: without 0 and O, 1, I and L, 2 and Z, 5 and S, 8 and B, U and V."""
_LENGTH = 8


def short(email_id: str) -> str:
    """Eight characters that follow from the email_id alone, in capitals.

    Two of a million emails have the same reference about four times, so a reference may name two emails.
    """
    number = int.from_bytes(hashlib.sha256(email_id.encode()).digest()[:8])
    return "".join(_LETTERS[number // len(_LETTERS) ** place % len(_LETTERS)] for place in range(_LENGTH))


def spelled(email_id: str) -> str:
    """The reference of an email as people read it out: in two halves, as `7K4Q-MTXA`."""
    found = short(email_id)
    return f"{found[: _LENGTH // 2]}-{found[_LENGTH // 2 :]}"


def read(text: str) -> str | None:
    """The reference that a person wrote, as `short` has it, or None. Case, hyphens and spaces do not matter."""
    letters = "".join(text.upper().replace("-", "").split())
    return letters if len(letters) == _LENGTH and set(letters) <= set(_LETTERS) else None
