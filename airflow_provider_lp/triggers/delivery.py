"""Finds that are remembered only once Airflow has them: a shared stream of Airflow 3.3 with acknowledgements."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import Any

from airflow_provider_lp.triggers.base import SharedStreamProducer
from airflow_provider_lp.triggers.watch import Find, Watch, finds

log = logging.getLogger(__name__)

#: How old what is remembered may get while nothing is new.
SAVE_EVERY_S = 600.0
SAVE_PAUSES_S = (0.5, 1.0, 2.0, 4.0)


class AssetStates:
    """
    The state stores of all assets that have the same watcher, as one: Airflow runs equal triggers once for all of them.

    What one remembers, all do, so that neither an asset that is added nor one that goes makes the watch begin anew.

    :param accessors: what Airflow gives the trigger.
    """

    def __init__(self, accessors: Any) -> None:
        # Airflow's accessors give an asset's store only to those who know the asset, which a trigger does not.
        stores = [store for name in ("_by_name", "_by_uri") for store in getattr(accessors, name, {}).values()]
        self._stores = stores or [accessors]

    async def aget(self, key: str) -> Any:
        """What the asset that was looked for last has at ``key``: one whose DAG was paused meanwhile is behind."""
        memories = [memory for store in self._stores if (memory := await store.aget(key)) is not None]
        return max(memories, key=lambda memory: memory.get("looked_ms", 0), default=None)

    async def aset(self, key: str, value: Any) -> None:
        """Let each asset remember it."""
        for store in self._stores:
            await store.aset(key, value)


class RememberedFinds(SharedStreamProducer):
    """
    The finds of a watch, whose memory is saved when Airflow has stored the events made of them.

    A triggerer that dies in between finds the older memory, and finds the same again: an event may come twice then,
    and is never lost.

    :param watch: what to watch.
    :param store: the state stores of the assets watched.
    """

    def __init__(self, watch: Watch, store: AssetStates) -> None:
        self._watch = watch
        self._store = store
        self._saved_s = time.monotonic()

    async def open_stream(self) -> AsyncGenerator[tuple[list[dict[str, Any]], Find], None]:
        """Look for ever; gives events, and the find they are of."""
        memory = await self._store.aget(self._watch.key)
        since = "from now on" if memory is None else "from where it was left"
        log.info(
            "Watching %s over Airflow connection %r, %s.", self._watch.words, self._watch.liveperson_conn_id, since
        )
        async with aclosing(finds(self._watch, memory)) as found:
            async for find in found:
                if memory is None and not find.events:
                    # At once: there must be something for what comes next to be newer than.
                    await self._save(find)
                memory = find.memory
                yield find.events, find

    async def advance(self, batch: Sequence[Any]) -> None:
        """Remember what Airflow has stored."""
        if any(item.outcome.failed or not item.outcome.acked for item in batch):
            raise RuntimeError("Airflow did not store all events; looking again from what is remembered.")
        found: list[Find] = [item.broker_payload for item in batch]
        if any(find.is_news for find in found) or time.monotonic() - self._saved_s > SAVE_EVERY_S:
            await self._save(found[-1])

    async def _save(self, find: Find) -> None:
        for pause_s in SAVE_PAUSES_S:
            try:
                await self._store.aset(self._watch.key, find.memory)
            except Exception as error:  # noqa: BLE001 - of many kinds: the triggerer's connection, the database
                log.warning("What was found could not be remembered: %s. Trying again.", error)
                await asyncio.sleep(pause_s)
            else:
                self._saved_s = time.monotonic()
                return
        await self._store.aset(self._watch.key, find.memory)
