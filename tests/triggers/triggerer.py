"""An Airflow 3.3 triggerer in a nutshell: its manager of shared streams, and what outlives it."""

from __future__ import annotations

import asyncio
import importlib
import json
import threading
from typing import Any

from tests.fake_clock import FakeClock
from tests.sensors.modes import moved
from tests.sensors.virtual_time import run

#: How long Airflow takes to store an event and to tell so.
CONFIRMED_AFTER_S = 2


class Store:
    """The state store of one asset, which forgets nothing while triggerers come and go."""

    def __init__(self) -> None:
        self._by_name = {"asset": self}
        self._by_uri: dict[str, Any] = {}
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


class Supervisor:
    """The other end of Airflow's own state stores: what each asset remembers."""

    def __init__(self) -> None:
        self.values: dict[str, dict[str, Any]] = {}

    async def asend(self, message: Any) -> Any:
        return self._answer_to(message)

    def send(self, message: Any) -> Any:
        # Airflow 3.3.0 and 3.3.1 have no other way, which would block the triggerer's loop.
        assert threading.current_thread() is not threading.main_thread()
        return self._answer_to(message)

    def _answer_to(self, message: Any) -> Any:
        comms = importlib.import_module("airflow.sdk.execution_time.comms")
        remembered = self.values.setdefault(message.name, {})
        if isinstance(message, comms.SetAssetStateStoreByName):
            remembered[message.key] = json.loads(message.model_dump_json())["value"]
            return None
        assert isinstance(message, comms.GetAssetStateStoreByName), message
        if message.key not in remembered:
            return comms.ErrorResponse(error=comms.ErrorType.ASSET_STORE_NOT_FOUND)
        return comms.AssetStateStoreResult(value=remembered[message.key])


def stores_of(*assets: str) -> Any:
    """What Airflow's triggerer gives a watcher that these assets have."""
    accessors = importlib.import_module("airflow.sdk.execution_time.context").AssetStateStoreAccessors
    asset = importlib.import_module("airflow.sdk").Asset
    return accessors(inlets=[asset(name=name, uri=f"x://{name}") for name in assets])


def triggerer(clock: FakeClock, trigger: Any, store: Any, seconds: float, *, confirms: bool = True) -> list[Any]:
    """Run a watcher for some seconds, and then be gone without a word; gives the payloads of its events."""
    return run(clock, _triggerer(clock, trigger, store, seconds, confirms=confirms))


async def _triggerer(clock: FakeClock, trigger: Any, store: Any, seconds: float, *, confirms: bool) -> list[Any]:
    streams = importlib.import_module("airflow.triggers.shared_stream")
    manager = streams.SharedStreamManager(_now=clock.monotonic)
    watcher = moved(trigger)
    watcher.asset_state_store = store
    key = watcher.shared_stream_key()
    payloads: list[Any] = []
    confirming: list[asyncio.Task[None]] = []

    async def confirm(sequence: int) -> None:
        await asyncio.sleep(CONFIRMED_AFTER_S)
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
