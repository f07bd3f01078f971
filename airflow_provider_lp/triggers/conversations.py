"""The event trigger that starts DAGs as conversations appear (Airflow >= 3)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from airflow_provider_lp.client.errors import LivePersonConfigurationError
from airflow_provider_lp.client.filters import check_filters
from airflow_provider_lp.retention import DEFAULT_MAX_AGE
from airflow_provider_lp.triggers.base import WrongTriggerArgumentError, naming_wrong_arguments
from airflow_provider_lp.triggers.watching import LivePersonWatchTrigger, span

if TYPE_CHECKING:
    from airflow_provider_lp.triggers.new_conversations import NewConversations

TIME_FIELDS = ("start", "end", "full_dialog_end")
DEFAULT_LOOKBACK = timedelta(days=2)


class LivePersonNewConversationsTrigger(LivePersonWatchTrigger):
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

    :param filters: LivePerson's search filters by their own names, also as JSON text; the time filters excepted.
        Default none.
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
        filters: Mapping[str, Any] | str | None = None,
        time_field: str = "end",
        lookback: timedelta | float = DEFAULT_LOOKBACK,
        max_age: timedelta | float = DEFAULT_MAX_AGE,
        poke_interval: timedelta | float = 60,
        liveperson_conn_id: str = "liveperson_default",
    ) -> None:
        super().__init__(poke_interval=poke_interval, liveperson_conn_id=liveperson_conn_id)
        if time_field not in TIME_FIELDS:
            raise WrongTriggerArgumentError(f"time_field={time_field!r} must be one of {', '.join(TIME_FIELDS)}.")
        self.time_field = time_field
        with naming_wrong_arguments():
            self.filters = check_filters(_from_text(filters))
            self.lookback = span("lookback", lookback)
            self.max_age = span("max_age", max_age)

    def fields(self) -> dict[str, Any]:
        """The arguments that make another one of it, as JSON."""
        own = {
            # As text: Airflow before 3.3 stores what a mapping holds in another form than it gives back.
            "filters": json.dumps(self.filters, sort_keys=True),
            "time_field": self.time_field,
            "lookback": self.lookback.total_seconds(),
            "max_age": self.max_age.total_seconds(),
        }
        return {**own, **super().fields()}

    def watch(self) -> NewConversations:
        """The search, and what of it is new."""
        from airflow_provider_lp.triggers.new_conversations import NewConversations

        return NewConversations(
            liveperson_conn_id=self.liveperson_conn_id,
            filters=self.filters,
            time_field=self.time_field,
            lookback=self.lookback,
            max_age=self.max_age,
            interval_s=self.poke_interval.total_seconds(),
        )


def _from_text(filters: Mapping[str, Any] | str | None) -> Any:
    if not isinstance(filters, str):
        return filters
    try:
        return json.loads(filters)
    except ValueError:
        raise LivePersonConfigurationError(f"filters={filters!r} must be a mapping, or one as JSON text.") from None
