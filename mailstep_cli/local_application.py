"""The application that a local account calls, checked before anything starts."""

from mailstep.process.signing import NEEDED, signing_key
from mailstep.route_settings import application_url
from mailstep_cli import checkout
from mailstep_cli.errors import UserError
from mailstep_cli.routing import routes_of_the_application
from mailstep_cli.terminal import complain


def check_application(url: str, secret: str, *, example: bool) -> str:
    """The canonical URL of the application that runs already; empty without one. Says if no route would call it.

    Raises:
        UserError: the URL or the secret cannot be used, or the example is wanted as well.
    """
    if url and example:
        raise UserError("--example and --application-url name two applications: give one of them")
    try:
        url = application_url(url)
    except ValueError as error:
        raise UserError(f"--application-url: {error}") from error
    if url and secret and signing_key(secret.strip()) is None:
        raise UserError(f"--application-secret: {NEEDED}")
    option = "--example" if example else "--application-url"
    if (url or example) and not routes_of_the_application():
        complain(
            f"{option} has no effect: no route in {checkout.routes_file()} has the url ${{APPLICATION_URL}}, "
            f"which {option} sets"
        )
    return url
