"""The routes of a routes.toml, and every mistake in it. A route's address is also its S3 prefix."""

import re
from collections.abc import Iterator, Mapping
from functools import cache

from pydantic import ValidationError

from mailstep import route_settings, settings
from mailstep.addresses import canonical, canonical_domain
from mailstep.custom import routes_file
from mailstep.errors import ConfigurationError
from mailstep.route import Route
from mailstep.routes_toml import RoutesToml, filled, variables
from mailstep.toml_text import file_text

ROUTES_FILE = routes_file()
# A receipt rule and a resource of CloudFormation are named after the route (receiving.yaml).
# An unquoted local part of RFC 5322 has no two dots in a row (section 3.2.3).
_NAME = re.compile(r"(?!.*\.\.)[a-z0-9]([a-z0-9._-]{0,38}[a-z0-9])?")
_PUNCTUATION = re.compile(r"[._-]")


class Routes(Mapping[str, Route]):
    """The routes by name. Asking for a faulty route raises its error; iterating skips it.

    `faults` has the mistakes by the name of the route. Mistakes of the whole file have the empty name.
    """

    def __init__(self, sound: dict[str, Route], faults: dict[str, list[str]]) -> None:
        self._sound, self.faults = sound, faults

    def __getitem__(self, name: str) -> Route:
        if name and name in self.faults:
            raise ConfigurationError("; ".join(self.faults[name]))
        return self._sound[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._sound)

    def __len__(self) -> int:
        return len(self._sound)


@cache
def routes() -> Routes:
    """The routes as deployed. `${NAME}` in the file is the environment variable of that name.

    A faulty route stops only its own mail: asking for it raises its ConfigurationError.

    Raises:
        ConfigurationError: the file does not exist, or is not TOML.
    """
    return read(file_text(ROUTES_FILE), settings.variables())


def own_addresses(domain: str, reply_from: str) -> frozenset[str]:
    """Mailstep's own addresses, in canonical form: those of the routes, and the From addresses of replies.

    `@<domain>` stands for every address of the domain, which a catch-all route has.
    """
    addresses = {f"@{domain}"} if catch_all_route() else set()
    addresses |= {f"{name}@{domain}" for name in deployed_names()} | {route.reply_from for route in routes().values()}
    return frozenset(canonical(address) for address in addresses | {reply_from} if address)


def with_the_same_processor(name: str, domain: str) -> frozenset[str]:
    """The addresses, in canonical form, of the other routes whose mail the same built-in processor answers."""
    known = routes()
    route = known.get(name)
    if route is None or route.calls_an_application:
        return frozenset()
    others = (
        other
        for other, found in known.items()
        if other != name and not found.calls_an_application and found.processor == route.processor
    )
    return frozenset(canonical(f"{other}@{domain}") for other in others)


def load(text: str, environment: dict[str, str], *, file: str = ROUTES_FILE.name) -> dict[str, Route]:
    """The routes of a routes.toml, if all of them are valid. Errors call it `file`.

    Raises:
        ConfigurationError: every mistake, each with its line and remedy.
    """
    found = read(text, environment, file=file)
    if found.faults:
        raise ConfigurationError("; ".join(fault for faults in found.faults.values() for fault in faults))
    return dict(found)


def read(text: str, environment: dict[str, str], *, file: str = ROUTES_FILE.name) -> Routes:
    """Read the text of a routes.toml, each route by itself. Errors call it `file`.

    If the environment has DOMAIN, replies must come from that domain. REPLY_FROM is the From address of routes without
    `reply_from`.

    Raises:
        ConfigurationError: it is not TOML, or has no route.
    """
    sound: dict[str, Route] = {}
    toml = RoutesToml(text, file)
    faults = _faults_of_names(toml)
    for name, declared in toml.tables().items():
        try:
            sound[name] = _at_domain(toml, name, _route(toml, name, declared, environment), environment)
        except _Faulty as faulty:
            faults[name] = [*faults.get(name, []), *faulty.args]
    first, *further = [*_catch_alls(toml), None]
    for name in filter(None, further):
        fault = f"{first!r} is the catch-all route already: mail to other addresses can go to one route only"
        faults[name] = [*faults.get(name, []), toml.fault(name, "catch_all", fault)]
    return Routes({name: route for name, route in sound.items() if name not in faults}, faults)


def names(text: str, *, file: str = ROUTES_FILE.name) -> list[str]:
    """Only the names of the routes, in order. They do not depend on the environment. Errors call the text `file`.

    Raises:
        ConfigurationError: the text is not TOML, a name is invalid, or the only route is a catch-all route.
    """
    toml = RoutesToml(text, file)
    faults = [fault for found in _faults_of_names(toml).values() for fault in found] or lone_catch_all(toml)
    if faults:
        raise ConfigurationError("; ".join(faults))
    return list(toml.tables())


def lone_catch_all(toml: RoutesToml) -> list[str]:
    """The fault of a catch-all route without another route: receiving.yaml takes no empty list of routes."""
    only, *others = toml.tables()
    if others or [*_catch_alls(toml)] != [only]:
        return []
    return [
        toml.fault(
            only, "catch_all", "a catch-all route needs another route beside it: add one, [routes.postmaster] say"
        )
    ]


