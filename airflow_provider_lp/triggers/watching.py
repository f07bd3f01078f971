"""Event triggers that watch LivePerson, for asset watchers (Airflow >= 3)."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import AsyncIterator, Hashable
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from airflow_provider_lp.client.errors import LivePersonConfigurationError
from airflow_provider_lp.retention import RETENTION
from airflow_provider_lp.triggers.base import (
    BaseEventTrigger,
    TriggerEvent,
    WrongTriggerArgumentError,
    event_of,
    naming_wrong_arguments,
)
from airflow_provider_lp.windows import ONE_MS

if TYPE_CHECKING:
    from airflow_provider_lp.triggers.delivery import RememberedFinds
    from airflow_provider_lp.triggers.watch import Watch

#: The state stores of the assets watched in this process: Airflow makes a stream from a trigger's class, not from the
#: trigger that it has given the store to.
_stores: dict[Hashable, Any] = {}


class LivePersonWatchTrigger(BaseEventTrigger):
    """
    Looks again and again, and fires what is new, each time once.

    :param poke_interval: how long to wait between two looks, as a timedelta or seconds.
    :param liveperson_conn_id: the Airflow connection.
    """

    def __init__(self, *, poke_interval: timedelta | float, liveperson_conn_id: str) -> None:
        super().__init__()  # type: ignore[no-untyped-call] # Airflow's
        with naming_wrong_arguments():
            self.poke_interval = span("poke_interval", poke_interval)
        if not isinstance(liveperson_conn_id, str) or not liveperson_conn_id:
            raise WrongTriggerArgumentError(
                f"liveperson_conn_id={liveperson_conn_id!r} must be the id of an Airflow connection."
            )
        self.liveperson_conn_id = liveperson_conn_id

    @abstractmethod
    def watch(self) -> Watch:
        """What to watch."""

    def fields(self) -> dict[str, Any]:
        """The arguments that make another one of it, as JSON. No secrets: those stay in the connection."""
        return {
            "poke_interval": self.poke_interval.total_seconds(),
            "liveperson_conn_id": self.liveperson_conn_id,
        }

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """What a triggerer needs to make another one."""
        return f"{type(self).__module__}.{type(self).__qualname__}", self.fields()

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Fire for ever, remembering in this process only: for Airflow before 3.3."""
        from airflow_provider_lp.triggers.watch import finds

        async for find in finds(self.watch(), None):
            for payload in find.events:
                yield event_of(payload)

    def shared_stream_key(self) -> Hashable | None:
        """From Airflow 3.3 on: the stream of what is found, whose memory outlives the triggerer."""
        if self.asset_state_store is None:
            return None
        key = repr(self.serialize())
        _stores[key] = self.asset_state_store
        return key

    @classmethod
    def create_shared_stream_producer(cls, kwargs: dict[str, Any]) -> RememberedFinds:
        """The stream's source, which is told when Airflow has stored an event."""
        from airflow_provider_lp.triggers.delivery import AssetStates, RememberedFinds

        trigger = cls(**kwargs)
        return RememberedFinds(trigger.watch(), AssetStates(_stores.pop(repr(trigger.serialize()))))

    async def filter_shared_stream(self, shared_stream: AsyncIterator[list[dict[str, Any]]]) -> AsyncIterator[Any]:
        """The events of what is found."""
        async for payloads in shared_stream:
            for payload in payloads:
                yield event_of(payload)


def span(name: str, value: timedelta | float) -> timedelta:
    """
    A length of time, which may be given as seconds.

    :raises LivePersonConfigurationError: if it is none, or not between a millisecond and 13 months.
    """
    try:
        length = value if isinstance(value, timedelta) else timedelta(seconds=value)
    except (TypeError, ValueError, OverflowError):
        length = None
    if length is None or isinstance(value, bool) or not ONE_MS <= length <= RETENTION:
        raise LivePersonConfigurationError(
            f"{name}={value!r} must be a timedelta or a number of seconds, above 0 and at most {RETENTION.days} days."
        )
    return length
