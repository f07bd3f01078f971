"""The watcher for conversations that begin to match, and its cursor."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from airflow_provider_lp.client.errors import LivePersonConfigurationError
from airflow_provider_lp.client.filters import check_filters
from airflow_provider_lp.client.spelling import nearest
from airflow_provider_lp.conditions.base import PollResult
from airflow_provider_lp.conditions.conversations import ConversationsFound, WindowedSearch
from airflow_provider_lp.retention import DEFAULT_MAX_AGE, RETENTION
from airflow_provider_lp.triggers.base import WrongTriggerArgumentError, naming_wrong_arguments
from airflow_provider_lp.triggers.watch import Changes, LivePersonWatcher, checked_span, state_key_of
from airflow_provider_lp.windows import ONE_MS, Window

TIME_FIELDS = ("start", "end", "full_dialog_end")
DEFAULT_LOOKBACK = timedelta(days=2)
IDS_PER_EVENT = 1000
#: A day less than LivePerson's, which moves on while the watcher polls.
LONGEST_REACH = RETENTION - timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Cursor:
    """
    The state of a watcher. Its size is bounded by the conversations of twice its ``lookback``.

    :param polled_ms: up to which moment it has polled, epoch milliseconds.
    :param known: each conversation it has found, with the moment it last did.
    """

    polled_ms: int
    known: Mapping[str, int]

    @classmethod
    def of(cls, state: Any) -> Cursor:
        """The cursor that :meth:`state` made JSON of."""
        known = {conversation_id: int(found_ms) for conversation_id, found_ms in state["known"].items()}
        return cls(int(state["polled_ms"]), known)

    def state(self) -> dict[str, Any]:
        """As JSON."""
        return {"polled_ms": self.polled_ms, "known": dict(self.known)}

    def window(self, now_ms: int, lookback: timedelta, reach: timedelta) -> Window:
        """
        What to ask for next: starts ``lookback`` before the last poll, but no further back than ``reach``.

        :param reach: how far back from now anything can be seen at all.
        """
        start_ms = min(self.polled_ms, now_ms) - lookback // ONE_MS
        return Window(max(start_ms, now_ms - reach // ONE_MS), now_ms)

    def after(self, found: Sequence[str], now_ms: int, lookback: timedelta) -> tuple[list[str], Cursor]:
        """
        Take in what a poll has found.

        :return: those not found before, and the cursor from then on.
        """
        # One that has left the window may come back, if a survey moves its end: it is remembered for as long again.
        forgotten_ms = now_ms - lookback // ONE_MS
        remembered = {each: found_ms for each, found_ms in self.known.items() if found_ms >= forgotten_ms}
        new = [conversation_id for conversation_id in found if conversation_id not in self.known]
        return new, Cursor(now_ms, {**remembered, **dict.fromkeys(found, now_ms)})


class LivePersonNewConversationsTrigger(LivePersonWatcher):
    """
    Fires an event for conversations that begin to match, in an asset watcher.

    ::

        Asset("low_csat", watchers=[AssetWatcher(name="low_csat", trigger=LivePersonNewConversationsTrigger(
            filters={"status": ["CLOSE"], "csat": {"from": 1, "to": 2}},
        ))])

    The event's payload is ``{"conversation_ids": [...], "count": ...}``, at most 1000 conversations each. What matches
    when the watcher first polls is not new. Each conversation comes once, however often it is found. Airflow 3.3 and
    later keep that in the asset's state store, so that a triggerer carries on where another one was killed; one that
    is killed in the second between the two steps (the event, then the memory of it) fires that event again. Earlier
    Airflow has no such store: a restarted triggerer begins anew.

    Another search (any argument but ``poke_interval``) is another watch, which begins anew.

    :param filters: LivePerson's search filters by their own names, also as JSON text; the time filters excepted.
        Default none.
    :param time_field: which moment of a conversation places it in time: ``"end"`` (default), ``"start"`` or
        ``"full_dialog_end"``.
    :param lookback: how long after that moment a conversation may begin to match, for instance because a survey is
        answered; default 2 days, also as seconds or ISO 8601 text. Each poll asks for all that match within it, and
        conversations are remembered for twice as long.
    :param max_age: for time fields other than ``start``: how long before that a conversation may have started; default
        90 days, likewise. Each three months cost one request more a poll.
    :param poke_interval: how long to wait between two polls, default 1 minute, likewise.
    :param liveperson_conn_id: the Airflow connection.
    :raises LivePersonConfigurationError: for an argument that LivePerson would refuse; it is named.
    """

    def __init__(
        self,
        *,
        filters: Mapping[str, Any] | str | None = None,
        time_field: str = "end",
        lookback: timedelta | float | str = DEFAULT_LOOKBACK,
        max_age: timedelta | float | str = DEFAULT_MAX_AGE,
        poke_interval: timedelta | float | str = 60,
        liveperson_conn_id: str = "liveperson_default",
    ) -> None:
        super().__init__(poke_interval=poke_interval, liveperson_conn_id=liveperson_conn_id)
        if time_field not in TIME_FIELDS:
            raise WrongTriggerArgumentError(
                f"time_field={time_field!r} must be one of {', '.join(TIME_FIELDS)}.{nearest(time_field, TIME_FIELDS)}"
            )
        self.time_field = time_field
        with naming_wrong_arguments():
            self.filters = check_filters(_from_text(filters))
            self.lookback = checked_span("lookback", lookback)
            self.max_age = checked_span("max_age", max_age)

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

    @property
    def subject(self) -> str:
        """What is watched, for people."""
        return f"conversations by {self.time_field}, filters {self.filters}"

    @property
    def state_key(self) -> str:
        """A name for the search; another interval is the same watch."""
        spans = (self.lookback.total_seconds(), self.max_age.total_seconds())
        return state_key_of(self.liveperson_conn_id, self.filters, self.time_field, *spans)

    def condition(self, state: Any, now_ms: int) -> ConversationsFound:
        """All that match, as far back as is needed to miss none."""
        window = _cursor(state, now_ms).window(now_ms, self.lookback, LONGEST_REACH)
        max_age_s = self.max_age.total_seconds()
        return ConversationsFound(
            WindowedSearch(window.start_ms, window.end_ms, self.time_field, max_age_s, self.filters)
        )

    def changes(self, state: Any, result: PollResult, now_ms: int) -> Changes:
        """Those not found before, in batches. What the first poll of all finds is not new."""
        new, cursor = _cursor(state, now_ms).after(result.value, now_ms, self.lookback)
        if state is None:
            return Changes([], cursor.state(), is_news=False)
        batches = [new[first : first + IDS_PER_EVENT] for first in range(0, len(new), IDS_PER_EVENT)]
        events = [{"conversation_ids": batch, "count": len(batch)} for batch in batches]
        return Changes(events, cursor.state(), is_news=bool(new))


def _cursor(state: Any, now_ms: int) -> Cursor:
    return Cursor(now_ms, {}) if state is None else Cursor.of(state)


def _from_text(filters: Mapping[str, Any] | str | None) -> Any:
    if not isinstance(filters, str):
        return filters
    try:
        return json.loads(filters)
    except ValueError:
        raise LivePersonConfigurationError(f"filters={filters!r} must be a mapping, or one as JSON text.") from None
