"""The Messaging Operations API: one method that sends a request for any report of :mod:`.reports`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import msgspec

from airflow_provider_lp.client.calls import Authorization, Call, Caller
from airflow_provider_lp.client.errors import LivePersonConfigurationError
from airflow_provider_lp.client.measurements import MetricsAnswer, read_metrics
from airflow_provider_lp.client.report_parameters import check_divides
from airflow_provider_lp.client.reports import Report, report_named

if TYPE_CHECKING:
    from airflow_provider_lp.client.domains import Domains

SERVICE = "leDataReporting"
MS_PER_HOUR = 3_600_000


@dataclass(frozen=True, slots=True)
class MetricsRequest:
    """
    What to ask LivePerson for. Its values are checked: use :meth:`checked`, or values of checked arguments.

    :param report: which report.
    :param skill_ids: which skills; ``None`` for LivePerson's default, as with all that follows.
    :param agent_ids: which agents.
    :param group_ids: which agent groups.
    :param timeframe: minutes back from the moment of the request.
    :param period: start and end, epoch milliseconds.
    :param interval: minutes per interval.
    :param options: further parameters of the report, by the operator's names of them.
    :param by_post: whether to send the parameters in a body, which takes more ids than a URL.
    """

    report: Report
    skill_ids: list[str] | None = None
    agent_ids: list[str] | None = None
    group_ids: list[str] | None = None
    timeframe: int | None = None
    period: tuple[int, int] | None = None
    interval: int | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    by_post: bool = False

    @classmethod
    def checked(
        cls, report: str, *, period: tuple[int, int] | None = None, by_post: bool = False, **arguments: Any
    ) -> MetricsRequest:
        """
        A request that LivePerson would accept.

        :param report: the name of a report.
        :param period: start and end, epoch milliseconds, for reports that take periods.
        :param by_post: send the parameters in a body; default no.
        :param arguments: the report's parameters, by the names in :data:`~.reports.REPORTS`; ``None`` is left out.
        :raises LivePersonConfigurationError: naming what LivePerson would refuse.
        """
        of = report_named(report)
        checked = of.check(arguments)
        timeframe, interval = checked.pop("timeframe", None), checked.pop("interval", None)
        ids = {name: checked.pop(name, None) for name in ("skill_ids", "agent_ids", "group_ids")}
        if of.needs_period and (timeframe is None) == (period is None):
            raise LivePersonConfigurationError(f"timeframe={timeframe}, period={period}: give one of them.")
        if interval is not None:
            if timeframe is None:
                raise LivePersonConfigurationError(f"interval={interval} needs a timeframe.")
            check_divides(interval, timeframe)
        if period is not None:
            _check_period(of, period)
        if not isinstance(by_post, bool) or (by_post and (not of.posts or ids["group_ids"] is not None)):
            raise LivePersonConfigurationError(
                f"by_post={by_post!r} must be True or False. LivePerson takes bodies for messaging_conversation only, "
                "and no group_ids in them."
            )
        return cls(of, **ids, timeframe=timeframe, period=period, interval=interval, options=checked, by_post=by_post)

    @property
    def version(self) -> int:
        """The method's version: the second is the one that takes periods."""
        return 1 if self.period is None else 2

    @property
    def params(self) -> dict[str, str | int]:
        """The parameters as LivePerson takes them."""
        given = {
            "timeframe": self.timeframe,
            "skill_ids": self.skill_ids,
            "agent_ids": self.agent_ids,
            "group_ids": self.group_ids,
            "interval": self.interval,
            **self.options,
        }
        parameters = self.report.parameters
        sent = {name: value for name, value in given.items() if value is not None}
        params = {parameters[name].wire: parameters[name].encode(value) for name, value in sent.items()}
        if self.period is not None:
            params["fromMillis"], params["toMillis"] = self.period
        return params | {"v": self.version}


class MessagingOperations:
    """
    Metrics, as one account's client sees them.

    :param transport: how to send.
    :param domains: where to.
    :param authorization: how to sign.
    :param account_id: the LivePerson account.
    """

    def __init__(self, transport: Caller, domains: Domains, authorization: Authorization, account_id: str) -> None:
        self._transport = transport
        self._domains = domains
        self._authorization = authorization
        self._path = f"/operations/api/account/{account_id}"

    def send(self, request: MetricsRequest) -> MetricsAnswer:
        """
        Ask for a report.

        :param request: what to ask for.
        :raises LivePersonError: by its kind, when LivePerson's answer is not usable after retrying.
        """
        endpoint = request.report.endpoint
        url = f"{self._domains.base_url(SERVICE)}{self._path}/{endpoint}"
        if request.by_post:
            body = msgspec.json.encode({name: str(value) for name, value in request.params.items()})
            call = Call(endpoint, "POST", url, content=body, headers={"Content-Type": "application/json"})
        else:
            call = Call(endpoint, "GET", url, request.params)
        names = request.report.account_metrics
        return self._transport.call(call, lambda answer: read_metrics(answer, endpoint, names), self._authorization)


def _check_period(report: Report, period: tuple[int, int]) -> None:
    if report.period_hours is None:
        raise LivePersonConfigurationError(f"period={period!r} has no meaning for report={report.name!r}.")
    start_ms, end_ms = period
    if type(start_ms) is not int or type(end_ms) is not int or not 0 <= start_ms < end_ms:
        raise LivePersonConfigurationError(
            f"period={period!r} must be whole epoch milliseconds, in that order of time."
        )
    if end_ms - start_ms > report.period_hours * MS_PER_HOUR:
        raise LivePersonConfigurationError(f"period={period!r} must lie within the last {report.period_hours} hours.")
