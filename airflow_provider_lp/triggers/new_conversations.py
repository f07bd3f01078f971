"""The watch for conversations that begin to match."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from airflow_provider_lp.conditions.base import Condition, Seen
from airflow_provider_lp.conditions.conversations import ConversationsFound, WindowedSearch
from airflow_provider_lp.retention import RETENTION
from airflow_provider_lp.triggers.bookmark import Bookmark
from airflow_provider_lp.triggers.watch import Find, key_of

IDS_PER_EVENT = 1000
#: A day less than LivePerson's, which moves on while the watch looks.
LONGEST_REACH = RETENTION - timedelta(days=1)


@dataclass(frozen=True, slots=True)
class NewConversations:
    """
    Conversations that no look found before. What the first look of all finds is not new.

    :param liveperson_conn_id: the Airflow connection.
    :param filters: LivePerson's filters.
    :param time_field: which moment of a conversation must lie between ``lookback`` ago and now.
    :param lookback: how long after that moment a conversation may begin to match.
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
        """A name for the search; another interval is the same watch."""
        spans = (self.lookback.total_seconds(), self.max_age.total_seconds())
        return key_of(self.liveperson_conn_id, self.filters, self.time_field, *spans)

    @property
    def words(self) -> str:
        """What is watched, for people."""
        return f"conversations by {self.time_field}, filters {dict(self.filters)}"

    def condition(self, memory: Any, now_ms: int) -> Condition:
        """All that match, as far back as is needed to miss none."""
        window = self._bookmark(memory, now_ms).window(now_ms, self.lookback, LONGEST_REACH)
        max_age_s = self.max_age.total_seconds()
        return ConversationsFound(
            WindowedSearch(window.start_ms, window.end_ms, self.time_field, max_age_s, self.filters)
        )

    def find(self, memory: Any, seen: Seen, now_ms: int) -> Find:
        """Those not found before, in portions."""
        new, bookmark = self._bookmark(memory, now_ms).after(seen.value, now_ms, self.lookback)
        if memory is None:
            return Find([], bookmark.stored(), is_news=False)
        portions = [new[first : first + IDS_PER_EVENT] for first in range(0, len(new), IDS_PER_EVENT)]
        events = [{"conversation_ids": portion, "count": len(portion)} for portion in portions]
        return Find(events, bookmark.stored(), is_news=bool(new))

    def _bookmark(self, memory: Any, now_ms: int) -> Bookmark:
        return Bookmark(now_ms, {}) if memory is None else Bookmark.of(memory)
