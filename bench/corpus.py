"""Real messages that nobody here wrote (MAIL_CORPUS, or ../shared/corpus)."""

import os
from pathlib import Path

DIRECTORY = Path(os.environ.get("MAIL_CORPUS", Path(__file__).parents[2] / "shared" / "corpus"))


def files() -> list[Path]:
    """Every message of the corpus. If there is no corpus, the program ends and says what to set."""
    found = [path for path in sorted(DIRECTORY.glob("*/messages/**/*")) if path.is_file()]
    if not found:
        raise SystemExit(f"no messages in {DIRECTORY}: set MAIL_CORPUS")
    return found
