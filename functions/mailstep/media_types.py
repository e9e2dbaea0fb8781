"""Media types by evidence: what the octets say, else the file's name, else the declared label (RFC 2046, RFC 6838).

One table of aliases: types that mail programs write for a registered type. One table of names, which adds to Python's.
"""

from mimetypes import MimeTypes
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mailstep.contracts import Attachment

UNKNOWN = "application/octet-stream"
COMPOUND_FILE = "application/x-ole-storage"
"""A compound file (MS-CFB): a document of Office 97 to 2003, a message of Outlook, an installer, and others."""
COMPOUND_FILE_SIGNATURE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
"""How a compound file begins (MS-CFB section 2.2)."""
MACRO_TYPES = {
    "docm": "application/vnd.ms-word.document.macroenabled.12",
    "dotm": "application/vnd.ms-word.template.macroenabled.12",
    "xlsm": "application/vnd.ms-excel.sheet.macroenabled.12",
    "xltm": "application/vnd.ms-excel.template.macroenabled.12",
    "xlam": "application/vnd.ms-excel.addin.macroenabled.12",
    "pptm": "application/vnd.ms-powerpoint.presentation.macroenabled.12",
    "potm": "application/vnd.ms-powerpoint.template.macroenabled.12",
    "ppsm": "application/vnd.ms-powerpoint.slideshow.macroenabled.12",
    "ppam": "application/vnd.ms-powerpoint.addin.macroenabled.12",
    "sldm": "application/vnd.ms-powerpoint.slide.macroenabled.12",
}
"""Office documents that are made to hold macros, by the end of their name."""

