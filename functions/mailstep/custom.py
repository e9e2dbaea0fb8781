"""Finds an installation's own settings in functions/custom/, which take precedence over the shipped ones."""

from pathlib import Path

_SHIPPED = Path(__file__).parents[1]
FOLDER = "custom"
_CUSTOM = _SHIPPED / FOLDER

PROCESSORS = [str(_CUSTOM / "processors"), str(Path(__file__).parent / "process" / "processors")]
"""The folders of processors, the installation's own first. The package of the processors has this as its path."""
TEMPLATES = (_CUSTOM / "templates", Path(__file__).parent / "templates")
"""The folders of templates, the installation's own first."""


def routes_file(functions: Path = _SHIPPED) -> Path:
    """The routes.toml in use: the installation's own, if it exists."""
    own = functions / FOLDER / "routes.toml"
    return own if own.exists() else functions / "routes.toml"
