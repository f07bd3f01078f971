"""Which metrics to ask for: what was asked for, checked once, and the requests that its ids take."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import product
from typing import Any

from airflow_provider_lp.client.errors import LivePersonConfigurationError
from airflow_provider_lp.client.operations import MetricsRequest
from airflow_provider_lp.client.report_parameters import Ids
from airflow_provider_lp.client.reports import Report, report_named
from airflow_provider_lp.export.metrics.terms import check_options, is_recomputed
from airflow_provider_lp.export.metrics.timing import Timing, timing_of
from airflow_provider_lp.export.query import ConversationQuery
from airflow_provider_lp.retention import DEFAULT_MAX_AGE
from airflow_provider_lp.windows import Window, to_ms

#: What ids may take of a URL: servers and proxies refuse long ones, some from 2,000 characters on.
URL_CHARACTERS = 1_500
IDS_PER_POST = 500


@dataclass(frozen=True, slots=True)
class MetricsQuery:
    """
    What to ask for. Made by :meth:`checked`.

    :param request: which report, of whom, with which options: what all requests share.
    :param timing: for when, as the report counts time.
    :param from_conversations: whether to recompute the report from conversations.
    :param max_age: then: how long before the window a conversation may have started.
    """

    request: MetricsRequest
    timing: Timing
    from_conversations: bool = False
    max_age: timedelta = DEFAULT_MAX_AGE

    @classmethod
    def checked(
        cls,
        report: str = "messaging_conversation",
        *,
        now: datetime,
        window: Window | None = None,
        timeframe: int | timedelta | None = None,
        interval: int | timedelta | None = None,
        skill_ids: Ids = None,
        agent_ids: Ids = None,
        group_ids: Ids = None,
        source_of_truth: str = "operations",
        max_age: timedelta | None = None,
        **options: Any,
    ) -> MetricsQuery:
        """
        A query whose every argument LivePerson would accept, and whose window it still holds.

        :param report: the name of the report.
        :param now: the present moment.
        :param window: the period, where the report is about one and no timeframe is given.
        :param timeframe: minutes back from the moment of the request instead.
        :param interval: minutes per row; default one set of rows.
        :param skill_ids: which skills.
        :param agent_ids: which agents.
        :param group_ids: which agent groups.
        :param source_of_truth: ``operations``, or ``conversations`` to recompute the report from these.
        :param max_age: then: how long before the window a conversation may have started.
        :param options: further parameters of the report.
        :raises LivePersonConfigurationError: naming the argument that LivePerson would not accept.
        :raises LivePersonWindowError: for a window that LivePerson no longer holds.
        """
        of = report_named(report)
        from_conversations = is_recomputed(of, source_of_truth, max_age)
        ids = {"skill_ids": skill_ids, "agent_ids": agent_ids, "group_ids": group_ids}
        time = {"timeframe": timeframe, "interval": interval}
        options = check_options(of, {**options, **time, **ids})
        checked_time = [options.pop(name, None) for name in time]
        request = MetricsRequest(of, **{name: options.pop(name, None) for name in ids}, options=options)
        timing = timing_of(of, window if timeframe is None and of.has_period else None, *checked_time)
        query = cls(request, timing, from_conversations, DEFAULT_MAX_AGE if max_age is None else max_age)
        query._check_time(now)
        return query

    @property
    def report(self) -> Report:
        """The report asked for."""
        return self.request.report

    @property
    def window(self) -> Window | None:
        """The window asked for; ``None`` for a timeframe or the present."""
        return self.timing.window

    def _check_time(self, now: datetime) -> None:
        timing = self.timing
        if self.from_conversations and timing.timeframe is not None:
            raise LivePersonConfigurationError(
                f"timeframe={timing.timeframe} does not go with source_of_truth='conversations': give the period as "
                "start and end, or window."
            )
        if timing.window is None and timing.timeframe is None and self.report.needs_period:
            raise LivePersonConfigurationError(f"The report {self.report.name} needs a period or a timeframe.")
        timing.check_interval()
        if self.from_conversations and timing.window is not None:
            ConversationQuery.checked(timing.window, now=now, time_field="end", max_age=self.max_age)
        else:
            timing.check_reach(to_ms(now))

    def batches(self) -> list[MetricsRequest]:
        """
        The requests that the ids take; mostly one.

        By POST, where the report has it, more ids fit into each.

        :raises LivePersonConfigurationError: for ids that take several requests whose answers do not make up one.
        """
        request, report = self.request, self.report
        given = [ids for ids in (request.skill_ids, request.agent_ids, request.group_ids) if ids is not None]
        if sum(map(_characters, given)) <= URL_CHARACTERS:
            return [request]
        by_post = report.posts and request.group_ids is None
        if by_post and max(map(len, given)) <= IDS_PER_POST:
            return [replace(request, by_post=True)]
        characters = None if by_post else URL_CHARACTERS // len(given)
        skills, agents, groups = (
            _cut(ids, characters) for ids in (request.skill_ids, request.agent_ids, request.group_ids)
        )
        self._check_makes_up_one(groups)

        def batch(
            skill_ids: list[str] | None, agent_ids: list[str] | None, group_ids: list[str] | None
        ) -> MetricsRequest:
            return replace(request, skill_ids=skill_ids, agent_ids=agent_ids, group_ids=group_ids, by_post=by_post)

        if not report.additive or (request.skill_ids is None and request.agent_ids is None):
            return [batch(*ids) for ids in product(skills, agents, groups)]
        # Skills and agents are two views of the same events: each is asked for by itself, so that none repeats.
        by_skill = [batch(ids, None, group) for ids, group in product(skills, groups) if ids]
        return by_skill + [batch(None, ids, group) for ids, group in product(agents, groups) if ids]

    def _check_makes_up_one(self, groups: Sequence[list[str] | None]) -> None:
        if self.report.groups_in_one and len(groups) > 1:
            raise LivePersonConfigurationError(
                f"group_ids has {len(self.request.group_ids or ())} ids, more than one request takes. In "
                f"{self.report.name} they say whose conversations count as overdue, and such counts of several "
                "requests do not make up one: give fewer ids, or 'all'."
            )
        if self.request.options.get("breakdown") is False:
            raise LivePersonConfigurationError(
                "breakdown=False gives totals only, and those of so many skill_ids take several requests, whose totals "
                "do not add up: give fewer ids, or 'all'."
            )


def _cut(ids: Sequence[str] | None, characters: int | None) -> list[list[str] | None]:
    """Ids in parts of so many characters, or, for a body, so many ids."""
    if ids is None:
        return [None]
    parts: list[list[str] | None] = []
    part: list[str] = []
    for some in ids:
        is_full = len(part) >= IDS_PER_POST if characters is None else _characters([*part, some]) > characters
        if part and is_full:
            parts.append(part)
            part = []
        part.append(some)
    return [*parts, part]


def _characters(ids: Sequence[str]) -> int:
    # A comma is three characters in a URL.
    return sum(len(some) + 3 for some in ids)
