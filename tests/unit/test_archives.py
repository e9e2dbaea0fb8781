"""ZIP archives at the edge of each limit, one octet or member to either side (APPNOTE, the ZIP file format).

A quota of a few octets stands for that of limits.py, so that the edges can be reached.
"""

import tracemalloc
from collections.abc import Callable, Iterable
from functools import partial
from zipfile import ZIP_BZIP2, ZIP_DEFLATED, ZIP_LZMA, ZIP_STORED

import pytest

from mailstep import limits
from mailstep.contracts import Attachment
from mailstep.validate import archives, contents
from mailstep.validate.archives import ArchiveQuota, may_be_zip
from tests.support.archives import archive, declaring

PLENTY = {"members": 100, "declared": 100_000, "inflated": 100_000}
INNER = archive(("a.csv", bytes(range(256)) * 4))


@pytest.fixture
def allow(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Sets what the archives of each message may contain; plenty of what is not named."""

    def allowed(**quota: int) -> None:
        monkeypatch.setattr(contents, "ArchiveQuota", partial(ArchiveQuota, **PLENTY | quota))

    return allowed


def are_a_bomb(zipped: Iterable[bytes]) -> bool:
    """Whether the policy's one look into the archives of a message finds a bomb."""
    named = {f"{number}.zip": content for number, content in enumerate(zipped)}
    files = [attachment(name, "application/zip") for name in named]
    return contents.look_into(files, lambda one: named[one.filename]).is_bomb


def nested(compression: int, inner: bytes = INNER, name: str = "n.zip") -> bytes:
    return archive((name, inner), compression=compression)


def test_a_message_may_have_as_many_members_as_the_limit_and_not_one_more(allow: Callable[..., None]) -> None:
    three = archive(("a", b""), ("b", b""), ("c", b""))
    for members, bomb in ((2, True), (3, False), (4, False)):
        allow(members=members)
        assert are_a_bomb([three]) == bomb, members
    for members, bomb in ((5, True), (6, False)):
        allow(members=members)
        assert are_a_bomb([three, three]) == bomb, members
        assert are_a_bomb([archive(("n.zip", three), ("b", b""), ("c", b""))]) == bomb, "nested ones count too"


def test_members_may_declare_as_many_octets_as_the_limit_and_not_one_more(allow: Callable[..., None]) -> None:
    for declared, bomb in ((999, True), (1000, False)):
        allow(declared=declared)
        assert are_a_bomb([declaring(1000)]) == bomb
        assert are_a_bomb([declaring(600), declaring(400)]) == bomb
        assert are_a_bomb([archive(("a", bytes(600)), ("b", bytes(400)))]) == bomb


def test_only_what_is_declared_counts_as_declared(allow: Callable[..., None]) -> None:
    """A nested archive, of many pieces: its own size, and that of its member."""
    inner = archive(("a.csv", bytes(3_000_000)), compression=ZIP_STORED)
    for declared, bomb in ((len(inner) + 3_000_000 - 1, True), (len(inner) + 3_000_000, False)):
        allow(declared=declared, inflated=10_000_000)
        assert are_a_bomb([archive(("n.zip", inner))]) == bomb


# What an octet costs: BZIP2 and LZMA take four times as long to inflate (validate/archives.py).
COSTS = [(ZIP_STORED, 1), (ZIP_DEFLATED, 1), (ZIP_BZIP2, 4), (ZIP_LZMA, 4)]


@pytest.mark.parametrize(("compression", "cost"), COSTS)
def test_a_nested_archive_may_inflate_to_the_limit_and_not_further(
    allow: Callable[..., None], compression: int, cost: int
) -> None:
    for inflated, bomb in ((cost * len(INNER) - 1, True), (cost * len(INNER), False)):
        allow(inflated=inflated)
        assert are_a_bomb([nested(compression)]) == bomb
    for inflated, bomb in ((2 * cost * len(INNER) - 1, True), (2 * cost * len(INNER), False)):
        allow(inflated=inflated)
        assert are_a_bomb([nested(compression)] * 2) == bomb, "the archives of a message share it"
        assert are_a_bomb([archive(("a.zip", INNER), ("b.zip", INNER), compression=compression)]) == bomb


@pytest.mark.parametrize(("compression", "_cost"), COSTS)
def test_what_is_inflated_is_looked_into_whatever_its_compression_and_size(
    allow: Callable[..., None], compression: int, _cost: int
) -> None:
    """An inner archive of several pieces (of 1 MiB each), whose directory is at its end."""
    large = archive(("a.csv", bytes(3_000_000)), compression=ZIP_STORED)
    allow(members=3, declared=10_000_000, inflated=20_000_000)
    assert not are_a_bomb([nested(compression, large)])
    allow(members=3, declared=10_000_000, inflated=20_000_000)
    assert are_a_bomb([nested(compression, archive(*((str(n), b"") for n in range(4))))])
    allow(declared=len(large) + 3_000_000 - 1, inflated=20_000_000)
    assert are_a_bomb([nested(compression, large)])


@pytest.mark.parametrize(("compression", "_cost"), COSTS)
def test_a_bomb_is_not_inflated_further_than_the_quota(
    allow: Callable[..., None], compression: int, _cost: int
) -> None:
    bomb = nested(compression, bytes(30_000_000))
    allow(declared=100_000_000, inflated=100_000)
    tracemalloc.start()
    assert are_a_bomb([bomb])
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak - 2 * len(bomb) < 10_000_000


def test_a_header_that_asks_for_gigabytes_gets_no_memory() -> None:
    """The size of the dictionary is in the properties of LZMA (APPNOTE 5.8.8): here 4 GB instead of 8 MB."""
    honest = nested(ZIP_LZMA)
    assert honest.count(b"\0\0\x80\0") == 1
    tracemalloc.start()
    assert not are_a_bomb([honest.replace(b"\0\0\x80\0", b"\xff" * 4)])
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 100_000_000


@pytest.mark.parametrize("name", ["n.zip", "N.ZIP", "folder/n.Zip"])
def test_an_archive_may_lie_in_another_one_but_no_deeper(name: str) -> None:
    assert not are_a_bomb([nested(ZIP_DEFLATED, INNER, name)])
    assert are_a_bomb([nested(ZIP_DEFLATED, nested(ZIP_DEFLATED, INNER, name), name)])
    assert are_a_bomb([archive(("a.csv", b"1"), (name, archive(("b.csv", b"1"), (name, b"no archive"))))])


def test_what_lies_three_archives_deep_is_not_opened() -> None:
    """docs/policy.md: two archives deep, office documents among them."""
    document = archive(("third.csv", b"1"))
    found = archives.members(archive(("n.zip", archive(("second.docx", document)))), ArchiveQuota())
    assert {member.name for member in found} == {"n.zip", "second.docx"}


def test_only_a_member_that_is_an_archive_or_is_named_so_is_inflated(allow: Callable[..., None]) -> None:
    allow(inflated=0)
    assert not are_a_bomb([archive(("a.csv", b"1"), ("b.zipx", b"no archive"))])
    assert are_a_bomb([archive(("a.csv", b"1"), ("b.zip", b"no archive"))])
    assert are_a_bomb([archive(("a.csv", INNER))])


def encrypted(whole: bytes) -> bytes:
    """The same with the flag of encryption on its one member (APPNOTE 4.4.4, bit 0), in both of its headers."""
    central = whole.rindex(b"PK\x01\x02")
    flagged = bytearray(whole)
    flagged[6] |= 1
    flagged[central + 8] |= 1
    return bytes(flagged)


@pytest.mark.parametrize(("compression", "_cost"), COSTS)
def test_an_encrypted_archive_is_no_bomb_and_costs_nothing(
    allow: Callable[..., None], compression: int, _cost: int
) -> None:
    allow(inflated=0)
    assert not are_a_bomb([encrypted(nested(compression))])


def with_extra_field(whole: bytes, field: bytes) -> bytes:
    """The same with an extra field in the local header of its one member (APPNOTE 4.3.7, 4.5)."""
    name_ends = 30 + int.from_bytes(whole[26:28], "little")
    central, end = whole.rindex(b"PK\x01\x02"), whole.rindex(b"PK\x05\x06")
    moved = (int.from_bytes(whole[end + 16 : end + 20], "little") + len(field)).to_bytes(4, "little")
    local = whole[:28] + len(field).to_bytes(2, "little") + whole[30:name_ends] + field + whole[name_ends:central]
    return local + whole[central : end + 16] + moved + whole[end + 20 :]


@pytest.mark.parametrize(("compression", "_cost"), COSTS)
def test_the_content_of_a_member_begins_behind_its_name_and_extra_field(
    allow: Callable[..., None], compression: int, _cost: int
) -> None:
    allow(members=2)
    three = archive(("a", b""), ("b", b""))
    assert are_a_bomb([with_extra_field(nested(compression, three, "a longer name.zip"), b"\x99\x99\x04\x00abcd")])
    # A name may have 65,535 octets (APPNOTE 4.4.10).
    assert are_a_bomb([nested(compression, three, "n" * 40_000 + ".zip")])
    # The second member lies behind the first one.
    assert are_a_bomb([archive(("first.csv", b"1"), ("n.zip", three), compression=compression)])


def test_a_member_in_bzip2_that_says_it_is_shorter_than_it_is_is_a_bomb() -> None:
    """BZIP2 unpacks a block of 900,000 octets for the first one: what a member declares pays for it."""
    honest = archive(("a.csv", b"ab" * 1000), compression=ZIP_BZIP2)
    assert not are_a_bomb([honest])
    central = honest.rindex(b"PK\x01\x02")
    for octets, bomb in ((1999, True), (2000, False)):
        declared = honest[: central + 24] + octets.to_bytes(4, "little") + honest[central + 28 :]
        assert are_a_bomb([declared]) == bomb


def test_members_in_bzip2_are_looked_at_within_a_quota(allow: Callable[..., None]) -> None:
    two = archive(("a.csv", b"1" * 1000), ("b.csv", b"2" * 1000), compression=ZIP_BZIP2)
    for blocks, bomb in ((3999, True), (4000, False)):
        allow(blocks=blocks, inflated=0)
        assert are_a_bomb([two]) == bomb
        allow(blocks=0)
        assert not are_a_bomb([encrypted(nested(ZIP_BZIP2))])


def attachment(filename: str, declared: str, detected: str | None = None) -> Attachment:
    return Attachment(
        filename=filename, media_type=declared, media_type_detected=detected, size_octets=1, sha256="0", key="k"
    )


OFFICE = "application/vnd.openxmlformats-officedocument"


@pytest.mark.parametrize(
    ("looks", "zipped"),
    [
        (attachment("data", "application/zip"), True),
        (attachment("data", "Application/ZIP"), True),
        (attachment("data", "application/x-zip-compressed"), True),
        (attachment("data", f"{OFFICE}.spreadsheetml.sheet"), True),
        (attachment("data", f"{OFFICE}.wordprocessingml.document"), True),
        (attachment("data", f"{OFFICE}.presentationml.presentation"), True),
        (attachment("data", "application/vnd.oasis.opendocument.spreadsheet"), True),
        (attachment("data", "application/vnd.oasis.opendocument.text"), True),
        (attachment("data", "application/vnd.oasis.opendocument.presentation"), True),
        (attachment("data", "application/java-archive"), True),
        (attachment("data", "application/epub+zip"), True),
        (attachment("data", "application/octet-stream", "application/zip"), True),
        (attachment("data", "text/plain", "application/epub+zip"), True),
        *(
            (attachment(f"Data.{suffix.upper()}", "application/octet-stream"), True)
            for suffix in [
                *("zip", "xlsx", "docx", "pptx", "xlsm", "xlsb", "docm", "pptm", "ods", "odt", "odp", "jar", "apk")
            ]
        ),
        (attachment("data.csv", "text/csv"), False),
        (attachment("zip", "application/octet-stream", "application/pdf"), False),
        (attachment("data.zip.csv", "text/csv", "text/csv"), False),
    ],
)
def test_what_is_declared_detected_or_named_as_a_zip_archive_is_checked(looks: Attachment, zipped: bool) -> None:
    assert may_be_zip(looks) == zipped


def test_the_quota_of_a_message_is_that_of_the_limits() -> None:
    assert ArchiveQuota() == ArchiveQuota(
        members=limits.ARCHIVE_MEMBERS, declared=limits.ARCHIVE_OCTETS, inflated=limits.NESTED_ARCHIVE_OCTETS
    )


def test_an_archive_that_takes_too_much_memory_to_look_into_does_not_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    def too_much(*_: object) -> None:
        raise MemoryError

    good = archive(("a", b""))
    monkeypatch.setattr(archives, "ZipFile", too_much)
    assert are_a_bomb([good])
