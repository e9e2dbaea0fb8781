"""One megabyte of each hostile kind of line and of HTML: the seconds that telling a reply, and making a text, take.

    python -m bench.texts

What grows faster than its input shows as a second number above 2: the time for 1 MB by the time for half of it.
"""

import sys
import time
from collections.abc import Callable

from mailstep.parse.html_text import html_text
from mailstep.parse.replies.splitting import split

OCTETS = 1_000_000

LINES: dict[str, str] = {
    "quote marks": ">\n",
    "deep quotes": ">" * 400 + "\n",
    "quotes with answers": "> q\n\na\n\n",
    "quoted attributions": "> On 5 May 2025 at 10:00, Bob <b@x.example> wrote:\n\n",
    "wrapped quotes": "> " + "x" * 70 + "\nx\n",
    "colons": ":\n",
    "addresses and colons": "a@b:\n",
    "verbs": "wrote:\n",
    "attributions": "On 5 May 2025 at 10:00, Bob <b@x.example> wrote:\n> q\n",
    "nearly attributions": "On 5 May 2025 at 10:00, Bob <b@x.example> said:\n",
    "long lines before an attribution": ("a@b " * 95 + "\n") * 4 + "a@b:\n",
    "starters in one line": "On 5 May " * 44 + "a@b wrote\n",
    "attributions and empty lines": "Bob <b@x.example> wrote:" + "\n" * 39,
    "fields": "From: a\nTo: b\nDate: c\nCc: d\n",
    "headers without an end": "From: a@b\nTo: b\nDate: c\nCc: d\nBcc: e\nReply-To: f\nImportance: g\nx\nx\n",
    "separators": "-----Original Messag-----\n",
    "forwards": "Begin forwarded messag:\n",
    "rules": "_" * 30 + "\nx\n",
    "delimiters": "-- \n",
    "delimiters without their space": "--\n",
    "telephones": "Sent from my iPhone\n",
    "empty lines": " \n",
    "fields above long rules": "From: a@b\n" + "_" * 3_000 + "\n",
    "quotes of open links": "> " + "(http:" * 5_000 + ")\nx\n> q\n",
    "headings without an end": "---" + "a" * 150 + "!\nOn 5 May 2025 at 10:00, Bob <b@x.example> wrote:\n> q\n\n",
    "dates below names": "Bob Lee\n05/05/2025 10:00 AM\nTo\nAnn\n",
    "dated fields": "From: a@b\nx: 2025 10:00\n",
}
"""27 kinds of lines, each made to be read again and again."""

ONE_LINE: dict[str, str] = {
    "stars": "*",
    "spaces": " ",
    "at signs": "@",
    "angle brackets": "<",
    "dates": "On 5 ",
    "times": "1:2 ",
}
"""Kinds of one line without an end."""

HTML: dict[str, str] = {
    "angle brackets": "<",
    "tags": "<a>",
    "tags without an end": "<a ",
    "quotes without an end": "<a b=\"'>",
    "attributes": '<a b="c" d=e f>',
    "paragraphs": "<p>x",
    "line ends": "<br>x",
    "block quotes": "<blockquote>x",
    "block quotes that end": "<blockquote>x</blockquote>",
    "lists": "<ul><li>x",
    "cells": "<table><tr><td>x",
    "paragraphs in cells": "<tr><td><p>x</p><p>y</p></td>",
    "hidden elements": '<div style="display:none">x',
    "comments in styles": '<b style="display:' + "/*" * 1_900 + '">x',
    "names in styles": '<b style="display:' + "a" * 3_800 + '">x',
    "declarations": '<b style="' + "display:none;" * 300 + '">x',
    "texts without an end": "<textarea><xmp>x",
    "preformatted": "<pre>\nx",
    "comments without an end": "<!--x>",
    "scripts without an end": "<title>x",
    "entities": "&ampampampampampampampampampampamp",
    "numbers": "&#99999999",
    "quotes that hide every end": '<a x=">"',
}
"""23 kinds of HTML."""


def of(kind: str, octets: int) -> str:
    """That many octets of a kind."""
    return (kind * (octets // len(kind) + 1))[:octets]


def measure(step: Callable[[str], object], kind: str) -> tuple[float, float]:
    """Seconds of processor time for 1 MB, and the ratio to half of it."""
    spent = []
    for octets in (OCTETS // 2, OCTETS):
        text = of(kind, octets)
        began = time.process_time()
        step(text)
        spent.append(time.process_time() - began)
    return spent[1], spent[1] / max(spent[0], 0.001)


def main() -> int:
    """Print the tables; 1 if a kind takes more than 3 seconds."""
    slow = 0
    for title, step, kinds in (("lines", split, LINES | ONE_LINE), ("HTML", html_text, HTML)):
        print(f"| {title} | s for 1 MB | growth |\n| --- | ---: | ---: |")
        for name, kind in kinds.items():
            seconds, growth = measure(step, kind)
            slow += seconds > 3
            print(f"| {name} | {seconds:.2f} | {growth:.1f} |")
    return 1 if slow else 0


if __name__ == "__main__":
    sys.exit(main())
