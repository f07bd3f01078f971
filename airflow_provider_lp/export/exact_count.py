"""
Counting exactly the conversations that lie in a window, by few small requests.

LivePerson's count of a search is one of more: its bounds are inclusive and rounded outwards to ten minutes. What lies
between the window and the rounded bounds belongs to the neighbours, and is counted apart, unless the last conversation
that the search finds shows that there is nothing.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from airflow_provider_lp.client.interactions import ROWS_PER_PAGE
from airflow_provider_lp.client.records import Page, milliseconds
from airflow_provider_lp.export.counting import CAPPED_COUNT, LEAST_PARTS, PLANNED_COUNT
from airflow_provider_lp.export.download import Download
from airflow_provider_lp.export.query import ConversationQuery, Search, Slice, can_split
from airflow_provider_lp.windows import ONE_MS, Window, ceil_mark, floor_mark, to_ms

if TYPE_CHECKING:
    from airflow_provider_lp.client.liveperson import LivePersonClient

#: How LivePerson is to order what it finds, so that what lies last comes first.
LAST_FIRST = {"start": "start:desc", "end": "end:desc"}


def exact_count(
    client: LivePersonClient, query: ConversationQuery, likely: int | None = None, *, by_rows: bool = False
) -> int:
    """
    How many conversations the query finds, as LivePerson counts them: as many as an export would have.

    Mostly one request of one row for each of its searches; that there are none is not asked twice.

    :param likely: the count that it probably is. LivePerson stops counting at 10,000 or so, and what may be larger is
        counted in parts; what comes to just this number need not be.
    :param by_rows: whether to see that there are just so many rows, by one request more for each search. Where there
        are not, all are read. Default no.
    """
    slices = query.slices()
    if len(slices) > 1:
        likely = None
    return sum(_count(client, query, each, likely, by_rows=by_rows) for each in slices)


def count_by_reading(client: LivePersonClient, query: ConversationQuery) -> int:
    """The same by reading all of them, which is exact by whatever field LivePerson filters."""
    return sum(len(batch.rows) for batch in Download(client, query, takes_truncated=True).batches())


def updated_since(client: LivePersonClient, query: ConversationQuery, moment: datetime) -> int:
    """
    How many of the query's conversations LivePerson has updated since a moment, which it rounds down to ten minutes.

    Of more than a hundred in a search, some may be neighbours'. That there are none is not asked twice.
    """
    updated = replace(query, filters={**query.filters, "latestUpdateTime": {"from": to_ms(moment)}})
    ids = set()
    unseen = 0
    for part in updated.slices():
        for search in part.searches:
            page = client.interactions.search_page(updated.body(search), offset=0, limit=ROWS_PER_PAGE)
            moments = ((head.info.conversation_id, updated.moment_ms(head.info)) for head in page.heads)
            # What has no moment is of no other window.
            ids |= {some_id for some_id, moment_ms in moments if moment_ms is None or moment_ms in query.window}
            unseen += max(0, page.count - len(page.heads))
    return len(ids) + unseen


def _count(
    client: LivePersonClient, query: ConversationQuery, part: Slice, likely: int | None, *, by_rows: bool
) -> int:
    pages = [_last_row(client, query, search) for search in part.searches]
    largest = max(page.count for page in pages)
    is_large = largest >= CAPPED_COUNT and can_split(part.span)
    if by_rows and not is_large:
        counts = [page.count for page in pages]
        if not all(_has_just(client, query, *each) for each in zip(part.searches, counts, strict=True)):
            return count_by_reading(client, _narrowed(query, part.span))
    if largest == 0:
        return 0
    counted = sum(page.count for page in pages) - _strays(client, query, part, pages)
    if not is_large or counted == likely != CAPPED_COUNT:
        return counted
    parts = query.parts(part, max(LEAST_PARTS, -(-max(largest, likely or 0) // PLANNED_COUNT)))
    if len(parts) == 1:
        return counted
    return sum(_count(client, query, each, None, by_rows=by_rows) for each in parts)


def _last_row(client: LivePersonClient, query: ConversationQuery, search: Search) -> Page:
    return _rows(client, query, search, offset=0, limit=1)


def _has_just(client: LivePersonClient, query: ConversationQuery, search: Search, count: int) -> bool:
    """Whether a search gives so many rows and no more: of two rows, asked for from the last one on, just one comes."""
    page = _rows(client, query, search, offset=max(0, count - 1), limit=2)
    return len(page.heads) == min(1, count)


def _rows(client: LivePersonClient, query: ConversationQuery, search: Search, *, offset: int, limit: int) -> Page:
    sort = LAST_FIRST.get(query.time_field, "start:desc")
    return client.interactions.search_page(query.body(_unmistakable(search)), offset=offset, limit=limit, sort=sort)


def _unmistakable(search: Search) -> Search:
    """
    The same search with bounds that are no marks, which LivePerson can round in one way only: whether it takes a mark
    for the next one is not documented.

    Where a search by the end begins is left as it is: what an export finds before, it keeps.
    """
    start = _ending_off_marks(search.start)
    if search.moments is not None:
        return Search(start, _ending_off_marks(search.moments))
    begins_on_mark = floor_mark(start.start_ms) == start.start_ms
    return Search(Window(start.start_ms + begins_on_mark, start.end_ms))


def _ending_off_marks(window: Window) -> Window:
    # The last moment is what LivePerson is told.
    last_ms = window.end_ms - 1
    return Window(window.start_ms, window.end_ms + (floor_mark(last_ms) == last_ms))


def _strays(client: LivePersonClient, query: ConversationQuery, part: Slice, pages: list[Page]) -> int:
    """How much of what the searches of a slice count belongs to its neighbours, or is counted twice."""
    span = part.span
    edges = []
    if floor_mark(span.start_ms) < span.start_ms:
        edges.append(Window(floor_mark(span.start_ms), span.start_ms))
    if not (query.time_field in LAST_FIRST and all(_ends_before(query, page, span.end_ms) for page in pages)):
        edges.append(Window(span.end_ms, ceil_mark(span.end_ms) + 1))
    marks = [search.start.end_ms for search in part.searches[:-1]]
    in_edges = sum(_within(client, query, edge) for edge in edges)
    return in_edges + sum(_started_at(client, query, span, mark) for mark in marks)


def _ends_before(query: ConversationQuery, page: Page, end_ms: int) -> bool:
    """Whether the last conversation that a search finds lies before the window's end, so that all others do."""
    if not page.count:
        return True
    moments = [query.moment_ms(head.info) for head in page.heads]
    return len(moments) == 1 and moments[0] is not None and moments[0] < end_ms


def _within(client: LivePersonClient, query: ConversationQuery, edge: Window) -> int:
    """How many conversations lie in an edge, of those that started as early as any that the query finds."""
    batches = Download(client, _narrowed(query, edge), takes_truncated=True).batches()
    return sum(not row.is_outside for batch in batches for row in batch.rows)


def _narrowed(query: ConversationQuery, window: Window) -> ConversationQuery:
    """The same for another window, as far back as before."""
    later_ms = max(0, window.start_ms - query.window.start_ms)
    return replace(query, window=window, max_age=query.max_age + later_ms * ONE_MS)


def _started_at(client: LivePersonClient, query: ConversationQuery, span: Window, mark: int) -> int:
    """How many conversations started just where two searches of the span meet: both find them."""
    search = Search(start=Window(mark, mark + 1), moments=_ending_off_marks(span))
    page = client.interactions.search_page(query.body(search), offset=0, limit=ROWS_PER_PAGE)
    return sum(milliseconds(head.info.start) == mark for head in page.heads)
