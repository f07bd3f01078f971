from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from airflow_provider_lp.client import liveperson as client_module
from airflow_provider_lp.sandbox import Sandbox
from tests.lab import FakeClock

try:
    from airflow.sdk import DAG as DAG
except ImportError:  # Airflow 2.11
    from airflow import DAG as DAG


@pytest.fixture
def fast(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each client that an operator makes gets a clock on which waits take no time."""
    monkeypatch.setattr(client_module, "Clock", FakeClock)


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
