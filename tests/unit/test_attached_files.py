"""Attachment rules look at the files that somebody attached, and know a file by evidence: octets, name, label.

Over 300 lines, most of which are cases.
"""

import struct
from email.message import EmailMessage

import pytest

from mailstep.contracts import Verdicts
from mailstep.errors import RefusedEmail
from mailstep.media_types import by_evidence, registered
from mailstep.notices import notice
from mailstep.route import Route
from mailstep.testing import receive
from mailstep.validate.policy import Case, validate
from mailstep.validate.records import NothingOnRecord
from tests.support.archives import archive
from tests.support.messages import mail_with, parsed, stored

PDF = b"%PDF-1.4\n%%EOF\n"
EXE = b"MZ\x90\0\3\0\0\0\4\0\0\0\xff\xff\0\0"
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
CSV = b"article,quantity\nA-1,12\n"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
CSV_ONLY = Route(attachment_types=("text/csv",))


def file_of(content: bytes, name: str, label: str = "application/octet-stream") -> EmailMessage:
    """A message with one file attached, labelled so."""
    mail = mail_with({})
    main, _, sub = label.partition("/")
    mail.add_attachment(content, main, sub, filename=name)
    return mail


def refused(mail: EmailMessage | bytes, route: Route | None = None) -> str | None:
    return receive(mail, settings=route or Route()).refused_by()


def told(mail: EmailMessage | bytes, route: Route) -> str:
    """The text of the notice that the sender gets."""
    email = receive(mail, settings=route)
    with pytest.raises(RefusedEmail) as caught:
        email.validate()
    assert caught.value.tell_sender
    return notice("refusal", email.message, caught.value.explanation).text


def mime(content_type: str, *parts: str) -> bytes:
    """A message of parts, each with its fields."""
    body = "".join(f"--b\n{part}\n" for part in parts)
    text = f'From: ann@shop.example\nSubject: x\nContent-Type: {content_type}; boundary="b"\n\n{body}--b--\n'
    return text.replace("\n", "\r\n").encode()


def nested(content_type: str, *parts: str, boundary: str) -> str:
    body = "".join(f"--{boundary}\n{part}\n" for part in parts)
    return f'Content-Type: {content_type}; boundary="{boundary}"\n\n{body}--{boundary}--'


def picture(
    content_id: str = "", disposition: str = "inline", octets: str = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJ"
) -> str:
    identity = f"Content-ID: <{content_id}>\n" if content_id else ""
    return (
        f"Content-Type: image/png\nContent-Transfer-Encoding: base64\n{identity}"
        f'Content-Disposition: {disposition}; filename="p.png"\n\n{octets}'
    )


TABLE = 'Content-Type: text/csv\nContent-Disposition: attachment; filename="order.csv"\n\narticle,quantity\nA-1,12'
TEXT = "Content-Type: text/plain\n\nPlease find our order."


def shown(html: str, *pictures: str, related: str = "multipart/related") -> bytes:
    page = nested(related, f"Content-Type: text/html\n\n{html}", *pictures, boundary="r")
    return mime("multipart/mixed", nested("multipart/alternative", TEXT, page, boundary="a"), TABLE)


def attached_names(mail: EmailMessage | bytes) -> list[str]:
    raw = mail if isinstance(mail, bytes) else mail.as_bytes()
    return [one.filename for one in parsed(raw).attachments if one.attached]


@pytest.mark.parametrize(
    ("html", "content_id"),
    [
        ('<img src="cid:image001.png@01DC">', "image001.png@01DC"),
        ("<img src='CID:image001.png@01DC'>", "image001.png@01DC"),
        ("<img src=cid:x@y>", "x@y"),
        ('<img src="cid:a%20b@y">', "a b@y"),
        ('<img src="cid:a&amp;b@y">', "a&b@y"),
        ('<td background="cid:x@y">', "x@y"),
        ('<div style="background: url(cid:x@y)">', "x@y"),
    ],
)
def test_a_picture_that_the_html_shows_is_no_attached_file(html: str, content_id: str) -> None:
    """RFC 2183 section 2.1, RFC 2392."""
    for related in ("multipart/related", "multipart/mixed"):
        for disposition in ("inline", "attachment"):
            mail = shown(html, picture(content_id, disposition), related=related)
            assert attached_names(mail) == ["order.csv"]
            assert refused(mail, CSV_ONLY) is None


