"""
Closed conversations by two of LivePerson's systems: its archive, which exports come from, and Messaging Operations.

Messaging Operations counts in buckets of five minutes and holds the last 24 hours; the archive tells the close of each
conversation. LivePerson does not say that the two agree to the last conversation.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from airflow_provider_lp.export.metrics.buckets import ceil_bucket, floor_bucket
from airflow_provider_lp.export.metrics.export import collect_metrics
from airflow_provider_lp.export.metrics.query import MetricsQuery
from airflow_provider_lp.retention import FRESHNESS_DELAY
from airflow_provider_lp.windows import Window, to_ms

if TYPE_CHECKING:
    from airflow_provider_lp.client.liveperson import LivePersonClient

#: How far back is compared: what Messaging Operations holds, less what may pass while it is asked.
REACH = timedelta(hours=24) - timedelta(minutes=10)
#: By how much the two may differ: so many conversations, or so large a part of the larger number.
TOLERATED = 5
TOLERATED_PART = 0.02
METRIC = "totalResolvedConversations"


class Closings(NamedTuple):
    """
    How many conversations were closed within a window.

    :param archived: by the archive.
    :param measured: by Messaging Operations.
    """

    window: Window
    archived: int
    measured: int

    @property
    def tolerated(self) -> int:
        """By how much the two may differ."""
        return max(TOLERATED, int(TOLERATED_PART * max(self.archived, self.measured)))

    @property
    def agree(self) -> bool:
        """Whether they differ by no more."""
        return abs(self.archived - self.measured) <= self.tolerated

    def __str__(self) -> str:
        return (
            f"Of the conversations closed within {self.window}, LivePerson's archive has {self.archived} and Messaging "
            f"Operations (messaging_conversation) counts {self.measured}; they may differ by {self.tolerated}"
        )

    def summary(self) -> dict[str, Any]:
        """The same for a task's result."""
        start, end = self.window.start.isoformat(), self.window.end.isoformat()
        return {"start": start, "end": end, "archived": self.archived, "measured": self.measured}


def count_closings(client: LivePersonClient, period: Window) -> Closings | None:
    """
    Count the closed conversations of a period, as far as Messaging Operations holds it.

    :return: ``None`` if it holds nothing of the period.
    :raises LivePersonError: by its kind.
    """
    now = client.now
    start_ms = ceil_bucket(max(period.start_ms, to_ms(now - REACH)))
    end_ms = floor_bucket(min(period.end_ms, to_ms(now - FRESHNESS_DELAY)))
    if end_ms <= start_ms:
        return None
    window = Window(start_ms, end_ms)
    measured = collect_metrics(client, MetricsQuery.checked(window=window, now=now))
    archived = collect_metrics(client, MetricsQuery.checked(window=window, now=now, source_of_truth="conversations"))
    return Closings(window, *(int(sum(row[METRIC] or 0 for row in rows)) for rows in (archived, measured)))
