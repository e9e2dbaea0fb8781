"""Where an installation's own settings lie: functions/custom/, which takes precedence over what is shipped."""

from pathlib import Path

_SHIPPED = Path(__file__).parents[1]
FOLDER = "custom"
_CUSTOM = _SHIPPED / FOLDER

PROCESSORS = [str(_CUSTOM / "processors"), str(Path(__file__).parent / "process" / "processors")]
"""Where processors are looked for, the installation's own first. The package of the processors has this as its path."""
TEMPLATES = (_CUSTOM / "templates", Path(__file__).parent / "templates")
"""Where templates are looked for, the installation's own first."""


def routes_file(functions: Path = _SHIPPED) -> Path:
    """The routes.toml that counts: the installation's own, if there is one."""
    own = functions / FOLDER / "routes.toml"
    return own if own.exists() else functions / "routes.toml"