@pytest.mark.parametrize("outer", ["logo@y", "other@y"])
@pytest.mark.parametrize("inner", ["logo@y", "other@y"])
def test_a_picture_in_an_attached_message_is_judged_by_the_html_of_that_message(outer: str, inner: str) -> None:
    """Content-IDs are those of one message (RFC 2392 section 2): each of the two has a part `logo@y`."""
    page, logo = "Content-Type: text/html\n\n<img src=cid:{}>", picture("logo@y", "inline")
    enclosed = nested("multipart/mixed", page.format(inner), logo, boundary="inner")
    mail = mime("multipart/mixed", page.format(outer), f"Content-Type: message/rfc822\n\nSubject: y\n{enclosed}", logo)
    found = parsed(mail, enclosed=True).attachments
    assert [one.enclosed_in is not None for one in found] == [False, True, False]
    assert [one.attached for one in found] == [True, inner != "logo@y", outer != "logo@y"]


def test_a_picture_in_the_page_is_part_of_it_though_no_reference_names_it() -> None:
    """RFC 2387: the parts of multipart/related are one object."""
    assert attached_names(shown("<p>x</p>", picture("x@y"))) == ["order.csv"]


@pytest.mark.parametrize(
    "mail",
    [
        mime("multipart/mixed", TEXT, picture("x@y")),
        mime("multipart/mixed", TEXT, picture("x@y", "attachment")),
        mime("multipart/mixed", TEXT, picture()),
        shown("<p>x</p>", picture("x@y", "attachment")),
        shown('<img src="cid:other@y">', picture("x@y"), related="multipart/mixed"),
        shown("<p>x</p>", picture("x@y"), related="multipart/mixed"),
    ],
    ids=["inline", "attachment", "no identity", "attached in the page", "another", "beside the page"],
)
def test_a_picture_that_the_html_does_not_show_is_an_attached_file(mail: bytes) -> None:
    assert "p.png" in attached_names(mail)
    assert refused(mail, CSV_ONLY) == "attachment_type"


@pytest.mark.parametrize("octets", ["JVBERi0xLjQKJSVFT0YK", "YXJ0aWNsZSxxdWFudGl0eQo="])
def test_what_passes_for_a_picture_that_is_shown_is_an_attached_file(octets: str) -> None:
    mail = shown('<img src="cid:x@y">', picture("x@y", octets=octets))
    assert attached_names(mail) == ["p.png", "order.csv"]
    assert refused(mail, CSV_ONLY) == "attachment_type"


def test_fifty_five_pictures_in_the_page_are_not_too_many_files_and_fifty_one_files_are() -> None:
    pictures = [picture(f"p{n}@y") for n in range(55)]
    html = "".join(f'<img src="cid:p{n}@y">' for n in range(55))
    assert refused(shown(html, *pictures)) is None
    assert refused(mail_with({f"{n}.csv": CSV for n in range(50)})) is None
    assert refused(mail_with({f"{n}.csv": CSV for n in range(51)})) == "too_many_attachments"


SIGNATURES = [
    'Content-Type: application/pkcs7-signature; name="smime.p7s"\nContent-Disposition: attachment',
    'Content-Type: application/x-pkcs7-signature; name="smime.p7s"',
    'Content-Type: application/octet-stream; name="smime.p7s"\nContent-Disposition: attachment',
    'Content-Type: application/pgp-signature; name="signature.asc"',
    "Content-Type: application/pgp-signature",
]


@pytest.mark.parametrize("fields", SIGNATURES)
def test_a_signature_is_no_attached_file(fields: str) -> None:
    """RFC 8551 section 3.5.3, RFC 3156 section 5; list software takes multipart/signed apart."""
    signed = nested("multipart/mixed", TEXT, TABLE, boundary="i")
    for content_type in ("multipart/signed", "multipart/mixed"):
        mail = mime(content_type, signed, f"{fields}\n\nMIIB")
        assert attached_names(mail) == ["order.csv"]
        assert refused(mail, CSV_ONLY) is None


