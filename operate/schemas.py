"""The contracts as published in docs/: JSON Schema and tables of fields (`python -m operate.schemas docs`)."""

import json
import sys
from pathlib import Path

from mailstep.contracts import (
    Address,
    ApplicationRequest,
    Attachment,
    Contract,
    DeliveryReport,
    Digest,
    Message,
    ReportedRecipient,
    Verdicts,
)

PUBLISHED: dict[str, type[Contract]] = {
    "message": Message,
    "digest": Digest,
    "application-request": ApplicationRequest,
}


def schema(name: str) -> str:
    """The text of docs/schemas/<name>.json."""
    return json.dumps(PUBLISHED[name].model_json_schema(mode="serialization"), indent=2) + "\n"


def field_tables() -> str:
    """The text of docs/message.md: every field of the Message, with its RFC."""
    lines = ["# The Message, field by field", "", "Made by `make schemas` from `functions/mailstep/contracts.py`.", ""]
    for model in (Message, Address, Attachment, Verdicts, DeliveryReport, ReportedRecipient):
        lines += [f"## {model.__name__}", "", (model.__doc__ or "").strip(), "", "| field | meaning |", "| --- | --- |"]
        lines += [f"| `{f.alias or name}` | {f.description} |" for name, f in model.model_fields.items()]
        lines.append("")
    return "\n".join(lines)


def publish(docs: Path) -> None:
    """Write docs/schemas/ and docs/message.md."""
    for name in PUBLISHED:
        (docs / "schemas" / f"{name}.json").write_text(schema(name))
    (docs / "message.md").write_text(field_tables())


if __name__ == "__main__":
    publish(Path(sys.argv[1]))
