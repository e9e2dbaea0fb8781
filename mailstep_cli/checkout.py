"""The checkout of Mailstep that the command works with, and its routes."""

from pathlib import Path

from mailstep import custom, routes
from mailstep_cli.errors import UserError


def find(file: Path | None = None) -> Path | None:
    """Find the checkout: around `file`, else where the command was installed in place, else around the directory.

    None if the command was installed by itself and started outside a checkout.
    """
    beside = file.absolute().parents if file else ()
    here = Path.cwd()
    candidates = (*beside, Path(__file__).parents[1], here, *here.parents)
    return next((place for place in candidates if _is_ours(place)), None)


def _is_ours(place: Path) -> bool:
    return (place / "template.yaml").is_file() and (place / "functions" / "mailstep").is_dir()


def needed(command: str) -> Path:
    """The checkout, for a command that needs one.

    Raises:
        UserError: there is no checkout here.
    """
    found = find()
    if found is None:
        raise UserError(
            f"{command} needs a checkout of Mailstep: change into one, run `make .venv/ready`, "
            f"then use .venv/bin/mailstep there"
        )
    return found


def routes_file() -> Path:
    """The routes.toml of the checkout: the installation's own in functions/custom, else the shipped one.

    Raises:
        UserError: there is no checkout.
    """
    return custom.routes_file(needed("mailstep routes") / "functions")


def routes_text(file: Path | None = None) -> str:
    """The text of `file`, or else of the checkout's routes.toml.

    From then on, the processors beside the file count as built in, even if the command is installed elsewhere.

    Raises:
        ConfigurationError: the file cannot be read.
        UserError: no file is named, and there is no checkout.
    """
    path = file or routes_file()
    text = routes.file_text(path)
    custom.add_processors_beside(path)
    return text
