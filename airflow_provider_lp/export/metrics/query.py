"""Which metrics to ask for: one report, of whom, for when."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from airflow_provider_lp.client.errors import LivePersonConfigurationError, LivePersonWindowError
from airflow_provider_lp.client.operations import (
    ALL,
    LONGEST_TIMEFRAME_MINUTES,
    Ids,
    check_channels,
    check_ids,
    check_interval,
    check_names,
    check_timeframe,
    check_user_type,
)
from airflow_provider_lp.export.metrics.buckets import (
    BUCKET_MINUTES,
    BUCKET_MS,
    MINUTE_MS,
    ceil_bucket,
    floor_bucket,
)
from airflow_provider_lp.export.metrics.reports import CHOICES, REPORTS, Dating, Report
from airflow_provider_lp.export.query import ConversationQuery
from airflow_provider_lp.retention import DEFAULT_MAX_AGE
from airflow_provider_lp.windows import Window, from_ms, to_ms

SOURCES_OF_TRUTH = ("operations", "conversations")
MINUTES_PER_HOUR = 60
ONE_MINUTE = timedelta(minutes=1)
#: How far LivePerson's clock may be ahead of ours, or behind.
CLOCK_DIFFERENCE_MS = 2_000
REACH = LONGEST_TIMEFRAME_MINUTES * ONE_MINUTE


@dataclass(frozen=True, slots=True)
class MetricsQuery:
    """
    What to ask for. Made by :meth:`checked`.

    :param report: which report.
    :param window: the period, where the report is about one and no timeframe is given.
    :param timeframe: minutes back from the moment of the request, where that was asked for instead.
    :param interval: minutes per row; ``None`` for one set of rows.
    :param skill_ids: which skills, as :func:`check_ids` gives them.
    :param agent_ids: which agents, likewise.
    :param group_ids: which agent groups, likewise.
    :param from_conversations: whether to recompute the report from conversations.
    :param max_age: then: how long before the window a conversation may have started.
    :param options: further parameters by the names of the client's arguments.
    """

    report: Report
    window: Window | None
    timeframe: int | None
    interval: int | None
    skill_ids: list[str] | None
    agent_ids: list[str] | None
    group_ids: list[str] | None
    from_conversations: bool
    max_age: timedelta
    options: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def checked(
        cls,
        report: str = "messaging_conversation",
        *,
        window: Window | None = None,
        now: datetime,
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
        A query whose every argument LivePerson would accept, and whose period it still holds.

        :raises LivePersonConfigurationError: naming the argument that it would not.
        :raises LivePersonWindowError: for a period that LivePerson no longer holds.
        """
        if not isinstance(report, str) or report not in REPORTS:
            raise LivePersonConfigurationError(f"report={report!r} must be one of {', '.join(REPORTS)}.")
        if source_of_truth not in SOURCES_OF_TRUTH:
            raise LivePersonConfigurationError(
                f"source_of_truth={source_of_truth!r} must be one of {', '.join(SOURCES_OF_TRUTH)}."
            )
        from_conversations = source_of_truth == "conversations"
        given = {
            **{name: value for name, value in options.items() if value is not None},
            "timeframe": timeframe,
            "interval": interval,
            "skill_ids": skill_ids,
            "agent_ids": agent_ids,
            "group_ids": group_ids,
            "source_of_truth": source_of_truth if from_conversations else None,
            "max_age": max_age,
        }
        kind = REPORTS[report]
        _check_meaning(kind, [name for name, value in given.items() if value is not None])
        query = cls(
            report=kind,
            window=None if timeframe is not None or not kind.has_period else window,
            timeframe=_timeframe(kind, timeframe),
            interval=_minutes("interval", interval),
            skill_ids=check_ids("skill_ids", skill_ids),
            agent_ids=check_ids("agent_ids", agent_ids),
            group_ids=check_ids("group_ids", group_ids),
            from_conversations=from_conversations,
            max_age=DEFAULT_MAX_AGE if max_age is None else max_age,
            options=_options(kind, options),
        )
        if max_age is not None and not from_conversations:
            raise LivePersonConfigurationError("max_age has a meaning with source_of_truth='conversations' only.")
        query._check_period(now)
        return query

    def _check_period(self, now: datetime) -> None:
        if self.from_conversations and self.timeframe is not None:
            raise LivePersonConfigurationError(
                f"timeframe={self.timeframe} does not go with source_of_truth='conversations': give the period as "
                "start and end, or window."
            )
        if self.window is None:
            if self.timeframe is None and self.report.needs_period:
                raise LivePersonConfigurationError(f"The report {self.report.name} needs a period or a timeframe.")
            if self.interval is not None and self.timeframe is not None:
                self._check_interval_of(self.timeframe)
            return
        if self.interval is not None:
            self._check_interval(self.window)
        if self.from_conversations:
            ConversationQuery.checked(self.window, now=now, time_field="end", max_age=self.max_age)
        else:
            check_reach(self, now)

    @property
    def account_section(self) -> str | None:
        """
        The section whose total is the account's, for reports in which skills and agents are two views of the same
        events: that of the skills, unless only agents, or only of the agents all, were asked for.
        """
        if self.skill_ids is None and self.agent_ids is None:
            return None
        by_agents = self.skill_ids is None or (self.agent_ids == [ALL] and self.skill_ids != [ALL])
        return "agents" if by_agents else "skills"

    def _check_interval_of(self, timeframe: int) -> None:
        interval = check_interval(self.interval or 0, timeframe)
        if self.report.dating is Dating.BUCKETS and interval % BUCKET_MINUTES:
            raise LivePersonConfigurationError(
                f"interval={interval} (minutes) must be a multiple of 5 for report={self.report.name!r}: LivePerson "
                "counts in buckets of five minutes, and rounds intervals to them."
            )

    def _check_interval(self, window: Window) -> None:
        if self.report.dating is Dating.FRAME:
            check_interval(self.interval or 0, LONGEST_TIMEFRAME_MINUTES)
            return
        period = self.tiled or window
        interval_ms = (self.interval or 0) * MINUTE_MS
        step = BUCKET_MINUTES if self.report.dating is Dating.BUCKETS else 1
        fits = interval_ms >= BUCKET_MINUTES * MINUTE_MS and (self.interval or 0) % step == 0
        if not fits or (period.end_ms - period.start_ms) % interval_ms:
            marks = ", a multiple of 5," if step > 1 else ", at least 5,"
            raise LivePersonConfigurationError(
                f"interval={self.interval} (minutes{marks} as LivePerson counts) must divide the window {period}."
            )

    @property
    def tiled(self) -> Window | None:
        """
        The five-minute buckets of the window, where LivePerson counts in such: each belongs to the window in which it
        is complete, so that those of adjacent windows neither overlap nor leave a gap.
        """
        if self.window is None or self.report.dating is not Dating.BUCKETS:
            return self.window
        start_ms, end_ms = floor_bucket(self.window.start_ms), floor_bucket(self.window.end_ms)
        if self.report.up_to_now:
            return Window(start_ms, self.window.end_ms)
        if end_ms <= start_ms:
            raise LivePersonWindowError(
                f"The window {self.window} ends before a five-minute bucket of LivePerson's is complete. Let it start "
                "and end on five-minute marks (10:00, 10:05, ...)."
            )
        return Window(start_ms, end_ms)

    def tiled_until(self, now: datetime) -> Window:
        """As :attr:`tiled`, without the buckets that have not begun."""
        window = self.tiled
        if window is None:
            raise ValueError("a query for a timeframe has no window to tile")
        return Window(window.start_ms, min(window.end_ms, max(ceil_bucket(to_ms(now)), window.start_ms + BUCKET_MS)))


