"""Renders templates to text and HTML. HTML is autoescaped, because everything in a message is hostile."""

from collections.abc import Sequence
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, TemplateSyntaxError, select_autoescape

from mailstep.custom import TEMPLATES


def _octets(count: int) -> str:
    """A size as people read it: `512 bytes`, `1.4 KB`, `3.0 MB` (units of 1,000)."""
    for size, unit in ((1_000_000, "MB"), (1_000, "KB")):
        if count >= size:
            return f"{count / size:.1f} {unit}"
    return f"{count} bytes"


def figure(number: float) -> str:
    """A number with only its meaningful digits: `12`, `3.5`, `1,234.57`, `0.0004`, `1.5e+20`. Whole ones keep all."""
    if isinstance(number, int):
        return f"{number:,}"
    if 0 < abs(number) < 1 or abs(number) >= 1e15:
        return f"{number:.2g}"
    return f"{number:,.2f}".rstrip("0").rstrip(".")


def _environment(folders: Sequence[Path]) -> Environment:
    environment = Environment(
        loader=FileSystemLoader(folders),
        autoescape=select_autoescape(["html.j2"]),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(octets=_octets, figure=figure)
    return environment


@cache
def _templates() -> Environment:
    return _environment(TEMPLATES)


def faults(folder: Path) -> list[str]:
    """One line for each template in the folder that cannot be read: its file, the line and what is wrong there."""
    environment = _environment((folder,))
    found = []
    for name in environment.list_templates(extensions=["j2"]):
        try:
            environment.get_template(name)
        except TemplateSyntaxError as error:
            found.append(f"{folder / name}, line {error.lineno}: {error.message}")
        except UnicodeDecodeError:
            found.append(f"{folder / name}: not UTF-8: save it as UTF-8")
    return found


def render(template: str, **context: object) -> str:
    """Render a template: the installation's own, or else the shipped one of that name."""
    return _templates().get_template(template).render(context)
