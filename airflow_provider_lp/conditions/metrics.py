"""The condition about a metric of a contact centre."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from airflow_provider_lp.client.errors import LivePersonConfigurationError
from airflow_provider_lp.client.reports import REPORTS
from airflow_provider_lp.conditions.base import Condition, PollResult
from airflow_provider_lp.conditions.limits import (
    SUBJECT,
    check_metric,
    check_subject,
    parse_id,
    parse_limits,
    parse_minutes,
)
from airflow_provider_lp.export.metrics.export import collect_metrics
from airflow_provider_lp.export.metrics.query import MetricsQuery

if TYPE_CHECKING:
    from airflow_provider_lp.client import LivePersonClient

LAST_HOUR = 60


class MetricIsWithin(Condition, frozen=True):
    """
    A metric is within limits. One without data is not.

    :param report: the report that has it.
    :param metric: LivePerson's name of it.
    :param at_least: the lower limit, if any.
    :param at_most: the upper limit, if any.
    :param skill_id: of which skill; ``None`` for the account or an agent.
    :param agent_id: of which agent, likewise; with ``skill_id`` of that agent in that skill.
    :param group_id: of which agent group, with ``skill_id``.
    :param timeframe: for reports about a period: minutes back from the poll; ``None`` for the last hour.
    """

    report: str
    metric: str
    at_least: float | None = None
    at_most: float | None = None
    skill_id: str | None = None
    agent_id: str | None = None
    group_id: str | None = None
    timeframe: int | None = None

    @classmethod
    def given(
        cls,
        *,
        report: str,
        metric: str,
        at_least: object,
        at_most: object,
        skill_id: int | str | None,
        agent_id: int | str | None,
        group_id: int | str | None,
        timeframe: int | timedelta | str | None,
    ) -> MetricIsWithin:
        """
        The condition, from what an author or a template gives.

        :raises LivePersonConfigurationError: naming the limit that is missing, wrong or at odds with the other.
        """
        lower, upper = parse_limits(at_least, at_most)
        for name, value in (("report", report), ("metric", metric)):
            if not isinstance(value, str):
                raise LivePersonConfigurationError(f"{name}={value!r} must be a name that LivePerson knows.")
        given = {"skill_id": skill_id, "agent_id": agent_id, "group_id": group_id}
        ids = {name: parse_id(name, value) for name, value in given.items()}
        return cls(report, metric, lower, upper, **ids, timeframe=parse_minutes(timeframe))

    def query(self, now: datetime) -> MetricsQuery:
        """
        What to ask for.

        :param now: the present moment.
        :raises LivePersonConfigurationError: naming the argument that LivePerson would not accept.
        """
        known_report = REPORTS.get(self.report)
        default = LAST_HOUR if known_report and known_report.needs_period else None
        ids: dict[str, Any] = {f"{name}s": [getattr(self, name)] for name in SUBJECT if getattr(self, name) is not None}
        query = MetricsQuery.checked(
            self.report,
            now=now,
            timeframe=default if self.timeframe is None else self.timeframe,
            **ids,
            **_options(self.report, self.metric),
        )
        check_metric(query.report, self.metric)
        check_subject(query.report, self.metric, {name: getattr(self, name) for name in SUBJECT})
        return query

    def poll(self, client: LivePersonClient) -> PollResult:
        """Compare the latest value with the limits."""
        rows = [row for row in collect_metrics(client, self.query(client.now)) if self._is_about(row)]
        value = rows[-1][self.metric] if rows else None
        if value is None:
            return PollResult(is_met=False, message=f"{self.name} has no data.")
        is_met = (self.at_least is None or value >= self.at_least) and (self.at_most is None or value <= self.at_most)
        columns = ("report", *SUBJECT, "interval_start", "interval_end")
        summary = {"metric": self.metric, "value": value, **{name: rows[-1][name] for name in columns}}
        return PollResult(is_met, f"{self.name} is {value}; waiting for {self._limits}.", summary)

    def _is_about(self, row: Mapping[str, Any]) -> bool:
        return all(row[name] == getattr(self, name) for name in SUBJECT)

    @property
    def name(self) -> str:
        """Which metric, for people."""
        subject = [f" of {name} {some}" for name in SUBJECT if (some := getattr(self, name)) is not None]
        return f"{self.report} {self.metric}{''.join(subject)}"

    @property
    def _limits(self) -> str:
        limits = {"at least": self.at_least, "at most": self.at_most}
        return " and ".join(f"{name} {limit:.12g}" for name, limit in limits.items() if limit is not None)


def _options(report: str, metric: str) -> dict[str, Any]:
    """What to ask for, where LivePerson does not send every metric unasked."""
    if report == "current_queue_health":
        return {"metrics": ["all"], "overdue_conversations": True if metric.startswith("overdue") else None}
    if report == "agent_segments":
        return {"metrics": ["all"]}
    return {}
