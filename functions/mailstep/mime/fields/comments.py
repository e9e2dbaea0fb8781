"""Comments in structured values (RFC 5322 section 3.2.2)."""

import re

# What has a meaning of its own in a structured value: a quoted pair, a quote, a parenthesis.
_MARK = re.compile(r"\\.|[\"()]", re.DOTALL)
_MARKS = ('"', "(", ")")


def without_comments(value: str) -> tuple[str, str, bool]:
    """A value with a space in place of each comment, the text of the last one, and whether all quotes and comments end.

    A comment that does not end is text.
    """
    if not any(mark in value for mark in _MARKS):
        return value, "", True
    outside: list[str] = []
    comment, quoted, closed, depth, at, begun = "", False, True, 0, 0, 0
    for mark in _MARK.finditer(value):
        if mark[0] == '"' and not depth:
            quoted = not quoted
        elif mark[0] == "(" and not quoted:
            begun = begun if depth else mark.end()
            depth += 1
        elif mark[0] == ")" and not quoted and depth:
            depth -= 1
            if not depth:
                outside.append(value[at : begun - 1])
                comment, at = value[begun : mark.start()], mark.end()
        elif mark[0] == ")" and not quoted:
            closed = False
    return " ".join([*outside, value[at:]]), comment.strip(), closed and not quoted and not depth
