"""The account that the sandbox serves: which conversations exist, as of a moment."""

from __future__ import annotations

import threading
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

import msgspec

from airflow_provider_lp.sandbox.cache import LeastRecentlyUsed
from airflow_provider_lp.sandbox.conversations.conversation import Conversation
from airflow_provider_lp.sandbox.conversations.generated import LONGEST_MS, day_conversations, day_of
from airflow_provider_lp.sandbox.conversations.metrics import (
    Metrics,
    Subject,
    by_subject,
    resolved_metrics,
    satisfaction_metrics,
)
from airflow_provider_lp.sandbox.moments import DAY_MS, MINUTE_MS, epoch_ms
from airflow_provider_lp.sandbox.records.record import render_record

_ENCODED_BYTES = 256 * 1024 * 1024
TIME_FIELDS = ("start", "end", "conversation_end", "full_dialog_end", "latest_update")


@dataclass(frozen=True)
class _Shelf:
    """Conversations ordered by (start, id)."""

    conversations: Sequence[Conversation]

    @cached_property
    def by_id(self) -> dict[str, Conversation]:
        return {conversation.conversation_id: conversation for conversation in self.conversations}

    def started_between(self, from_ms: int, to_ms: int) -> Sequence[Conversation]:
        first = bisect_left(self.conversations, from_ms, key=lambda conversation: conversation.start_ms)
        stop = bisect_right(self.conversations, to_ms, key=lambda conversation: conversation.start_ms)
        return self.conversations[first:stop]


