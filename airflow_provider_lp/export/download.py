"""Conversations in order, each once, as newline-delimited JSON: requests side by side, slices one after the other."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Generator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, NamedTuple

from airflow_provider_lp.client.errors import LivePersonError, LivePersonIncompleteDataError
from airflow_provider_lp.client.interactions import ROWS_PER_PAGE
from airflow_provider_lp.client.records import ConversationHead
from airflow_provider_lp.export.completeness import PAUSES
from airflow_provider_lp.export.counting import smallest_page
from airflow_provider_lp.export.pages import PageRequest, Row, may_be_too_heavy
from airflow_provider_lp.export.progress import Progress, Standing
from airflow_provider_lp.export.query import ConversationQuery, can_split, was_asked_for
from airflow_provider_lp.export.slices import CutSlice, Question, SliceReading, left_to_read
from airflow_provider_lp.export.spool import Batch, Judged
from airflow_provider_lp.windows import Window

if TYPE_CHECKING:
    from airflow_provider_lp.client.liveperson import LivePersonClient
    from airflow_provider_lp.export.redaction.redactor import Redactor

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
#: How large a page should be, and all pages in flight together, as far as earlier ones tell.
PAGE_BYTES = 32 << 20
BYTES_IN_FLIGHT = 128 << 20
#: How much of the largest record so far each smaller page leaves, as a guess at the next ones.
FADING = 0.9
#: How often a slice is counted again whose parts have less than it was counted to have, until so many of these counts
#: agree with the parts.
RECOUNTS = 10
RECOUNTS_BELIEVED = 2


class _Arrived(NamedTuple):
    matches: int
    rows: list[Row]
    size: int


class Download:
    """
    Downloads what a query asks for.

    :param client: where from.
    :param query: what.
    :param takes_truncated: whether a truncated conversation is as good as a whole one: then its record is left out, but
        not its row. Default no: it is asked for until it is whole.
    :param redactor: takes personal data out of the records; default nothing is taken out.
    """

    def __init__(
        self,
        client: LivePersonClient,
        query: ConversationQuery,
        *,
        takes_truncated: bool = False,
        redactor: Redactor | None = None,
    ) -> None:
        #: How many conversations LivePerson counts and did not give, as far as that is allowed.
        self.shortfall = 0
        self._client = client
        self._query = query
        self._extent = query.extent
        self._takes_truncated = takes_truncated
        self._redactor = redactor
        # More than the client lets through at a time: while some read what they got, others wait for LivePerson.
        self._most_asked = client.max_concurrency + READERS
        self._planned = deque(query.slices())
        self._slices: list[SliceReading] = []
        self._in_flight: dict[Future[_Arrived], Question] = {}
        self._bytes_per_row = 1.0
        self._given_out: SliceReading | None = None
        self._stray_ids: set[str] = set()
        self._neighbours_ids: deque[set[str]] = deque(maxlen=2)
        self._threads = ThreadPoolExecutor(self._most_asked, thread_name_prefix="liveperson")
        self._progress = Progress(client)
        self._conversations = self._parts = 0

    def batches(self) -> Generator[Batch, None, None]:
        """
        The conversations, ordered by moment and id. A slice is given out only when it is whole.

        :raises LivePersonError: when LivePerson does not give all of it.
        """
        try:
            while self._slices or self._planned:
                self._ask()
                if self._slices[0].is_whole:
                    yield from self._give_out(self._slices.pop(0))
                else:
                    self._take_in()
            self._progress.finish(self._standing())
        finally:
            self._threads.shutdown(wait=False, cancel_futures=True)
            for slice_reading in self._slices:
                slice_reading.spool.close()

    def _ask(self) -> None:
        """
        Keep requests in flight.

        1. As many are in flight as allowed, by their number and by the bytes they may bring: none more.
        2. A slice that is being read lacks something: that, the earliest slice first. When too many conversations wait
           for the slices before theirs, only for the earliest; while that one is given out, for none.
        3. Otherwise the next slice is begun, unless too many conversations, or slices, wait already.
        """
        while len(self._in_flight) < self._most_in_flight():
            is_far_ahead = sum(each.arrived for each in self._slices) > READ_AHEAD
            served = self._slices[: 0 if self._given_out else 1] if is_far_ahead else self._slices
            question = next(filter(None, (each.next_question(self._most_rows()) for each in served)), None)
            if question:
                self._in_flight[self._threads.submit(self._fetch, question)] = question
            elif self._planned and not is_far_ahead and len(self._slices) <= self._most_asked:
                self._slices.append(SliceReading(self._planned.popleft(), self._query))
            else:
                return

    def _most_rows(self) -> int:
        return max(1, min(ROWS_PER_PAGE, int(PAGE_BYTES / self._bytes_per_row)))

    def _most_in_flight(self) -> int:
        bytes_per_page = self._most_rows() * self._bytes_per_row
        return max(1, min(self._most_asked, int(BYTES_IN_FLIGHT / bytes_per_page)))

    def _take_in(self) -> None:
        """
        Hand what has arrived to the slices it was asked for; unless one is given out, wait for something to arrive.

        1. The slice has been cut meanwhile: what arrived for it is not needed.
        2. A page, or what was asked for by id, has come, or has failed: its search decides what follows.
        3. The slice turns out to be too large for paging: it is cut, or, if it is too short for that, read deep.
        4. It is too large for that as well.
        """
        if self._given_out:
            self._progress.say(self._standing)
            done = {future for future in self._in_flight if future.done()}
        else:
            done = self._progress.wait_for(self._in_flight, self._standing)
        for future in done:
            question = self._in_flight.pop(future)
            if question.slice not in self._slices:
                continue
            self._answer(question, future)
            if question.slice.largest_count > DEEPEST_SEARCH and can_split(question.slice.span):
                self._cut(question.slice)
            elif question.reading.is_too_large:
                raise LivePersonIncompleteDataError(
                    f"LivePerson counts {question.reading.count} conversations that {question.reading.words}: too many "
                    "to page through. Nothing was published."
                )

    def _answer(self, question: Question, future: Future[_Arrived]) -> None:
        reading, request = question.reading, question.request
        try:
            arrived = future.result()
        except LivePersonError as error:
            if self._takes_truncated and may_be_too_heavy(error):
                # Without transcripts, no page is too large: there is trouble, and whoever polls is to know at once.
                raise
            reading.request_failed(request, error)
            return
        if arrived.rows:
            self._bytes_per_row = max(arrived.size / len(arrived.rows), FADING * self._bytes_per_row)
        if isinstance(request, PageRequest):
            reading.page_arrived(request, arrived.matches, arrived.rows)
        else:
            reading.whole_arrived(request, arrived.rows)

    def _cut(self, whole: SliceReading) -> None:
        """Read the slice in parts instead."""
        wanted = -(-whole.largest_count // PLANNED_SEARCH)
        parts = whole.in_parts(min(max(2, wanted), MOST_PARTS))
        log.info("%d conversations in %s: read in %d parts.", whole.largest_count, whole.span, len(parts))
        place = self._slices.index(whole)
        self._slices[place : place + 1] = parts

    def _fetch(self, question: Question) -> _Arrived:
        """In a thread: ask, and put the answer's records where they wait."""
        slice_reading, search, reading, request = question
        self._client.wait(request.pause)
        interactions = self._client.interactions
        is_divisible = request.limit > 1 and not self._takes_truncated
        if isinstance(request, PageRequest):
            try:
                page = interactions.search_page(
                    self._query.body(search), offset=request.offset, limit=request.limit, divisible=is_divisible
                )
            except LivePersonIncompleteDataError as error:
                raise LivePersonIncompleteDataError(
                    f"{error} It was asked for conversations that {reading.words}, from row {request.offset} on. "
                    "Nothing was published.",
                    endpoint=error.endpoint,
                ) from error
            judged = [self._judge(head, slice_reading.span) for head in page.heads]
        else:
            page = interactions.by_id(request.conversation_ids, content=self._query.content, divisible=is_divisible)
            judged = [Judged(0) for _ in page.heads]
        rows = slice_reading.spool.add_page(page, judged, self._redactor)
        if self._takes_truncated:
            rows = [row._replace(is_partial=False) for row in rows]
        return _Arrived(page.count, rows, page.bytes)

    def _judge(self, head: ConversationHead, span: Window) -> Judged:
        """Where a conversation that a search found belongs. A neighbouring window's is left out, any other stays."""
        moment_ms = self._query.moment_ms(head.info)
        if moment_ms is None or not was_asked_for(span, moment_ms, self._query.slack_ms):
            # LivePerson must have filtered on another field than the one assumed: no other window might return it.
            return Judged(moment_ms or 0, is_outside=True)
        return Judged(moment_ms, moment_ms in self._extent)

    def _give_out(self, whole: SliceReading) -> Generator[Batch, None, None]:
        # Neighbouring slices both find what lies on the mark where they meet, by whatever field LivePerson filters.
        given = self._stray_ids.union(*self._neighbours_ids)
        rows = [row for row in whole.rows() if row.conversation_id not in given]
        self._stray_ids.update(row.conversation_id for row in rows if row.moment_ms not in whole.span)
        self._neighbours_ids.append({row.conversation_id for row in rows})
        self._given_out = whole
        try:
            for batch in whole.spool.batches(rows):
                yield batch
                self._take_in()
                self._ask()
        finally:
            self._given_out = None
            whole.spool.close()
        self._conversations += len(rows)
        self._parts += 1
        self._account_for(whole)

    def _account_for(self, whole: SliceReading) -> None:
        """Add up what may be missing, and see that the parts of what was cut have not less than the whole."""
        self._allow(whole.shortfall, "in all")
        ids = whole.ids if whole.cut_from else set()
        for cut in whole.cut_from:
            cut.part_is_read(ids, whole.shortfall)
            if not cut.open_parts and cut.found < cut.count and not self._counts_less_now(cut):
                self._allow(cut.count - cut.found, f"of {cut.count} in {cut.slice.span}, which was read in parts")

    def _counts_less_now(self, cut: CutSlice) -> bool:
        """Whether LivePerson's count was too high once, or for a while: it now counts no more than was found."""
        for search in cut.slice.searches:
            recount = self._threads.submit(self._counts_no_more, self._query.body(search), cut.found)
            self._progress.wait_for([recount], self._standing)
            if not recount.result():
                return False
        return True

    def _counts_no_more(self, body: bytes, found: int) -> bool:
        agreeing = 0
        for _ in range(RECOUNTS):
            self._client.wait(PAUSES[1])
            page = smallest_page(self._client, body)
            # Nothing at all is no count of what has been found.
            agreeing += page.count <= found and (page.count > 0 or not found)
            if agreeing == RECOUNTS_BELIEVED:
                return True
        return False

    def _allow(self, missing: int, words: str) -> None:
        self.shortfall += missing
        if self.shortfall > self._query.max_shortfall:
            raise LivePersonIncompleteDataError(
                f"LivePerson does not give {missing} conversations {words} that it counts by {self._query.time_field} "
                f"within {self._query.window}: more are missing than max_shortfall={self._query.max_shortfall} allows. "
                "Nothing was published."
            )

    def _standing(self) -> Standing:
        """How far the download is: what has arrived counts as read, although some of it may still have to wait."""
        slices = [self._given_out, *self._slices] if self._given_out else self._slices
        conversations = self._conversations + sum(each.arrived for each in slices)
        parts = self._parts + len(slices) + len(self._planned)
        left = left_to_read(slices)
        uncounted = sum((each.span.length for each in self._planned), left.uncounted)
        counted = self._extent.length - uncounted
        if not counted:
            return Standing(parts, self._parts, conversations)
        # What LivePerson has not counted yet is taken to be as crowded as the rest.
        total = (conversations - left.arrived_uncounted + left.conversations) * self._extent.length // counted
        return Standing(
            parts,
            self._parts,
            conversations,
            max(total, conversations),
            is_estimate=left.is_estimate or bool(uncounted),
        )
