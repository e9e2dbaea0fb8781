"""Decides whether a policy document allows a request, with the part of IAM's logic that Mailstep's policies use.

AWS Identity and Access Management User Guide, "Policy evaluation logic" and "Condition operators".
"""

import json
from fnmatch import fnmatchcase
from typing import Any

_EXACT = {"stringequals", "bool"}
_PATTERN = {"stringlike", "arnequals", "arnlike"}


def allows(
    policy: str | dict[str, Any],
    action: str,
    resource: str,
    *,
    service: str | None = None,
    context: dict[str, str] | None = None,
) -> bool:
    """Whether `policy` lets `service` (None: the owner of the policy) do `action` on `resource`.

    `context` holds the request's condition keys. A condition with any other key or operator counts as not met.
    """
    document: dict[str, Any] = json.loads(policy) if isinstance(policy, str) else policy
    known = {"aws:securetransport": "true", **{key.lower(): value for key, value in (context or {}).items()}}
    effects = {
        statement["Effect"]
        for statement in _listed(document.get("Statement"))
        if _speaks_of(statement, action, resource, service) and _holds(statement.get("Condition", {}), known)
    }
    return effects == {"Allow"}


def _speaks_of(statement: dict[str, Any], action: str, resource: str, service: str | None) -> bool:
    principal = statement.get("Principal")
    named = principal if isinstance(principal, str) else _listed((principal or {}).get("Service"))
    return (
        (service is None or named == "*" or service in named)
        and any(fnmatchcase(action.lower(), pattern.lower()) for pattern in _listed(statement.get("Action")))
        and ("Resource" not in statement or any(fnmatchcase(resource, p) for p in _listed(statement["Resource"])))
    )


def _holds(conditions: dict[str, dict[str, Any]], known: dict[str, str]) -> bool:
    return all(
        _matches(operator.lower(), known.get(key.lower()), [str(value) for value in _listed(values)])
        for operator, tests in conditions.items()
        for key, values in tests.items()
    )


def _matches(operator: str, value: str | None, wanted: list[str]) -> bool:
    if value is None:
        return False
    if operator in _EXACT:
        return value in wanted
    return operator in _PATTERN and any(fnmatchcase(value, pattern) for pattern in wanted)


def _listed(value: Any) -> list[Any]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]
