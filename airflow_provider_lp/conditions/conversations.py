"""Conditions about conversations."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import msgspec

from airflow_provider_lp.client.interactions import IDS_PER_CALL
from airflow_provider_lp.conditions.base import Condition, PollResult
from airflow_provider_lp.export.completeness import PAUSES
from airflow_provider_lp.export.counting import LEAST_CONTENT, count_at_most
from airflow_provider_lp.export.download import Download
from airflow_provider_lp.export.query import ConversationQuery
from airflow_provider_lp.retention import DEFAULT_MAX_AGE
from airflow_provider_lp.windows import Window

if TYPE_CHECKING:
    from airflow_provider_lp.client import LivePersonClient

#: As many as a task's XCom comfortably holds.
IDS_RETURNED = 1000
IDS_NAMED = 5


class WindowedSearch(msgspec.Struct, frozen=True):
    """
    A search for conversations of a fixed window.

    :param start_ms: epoch milliseconds of the window's start.
    :param end_ms: epoch milliseconds of the first moment after it.
    :param time_field: which moment of a conversation must lie in it; default ``"start"``.
    :param max_age_s: for time fields other than ``start``: how many seconds before it a conversation may have started;
        default 90 days.
    :param filters: LivePerson's filters; default none.
    """

    start_ms: int
    end_ms: int
    time_field: str = "start"
    max_age_s: float = DEFAULT_MAX_AGE.total_seconds()
    filters: dict[str, Any] = {}

    def query(self, now: datetime) -> ConversationQuery:
        """
        The search as an export would do it.

        :param now: the present moment.
        :raises LivePersonConfigurationError: naming the argument that LivePerson would not accept.
        """
        return ConversationQuery.checked(
            Window(self.start_ms, self.end_ms),
            now=now,
            time_field=self.time_field,
            max_age=timedelta(seconds=self.max_age_s),
            filters=self.filters,
            content=LEAST_CONTENT,
        )

    def checked(self, now: datetime) -> WindowedSearch:
        """
        The same search, with filters as LivePerson takes them.

        :raises LivePersonConfigurationError: naming the argument that it would not accept.
        """
        return msgspec.structs.replace(self, filters=dict(self.query(now).filters))


def matching_ids(client: LivePersonClient, query: ConversationQuery) -> list[str]:
    """Exactly the conversations that the query finds, in order, as an export would have them."""
    download = Download(client, query, takes_truncated=True)
    return [row.conversation_id for batch in download.batches() for row in batch.rows]


def _about(count: int) -> str:
    """A count of LivePerson's, whose bounds are wider than a window, in words."""
    return f"about {count}" if count else "no"


def _summary(ids: Sequence[str]) -> dict[str, Any]:
    """What a task returns of conversations that were waited for."""
    return {"count": len(ids), "conversation_ids": list(ids[:IDS_RETURNED])}


class ConversationsMatch(Condition, frozen=True):
    """
    At least so many conversations of a window match.

    :param search: which ones.
    :param min_count: how many; default 1.
    """

    search: WindowedSearch
    min_count: int = 1

    def poll(self, client: LivePersonClient) -> PollResult:
        """Count, and read them only if there may be enough. That there are none is to be confirmed."""
        query = self.search.query(client.now)
        at_most = count_at_most(client, query)
        result = self._judged(client, query, at_most)
        return result if at_most else msgspec.structs.replace(result, confirm_after=PAUSES[1])

    def confirm(self, client: LivePersonClient, first: PollResult) -> PollResult:  # noqa: ARG002 - it has found none
        """Count once more: an answer without rows is the one that could be wrong without a sign of it."""
        query = self.search.query(client.now)
        return self._judged(client, query, count_at_most(client, query))

    def _judged(self, client: LivePersonClient, query: ConversationQuery, at_most: int) -> PollResult:
        ids = matching_ids(client, query) if at_most >= self.min_count else []
        number = len(ids) if at_most >= self.min_count else f"At most {at_most}" if at_most else 0
        message = (
            f"{number} conversations by {self.search.time_field} within {query.window}; waiting for {self.min_count}."
        )
        return PollResult(len(ids) >= self.min_count, message, _summary(ids))