def test_what_passes_for_a_signature_is_an_attached_file() -> None:
    for content, name in ((PDF, "smime.p7s"), (CSV, "list.xls")):
        mail = file_of(content, name, "application/pkcs7-signature")
        assert attached_names(mail) == [name]
        assert refused(mail, CSV_ONLY) == "attachment_type"


@pytest.mark.parametrize(
    "part",
    [
        "Content-Type: text/x-amp-html\n\n<html amp4email></html>",
        "Content-Type: text/watch-html\n\n<b>x</b>",
        "Content-Type: text/enriched\n\n<bold>x</bold>",
        "Content-Type: application/rtf\n\n{\\rtf1 x}",
        "Content-Type: text/calendar; method=REQUEST\n\nBEGIN:VCALENDAR\nEND:VCALENDAR",
    ],
)
def test_an_alternative_of_the_text_is_no_attached_file(part: str) -> None:
    """RFC 2046 section 5.1.4."""
    alternative = nested("multipart/alternative", TEXT, part, "Content-Type: text/html\n\n<p>x</p>", boundary="a")
    mail = mime("multipart/mixed", alternative, TABLE)
    assert attached_names(mail) == ["order.csv"]
    assert refused(mail, CSV_ONLY) is None


def test_a_file_that_a_mail_program_puts_among_the_alternatives_is_attached() -> None:
    file = 'Content-Type: application/pdf\nContent-Disposition: attachment; filename="a.pdf"\n\n%PDF-1.4'
    assert attached_names(mime("multipart/alternative", TEXT, file)) == ["a.pdf"]
    inside = nested(
        "multipart/mixed", "Content-Type: text/html\n\nx", file.replace("attachment", "inline"), boundary="i"
    )
    assert attached_names(mime("multipart/alternative", TEXT, inside)) == ["a.pdf"]


@pytest.mark.parametrize("label", ["text/calendar", "application/ics", "application/octet-stream"])
def test_an_invitation_is_no_attached_file(label: str) -> None:
    part = (
        f'Content-Type: {label}; name="invite.ics"\nContent-Disposition: attachment\n\nBEGIN:VCALENDAR\nEND:VCALENDAR'
    )
    assert refused(mime("multipart/mixed", TEXT, part, TABLE), CSV_ONLY) is None


def test_a_text_that_is_kept_whole_is_no_attached_file() -> None:
    mail = mail_with({"order.csv": CSV}, text="long text\n" * 150_000)
    assert attached_names(mail) == ["order.csv"]
    assert refused(mail, CSV_ONLY) is None


# ---- Types by evidence: octets first, then the name, then the label ----


@pytest.mark.parametrize(
    ("content", "name", "label", "accepted"),
    [
        (CSV, "order.csv", "application/vnd.ms-excel", "text/csv"),
        (CSV, "order.csv", "text/comma-separated-values", "text/csv"),
        (CSV, "order.CSV", "text/plain", "text/csv"),
        (CSV, "order", "application/csv", "text/csv"),
        (archive(("order.csv", CSV)), "order.zip", "application/x-zip-compressed", "application/zip"),
        (archive(("order.csv", CSV)), "order.zip", "application/x-zip", "application/zip"),
        (b"\xff\xd8\xff\xe0\0\x10JFIF\0", "photo.jpg", "image/jpg", "image/jpeg"),
        (b"\xff\xd8\xff\xe0\0\x10JFIF\0", "photo.jpg", "image/pjpeg", "image/*"),
        (PDF, "a.pdf", "binary/octet-stream", "application/pdf"),
        (PDF, "a.pdf", "application/x-pdf", "application/pdf"),
        (PDF, "a", "application/octet-stream", "application/pdf"),
        (PDF, "a.csv", "text/csv", "application/pdf"),
        (b"x", "a.xlsx", "application/octet-stream", XLSX),
        (archive(("xl/workbook.xml", b"")), "a.xlsx", "application/zip", XLSX),
        (archive(("xl/workbook.xml", b"")), "a", XLSX, XLSX),
        (b"<a/>", "a.xml", "text/xml", "application/xml"),
        (b"BMW;12\nAudi;3\n", "cars.csv", "text/csv", "text/csv"),
        (b"MZ;12\nAB;3\n", "a.csv", "text/csv", "text/csv"),
        (b"ID3;x\n", "a.csv", "application/octet-stream", "text/csv"),
        (CSV, "a.dat", "text/csv", "text/csv"),
    ],
)
def test_a_file_is_accepted_as_what_it_is(content: bytes, name: str, label: str, accepted: str) -> None:
    mail = file_of(content, name, label)
    assert refused(mail, Route(attachment_types=(accepted,))) is None
    assert refused(mail, Route(attachment_types=("audio/mpeg",))) == "attachment_type"


