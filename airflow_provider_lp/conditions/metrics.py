"""The condition about a metric of a contact centre."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from math import isfinite
from typing import TYPE_CHECKING, Any

from airflow_provider_lp.client.errors import LivePersonConfigurationError
from airflow_provider_lp.client.reports import REPORTS, Report
from airflow_provider_lp.client.spelling import nearest
from airflow_provider_lp.conditions.base import Condition, PollResult
from airflow_provider_lp.export.metrics.export import collect_metrics
from airflow_provider_lp.export.metrics.query import MetricsQuery
from airflow_provider_lp.windows import parse_span

if TYPE_CHECKING:
    from airflow_provider_lp.client import LivePersonClient

ONE_MINUTE = timedelta(minutes=1)
LAST_HOUR = 60
SUBJECT = ("skill_id", "agent_id", "group_id")


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
        lower, upper = _limit("at_least", at_least), _limit("at_most", at_most)
        if lower is None and upper is None:
            raise LivePersonConfigurationError("Give at_least, at_most or both: what to wait for.")
        if lower is not None and upper is not None and lower > upper:
            raise LivePersonConfigurationError(f"at_least={lower:.12g} is more than at_most={upper:.12g}.")
        for name, value in (("report", report), ("metric", metric)):
            if not isinstance(value, str):
                raise LivePersonConfigurationError(f"{name}={value!r} must be a name that LivePerson knows.")
        ids = {"skill_id": _id("skill_id", skill_id), "agent_id": _id("agent_id", agent_id)}
        ids["group_id"] = _id("group_id", group_id)
        return cls(report, metric, lower, upper, **ids, timeframe=_minutes(timeframe))

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
        if self.metric not in query.report.metrics:
            known = ", ".join(query.report.metrics)
            raise LivePersonConfigurationError(
                f"metric={self.metric!r} is not in report={self.report!r}."
                f"{nearest(self.metric, query.report.metrics)} Known: {known}."
            )
        self._check_subject(query.report)
        return query

    def _check_subject(self, report: Report) -> None:
        """Refuse a subject that no row is about: it would be waited for in vain."""
        given = tuple(name for name in SUBJECT if getattr(self, name) is not None)
        if given not in report.subjects:
            known = "; ".join(" and ".join(names) or "none of them, for the account" for names in report.subjects)
            raise LivePersonConfigurationError(
                f"report={self.report!r} has no metrics by {' and '.join(given) or 'account'}. Of skill_id, agent_id "
                f"and group_id give: {known}."
            )
        if not given and self.metric in report.skill_metrics:
            raise LivePersonConfigurationError(
                f"metric={self.metric!r} is not in the account's metrics in report={self.report!r}: give skill_id."
            )

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


def _limit(name: str, value: object) -> float | None:
    if value is None:
        return None
    try:
        limit = float(value) if isinstance(value, int | float | str) and not isinstance(value, bool) else None
    except (ValueError, OverflowError):
        limit = None
    if limit is None or not isfinite(limit):
        raise LivePersonConfigurationError(f"{name}={value!r} must be a number.")
    return limit


def _minutes(value: int | timedelta | str | None) -> Any:
    """Minutes, from a number of them, or from a length of time; of another type it is refused later."""
    if isinstance(value, str) and value.strip().isdecimal():
        return int(value)
    if not isinstance(value, str | timedelta):
        return value
    minutes, rest = divmod(parse_span("timeframe", value), ONE_MINUTE)
    if rest:
        raise LivePersonConfigurationError(f"timeframe={value!r} must be whole minutes.")
    return minutes


def _id(name: str, value: object) -> str | None:
    if value is None:
        return None
    text = str(value).strip() if isinstance(value, int | str) and not isinstance(value, bool) else ""
    if not text or text.lower() in ("all", "none"):
        raise LivePersonConfigurationError(
            f"{name}={value!r} must be one id; without it, the account's metric is taken."
        )
    return text
