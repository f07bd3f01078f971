"""
Reading a search until it is provably complete, as a state machine without input or output.

A reading hands out requests and is told what arrived. It is complete when the distinct conversations it has been told
of are as many as LivePerson counts, and none of them is truncated.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Iterable, Sequence

from airflow_provider_lp.client.errors import (
    LivePersonBadRequestError,
    LivePersonError,
    LivePersonIncompleteDataError,
)
from airflow_provider_lp.client.interactions import IDS_PER_CALL, ROWS_PER_PAGE
from airflow_provider_lp.export.completeness import PAUSES
from airflow_provider_lp.export.counts import Counts
from airflow_provider_lp.export.pages import LookupRequest, PageRequest, PageSize, Request, Row, may_be_too_heavy

log = logging.getLogger(__name__)

#: How often a page is asked for while its rows are fewer than they should be, each time others.
SHORT_PAGE_TRIES = 4
#: How many passes may bring nothing new before a reading ends.
MOST_PASSES = len(PAUSES)
#: How often pages that share rows are read again, with other borders, while that brings nothing new.
TIE_TRIES = 6
#: How much earlier each time the first of these pages begins.
BORDER_SHIFT = 29
#: Requests past the end of a search whose count was not always the same.
END_PROBES = 2
IDS_NAMED = 5
#: More than any search can match that is too short to be cut: such a count is not LivePerson's.
LARGEST_COUNT = 1_000_000


class SearchReading:
    """
    One search, read page by page.

    :param words: what its conversations have in common, for the error, as in "started on Monday".
    :param may_grow: whether conversations may come in while reading: then those that LivePerson counted when a pass
        began are enough.
    :param known: its first conversations, where a larger search has already brought them.
    :param max_shortfall: how many conversations may be missing in the end, however often they are asked for.
    """

    def __init__(
        self, words: str, *, may_grow: bool = False, known: Sequence[Row] = (), max_shortfall: int = 0
    ) -> None:
        self.words = words
        self.rows: dict[str, Row] = {}
        self.count: int | None = None
        self.is_whole = False
        self.shortfall = 0
        self._may_grow = may_grow
        self._max_shortfall = max_shortfall
        self._page_size = PageSize()
        self._passes = 0
        self._fruitless_passes = 0
        self._carried: tuple[int, dict[str, Row]] | None = None
        self._earlier_ids: frozenset[str] | None = None
        self._came_the_same = True
        self._counts = Counts(has_shown_rows=bool(known))
        self._tie_tries = self._tie_rounds = self._rows_before_ties = 0
        self._start_pass(known)

    # A pass: every page once, some of them more often.

    def _start_pass(self, known: Sequence[Row] = ()) -> None:
        self.rows = {row.conversation_id: row for row in known}
        self.count = None
        self._counts.start_pass()
        # Where rows come in between others, only page after page is sure to meet all that were there before.
        self._is_sequential = self._may_grow and self._passes > 0
        pause = PAUSES[0]
        if self._passes:
            pause = PAUSES[max(1, min(self._fruitless_passes, len(PAUSES) - 1))]
        self._to_ask: deque[Request] = deque([PageRequest(max(0, len(known) - 1), pause=pause)])
        self._unanswered = 0
        self._rows_per_page = ROWS_PER_PAGE
        self._short_pages: dict[int, list[frozenset[str]]] = {}
        self._empty_answers = 0
        self._page_of: dict[str, int] = {}
        self._shared: tuple[int, int] | None = None
        self._probes = 0
        self._probed_end = 0
        self._last_page_is_full = False
        self._failed = self._is_broken = False

    @property
    def is_too_large(self) -> bool:
        """Whether it matches more than can be paged through; then nothing more is asked."""
        return (self.count or 0) > LARGEST_COUNT

    def next_request(self, most_rows: int = ROWS_PER_PAGE) -> Request | None:
        """
        What to ask next; ``None`` while nothing can be asked before something arrives.

        :param most_rows: how many rows a page may have.
        """
        if self._failed or not self._to_ask:
            return None
        self._unanswered += 1
        request = self._to_ask.popleft()
        limit = max(self._least_limit, min(most_rows, self._page_size.rows))
        if isinstance(request, PageRequest) and request.limit > limit:
            request, rest = request.shortened(limit)
            if rest:
                self._to_ask.appendleft(rest)
        return request

    @property
    def _least_limit(self) -> int:
        # Page after page, each begins with the last row of the one before.
        return 2 if self._is_sequential else 1

    def request_failed(self, request: Request, error: LivePersonError) -> None:
        """
        Take in that a request has failed for good.

        What could not be had may be too large: it is asked for in halves, down to one record.

        :raises LivePersonError: the same error, if nothing can be done about it.
        """
        if isinstance(request, PageRequest) and request.is_probe and isinstance(error, LivePersonBadRequestError):
            # Nothing lies past the end, or LivePerson would not refuse to look there.
            self.page_arrived(request, 0, [])
            return
        smaller: list[Request] = []
        if isinstance(request, LookupRequest):
            smaller = [*request.halves()]
        elif request.limit > self._least_limit:
            smaller = [request._replace(pause=PAUSES[0])]
        if not smaller or not may_be_too_heavy(error):
            raise error
        if isinstance(request, PageRequest):
            self._page_size.page_failed(request)
        self._unanswered -= 1
        self._to_ask.extendleft(reversed(smaller))
        if self._failed and not self._unanswered:
            self._finish_pass()

    def page_arrived(self, request: PageRequest, count: int, rows: Sequence[Row]) -> None:
        """
        Take in the answer to a page request.

        :param count: how many conversations the search matches, as this page says.
        :param rows: its conversations.
        :raises LivePersonIncompleteDataError: if the search stays incomplete, however often it is read.
        """
        self._unanswered -= 1
        self._page_size.page_arrived()
        self._counts.add(count, is_empty=not rows)
        if self.count is None and not self._begin(count, rows):
            return
        self._check_connection(request, rows)
        self._add(request, count, rows)
        if self.is_too_large:
            return
        end = self._end_of(request, count)
        if self._is_acceptable(request, end, rows):
            self._ask_on(request, end, len(rows))
        if not self._unanswered and (self._failed or not self._to_ask):
            self._finish_pass()

    def _begin(self, count: int, rows: Sequence[Row]) -> bool:
        """Take the first answer of a pass; an empty one is believed only when a second one says so as well."""
        if count == 0 and not rows:
            self._empty_answers += 1
            if self._empty_answers < self._counts.empty_answers_needed:
                self._to_ask.append(PageRequest(0, pause=PAUSES[1]))
                return False
            # What has been shown cannot have been nothing.
            self._failed = self._is_broken = self._counts.has_shown_rows
        if self._carried and self._carried[0] == count:
            # As long as LivePerson counts the same, what earlier passes have brought is part of it.
            self.rows = {**self._carried[1], **self.rows}
        self.count = count
        return True

    def _check_connection(self, request: PageRequest, rows: Sequence[Row]) -> None:
        """A page that follows others begins with the last row that is known, unless rows before it have gone."""
        if request.end is None and request.offset and rows and rows[0].conversation_id not in self.rows:
            self._failed = self._is_broken = True

    def _add(self, request: PageRequest, count: int, rows: Sequence[Row]) -> None:
        if count and self._is_sequential:
            self.count = count
        for row in rows:
            page = self._page_of.setdefault(row.conversation_id, request.offset)
            if page != request.offset and not self._is_sequential:
                low, high = self._shared or (page, page)
                self._shared = (min(low, page, request.offset), max(high, page, request.offset))
        self.rows.update((row.conversation_id, row) for row in rows)

    def _end_of(self, request: PageRequest, count: int) -> int:
        """The row before which a page should end. What an answer counts itself, it need not go beyond."""
        known = min(count, self.count or 0) if count else self.count or 0
        return min(request.offset + request.limit if request.end is None else request.end, known)

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
        """Plan the pages that follow one which was accepted."""
        reached = request.offset + received
        is_full = received >= request.limit
        if self._is_sequential:
            is_end = reached >= (self.count or 0) and not is_full
            if not is_end and received < 2:
                self._failed = self._is_broken = True
            elif not is_end:
                self._to_ask.append(PageRequest(reached - 1))
            return
        if request.end is None:
            if reached < (self.count or 0) and not is_full:
                self._rows_per_page = max(1, received)
            end = self.count or 0
        if reached >= (self.count or 0):
            self._last_page_is_full = is_full
        while reached < end:
            following = min(reached + self._rows_per_page, end)
            self._to_ask.append(PageRequest(reached, following, self._rows_per_page))
            reached = following

    # The end of a pass: is the search complete, and if not, what to ask next?

    def _finish_pass(self) -> None:
        """
        Decide what follows when all pages of a pass have arrived.

        1. All that LivePerson counts is there: the search is complete, unless something lies past its end.
        2. LivePerson's count is not always the same, but mostly what twice came: likewise.
        3. Pages share rows, so that others must be missing: only these pages are read again, with other borders.
        4. Something else is missing, or too much: all pages are read again, a few times.
        """
        if not self._is_broken and (self._is_complete() or self._is_mostly_counted()):
            self._failed = False
            self._ask_past_the_end()
        elif self._may_miss_ties():
            self._read_shared_pages()
        else:
            self._read_again()

    def _is_complete(self) -> bool:
        if self._is_sequential:
            return len(self.rows) >= self._counts.lowest
        return len(self.rows) == self._counts.highest

    def _is_mostly_counted(self) -> bool:
        is_most = not self._failed and self._counts.are_mostly(len(self.rows))
        return is_most and self.rows.keys() == self._earlier_ids

    def _ask_past_the_end(self) -> None:
        """See that nothing follows, where the last page is full or LivePerson has counted more."""
        end = len(self.rows)
        has_counted_more = self._counts.were_ever_above(end)
        wanted = END_PROBES if has_counted_more else int(self._last_page_is_full)
        if self._probed_end != end:
            self._probed_end, self._probes = end, 0
        if self._is_sequential or self._probes >= wanted or not end:
            self._ask_for_whole(self._partial_ids(), attempt=0)
            return
        self._probes += 1
        pause = PAUSES[1] if has_counted_more else PAUSES[0]
        self._to_ask.append(PageRequest(end, end, pause=pause, is_probe=True))

    def _may_miss_ties(self) -> bool:
        """Whether pages that share rows miss others: in a tie of moments, each answer may have another order."""
        is_short = self._counts.is_steady and len(self.rows) < self._counts.highest
        if len(self.rows) > self._rows_before_ties:
            self._tie_tries = 0
        return is_short and not self._failed and self._shared is not None and self._tie_tries < TIE_TRIES

    def _read_shared_pages(self) -> None:
        low, high = self._shared or (0, 0)
        count = self.count or 0
        self._rows_before_ties = len(self.rows)
        self._tie_tries += 1
        self._tie_rounds += 1
        self._page_of = {}
        offset = max(0, low - self._tie_rounds * BORDER_SHIFT % self._rows_per_page)
        end = min(high + self._rows_per_page, count)
        while offset < end:
            following = min(offset + self._rows_per_page, count)
            self._to_ask.append(PageRequest(offset, following, self._rows_per_page, pause=PAUSES[1]))
            offset = following

    def _read_again(self) -> None:
        counted = self._counts.highest
        carried = self._carried[1] if self._carried and self._carried[0] == counted else self.rows
        has_grown = len(self.rows) > len(carried) and not self._failed
        ids = frozenset(self.rows)
        self._came_the_same = self._came_the_same and self._earlier_ids in (None, ids)
        self._earlier_ids = ids
        self._passes += 1
        self._fruitless_passes += not has_grown
        if self._fruitless_passes == MOST_PASSES:
            self._end_incomplete(counted)
            return
        log.warning(
            "LivePerson counts %d conversations that %s, and has given %d in %d passes: reading them again.",
            *(counted, self.words, len(self.rows), self._passes),
        )
        is_steady = self._counts.is_steady and len(self.rows) <= counted
        self._carried = (counted, self.rows) if is_steady else None
        self._start_pass()

    def _end_incomplete(self, counted: int) -> None:
        """
        End the reading without all that LivePerson counts, if that is allowed.

        :raises LivePersonIncompleteDataError: if it is not.
        """
        came = len(self.rows)
        missing = counted - came
        if self._came_the_same and self._counts.include(came):
            log.warning("LivePerson counts now %d, now %d conversations that %s.", came, counted, self.words)
        elif 0 < missing <= self._max_shortfall:
            self.shortfall = missing
        else:
            raise LivePersonIncompleteDataError(self._lack(counted))
        self._ask_for_whole(self._partial_ids(), attempt=0)

    def _lack(self, counted: int) -> str:
        came = len(self.rows)
        what = f"the same {came} came each time" if self._came_the_same else f"{came} distinct ones the last time"
        number = "gave more" if came > counted else "did not give them all"
        lack = (
            f"LivePerson counts {counted} conversations that {self.words} (bounds that it rounds outwards to ten "
            f"minutes), but {self._passes} times over {number}: {what}. Nothing was published."
        )
        if self._came_the_same and came < counted:
            lack += f" If it counts what it never shows, max_shortfall={counted - came} publishes the {came}."
        return lack

    # What LivePerson truncated is asked for by id.

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

        What the search has found and LivePerson no longer knows by its id may have been erased: the search is read
        again.

        :raises LivePersonIncompleteDataError: if LivePerson does not give a conversation whole, however often asked.
        """
        self._unanswered -= 1
        arrived = {row.conversation_id: row for row in rows}
        whole = {conversation_id for conversation_id, row in arrived.items() if not row.is_partial}
        for conversation_id in whole & set(request.conversation_ids):
            # Found by the search, it stays where the search put it, even if its moment has moved since.
            found = self.rows[conversation_id]
            self.rows[conversation_id] = arrived[conversation_id]._replace(
                moment_ms=found.moment_ms, is_kept=True, is_outside=found.is_outside
            )
        missing = [some for some in request.conversation_ids if some not in whole]
        attempt = request.attempt + 1
        if missing and attempt == len(PAUSES):
            self._failed = self._is_broken = not any(some in arrived for some in missing)
            if not self._failed or self._fruitless_passes + 1 >= MOST_PASSES:
                raise LivePersonIncompleteDataError(
                    f"LivePerson truncated {len(missing)} conversations that {self.words} and does not give "
                    f"them whole by id either, such as {', '.join(missing[:IDS_NAMED])}. Nothing was published."
                )
        elif not self._failed:
            self._ask_for_whole(missing, attempt)
        if self._failed and not self._unanswered:
            # What earlier passes have brought may be gone: none of it counts any more.
            self._counts.start_pass()
            self._finish_pass()