@pytest.mark.parametrize(
    ("content", "name", "label", "listed"),
    [
        (PDF, "a.csv", "text/csv", "text/csv"),
        (EXE, "a.csv", "text/csv", "text/csv"),
        (b"x", "a.pdf", "text/csv", "text/csv"),
        (archive(("a", b"")), "a.png", "image/png", "image/*"),
        (archive(("a", b"")), "a.xlsx", "application/zip", "application/zip"),
    ],
)
def test_a_label_does_not_make_a_file_another_one(content: bytes, name: str, label: str, listed: str) -> None:
    assert refused(file_of(content, name, label), Route(attachment_types=(listed,))) == "attachment_type"


@pytest.mark.parametrize("pattern", ["image/jpg", "IMAGE/JPEG", "image/pjpeg", "image/*"])
def test_an_alias_in_the_route_is_the_registered_type(pattern: str) -> None:
    jpeg = file_of(b"\xff\xd8\xff\xe0\0\x10JFIF\0", "photo.jpg", "image/jpeg")
    assert refused(jpeg, Route(attachment_types=(pattern,))) is None


def test_no_alias_stands_for_another_alias() -> None:
    for label in ("image/jpg", "application/x-zip", "text/xml", "binary/octet-stream", "text/x-csv"):
        assert registered(registered(label)) == registered(label) != label


def test_a_file_that_nothing_is_known_of_is_of_no_listed_type() -> None:
    assert by_evidence(None, "a", "binary/octet-stream") == "application/octet-stream"
    assert refused(file_of(b"x", "a"), CSV_ONLY) == "attachment_type"


def test_a_label_of_asterisks_says_nothing() -> None:
    assert by_evidence(None, "a.csv", "*/*") == "text/csv"
    assert by_evidence(None, "a", "*/*") == "application/octet-stream"


# ---- Programs ----


@pytest.mark.parametrize(
    "name",
    [
        *(
            "a.exe",
            "a.EXE",
            "a.exe.",
            "a.exe. .",
            "a.exe ",
            "invoice.pdf.exe",
            "a.e\u200bxe",
            "a\uff0eexe",
            "a.ex\uff45",
        ),
        *("C:\\temp\\a.exe", "C:/a.exe", "invoice.pdf.exe.gz", "a.exe. .gz"),
        # Programs that unpack one file take this end off its name.
        *(f"a.exe.{packed}" for packed in ("bz2", "xz", "Z", "lz", "lz4", "lzma", "zst", "br")),
        *("a.exe::$DATA", "a.exe.gz", "a.xll", "a.iqy", "a.msix", "a.appx", "a.library-ms", "a.search-ms", "a.slk"),
        *(
            "a.settingcontent-ms",
            "a.appref-ms",
            "a.url",
            "a.lnk",
            "a.hta",
            "a.ps1",
            "a.psm1",
            "a.vbe",
            "a.wsf",
            "a.scf",
        ),
        *("a.docm", "a.xlsm", "a.pptm", "a.dotm", "a.xlam", "a.ppam", "a.accde", "a.chm", "a.iso", "a.vhdx", "a.dmg"),
        *("a.jar", "a.apk", "a.ipa", "a.deb", "a.pkg", "a.command", "a.desktop", "a.py", "a.sh", "a.bat", "a.js"),
    ],
)
def test_a_program_is_refused_by_its_name_alone_and_within_archives(name: str) -> None:
    """Microsoft, "Blocked attachments in Outlook"; Windows ignores dots and spaces at the end of a name."""
    assert refused(file_of(b"x", name)) == "attachment_type"
    assert refused(file_of(b"x", name, "text/plain"), Route(attachment_types=("text/*", "application/pdf"))) == (
        "attachment_type"
    )
    packed = archive(("readme.txt", b"x"), (f"folder/{name}", b"x"))
    assert refused(file_of(packed, "a.zip", "application/zip")) == "attachment_type"
    assert refused(file_of(archive(("b.zip", packed)), "a.zip")) == "attachment_type"
    assert refused(file_of(packed, "a.zip"), Route(attachment_types=("application/zip",))) == "attachment_type"


