"""The contracts as JSON Schema, as published in docs/schemas/: `python -m mailstep.schemas DIRECTORY` writes them."""

import json
import sys
from pathlib import Path

from mailstep.contracts import ApplicationRequest, Contract, Digest, Message

PUBLISHED: dict[str, type[Contract]] = {
    "message": Message,
    "digest": Digest,
    "application-request": ApplicationRequest,
}


def schema(name: str) -> str:
    """The text of docs/schemas/<name>.json."""
    return json.dumps(PUBLISHED[name].model_json_schema(mode="serialization"), indent=2) + "\n"


if __name__ == "__main__":
    for published in PUBLISHED:
        Path(sys.argv[1], f"{published}.json").write_text(schema(published))
