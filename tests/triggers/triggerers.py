"""An Airflow 3.3 triggerer in a nutshell: its manager of shared streams, and a state store that outlives it."""

from __future__ import annotations

import asyncio
import importlib
import json
from typing import Any

from tests.sensors.waiting import moved


class Store:
    """An asset's state store that forgets nothing while triggerers come and go."""

    def __init__(self) -> None:
        self.values: dict[str, str] = {}
        self.failures = 0
        self.saves = 0

    async def aget(self, key: str, default: Any = None) -> Any:
        return json.loads(self.values[key]) if key in self.values else default

    async def aset(self, key: str, value: Any) -> None:
        if self.failures:
            self.failures -= 1
            raise OSError("the database is away")
        self.saves += 1
        self.values[key] = json.dumps(value)


async def triggerer(trigger: Any, store: Store, seconds: float, *, confirms: bool = True) -> list[Any]:
    """Run a watcher for some seconds, and then be gone without a word; gives the payloads of its events."""
    streams = importlib.import_module("airflow.triggers.shared_stream")
    manager = streams.SharedStreamManager()
    watcher = moved(trigger)
    watcher.asset_state_store = store
    key = watcher.shared_stream_key()
    payloads: list[Any] = []
    confirming: list[asyncio.Task[None]] = []

    async def confirm(sequence: int) -> None:
        await asyncio.sleep(0.05)
        manager.confirm_persisted([sequence])

    try:
        async with asyncio.timeout(seconds):
            raw = manager.subscribe(trigger_id=1, trigger=watcher, key=key)
            async for event in watcher.filter_shared_stream(raw):
                sequence = manager.bind_pending_event(trigger_id=1, key=key)
                payloads.append(event.payload)
                if confirms:
                    confirming.append(asyncio.ensure_future(confirm(sequence)))
    except TimeoutError:
        pass
    await asyncio.gather(*confirming)
    await manager.stop_all()
    return payloads