def encrypted(packed: bytes) -> bytes:
    """The archive as one whose members are encrypted (APPNOTE 4.4.4, bit 0): their names are not."""
    octets = bytearray(packed)
    for sign, at in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        place = octets.find(sign)
        while place >= 0:
            octets[place + at] |= 1
            place = octets.find(sign, place + 4)
    return bytes(octets)


def test_a_program_in_an_encrypted_archive_is_refused_and_data_in_one_is_not() -> None:
    assert refused(file_of(encrypted(archive(("invoice.exe", b"x"))), "a.zip")) == "attachment_type"
    assert refused(file_of(encrypted(archive(("salaries.csv", b"x"))), "a.zip")) is None
    assert refused(file_of(encrypted(archive(("b.zip", archive(("a.csv", b"x"))))), "a.zip")) is None


@pytest.mark.parametrize(
    ("name", "octets"),
    [("a.7z", b"7z\xbc\xaf\x27\x1c\0\4"), ("a.rar", b"Rar!\x1a\7\1\0"), ("a.tar.gz", b"\x1f\x8b\x08\0")],
)
def test_an_archive_that_cannot_be_looked_into_is_accepted_unless_the_route_lists_its_types(
    name: str, octets: bytes
) -> None:
    """docs/policy.md, "Which files the rules see"."""
    packed = file_of(octets + bytes(40), name)
    assert refused(packed) is None
    assert refused(packed, CSV_ONLY) == "attachment_type"


def test_the_files_of_an_attached_message_count_if_it_is_read() -> None:
    """docs/policy.md, "Which files the rules see"."""
    mail = mail_with({})
    mail.add_attachment(mail_with({"a.csv": CSV, "b.csv": CSV}))
    assert refused(mail, Route(max_attachments=1)) is None
    assert refused(mail, Route(max_attachments=2, read_enclosed=True)) == "too_many_attachments"
    assert refused(mail, Route(max_attachments=3, read_enclosed=True)) is None


@pytest.mark.parametrize(
    "name",
    [
        "a.csv",
        "exe",
        "a.exe.csv",
        "a.exeX",
        "execute.txt",
        "a.com.pdf",
        "a.bin",
        "a.dat",
        "a.doc",
        "report.xlsx",
        "a.json",
        "a.msg",
    ],
)
def test_a_name_that_only_looks_a_little_like_a_programs_is_accepted(name: str) -> None:
    assert refused(file_of(b"x", name)) is None
    assert refused(file_of(archive((name, b"x")), "a.zip")) is None


@pytest.mark.parametrize(
    "label",
    [
        *("application/x-msdownload", "application/x-executable", "application/x-elf", "application/x-mach-binary"),
        *("application/x-sharedlib", "application/x-sh", "application/x-csh", "application/x-shellscript"),
        *(
            "application/x-bat",
            "application/javascript",
            "application/x-apple-diskimage",
            "application/x-iso9660-image",
        ),
        *("application/x-ms-installer", "application/x-msi", "application/java-archive", "application/hta"),
        *("application/vnd.android.package-archive", "application/x-ms-shortcut", "application/x-deb"),
        *("application/vnd.debian.binary-package", "application/x-rpm", "application/x-shockwave-flash"),
        *("application/x-google-chrome-extension", "text/vbscript", "text/x-python", "application/x-perl"),
        *("application/x-ms-application", "application/x-xpinstall", "application/x-java-archive"),
    ],
)
def test_a_program_is_refused_by_its_octets_or_by_a_label_that_nothing_contradicts(label: str) -> None:
    assert refused(file_of(EXE, "a.pdf", "application/pdf")) == "attachment_type"
    assert refused(file_of(b"x", "a", label)) == "attachment_type"
    assert refused(file_of(PDF, "a.pdf", label)) is None


