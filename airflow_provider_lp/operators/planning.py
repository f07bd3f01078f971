"""The operator that plans the windows of a long period."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from airflow_provider_lp import compat
from airflow_provider_lp.client.errors import LivePersonConfigurationError
from airflow_provider_lp.operators.base import LivePersonOperator
from airflow_provider_lp.operators.context import moments_of
from airflow_provider_lp.operators.export import DEFAULT_CONCURRENCY, check_max_concurrency
from airflow_provider_lp.operators.literals import Literals
from airflow_provider_lp.operators.paths import ANY_WINDOW, as_text, check_names_window, check_target, object_url
from airflow_provider_lp.operators.searching import check_search
from airflow_provider_lp.operators.templates import filters_from_template, number_from_template
from airflow_provider_lp.retention import DEFAULT_MAX_AGE, warn_of_short_max_age
from airflow_provider_lp.windows import Window, parse_span, resolve_window

if TYPE_CHECKING:
    from airflow_provider_lp.compat import Context, ObjectStoragePath
    from airflow_provider_lp.export.query import ConversationQuery

log = logging.getLogger(__name__)

DEFAULT_TARGET = 50_000
DEFAULT_LONGEST = timedelta(days=1)
#: Airflow's own default.
MAX_MAP_LENGTH = 1024


class LivePersonPlanWindowsOperator(LivePersonOperator):
    """
    Plans a long period: cuts it into windows of about as many conversations, for a mapped export.

    Use it where one task would take too long, or too much to lose when it is killed::

        plan = LivePersonPlanWindowsOperator(
            task_id="plan",
            start="2026-01-01T00:00:00Z",
            end="2026-02-01T00:00:00Z",
            path="s3://lake/lp/date={start:%Y-%m-%d}/{start:%H%M}.ndjson.gz",
        )
        LivePersonConversationsOperator.partial(task_id="export", pool="liveperson").expand_kwargs(plan.output)

    Rests on LivePerson's ``conversations/search``, asked for one conversation at a time: the answer says how many there
    are. It takes no more requests than two for each window and ten more (by ``full_dialog_end`` a few others).

    Returns a list of ``{"start", "end"}``, or ``{"start", "end", "path"}`` where there is a ``path``; the moments are
    ISO 8601 text with offset. The windows tile the period and meet on ten-minute marks. None crosses a midnight (UTC),
    unless it holds whole days. None holds more than twice ``target_conversations`` unless it is ten minutes long, as
    far as LivePerson's counts are right; none is empty if it could be part of another. Whatever LivePerson counts, a
    plan loses no conversation: the windows leave no gap, and each export proves its own.

    Give the export the same ``time_field``, ``filters`` and ``max_age``.

    :param start: start of the period: aware datetime or ISO 8601 text with offset; with ``end``. Not given, the period
        is that of the run, as for :class:`LivePersonConversationsOperator`. (templated)
    :param end: end of the period, likewise; no later than the end of the day. (templated)
    :param window: length of the period for runs that only have a moment: a timedelta, seconds, or ISO 8601 text such as
        ``P30D``. (templated)
    :param time_field: which moment of a conversation must lie in a window: ``"start"`` (default), ``"end"`` or
        ``"full_dialog_end"``. (templated)
    :param filters: LivePerson's search filters by their own names; the time filters excepted. (templated)
    :param max_age: for time fields other than ``start``: how long before a window a conversation may have started;
        default 90 days, at most 13 months; given as ``window`` is. (templated)
    :param target_conversations: how many conversations a window is to hold, about; default 50,000. (templated)
    :param longest: how long a window may be, ten minutes at least; default one day; given as ``window`` is. Windows of
        more than a day hold whole days. (templated)
    :param path: where each window is to be written, with ``{start}`` and ``{end}`` of the window, in UTC, as Python
        formats datetimes: ``s3://lake/lp/date={start:%Y-%m-%d}/{start:%H%M}.ndjson.gz``. Each window must have a path
        of its own. Default: the plan has no paths. (templated)
    :param max_concurrency: requests in flight at most, default 4.
    :param liveperson_conn_id: the Airflow connection. (templated)
    :raises AirflowFailException: without retries, for what retrying cannot mend: arguments, credentials, permissions,
        more windows than Airflow maps a task to (``max_map_length``).
    :raises LivePersonError: by its kind, for what it may mend: throttling, outages.
    """

    template_fields: Sequence[str] = (
        "start",
        "end",
        "window",
        "time_field",
        "filters",
        "max_age",
        "target_conversations",
        "longest",
        "path",
        "liveperson_conn_id",
    )
    template_fields_renderers = {"filters": "json"}  # noqa: RUF012 - as Airflow declares it

    def __init__(
        self,
        *,
        start: datetime | str | None = None,
        end: datetime | str | None = None,
        window: timedelta | float | str | None = None,
        time_field: str = "start",
        filters: Mapping[str, Any] | None = None,
        max_age: timedelta | float | str = DEFAULT_MAX_AGE,
        target_conversations: int | str = DEFAULT_TARGET,
        longest: timedelta | float | str = DEFAULT_LONGEST,
        path: str | PurePath | ObjectStoragePath | None = None,
        max_concurrency: int = DEFAULT_CONCURRENCY,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.start = start
        self.end = end
        self.window = window
        self.time_field = time_field
        self.filters = filters
        self.max_age = max_age
        self.target_conversations = target_conversations
        self.longest = longest
        self.path = as_text(path)
        self._names_paths = path is not None
        self.max_concurrency = max_concurrency
        self.check_arguments()

    @classmethod
    def check_literals(cls, given: Literals) -> None:
        from airflow_provider_lp.export.tiling import check_longest, check_target_conversations

        super().check_literals(given)
        check_search(given)
        given.check("max_concurrency", check_max_concurrency)
        given.check("target_conversations", lambda number: check_target_conversations(number_from_template(number)))
        given.check("longest", lambda longest: check_longest(parse_span("longest", longest)))
        check_target(given, ANY_WINDOW)
        given.check("path", lambda path: check_names_window(as_text(path)))

    @property
    def undone(self) -> str:
        """What has not been done where the task fails."""
        return "Nothing was planned"

    def execute(self, context: Context) -> list[dict[str, str]]:
        """Plan; gives the windows."""
        from airflow_provider_lp.export.plan import plan_windows
        from airflow_provider_lp.export.tiling import Rules

        with self.final_failures():
            self.check_rendered()
            rules = Rules.checked(
                target_conversations=number_from_template(self.target_conversations),
                longest=parse_span("longest", self.longest),
                most_windows=compat.conf.getint("core", "max_map_length", fallback=MAX_MAP_LENGTH),
            )
            with self.client(self.max_concurrency) as client:
                query = self._query(context, client.now)
                self._paths([query.window])
                windows = plan_windows(client, query, rules)
            paths = self._paths(windows)
        plan = [{"start": each.start.isoformat(), "end": each.end.isoformat()} for each in windows]
        return [{**bounds, "path": path} for bounds, path in zip(plan, paths, strict=True)] if paths else plan

    def _query(self, context: Context, now: datetime) -> ConversationQuery:
        from airflow_provider_lp.export.counting import LEAST_CONTENT
        from airflow_provider_lp.export.query import ConversationQuery

        window = self._period = resolve_window(self.start, self.end, self.window, moments_of(context), now)
        query = ConversationQuery.checked(
            window,
            now=now,
            time_field=self.time_field,
            max_age=parse_span("max_age", self.max_age),
            filters=filters_from_template(self.filters),
            content=LEAST_CONTENT,
        )
        warn_of_short_max_age(self.time_field, self.max_age, query.max_age)
        return query

    def _paths(self, windows: Sequence[Window]) -> list[str]:
        """
        The path of each window; none where the plan has none.

        :raises LivePersonConfigurationError: if a path names no object, or two windows would have the same.
        """
        if not self._names_paths:
            return []
        paths = [object_url(self.path, None, window).text for window in windows]
        check_names_window(self.path)
        # The export fills a path in once more: what is left to fill in is a mistake.
        object_url(paths[0], None, None)
        owner: dict[str, Window] = {}
        for path, window in zip(paths, windows, strict=True):
            other = owner.setdefault(path, window)
            if other != window:
                raise LivePersonConfigurationError(
                    f"path={self.path!r} names the same object for two windows, {other} and {window}: the later export "
                    "would replace the earlier one. Name more of their start, such as {start:%Y-%m-%d}/{start:%H%M}."
                )
        return paths
