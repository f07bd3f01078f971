"""The operator that exports contact-centre metrics."""

from __future__ import annotations

import logging
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta, tzinfo
from functools import partial
from typing import TYPE_CHECKING, Any

from airflow_provider_lp.client.errors import LivePersonOutOfReachError
from airflow_provider_lp.compat import AirflowSkipException
from airflow_provider_lp.export.formats import FORMATS
from airflow_provider_lp.operators.context import moments_of
from airflow_provider_lp.operators.export import DEFAULT_CONCURRENCY, LivePersonExportOperator
from airflow_provider_lp.operators.lineage import OPERATIONS
from airflow_provider_lp.operators.literals import Literals
from airflow_provider_lp.operators.searching import check_period
from airflow_provider_lp.operators.templates import from_template
from airflow_provider_lp.retention import is_final
from airflow_provider_lp.windows import Window, parse_span, resolve_window

if TYPE_CHECKING:
    from airflow_provider_lp.compat import Context
    from airflow_provider_lp.export.metrics.query import MetricsQuery

log = logging.getLogger(__name__)

PERIOD = ("start", "end", "window")
#: Arguments about the report: those that may be lists, lengths of time, and others.
LISTS = ("skill_ids", "agent_ids", "group_ids", "source", "metrics")
LENGTHS = ("timeframe", "interval")
FLAGS = ("user_type", "overdue_conversations", "breakdown", "include_sub_groups")