@pytest.mark.parametrize("member", ["xl/vbaProject.bin", "word/vbaProject.bin", "xl/macrosheets/sheet1.xml"])
def test_a_document_with_macros_is_refused_whatever_its_name(member: str) -> None:
    document = archive(("[Content_Types].xml", b""), (member, b"x"))
    assert refused(file_of(document, "a.xlsx", XLSX)) == "attachment_type"
    assert refused(file_of(document, "a.xlsx", XLSX), Route(attachment_types=(XLSX,))) == "attachment_type"


def test_an_old_document_is_refused_only_with_macros() -> None:
    plain, macros = OLE + bytes(600), OLE + bytes(600) + "_VBA_PROJECT".encode("utf-16-le")
    for name in ("a.xls", "a.doc", "a.ppt"):
        assert refused(file_of(plain, name)) is None
        assert refused(file_of(macros, name)) == "attachment_type"


@pytest.mark.parametrize(("name", "label"), [("report", "application/vnd.ms-excel"), ("A.XLT", "text/csv")])
def test_an_old_document_is_known_by_its_label_or_by_its_name(name: str, label: str) -> None:
    assert refused(file_of(OLE + bytes(600), name, label)) is None
    macros = OLE + bytes(600) + "_VBA_PROJECT".encode("utf-16-le")
    assert refused(file_of(macros, name, label)) == "attachment_type"
    # Microsoft's registered type of a document with macros (IANA, Media Types).
    accepted = (label, "application/vnd.ms-word.document.macroenabled.12")
    assert refused(file_of(macros, name, label), Route(attachment_types=accepted)) is None


@pytest.mark.parametrize(
    ("name", "label"), [("report", "application/octet-stream"), ("a.pdf", "application/pdf"), ("a.csv", "text/csv")]
)
def test_macros_in_an_old_document_are_found_whatever_its_name_and_label(name: str, label: str) -> None:
    assert refused(file_of(OLE + bytes(600), name, label)) is None
    macros = OLE + bytes(600) + "_VBA_PROJECT".encode("utf-16-le")
    assert refused(file_of(macros, name, label)) == "attachment_type"


def test_macros_in_an_old_presentation_are_found_by_its_own_record() -> None:
    """MS-PPT sections 2.4.10 and 2.4.11: RT_VbaInfo, and in it RT_VbaInfoAtom with fHasMacros; version is 2."""

    def presentation(has_macros: int) -> bytes:
        atom = struct.pack("<HHIIII", 0x0002, 0x0400, 12, 7, has_macros, 2)
        return OLE + bytes(600) + struct.pack("<HHI", 0x000F, 0x03FF, len(atom)) + atom

    assert refused(file_of(presentation(0), "a.ppt")) is None
    assert refused(file_of(presentation(1), "a.ppt")) == "attachment_type"
    assert refused(file_of(presentation(1), "a")) == "attachment_type"


def test_an_old_document_is_accepted_as_what_its_name_or_label_says() -> None:
    excel, word = Route(attachment_types=("application/vnd.ms-excel",)), Route(attachment_types=("application/msword",))
    for mail in (file_of(OLE + bytes(600), "a.xls"), file_of(OLE + bytes(600), "a", "application/x-msexcel")):
        assert refused(mail, excel) is None
        assert refused(mail, word) == "attachment_type"


def test_a_file_that_is_no_archive_hides_no_archive_behind_it() -> None:
    packed = archive(("a.exe", b"x"))
    assert refused(mail_with({"a.csv": CSV, "b.zip": packed}).as_bytes()) == "attachment_type"


def test_a_program_in_a_part_that_is_not_attached_is_refused() -> None:
    alternative = 'Content-Type: text/html; name="a.hta"\n\n<script>'
    mail = mime("multipart/alternative", TEXT, "Content-Type: text/html\n\n<p>x</p>", alternative)
    raw = mail.replace(b"text/html; name", b"text/x-other; name")
    assert attached_names(raw) == []
    assert refused(raw) == "attachment_type"


def test_a_route_that_lists_the_type_of_a_program_gets_it() -> None:
    macros = file_of(b"x", "a.xlsm")
    assert refused(macros, Route(attachment_types=("application/vnd.ms-excel.sheet.macroenabled.12",))) is None
    for everything in ("*/*", "*"):
        assert refused(file_of(b"x", "a.exe"), Route(attachment_types=(everything,))) is None
    assert refused(file_of(b"x", "a.exe"), Route(attachment_types=("application/*",))) == "attachment_type"


