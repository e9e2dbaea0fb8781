"""Programs, by the name and the type of a file: what a system runs when somebody opens it, and documents with macros.

Sources of the names: Microsoft, "Blocked attachments in Outlook"; Google, "File types blocked in Gmail"; and formats of
packages and scripts on macOS, Linux and Android.
"""

import re
import unicodedata

from mailstep import media_types
from mailstep.media_types import MACRO_TYPES

PROGRAM = "application/x-msdownload"
"""The type of a program that has none of its own."""

_NAMED = (
    # Windows: programs, packages, installers, drivers
    "exe com scr pif cpl msi msp mst msu msix msixbundle msix-bundle appx appxbundle appinstaller application appref-ms"
    " appcontent-ms dll ocx sys drv vxd xbap gadget ins isp inf its fxp prg prgm osd mcf cab ex ex_ lib ppkg vsix"
    # Windows: scripts and what starts them
    " bat cmd btm ps1 ps1xml ps2 ps2xml psc1 psc2 psd1 psdm1 psm1 pssc msh msh1 msh2 mshxml msh1xml msh2xml vb vba vbe"
    " vbp vbs vbscript vsmacros js jse wsf wsh wsc ws sct wsb hta htc reg bas csh ksh sh bash zsh fish awk pl pm py pyc"
    " pyo pyw pyz pyzw pyd rb rbw php asp aspx jsp nsh mjs cjs ahk au3"
    # Windows: files that point to a program or change a setting
    " lnk url website scf shb shs rdp msc diagcab diagcfg diagpkg library-ms search-ms searchconnector-ms"
    " cnt grp prf plg bgi asx settingcontent-ms theme themepack deskthemepack printerexport webpnp xnk udl cdxml"
    " chm hlp hpj mht mhtml"
    # Office: macros, add-ins, and queries that fetch or run
    " docm dotm xlsm xltm xlam xlm xla xll wll wiz pptm potm ppsm ppam ppa sldm iqy oqy rqy dqy slk odc dsn"
    " vsdm vssm vstm ade adp accda accde accdr accdu mad maf mag mam maq mar mas mau mav maw mda mdb mde mdt mdw"
    " mdz ops pcd vsw"
    # Images of disks, which Windows opens like folders
    " iso img vhd vhdx wim udf dmg xip"
    # Java, Android, browsers
    " jar jnlp war ear class apk aab xapk apkm ipa crx xpi swf air nex"
    # macOS and Linux
    " app pkg mpkg command scpt scptd applescript workflow terminal mobileconfig webloc inetloc fileloc"
    " deb rpm snap flatpak flatpakref appimage run elf desktop so dylib ko"
)
_ENDS = frozenset(_NAMED.split())
_TYPES = {
    PROGRAM,
    *("application/x-executable", "application/x-elf", "application/x-mach-binary", "application/x-sharedlib"),
    *(
        "application/x-sh",
        "application/x-csh",
        "application/x-shellscript",
        "application/x-bat",
        "application/javascript",
    ),
    *(
        "application/x-apple-diskimage",
        "application/x-iso9660-image",
        "application/x-ms-installer",
        "application/x-msi",
    ),
    *("application/java-archive", "application/x-java-archive", "application/vnd.android.package-archive"),
    *("application/hta", "application/x-ms-shortcut", "application/x-deb", "application/vnd.debian.binary-package"),
    *("application/x-rpm", "application/x-shockwave-flash", "application/x-google-chrome-extension"),
    *(
        "text/vbscript",
        "text/x-python",
        "application/x-perl",
        "application/x-ms-application",
        "application/x-xpinstall",
    ),
    # Of octets (file_signatures.py).
    *("application/x-virtual-disk", "application/x-ms-wim", "application/vnd.ms-htmlhelp", "application/x-sylk"),
    *("application/java-vm", "application/vnd.android.dex", "application/x-xar"),
    "application/vnd.ms-cab-compressed",
    *MACRO_TYPES.values(),
}
_COMPRESSED = {"gz", "bz2", "xz", "z", "lz", "lz4", "lzma", "zst", "br"}
_STREAM = re.compile(r":.*|_+\$data$", re.IGNORECASE | re.DOTALL)
_NAME = 300  # characters of a name's end that are read
# Members of an office document: macros of OOXML, macros of Excel 4.0, Basic of OpenDocument.
_MACRO_MEMBER = re.compile(
    r"(.*/)?vbaProject.*\.bin|xl/macrosheets/.+|Basic/.*script-lb\.xml", re.IGNORECASE | re.DOTALL
)


def of_name(name: str) -> str | None:
    """The type of the program that a name stands for, or None. The name may be a path, as in an archive.

    Windows ignores dots and spaces at the end of a name, and what follows a colon (Microsoft, "Naming Files, Paths, and
    Namespaces"). Nobody sees invisible characters, and full-width ones look alike.
    """
    shown = (c for c in unicodedata.normalize("NFKC", name[-_NAME:]) if unicodedata.category(c)[0] != "C")
    last = _STREAM.sub("", re.split(r"[/\\]", "".join(shown))[-1]).rstrip(" .").lower()
    stem, dot, end = last.rpartition(".")
    if dot and end in _COMPRESSED:
        stem, dot, end = stem.rstrip(" .").rpartition(".")
    if not dot or end not in _ENDS:
        return None
    kind = media_types.of_name(last)
    return kind if kind in _TYPES else PROGRAM


def of_member(name: str) -> str | None:
    """The type of the program that a member of an archive is, by its name; or None."""
    return MACRO_TYPES["docm"] if _MACRO_MEMBER.fullmatch(name[-_NAME:]) else of_name(name)


def of_type(media_type: str) -> str | None:
    """The type if it is that of a program, or None."""
    return media_type if media_type in _TYPES else None
