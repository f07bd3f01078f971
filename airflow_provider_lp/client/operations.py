"""The Messaging Operations API: one method that sends a request for any report of :mod:`.reports`."""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import msgspec

from airflow_provider_lp.client.calls import Authorization, Call, Caller
from airflow_provider_lp.client.errors import LivePersonConfigurationError, LivePersonError
from airflow_provider_lp.client.measurements import MetricsAnswer, read_metrics
from airflow_provider_lp.client.report_parameters import LONGEST_TIMEFRAME, check_divides
from airflow_provider_lp.client.reports import Report, report_named
from airflow_provider_lp.client.versions import (
    AUTHENTICATIONS,
    BAD_REQUEST,
    VERSION_REFUSALS,
    Choice,
    Version,
    VersionMemory,
    candidates,
)

if TYPE_CHECKING:
    from airflow_provider_lp.client.domains import Domains

log = logging.getLogger(__name__)

SERVICE = "leDataReporting"
ONE_MS = timedelta(milliseconds=1)
MS_PER_SECOND = 1_000
MS_PER_MINUTE = 60_000
MS_PER_HOUR = 3_600_000
#: How far LivePerson's clock may be ahead of ours, or behind.
CLOCK_DIFFERENCE_MS = 2_000
MISSING = "A scope or permission of the credentials may be missing, or the feature not be enabled for the account."


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

    def params(self, version: Version, now_ms: int) -> dict[str, str | int]:
        """
        The parameters as a version of the method takes them.

        :param version: one that can be asked for this.
        :param now_ms: the present moment, epoch milliseconds.
        """
        period = self._period(version, now_ms)
        given = {
            "timeframe": self.timeframe if period is None else None,
            "skill_ids": self.skill_ids,
            "agent_ids": self.agent_ids,
            "group_ids": self.group_ids,
            "interval": self.interval,
            **self.options,
        }
        parameters = self.report.parameters
        sent = {name: value for name, value in given.items() if value is not None}
        params = {parameters[name].wire: parameters[name].encode(value) for name, value in sent.items()}
        if period is not None:
            params["fromMillis"], params["toMillis"] = period
        return params | {"v": version.number}

    def _period(self, version: Version, now_ms: int) -> tuple[int, int] | None:
        """A timeframe, and the present, as the period that the version takes in their place."""
        if self.period is not None or not version.by_period:
            return self.period
        minutes = self.timeframe or LONGEST_TIMEFRAME
        # LivePerson refuses periods that end in the future, by its clock.
        end_ms = now_ms - CLOCK_DIFFERENCE_MS
        earliest_ms = now_ms - self.report.reach // ONE_MS + CLOCK_DIFFERENCE_MS
        return max(end_ms - minutes * MS_PER_MINUTE, earliest_ms), end_ms

    def versions(self, authentication: str) -> list[Version]:
        """
        The versions to ask, in order.

        :param authentication: the connection's ``auth_type``.
        :raises LivePersonConfigurationError: if LivePerson offers none to this authentication.
        """
        by_period = self.period is not None
        # What intervals mean for a period is not documented.
        either = not by_period and self.interval is None
        found = candidates(self.report.versions, authentication, by_period=by_period, either=either)
        if not found:
            raise LivePersonConfigurationError(
                f"LivePerson gives {self.report.name} {'for a period' if by_period else 'of now'} to another kind of "
                f"authentication only, not to {AUTHENTICATIONS.get(authentication, authentication)}. Set up OAuth 2.0 "
                "client credentials (client_id, client_secret) in the Airflow connection, or leave the period out."
            )
        return found


class MessagingOperations:
    """
    Metrics, as one account's client sees them.

    :param transport: how to send.
    :param domains: where to.
    :param authorization: how to sign.
    :param account_id: the LivePerson account.
    :param memory: what the client has learned of versions.
    """

    def __init__(
        self,
        transport: Caller,
        domains: Domains,
        authorization: Authorization,
        account_id: str,
        memory: VersionMemory,
    ) -> None:
        self._transport = transport
        self._domains = domains
        self._authorization = authorization
        self._memory = memory
        self._path = f"/operations/api/account/{account_id}"

    def send(self, request: MetricsRequest) -> MetricsAnswer:
        """
        Ask for a report, in the version that LivePerson offers to the client's authentication.

        Where it is not known which one that is, a refusal of the first makes the other be asked, once a client.

        :param request: what to ask for.
        :raises LivePersonError: by its kind, when LivePerson's answer is not usable after retrying.
        """
        kind = self._authorization.kind
        versions = request.versions(kind)
        if kind in versions[0].accepts:
            return self._in_version(request, versions[0])
        choice = self._memory.of((request.report.endpoint, *versions))
        with choice.lock:
            if choice.works is None:
                return self._first_that_works(request, versions, choice)
        return self._in_version(request, choice.works)

    def _first_that_works(self, request: MetricsRequest, versions: list[Version], choice: Choice) -> MetricsAnswer:
        untried = self._memory.untried(choice, versions)
        for version in untried:
            try:
                # Where there is no other version to ask, a refusal that may pass is retried as any other.
                answer = self._ask(request, version, tentative=len(untried) > 1)
            except LivePersonError as error:
                if not _refuses(error, request, VERSION_REFUSALS):
                    raise
                choice.refused[version] = error
                log.info("LivePerson refuses v=%d of %s: %s", version.number, request.report.endpoint, error)
            else:
                choice.works = version
                return answer
        refusal = self._memory.all_refused(choice)
        tried = " and ".join(f"v={version.number} (HTTP {choice.refused[version].status})" for version in versions)
        label = AUTHENTICATIONS[self._authorization.kind]
        parameters = "it may not take what was asked for, or " if refusal.status == BAD_REQUEST else "it may take "
        _explain(
            refusal,
            f"LivePerson refuses {tried} of {request.report.endpoint} to {label}: {parameters}another kind of "
            "authentication only.",
        )
        raise refusal

    def _in_version(self, request: MetricsRequest, version: Version) -> MetricsAnswer:
        try:
            return self._ask(request, version)
        except LivePersonError as error:
            if _refuses(error, request, VERSION_REFUSALS[1:]):
                _explain(error, "")
            raise

    def _ask(self, request: MetricsRequest, version: Version, *, tentative: bool = False) -> MetricsAnswer:
        report, now_ms = request.report, int(self._memory.clock.now() * MS_PER_SECOND)
        url = f"{self._domains.base_url(SERVICE)}{self._path}/{report.endpoint}"
        params = request.params(version, now_ms)
        if request.by_post:
            body = msgspec.json.encode({name: str(value) for name, value in params.items()})
            call = Call(
                report.endpoint,
                "POST",
                url,
                content=body,
                headers={"Content-Type": "application/json"},
                tentative=tentative,
            )
        else:
            call = Call(report.endpoint, "GET", url, params, tentative=tentative)
        answer = self._transport.call(
            call, lambda answer: read_metrics(answer, report.endpoint, report.account_metrics), self._authorization
        )
        if version.by_period and request.timeframe is not None:
            return replace(answer, asked_ms=int(params["toMillis"]))
        return answer


def _refuses(error: LivePersonError, request: MetricsRequest, statuses: Collection[int]) -> bool:
    """Whether it was the method itself that was refused, and not the login or the domain lookup before it."""
    return error.status in statuses and error.endpoint == request.report.endpoint


def _explain(error: LivePersonError, means: str) -> None:
    """Say at the end of a refusal what it may mean."""
    if means not in error.remedy or not error.remedy:
        missing = "" if "feature" in error.remedy else MISSING
        error.advise(" ".join(filter(None, (error.remedy, means, missing))))


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
