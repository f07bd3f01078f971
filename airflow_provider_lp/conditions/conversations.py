"""Conditions about conversations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from airflow_provider_lp.conditions.base import Seen
from airflow_provider_lp.retention import DEFAULT_MAX_AGE

if TYPE_CHECKING:
    from airflow_provider_lp.client import LivePersonClient
    from airflow_provider_lp.export.query import ConversationQuery

#: As many as a task's XCom comfortably holds.
IDS_RETURNED = 1000
IDS_NAMED = 5
#: The least that LivePerson can be asked to send of a conversation: its id and status come with everything.
LEAST_CONTENT = ["summary"]


@dataclass(frozen=True, slots=True)
class WindowedSearch:
    """
    A search for conversations of a fixed period.

    :param start_ms: epoch milliseconds of the period's start.
    :param end_ms: epoch milliseconds of the first moment after it.
    :param time_field: which moment of a conversation must lie in it.
    :param max_age_s: for time fields other than ``start``: how many seconds before it a conversation may have started.
    :param filters: LivePerson's filters.
    """

    start_ms: int
    end_ms: int
    time_field: str = "start"
    max_age_s: float = DEFAULT_MAX_AGE.total_seconds()
    filters: Mapping[str, Any] = field(default_factory=dict)

    def query(self) -> ConversationQuery:
        """
        The search as an export would do it now.

        :raises LivePersonConfigurationError: naming the argument that LivePerson would not accept.
        """
        from airflow_provider_lp.export.query import ConversationQuery
        from airflow_provider_lp.windows import Window

        return ConversationQuery.checked(
            Window(self.start_ms, self.end_ms),
            now=datetime.now(UTC),
            time_field=self.time_field,
            max_age=timedelta(seconds=self.max_age_s),
            filters=self.filters,
            content=LEAST_CONTENT,
        )


def count_at_most(client: LivePersonClient, query: ConversationQuery) -> int:
    """
    As many conversations as the query finds, or a few more: LivePerson rounds the bounds of a search outwards.

    Costs a request of one row for each search, of which most queries are one.
    """
    searches = [search for part in query.slices() for search in part.searches]
    return sum(client.interactions.search_page(query.body(search), offset=0, limit=1).count for search in searches)


def conversation_ids(client: LivePersonClient, query: ConversationQuery) -> list[str]:
    """Exactly the conversations that the query finds, in order, as an export would have them."""
    from airflow_provider_lp.export.download import Download

    download = Download(client, query, takes_truncated=True)
    return [row.conversation_id for batch in download.batches() for row in batch.rows]


def found(ids: Sequence[str]) -> dict[str, Any]:
    """What a task returns of conversations that were waited for."""
    return {"count": len(ids), "conversation_ids": list(ids[:IDS_RETURNED])}


@dataclass(frozen=True, slots=True)
class ConversationsMatch:
    """
    At least so many conversations of a period match.

    :param search: which ones.
    :param min_count: how many.
    """

    search: WindowedSearch
    min_count: int = 1

    def look(self, client: LivePersonClient, first: Seen | None = None) -> Seen:  # noqa: ARG002 - one look can tell
        query = self.search.query()
        at_most = count_at_most(client, query)
        # Only when there may be enough is it worth to read them all, to know exactly.
        ids = conversation_ids(client, query) if at_most >= self.min_count else []
        number = len(ids) if at_most >= self.min_count else at_most
        words = f"{number} conversations by {self.search.time_field} within {query.window}; waiting for "
        return Seen(len(ids) >= self.min_count, f"{words}{self.min_count}.", found(ids))


@dataclass(frozen=True, slots=True)
class ConversationsFound:
    """
    Whatever matches now: a look that says all it has seen.

    :param search: which conversations.
    """

    search: WindowedSearch

    def look(self, client: LivePersonClient, first: Seen | None = None) -> Seen:  # noqa: ARG002 - one look can tell
        query = self.search.query()
        ids = conversation_ids(client, query)
        words = f"{len(ids)} conversations by {self.search.time_field} within {query.window}"
        return Seen(True, f"{words}, filters {dict(self.search.filters)}.", ids)


@dataclass(frozen=True, slots=True)
class ConversationsHaveStatus:
    """
    All of some conversations have a status. What LivePerson does not know yet has none.

    :param conversation_ids: which ones.
    :param status: ``OPEN`` or ``CLOSE``.
    """

    conversation_ids: list[str]
    status: str = "CLOSE"

    def look(self, client: LivePersonClient, first: Seen | None = None) -> Seen:  # noqa: ARG002 - one look can tell
        from airflow_provider_lp.client.interactions import IDS_PER_CALL

        total = len(self.conversation_ids)
        for start in range(0, total, IDS_PER_CALL):
            some = self.conversation_ids[start : start + IDS_PER_CALL]
            page = client.interactions.by_id(some, content=LEAST_CONTENT)
            having = {head.info.conversation_id for head in page.heads if head.info.status == self.status}
            others = [conversation_id for conversation_id in some if conversation_id not in having]
            if others:
                # The rest need not be asked for: one conversation without the status is enough to go on waiting.
                named = ", ".join(others[:IDS_NAMED])
                return Seen(
                    is_met=False,
                    words=f"{len(others)} of {len(some)} conversations looked at (of {total}) do not have status "
                    f"{self.status}, such as {named}.",
                )
        return Seen(True, f"All {total} conversations have status {self.status}.", found(self.conversation_ids))


@dataclass(frozen=True, slots=True)
class WindowIsReady:
    """
    A period is over, and what LivePerson shows of it has stopped moving.

    :param search: which conversations.
    :param delay_s: seconds that must have passed since its end.
    :param settle_s: seconds between two looks that must show as many conversations.
    """

    search: WindowedSearch
    delay_s: float
    settle_s: float

    def look(self, client: LivePersonClient, first: Seen | None = None) -> Seen:
        query = self.search.query()
        period = f"{self.search.time_field} within {query.window}"
        if (datetime.now(UTC) - query.window.end).total_seconds() < self.delay_s:
            return Seen(
                False, f"Conversations by {period} are not looked at before {self.delay_s:.12g} s after its end."
            )
        count = count_at_most(client, query)
        if first is None:
            words = f"LivePerson counts {count} conversations by {period}; to be confirmed in {self.settle_s:.12g} s."
            return Seen(False, words, count, confirm_after=timedelta(seconds=self.settle_s))
        if count != first.value:
            return Seen(False, f"LivePerson's count by {period} still moves: {first.value}, then {count}.")
        value = {"start": query.window.start.isoformat(), "end": query.window.end.isoformat(), "count": count}
        return Seen(True, f"LivePerson counts {count} conversations by {period}, twice.", value)
