"""Real messages that nobody here wrote: none raises, none loses a part, and other careful parsers agree."""

import json
import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from typer.testing import CliRunner

from mailstep.contracts import Address, Message
from mailstep.mime.defects import Defect
from mailstep.mime.structure import Part, structure
from mailstep.mime.transfer_encoding import content
from mailstep_cli.cli import app
from mailstep_cli.message_files import parse_file
from mailstep_cli.reference import schema


@dataclass(frozen=True)
class Parsed:
    raw: bytes
    message: Message
    contents: dict[str, bytes]


@pytest.fixture(scope="module")
def messages(corpus: Path) -> list[Path]:
    return sorted(path for path in corpus.glob("*/messages/**/*") if path.is_file())


@pytest.fixture(scope="module")
def parsed(messages: list[Path]) -> dict[Path, Message]:
    return {path: parse_file(path) for path in messages if path.stat().st_size}


def test_parse_exits_with_0_and_valid_json_for_every_message(messages: list[Path]) -> None:
    found = [str(path) for path in messages if path.stat().st_size]
    ended = CliRunner().invoke(app, ["parse", "--json", *found], standalone_mode=False)
    assert ended.return_value == 0, ended.stderr[-2000:]
    lines = [json.loads(line) for line in ended.stdout.splitlines()]
    assert [line.pop("file") for line in lines] == found
    validator = Draft202012Validator(json.loads(schema("message")))
    assert not [(line["id"], error.message) for line in lines for error in validator.iter_errors(line)]


# ---- The silent failures of INDEX.md ----


def test_no_from_that_a_reader_can_see_is_without_an_address_or_a_defect_that_says_why(
    parsed: dict[Path, Message],
) -> None:
    silent = [
        path
        for path, message in parsed.items()
        if any(value.strip() for value in message.header("From"))
        and not message.from_
        and Defect.FROM_WITHOUT_ADDRESS not in message.defects
    ]
    assert silent == []
    assert sum(1 for message in parsed.values() if message.from_) > 600


def test_no_body_is_lost_to_a_missing_or_wrong_boundary(parsed: dict[Path, Message]) -> None:
    lost = [
        path
        for path, message in parsed.items()
        if any(value.lower().startswith("multipart/") for value in message.header("Content-Type")[:1])
        and not message.text
        and not message.html
        and not message.attachments
        and Defect.PARTS_MISSING not in message.defects
        and Defect.BOUNDARY_MISSING not in message.defects
    ]
    assert {path.name for path in lost if has_content(path)} == set(EMPTY_PARTS)


# What looks like content in these is the text around parts that are really empty.
EMPTY_PARTS = ["multipartemptypart.msg", "multipartnestedemptypartsnorfc822.msg"]


def has_content(path: Path) -> bool:
    """Whether anything but delimiters and fields is in the body."""
    body = path.read_bytes().replace(b"\r\n", b"\n").partition(b"\n\n")[2]
    return bool([line for line in body.split(b"\n") if line.strip() and not re.match(rb"--|[\w-]+:|\s", line)])


def test_a_multipart_that_could_not_be_split_is_kept_as_an_attachment(parsed: dict[Path, Message]) -> None:
    for path, message in parsed.items():
        if {Defect.PARTS_MISSING, Defect.BOUNDARY_MISSING} & set(message.defects) and has_content(path):
            assert message.attachments or message.text or message.html, path


def test_every_attachment_has_a_usable_name(parsed: dict[Path, Message]) -> None:
    names = [attachment.filename for message in parsed.values() for attachment in message.attachments]
    assert len(names) > 300
    for name in names:
        assert name.strip(), name
        assert not re.search(r"[/\\\x00-\x1f]", name), name
        assert len(name) <= 255


def test_few_characters_are_lost(parsed: dict[Path, Message]) -> None:
    """INDEX.md counts 50 messages with U+FFFD in the body for the standard library, and 6 with NULs."""
    assert sum("\ufffd" in message.text or "\ufffd" in (message.html or "") for message in parsed.values()) <= 12
    assert not [path for path, message in parsed.items() if "\0" in message.text or "\0" in (message.html or "")]


# ---- mime4j: the decoded parts ----

# Where we differ on purpose, with the reason.
MIME4J_DIFFERS = {
    "bad-newlines-multiple-parts-base64_decoded_1_1_1": "a nested message is an attachment: we do not look into it",
    "malformedHeader-nocrlfcrlf_decoded_1": "mime4j drops the stray line; we begin the body with it",
    "malformedHeader-noheader_decoded_1": "mime4j drops text that has no header; we keep all of it as the body",
    "malformedHeaderStartsBody-noheader_decoded_1": "mime4j keeps the first line only; we keep all of it as the body",
    "malformedHeaderStartsBody-nocrlfcrlf_decoded_1": "mime4j drops what follows the stray line; we keep it",
    "missing-inner-boundary_decoded_1_2_1": "an empty part that mime4j sees in a multipart without its boundary",
    "multipartdigestnestedemptyparts_decoded_1_1_1_1": "a nested message is an attachment",
    "multipartemptypart_decoded_1_2": "an empty part that mime4j sees at the closing delimiter",
    "multipartnestedemptyparts_decoded_1_1_1_1": "an empty part that mime4j sees at the closing delimiter",
}


def test_decoded_parts_equal_those_of_mime4j(corpus: Path) -> None:
    sources = {path.stem: path for path in (corpus / "mime4j").glob("messages/**/*.msg")}
    expected = sorted(p for p in (corpus / "mime4j/expected").glob("*_decoded_*.*") if p.suffix != ".xml")
    assert len(expected) >= 20
    differing = set()
    for file in expected:
        named = re.match(r"(.*)_decoded_([\d_]+)$", file.stem)
        assert named
        raw = sources[named[1]].read_bytes()
        part = numbered(structure(raw, set())).get(named[2])
        if part is None or content(part, set()) != file.read_bytes():
            differing.add(file.stem)
    assert differing == set(MIME4J_DIFFERS)


