"""Whether an answer in intervals is whole: LivePerson leaves empty ones out, and says what the whole frame counts."""

from __future__ import annotations

from collections.abc import Iterable

from airflow_provider_lp.client.metrics import Measurement, MetricsAnswer
from airflow_provider_lp.export.metrics.rows import typed_value

#: The count that is compared.
COUNT = "totalResolvedConversations"


def shortfall(answer: MetricsAnswer, stamps_ms: Iterable[int] | None = None) -> str:
    """
    What an answer lacks, in words; nothing if it is whole.

    :param answer: an answer that was asked for intervals.
    :param stamps_ms: the stamps of the intervals that matter, in epoch milliseconds: if all are there, nothing can be
        missing. Default: not known.
    """
    intervals = answer.intervals
    if intervals is None:
        return "has no intervals" if answer.frame else ""
    if stamps_ms is not None and all(stamp_ms in intervals for stamp_ms in stamps_ms):
        return ""
    frame = _counts(answer.frame)
    found = [_counts(measurements) for measurements in intervals.values()]
    for section in {None: None, **frame, **{name: None for counts in found for name in counts}}:
        in_intervals = sum(counts.get(section, 0) for counts in found)
        counted = frame.get(section, 0)
        if in_intervals < counted:
            return f"lacks intervals: those that came hold {in_intervals} of {counted} conversations"
        if in_intervals and section not in frame:
            return "lacks intervals, and the total that would show whether those were empty"
    if not intervals and any(_holds_something(each) for each in answer.frame):
        return "lacks all intervals, although its totals are not empty"
    return ""


def _counts(measurements: Iterable[Measurement]) -> dict[str | None, int | float]:
    """How many conversations each section counts in all, where it counts them."""
    return {
        section: typed_value(metrics[COUNT], int) or 0
        for subject, metrics, section in measurements
        if subject.level == "account" and COUNT in metrics
    }


def _holds_something(measurement: Measurement) -> bool:
    return any(typed_value(value, float) for value in measurement.metrics.values())
