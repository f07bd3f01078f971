"""What a watch remembers: how far it has looked, and which conversations it has found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from airflow_provider_lp.windows import ONE_MS, Window


@dataclass(frozen=True, slots=True)
class Bookmark:
    """
    The state of a watch. Its size is bounded by the conversations of twice its ``lookback``.

    :param looked_ms: up to which moment it has looked, epoch milliseconds.
    :param known: each conversation it has found, with the moment it last did.
    """

    looked_ms: int
    known: Mapping[str, int]

    @classmethod
    def of(cls, stored: Any) -> Bookmark:
        """The bookmark that :meth:`stored` made JSON of."""
        known = {conversation_id: int(found_ms) for conversation_id, found_ms in stored["known"].items()}
        return cls(int(stored["looked_ms"]), known)

    def stored(self) -> dict[str, Any]:
        """As JSON."""
        return {"looked_ms": self.looked_ms, "known": dict(self.known)}

    def window(self, now_ms: int, lookback: timedelta, reach: timedelta) -> Window:
        """
        Where to look next: as far back as ever from where the watch left off, however long ago that was.

        :param reach: how far back from now anything can be seen at all.
        """
        start_ms = min(self.looked_ms, now_ms) - lookback // ONE_MS
        return Window(max(start_ms, now_ms - reach // ONE_MS), now_ms)

    def after(self, found: Sequence[str], now_ms: int, lookback: timedelta) -> tuple[list[str], Bookmark]:
        """
        Take in what a look has found.

        :return: those not found before, and the bookmark to keep from then on.
        """
        # One that has left the window may come back, if a survey moves its end: it is remembered for as long again.
        forgotten_ms = now_ms - lookback // ONE_MS
        remembered = {each: found_ms for each, found_ms in self.known.items() if found_ms >= forgotten_ms}
        new = [conversation_id for conversation_id in found if conversation_id not in self.known]
        return new, Bookmark(now_ms, {**remembered, **dict.fromkeys(found, now_ms)})