def numbered(root: Part) -> dict[str, Part]:
    """Parts by mime4j's numbers: 1 is the message, 1_2 its second part."""
    found, waiting = {}, [("1", root)]
    while waiting:
        number, part = waiting.pop()
        found[number] = part
        waiting += [(f"{number}_{index}", child) for index, child in enumerate(part.children, start=1)]
    return found


# ---- Stalwart: header fields, bodies, attachments ----

STALWART_DIFFERS = {
    "malformed/016": {
        "text": "boundaries that are prefixes of each other and whose quotes never end: made to differ",
        "attachments": "the same",
    },
    "malformed/019": {
        "date": "octets were shot out of the header; Stalwart reads a date from what is no Date field",
        "text": "the same",
    },
    "rfc/004": {"from": "no address in it, and a defect that says so", "to": "the same"},
    "thirdparty/000": {"text": "we take NUL characters out"},
    "thirdparty/016": {"text": "there is only HTML: we write it as text, Stalwart leaves it as HTML"},
    "thirdparty/018": {"text": "the same"},
    "thirdparty/007": {"from": "`<moderator>` is no address that can be answered; a defect says so"},
}


def test_fields_bodies_and_attachments_agree_with_stalwart(corpus: Path) -> None:
    expected = sorted((corpus / "stalwart-mail-parser/expected").glob("**/*.json"))
    assert len(expected) >= 20
    differing = {}
    for file in expected:
        name = str(file.relative_to(corpus / "stalwart-mail-parser/expected").with_suffix(""))
        contents: dict[str, bytes] = {}
        message = parse_into(corpus / f"stalwart-mail-parser/messages/eml/{name}.eml", contents)
        if found := differences(json.loads(file.read_text()), message, contents):
            differing[name] = found
    assert differing == {name: set(reasons) for name, reasons in STALWART_DIFFERS.items()}


def parse_into(path: Path, contents: dict[str, bytes]) -> Message:
    from mailstep.contracts import StoredEmail  # noqa: PLC0415
    from mailstep.parse.message import parse  # noqa: PLC0415

    email = StoredEmail(email_id="file", route="file", bucket="file", key="inbound/file/file")
    return parse(path.read_bytes(), email, contents.__setitem__)


def differences(theirs: dict[str, Any], ours: Message, contents: dict[str, bytes]) -> set[str]:
    parts = theirs["parts"]
    fields: dict[str, list[Any]] = {}
    for field in parts[0]["headers"]:
        if isinstance(field["name"], str):
            fields.setdefault(field["name"], []).append(field["value"])
    subject = next((value.get("Text") for value in fields.get("subject", [])), None) or ""
    identifier = next((value.get("Text") for value in fields.get("message_id", [])), None)
    found = {
        "from": mailboxes(fields.get("from")) == pairs(ours.from_),
        "to": mailboxes(fields.get("to")) == pairs(ours.to),
        "cc": mailboxes(fields.get("cc")) == pairs(ours.cc),
        "reply_to": mailboxes(fields.get("reply_to")) == pairs(ours.reply_to),
        "subject": " ".join(subject.split()) == ours.subject,
        "message_id": identifier == (ours.message_id.strip("<>") if ours.message_id else None),
        "date": date_of(fields.get("date")) == (ours.date.strftime("%Y-%m-%d %H:%M:%S") if ours.date else None),
        "text": bodies(theirs["text_body"], parts, "Text") == ours.text,
        "html": bodies(theirs["html_body"], parts, "Html") == (ours.html or ""),
        "attachments": attachments(theirs, ours, contents),
    }
    return {name for name, same in found.items() if not same}


def pairs(addresses: tuple[Address, ...]) -> list[tuple[str, str]]:
    return [(address.name, address.address) for address in addresses]


def mailboxes(values: list[Any] | None) -> list[tuple[str, str]]:
    found = []
    for value in values or []:
        listed = value.get("Address", value)
        if isinstance(listed, dict):
            groups = listed.get("Group", [])
            inner = [mailbox for group in groups for mailbox in group["addresses"]]
            found += [(m["name"] or "", m["address"] or "") for m in [*listed.get("List", []), *inner]]
    return found


def date_of(values: list[Any] | None) -> str | None:
    first = values[0].get("DateTime") if values else None
    if not first:
        return None
    return "{year}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}".format(**first)


def bodies(numbers: list[int], parts: list[Any], kind: str) -> str:
    return "\n".join(lines(parts[number]["body"][kind]) for number in numbers if kind in parts[number]["body"])


def lines(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


def attachments(theirs: dict[str, Any], ours: Message, contents: dict[str, bytes]) -> bool:
    expected: list[bytes | None] = []
    for number in theirs["attachments"]:
        [(kind, value)] = theirs["parts"][number]["body"].items()
        if kind in {"Binary", "InlineBinary"}:
            expected.append(bytes(value))
        else:
            expected.append(value.encode() if kind in {"Text", "Html"} else None)
    found = [contents[attachment.key] for attachment in ours.attachments]
    same = [
        want is None or lines(want.decode("latin-1")) == lines(have.decode("latin-1"))
        for want, have in zip(expected, found, strict=False)
    ]
    return len(expected) == len(found) and all(same)


def test_the_defects_of_the_corpus_are_few_of_each_kind(parsed: dict[Path, Message]) -> None:
    """A parser that turned a defect into an everyday thing would show here."""
    counted = Counter(defect for message in parsed.values() for defect in message.defects)
    assert sum(counted.values()) < 0.4 * len(parsed)
