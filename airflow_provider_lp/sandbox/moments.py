"""Moments as LivePerson writes them: a text and, under the same name with an L, epoch milliseconds."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

SECOND_MS = 1_000
MINUTE_MS = 60 * SECOND_MS
HOUR_MS = 60 * MINUTE_MS
DAY_MS = 24 * HOUR_MS
UNDEFINED = "undefined"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def epoch_ms(moment: datetime) -> int:
    """Milliseconds since 1970 of an aware datetime, cut off below the millisecond."""
    return (moment - _EPOCH) // timedelta(milliseconds=1)


@lru_cache(maxsize=512)
def _date(day: int) -> str:
    return (_EPOCH + timedelta(days=day)).strftime("%Y-%m-%d")


@lru_cache(maxsize=4_096)
def stamp(moment_ms: int) -> str:
    """``2016-08-29 14:30:24.565+0000``."""
    day, rest = divmod(moment_ms, 86_400_000)
    hour, rest = divmod(rest, 3_600_000)
    minute, rest = divmod(rest, 60_000)
    second, millisecond = divmod(rest, 1_000)
    return f"{_date(day)} {hour:02}:{minute:02}:{second:02}.{millisecond:03}+0000"


def twins(name: str, moment_ms: int | None) -> dict[str, Any]:
    """Both members of a moment; one that has not come is ``"undefined"`` and -1."""
    if moment_ms is None:
        return {name: UNDEFINED, f"{name}L": -1}
    return {name: stamp(moment_ms), f"{name}L": moment_ms}