class ConversationsFound(Condition, frozen=True):
    """
    Whatever matches now: always met, and its value is the ids.

    :param search: which conversations.
    """

    search: WindowedSearch

    def poll(self, client: LivePersonClient) -> PollResult:
        """Read the ids."""
        query = self.search.query(client.now)
        ids = matching_ids(client, query)
        message = (
            f"{len(ids)} conversations by {self.search.time_field} within {query.window}, "
            f"filters {self.search.filters}."
        )
        return PollResult(True, message, ids)


class ConversationsHaveStatus(Condition, frozen=True):
    """
    All of some conversations have a status. What LivePerson does not know yet has none.

    :param conversation_ids: which ones.
    :param status: ``OPEN`` or ``CLOSE``; default ``CLOSE``.
    """

    conversation_ids: list[str]
    status: str = "CLOSE"

    def poll(self, client: LivePersonClient) -> PollResult:
        """Ask for batches of ids, up to the first batch with a conversation that does not have the status."""
        total = len(self.conversation_ids)
        for start in range(0, total, IDS_PER_CALL):
            batch = self.conversation_ids[start : start + IDS_PER_CALL]
            others = self._without_status(client, batch)
            if others:
                named = ", ".join(others[:IDS_NAMED])
                return PollResult(
                    is_met=False,
                    message=f"{len(others)} of {len(batch)} conversations asked for (of {total}) do not have status "
                    f"{self.status}, such as {named}.",
                )
        message = f"All {total} conversations have status {self.status}."
        return PollResult(True, message, _summary(self.conversation_ids))

    def _without_status(self, client: LivePersonClient, batch: Sequence[str]) -> list[str]:
        """
        Those of a batch that do not have the status.

        Ids that do not come are asked for again: once more if LivePerson does not count them either, and a few times
        if it does. That is spared if another conversation does not have the status anyway.
        """
        others = list(batch)
        for number, pause in enumerate(PAUSES):
            client.wait(pause)
            page = client.interactions.by_id(others, content=LEAST_CONTENT)
            statuses = {head.info.conversation_id: head.info.status for head in page.heads}
            came = statuses.keys() & set(others)
            others = [some for some in others if statuses.get(some) != self.status]
            is_believed = number > 0 and page.count <= len(came)
            if is_believed or not others or came & set(others):
                break
        return others


class WindowIsReady(Condition, frozen=True):
    """
    A window is over, and what LivePerson shows of it has stopped moving.

    :param search: which conversations.
    :param delay_s: seconds that must have passed since its end.
    :param settle_s: seconds between two polls that must count as many conversations.
    """

    search: WindowedSearch
    delay_s: float
    settle_s: float

    def poll(self, client: LivePersonClient) -> PollResult:
        """Count for the first time, once the delay has passed."""
        query = self.search.query(client.now)
        subject = self._subject(query)
        if (client.now - query.window.end).total_seconds() < self.delay_s:
            message = f"Conversations by {subject} are not counted before {self.delay_s:.12g} s after its end."
            return PollResult(False, message)
        count = count_at_most(client, query, proves_empty=True)
        message = (
            f"LivePerson counts {_about(count)} conversations by {subject}; to be confirmed in {self.settle_s:.12g} s."
        )
        return PollResult(False, message, count, confirm_after=timedelta(seconds=self.settle_s))

    def confirm(self, client: LivePersonClient, first: PollResult) -> PollResult:
        """Count once more, and compare."""
        query = self.search.query(client.now)
        subject = self._subject(query)
        count = count_at_most(client, query, proves_empty=True)
        if count != first.value:
            return PollResult(False, f"LivePerson's count by {subject} still moves: {first.value}, then {count}.")
        value = {"start": query.window.start.isoformat(), "end": query.window.end.isoformat(), "count": count}
        return PollResult(True, f"LivePerson counts {_about(count)} conversations by {subject}, twice.", value)

    def _subject(self, query: ConversationQuery) -> str:
        return f"{self.search.time_field} within {query.window}"
