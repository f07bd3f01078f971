"""Whether an answer is whole: LivePerson leaves empty intervals out, and says what the whole frame counts."""

from __future__ import annotations

from collections.abc import Iterable

from airflow_provider_lp.client.measurements import Measurement, MetricsAnswer
from airflow_provider_lp.export.metrics.portions import Portion
from airflow_provider_lp.export.metrics.reports import Report
from airflow_provider_lp.export.metrics.rows import typed_value


def shortfall(report: Report, answer: MetricsAnswer, *, has_gaps: bool) -> str:
    """
    What an answer lacks, in words; nothing if it is whole.

    :param report: what it measures.
    :param answer: an answer that was asked for intervals.
    :param has_gaps: whether some of the intervals that matter are missing.
    """
    intervals = answer.intervals
    if intervals is None:
        return "has no intervals" if answer.frame else ""
    frame = _counts(report, answer.frame)
    found = [_counts(report, measurements) for measurements in intervals.values()]
    for section in {**frame, **{name: None for counts in found for name in counts}}:
        in_intervals = sum(counts.get(section, 0) for counts in found)
        counted = frame.get(section, 0)
        if in_intervals < counted:
            return f"lacks intervals: those that came hold {in_intervals} of {counted} {report.counted}"
        if has_gaps and in_intervals and section not in frame:
            return "lacks intervals, and the total that would show whether those were empty"
    if not intervals and any(_holds_something(each) for each in answer.frame):
        return "lacks all intervals, although its totals are not empty"
    return ""


def silence(report: Report, portion: Portion, answer: MetricsAnswer) -> str:
    """
    Whether an answer says nothing where LivePerson would send zeros, in words.

    Reports whose counts add up have the account's totals at the root when neither skills nor agents were asked for, all
    of them zero if nothing happened.
    """
    is_of_account = report.additive and portion.skill_ids is None and portion.agent_ids is None
    if is_of_account and not (answer.frame or answer.intervals or answer.no_content):
        return "lacks the account's totals, which LivePerson sends even where they are zero"
    return ""


def _counts(report: Report, measurements: Iterable[Measurement]) -> dict[str | None, int | float]:
    """How much each section counts in all, where it counts it."""
    return {
        section: typed_value(metrics[report.count], int) or 0
        for subject, metrics, section in measurements
        if subject.level == "account" and report.count in metrics
    }


def _holds_something(measurement: Measurement) -> bool:
    return any(typed_value(value, float) for value in measurement.metrics.values())
