"""Mutate real messages and hold the parser to its promises: no error but UnreadableEmail, bounded time and memory.

    python -m bench.fuzz --messages 200000 --seed 1

A failing message is written to .mailstep/fuzz/, named after its seed; the same seed makes the same messages.
"""

import argparse
import base64
import io
import random
import sys
import time
import tracemalloc
import zipfile
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Literal

from bench import corpus
from mailstep.budget import Budget
from mailstep.contracts import Message, StoredEmail
from mailstep.errors import UnreadableEmail
from mailstep.mime.defects import Defect
from mailstep.parse.message import parse

PROJECT = Path(__file__).parents[1]
EMAIL = StoredEmail(email_id="fuzz", route="fuzz", bucket="fuzz", key="inbound/fuzz/fuzz")
SECONDS_BOUND = 5.0
"""Processor time of one message: what else the machine does is not the parser's."""
MEMORY_FACTOR = 4
MEMORY_FLOOR = 16_000_000
"""Octets that any message may take: what the libraries and the bounds on small things need."""

_SPICE = (
    b"\0", b"\r", b"\n", b"\r\n\r\n", b"--", b"=?utf-8?q?=C3?=", b"=?x?b?a?=", b'"', b"(", b"<", b">", b";", b":", b"@",
    b"\xff\xfe", b"\x80", b"=", b"\nContent-Type: multipart/mixed; boundary=x\n\n--x\n",
    b"\nContent-Type: message/rfc822\n\n",
    b"\nContent-Transfer-Encoding: base64\n", b"charset=utf-7", b"charset=no-such\0", b"filename*0*=utf-8''%ff",
    b"begin 644 x\n", b"Date: 99999999999999\n", b"\xe2\x80\xae", b"../../etc/passwd",
    b"charset=iso-2022-jp\n\n\x1b$B-!\x1b(I1\x0e!!\x1bN!", b"charset=euc-jp", b"charset=shift_jis", b"charset=big5",
    b"charset=gb18030\n\n\x81\x30\x84\x31\xa4", b"charset=utf-16", b"charset=utf-32", b"charset=hz", b"charset=cp037",
    b"=?iso_8859-1:1987?q?=FC?=", b"=?big5?b?gUD/?=", b"\x1b$B", b"\xad\xa1\x8f\xa2\xb7", b"a\0" * 40, b"\xff\xfe\0\0",
    b"\nContent-Type: application/pkcs7-mime\n\n\x30\x80\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02\xa0\x80",
    b"charset=unicode_escape", b"charset=punycode", b"\\ud800", b"+2AA-", b" " * 9_000,
    b"\n--a" + b" " * 5_000, b"a" * 20_000,
    b"\nContent-Type: text/html\n\n", b"charset=windows-874", b"charset=iso-2022-jp-ms", b"\x1b$B\x2d\x21\x1b(B",
    b"\nOn Tue, 3 Jun 2025 at 9:15, Bob <b@x.example> wrote:\n", b"\nwrote:\n", b"\n>:\n", b"\n-- \n", b"\n--\n",
    b"\n-----Original Message-----\n", b"\nFrom: b@x.example\nSent: 3 Jun 2025\nTo: c\nSubject: d\n\n",
    b"\nSent from my iPhone\n", b"reply above this line", b"____________________\nx mailing list\n",
    b"<blockquote>", b"</blockquote>", b"<div style=display:none>", b"<div class=gmail_signature>", b"</div>", b"<pre>",
    b"<!--", b"<style>", b"<li>", b"<td>", b"&#99999999999;", b"&amp", b"<p a='",
    b"\nTo: a@b.example, c@d.example", b"\nX-A: \xf0\x9f\x98\x80", b"\n" * 3_000, b"On ", b"\n> ", b"--x--\n--x\n",
)  # fmt: skip


class NoNet(Budget):
    """Lets every fault through, so that what a budget would turn into a defect is seen."""

    def attempt[T](self, step: Callable[[], T], otherwise: T, defects: set[Defect], defect: Defect) -> T:
        """The step's own outcome, whatever it is."""
        return step()


_NUMBERED = ("application/ms-tnef", "application/vnd.ms-tnef", "application/zip", "application/pdf", "image/")
_ORDERS: tuple[Literal["little"], Literal["big"]] = ("little", "big")


def seeds() -> list[bytes]:
    """Real messages small enough to try by the thousand, and our own."""
    files = [*corpus.files(), *sorted((PROJECT / "events" / "emails").iterdir())]
    return [path.read_bytes() for path in files if path.stat().st_size < 60_000]


def mutate(originals: list[bytes], seed: int) -> bytes:
    """One message: a real one with a few things done to it."""
    choose = random.Random(seed)  # noqa: S311 - reproducible on purpose
    raw = bytearray(choose.choice(originals))
    for _ in range(choose.randint(1, 8)):
        at = choose.randrange(len(raw) + 1)
        match choose.randrange(7):
            case 0 if raw:
                raw[at % len(raw)] ^= 1 << choose.randrange(8)
            case 1:
                del raw[at:]
            case 2:
                raw[at:at] = choose.choice(_SPICE) * choose.choice((1, 1, 1, 50))
            case 3:
                other = choose.choice(originals)
                start = choose.randrange(len(other) + 1)
                raw[at:at] = other[start : start + choose.randrange(2_000)]
            case 4:
                del raw[at : at + choose.randrange(500)]
            case 5:
                raw[at:at] = raw[at : at + choose.randrange(2_000)] * choose.choice((1, 2, 20))
            case _:
                raw[at:at] = choose.randbytes(choose.randrange(50))
    return bytes(raw)


