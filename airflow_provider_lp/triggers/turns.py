"""The watch for the moment at which a condition begins to be met."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from airflow_provider_lp.conditions.base import Seen
from airflow_provider_lp.conditions.metrics import MetricIsWithin
from airflow_provider_lp.triggers.watch import Find, key_of


@dataclass(frozen=True, slots=True)
class Turns:
    """
    A metric that comes within limits. While it stays there nothing is new; once it has left them, it may come again.

    :param liveperson_conn_id: the Airflow connection.
    :param metric: the metric, and its limits.
    :param interval_s: seconds between two looks.
    """

    liveperson_conn_id: str
    metric: MetricIsWithin
    interval_s: float

    @property
    def key(self) -> str:
        """A name for the metric and its limits; another interval is the same watch."""
        return key_of(self.liveperson_conn_id, asdict(self.metric))

    @property
    def words(self) -> str:
        """What is watched, for people."""
        return self.metric.words

    def condition(self, memory: Any, now_ms: int) -> MetricIsWithin:  # noqa: ARG002 - ever the same
        """The metric within its limits."""
        return self.metric

    def find(self, memory: Any, seen: Seen, now_ms: int) -> Find:
        """What was seen, if it is within limits now and was not before."""
        was_met = memory is not None and memory["is_met"]
        events = [seen.value] if seen.is_met and not was_met else []
        return Find(events, {"is_met": seen.is_met, "looked_ms": now_ms}, is_news=seen.is_met != was_met)
