"""A sandbox behind the connection, for what waits in the triggerer."""

from __future__ import annotations

import asyncio
import json
import time

import pytest

from airflow_provider_lp.sandbox import Account, Sandbox
from tests.sensors.conftest import serve

__all__ = ["serve"]


@pytest.fixture
def shared_streams() -> None:
    """Only where Airflow has them."""
    pytest.importorskip("airflow.triggers.shared_stream", reason="Airflow before 3.3")


@pytest.fixture(autouse=True, scope="session")
def _warm() -> None:
    """Import what the first look imports, which takes longer than the moments that these tests are about."""
    from airflow_provider_lp.triggers.conditions.conversations import ConversationsHaveStatus
    from airflow_provider_lp.triggers.conditions.kinds import described
    from airflow_provider_lp.triggers.waiting import LivePersonConditionTrigger

    with Sandbox(account=Account.of([])) as sandbox, pytest.MonkeyPatch.context() as patch:
        secrets = {name: sandbox.credentials[name] for name in ("client_id", "client_secret")}
        extra = {"account_id": sandbox.account.account_id, **secrets}
        described_connection = {"conn_type": "liveperson", "host": sandbox.url, "extra": extra}
        patch.setenv("AIRFLOW_CONN_WARM", json.dumps(described_connection))
        pace = {"started_s": time.time(), "timeout_s": 0.2, "poke_interval_s": 0.1}
        trigger = LivePersonConditionTrigger(described(ConversationsHaveStatus(["x"])), pace, "warm")

        async def look() -> None:
            await anext(trigger.run())

        asyncio.run(look())
