"""The commands of docs/runbook.md, so that a test runs them as they are written."""

import re
import shlex

from tests.support.project import PROJECT

PAGE = (PROJECT / "docs" / "runbook.md").read_text()
SECTIONS = {part.partition("\n")[0]: part for part in re.split(r"^## ", PAGE, flags=re.MULTILINE)[1:]}
"""By its heading: each entry."""


def commands(heading: str, **placeholders: str) -> list[list[str]]:
    """The arguments of each `mailstep` command in the blocks of an entry; `<its name>` is filled in by its words.

    A placeholder `<the address>` is given as `the_address`. A command with one that is not given is left out.
    """
    found = []
    for line in re.findall(r"^    mailstep (.*)$", SECTIONS[heading], re.MULTILINE):
        for name, value in placeholders.items():
            line = line.replace(f"<{name.replace('_', ' ')}>", value)  # noqa: PLW2901
        if "<" not in line:
            found.append(shlex.split(line, comments=True))
    return found
