"""Finds the envelope recipient of a message: the address of ours that it came to."""

from collections.abc import Iterable
from dataclasses import dataclass

from mailstep import settings
from mailstep.addresses import canonical, canonical_domain, label, without_label
from mailstep.contracts import Address, Recipient
from mailstep.routes import catch_all_route, deployed_names


@dataclass(frozen=True)
class Place:
    """The addresses of a route: `<route>@<domain>`, with any label. A catch-all route has all that no other has."""

    route: str
    domain: str
    others: frozenset[str] = frozenset()
    """The names of the other routes."""
    catch_all: bool = False

    @property
    def address(self) -> str:
        """The route's own address."""
        return canonical(f"{self.route}@{self.domain}")

    def has(self, address: str) -> bool:
        """Whether a canonical address is one of the route's."""
        name, _, domain = without_label(address).rpartition("@")
        return domain == canonical_domain(self.domain) and self._has_name(name)

    def took(self, address: str) -> bool:
        """Whether the canonical address that SES wrote is one of the route's: a second domain may be received too."""
        return self._has_name(without_label(address).rpartition("@")[0])

    def _has_name(self, name: str) -> bool:
        return name == self.route or (self.catch_all and name not in self.others)


def place_of(route: str) -> Place:
    """The addresses of a deployed route."""
    domain = settings.Domain.read().domain
    return Place(route, domain, deployed_names() - {route}, catch_all=route == catch_all_route())


def recipient(said: str | None, named: Iterable[Address], place: Place) -> Recipient:
    """The envelope recipient.

    A transaction of several recipients is stored for the route of each, and SES need not name one. The rule of a
    catch-all route also stores what other routes get: such a message has the recipient of the other route, and the
    policy refuses it (validate/policy.py).

    Args:
        said: The one that SES wrote, in canonical form.
        named: The addresses in To and Cc, which stand in for it.
        place: The addresses of the route that the message is stored for.
    """
    seen = [canonical(address.address) for address in named]
    ours = next(filter(place.has, seen), place.address)
    if said and place.took(said):
        ours = said
    elif place.catch_all and not any(map(place.has, seen)):
        at_domain = (address for address in seen if address.endswith(f"@{canonical_domain(place.domain)}"))
        ours = said or next(at_domain, place.address)
    return Recipient(address=ours, label=label(ours))
