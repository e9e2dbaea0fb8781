"""Finds an installation's own settings in functions/custom/, which take precedence over the shipped ones."""

from pathlib import Path

_SHIPPED = Path(__file__).parents[1]
FOLDER = "custom"
_CUSTOM = _SHIPPED / FOLDER

PROCESSORS = [str(_CUSTOM / "processors"), str(Path(__file__).parent / "process" / "processors")]
"""The folders of processors, the installation's own first. The package of the processors has this as its path."""
TEMPLATES = (_CUSTOM / "templates", Path(__file__).parent / "templates")
"""The folders of templates, the installation's own first."""
TEXTS = Path(__file__).parent / "texts"
"""The folder of the shipped texts."""
OWN = [_CUSTOM]
"""The folders of an installation's own files."""


def routes_file(functions: Path = _SHIPPED) -> Path:
    """The routes.toml in use: the installation's own, if it exists."""
    own = functions / FOLDER / "routes.toml"
    return own if own.exists() else functions / "routes.toml"


def own_file(*path: str) -> Path | None:
    """An installation's own file, by its path within its folder, if there is one."""
    return next((found for folder in OWN if (found := folder.joinpath(*path)).is_file()), None)


def add_beside(routes: Path) -> None:
    """Find the processors, texts and other files of the checkout of a routes.toml too, the installation's own first.

    The functions never call this. The command may be installed outside the checkout that it works on.
    """
    beside = routes.absolute().parent
    functions = beside.parent if beside.name == FOLDER else beside
    if functions / FOLDER not in OWN:
        OWN.insert(0, functions / FOLDER)
    for own in (beside / "processors", functions / FOLDER / "processors"):
        if str(own) not in PROCESSORS:
            PROCESSORS.insert(0, str(own))
    shipped = str(functions / "mailstep" / "process" / "processors")
    if shipped not in PROCESSORS:
        PROCESSORS.append(shipped)
