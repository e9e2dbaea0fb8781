"""Our parser beside the candidates: time a message on the corpus, time and peak memory on a message of 40 MB.

    python -m bench.parsing

All run in one process on the same messages, turn by turn, and the table gives ratios to ours: this machine's speed
does not matter. Each reads what a user of it reads: fields, text, HTML, and every attachment's decoded content. Ours
also detects media types, hashes, writes HTML as text, finds the reply's own text, and makes JSON; the line without
reply text shows what that costs. `mail-parser, with our outputs` does that work too, but for writing HTML as text: the
reply is found by mail-parser-reply, in all its languages. `only the structure` is the work of finding fields and parts.
"""

import base64
import contextlib
import hashlib
import io
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from email import message_from_bytes, policy
from email.header import decode_header, make_header
from pathlib import Path
from unittest.mock import patch

import fast_mail_parser
import filetype
import mailparser
from mailparser_reply import EmailReplyParser
from mailparser_reply.constants import MAIL_LANGUAGES

from bench import corpus
from mailstep.contracts import StoredEmail, TextKind
from mailstep.mime.structure import leaves, structure
from mailstep.parse import message
from mailstep.parse.replies.splitting import Reply

PROJECT = Path(__file__).parents[1]
EMAIL = StoredEmail(email_id="bench", route="bench", bucket="bench", key="inbound/bench/bench")
ROUNDS = 3
# One that is no language: it adds a name of the tests of that package.
LANGUAGES = sorted(set(MAIL_LANGUAGES) - {"david"})


def ours(raw: bytes) -> None:
    """ParseEmail's work, JSON included."""
    message.parse(raw, EMAIL, lambda _key, _content: None).to_json()


def ours_without_reply_text(raw: bytes) -> None:
    """The same without finding the reply's own text."""
    with patch("mailstep.parse.message.split", lambda text, **_: Reply(text, TextKind.PLAIN)):
        ours(raw)


def our_structure(raw: bytes) -> None:
    """The fields and parts, as octets."""
    leaves(structure(raw, set()))


def standard_library(raw: bytes) -> None:
    """`email` with policy.default, every part read."""
    message = message_from_bytes(raw, policy=policy.default)
    for name in ("from", "to", "cc", "subject", "date", "message-id"):
        _ = message[name]
    for part in message.walk():
        if not part.is_multipart():
            part.get_filename()
            part.get_content()


def compat32(raw: bytes) -> None:
    """`email` with policy.compat32, every part's octets read, and texts decoded as they are declared or as Latin-1."""
    message = message_from_bytes(raw, policy=policy.compat32)
    for name in ("from", "to", "cc", "subject", "date", "message-id"):
        str(make_header(decode_header(str(message.get(name, "")))))
    for part in message.walk():
        if part.is_multipart():
            continue
        part.get_filename()
        octets = part.get_payload(decode=True)
        if part.get_content_maintype() == "text" and isinstance(octets, bytes):
            with contextlib.suppress(LookupError):
                octets.decode(part.get_content_charset("utf-8"), errors="replace")


def compat32_structure(raw: bytes) -> None:
    """The fields and parts, as strings."""
    message_from_bytes(raw, policy=policy.compat32)


def mail_parser(raw: bytes) -> None:
    """SpamScope mail-parser."""
    message = mailparser.parse_from_bytes(raw)
    for name in ("from_", "to", "cc", "subject", "date", "message_id", "text_plain", "text_html", "attachments"):
        getattr(message, name)


def mail_parser_with_our_outputs(raw: bytes) -> None:
    """mail-parser and mail-parser-reply: all fields as JSON, the reply's text, and each attachment's type and hash."""
    message = mailparser.parse_from_bytes(raw)
    _ = message.mail_json
    for attachment in message.attachments:
        payload = attachment["payload"]
        octets = base64.b64decode(payload) if attachment["binary"] else payload.encode("utf-8", "replace")
        hashlib.sha256(octets).hexdigest()
        filetype.guess(octets[:8_192])
    EmailReplyParser(languages=LANGUAGES).parse_reply(text="\n".join(message.text_plain))


