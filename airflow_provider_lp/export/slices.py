"""A slice of a download while it is read, and what became of one that was cut."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import NamedTuple

from airflow_provider_lp.client.interactions import ROWS_PER_PAGE
from airflow_provider_lp.export.pages import Request, Row
from airflow_provider_lp.export.paging import SearchReading
from airflow_provider_lp.export.query import ConversationQuery, Search, Slice
from airflow_provider_lp.export.spool import Spool
from airflow_provider_lp.windows import Window


class Question(NamedTuple):
    """A request to send, and whom its answer is for."""

    slice: SliceReading
    search: Search
    reading: SearchReading
    request: Request


class CutSlice:
    """
    A slice that is read in parts, which together must not have less than LivePerson counted.

    :param slice: the whole.
    :param count: how many conversations LivePerson counted.
    """

    def __init__(self, slice: Slice, count: int) -> None:
        self.slice = slice
        self.count = count
        self.found = 0
        self.open_parts = 0
        # Neighbouring parts both find what lies on the mark where they meet.
        self._neighbours_ids: deque[set[str]] = deque(maxlen=2)

    def part_is_read(self, ids: set[str], shortfall: int) -> None:
        """Take in what a part has found, and how much of it may be missing."""
        self.found += len(ids.difference(*self._neighbours_ids)) + shortfall
        self._neighbours_ids.append(ids)
        self.open_parts -= 1


class SliceReading:
    """
    A slice that is being read, and where its records wait.

    :param slice: what to read.
    :param query: what it is a slice of.
    :param known: the first conversations of its only search, waiting in ``spool``.
    :param spool: where records wait; default a new one.
    :param cut_from: the slices it is a part of, the largest first.
    """

    def __init__(
        self,
        slice: Slice,
        query: ConversationQuery,
        *,
        known: Sequence[Row] = (),
        spool: Spool | None = None,
        cut_from: Sequence[CutSlice] = (),
    ) -> None:
        self.slice = slice
        self.span = slice.span
        self.spool = spool or Spool()
        self.cut_from = cut_from
        self._query = query
        self._readings = [
            (
                search,
                SearchReading(
                    query.words(search), may_grow=query.may_grow, known=known, max_shortfall=query.max_shortfall
                ),
            )
            for search in slice.searches
        ]

    @property
    def is_whole(self) -> bool:
        """Whether all of its searches are complete."""
        return all(reading.is_whole for _, reading in self._readings)

    @property
    def largest_count(self) -> int:
        """The most conversations that one of its searches is known to match."""
        return max(reading.count or 0 for _, reading in self._readings)

    @property
    def count(self) -> int | None:
        """How many conversations its searches match together; ``None`` until LivePerson has counted them all."""
        counts = [reading.count for _, reading in self._readings]
        return None if None in counts else sum(filter(None, counts))

    @property
    def arrived(self) -> int:
        """How many conversations wait here."""
        return sum(len(reading.rows) for _, reading in self._readings)

    @property
    def ids(self) -> set[str]:
        """All that its searches have found, neighbours' conversations included."""
        return {conversation_id for _, reading in self._readings for conversation_id in reading.rows}

    @property
    def shortfall(self) -> int:
        """How many conversations LivePerson counts and does not give."""
        return sum(reading.shortfall for _, reading in self._readings)

    def next_question(self, most_rows: int = ROWS_PER_PAGE) -> Question | None:
        """
        What to ask next; ``None`` while nothing can be asked before something arrives.

        :param most_rows: how many rows a page may have.
        """
        for search, reading in self._readings:
            if request := reading.next_request(most_rows):
                return Question(self, search, reading, request)
        return None

    def rows(self) -> list[Row]:
        """What belongs to the export, in order."""
        return in_order(reading for _, reading in self._readings)

    def in_parts(self, number: int) -> list[SliceReading]:
        """The slice cut into about ``number`` parts, the first of which knows what has surely arrived of it."""
        parts = self._query.parts(self.slice, number)
        cut = CutSlice(self.slice, self.largest_count)
        cut.open_parts = 1
        cut_from = [*self.cut_from, cut]
        for whole in cut_from:
            whole.open_parts += len(parts) - 1
        earliest, *later = parts
        if known := self._first_rows(earliest.span):
            first = SliceReading(earliest, self._query, known=known, spool=self.spool, cut_from=cut_from)
        else:
            self.spool.close()
            first = SliceReading(earliest, self._query, cut_from=cut_from)
        return [first, *(SliceReading(part, self._query, cut_from=cut_from) for part in later)]

    def _first_rows(self, span: Window) -> list[Row]:
        """What has arrived, if it is surely the beginning of a search for ``span``, the earliest part of this slice."""
        rows = self.rows()
        is_beginning = self._query.is_settled and len(self._readings) == 1 and len(rows) == self.arrived
        return rows if is_beginning and all(row.moment_ms in span for row in rows) else []


class Left(NamedTuple):
    """
    What is left to read of a download.

    :param conversations: how many LivePerson has counted and not given yet.
    :param uncounted: for how much time it has not counted them.
    :param arrived_uncounted: how many have come from there all the same.
    :param is_estimate: whether it has not counted all searches of a slice that was cut.
    """

    conversations: int
    uncounted: timedelta
    arrived_uncounted: int
    is_estimate: bool


def left_to_read(slices: Iterable[SliceReading]) -> Left:
    """What is left to read of slices that are not done."""
    wholes: dict[int, tuple[CutSlice, int]] = {}
    left, uncounted, arrived_uncounted = 0, timedelta(0), 0
    for some in slices:
        if some.cut_from:
            # Its parts need not be counted: the whole was.
            whole, arrived = wholes.get(id(some.cut_from[0]), (some.cut_from[0], 0))
            wholes[id(whole)] = whole, arrived + some.arrived
        elif some.count is None:
            uncounted += some.span.length
            arrived_uncounted += some.arrived
        else:
            left += max(0, some.count - some.arrived)
    left += sum(max(0, whole.count - whole.found - arrived) for whole, arrived in wholes.values())
    return Left(left, uncounted, arrived_uncounted, any(len(whole.slice.searches) > 1 for whole, _ in wholes.values()))


def in_order(readings: Iterable[SearchReading]) -> list[Row]:
    """The conversations of some searches, each once, ordered by moment and id."""
    distinct = {row.conversation_id: row for reading in readings for row in reading.rows.values()}
    return sorted(
        (row for row in distinct.values() if row.is_kept), key=lambda row: (row.moment_ms, row.conversation_id)
    )