def check_reach(query: MetricsQuery, now: datetime) -> None:
    """
    Make sure that LivePerson still holds the whole window.

    :raises LivePersonWindowError: saying how late it is, and which schedule works.
    """
    window = query.tiled
    reach = query.report.period_reach or REACH
    # What is out of reach by LivePerson's clock is refused by it or, in buckets, missing without a word.
    earliest_ms = to_ms(now - reach) + CLOCK_DIFFERENCE_MS
    if query.report.dating is Dating.BUCKETS:
        earliest_ms = floor_bucket(earliest_ms)
    if window is None or window.start_ms >= earliest_ms:
        return
    if window.end_ms <= earliest_ms:
        lost = "all of it is"
    else:
        lost = f"its first {_words((earliest_ms - window.start_ms) // MINUTE_MS or 1)} are"
    if query.report.period_reach:
        raise LivePersonWindowError(
            f"The window {window} begins more than {_words(reach // ONE_MINUTE)} ago, which is all that LivePerson's "
            f"{query.report.name} takes: start must not be before {from_ms(earliest_ms).isoformat()}."
        )
    late_ms = to_ms(now) - window.end_ms
    late = f" This task asks {_words(late_ms // MINUTE_MS)} after the window's end." if late_ms >= 0 else ""
    recompute = (
        " For past windows, source_of_truth='conversations' recomputes this report from conversations."
        if "source_of_truth" in query.report.arguments
        else ""
    )
    raise LivePersonWindowError(
        f"The window {window} reaches further back than 24 h, which is all that LivePerson's "
        f"Messaging Operations holds (now since {from_ms(earliest_ms).isoformat()}): {lost} out of its reach.{late} "
        "A daily run always comes too late for its first minutes: schedule the DAG hourly, with "
        'CronDataIntervalTimetable("0 * * * *", timezone="UTC"), so that runs and retries have 23 hours.'
        f"{recompute}"
    )


def _words(minutes: int) -> str:
    hours, rest = divmod(max(minutes, 0), MINUTES_PER_HOUR)
    return f"{hours} h {rest} min" if hours else f"{rest} min"


def _check_meaning(report: Report, given: Collection[str]) -> None:
    for name in given:
        if name not in report.arguments:
            raise LivePersonConfigurationError(
                f"{name} has no meaning for report={report.name!r}. It takes {', '.join(sorted(report.arguments))}."
            )


def _minutes(name: str, value: int | timedelta | None) -> int | None:
    if value is None:
        return None
    if isinstance(value, timedelta):
        minutes, rest = divmod(value, ONE_MINUTE)
    else:
        minutes, rest = value, timedelta(0)
    if not isinstance(minutes, int) or isinstance(minutes, bool) or minutes < 1 or rest:
        raise LivePersonConfigurationError(f"{name}={value!r} must be a whole number of minutes, 1 or more.")
    return minutes


def _timeframe(report: Report, value: int | timedelta | None) -> int | None:
    minutes = _minutes("timeframe", value)
    if minutes is None:
        return None
    if report.dating is not Dating.SNAPSHOT:
        return check_timeframe(minutes)
    if minutes % MINUTES_PER_HOUR:
        raise LivePersonConfigurationError(
            f"timeframe={minutes} (minutes) must be whole hours for report={report.name!r}, such as 1440."
        )
    return minutes


def _options(report: Report, options: Mapping[str, Any]) -> dict[str, Any]:
    given = {name: value for name, value in options.items() if value is not None}
    for name, value in given.items():
        if name == "source":
            given[name] = check_channels(value)
        elif name == "user_type":
            given[name] = check_user_type(value)
        elif name == "metrics":
            given[name] = check_names(name, value, CHOICES[report.name])
        elif not isinstance(value, bool):
            raise LivePersonConfigurationError(f"{name}={value!r} must be True or False.")
    return given
