"""What to export, and the searches that find it: spans LivePerson accepts, slices small enough to page through."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from operator import attrgetter
from typing import Any

import msgspec

from airflow_provider_lp.client.errors import LivePersonWindowError
from airflow_provider_lp.client.filters import check_content, check_filters, warn_of_undocumented
from airflow_provider_lp.client.records import ConversationInfo, milliseconds
from airflow_provider_lp.export.terms import TIME_FIELDS, check_max_age, check_max_shortfall, check_time_field
from airflow_provider_lp.retention import DEFAULT_MAX_AGE, FRESHNESS_DELAY, RETENTION, is_final
from airflow_provider_lp.windows import MARK_MS, Window, ceil_mark, floor_mark, to_ms

#: LivePerson refuses ranges of more than three months, the shortest of which have 89 days, perhaps after rounding.
LONGEST_SPAN = timedelta(days=85)

#: The field of a record that LivePerson's filter for each time field is taken to test.
TESTED_FIELDS = {
    "start": attrgetter("start"),
    "end": attrgetter("end"),
    "full_dialog_end": attrgetter("full_dialog_end"),
    "latest_update": attrgetter("start"),
}


@dataclass(frozen=True, slots=True)
class Search:
    """
    One search at LivePerson.

    :param start: when the conversations started; LivePerson requires it in every search.
    :param moments: when they ended, for the time fields that are an end.
    """

    start: Window
    moments: Window | None = None


@dataclass(frozen=True, slots=True)
class Slice:
    """
    A part of the period, exported as a unit.

    :param span: which moments belong to it.
    :param searches: the searches that find all of its conversations, and perhaps some of its neighbours'.
    """

    span: Window
    searches: tuple[Search, ...]


@dataclass(frozen=True, slots=True)
class ConversationQuery:
    """
    Which conversations to export. Made by :meth:`checked`.

    :param time_field: which moment of a conversation must lie in the window.
    :param window: the period.
    :param now: the moment the export began; nothing that starts later is part of it.
    :param max_age: for time fields other than ``start``: how long before the window a conversation may have started.
    :param filters: LivePerson's filters, checked.
    :param content: content types to retrieve, checked; ``None`` for LivePerson's default.
    :param started_before: for time fields other than ``start``: conversations that started later are of no interest;
        default none are.
    :param max_shortfall: how many conversations may be missing that LivePerson counts and does not give; default none.
    """

    time_field: str
    window: Window
    now: datetime
    max_age: timedelta
    filters: Mapping[str, Any]
    content: list[str] | None
    started_before: datetime | None = None
    max_shortfall: int = 0

    @classmethod
    def checked(
        cls,
        window: Window,
        *,
        now: datetime,
        time_field: str = "start",
        max_age: timedelta = DEFAULT_MAX_AGE,
        filters: Mapping[str, Any] | None = None,
        content: Collection[str] | None = None,
        started_before: datetime | None = None,
        max_shortfall: int = 0,
    ) -> ConversationQuery:
        """
        A query whose every argument LivePerson would accept.

        :raises LivePersonConfigurationError: naming the argument that it would not.
        """
        check_time_field(time_field)
        check_max_age(max_age)
        if window.start < now - RETENTION and time_field != "latest_update":
            raise LivePersonWindowError(
                f"The window {window} begins before {(now - RETENTION).date()}. LivePerson keeps conversations for 13 "
                "months, so what it still returns may be less than what an earlier export holds. Choose a later start."
            )
        if window.end > now + RETENTION:
            raise LivePersonWindowError(
                f"The window {window} ends more than 13 months from now, which looks like a mistake. "
                "Choose an earlier end."
            )
        check_max_shortfall(max_shortfall)
        usable, types = check_filters(filters), check_content(content)
        warn_of_undocumented(filters=usable, content=types)
        return cls(time_field, window, now, max_age, usable, types, started_before, max_shortfall)

    def moment_ms(self, info: ConversationInfo) -> int | None:
        """The moment of a conversation that the query goes by; ``None`` if it has none."""
        return milliseconds(TESTED_FIELDS[self.time_field](info))

    @property
    def extent(self) -> Window:
        """All moments, by :meth:`moment_ms`, of the conversations that are asked for."""
        if self.time_field == "latest_update":
            return Window(self._earliest_start_ms(), ceil_mark(to_ms(self.now) + 1))
        return self.window

    @property
    def slack_ms(self) -> int:
        """
        How far beyond the rounded bounds a moment does not yet show that LivePerson filters on another field.

        Bounds that are ten-minute marks may be pushed outwards to the next one; that is not documented. For a start
        nothing else is in doubt; an end so close may be that of a survey, which must not be trimmed.
        """
        return MARK_MS if self.time_field in ("start", "latest_update") else 0

    @property
    def is_settled(self) -> bool:
        """Whether what the searches find no longer changes: starts in the past, by no filter that may change."""
        return self.time_field == "start" and not self.filters and not self.may_grow

    @property
    def may_grow(self) -> bool:
        """Whether conversations may come in while the searches are read."""
        return ceil_mark(self.extent.end_ms) >= to_ms(self.now - FRESHNESS_DELAY)

    @property
    def is_final(self) -> bool:
        """Whether the window was over, and all of it there, when the export began."""
        return is_final(self.window.end, self.now)

    def _earliest_start_ms(self) -> int:
        return floor_mark(self.window.start_ms - self.max_age // timedelta(milliseconds=1))

    def slices(self) -> list[Slice]:
        """The first, coarsest slices, in order of time; they tile the extent."""
        return [self._slice(span) for span in self.extent.spans(LONGEST_SPAN)]

    def parts(self, whole: Slice, number: int) -> list[Slice]:
        """The slice cut into about ``number`` smaller ones; just one if it is too short for that."""
        return [self._slice(span) for span in whole.span.split(number)]

    def _slice(self, span: Window) -> Slice:
        if self.time_field in ("start", "latest_update"):
            return Slice(span, (Search(start=span),))
        latest_ms = span.end_ms if self.started_before is None else min(span.end_ms, to_ms(self.started_before))
        started = Window(self._earliest_start_ms(), latest_ms)
        return Slice(span, tuple(Search(start=part, moments=span) for part in started.spans(LONGEST_SPAN)))

    def words(self, search: Search) -> str:
        """What the conversations of a search have in common, for people."""
        if search.moments is None:
            return f"started within {search.start}"
        return f"have their {self.time_field} within {search.moments} and started within {search.start}"

    def body(self, search: Search) -> bytes:
        """The search as LivePerson's JSON."""
        times = {"start": _bounds(search.start)}
        if search.moments is not None:
            times[TIME_FIELDS[self.time_field]] = _bounds(search.moments)
        if self.time_field == "latest_update":
            times["latestUpdateTime"] = {"from": self.window.start_ms}
        content = {} if self.content is None else {"contentToRetrieve": self.content}
        return msgspec.json.encode({**times, **self.filters, **content})


def _bounds(window: Window) -> dict[str, int]:
    # LivePerson's bounds are inclusive.
    return {"from": window.start_ms, "to": window.end_ms - 1}


def was_asked_for(span: Window, moment_ms: int, slack_ms: int = 0) -> bool:
    """
    Whether a search for ``span`` may return the moment, given that LivePerson rounds its bounds outwards.

    :param slack_ms: how much further it may reach.
    """
    return floor_mark(span.start_ms) - slack_ms <= moment_ms <= ceil_mark(span.end_ms) + slack_ms


def can_split(span: Window) -> bool:
    """Whether there is a ten-minute mark inside to split at."""
    return floor_mark(span.start_ms) + MARK_MS < span.end_ms
