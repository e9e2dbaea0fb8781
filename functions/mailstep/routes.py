"""routes.toml: which S3 prefix, and so which address, is processed how."""

import os
import re
import tomllib
from functools import cache
from pathlib import Path
from string import Template
from typing import Literal, Self

from pydantic import Field, TypeAdapter, ValidationError, model_validator

from mailstep import bounds
from mailstep.contracts import Contract
from mailstep.errors import ConfigurationError

ROUTES_FILE = Path(__file__).parents[1] / "routes.toml"
# A receipt rule and a resource of CloudFormation are named after the route (receiving.yaml).
_NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?")
_URL = re.compile(r"https://.|http://(127\.0\.0\.1|localhost)[:/]")
_HOUR = 3600


class Route(Contract):
    """What happens to mail under `inbound/<name>/`, which is mail to `<name>@<domain>`."""

    # Who does the work: the first of url, queue and processor that is not empty.
    url: str = Field(default="", description="The application's endpoint, HTTPS; empty: `queue` or `processor`")
    auth: Literal["none", "sigv4", "hmac", "api_key"] = Field(
        default="none", description="How the application knows us: `none`, `sigv4`, `hmac`, `api_key`"
    )
    secret: str = Field(default="", description="ARN of the secret, for `hmac` and `api_key`")
    patience_hours: float = Field(default=24, ge=0, le=72, description="How long an outage is waited out")
    queue: str = Field(default="", description="URL of the SQS FIFO queue that the application pulls from")
    limit_hours: float = Field(default=24, gt=0, le=72, description="How long the queue's consumer may take")
    heartbeat_seconds: int = Field(default=0, ge=0, description="How long it may be silent; 0: up to `limit_hours`")
    processor: str = Field(default="receipt", description="The built-in one: a module of mailstep/processors")

    # The reply.
    reply_from: str = Field(default="", description="The reply's address, at the domain; empty: the stack's ReplyFrom")
    reply_name: str = Field(default="", description="The reply's display name")

    # Who is answered, and what is taken (policy.py).
    require_authentication: bool = Field(
        default=True, description="false: what nobody vouches for is processed too, and never answered"
    )
    allowed_senders: tuple[str, ...] = Field(default=(), description="Patterns as `*@shop.example`; none: everybody")
    blocked_senders: tuple[str, ...] = Field(default=(), description="Patterns as `*@shop.example`")
    max_age_hours: float = Field(
        default=72, gt=0, le=24 * 365, description="Between SES's receipt and S3's event; what is older is not answered"
    )
    replies_an_hour: int = Field(
        default=20, ge=1, le=1_000, description="By the route to one sender, in one hour of the clock"
    )
    max_size_octets: int = Field(default=bounds.MESSAGE_OCTETS, gt=0, le=bounds.MESSAGE_OCTETS)
    max_attachments: int = Field(default=50, ge=0, le=bounds.PARTS)
    attachment_types: tuple[str, ...] = Field(
        default=(), description="Media types as `text/csv` and `image/*`; none: all but programs"
    )

    @property
    def limit_seconds(self) -> int:
        """How long the queue's consumer may take."""
        return round(self.limit_hours * _HOUR)

    @property
    def patience_seconds(self) -> int:
        """How long an outage of the application is waited out."""
        return round(self.patience_hours * _HOUR)

    @model_validator(mode="after")
    def _goes_together(self) -> Self:
        if self.url and self.queue:
            raise ValueError("queue: name one of them, url or queue")
        if self.url and not _URL.match(self.url):
            raise ValueError("url: begin it with https:// (http:// is for this machine only)")
        if self.auth in {"hmac", "api_key"} and self.url and not self.secret:
            raise ValueError(f"auth: {self.auth} needs secret, the ARN of a secret in Secrets Manager")
        if self.secret and not self.secret.startswith("arn:"):
            raise ValueError("secret: name the ARN of a secret in Secrets Manager, not the secret itself")
        if self.queue and not self.queue.endswith(".fifo"):
            raise ValueError("queue: name the URL of a FIFO queue; it ends in .fifo")
        if self.heartbeat_seconds >= self.limit_seconds:
            raise ValueError("heartbeat_seconds: stay below limit_hours")
        return self


