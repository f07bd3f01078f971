"""Conversations looked up by their ids, or by their consumer."""

from __future__ import annotations

from collections.abc import Collection, Generator, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from airflow_provider_lp.client.errors import LivePersonError, LivePersonIncompleteDataError
from airflow_provider_lp.client.interactions import IDS_PER_CALL
from airflow_provider_lp.client.records import Page, milliseconds
from airflow_provider_lp.export.completeness import ask_until_complete
from airflow_provider_lp.export.lookup_query import LookupQuery
from airflow_provider_lp.export.pages import PageRequest, Request, Row, may_be_too_heavy
from airflow_provider_lp.export.paging import IDS_NAMED, SearchReading
from airflow_provider_lp.export.parallel import in_parallel
from airflow_provider_lp.export.progress import Progress, Standing
from airflow_provider_lp.export.publishing import collect_batches, publish_batches
from airflow_provider_lp.export.slices import in_order
from airflow_provider_lp.export.spool import Batch, Judged, Spool
from airflow_provider_lp.export.stores import StoragePath

if TYPE_CHECKING:
    from airflow_provider_lp.client.liveperson import LivePersonClient
    from airflow_provider_lp.export.redaction.redactor import Redactor


class Lookup:
    """
    Looks conversations up; truncated ones are asked for until they are whole. Use it in a ``with`` block.

    :param client: where from.
    :param query: which ones.
    :param redactor: takes personal data out of them; default nothing is taken out.
    """

    def __init__(self, client: LivePersonClient, query: LookupQuery, redactor: Redactor | None = None) -> None:
        self._client = client
        self._query = query
        self._redactor = redactor
        self._rules = redactor.names if redactor else ()
        self._spool = Spool()
        self._requests, self._retries = client.requests, client.retries
        self._progress = Progress(client)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._spool.close()

    def export(self, path: StoragePath) -> dict[str, Any]:
        """
        Publish what is found as one object; gives the summary.

        :raises LivePersonIncompleteDataError: for ids that LivePerson does not know, unless they may be missing.
        """
        found: list[Row] = []
        exported = publish_batches(self._batches(found), path, rules=self._rules)
        return {**exported.summary(str(path)), **self._account(found)}

    def collect(self, max_bytes: int) -> dict[str, Any]:
        """
        What is found, in memory; ``max_bytes`` is how large it may be, as JSON.

        :raises LivePersonIncompleteDataError: for ids that LivePerson does not know, unless they may be missing.
        """
        found: list[Row] = []
        exported = collect_batches(self._batches(found), max_bytes, rules=self._rules)
        return {
            "records": exported.records,
            "conversations": exported.conversations,
            "repaired": exported.repaired,
            "redacted": exported.redacted,
            **self._account(found),
        }

    def _account(self, found: Sequence[Row]) -> dict[str, Any]:
        return {
            "missing": self._missing(found),
            "requests": self._client.requests - self._requests,
            "retries": self._client.retries - self._retries,
        }

    def _batches(self, found: list[Row]) -> Generator[Batch, None, None]:
        query = self._query
        if query.conversation_ids is not None:
            found += self._by_id(query.conversation_ids)
        elif query.consumer_id is not None:
            found += self._by_consumer(query.consumer_id)
        missing = self._missing(found)
        if missing and not query.allow_missing:
            raise LivePersonIncompleteDataError(
                f"LivePerson does not return {len(missing)} of {len(query.conversation_ids or ())} conversation_ids, "
                f"such as {', '.join(missing[:IDS_NAMED])}. Set allow_missing=True to export the others. Nothing was "
                "published."
            )
        yield from self._spool.batches(found)

    def _missing(self, found: Sequence[Row]) -> list[str]:
        known = {row.conversation_id for row in found}
        return [some for some in self._query.conversation_ids or () if some not in known]

    def _by_id(self, conversation_ids: Sequence[str]) -> list[Row]:
        portions = [
            conversation_ids[first : first + IDS_PER_CALL] for first in range(0, len(conversation_ids), IDS_PER_CALL)
        ]

        def standing(whole: Collection[list[Row]]) -> Standing:
            return Standing(len(portions), len(whole), sum(map(len, whole)))

        found = [
            row
            for rows in in_parallel(self._client, self._whole, portions, progress=self._progress, standing=standing)
            for row in rows
        ]
        self._progress.finish(Standing(len(portions), len(portions), len(found)))
        return sorted(found, key=lambda row: (row.moment_ms, row.conversation_id))

    def _whole(self, conversation_ids: Sequence[str]) -> list[Row]:
        whole: dict[str, Row] = {}
        wanted = set(conversation_ids)
        doubted: set[str] = set()

        def ask(_number: int) -> tuple[list[Row], str]:
            nonlocal wanted
            matches, rows = self._ask(sorted(wanted))
            found = {row.conversation_id: row for row in rows if row.conversation_id in wanted}
            whole.update((some, row) for some, row in found.items() if not row.is_partial)
            wanted = wanted - whole.keys()
            if matches <= len(found):
                # Ids that neither come nor count are unknown to LivePerson, but not before a second answer says so.
                absent = wanted - found.keys()
                wanted = wanted - (absent & doubted)
                doubted.update(absent)
            named = ", ".join(sorted(wanted)[:IDS_NAMED])
            return list(whole.values()), (
                f"LivePerson does not give {len(wanted)} conversations whole, such as {named}" if wanted else ""
            )

        return ask_until_complete(self._client, ask)

    def _ask(self, conversation_ids: Sequence[str]) -> tuple[int, list[Row]]:
        is_divisible = len(conversation_ids) > 1
        try:
            page = self._client.interactions.by_id(
                conversation_ids, content=self._query.content, divisible=is_divisible
            )
        except LivePersonError as error:
            if not is_divisible or not may_be_too_heavy(error):
                raise
            half = len(conversation_ids) // 2
            parts = [self._ask(some) for some in (conversation_ids[:half], conversation_ids[half:])]
            return sum(matches for matches, _ in parts), [row for _, rows in parts for row in rows]
        return page.count, self._add(page)

    def _add(self, page: Page) -> list[Row]:
        judged = [Judged(milliseconds(head.info.start) or 0) for head in page.heads]
        return self._spool.add_page(page, judged, self._redactor)

    def _by_consumer(self, consumer_id: str) -> list[Row]:
        # Which one is personal data, and no error shows that.
        reading = SearchReading("belong to the consumer")

        def standing(whole: Collection[None]) -> Standing:
            return Standing(1, len(whole), len(reading.rows), reading.count)

        in_parallel(
            self._client,
            lambda some: self._read(reading, some),
            [consumer_id],
            progress=self._progress,
            standing=standing,
        )
        rows = in_order([reading])
        self._progress.finish(Standing(1, 1, len(rows), len(rows)))
        return rows

    def _read(self, reading: SearchReading, consumer_id: str) -> None:
        while request := reading.next_request():
            self._client.wait(request.pause)
            try:
                matches, rows = self._answer_to(request, consumer_id)
            except LivePersonError as error:
                reading.request_failed(request, error)
                continue
            if isinstance(request, PageRequest):
                reading.page_arrived(request, matches, rows)
            else:
                reading.whole_arrived(request, rows)
        if not reading.is_whole:
            raise LivePersonIncompleteDataError(
                f"LivePerson counts {reading.count} conversations that {reading.words}: too many to page through."
            )

    def _answer_to(self, request: Request, consumer_id: str) -> tuple[int, list[Row]]:
        if not isinstance(request, PageRequest):
            return self._ask(request.conversation_ids)
        page = self._client.interactions.by_consumer(
            consumer_id,
            status=self._query.status,
            content=self._query.content,
            offset=request.offset,
            limit=request.limit,
            divisible=request.limit > 1,
        )
        return page.count, self._add(page)
