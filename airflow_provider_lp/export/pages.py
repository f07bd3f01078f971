"""What reading a search asks for, and what arrives: requests for pages, requests by id, and rows."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from types import MappingProxyType
from typing import NamedTuple

from airflow_provider_lp.client.errors import (
    LivePersonError,
    LivePersonServerError,
    LivePersonTransportError,
    LivePersonUnreachableError,
)
from airflow_provider_lp.client.interactions import ROWS_PER_PAGE
from airflow_provider_lp.export.completeness import PAUSES

#: Pages that arrive before the next ones are twice as large again.
PAGES_BEFORE_LARGER = 5
NOTHING_REDACTED: Mapping[str, int] = MappingProxyType({})


def may_be_too_heavy(error: LivePersonError) -> bool:
    """Whether a page may have failed because it is too large."""
    is_like_it = isinstance(error, LivePersonServerError | LivePersonTransportError)
    return is_like_it and not isinstance(error, LivePersonUnreachableError)


class Row(NamedTuple):
    """
    A conversation that arrived.

    :param moment_ms: the moment it is ordered by.
    :param is_kept: whether it belongs to the export, and not to a neighbouring window.
    :param is_outside: whether it lies outside what was asked for.
    :param is_partial: whether LivePerson truncated it.
    :param position: where the spool has it, if it is kept.
    :param length: in bytes.
    :param is_repaired: whether its text was no valid JSON and was repaired.
    :param redacted: how much was taken out of it, by the name of the rule.
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
    is_repaired: bool = False
    redacted: Mapping[str, int] = NOTHING_REDACTED


class PageRequest(NamedTuple):
    """
    Ask for a page, after a pause.

    :param offset: its first row.
    :param end: the row before which it should end; ``None`` if the count is not known yet.
    :param limit: how many rows it may have.
    :param is_probe: whether it asks for what lies past the end, to see that nothing does.
    """

    offset: int
    end: int | None = None
    limit: int = ROWS_PER_PAGE
    pause: timedelta = PAUSES[0]
    is_probe: bool = False

    def shortened(self, limit: int) -> tuple[PageRequest, PageRequest | None]:
        """The request for the first ``limit`` rows, and that for the rest of them, if it is known that there is one."""
        border = self.offset + limit
        if self.end is None or self.end <= border:
            return self._replace(limit=limit), None
        rest = self._replace(offset=border, limit=self.limit - limit, pause=PAUSES[0])
        return self._replace(end=border, limit=limit), rest


class PageSize:
    """How many rows to ask for: half as many after a page that was too large, slowly more again after others."""

    def __init__(self) -> None:
        self.rows = ROWS_PER_PAGE
        self._pages_since_failure = 0

    def page_failed(self, request: PageRequest) -> None:
        """Ask for half as many from now on."""
        self.rows = max(1, request.limit // 2)
        self._pages_since_failure = 0

    def page_arrived(self) -> None:
        """Ask for twice as many after some pages that were not too large."""
        self._pages_since_failure += 1
        if self._pages_since_failure >= PAGES_BEFORE_LARGER and self.rows < ROWS_PER_PAGE:
            self.rows = min(2 * self.rows, ROWS_PER_PAGE)
            self._pages_since_failure = 0


class LookupRequest(NamedTuple):
    """Ask for conversations by id, after a pause."""

    conversation_ids: tuple[str, ...]
    attempt: int
    pause: timedelta = PAUSES[0]

    def halves(self) -> list[LookupRequest]:
        """Two requests for the same; none if it asks for a single conversation."""
        half = len(self.conversation_ids) // 2
        parts = (self.conversation_ids[:half], self.conversation_ids[half:]) if half else ()
        return [self._replace(conversation_ids=ids, pause=PAUSES[0]) for ids in parts]

    @property
    def limit(self) -> int:
        """How many conversations it asks for."""
        return len(self.conversation_ids)


Request = PageRequest | LookupRequest
