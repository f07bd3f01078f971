"""
Reading a search until it is provably whole, as a state machine without input or output.

A reading hands out requests and is told what arrived. It is whole when the distinct conversations it has been told of
are as many as LivePerson counts, and none of them is truncated.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import NamedTuple

from airflow_provider_lp.client.errors import LivePersonIncompleteDataError
from airflow_provider_lp.client.interactions import IDS_PER_CALL, ROWS_PER_PAGE
from airflow_provider_lp.export.completeness import PAUSES

#: How often a page is asked for while its rows are fewer than they should be, each time others.
SHORT_PAGE_TRIES = 4
IDS_NAMED = 5
#: More than any search can match that is too short to be cut: such a count is not LivePerson's.
LARGEST_COUNT = 1_000_000


class Row(NamedTuple):
    """
    A conversation that arrived.

    :param moment_ms: the moment it is ordered by.
    :param is_kept: whether it belongs to the export, and not to a neighbouring window.
    :param is_outside: whether it lies outside what was asked for.
    :param is_partial: whether LivePerson truncated it.
    :param position: where the spool has it, if it is kept.
    :param length: in bytes.
    """

    conversation_id: str
    moment_ms: int
    is_kept: bool
    is_outside: bool
    is_open: bool
    is_partial: bool
    messages: int
    position: int
    length: int


class PageRequest(NamedTuple):
    """Ask for a page, after a pause. ``end`` is the row before which it should end, ``None`` if not known yet."""

    offset: int
    end: int | None
    pause: timedelta = PAUSES[0]


class LookupRequest(NamedTuple):
    """Ask for conversations by id, after a pause."""

    conversation_ids: tuple[str, ...]
    attempt: int
    pause: timedelta = PAUSES[0]


Request = PageRequest | LookupRequest


class SearchReading:
    """
    One search, read page by page.

    :param words: what its conversations have in common, for the error, as in "started on Monday".
    :param may_grow: whether conversations may come in while reading: then those that LivePerson counted when a pass
        began are enough.
    :param known: its first conversations, where a larger search has already brought them.
    """

    def __init__(self, words: str, *, may_grow: bool = False, known: Sequence[Row] = ()) -> None:
        self.words = words
        self.rows: dict[str, Row] = {}
        self.count: int | None = None
        self.is_whole = False
        self._may_grow = may_grow
        self._passes = 0
        self._start_pass(known)

    def _start_pass(self, known: Sequence[Row] = ()) -> None:
        self.rows = {row.conversation_id: row for row in known}
        self.count = None
        self._least_count = LARGEST_COUNT
        # Where rows come in between others, only page after page is sure to meet all that were there before.
        self._is_sequential = self._may_grow and self._passes > 0
        self._to_ask: deque[Request] = deque([PageRequest(max(0, len(known) - 1), None, PAUSES[self._passes])])
        self._unanswered = 0
        self._rows_per_page = ROWS_PER_PAGE
        self._short_pages: dict[int, list[frozenset[str]]] = {}
        self._failed = False

    @property
    def is_too_large(self) -> bool:
        """Whether it matches more than can be paged through; then nothing more is asked."""
        return (self.count or 0) > LARGEST_COUNT

    def next_request(self) -> Request | None:
        """What to ask next; ``None`` while nothing can be asked before something arrives."""
        if self._failed or not self._to_ask:
            return None
        self._unanswered += 1
        return self._to_ask.popleft()

    def page_arrived(self, request: PageRequest, count: int, rows: Sequence[Row]) -> None:
        """
        Take in the answer to a page request.

        :param count: how many conversations the search matches, as this page says.
        :param rows: its conversations.
        :raises LivePersonIncompleteDataError: if the search stays incomplete, however often it is read.
        """
        self._unanswered -= 1
        if request.end is None and request.offset and (not rows or rows[0].conversation_id not in self.rows):
            # It begins with the last row that is known already, unless rows before it have gone.
            self._failed = True
        self.rows.update((row.conversation_id, row) for row in rows)
        if self.count is None:
            self.count = count
        self._least_count = min(self._least_count, count)
        if self.is_too_large:
            return
        if self._is_sequential:
            self.count = count
        elif count != self.count:
            self._failed = True
        end = min(request.end or request.offset + self._rows_per_page, self.count)
        if self._is_acceptable(request, end, rows):
            self._ask_on(request, end, len(rows))
        if not self._unanswered and (self._failed or not self._to_ask):
            self._finish_pass()

    def _is_acceptable(self, request: PageRequest, end: int, rows: Sequence[Row]) -> bool:
        distinct = frozenset(row.conversation_id for row in rows)
        if len(distinct) >= end - request.offset:
            return True
        earlier = self._short_pages.setdefault(request.offset, [])
        if distinct in earlier and rows:
            # The same rows again: this is how many the server puts in a page, not a page that lost some.
            return True
        earlier.append(distinct)
        if len(earlier) < SHORT_PAGE_TRIES:
            self._to_ask.appendleft(request._replace(pause=PAUSES[1]))
        else:
            self._failed = True
        return False

    def _ask_on(self, request: PageRequest, end: int, received: int) -> None:
        reached = request.offset + received
        if self._is_sequential:
            if reached < (self.count or 0):
                self._to_ask.append(PageRequest(reached - 1, None))
            self._failed = self._failed or (received < 2 and reached < (self.count or 0))
            return
        if request.end is None:
            self._rows_per_page = min(received, ROWS_PER_PAGE) or ROWS_PER_PAGE
            end = self.count or 0
        while reached < end:
            following = min(reached + self._rows_per_page, end)
            self._to_ask.append(PageRequest(reached, following))
            reached = following

    def _finish_pass(self) -> None:
        wanted = self.count or 0
        enough = len(self.rows) >= self._least_count if self._is_sequential else len(self.rows) == wanted
        if enough and not self._failed:
            self._ask_for_whole(self._partial_ids(), attempt=0)
            return
        self._passes += 1
        if self._passes == len(PAUSES):
            raise LivePersonIncompleteDataError(
                f"LivePerson counts {wanted} conversations that {self.words} (bounds that it rounds outwards to ten "
                f"minutes), but {self._passes} times over did not give them all: {len(self.rows)} distinct ones the "
                "last time. Nothing was published."
            )
        self._start_pass()

    def _partial_ids(self) -> list[str]:
        return [row.conversation_id for row in self.rows.values() if row.is_kept and row.is_partial]

    def _ask_for_whole(self, ids: Sequence[str], attempt: int) -> None:
        for first in range(0, len(ids), IDS_PER_CALL):
            some = tuple(ids[first : first + IDS_PER_CALL])
            self._to_ask.append(LookupRequest(some, attempt, PAUSES[attempt]))
        self.is_whole = not self._to_ask and not self._unanswered

    def whole_arrived(self, request: LookupRequest, rows: Iterable[Row]) -> None:
        """
        Take in the answer to a lookup.

        :raises LivePersonIncompleteDataError: if LivePerson does not give a conversation whole, however often asked.
        """
        self._unanswered -= 1
        arrived = {row.conversation_id: row for row in rows if not row.is_partial}
        for conversation_id in arrived.keys() & set(request.conversation_ids):
            # Found by the search, it stays where the search put it, even if its moment has moved since.
            found, whole = self.rows[conversation_id], arrived[conversation_id]
            self.rows[conversation_id] = whole._replace(
                moment_ms=found.moment_ms, is_kept=True, is_outside=found.is_outside
            )
        missing = [some for some in request.conversation_ids if some not in arrived]
        attempt = request.attempt + 1
        if missing and attempt == len(PAUSES):
            raise LivePersonIncompleteDataError(
                f"LivePerson truncated {len(missing)} conversations that {self.words} and does not give "
                f"them whole by id either, such as {', '.join(missing[:IDS_NAMED])}. Nothing was published."
            )
        self._ask_for_whole(missing, attempt)


def in_order(readings: Iterable[SearchReading]) -> list[Row]:
    """The conversations of some searches, each once, ordered by moment and id."""
    distinct = {row.conversation_id: row for reading in readings for row in reading.rows.values()}
    return sorted(
        (row for row in distinct.values() if row.is_kept), key=lambda row: (row.moment_ms, row.conversation_id)
    )