@cache
def routes() -> dict[str, Route]:
    """The routes as deployed, by name. `${NAME}` in the file is the environment variable of that name.

    Raises:
        ConfigurationError: the file is not TOML, not of this shape, or names a variable that is not set.
    """
    return load(ROUTES_FILE.read_text(), dict(os.environ))


def own_addresses(domain: str, reply_from: str) -> frozenset[str]:
    """The addresses that are ours, in lower case: that of every route, and those that replies come from."""
    addresses = {f"{name}@{domain}" for name in routes()} | {route.reply_from for route in routes().values()}
    return frozenset(address.lower() for address in addresses | {reply_from} if address)


def load(text: str, environment: dict[str, str]) -> dict[str, Route]:
    """Read the text of a routes.toml.

    Raises:
        ConfigurationError: what is wrong, in which line, and what to do.
    """
    named = _tables(text)
    try:
        return TypeAdapter(dict[str, Route]).validate_python(_filled(named, environment))
    except KeyError as error:
        variable = str(error.args[0])
        line = next(n for n, row in enumerate(text.splitlines(), start=1) if variable in row)
        raise ConfigurationError(
            f"routes.toml, line {line}: ${{{variable}}} is not set: set it in template.yaml, Globals, Environment"
        ) from error
    except ValidationError as error:
        faults = [_fault(text, tuple(map(str, fault["loc"])), fault["msg"]) for fault in error.errors()]
        raise ConfigurationError("; ".join(faults)) from error


def names(text: str) -> list[str]:
    """The names of the routes alone, in order: they depend on no environment.

    Raises:
        ConfigurationError: the text is no TOML, or a name is none.
    """
    return list(_tables(text))


@cache
def deployed_names() -> frozenset[str]:
    """The names of the routes as deployed."""
    return frozenset(names(ROUTES_FILE.read_text()))


def _tables(text: str) -> dict[str, object]:
    try:
        named = tomllib.loads(text).get("routes", {})
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(f"routes.toml is no TOML: {error}") from error
    if not isinstance(named, dict) or not named:
        raise ConfigurationError("routes.toml has no route: add one, as [routes.orders]")
    for name in named:
        if not _NAME.fullmatch(name):
            raise ConfigurationError(
                f"routes.toml, line {_line(text, name)}: {name!r} cannot name a route: use 1 to 40 of a-z, 0-9 and -, "
                "beginning and ending with a letter or digit"
            )
    # A resource's logical id takes letters and digits only.
    if len({name.replace("-", "") for name in named}) < len(named):
        raise ConfigurationError("routes.toml: two routes differ in nothing but hyphens: rename one")
    return named


def _fault(text: str, where: tuple[str, ...], what: str) -> str:
    name, *setting = where
    said = what.removeprefix("Value error, ")
    if said == "Extra inputs are not permitted":
        said = f"there is no such setting; there are: {', '.join(Route.model_fields)}"
    named = setting[0] if setting else said.partition(":")[0]
    path = ".".join(("routes", name, *setting))
    return f"routes.toml, line {_line(text, name, named)}: {path}: {said}"


def _line(text: str, route: str, setting: str = "") -> int:
    """The line of a route's setting, or else of its table; TOML's parser keeps no positions."""
    found, inside = 1, False
    for number, row in enumerate(text.splitlines(), start=1):
        table = re.match(r"\s*\[(.*?)\]", row)
        if table:
            inside = table[1].replace('"', "").replace(" ", "") == f"routes.{route}"
            found = number if inside else found
        elif inside and setting and re.match(rf'\s*"?{re.escape(setting)}"?\s*=', row):
            return number
    return found


def _filled(value: object, environment: dict[str, str]) -> object:
    """Fill in `${NAME}` after TOML is read, so that no value can change the file's shape."""
    match value:
        case str():
            return Template(value).substitute(environment)
        case dict():
            return {key: _filled(inner, environment) for key, inner in value.items()}
        case list():
            return [_filled(inner, environment) for inner in value]
        case _:
            return value
