"""Looking again and again for ever, whatever happens meanwhile."""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any, NamedTuple, Protocol

from airflow_provider_lp.client.errors import LivePersonError
from airflow_provider_lp.conditions.base import Condition, Seen
from airflow_provider_lp.triggers.shared_client import SharedClient, shared_client

log = logging.getLogger(__name__)

#: How long a watch rests after what looking again cannot mend: a connection may be mended any time, but wrong
#: credentials must not be tried over and over, which could lock the user out.
REST_AFTER_FAILURE_S = 300.0


class Find(NamedTuple):
    """
    What a look comes to.

    :param events: payloads of the events to fire; none, where nothing is new.
    :param memory: what to remember, as JSON, once Airflow has the events; its ``looked_ms`` says as of when.
    :param is_news: whether the memory differs from the one before in what matters.
    """

    events: list[dict[str, Any]]
    memory: dict[str, Any]
    is_news: bool


class Watch(Protocol):
    """What to look for, and what of it is new. Knows neither LivePerson nor Airflow."""

    @property
    def liveperson_conn_id(self) -> str:
        """The Airflow connection to look over."""

    @property
    def interval_s(self) -> float:
        """Seconds between two looks."""

    @property
    def key(self) -> str:
        """A name for what is watched, and for its memory."""

    @property
    def words(self) -> str:
        """What is watched, for people."""

    def condition(self, memory: Any, now_ms: int) -> Condition:
        """
        What to look for now.

        :param memory: what the find before said to remember; ``None`` if there was none.
        """

    def find(self, memory: Any, seen: Seen, now_ms: int) -> Find:
        """What has been seen comes to."""


def key_of(*parts: object) -> str:
    """A name for a watch: other parts, another name."""
    return f"liveperson-{hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]}"


async def finds(watch: Watch, memory: Any) -> AsyncGenerator[Find, None]:
    """
    What each look comes to, for ever.

    :param memory: what is remembered of earlier looks; ``None`` if there were none.
    """
    while True:
        try:
            async with (
                shared_client(watch.liveperson_conn_id) as shared,
                aclosing(_looks(watch, shared, memory)) as looks,
            ):
                async for find in looks:
                    memory = find.memory
                    yield find
        except LivePersonError as error:
            log.error(
                "%s Until this is mended, nothing is found of %s over Airflow connection %r; trying again in %g s.",
                error,
                watch.words,
                watch.liveperson_conn_id,
                REST_AFTER_FAILURE_S,
            )
        await asyncio.sleep(REST_AFTER_FAILURE_S)


async def _looks(watch: Watch, shared: SharedClient, memory: Any) -> AsyncGenerator[Find, None]:
    while True:
        now_ms = int(time.time() * 1000)
        seen = await shared.look(watch.condition(memory, now_ms))
        if not seen.has_failed:
            find = watch.find(memory, seen, now_ms)
            memory = find.memory
            yield find
        await asyncio.sleep(max(watch.interval_s, seen.rest.total_seconds(), seen.hold.total_seconds()))
