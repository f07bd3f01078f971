"""Averages, maxima and percentiles as LivePerson gives them: -1 without data."""

from __future__ import annotations

from collections.abc import Sequence

NO_DATA = -1


def average(values: Sequence[float]) -> float:
    """The mean."""
    return sum(values) / len(values) if values else NO_DATA


def highest(values: Sequence[int]) -> int:
    """The maximum."""
    return max(values, default=NO_DATA)


def percentile(values: Sequence[int], percent: int) -> int:
    """The smallest value that at least so many percent of them do not exceed."""
    if not values:
        return NO_DATA
    rank = -(-len(values) * percent // 100)
    return sorted(values)[rank - 1]