def binaries() -> list[tuple[str, bytes]]:
    """Files with counts and lengths in them, as (media type, content): attachments of real messages, and a ZIP."""
    found: list[tuple[str, bytes]] = []
    for raw in (path.read_bytes() for path in corpus.files() if path.stat().st_size < 2_000_000):
        kept: dict[str, bytes] = {}
        with suppress(UnreadableEmail):
            for attachment in parse(raw, EMAIL, kept.__setitem__).attachments:
                media_type = attachment.media_type_detected or attachment.media_type
                if media_type.startswith(_NUMBERED) and len(kept[attachment.key]) > 12:
                    found.append((media_type, kept[attachment.key]))
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as opened:
        opened.writestr("[Content_Types].xml", "<Types/>")
        opened.writestr("xl/workbook.xml", "<workbook/>" * 100)
    return [*found, ("application/zip", archive.getvalue())]


def with_wrong_numbers(files: list[tuple[str, bytes]], choose: random.Random) -> bytes:
    """A message with one of the files, in which a few counts or lengths are not what they were."""
    media_type, original = choose.choice(files)
    octets = bytearray(original)
    for _ in range(choose.randint(1, 4)):
        size, order = choose.choice((2, 4)), choose.choice(_ORDERS)
        # Where a number is small it is likely to be a count or a length.
        places = (choose.randrange(len(octets) - size + 1) for _ in range(20))
        numbers = [(at, int.from_bytes(octets[at : at + size], order)) for at in places]
        at, now = next((pair for pair in numbers if 0 < pair[1] <= len(octets)), numbers[0])
        wrong = choose.choice((0, 1, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFF, now - 1, now + 1, now * 2, len(octets)))
        octets[at : at + size] = (wrong % 256**size).to_bytes(size, order)
    head = f"From: a@b.example\r\nContent-Type: {media_type}\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    return head.encode() + base64.encodebytes(octets)


def begins_lines(part: str, text: str) -> bool:
    """Whether every line of a part is a line of the text, or the beginning of one, in order."""
    rows = iter(text.split("\n"))
    return not part or all(any(row.startswith(line) for row in rows) for line in part.split("\n"))


def broken_promise(raw: bytes, *, watch_memory: bool) -> str | None:
    """What the parser did that it must not, or None."""
    if watch_memory:
        tracemalloc.start()
    began = time.process_time()
    try:
        message = parse(raw, EMAIL, lambda _key, _content: None, NoNet(), enclosed=True)
        said = message.to_json()
        if not watch_memory:
            Message.model_validate_json(said)
            if not begins_lines(message.reply_text, message.text):
                return "reply_text has a line that is not in text, or not there"
    except UnreadableEmail:
        pass
    except Exception as error:  # any other error is what this looks for
        return f"{type(error).__name__}: {error}"
    finally:
        peak = tracemalloc.get_traced_memory()[1] if watch_memory else 0
        if watch_memory:
            tracemalloc.stop()
    # Tracing memory makes all of it several times slower: then time says nothing.
    if not watch_memory and time.process_time() - began > SECONDS_BOUND:
        return f"took {time.process_time() - began:.1f} s of processor time"
    if peak > max(MEMORY_FLOOR, MEMORY_FACTOR * len(raw)):
        return f"took {peak:,} octets of memory for {len(raw):,}"
    return None


def _run(first: int, count: int) -> Counter[str]:
    originals, files = seeds(), binaries()
    found: Counter[str] = Counter()
    for seed in range(first, first + count):
        raw = mutate(originals, seed) if seed % 4 else with_wrong_numbers(files, random.Random(seed))  # noqa: S311
        # Tracing memory makes everything several times slower: every tenth message is watched.
        if wrong := broken_promise(raw, watch_memory=seed % 10 == 0):
            kept = PROJECT / ".mailstep" / "fuzz"
            kept.mkdir(parents=True, exist_ok=True)
            (kept / f"{seed}.eml").write_bytes(raw)
            found[wrong[:200]] += 1
    return found


def main() -> int:
    """Run, with progress; exit 1 where a promise was broken."""
    arguments = argparse.ArgumentParser(description="Fuzz the parser with mutated real messages.")
    arguments.add_argument("--messages", type=int, default=200_000)
    arguments.add_argument("--seed", type=int, default=1)
    asked = arguments.parse_args()
    seeds()  # ends here where there is no corpus, and not in each process
    chunk = 2_000
    starts = range(asked.seed, asked.seed + asked.messages, chunk)
    found: Counter[str] = Counter()
    began, done = time.perf_counter(), 0
    with ProcessPoolExecutor() as pool:
        sizes = [min(chunk, asked.seed + asked.messages - start) for start in starts]
        for size, result in zip(sizes, pool.map(_run, starts, sizes), strict=True):
            found += result
            done += size
            print(f"\r{done:,} messages, {sum(found.values())} broken promises", end="", file=sys.stderr)
    print(f"\n{done:,} messages in {time.perf_counter() - began:.0f} s; broken promises: {sum(found.values())}")
    for wrong, count in found.most_common():
        print(f"{count:6} {wrong}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
