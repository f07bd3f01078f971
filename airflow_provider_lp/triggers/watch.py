"""The base of the watchers: event triggers for asset watchers (Airflow >= 3), which poll for ever."""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
from abc import abstractmethod
from collections.abc import AsyncGenerator, AsyncIterator, Hashable, Sequence
from contextlib import aclosing
from datetime import timedelta
from typing import Any, NamedTuple

from airflow_provider_lp.client.errors import LivePersonConfigurationError, LivePersonError
from airflow_provider_lp.conditions.base import Condition, PollResult
from airflow_provider_lp.hooks.connection_ids import check_conn_id
from airflow_provider_lp.retention import RETENTION
from airflow_provider_lp.triggers.asset_state import AssetState
from airflow_provider_lp.triggers.base import (
    CLOCK,
    BaseEventTrigger,
    SharedStreamProducer,
    TriggerEvent,
    class_path,
    event_of,
    naming_wrong_arguments,
)
from airflow_provider_lp.triggers.shared_client import SharedClient, shared_client
from airflow_provider_lp.windows import ONE_MS, parse_span

log = logging.getLogger(__name__)

#: How long a watcher rests after what polling again cannot mend: a connection may be mended any time, but wrong
#: credentials must not be tried over and over, which could lock the user out.
REST_AFTER_FAILURE_S = 300.0
#: How old the saved state may get while nothing is new.
SAVE_EVERY_S = 600.0
SAVE_PAUSES_S = (0.5, 1.0, 2.0, 4.0)

#: What Airflow has given watchers in this process for the state of their assets: it makes a stream from a trigger's
#: class, not from the trigger that it has given them to.
_accessors: dict[Hashable, Any] = {}


class Changes(NamedTuple):
    """
    What a poll has changed.

    :param events: payloads of the events to fire; none if nothing is new.
    :param state: what to remember, as JSON, once Airflow has the events; its ``polled_ms`` says as of when.
    :param is_news: whether the state differs from the one before in what matters.
    """

    events: list[dict[str, Any]]
    state: dict[str, Any]
    is_news: bool


class LivePersonWatcher(BaseEventTrigger):
    """
    Polls again and again, and fires what is new, each time once.

    A watcher says by :meth:`condition` what to ask for, and by :meth:`changes` what of the answer is new.

    :param poke_interval: how long to wait between two polls: a timedelta, seconds, or ISO 8601 text.
    :param liveperson_conn_id: the Airflow connection.
    """

    def __init__(self, *, poke_interval: timedelta | float | str, liveperson_conn_id: str) -> None:
        super().__init__()  # type: ignore[no-untyped-call] # Airflow's
        with naming_wrong_arguments():
            self.poke_interval = checked_span("poke_interval", poke_interval)
            check_conn_id("liveperson_conn_id", liveperson_conn_id)
        self.liveperson_conn_id = liveperson_conn_id

    @property
    @abstractmethod
    def subject(self) -> str:
        """What is watched, for people."""

    @property
    @abstractmethod
    def state_key(self) -> str:
        """A name for what is watched, under which its state is saved."""

    @abstractmethod
    def condition(self, state: Any, now_ms: int) -> Condition:
        """
        What to ask for now.

        :param state: that of the changes before; ``None`` if there were none.
        """

    @abstractmethod
    def changes(self, state: Any, result: PollResult, now_ms: int) -> Changes:
        """What of the poll's result is new."""

    def fields(self) -> dict[str, Any]:
        """The arguments that make another one of it, as JSON. No secrets: those stay in the connection."""
        return {
            "poke_interval": self.poke_interval.total_seconds(),
            "liveperson_conn_id": self.liveperson_conn_id,
        }

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """What a triggerer needs to make another one."""
        return class_path(self), self.fields()

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Fire for ever, with a state in this process only: for Airflow before 3.3."""
        async for changes in self.poll_for_ever(None):
            for payload in changes.events:
                yield event_of(payload)

    def shared_stream_key(self) -> Hashable | None:
        """From Airflow 3.3 on: the stream of changes, whose state outlives the triggerer."""
        if self.asset_state_store is None:
            return None
        key = repr(self.serialize())
        _accessors[key] = self.asset_state_store
        return key

    @classmethod
    def create_shared_stream_producer(cls, kwargs: dict[str, Any]) -> ChangeStream:
        """The stream's source, which is told when Airflow has stored an event."""
        watcher = cls(**kwargs)
        return ChangeStream(watcher, AssetState(_accessors.pop(repr(watcher.serialize()))))

    async def filter_shared_stream(self, shared_stream: AsyncIterator[list[dict[str, Any]]]) -> AsyncIterator[Any]:
        """The events of the changes."""
        async for payloads in shared_stream:
            for payload in payloads:
                yield event_of(payload)

    async def poll_for_ever(self, state: Any) -> AsyncGenerator[Changes, None]:
        """
        The changes of each poll that has not failed, for ever, whatever happens meanwhile.

        :param state: that of earlier changes; ``None`` if there were none.
        """
        while True:
            try:
                async with (
                    shared_client(self.liveperson_conn_id) as shared,
                    aclosing(self._polls(shared, state)) as polls,
                ):
                    async for changes in polls:
                        state = changes.state
                        yield changes
            except LivePersonError as error:
                log.error(
                    "%s Until this is mended, nothing is found of %s over Airflow connection %r; trying again in %g s.",
                    error,
                    self.subject,
                    self.liveperson_conn_id,
                    REST_AFTER_FAILURE_S,
                )
            await asyncio.sleep(REST_AFTER_FAILURE_S)

    async def _polls(self, shared: SharedClient, state: Any) -> AsyncGenerator[Changes, None]:
        while True:
            now_ms = int(CLOCK.now() * 1000)
            result = await shared.poll(self.condition(state, now_ms))
            if not result.has_failed:
                changes = self.changes(state, result, now_ms)
                state = changes.state
                yield changes
            pauses = (self.poke_interval, result.rest, result.hold)
            await asyncio.sleep(max(pauses).total_seconds())