class Account:
    """A LivePerson account of invented conversations.

    The conversations that start on a UTC day depend only on ``seed``, ``per_day`` and the day. What has happened of
    them depends on ``now``: one that starts later does not exist, one that ends later is open.

    :param account_id: The account id (LivePerson says site or brand id as well).
    :param seed: Another seed, other conversations.
    :param now: An aware datetime that the account believes in; ``None`` is the real clock, read at each use.
    :param days: How many whole days before today hold conversations.
    :param per_day: How many conversations start each day.
    :param record_bytes: Size the transcripts so that each record's minified JSON has about this many bytes (from about
        6,000 on; what else a record holds is not cut).
    """

    def __init__(
        self,
        account_id: str = "12345678",
        seed: int = 0,
        now: datetime | None = None,
        days: int = 40,
        per_day: int = 250,
        record_bytes: int | None = None,
    ) -> None:
        if now is not None and now.tzinfo is None:
            raise ValueError("now must be an aware datetime")
        self.account_id = account_id
        self.seed = seed
        self.now = now
        self.days = days
        self.per_day = per_day
        self.record_bytes = record_bytes
        self._fixed: _Shelf | None = None
        self._shelves: dict[int, _Shelf] = {}
        self._encoded: LeastRecentlyUsed[bytes] = LeastRecentlyUsed(_ENCODED_BYTES, len)
        self._lock = threading.Lock()

    @classmethod
    def of(
        cls,
        conversations: Iterable[Conversation],
        now: datetime | None = None,
        account_id: str = "12345678",
        record_bytes: int | None = None,
    ) -> Account:
        """An account of exactly these conversations."""
        account = cls(account_id=account_id, now=now, record_bytes=record_bytes)
        ordered = sorted(conversations, key=lambda each: (each.start_ms, each.conversation_id))
        account._fixed = _Shelf(ordered)
        if len(account._fixed.by_id) != len(ordered):
            raise ValueError("two conversations have the same id")
        return account

    def now_ms(self) -> int:
        """The moment that the account believes in. For a generated account the real clock moves in steps of a minute:
        LivePerson's answers lag by up to that much."""
        clock_ms = self.clock_ms()
        return clock_ms if self.now is not None or self._fixed else clock_ms // MINUTE_MS * MINUTE_MS

    def clock_ms(self) -> int:
        """The same moment as the clock shows it, which does not step: metrics reach back from there."""
        return epoch_ms(datetime.now(UTC) if self.now is None else self.now)

    def conversations(self) -> list[Conversation]:
        """All conversations that exist as of now, ordered by (start, id)."""
        return self.started_between(0, self.now_ms())

    def started_between(self, from_ms: int, to_ms: int) -> list[Conversation]:
        """The conversations whose start lies in the closed range, as of now, ordered by (start, id)."""
        now_ms = self.now_ms()
        found = []
        for shelf in self._shelves_between(from_ms, min(to_ms, now_ms)):
            for conversation in shelf.started_between(from_ms, to_ms):
                visible = conversation.as_of(now_ms)
                if visible is not None:
                    found.append(visible)
        return found

    def ongoing_since(self, moment_ms: int) -> list[Conversation]:
        """The conversations that may have gone on at the moment or later, as of now, ordered by (start, id). Of a
        generated account those that have been open for longer than any other ever is are left out."""
        return self.started_between(0 if self._fixed else moment_ms - LONGEST_MS, self.now_ms())

    def closed_between(self, start_ms: int, end_ms: int) -> list[Conversation]:
        """The conversations closed in the half-open range, as of now, ordered by (start, id)."""
        ongoing = self.ongoing_since(start_ms)
        return [each for each in ongoing if start_ms <= (each.conversation_end_ms or -1) < end_ms]

    def surveyed_between(self, start_ms: int, end_ms: int) -> list[Conversation]:
        """The conversations whose survey was answered in the half-open range, as of now, ordered by (start, id)."""
        ongoing = self.ongoing_since(start_ms)
        return [each for each in ongoing if each.csat is not None and start_ms <= (each.end_ms or -1) < end_ms]

    def find(self, conversation_id: str) -> Conversation | None:
        """The conversation with this id as of now, if there is one."""
        shelf = self._fixed or self._shelf_of(day_of(conversation_id))
        conversation = shelf.by_id.get(conversation_id) if shelf else None
        return conversation.as_of(self.now_ms()) if conversation else None

    def record(
        self, conversation: Conversation, content: Iterable[str] | None = None, *, whole: bool = True, version: int = 2
    ) -> dict[str, Any]:
        """LivePerson's JSON record of a conversation.

        :param content: Names of ``contentToRetrieve``; ``None`` is LivePerson's default set.
        :param whole: ``False`` gives the truncated form: half of the messages, and ``info.isPartial`` true.
        :param version: LivePerson's ``v``: 1 sends the values of engagement attributes as strings.
        """
        return render_record(
            conversation,
            account_id=self.account_id,
            now_ms=self.now_ms(),
            content=content,
            whole=whole,
            version=version,
            record_bytes=self.record_bytes,
        )

    def encoded_record(
        self, conversation: Conversation, content: tuple[str, ...] | None, *, whole: bool, version: int
    ) -> bytes:
        """The same record as minified JSON; those used last are kept."""
        # The length of an open conversation runs on, so its record changes with the clock.
        clock = None if conversation.end_ms is not None else self.now_ms() // MINUTE_MS
        state = (conversation.end_ms, conversation.latest_update_ms, clock)
        key = (conversation.conversation_id, content, version, whole, state)
        return self._encoded.get(
            key, lambda: msgspec.json.encode(self.record(conversation, content, whole=whole, version=version))
        )

    def truth(self, time_field: str, start_ms: int, end_ms: int | None = None) -> list[str]:
        """What a perfect export of the half-open ``[start_ms, end_ms)`` holds: ids, ordered by (moment, id).

        ``latest_update`` knows no end: all that were updated at or after ``start_ms``, ordered by (start, id).
        """
        if time_field not in TIME_FIELDS:
            raise ValueError(f"time_field must be one of {', '.join(TIME_FIELDS)}")
        if time_field == "latest_update":
            updated = [each for each in self.conversations() if each.latest_update_ms >= start_ms]
            return [each.conversation_id for each in updated]
        if end_ms is None:
            raise ValueError(f"the truth of {time_field} needs an end")
        dated = []
        for conversation in self.conversations():
            moment = getattr(conversation, f"{time_field}_ms")
            if moment is not None and start_ms <= moment < end_ms:
                dated.append((moment, conversation.conversation_id))
        return [conversation_id for _, conversation_id in sorted(dated)]

    def resolved_truth(self, start_ms: int, end_ms: int) -> dict[Subject, Metrics]:
        """What ``msgconversation`` knows of the conversations closed in the half-open range, as of now.

        The keys are (skill id, agent id), both texts; ``None`` stands for all of them, so ``(None, None)`` is the
        account, always there. The values are all metrics under LivePerson's names.
        """
        return by_subject(self.closed_between(start_ms, end_ms), resolved_metrics)

    def csat_truth(self, start_ms: int, end_ms: int) -> dict[Subject, Metrics]:
        """The same of ``msgcsatdistribution``, for the surveys answered in the half-open range."""
        return by_subject(self.surveyed_between(start_ms, end_ms), satisfaction_metrics)

    def _shelves_between(self, from_ms: int, to_ms: int) -> Iterator[_Shelf]:
        if self._fixed is not None:
            yield self._fixed
            return
        today = self.now_ms() // DAY_MS
        for day in range(max(today - self.days, from_ms // DAY_MS), min(today, to_ms // DAY_MS) + 1):
            shelf = self._shelf_of(day)
            if shelf is not None:
                yield shelf

    def _shelf_of(self, day: int | None) -> _Shelf | None:
        today = self.now_ms() // DAY_MS
        if day is None or not today - self.days <= day <= today:
            return None
        with self._lock:
            if day not in self._shelves:
                self._shelves[day] = _Shelf(day_conversations(self.seed, day, self.per_day))
            return self._shelves[day]
