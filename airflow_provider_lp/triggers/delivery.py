"""Finds that are remembered only once Airflow has them: a shared stream of Airflow 3.3 with acknowledgements."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import Any

from airflow_provider_lp.triggers.base import SharedStreamProducer
from airflow_provider_lp.triggers.bookmark import Bookmark
from airflow_provider_lp.triggers.watch import Find, Watch

log = logging.getLogger(__name__)

#: How old what is remembered may get while nothing new is found.
SAVE_EVERY_MS = 600_000
SAVE_PAUSES_S = (0.5, 1.0, 2.0, 4.0)


class RememberedFinds(SharedStreamProducer):
    """
    The finds of a watch, each with its bookmark, which is saved when Airflow has stored the events made of it.

    A triggerer that dies in between finds the older bookmark, and finds those conversations again: they may come twice
    then, and are never lost.

    :param watch: what to watch.
    :param store: the asset's state store.
    """

    def __init__(self, watch: Watch, store: Any) -> None:
        self._watch = watch
        self._store = store
        self._saved_ms = 0

    async def open_stream(self) -> AsyncGenerator[tuple[list[str], Find], None]:
        """Look for ever; gives new conversations, and what to remember once they are known."""
        stored = await self._store.aget(self._watch.key)
        bookmark = None if stored is None else Bookmark.of(stored)
        self._saved_ms = 0 if bookmark is None else bookmark.looked_ms
        log.info("Watching for conversations; %s known.", "none are" if bookmark is None else len(bookmark.known))
        async with aclosing(self._watch.finds(bookmark)) as finds:
            async for find in finds:
                if bookmark is None:
                    # Before anything is new there must be something that it can be newer than.
                    bookmark = find.bookmark
                    await self._save(bookmark)
                yield find.conversation_ids, find

    async def advance(self, batch: Sequence[Any]) -> None:
        """Remember what Airflow has stored."""
        if any(item.outcome.failed or not item.outcome.acked for item in batch):
            raise RuntimeError("Airflow did not store all events; looking again from the last bookmark.")
        finds = [item.broker_payload for item in batch]
        latest: Bookmark = finds[-1].bookmark
        if any(find.conversation_ids for find in finds) or latest.looked_ms - self._saved_ms > SAVE_EVERY_MS:
            await self._save(latest)

    async def _save(self, bookmark: Bookmark) -> None:
        for pause_s in SAVE_PAUSES_S:
            try:
                await self._store.aset(self._watch.key, bookmark.stored())
            except Exception as error:  # noqa: BLE001 - of many kinds: the triggerer's connection, the database
                log.warning("The bookmark could not be saved: %s. Trying again.", error)
                await asyncio.sleep(pause_s)
            else:
                self._saved_ms = bookmark.looked_ms
                return
        await self._store.aset(self._watch.key, bookmark.stored())