class LivePersonMetricsOperator(LivePersonExportOperator):
    """
    Exports metrics of a contact centre as flat rows.

    Rests on LivePerson's Messaging Operations API, which holds the last 24 hours only; a period that is not wholly
    within them, or will not be in two seconds (clocks differ), fails the task without retries.

    Each row has ``report, account_id, level`` (``account``, ``skill``, ``agent`` or ``skill_agent``), ``skill_id,
    agent_id, group_id, interval_start, interval_end, derived``, then each metric under LivePerson's own name. A metric
    without data is ``None``; a zero is a zero. The interval is what the numbers really cover. Totals are rows with the
    level one step up; where ids were listed, that of the account is the total of those. An interval comes once, and
    the sum of all intervals is never among them. Rows are ordered by time, level and id.

    The reports, and what their numbers cover:

    * ``messaging_conversation`` (default; ``msgconversation``): rows tile the period on LivePerson's five-minute marks.
      A bucket of five minutes belongs to the period in which it is complete, so runs that adjoin add up. Its counts
      and handling times (milliseconds) may be added; its averages are recomputed from them, never averaged.
    * ``csat_distribution`` (``msgcsatdistribution``): from the start of the period, rounded down to five minutes, up to
      **now**. Its counts may be added where intervals do not overlap; ``csat_score`` is recomputed, a fraction.
    * ``queue_health`` (``msgqueuehealth``): exactly the period, asked for an interval at a time. Nothing of it may be
      added or averaged: queue sizes, averages, maxima and percentiles are passed on.
    * ``skill_segments``, ``agent_segments`` (``msgskillsegments``, ``msgagentsegments``): from the start of the period
      up to **now**; intervals that lie wholly outside the period are left out. Segments may be added where intervals do
      not overlap, over skills or agents too, but they are no conversations. Averages are passed on.
    * ``current_queue_health``, ``queue_health_by_group`` (``msgqueuehealth/current``,
      ``msgqueuehealthbygroup/current``): the present; ``interval_start`` and ``interval_end`` are the moment of the
      request, unless a timeframe or, for ``current_queue_health``, a period of the last 72 hours was asked for by
      ``start`` and ``end`` or ``window``, which takes OAuth 2.0. ``time`` is the freshness of a skill's numbers.
      Nothing of it may be added over time.

    LivePerson binds versions of these methods to the kind of authentication. What is known of that is followed (to an
    OAuth 2.0 client, ``current_queue_health`` is a period: the last 24 hours up to now); where nothing is known, the
    documented version is asked first and, should it be refused, the other one once.

    With ``timeframe``, the numbers are LivePerson's for that many minutes back from the moment of the request, rounded
    as above. Where that is within two seconds of a five-minute mark and clocks may disagree on the buckets, the request
    waits until they cannot.

    The period is, by the first that applies: ``start`` and ``end``; the run's data interval, if longer than zero; the
    run's partition date and ``window`` after it; ``window`` before the run's logical date, or before the moment it
    was due; the last whole interval of the DAG's schedule before that moment, where the run has none of its own. It
    includes its start and excludes its end.

    With ``path``, the rows are published there as one object, at once or not at all, and the task returns a summary:
    ``path, format, compression, report, rows, window, derived, final, bytes, sha256, requests, retries``, with
    ``final`` false where the period was not over, or only just, and ``None`` where there is none; it is the extra of
    the asset events of the task's outlets too. Without ``path``, the task returns the rows.

    :param report: which one; see above. (templated)
    :param start: start of the period: aware datetime or ISO 8601 text with offset; with ``end``. (templated)
    :param end: end of the period, likewise. (templated)
    :param window: length of the period for runs that only have a moment: a timedelta, seconds, or ISO 8601 text such as
        ``PT1H``. (templated)
    :param timeframe: instead of a period: minutes back from now, 1 to 1440; or a timedelta, or ISO 8601 text. For
        ``queue_health_by_group`` whole hours, such as 1440, its default; more is taken there. (templated)
    :param interval: minutes per row, at least 5; must divide the period or the timeframe, for segments a day, and be a
        multiple of 5 for ``messaging_conversation``. Given as ``timeframe`` is. Default: one set of rows for all of it.
        (templated)
    :param skill_ids: list of skill ids, or ``"all"``; default LivePerson's: none for ``messaging_conversation`` and
        ``csat_distribution``, no split by skills for ``agent_segments``, all for the others. A long list takes several
        requests. (templated)
    :param agent_ids: list of agent ids, or ``"all"``; default none, but all for ``agent_segments``. (templated)
    :param group_ids: list of agent group ids, or ``"all"``: whose agents count; default no filter. For
        ``queue_health_by_group`` the groups that get rows, default all. For ``current_queue_health`` those whose
        conversations count as overdue; such a list must fit into one request. (templated)
    :param source_of_truth: ``"operations"`` (default), or ``"conversations"``: for ``messaging_conversation``,
        recompute the rows from the conversations that were closed in the period, for any period of the last 13 months.
        Such rows have ``derived`` true. LivePerson does not document how it forms these metrics; taken is the close
        without regard to surveys that end within a week, the last skill, the last agent, and the time from start to
        close. (templated)
    :param max_age: with ``source_of_truth="conversations"``: how long before the period a conversation may have
        started; default 90 days; given as ``window`` is. (templated)
    :param skip_if_out_of_reach: skip the task, instead of failing it, where LivePerson no longer holds all of the
        period: a task after it, with ``trigger_rule="all_skipped"``, may recompute it from conversations; default no.
    :param user_type: for segments: ``"human"``, ``"bot"`` or ``"all"``; default LivePerson's own. (templated)
    :param source: for ``agent_segments``: channels such as ``"APP"``; default LivePerson's own. (templated)
    :param metrics: for ``current_queue_health`` (``"queue"``, ``"waittimes"``, ``"overdue"``, ``"all"``),
        ``queue_health_by_group`` and ``agent_segments`` (names of metrics, or ``"all"``): which to ask for; others are
        ``None``. Default LivePerson's own. (templated)
    :param overdue_conversations: for ``current_queue_health``: whether to count overdue conversations.
    :param breakdown: for ``current_queue_health``: ``False`` gives the account's row only.
    :param include_sub_groups: for ``queue_health_by_group``: whether a group counts its sub groups' conversations too.
    :param path: URL to write to, in any storage that Airflow knows, compressed if it ends in ``.gz`` or ``.zst``;
        ``{start}`` and ``{end}`` are those of the period, as Python formats datetimes; with ``timeframe``, and for
        reports of the present, there is none. ``None`` (default) returns the rows through XCom. (templated)
    :param path_timezone: the time zone of ``{start}`` and ``{end}``; default ``"UTC"``. (templated)
    :param storage_conn_id: Airflow connection of the storage. (templated)
    :param format: ``"ndjson"`` (default) or ``"csv"``. (templated)
    :param max_xcom_bytes: without ``path``: more than this fails the task; default 1 MiB.
    :param liveperson_conn_id: the Airflow connection. (templated)
    :raises AirflowFailException: without retries, for what retrying cannot mend: arguments, credentials, permissions,
        a period that LivePerson no longer holds.
    :raises LivePersonError: by its kind, for what it may mend: throttling, outages, data that is not whole.
    """

    formats = FORMATS
    template_fields: Sequence[str] = (
        "report",
        "start",
        "end",
        "window",
        "timeframe",
        "interval",
        "skill_ids",
        "agent_ids",
        "group_ids",
        "source_of_truth",
        "max_age",
        "user_type",
        "source",
        "metrics",
        "path",
        "path_timezone",
        "storage_conn_id",
        "format",
        "liveperson_conn_id",
    )

    def __init__(
        self,
        *,
        report: str = "messaging_conversation",
        start: datetime | str | None = None,
        end: datetime | str | None = None,
        window: timedelta | float | str | None = None,
        path_timezone: str | tzinfo = "UTC",
        timeframe: int | timedelta | str | None = None,
        interval: int | timedelta | str | None = None,
        skill_ids: Collection[str | int] | str | None = None,
        agent_ids: Collection[str | int] | str | None = None,
        group_ids: Collection[str | int] | str | None = None,
        source_of_truth: str = "operations",
        max_age: timedelta | float | str | None = None,
        skip_if_out_of_reach: bool = False,
        user_type: str | None = None,
        source: Collection[str] | str | None = None,
        metrics: Collection[str] | str | None = None,
        overdue_conversations: bool | None = None,
        breakdown: bool | None = None,
        include_sub_groups: bool | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.report = report
        self.start = start
        self.end = end
        self.window = window
        self.path_timezone = path_timezone
        self.timeframe = timeframe
        self.interval = interval
        self.skill_ids = skill_ids
        self.agent_ids = agent_ids
        self.group_ids = group_ids
        self.source_of_truth = source_of_truth
        self.max_age = max_age
        self.skip_if_out_of_reach = skip_if_out_of_reach
        self.user_type = user_type
        self.source = source
        self.metrics = metrics
        self.overdue_conversations = overdue_conversations
        self.breakdown = breakdown
        self.include_sub_groups = include_sub_groups
        self.check_arguments()

    @classmethod
    def check_literals(cls, given: Literals) -> None:
        super().check_literals(given)
        given.check("max_age", partial(parse_span, "max_age"))
        if given.knows("report"):
            cls._check_report(given)
        check_period(given)

    @staticmethod
    def _check_report(given: Literals) -> None:
        from airflow_provider_lp.client.reports import report_named
        from airflow_provider_lp.export.metrics.terms import check_options, check_times, is_recomputed

        report = report_named(given.get("report"))
        options = {name: _listed(given.part(name)) for name in LISTS}
        options |= {name: _minutes(name, given.get(name)) for name in LENGTHS}
        options |= {name: given.get(name) for name in FLAGS}
        check_options(report, options)
        if given.knows("source_of_truth", "max_age"):
            is_recomputed(report, given.get("source_of_truth"), given.get("max_age"))
        check_times(report, options["timeframe"], [name for name in PERIOD if given.get(name) is not None])

    @property
    def reads(self) -> str:
        """What it reads of LivePerson, as lineage names it."""
        return super().reads if self.source_of_truth == "conversations" else f"{OPERATIONS}{self.report}"

    def execute(self, context: Context) -> Any:
        """Export; gives the summary, or the rows where there is no path."""
        from airflow_provider_lp.export.metrics.export import collect_metrics, export_metrics

        with self.final_failures():
            self.check_rendered()
            with self.client(DEFAULT_CONCURRENCY) as client:
                query = self._query(context, client.now)
                target = self.target(query.window)
                if target is None:
                    rows = collect_metrics(client, query, max_bytes=self.max_xcom_bytes)
                    self.count(rows=len(rows))
                    log.info("Returning %d rows through XCom.", len(rows))
                    return rows
                summary = export_metrics(client, query, target.path, format=self.format)
        return self.announce(target, summary, context, counted="rows")

    def failure_of(self, error: BaseException) -> BaseException:
        # In this order: an argument of the base may be wrong before this one is set.
        if isinstance(error, LivePersonOutOfReachError) and self.skip_if_out_of_reach:
            return AirflowSkipException(f"Skipping instead of failing: {error}")
        return super().failure_of(error)

    def _query(self, context: Context, now: datetime) -> MetricsQuery:
        from airflow_provider_lp.export.metrics.query import MetricsQuery

        timeframe = _minutes("timeframe", self.timeframe)
        window = self._period = self._window(context, now, timeframe)
        query = MetricsQuery.checked(
            self.report,
            window=window,
            now=now,
            timeframe=timeframe,
            interval=_minutes("interval", self.interval),
            source_of_truth=self.source_of_truth,
            max_age=None if self.max_age is None else parse_span("max_age", self.max_age),
            **{name: _listed(getattr(self, name)) for name in LISTS},
            **{name: getattr(self, name) for name in FLAGS},
        )
        log.info("Exporting %s %s.", self.report, query.timing)
        if query.window and not is_final(query.window.end, now):
            log.warning(
                "The window %s reaches into what LivePerson may not count yet: these metrics are not final. Let the "
                "task start some minutes after its window ends, or run it again.",
                query.window,
            )
        return query

    def _window(self, context: Context, now: datetime, timeframe: Any) -> Window | None:
        from airflow_provider_lp.client.reports import report_named
        from airflow_provider_lp.export.metrics.terms import check_times

        report = report_named(self.report)
        period = [name for name in PERIOD if getattr(self, name) is not None]
        check_times(report, timeframe, period)
        if timeframe is not None or (not report.needs_period and not period):
            return None
        return resolve_window(self.start, self.end, self.window, moments_of(context), now)


def _minutes(name: str, value: Any) -> Any:
    """Minutes, where a template made text of them; a length of time, where its text says so."""
    if not isinstance(value, str):
        return value
    text = value.strip()
    if text.upper().startswith("P") or ":" in text:
        return parse_span(name, text)
    return int(text) if text.isdecimal() else value


def _listed(value: Any) -> Any:
    """A list, where a template made text of it, or where it is text with commas."""
    value = from_template(value)
    return [part.strip() for part in value.split(",")] if isinstance(value, str) else value