_ALIASES = {
    UNKNOWN: "binary/octet-stream application/binary application/unknown unknown/unknown application/x-unknown"
    " application/x-octet-stream application/octetstream application/x-octetstream application/download"
    " application/x-download application/force-download application/x-force-download application/x-forcedownload"
    " application/x-file-download application/file application/save application/x-binary",
    "application/gzip": "application/x-gzip application/gzip-compressed application/x-gunzip application/gzipped",
    "application/javascript": "text/javascript application/x-javascript text/x-javascript application/ecmascript",
    "application/json": "text/json text/x-json application/x-json",
    "application/msword": "application/x-msword application/doc application/word application/vnd.msword",
    "application/pdf": "application/x-pdf application/acrobat application/vnd.pdf text/pdf text/x-pdf image/pdf"
    " applications/vnd.pdf",
    "application/pgp-keys": "application/x-pgp-keys",
    "application/pkcs7-mime": "application/x-pkcs7-mime",
    "application/pkcs7-signature": "application/x-pkcs7-signature application/pkcs7",
    "application/rtf": "text/rtf application/x-rtf text/richtext-rtf",
    "application/vnd.ms-excel": "application/excel application/msexcel application/x-excel application/x-msexcel"
    " application/x-ms-excel application/xls application/x-xls application/vnd.msexcel",
    "application/vnd.ms-outlook": "application/msoutlook application/x-msg application/vnd.ms-msg",
    "application/vnd.ms-powerpoint": "application/powerpoint application/mspowerpoint application/x-mspowerpoint"
    " application/x-powerpoint application/ppt",
    "application/vnd.rar": "application/x-rar-compressed application/x-rar application/rar",
    "application/x-7z-compressed": "application/7z application/x-7zip",
    "application/x-msdownload": "application/x-msdos-program application/x-dosexec application/exe application/x-exe"
    " application/x-msdos-windows application/vnd.microsoft.portable-executable application/x-winexe"
    " application/x-ms-dos-executable",
    "application/x-tar": "application/tar application/x-gtar",
    "application/xml": "text/xml application/x-xml",
    "application/zip": "application/x-zip-compressed application/x-zip application/zip-compressed multipart/x-zip"
    " application/x-compressed-zip application/x-compress-zip",
    "audio/mpeg": "audio/mp3 audio/x-mp3 audio/mpeg3 audio/x-mpeg audio/x-mpeg-3",
    "audio/mp4": "audio/x-m4a audio/m4a",
    "audio/wav": "audio/x-wav audio/wave audio/vnd.wave audio/x-pn-wav",
    "image/bmp": "image/x-bmp image/x-ms-bmp image/x-windows-bmp",
    "image/heic": "image/heif image/heic-sequence image/heif-sequence",
    "image/jpeg": "image/jpg image/pjpeg image/jpe image/x-jpeg image/x-jpg image/jfif",
    "image/png": "image/x-png image/apng image/vnd.mozilla.apng",
    "image/svg+xml": "image/svg",
    "image/tiff": "image/tif image/x-tiff image/x-tif",
    "image/vnd.microsoft.icon": "image/x-icon image/ico",
    "message/rfc822": "application/x-eml application/eml message/eml",
    "text/calendar": "application/ics text/ics text/x-calendar text/x-vcalendar application/x-ics",
    "text/csv": "application/csv text/comma-separated-values text/x-csv application/x-csv text/x-comma-separated-values"
    " application/vnd.csv",
    "text/html": "application/html text/x-html",
    "text/markdown": "text/x-markdown",
    "text/plain": "application/txt application/text text/txt text",
    "text/tab-separated-values": "text/tsv text/x-tsv application/tsv text/x-tab-separated-values",
    "text/vcard": "text/x-vcard text/directory application/vcard",
    "video/x-msvideo": "video/avi video/msvideo",
}
_REGISTERED = {alias: kind for kind, aliases in _ALIASES.items() for alias in aliases.split()}
_OPEN_XML = "application/vnd.openxmlformats-officedocument."
XLSX = f"{_OPEN_XML}spreadsheetml.sheet"
_OPEN_DOCUMENT = "application/vnd.oasis.opendocument."
ZIP_TYPES = {
    "application/zip",
    "application/java-archive",
    "application/vnd.android.package-archive",
    "application/epub+zip",
    "application/vnd.ms-excel.sheet.binary.macroenabled.12",
    *(XLSX, f"{_OPEN_XML}spreadsheetml.template"),
    *(f"{_OPEN_XML}{kind}" for kind in ("wordprocessingml.document", "wordprocessingml.template")),
    *(f"{_OPEN_XML}presentationml.{kind}" for kind in ("presentation", "slideshow", "template")),
    *(f"{_OPEN_DOCUMENT}{kind}" for kind in ("text", "spreadsheet", "presentation", "graphics")),
    *MACRO_TYPES.values(),
}
"""Types whose octets are those of a ZIP archive: only the name or the label tells which one."""
# Python's own table, without what the machine's files add to it.
_NAMES = {end.removeprefix("."): kind for end, kind in MimeTypes().types_map[True].items()} | {
    "7z": "application/x-7z-compressed",
    "apk": "application/vnd.android.package-archive",
    "docx": f"{_OPEN_XML}wordprocessingml.document",
    "dotx": f"{_OPEN_XML}wordprocessingml.template",
    "eml": "message/rfc822",
    "epub": "application/epub+zip",
    "gz": "application/gzip",
    "ics": "text/calendar",
    "jar": "application/java-archive",
    "msg": "application/vnd.ms-outlook",
    "odg": f"{_OPEN_DOCUMENT}graphics",
    "odp": f"{_OPEN_DOCUMENT}presentation",
    "ods": f"{_OPEN_DOCUMENT}spreadsheet",
    "odt": f"{_OPEN_DOCUMENT}text",
    "p7m": "application/pkcs7-mime",
    "p7s": "application/pkcs7-signature",
    "potx": f"{_OPEN_XML}presentationml.template",
    "ppsx": f"{_OPEN_XML}presentationml.slideshow",
    "pptx": f"{_OPEN_XML}presentationml.presentation",
    "rar": "application/vnd.rar",
    "tab": "text/tab-separated-values",
    "tgz": "application/gzip",
    "vcf": "text/vcard",
    "xlsb": "application/vnd.ms-excel.sheet.binary.macroenabled.12",
    "xlsx": XLSX,
    "xltx": f"{_OPEN_XML}spreadsheetml.template",
    "xps": "application/oxps",
    **MACRO_TYPES,
}


