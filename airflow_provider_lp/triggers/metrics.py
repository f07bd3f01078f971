"""The watcher for a metric that comes within limits."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from airflow_provider_lp.conditions.base import PollResult
from airflow_provider_lp.conditions.metrics import MetricIsWithin
from airflow_provider_lp.triggers.base import CLOCK, naming_wrong_arguments
from airflow_provider_lp.triggers.watch import Changes, LivePersonWatcher, state_key_of


class LivePersonMetricTrigger(LivePersonWatcher):
    """
    Fires an event when a metric comes within limits, in an asset watcher; not again before it has left them.

    ::

        Asset("long_queue", watchers=[AssetWatcher(name="long_queue", trigger=LivePersonMetricTrigger(
            metric="unassignedConversations", at_least=20,
        ))])

    The event's payload is what :class:`~airflow_provider_lp.sensors.metrics.LivePersonMetricSensor` returns. A metric
    without data is not within limits. As for what is remembered, see
    :class:`~airflow_provider_lp.triggers.conversations.LivePersonNewConversationsTrigger`.

    :param metric: LivePerson's name of the metric.
    :param report: the report that has it; default ``"current_queue_health"``.
    :param at_least: the lower limit, the limit included; one of the two is needed.
    :param at_most: the upper limit, the limit included.
    :param skill_id: of which skill; default the account.
    :param agent_id: of which agent, likewise.
    :param group_id: of which agent group, for ``queue_health_by_group`` with ``skill_id``.
    :param timeframe: for reports about a period: minutes back from each poll, as a number, a timedelta or
        ISO 8601 text such as ``"PT1H"``; default 60.
    :param poke_interval: how long to wait between two polls, default 1 minute, also as seconds or ISO 8601 text.
    :param liveperson_conn_id: the Airflow connection.
    :raises LivePersonConfigurationError: for an argument that LivePerson would refuse; it is named.
    """

    def __init__(
        self,
        *,
        metric: str,
        report: str = "current_queue_health",
        at_least: float | None = None,
        at_most: float | None = None,
        skill_id: int | str | None = None,
        agent_id: int | str | None = None,
        group_id: int | str | None = None,
        timeframe: int | timedelta | str | None = None,
        poke_interval: timedelta | float | str = 60,
        liveperson_conn_id: str = "liveperson_default",
    ) -> None:
        super().__init__(poke_interval=poke_interval, liveperson_conn_id=liveperson_conn_id)
        with naming_wrong_arguments():
            self.metric = MetricIsWithin.given(
                report=report,
                metric=metric,
                at_least=at_least,
                at_most=at_most,
                skill_id=skill_id,
                agent_id=agent_id,
                group_id=group_id,
                timeframe=timeframe,
            )
            self.metric.query(datetime.fromtimestamp(CLOCK.now(), UTC))

    def fields(self) -> dict[str, Any]:
        """The arguments that make another one of it, as JSON."""
        return {**msgspec.structs.asdict(self.metric), **super().fields()}

    @property
    def subject(self) -> str:
        """What is watched, for people."""
        return self.metric.name

    @property
    def state_key(self) -> str:
        """A name for the metric and its limits; another interval is the same watch."""
        return state_key_of(self.liveperson_conn_id, msgspec.structs.asdict(self.metric))

    def condition(self, state: Any, now_ms: int) -> MetricIsWithin:  # noqa: ARG002 - the same each time
        """The metric within its limits."""
        return self.metric

    def changes(self, state: Any, result: PollResult, now_ms: int) -> Changes:
        """What was seen, if it is within limits now and was not before."""
        was_met = state is not None and state["is_met"]
        events = [result.value] if result.is_met and not was_met else []
        return Changes(events, {"is_met": result.is_met, "polled_ms": now_ms}, is_news=result.is_met != was_met)
