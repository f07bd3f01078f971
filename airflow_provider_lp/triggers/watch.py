"""Looking for new conversations for ever, whatever happens meanwhile."""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
import time
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, NamedTuple

from airflow_provider_lp.client.errors import LivePersonError
from airflow_provider_lp.triggers.bookmark import Bookmark
from airflow_provider_lp.triggers.clients import SharedClient, shared_client
from airflow_provider_lp.triggers.conditions.conversations import ConversationsFound, WindowedSearch

log = logging.getLogger(__name__)

#: How long a watch rests after what looking again cannot mend: a connection may be mended any time, but wrong
#: credentials must not be tried over and over, which could lock the user out.
REST_AFTER_FAILURE_S = 300.0


class Find(NamedTuple):
    """
    What a look has found.

    :param conversation_ids: conversations not found before.
    :param bookmark: what to remember once somebody knows of them.
    """

    conversation_ids: list[str]
    bookmark: Bookmark


@dataclass(frozen=True, slots=True)
class Watch:
    """
    A search that is repeated.

    :param liveperson_conn_id: the Airflow connection.
    :param filters: LivePerson's filters.
    :param time_field: which moment of a conversation must lie between ``lookback`` ago and now.
    :param lookback: how late a conversation may begin to match, counted from that moment.
    :param max_age: how long before that a conversation may have started.
    :param interval_s: seconds between two looks.
    """

    liveperson_conn_id: str
    filters: Mapping[str, Any]
    time_field: str
    lookback: timedelta
    max_age: timedelta
    interval_s: float

    @property
    def key(self) -> str:
        """A name for what is watched: another search has another one, another interval has not."""
        parts = (self.liveperson_conn_id, self.filters, self.time_field, str(self.lookback), str(self.max_age))
        return f"liveperson-{hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]}"

    async def finds(self, bookmark: Bookmark | None) -> AsyncGenerator[Find, None]:
        """
        What each look finds that no look found before. What the first look of all finds is not new.

        :param bookmark: what is remembered of earlier looks; ``None`` if there were none.
        """
        while True:
            try:
                async with (
                    shared_client(self.liveperson_conn_id) as shared,
                    aclosing(self._looks(shared, bookmark)) as looks,
                ):
                    async for find in looks:
                        bookmark = find.bookmark
                        yield find
            except LivePersonError as error:
                log.error("%s Until this is mended, nothing is found; trying again now and then.", error)
            await asyncio.sleep(REST_AFTER_FAILURE_S)

    async def _looks(self, shared: SharedClient, bookmark: Bookmark | None) -> AsyncGenerator[Find, None]:
        while True:
            now_ms = int(time.time() * 1000)
            earlier = bookmark or Bookmark(now_ms, {})
            window = earlier.window(now_ms, self.lookback)
            search = WindowedSearch(
                window.start_ms, window.end_ms, self.time_field, self.max_age.total_seconds(), self.filters
            )
            seen = await shared.look(ConversationsFound(search))
            if seen.is_met:
                new, following = earlier.after(seen.value, now_ms, self.lookback)
                yield Find([] if bookmark is None else new, following)
                bookmark = following
            await asyncio.sleep(max(self.interval_s, seen.hold.total_seconds()))