@pytest.mark.parametrize(
    ("name", "shared"), [("a.bat", "text/plain"), ("a.mht", "message/rfc822"), ("a.wiz", "application/msword")]
)
def test_a_type_that_other_files_have_too_lets_no_program_in(name: str, shared: str) -> None:
    assert refused(file_of(b"x", name), Route(attachment_types=(shared,))) == "attachment_type"


# ---- What the sender is told ----


def test_the_refusal_names_the_file_and_what_to_do_and_state_has_neither() -> None:
    mail = mail_with({"order.csv": CSV, "ann's offer.pdf": PDF})
    email = receive(mail, settings=CSV_ONLY)
    with pytest.raises(RefusedEmail) as caught:
        email.validate()
    assert "offer" not in str(caught.value)
    text = " ".join(told(mail, CSV_ONLY).split())
    assert '"ann\'s offer.pdf" has a type that is not accepted here' in text
    assert "Accepted types: CSV file" in text
    assert "Please save it as one of these" in text


@pytest.mark.parametrize(
    ("mail", "says"),
    [
        (file_of(b"x", "setup.exe"), '"setup.exe" is a program'),
        (file_of(archive(("a.exe", b"")), "all.zip"), '"all.zip" contains a program'),
        (file_of(archive(("a.exe", b"")), "all.zip"), "are not accepted. Please take it out"),
    ],
)
def test_the_refusal_of_a_program_names_the_file_and_what_to_do(mail: EmailMessage, says: str) -> None:
    text = " ".join(told(mail, Route()).split())
    assert says in text
    assert "Please" in text


# ---- Files that SES did not scan ----


def table_sent(*, files: bool = True) -> str:
    body = TABLE if files else "Content-Type: text/html\n\n<p>x</p>"
    return f'From: ann@shop.example\nContent-Type: multipart/mixed; boundary="b"\n\n--b\n{TEXT}\n--b\n{body}\n--b--\n'


def refusal(verdict: str, route: Route, *, files: bool = True, **verdicts: str) -> tuple[str, bool] | None:
    email = receive(mail_with({}), settings=route)
    message = stored(table_sent(files=files), virus=verdict, **verdicts)
    try:
        validate(Case(message, email.stored, "", route, frozenset(), NothingOnRecord(), lambda _: b""))
    except RefusedEmail as refused:
        return refused.reason, refused.tell_sender
    return None


@pytest.mark.parametrize("verdict", ["GRAY", "PROCESSING_FAILED", "DISABLED", ""])
def test_files_that_ses_did_not_scan_are_refused_and_an_authenticated_sender_is_told(verdict: str) -> None:
    assert refusal(verdict, Route()) == ("unscanned", True)
    assert refusal(verdict, Route(), files=False) is None
    assert refusal(verdict, Route(unscanned="process")) is None
    assert refusal("PASS", Route()) is None


def test_a_sender_who_is_not_authenticated_is_not_told_of_files_that_were_not_scanned() -> None:
    route = Route(require_authentication=False)
    message = parsed(f"Return-Path: <x@y.example>\n{table_sent()}")
    assert message.verdicts == Verdicts()
    with pytest.raises(RefusedEmail) as caught:
        validate(Case(message, receive(mail_with({})).stored, "", route, frozenset(), NothingOnRecord(), lambda _: b""))
    assert (caught.value.reason, caught.value.tell_sender) == ("unscanned", False)


@pytest.mark.parametrize("unscanned", ["refuse", "process"])
def test_a_virus_is_refused_silently_whatever_the_setting(unscanned: str) -> None:
    assert refusal("FAIL", Route.model_validate({"unscanned": unscanned})) == ("virus", False)


def test_each_archive_is_opened_once() -> None:
    email = receive(file_of(archive(("a.csv", CSV)), "a.zip"), settings=Route())
    opened: list[str] = []

    def count(attachment: object) -> bytes:
        opened.append(str(attachment))
        return archive(("a.csv", CSV))

    validate(Case(email.message, email.stored, "", Route(), frozenset(), NothingOnRecord(), count))
    assert len(opened) == 1
