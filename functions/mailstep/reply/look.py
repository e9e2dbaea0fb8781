"""What a reply looks like beside its text: an installation's footer, colour and logo, by the settings of the route."""

from dataclasses import dataclass
from pathlib import Path

from mailstep import custom
from mailstep.errors import ConfigurationError
from mailstep.route import Route
from mailstep.route_settings import png_size

LOGO_ID = "logo~@mailstep"
"""Content id of the logo (RFC 2392); no picture of an answer can have it."""
_WIDTH, _HEIGHT = 240, 60
"""Pixels of the screen in which a logo is shown, at most. A logo is never enlarged."""
# WCAG 2.2, "contrast ratio": at this luminance, white and black contrast with a colour alike.
_AS_LIGHT_AS_DARK = 0.179


@dataclass(frozen=True)
class Logo:
    """A picture that is shown above a reply, with the size that it is shown in, in pixels of the screen."""

    name: str
    content: bytes
    width: int
    height: int


@dataclass(frozen=True)
class Look:
    """What the templates of a reply add to its text."""

    name: str = ""
    footer: str = ""
    signature: bool = True
    """Whether the reply says that Mailstep sent it."""
    colour: str = ""
    ink: str = ""
    """The colour of text on `colour`."""
    logo: Logo | None = None


def look_of(route: Route) -> Look:
    """The look of a route's replies.

    Raises:
        ConfigurationError: the logo is no longer there.
    """
    return Look(
        name=route.reply_name,
        footer=route.reply_footer.strip(),
        signature=route.reply_signature,
        colour=route.reply_colour,
        ink=_ink(route.reply_colour) if route.reply_colour else "",
        logo=_logo(custom.own_file(route.reply_logo)) if route.reply_logo else None,
    )


def _logo(file: Path | None) -> Logo:
    if file is None:
        raise ConfigurationError("reply_logo names a file that is not in functions/custom")
    content = file.read_bytes()
    width, height = png_size(content)
    scale = min(_WIDTH / width, _HEIGHT / height, 1)
    return Logo(file.name, content, max(1, round(width * scale)), max(1, round(height * scale)))


def _ink(colour: str) -> str:
    """Black or white, whichever has the better contrast with a colour (WCAG 2.2, "relative luminance")."""
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return "#000000" if 0.2126 * red + 0.7152 * green + 0.0722 * blue > _AS_LIGHT_AS_DARK else "#ffffff"