WORDS = {
    "application/vnd.ms-excel": "excel",
    "application/vnd.ms-excel.sheet.binary.macroenabled.12": "excel",
    XLSX: "excel",
    f"{_OPEN_XML}spreadsheetml.template": "excel",
    "application/msword": "word",
    f"{_OPEN_XML}wordprocessingml.document": "word",
    f"{_OPEN_XML}wordprocessingml.template": "word",
    "application/vnd.ms-powerpoint": "powerpoint",
    **{f"{_OPEN_XML}presentationml.{kind}": "powerpoint" for kind in ("presentation", "slideshow", "template")},
    **{kind: {"d": "word", "x": "excel"}.get(name[0], "powerpoint") for name, kind in MACRO_TYPES.items()},
    f"{_OPEN_DOCUMENT}spreadsheet": "spreadsheet",
    f"{_OPEN_DOCUMENT}text": "document",
    f"{_OPEN_DOCUMENT}presentation": "presentation",
    "application/pdf": "pdf",
    "application/rtf": "rtf",
    "application/vnd.ms-outlook": "message",
    "application/x-msdownload": "program",
    "message/rfc822": "message",
    "text/calendar": "calendar",
    "text/csv": "csv",
    "text/html": "web_page",
    "text/plain": "text",
    "text/vcard": "contact",
}
"""Types that have a word of their own, as keys of the texts (`types.<key>`)."""
FORMATS = {
    "application/gzip": "GZIP",
    "application/json": "JSON",
    "application/vnd.rar": "RAR",
    "application/x-7z-compressed": "7Z",
    "application/x-tar": "TAR",
    "application/xml": "XML",
    "application/zip": "ZIP",
    "image/bmp": "BMP",
    "image/gif": "GIF",
    "image/heic": "HEIC",
    "image/jpeg": "JPEG",
    "image/png": "PNG",
    "image/svg+xml": "SVG",
    "image/tiff": "TIFF",
    "image/webp": "WebP",
    "text/markdown": "Markdown",
    "text/tab-separated-values": "TSV",
}
"""What people call the format of files of a type that has no word of its own."""
ARCHIVES = {
    *("application/gzip", "application/vnd.rar", "application/x-7z-compressed", "application/x-tar", "application/zip"),
}
"""Types of archives."""


def registered(media_type: str) -> str:
    """The registered type that a media type stands for, in lower case; `UNKNOWN` for one that names no real type."""
    kind = media_type.strip().lower()
    return _REGISTERED.get(kind, kind)


def of_name(filename: str) -> str:
    """The type that the end of a file's name stands for, or `UNKNOWN`."""
    return registered(_NAMES.get(filename.rpartition(".")[2].lower(), UNKNOWN))


def of_attachment(attachment: "Attachment") -> str:
    """The type of an attachment, by the evidence of its octets, its name and its label."""
    return by_evidence(attachment.media_type_detected, attachment.filename, attachment.media_type)


def by_evidence(detected: str | None, filename: str, declared: str) -> str:
    """The type of a file: that of its octets, else of its name, else its label.

    `detected` is the type of the octets, or None if they say nothing.
    """
    # Some programs label a file `*/*`.
    kinds = [kind for kind in (of_name(filename), registered(declared)) if kind != UNKNOWN and "*" not in kind]
    seen = registered(detected or UNKNOWN)
    if seen == "application/zip":
        return next((kind for kind in kinds if kind in ZIP_TYPES), seen)
    # A compound file does not tell its content either, and has no list of types.
    return seen if seen not in {UNKNOWN, COMPOUND_FILE} else next(iter(kinds), seen)
