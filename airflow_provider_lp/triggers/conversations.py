"""The event trigger that starts DAGs as conversations appear (Airflow >= 3)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Hashable, Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from airflow_provider_lp.client.errors import LivePersonConfigurationError
from airflow_provider_lp.client.filters import check_filters
from airflow_provider_lp.retention import DEFAULT_MAX_AGE
from airflow_provider_lp.triggers.base import BaseEventTrigger, TriggerEvent, event_of

if TYPE_CHECKING:
    from airflow_provider_lp.triggers.delivery import RememberedFinds
    from airflow_provider_lp.triggers.watch import Watch

TIME_FIELDS = ("start", "end", "full_dialog_end")
IDS_PER_EVENT = 1000
DEFAULT_LOOKBACK = timedelta(days=2)

#: The state stores of the assets watched in this process: Airflow makes a stream from a trigger's class, not from the
#: trigger it has given the store to.
_stores: dict[Hashable, Any] = {}


class LivePersonNewConversationsTrigger(BaseEventTrigger):
    """
    Fires an event for conversations that begin to match, in an asset watcher.

    ::

        Asset("low_csat", watchers=[AssetWatcher(name="low_csat", trigger=LivePersonNewConversationsTrigger(
            filters={"status": ["CLOSE"], "csat": {"from": 1, "to": 2}},
        ))])

    The event's payload is ``{"conversation_ids": [...], "count": ...}``, at most 1000 conversations each. What matches
    when the watch first looks is not new. Each conversation comes once, however often it is found. Airflow 3.3 and
    later keep that in the asset's state store, so that a triggerer carries on where another one was killed; one that
    is killed in the second between the two steps (the event, then the memory of it) fires that event again. Earlier
    Airflow has no such store: a restarted triggerer begins anew.

    Another search (any argument but ``poke_interval``) is another watch, which begins anew.

    :param filters: LivePerson's search filters by their own names; the time filters excepted. Default none.
    :param time_field: which moment of a conversation places it in time: ``"end"`` (default), ``"start"`` or
        ``"full_dialog_end"``.
    :param lookback: how long after that moment a conversation may begin to match, for instance because a survey is
        answered; default 2 days, also as seconds. Each look asks for all that match within it, and conversations are
        remembered for twice as long.
    :param max_age: for time fields other than ``start``: how long before that a conversation may have started; default
        90 days, also as seconds. Each three months cost one request more a look.
    :param poke_interval: how long to wait between two looks, default 1 minute, also as seconds.
    :param liveperson_conn_id: the Airflow connection.
    :raises LivePersonConfigurationError: for an argument that LivePerson would refuse; it is named.
    """

    def __init__(
        self,
        *,
        filters: Mapping[str, Any] | None = None,
        time_field: str = "end",
        lookback: timedelta | float = DEFAULT_LOOKBACK,
        max_age: timedelta | float = DEFAULT_MAX_AGE,
        poke_interval: timedelta | float = 60,
        liveperson_conn_id: str = "liveperson_default",
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call] # Airflow's
        if time_field not in TIME_FIELDS:
            raise LivePersonConfigurationError(f"time_field={time_field!r} must be one of {', '.join(TIME_FIELDS)}.")
        self.filters = check_filters(filters)
        self.time_field = time_field
        self.lookback = _span("lookback", lookback)
        self.max_age = _span("max_age", max_age)
        self.poke_interval = _span("poke_interval", poke_interval)
        self.liveperson_conn_id = liveperson_conn_id

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """What a triggerer needs to make another one. No secrets: those stay in the connection."""
        fields = {
            "filters": self.filters,
            "time_field": self.time_field,
            "lookback": self.lookback.total_seconds(),
            "max_age": self.max_age.total_seconds(),
            "poke_interval": self.poke_interval.total_seconds(),
            "liveperson_conn_id": self.liveperson_conn_id,
        }
        return f"{type(self).__module__}.{type(self).__qualname__}", fields

    def _watch(self) -> Watch:
        from airflow_provider_lp.triggers.watch import Watch

        return Watch(
            liveperson_conn_id=self.liveperson_conn_id,
            filters=self.filters,
            time_field=self.time_field,
            lookback=self.lookback,
            max_age=self.max_age,
            interval_s=self.poke_interval.total_seconds(),
        )

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Fire for ever; what was found before is only remembered in this process. For Airflow before 3.3."""
        async for find in self._watch().finds(None):
            for event in _events(find.conversation_ids):
                yield event

    def shared_stream_key(self) -> Hashable | None:
        """From Airflow 3.3 on: the stream of finds that are remembered."""
        if self.asset_state_store is None:
            return None
        key = repr(self.serialize())
        _stores[key] = self.asset_state_store
        return key

    @classmethod
    def create_shared_stream_producer(cls, kwargs: dict[str, Any]) -> RememberedFinds:
        """The stream's source, which is told when Airflow has stored an event."""
        from airflow_provider_lp.triggers.delivery import RememberedFinds

        trigger = cls(**kwargs)
        return RememberedFinds(trigger._watch(), _stores.pop(repr(trigger.serialize())))

    async def filter_shared_stream(self, shared_stream: AsyncIterator[list[str]]) -> AsyncIterator[TriggerEvent]:
        """The events of the finds."""
        async for conversation_ids in shared_stream:
            for event in _events(conversation_ids):
                yield event


def _events(ids: list[str]) -> list[TriggerEvent]:
    portions = [ids[first : first + IDS_PER_EVENT] for first in range(0, len(ids), IDS_PER_EVENT)]
    return [event_of({"conversation_ids": portion, "count": len(portion)}) for portion in portions]


def _span(name: str, value: timedelta | float) -> timedelta:
    span = value if isinstance(value, timedelta) else timedelta(seconds=value)
    if span <= timedelta(0):
        raise LivePersonConfigurationError(f"{name}={value!r} must be more than 0 seconds.")
    return span
