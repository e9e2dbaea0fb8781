"""Renders templates to text and HTML. HTML is autoescaped, because everything in a message is hostile."""

from collections.abc import Sequence
from functools import cache
from pathlib import Path

from jinja2 import (
    Environment,
    FileSystemLoader,
    StrictUndefined,
    TemplateSyntaxError,
    pass_eval_context,
    select_autoescape,
)
from jinja2.nodes import EvalContext
from markupsafe import escape

from mailstep.custom import TEMPLATES
from mailstep.texts.speaking import figure, language, say, sentence, size, written
from mailstep.texts.types import type_name


@pass_eval_context
def _say(context: EvalContext, key: str, **values: object) -> str:
    """The sentence with this key; in HTML, its values may be markup."""
    if not context.autoescape:
        return say(key, **values)
    return escape(sentence(key, values)).format(**{name: written(value) for name, value in values.items()})


def _environment(folders: Sequence[Path]) -> Environment:
    environment = Environment(
        loader=FileSystemLoader(folders),
        autoescape=select_autoescape(["html.j2"]),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(octets=size, figure=figure, type_name=type_name)
    environment.globals.update(say=_say, language=language)
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
