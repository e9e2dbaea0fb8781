"""The checkout of Mailstep that the command works with, and its routes."""

from pathlib import Path

from mailstep import custom, toml_text
from mailstep.routes_toml import RoutesToml
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


def needed(command: str, *, environment: bool = False) -> Path:
    """The checkout, for a command that needs one.

    Args:
        command: The command as the user types it.
        environment: Whether it also needs the checkout's own environment.

    Raises:
        UserError: there is no checkout here.
    """
    found = find()
    if found is None:
        first = "run `make .venv/ready` there, then .venv/bin/" if environment else "run it again: "
        raise UserError(
            f"{command} needs a checkout of Mailstep, and this directory is not in one: change into your checkout "
            f"(the directory with template.yaml; get one with `git clone`), then {first}{command}"
        )
    return found


def routes_file() -> Path:
    """The routes.toml of the checkout: the installation's own in functions/custom, else the shipped one.

    Raises:
        UserError: there is no checkout.
    """
    return custom.routes_file(needed("mailstep routes") / "functions")


def routes_toml(file: Path | None = None) -> RoutesToml:
    """The routes.toml at `file`, or else the checkout's. Errors name its path.

    From then on, the processors beside the file count as built in, even if the command is installed elsewhere.

    Raises:
        ConfigurationError: the file cannot be read.
        UserError: no file is named, and there is no checkout.
    """
    path = file or routes_file()
    text = toml_text.file_text(path)
    custom.add_beside(path)
    return RoutesToml(text, str(path))