def fast_mail(raw: bytes) -> None:
    """fast-mail-parser (Rust)."""
    fast_mail_parser.parse_email(raw)


CANDIDATES: dict[str, Callable[[bytes], None]] = {
    "ours": ours,
    "ours, without reply_text": ours_without_reply_text,
    "ours, only the structure": our_structure,
    "standard library": standard_library,
    "standard library, compat32": compat32,
    "standard library, compat32, only the structure": compat32_structure,
    "mail-parser": mail_parser,
    "mail-parser, with our outputs": mail_parser_with_our_outputs,
    "fast-mail-parser": fast_mail,
}


def large() -> bytes:
    """A message of 40 MB: a short text and one attachment."""
    content = base64.encodebytes(bytes(range(256)) * 116_000)
    head = b"From: a@b.example\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nhello\r\n--b\r\n"
    return (
        head
        + b"Content-Type: application/pdf; name=a.pdf\r\nContent-Transfer-Encoding: base64\r\n\r\n"
        + content
        + b"--b--"
    )


def over_corpus(messages: list[bytes]) -> dict[str, tuple[float, int]]:
    """Seconds of processor time for the whole corpus (median of the rounds), and how many messages raised."""
    seconds: dict[str, list[float]] = {name: [] for name in CANDIDATES}
    raised: dict[str, int] = {}
    for _ in range(ROUNDS):
        for name, read in CANDIDATES.items():
            raised[name] = 0
            began = time.process_time()
            with contextlib.redirect_stderr(io.StringIO()):
                for raw in messages:
                    try:
                        read(raw)
                    except Exception:  # what is counted here
                        raised[name] += 1
            seconds[name].append(time.process_time() - began)
    return {name: (statistics.median(times), raised[name]) for name, times in seconds.items()}


def on_large(name: str, message: Path) -> tuple[float, float]:
    """Seconds of processor time, and MB of memory at the peak beyond what its process had before it read the file."""
    command = [sys.executable, "-W", "ignore", "-m", "bench.parsing", name, str(message)]
    seconds, peak = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    return float(seconds), float(peak)


def measure(name: str, message: Path) -> None:
    """Print seconds and MB for one candidate on one message, the message's own octets included."""
    Path("/proc/self/clear_refs").write_text("5")  # the high-water mark begins anew (proc(5))
    before = resident("VmRSS")
    raw = message.read_bytes()
    began = time.process_time()
    CANDIDATES[name](raw)
    took = time.process_time() - began
    print(took, (resident("VmHWM") - before) / 1024)


def resident(what: str) -> int:
    """Kilobytes of this process's memory: VmRSS now, VmHWM at its peak."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{what}:"))


def main() -> None:
    """Print both tables."""
    messages = [path.read_bytes() for path in corpus.files()]
    times = over_corpus(messages)
    own = times["ours"][0]
    print(f"{len(messages)} messages of the corpus, median of {ROUNDS} rounds\n")
    print("| parser | ms a message | time, ours = 1 | raised on |\n| --- | ---: | ---: | ---: |")
    for name, (seconds, raised) in times.items():
        print(f"| {name} | {seconds / len(messages) * 1000:.2f} | {seconds / own:.2f} | {raised} |")
    print(f"\nOne message of {len(large()) / 1e6:.0f} MB\n")
    print("| parser | s | time, ours = 1 | peak MB, the message included |\n| --- | ---: | ---: | ---: |")
    own_large = 0.0
    with tempfile.NamedTemporaryFile() as file:
        file.write(large())
        file.flush()
        for name in CANDIDATES:
            seconds, peak = on_large(name, Path(file.name))
            own_large = own_large or seconds
            print(f"| {name} | {seconds:.2f} | {seconds / own_large:.2f} | {peak:.0f} |")


if __name__ == "__main__":
    measure(sys.argv[1], Path(sys.argv[2])) if len(sys.argv) > 1 else main()
