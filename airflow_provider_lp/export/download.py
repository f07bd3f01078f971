"""Conversations in order, each once, as newline-delimited JSON: requests side by side, slices one after the other."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Generator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import TYPE_CHECKING, NamedTuple

from airflow_provider_lp.client.errors import LivePersonIncompleteDataError
from airflow_provider_lp.client.records import ConversationHead
from airflow_provider_lp.export.paging import PageRequest, Request, Row, SearchReading, in_order
from airflow_provider_lp.export.query import ConversationQuery, Search, Slice, can_split, was_asked_for
from airflow_provider_lp.export.spool import Batch, Judged, Spool
from airflow_provider_lp.windows import Window

if TYPE_CHECKING:
    from airflow_provider_lp.client.liveperson import LivePersonClient

log = logging.getLogger(__name__)

#: Paging gets slower and riskier the deeper it goes, so a larger search is cut in time first.
DEEPEST_SEARCH = 5500
#: Conversations are not spread evenly, so parts are planned a little smaller than the deepest search.
PLANNED_SEARCH = 5000
READERS = 2
#: Conversations that may wait for the slices before theirs.
READ_AHEAD = 2 * DEEPEST_SEARCH
#: At a time; what is still too large then is cut again.
MOST_PARTS = 1000


class _Asked(NamedTuple):
    """A request in flight, and whom its answer is for."""

    working: _Working
    search: Search
    reading: SearchReading
    request: Request


class _Answered(NamedTuple):
    matches: int
    rows: list[Row]


class _Working:
    """
    A slice that is being read, and where its records wait.

    :param known: the first conversations of its only search, waiting in ``spool``.
    """

    def __init__(
        self, part: Slice, query: ConversationQuery, known: Sequence[Row] = (), spool: Spool | None = None
    ) -> None:
        self.span = part.span
        self.part = part
        self.spool = spool or Spool()
        self._readings = [
            (search, SearchReading(query.words(search), may_grow=query.may_grow, known=known))
            for search in part.searches
        ]

    @property
    def is_whole(self) -> bool:
        return all(reading.is_whole for _, reading in self._readings)

    @property
    def largest_count(self) -> int:
        """The most conversations that one of its searches is known to match."""
        return max(reading.count or 0 for _, reading in self._readings)

    @property
    def arrived(self) -> int:
        """How many conversations wait here."""
        return sum(len(reading.rows) for _, reading in self._readings)

    def next_request(self) -> _Asked | None:
        for search, reading in self._readings:
            if request := reading.next_request():
                return _Asked(self, search, reading, request)
        return None

    def first_rows(self, span: Window) -> list[Row]:
        """What has arrived, if it is surely the beginning of a search for ``span``, the earliest part of this slice."""
        rows = self.rows()
        is_beginning = len(self._readings) == 1 and len(rows) == self.arrived
        return rows if is_beginning and all(row.moment_ms in span for row in rows) else []

    def rows(self) -> list[Row]:
        return in_order(reading for _, reading in self._readings)


class Download:
    """
    Downloads what a query asks for.

    :param client: where from.
    :param query: what.
    :param takes_truncated: whether a truncated conversation is as good as a whole one: then its record is left out, but
        not its row. Default no: it is asked for until it is whole.
    """

    def __init__(self, client: LivePersonClient, query: ConversationQuery, *, takes_truncated: bool = False) -> None:
        self._client = client
        self._query = query
        self._extent = query.extent
        self._takes_truncated = takes_truncated
        # More than the client lets through at a time: while some read what they got, others wait for LivePerson.
        self._most_asked = client.max_concurrency + READERS
        self._planned = deque(query.slices())
        self._working: list[_Working] = []
        self._in_flight: dict[Future[_Answered], _Asked] = {}
        self._is_giving_out = False
        self._stray_ids: set[str] = set()
        self._neighbours_ids: deque[set[str]] = deque(maxlen=2)
        self._threads = ThreadPoolExecutor(self._most_asked, thread_name_prefix="liveperson")

    def batches(self) -> Generator[Batch, None, None]:
        """
        The conversations, ordered by moment and id. A slice is given out only when it is whole.

        :raises LivePersonError: when LivePerson does not give all of it.
        """
        try:
            while self._working or self._planned:
                self._ask()
                if self._working[0].is_whole:
                    yield from self._give_out(self._working.pop(0))
                else:
                    self._take_in(wait_s=None)
        finally:
            self._threads.shutdown(wait=False, cancel_futures=True)
            for working in self._working:
                working.spool.close()

    def _ask(self) -> None:
        """Keep as many requests in flight as allowed, those of the earliest slice first."""
        while len(self._in_flight) < self._most_asked:
            is_far_ahead = sum(working.arrived for working in self._working) > READ_AHEAD
            served = self._working[: 0 if self._is_giving_out else 1] if is_far_ahead else self._working
            asked = next(filter(None, (working.next_request() for working in served)), None)
            if asked:
                self._in_flight[self._threads.submit(self._fetch, asked)] = asked
            elif self._planned and not is_far_ahead and len(self._working) <= self._most_asked:
                self._working.append(_Working(self._planned.popleft(), self._query))
            else:
                return

    def _take_in(self, wait_s: float | None) -> None:
        """Hand what has arrived to the slices it was asked for, after waiting for something to arrive."""
        done, _ = wait(self._in_flight, timeout=wait_s, return_when=FIRST_COMPLETED)
        for future in done:
            working, _, reading, request = self._in_flight.pop(future)
            if working not in self._working:
                continue
            answered = future.result()
            if isinstance(request, PageRequest):
                reading.page_arrived(request, answered.matches, answered.rows)
            else:
                reading.whole_arrived(request, answered.rows)
            if working.largest_count > DEEPEST_SEARCH and can_split(working.span):
                self._cut(working)
            elif reading.is_too_large:
                raise LivePersonIncompleteDataError(
                    f"LivePerson counts {reading.count} conversations that {reading.words}: too many to page through. "
                    "Nothing was published."
                )

    def _cut(self, working: _Working) -> None:
        """Read the slice in parts instead."""
        wanted = -(-working.largest_count // PLANNED_SEARCH)
        parts = self._query.parts(working.part, min(max(2, wanted), MOST_PARTS))
        log.info("%d conversations in %s: read in %d parts.", working.largest_count, working.span, len(parts))
        place = self._working.index(working)
        earliest, *later = parts
        known = working.first_rows(earliest.span) if self._query.is_settled else []
        if known:
            first = _Working(earliest, self._query, known, working.spool)
        else:
            first = _Working(earliest, self._query)
            working.spool.close()
        self._working[place : place + 1] = [first, *(_Working(part, self._query) for part in later)]

    def _fetch(self, asked: _Asked) -> _Answered:
        """In a thread: ask, and put the answer's records where they wait."""
        working, search, reading, request = asked
        self._client.wait(request.pause)
        if isinstance(request, PageRequest):
            try:
                page = self._client.interactions.search_page(self._query.body(search), offset=request.offset)
            except LivePersonIncompleteDataError as error:
                raise LivePersonIncompleteDataError(
                    f"{error} It was asked for conversations that {reading.words}, from row {request.offset} on. "
                    "Nothing was published.",
                    endpoint=error.endpoint,
                ) from error
            judged = [self._judge(head, working.span) for head in page.heads]
        else:
            page = self._client.interactions.by_id(request.conversation_ids, content=self._query.content)
            judged = [Judged(0) for _ in page.heads]
        rows = working.spool.add_page(page, judged)
        if self._takes_truncated:
            rows = [row._replace(is_partial=False) for row in rows]
        return _Answered(page.count, rows)

    def _judge(self, head: ConversationHead, span: Window) -> Judged:
        """Where a conversation that a search found belongs. A neighbouring window's is left out, any other stays."""
        moment_ms = self._query.moment_ms(head.info)
        if moment_ms is None or not was_asked_for(span, moment_ms, self._query.slack_ms):
            # LivePerson must have filtered on another field than the one assumed: no other window might return it.
            return Judged(moment_ms or 0, is_outside=True)
        return Judged(moment_ms, moment_ms in self._extent)

    def _give_out(self, working: _Working) -> Generator[Batch, None, None]:
        # Neighbouring slices both find what lies on the mark where they meet, by whatever field LivePerson filters.
        given = self._stray_ids.union(*self._neighbours_ids)
        rows = [row for row in working.rows() if row.conversation_id not in given]
        self._stray_ids.update(row.conversation_id for row in rows if row.moment_ms not in working.span)
        self._neighbours_ids.append({row.conversation_id for row in rows})
        self._is_giving_out = True
        try:
            for batch in working.spool.batches(rows):
                yield batch
                self._take_in(wait_s=0)
                self._ask()
        finally:
            self._is_giving_out = False
            working.spool.close()