def catch_all(text: str, *, file: str = ROUTES_FILE.name) -> str | None:
    """The name of the route with `catch_all`, if there is one. Errors call the text `file`.

    Raises:
        ConfigurationError: the text is not TOML.
    """
    return next(_catch_alls(RoutesToml(text, file)), None)


def _catch_alls(toml: RoutesToml) -> Iterator[str]:
    for name, table in toml.tables().items():
        if isinstance(table, dict) and table.get("catch_all") is True:
            yield name


@cache
def deployed_names() -> frozenset[str]:
    """The names of the deployed routes, faulty ones included: their mail waits, and does not count as stray."""
    return frozenset(RoutesToml(file_text(ROUTES_FILE)).tables())


@cache
def catch_all_route() -> str | None:
    """The name of the deployed route with `catch_all`, if there is one; its other settings may be faulty."""
    return catch_all(file_text(ROUTES_FILE))


@cache
def reads_enclosed(name: str) -> bool:
    """Whether attached messages are read in mail of a route; its other settings may be faulty, or not be known here."""
    table = RoutesToml(file_text(ROUTES_FILE)).tables().get(name)
    return isinstance(table, dict) and table.get("read_enclosed") is True


class _Faulty(Exception):
    """The mistakes of one route, each as an argument."""


def _faults_of_names(toml: RoutesToml) -> dict[str, list[str]]:
    """The mistakes in names, by route. Tables that are not routes have the empty name."""
    faults: dict[str, list[str]] = {}
    seen: set[str] = set()
    for table in toml.document().keys() - {"routes"}:
        faults.setdefault("", []).append(f"{toml.place(table)}: not known: a route is a table [routes.<name>]")
    for name in toml.tables():
        where = toml.place_of(name)
        if not _NAME.fullmatch(name):
            faults[name] = [
                f"{where}: {name!r} cannot name a route: use 1 to 40 of a-z, 0-9, -, _ and ., none of these three "
                "first or last, and no two dots in a row"
            ]
        # A resource's logical id takes letters and digits only (receiving.yaml).
        elif _PUNCTUATION.sub("", name) in seen:
            faults[name] = [
                f"{where}: it differs from another route in nothing but hyphens, underscores and dots: rename one"
            ]
        seen.add(_PUNCTUATION.sub("", name))
    return faults


def _route(toml: RoutesToml, name: str, declared: object, environment: dict[str, str]) -> Route:
    """One route, its variables filled in.

    Raises:
        _Faulty: every setting that is wrong.
    """
    if not isinstance(declared, dict):
        raise _Faulty(f"{toml.place_of(name)}: write it as a table, [routes.{name}]")
    nested = [setting for setting, value in declared.items() if isinstance(value, dict)]
    if nested:
        raise _Faulty(
            *(
                toml.fault(name, inner, f'a name with a dot needs quotes: write [routes."{name}.{inner}"]')
                for inner in nested
            )
        )
    missing = sorted(set(variables(declared)) - environment.keys())
    if missing:
        raise _Faulty(
            *(
                f"{toml.place_of(name, written=(f'${{{variable}}}',))}: ${{{variable}}} is not set: "
                "set it in template.yaml, Globals, Environment"
                for variable in missing
            )
        )
    # A variable may be empty. A written empty pattern is a mistake: it would match nothing.
    empty = [setting for setting, value in declared.items() if isinstance(value, list) and "" in value]
    if empty:
        raise _Faulty(
            *(toml.fault(name, setting, "take the empty pattern out: it matches nothing") for setting in empty)
        )
    try:
        return Route.model_validate(filled(declared, environment))
    except ValidationError as error:
        faults = [(fault["loc"], route_settings.remedy(fault), fault.get("input")) for fault in error.errors()]
        raise _Faulty(*(_fault(toml, name, *fault) for fault in faults)) from error


def _at_domain(toml: RoutesToml, name: str, route: Route, environment: dict[str, str]) -> Route:
    """The route with the From address of its replies, if the route or the stack sets one.

    Raises:
        _Faulty: SES may not send from that address.
    """
    domain = canonical_domain(environment.get("DOMAIN", ""))
    where = toml.place_of(name, "reply_from")
    if not route.reply_from:
        where += f": replies of {name!r} come from the stack's parameter ReplyFrom"
    try:
        address = route.reply_from or route_settings.reply_address(environment.get("REPLY_FROM", ""))
    except ValueError as error:
        raise _Faulty(f"{where}: {error}") from error
    if address and domain and address.rpartition("@")[2] != domain:
        raise _Faulty(f"{where}: SES sends from the domain only: write an address at {domain}")
    return route.model_copy(update={"reply_from": address})


def _fault(toml: RoutesToml, name: str, where: tuple[str | int, ...], what: str, value: object) -> str:
    said = what or f"there is no such setting; there are: {', '.join(Route.model_fields)}"
    if not where and said.partition(":")[0] in Route.model_fields:
        named, _, said = said.partition(": ")
        where = (named,)
    # An element of an array has a line of its own.
    element = (f'"{value}"', f"'{value}'") if len(where) > 1 else ()
    return f"{toml.place_of(name, *map(str, where[:1]), written=element)}: {said}"
