"""Checks routes.toml for `mailstep routes`, with what is known before a deployment."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mailstep import custom, rendering
from mailstep.addresses import canonical_domain, is_domain
from mailstep.errors import ConfigurationError
from mailstep.process.built_in import built_in
from mailstep.route import Route
from mailstep.routes import lone_catch_all, names, read
from mailstep.routes_toml import RoutesToml, variables
from mailstep.texts import files
from mailstep_cli import bundled, checkout, samconfig, templates
from mailstep_cli.errors import UserError

_NO_ACCOUNT = "000000000000"


@dataclass(frozen=True)
class Checked:
    """Valid routes by name, the same as declared before variables were filled in.

    Attributes:
        file: The routes.toml that they were read from.
        domain: As A-labels; empty where it is unknown.
    """

    file: str
    routes: dict[str, Route]
    declared: dict[str, Any]
    domain: str

    @property
    def catch_all(self) -> str | None:
        """The route that gets all other mail to the domain: the parameter CatchAllRoute of receiving.yaml."""
        return next((name for name, route in self.routes.items() if route.catch_all), None)

    @property
    def with_rules_of_their_own(self) -> list[str]:
        """The other routes: the parameter Routes."""
        return [name for name in self.routes if name != self.catch_all]


def check(file: Path | None, domain: str | None) -> Checked:
    """Read the routes of `file` (None: of the checkout) for `domain` (None: the one in samconfig.toml, if any).

    Raises:
        UserError: one line for each mistake.
        ConfigurationError: the file cannot be read, is not TOML, or has no route.
    """
    toml = checkout.routes_toml(file)
    project = checkout.find(file)
    wanted = domain or (samconfig.domain(project) if project else "")
    if wanted and not is_domain(wanted):
        raise UserError(f"{wanted} is not a domain: write it like mail.example.com")
    found = read(toml.text, (_variables(project) if project else {}) | {"DOMAIN": wanted}, file=toml.file)
    faults = [line for lines in found.faults.values() for line in lines] + lone_catch_all(toml)
    faults += [line for name, route in found.items() for line in _processor_faults(toml, name, route, project)]
    if project:
        own = project / "functions" / custom.FOLDER
        faults += rendering.faults(own / "templates") + files.faults(own / files.FOLDER)
    if faults:
        raise UserError(*faults)
    return Checked(toml.file, dict(found), toml.tables(), canonical_domain(wanted))


def unset_url(declared: Any, route: Route) -> str | None:
    """The url of a route as routes.toml has it, if its variable is not set, so that a processor answers until then."""
    return declared.get("url") or None if not route.url else None


def route_with_processor(name: str) -> tuple[Route, str | None]:
    """The settings of a route of the checkout whose mail a built-in processor answers, and its `unset_url`.

    Raises:
        UserError: there is no checkout, or no such route, or its mail is for an application.
        ConfigurationError: routes.toml cannot be read, or the route is at fault.
    """
    project = checkout.needed("mailstep process")
    toml = checkout.routes_toml()
    _check_name(name, toml)
    route = read(toml.text, _variables(project) | {"DOMAIN": samconfig.domain(project)}, file=toml.file)[name]
    if route.calls_an_application:
        raise UserError(
            f"mail to the route {name!r} is for an application, which has to be running: mailstep demo --route {name}"
        )
    return route, unset_url(toml.tables()[name], route)


def check_route(route: str | None) -> None:
    """Refuse a route that the checkout's routes.toml does not have, before anything starts.

    Raises:
        UserError: there is no such route.
        ConfigurationError: routes.toml cannot be read.
    """
    if route is not None and checkout.find():
        _check_name(route, checkout.routes_toml())


def routes_of_the_application() -> list[str]:
    """The checkout's routes that name the stack's parameter ApplicationUrl as their url, in order.

    Raises:
        ConfigurationError: routes.toml cannot be read.
    """
    tables = checkout.routes_toml().tables()
    return [name for name, declared in tables.items() if "APPLICATION_URL" in variables(declared)]


def _check_name(route: str, toml: RoutesToml) -> None:
    known = names(toml.text, file=toml.file)
    if route not in known:
        raise UserError(f"there is no route {route!r} in {toml.file}; there are: {', '.join(known)}")


def _processor_faults(toml: RoutesToml, name: str, route: Route, project: Path | None) -> list[str]:
    faults = bundled.faults(project / "functions", route.processor) if project and route.processor else []
    if route.processor and not faults:
        try:
            built_in(route.processor)
        except ConfigurationError as error:
            faults = [str(error)]
    return [toml.fault(name, "processor", fault) for fault in faults]


def _variables(project: Path) -> dict[str, str]:
    """The functions' variables when all parameters have their defaults; the queue's URL has a made-up account."""
    template = templates.read(project / "template.yaml")
    variables = template["Globals"]["Function"]["Environment"]["Variables"]

    def meaning(value: object) -> str:
        match value:
            case {"Ref": str(name)} if name in template["Parameters"]:
                return str(template["Parameters"][name].get("Default", ""))
            case {"Ref": str(name)} if "QueueName" in template["Resources"].get(name, {}).get("Properties", {}):
                named: str = template["Resources"][name]["Properties"]["QueueName"]["Sub"]
                queue = named.replace("${AWS::StackName}", "mailstep")
                return f"https://sqs.us-east-1.amazonaws.com/{_NO_ACCOUNT}/{queue}"
            case dict():
                return ""
            case _:
                return str(value)

    return {name: meaning(value) for name, value in variables.items()}
