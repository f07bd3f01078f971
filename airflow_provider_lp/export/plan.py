"""Planning the windows of a long period: LivePerson is asked how its conversations are spread over it."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, TypeVar

from airflow_provider_lp.client.errors import LivePersonConfigurationError, LivePersonWindowError
from airflow_provider_lp.client.records import Page
from airflow_provider_lp.export.completeness import PAUSES
from airflow_provider_lp.export.counting import smallest_page
from airflow_provider_lp.export.parallel import in_parallel
from airflow_provider_lp.export.planning import Question, Sight, Survey, survey
from airflow_provider_lp.export.progress import Progress, Standing
from airflow_provider_lp.export.query import LONGEST_SPAN, ConversationQuery, Search, was_asked_for
from airflow_provider_lp.export.tiling import Leaf, Rules, joined, longest_windows
from airflow_provider_lp.retention import RETENTION
from airflow_provider_lp.windows import MARK_MS, ONE_MS, Window, ceil_mark, floor_mark, to_ms

if TYPE_CHECKING:
    from airflow_provider_lp.client.liveperson import LivePersonClient

Item = TypeVar("Item")
Result = TypeVar("Result")

log = logging.getLogger(__name__)

#: Requests that a plan may take beyond two a window.
MORE_REQUESTS = 10
#: How LivePerson sorts by a time field, where it can.
SORTS = {"start": "start", "end": "end"}
#: Conversations that ended months after they had started are few, if they are no more than so much of the target.
FEW = 0.25


def plan_windows(client: LivePersonClient, query: ConversationQuery, rules: Rules) -> list[Window]:
    """
    Windows that tile the query's period, each of about as many conversations as the rules say.

    :param client: whom to ask.
    :param query: which conversations; by their start or by an end.
    :param rules: what the windows keep to.
    :raises LivePersonError: by its kind, if the rules cannot be kept or LivePerson does not answer.
    """
    _check_time_field(query)
    spans = longest_windows(query.window, rules)
    _check_period(query, spans)
    asker = _Asker(client, query)
    rules = replace(rules, uncounted=asker.count_old(most=int(rules.target * FEW)))
    asking = survey(spans, rules, to_ms(query.now))
    try:
        questions = next(asking)
        while True:
            if any(question.is_repeated for question in questions):
                client.wait(PAUSES[1])
            questions = asking.send(asker.ask(asker.look, questions))
    except StopIteration as end:
        found: Survey = end.value
    requests = found.requests + asker.more_requests
    windows = joined(found.leaves, rules, least_windows=-(-(requests - MORE_REQUESTS) // 2))
    _tell(windows, query, requests)
    return [window.span for window in windows]


def _check_time_field(query: ConversationQuery) -> None:
    if query.time_field == "latest_update":
        raise LivePersonConfigurationError(
            f"time_field={query.time_field!r} cannot be planned: LivePerson knows no upper bound there, so each window "
            "would give all that was updated since its start. Export the period as one window, or plan it by start or "
            "end."
        )


def _check_period(query: ConversationQuery, spans: Sequence[Window]) -> None:
    if spans[-1].start >= query.now:
        raise LivePersonWindowError(
            f"The period {query.window} reaches into the future (it is {query.now.isoformat(timespec='seconds')}): its "
            f"windows up to {spans[-1]} cannot be exported yet. Choose an earlier end."
        )
    if query.window.start < query.now - RETENTION + timedelta(days=1):
        log.warning(
            "The period begins %s, and LivePerson keeps conversations for 13 months: export its first windows soon.",
            query.window.start.isoformat(),
        )


class _Asker:
    """
    Asks LivePerson how many conversations there are.

    :param client: whom to ask.
    :param query: which conversations.
    """

    def __init__(self, client: LivePersonClient, query: ConversationQuery) -> None:
        #: Requests that were no answer to a question of the survey.
        self.more_requests = 0
        self._client = client
        self._query = query
        self._many_old: list[Window] = []
        self._progress = Progress(client)
        self._answered = 0

    def ask(self, ask: Callable[[Item], Result], items: Sequence[Item]) -> list[Result]:
        """What ``ask`` gives for each item, asked side by side; says how far the plan is, if it takes long."""
        answered = self._answered

        def standing(results: Collection[Result]) -> Standing:
            return Standing(answered + len(items), answered + len(results))

        results = in_parallel(self._client, ask, items, progress=self._progress, standing=standing)
        self._answered += len(results)
        return results

    def count_old(self, *, most: int) -> int:
        """
        Count the conversations that ended months after they had started, and that :meth:`look` leaves out.

        LivePerson takes three months of starts in a search. One search finds nearly all that ended on a day, so the
        others are worth their requests only where they find many.

        :param most: how many are few.
        :return: how many are left out of any window at most.
        """
        groups = self._query.window.spans(LONGEST_SPAN) if self._query.time_field != "start" else []
        searches = [search for group in groups for search in self._old_searches(group)]
        counts = self.ask(lambda search: self._page(self._query.body(search)).count, searches)
        self.more_requests = len(searches)
        old = Counter[Window]()
        for search, count in zip(searches, counts, strict=True):
            old[search.moments or search.start] += count
        self._many_old = [group for group, count in old.items() if count > most]
        return max((count for count in old.values() if count <= most), default=0)

    def _old_searches(self, group: Window) -> list[Search]:
        """The searches for all that ended within a group of stretches, and that :meth:`look` does not find there."""
        age_ms, span_ms = (length // ONE_MS for length in (self._query.max_age, LONGEST_SPAN))
        earliest_ms, latest_ms = floor_mark(group.start_ms - age_ms), ceil_mark(group.end_ms - span_ms) + MARK_MS
        if earliest_ms >= latest_ms:
            return []
        return [Search(part, moments=group) for part in Window(earliest_ms, latest_ms).spans(LONGEST_SPAN)]

    def look(self, question: Question) -> Sight:
        """Answer a question by as few requests as its stretch takes, mostly one."""
        span = question.span
        max_age = self._query.max_age
        if not any(span.start_ms < group.end_ms and group.start_ms < span.end_ms for group in self._many_old):
            max_age = min(max_age, LONGEST_SPAN - span.length - MARK_MS * ONE_MS)
        query = replace(self._query, window=span, max_age=max_age)
        order = f"{SORTS.get(query.time_field, 'start')}:{'desc' if question.asks_last else 'asc'}"
        searches = [search for part in query.slices() for search in part.searches]
        pages = [self._page(query.body(search), order) for search in searches]
        edges = [self._edge(page, span) for page in pages if page.count]
        known = [edge_ms for edge_ms in edges if edge_ms is not None]
        edge_ms = None
        if known and len(known) == len(edges):
            edge_ms = max(known) if question.asks_last else min(known)
        return Sight([page.count for page in pages], edge_ms)

    def _page(self, body: bytes, sort: str = "start:asc") -> Page:
        return smallest_page(self._client, body, sort=sort)

    def _edge(self, page: Page, span: Window) -> int | None:
        """The moment of a page's only conversation, if that is what the page was sorted by."""
        if self._query.time_field not in SORTS or not page.heads:
            return None
        moment_ms = self._query.moment_ms(page.heads[0].info)
        return moment_ms if moment_ms is not None and was_asked_for(span, moment_ms) else None


def _tell(windows: list[Leaf], query: ConversationQuery, requests: int) -> None:
    counts = [window.count for window in windows]
    log.info(
        "Planned %d windows of about %d to %d conversations, about %d in all, by %s within %s (%d requests).",
        len(windows),
        min(counts),
        max(counts),
        sum(counts),
        query.time_field,
        query.window,
        requests,
    )
