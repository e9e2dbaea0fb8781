"""Counts what a test asks AWS for."""

from typing import Any

import pytest
from botocore.client import BaseClient


def requests_made(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Each operation of AWS that is called from now on, as `GetObject`, in order. The list grows with each call."""
    made: list[str] = []
    call = BaseClient._make_api_call  # type: ignore[attr-defined]

    def noted(client: BaseClient, operation: str, parameters: Any) -> Any:
        made.append(operation)
        return call(client, operation, parameters)

    monkeypatch.setattr(BaseClient, "_make_api_call", noted)
    return made