class ChangeStream(SharedStreamProducer):
    """
    The changes that a watcher finds, whose state is saved when Airflow has stored the events made of them.

    A triggerer that dies in between finds the older state, and the same changes again: an event may come twice then,
    and is never lost.

    :param watcher: what polls.
    :param saved: the state of the assets watched.
    """

    def __init__(self, watcher: LivePersonWatcher, saved: AssetState) -> None:
        self._watcher = watcher
        self._saved = saved
        self._saved_s = 0.0

    async def open_stream(self) -> AsyncGenerator[tuple[list[dict[str, Any]], Changes], None]:
        """Poll for ever; gives events, and the changes they are of."""
        state = await self._saved.get(self._watcher.state_key)
        self._saved_s = asyncio.get_running_loop().time()
        since = "from now on" if state is None else "from where it was left"
        log.info(
            "Watching %s over Airflow connection %r, %s.",
            self._watcher.subject,
            self._watcher.liveperson_conn_id,
            since,
        )
        async with aclosing(self._watcher.poll_for_ever(state)) as polls:
            async for changes in polls:
                if state is None and not changes.events:
                    # At once: there must be something for what comes next to be newer than.
                    await self._save(changes)
                state = changes.state
                yield changes.events, changes

    async def advance(self, batch: Sequence[Any]) -> None:
        """Save the state of what Airflow has stored."""
        if any(item.outcome.failed or not item.outcome.acked for item in batch):
            raise RuntimeError("Airflow did not store all events; polling again from the saved state.")
        stored: list[Changes] = [item.broker_payload for item in batch]
        is_old = asyncio.get_running_loop().time() - self._saved_s >= SAVE_EVERY_S
        if is_old or any(changes.is_news for changes in stored):
            await self._save(stored[-1])

    async def _save(self, changes: Changes) -> None:
        for pause_s in SAVE_PAUSES_S:
            try:
                await self._saved.set(self._watcher.state_key, changes.state)
            except Exception as error:  # noqa: BLE001 - of many kinds: the triggerer's connection, the database
                log.warning("The state of a watcher could not be saved: %s. Trying again.", error)
                await asyncio.sleep(pause_s)
            else:
                self._saved_s = asyncio.get_running_loop().time()
                return
        await self._saved.set(self._watcher.state_key, changes.state)


def state_key_of(*parts: object) -> str:
    """A name for what is watched: other parts, another name."""
    return f"liveperson-{hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]}"


def checked_span(name: str, value: object) -> timedelta:
    """
    A length of time, as :func:`~airflow_provider_lp.windows.parse_span` takes it.

    :raises LivePersonConfigurationError: if it is none, or not between a millisecond and 13 months.
    """
    length = parse_span(name, value)
    if not ONE_MS <= length <= RETENTION:
        raise LivePersonConfigurationError(f"{name}={value!r} must be above 0 and at most {RETENTION.days} days.")
    return length
