"""What all records of the ledger share: their table, and the hashes that stand for addresses in their keys."""

from hashlib import sha256

from mailstep import settings


def table_name() -> str:
    """The ledger's table, which the environment of this function names."""
    return settings.Ledger.read().table_name


def digest(text: str) -> str:
    """The hash of a text in a key, as 64 hex digits: the table has no address in clear."""
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
