"""A sandbox behind the connection."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from airflow_provider_lp.sandbox import Sandbox


@pytest.fixture(autouse=True)
def _unmasked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Airflow never forgets a secret, and with each new token builds its mask of all of them anew: minutes, by now."""
    monkeypatch.setattr("airflow_provider_lp.hooks.liveperson.mask_secret", lambda secret: None)


@pytest.fixture
def serve(sandbox_of: Callable[..., Sandbox], monkeypatch: pytest.MonkeyPatch) -> Callable[..., Sandbox]:
    """Start a sandbox that the connection ``liveperson_default`` leads to."""

    def start(*conversations: Any, **options: Any) -> Sandbox:
        sandbox = sandbox_of(*conversations, **options)
        secrets = {name: sandbox.credentials[name] for name in ("client_id", "client_secret")}
        extra = {"account_id": sandbox.account.account_id, **secrets}
        described = {"conn_type": "liveperson", "host": sandbox.url, "extra": extra}
        monkeypatch.setenv("AIRFLOW_CONN_LIVEPERSON_DEFAULT", json.dumps(described))
        return sandbox

    return start
