"""LivePerson's time ranges: inclusive bounds, rounded outwards to ten minutes, at most three calendar months."""

from __future__ import annotations

import calendar
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from airflow_provider_lp.sandbox.http.exchange import Refused
from airflow_provider_lp.sandbox.http.values import members
from airflow_provider_lp.sandbox.moments import MINUTE_MS

MARK_MS = 10 * MINUTE_MS
OPEN_END = -1
_MONTHS = 3
_MAX_MS = 253_402_300_799_999


@dataclass(frozen=True)
class TimeRange:
    """A closed range of epoch milliseconds."""

    from_ms: int
    to_ms: int

    def holds(self, moment_ms: int | None) -> bool:
        """Whether the moment has come and lies in the range, its bounds included."""
        return moment_ms is not None and self.from_ms <= moment_ms <= self.to_ms


def time_range(name: str, value: Any, now_ms: int) -> TimeRange:
    """A ``{from, to}`` filter as the server reads it. ``to: -1`` leaves the end open, which means now."""
    members(name, value, required=("from", "to"))
    from_ms = epoch(f"{name}.from", value["from"])
    is_open = value["to"] in (OPEN_END, str(OPEN_END))
    to_ms = max(now_ms, from_ms) if is_open else epoch(f"{name}.to", value["to"])
    if from_ms > to_ms:
        raise Refused(400, f"{name}: from is after to")
    rounded = TimeRange(floor_to_mark(from_ms), -floor_to_mark(-to_ms))
    if rounded.to_ms > _months_later(rounded.from_ms, _MONTHS):
        raise Refused(400, f"{name}: the range is longer than three months")
    return rounded


def floor_to_mark(moment_ms: int) -> int:
    """The last ten-minute mark at or before the moment."""
    return moment_ms // MARK_MS * MARK_MS


def epoch(name: str, value: Any) -> int:
    """Epoch milliseconds, as a number or, as some samples have it, a text of digits."""
    if isinstance(value, str) and value.isascii() and value.isdigit():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise Refused(400, f"{name} must be epoch milliseconds")
    if not 0 <= value <= _MAX_MS:
        raise Refused(400, f"{name} is out of range")
    return value


def _months_later(moment_ms: int, months: int) -> int:
    moment = datetime.fromtimestamp(moment_ms // 1_000, UTC)
    year, month0 = divmod(moment.year * 12 + moment.month - 1 + months, 12)
    day = min(moment.day, calendar.monthrange(year, month0 + 1)[1])
    return int(moment.replace(year=year, month=month0 + 1, day=day).timestamp()) * 1_000
