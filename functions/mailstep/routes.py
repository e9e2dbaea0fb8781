"""routes.toml: which S3 prefix, and so which address, is processed how."""

import os
import tomllib
from functools import cache
from pathlib import Path
from string import Template

from pydantic import Field, TypeAdapter, ValidationError

from mailstep import bounds
from mailstep.contracts import Contract
from mailstep.errors import ConfigurationError

ROUTES_FILE = Path(__file__).parents[1] / "routes.toml"


class Route(Contract):
    """What happens to mail under `inbound/<name>/`, which is mail to `<name>@<domain>`."""

    url: str = Field(default="", description="The application's endpoint; where empty, `processor` does the work")
    processor: str = Field(default="receipt", description="A module of mailstep/processors")

    # The reply.
    reply_from: str = Field(default="", description="The reply's address, at the domain; empty: the stack's ReplyFrom")
    reply_name: str = Field(default="", description="The reply's display name")

    # Who is answered, and what is taken (policy.py).
    require_authentication: bool = Field(
        default=True, description="false: what nobody vouches for is processed too, and never answered"
    )
    allowed_senders: tuple[str, ...] = Field(default=(), description="Patterns as `*@shop.example`; none: everybody")
    blocked_senders: tuple[str, ...] = Field(default=(), description="Patterns as `*@shop.example`")
    replies_an_hour: int = Field(default=20, ge=1, le=1_000, description="To one sender, in one hour of the clock")
    max_size_octets: int = Field(default=bounds.MESSAGE_OCTETS, gt=0, le=bounds.MESSAGE_OCTETS)
    max_attachments: int = Field(default=50, ge=0, le=bounds.PARTS)
    attachment_types: tuple[str, ...] = Field(
        default=(), description="Media types as `text/csv` and `image/*`; none: all but programs"
    )


@cache
def routes() -> dict[str, Route]:
    """The routes as deployed, by name. `${NAME}` in the file is the environment variable of that name.

    Raises:
        ConfigurationError: the file is not TOML, not of this shape, or names a variable that is not set.
    """
    return load(ROUTES_FILE.read_text(), dict(os.environ))


def load(text: str, environment: dict[str, str]) -> dict[str, Route]:
    """Read the text of a routes.toml."""
    try:
        return TypeAdapter(dict[str, Route]).validate_python(
            _filled(tomllib.loads(text).get("routes", {}), environment)
        )
    except KeyError as error:
        raise ConfigurationError(
            f"routes.toml names ${{{error.args[0]}}}: set it in template.yaml, Globals, Environment"
        ) from error
    except (tomllib.TOMLDecodeError, ValidationError, ValueError) as error:
        raise ConfigurationError(f"routes.toml: {error}") from error


def _filled(value: object, environment: dict[str, str]) -> object:
    """Fill in `${NAME}` after TOML is read, so that no value can change the file's shape."""
    match value:
        case str():
            return Template(value).substitute(environment)
        case dict():
            return {key: _filled(inner, environment) for key, inner in value.items()}
        case _:
            return value


def own_addresses(domain: str, reply_from: str) -> frozenset[str]:
    """The addresses that are ours, in lower case: that of every route, and those that replies come from."""
    addresses = {f"{name}@{domain}" for name in routes()} | {route.reply_from for route in routes().values()}
    return frozenset(address.lower() for address in addresses | {reply_from} if address)
