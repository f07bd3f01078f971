"""The sensor that waits for a metric."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from airflow_provider_lp.operators.literals import Literals
from airflow_provider_lp.sensors.base import LivePersonSensor, present

if TYPE_CHECKING:
    from airflow_provider_lp.compat import Context
    from airflow_provider_lp.conditions.metrics import MetricIsWithin


class LivePersonMetricSensor(LivePersonSensor):
    """
    Waits until a metric of the contact centre is within limits.

    Rests on LivePerson's Messaging Operations API. A metric without data (LivePerson's ``-1``, or no row at all) is
    never within limits; a zero is a zero.

    The task returns ``{"metric": ..., "value": ..., "report": ..., "skill_id": ..., "agent_id": ..., "group_id": ...,
    "interval_start": ..., "interval_end": ...}``: what the sensor has seen, and what that covers.

    :param report: a report of :class:`~airflow_provider_lp.operators.metrics.LivePersonMetricsOperator`; default
        ``"current_queue_health"``. (templated)
    :param metric: LivePerson's name of one of its metrics, such as ``"unassignedConversations"``. (templated)
    :param skill_id: of which skill; default the whole account, or of an agent. ``"agent_segments"`` has no metrics of
        skills. (templated)
    :param agent_id: of which agent, likewise; with ``skill_id`` of that agent in that skill. For
        ``"messaging_conversation"``, ``"csat_distribution"`` and ``"agent_segments"``. (templated)
    :param group_id: of which agent group, for ``"queue_health_by_group"``, which needs ``skill_id`` too. (templated)
    :param at_least: the lower limit, the limit included; one of the two is needed. (templated)
    :param at_most: the upper limit, the limit included. (templated)
    :param timeframe: for reports about a period, such as ``"messaging_conversation"``: minutes back from each poll, as
        a number, a timedelta, or ISO 8601 text such as ``"PT1H"``; default 60. (templated)
    :param deferrable: whether to wait in the triggerer; default as Airflow's setting says.
    :param liveperson_conn_id: the Airflow connection. (templated)
    :raises AirflowFailException: without retries, for what waiting cannot mend: arguments, credentials, permissions.
    :raises AirflowSensorTimeout: when ``timeout`` has passed.
    """

    template_fields: Sequence[str] = (
        "report",
        "metric",
        "skill_id",
        "agent_id",
        "group_id",
        "at_least",
        "at_most",
        "timeframe",
        "liveperson_conn_id",
    )

    def __init__(
        self,
        *,
        report: str = "current_queue_health",
        metric: str,
        skill_id: int | str | None = None,
        agent_id: int | str | None = None,
        group_id: int | str | None = None,
        at_least: float | str | None = None,
        at_most: float | str | None = None,
        timeframe: int | timedelta | str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.report = report
        self.metric = metric
        self.skill_id = skill_id
        self.agent_id = agent_id
        self.group_id = group_id
        self.at_least = at_least
        self.at_most = at_most
        self.timeframe = timeframe
        self.check_arguments()

    @classmethod
    def check_literals(cls, given: Literals) -> None:
        from airflow_provider_lp.client.reports import report_named
        from airflow_provider_lp.conditions.limits import (
            SUBJECT,
            check_metric,
            check_subject,
            parse_id,
            parse_limit,
            parse_limits,
            parse_minutes,
        )

        super().check_literals(given)
        for name in ("at_least", "at_most"):
            given.check(name, partial(parse_limit, name))
        if given.knows("at_least", "at_most"):
            parse_limits(given.get("at_least"), given.get("at_most"))
        for name in SUBJECT:
            given.check(name, partial(parse_id, name))
        if not given.knows("report"):
            return
        report = report_named(given.get("report"))
        report.check({"timeframe": parse_minutes(given.get("timeframe"))})
        given.check("metric", partial(check_metric, report))
        if given.knows("metric", *SUBJECT):
            check_subject(report, given.get("metric"), {name: given.get(name) for name in SUBJECT})

    def condition(self, context: Context) -> MetricIsWithin:  # noqa: ARG002 - the same in each run
        """What to wait for."""
        from airflow_provider_lp.conditions.metrics import MetricIsWithin

        condition = MetricIsWithin.given(
            report=self.report,
            metric=self.metric,
            at_least=self.at_least,
            at_most=self.at_most,
            skill_id=self.skill_id,
            agent_id=self.agent_id,
            group_id=self.group_id,
            timeframe=self.timeframe,
        )
        condition.query(present())
        return condition
