"""The checkout of Mailstep that the command works with, and its routes."""

from pathlib import Path

from mailstep import custom, routes
from mailstep_cli.errors import UserError


def find(file: Path | None = None) -> Path | None:
    """The checkout around a file, else the one that the command was installed from in place, else the one around here.

    None where there is none: the command is installed by itself, and was started outside.
    """
    beside = file.absolute().parents if file else ()
    here = Path.cwd()
    candidates = (*beside, Path(__file__).parents[1], here, *here.parents)
    return next((place for place in candidates if _is_ours(place)), None)


def _is_ours(place: Path) -> bool:
    return (place / "template.yaml").is_file() and (place / "functions" / "mailstep").is_dir()


def needed(command: str) -> Path:
    """The checkout, for a command that cannot do without.

    Raises:
        UserError: there is none.
    """
    found = find()
    if found is None:
        raise UserError(
            f"{command} needs a checkout of Mailstep, and there is none here: change into one, make its environment "
            f"with `make .venv/ready`, then run .venv/bin/mailstep there"
        )
    return found


def routes_file() -> Path:
    """The routes.toml of the checkout: the installation's own in functions/custom, else the shipped one.

    Raises:
        UserError: there is no checkout.
    """
    return custom.routes_file(needed("mailstep routes") / "functions")


def routes_text(file: Path | None = None) -> str:
    """The text of a routes.toml: of the one that is named, else of the checkout's.

    The processors beside it count as built in, where the command itself lies elsewhere; an installation's own first.

    Raises:
        ConfigurationError: it cannot be read.
        UserError: none is named, and there is no checkout.
    """
    path = file or routes_file()
    text = routes.file_text(path)
    beside = path.absolute().parent
    functions = beside.parent if beside.name == custom.FOLDER else beside
    for own in (beside / "processors", functions / custom.FOLDER / "processors"):
        if str(own) not in custom.PROCESSORS:
            custom.PROCESSORS.insert(0, str(own))
    shipped = str(functions / "mailstep" / "process" / "processors")
    if shipped not in custom.PROCESSORS:
        custom.PROCESSORS.append(shipped)
    return text
