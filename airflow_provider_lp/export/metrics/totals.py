"""Adding measurements up, where they may be; the account's total; and what an answer lacks."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from airflow_provider_lp.client.measurements import Measurement, MetricsAnswer, Subject
from airflow_provider_lp.client.report_parameters import ALL
from airflow_provider_lp.client.reports import Report
from airflow_provider_lp.export.metrics.rows import LEVELS, typed_value
from airflow_provider_lp.windows import Window

log = logging.getLogger(__name__)

ACCOUNT = Subject("account")


class Dated(NamedTuple):
    """Measurements, and the period that they cover, or the moment, in epoch milliseconds, at which they were true."""

    covered: Window | int
    measurements: list[Measurement]


def add_up(report: Report, measurements: Iterable[Measurement]) -> list[Measurement]:
    """
    The sums of the report's additive metrics, by subject and section.

    A metric that the report does not document is left out: it may not be additive. Of ratios only the zero of a count
    of zero is kept: the others are recomputed from the sums.
    """
    sums: dict[tuple[Subject, str | None], dict[str, Any]] = {}
    for subject, metrics, section in measurements:
        total = sums.setdefault((subject, section), {})
        for name in report.metrics.keys() & metrics.keys():
            value = typed_value(metrics[name], int)
            if value is not None:
                total[name] = 0 if report.metrics[name].ratio else total.get(name, 0) + value
    for total in sums.values():
        for name, metric in report.metrics.items():
            if metric.ratio and total.get(metric.ratio[1]) != 0:
                total.pop(name, None)
    return [Measurement(subject, total, section) for (subject, section), total in sums.items()]


def zeros(report: Report) -> dict[str, int]:
    """What the report counts where nothing happened."""
    return dict.fromkeys(report.metrics, 0)


# The account's total. In additive reports skills and agents are two views of the same events, each with a total.


def account_section(skill_ids: list[str] | None, agent_ids: list[str] | None) -> str | None:
    """
    The section whose total is the account's; ``None`` where neither skills nor agents were asked for.

    "skills" if skills were asked for, else "agents"; "agents" also when all agents but not all skills were.
    """
    if skill_ids is None and agent_ids is None:
        return None
    by_agents = skill_ids is None or (agent_ids == [ALL] and skill_ids != [ALL])
    return "agents" if by_agents else "skills"


def with_account(report: Report, answer: MetricsAnswer, section: str | None) -> MetricsAnswer:
    """The answer, with the total of a section in that section: in the frame and in each interval."""
    if not report.additive:
        return answer
    intervals = answer.intervals and {
        stamp_ms: _with_account(report, measurements, section) for stamp_ms, measurements in answer.intervals.items()
    }
    return replace(answer, frame=_with_account(report, answer.frame, section), intervals=intervals)


def _with_account(report: Report, measurements: list[Measurement], section: str | None) -> list[Measurement]:
    """LivePerson may put the total beside the section instead; without it, it is the sum of what the section holds."""
    accounts = {each.section: each for each in measurements if each.subject == ACCOUNT}
    own = [each for each in measurements if each.section == section and each.subject != ACCOUNT]
    if section is None and not accounts:
        # No totals at all, though neither skills nor agents were asked for: those of the first section that came.
        own = [each for each in measurements if each.section == measurements[0].section]
    if section in accounts or not (own or accounts):
        return measurements
    if None in accounts:
        return [*measurements, accounts[None]._replace(section=section)]
    level = min((each.subject.level for each in own), key=LEVELS.index, default=None)
    parts = [Measurement(ACCOUNT, each.metrics, section) for each in own if each.subject.level == level]
    return [*measurements, *add_up(report, parts)]


def _with_one_account(report: Report, measurements: list[Measurement], section: str | None) -> list[Measurement]:
    """Keeps one account total; counts are zero where LivePerson left it out because nothing happened."""
    accounts = [each for each in measurements if each.subject == ACCOUNT]
    if report.additive:
        zero = Measurement(ACCOUNT, zeros(report), section)
        accounts = [each for each in accounts if each.section == section] or [zero]
    return [*accounts[:1], *(each for each in measurements if each.subject != ACCOUNT)]


# Answers to several batches of ids as one.


def joined(report: Report, answers: Sequence[list[Dated]], section: str | None) -> Iterator[Dated]:
    """
    The measurements of each period, once each.

    :param report: what was measured.
    :param answers: of each batch of ids.
    :param section: the section whose total is the account's.
    """
    for covered, measurements in _joined(report, answers):
        yield Dated(covered, _with_one_account(report, measurements, section))


def _joined(report: Report, answers: Sequence[list[Dated]]) -> Iterable[Dated]:
    if len(answers) == 1:
        return answers[0]
    if report.additive:
        by_period: dict[Window | int, list[Measurement]] = {}
        for covered, measurements in (dated for answer in answers for dated in answer):
            by_period.setdefault(covered, []).extend(measurements)
        return [Dated(covered, add_up(report, measurements)) for covered, measurements in by_period.items()]
    log.warning(
        "The ids of %s take %d requests: its rows for the account are left out, since such totals do not add up.",
        report.name,
        len(answers),
    )
    return _once_each(answers)


def _once_each(answers: Sequence[list[Dated]]) -> Iterator[Dated]:
    """Each subject from the first batch that has it, without the account."""
    first_in: dict[Subject, int] = {}
    for number, answer in enumerate(answers):
        for covered, measurements in answer:
            own = [each for each in measurements if first_in.setdefault(each.subject, number) == number]
            yield Dated(covered, [each for each in own if each.subject != ACCOUNT])


# What an answer lacks: LivePerson leaves empty intervals out, and says what the whole timeframe counts.


def silence(report: Report, answer: MetricsAnswer, section: str | None) -> str:
    """
    Describes a suspiciously empty answer; empty string if it is fine.

    Additive reports have the account's totals at the root when neither skills nor agents were asked for, all of them
    zero if nothing happened.
    """
    if report.additive and section is None and not (answer.frame or answer.intervals or answer.is_empty):
        return "lacks the account's totals, which LivePerson sends even where they are zero"
    return ""


def misplaced(answer: MetricsAnswer) -> str:
    """Describes an answer that holds intervals only, though none were asked for; empty string if it is fine."""
    if not answer.frame and any((answer.intervals or {}).values()):
        return "has intervals only, and no numbers of the whole timeframe that was asked for"
    return ""


def shortfall(report: Report, answer: MetricsAnswer, *, has_gaps: bool) -> str:
    """
    What an answer lacks, in words; empty string if it is whole.

    :param report: what it measures.
    :param answer: an answer that was asked for intervals.
    :param has_gaps: whether some of the intervals that matter are missing.
    """
    intervals = answer.intervals
    if intervals is None:
        return "has no intervals" if any(map(_holds_something, answer.frame)) else ""
    frame = _counts(report, answer.frame)
    found = [_counts(report, measurements) for measurements in intervals.values()]
    for section in {**frame, **{name: None for counts in found for name in counts}}:
        in_intervals = sum(counts.get(section, 0) for counts in found)
        counted = frame.get(section, 0)
        if in_intervals < counted:
            unit = report.metrics[report.total].unit
            return f"lacks intervals: those that came hold {in_intervals} of {counted} {unit}"
        if has_gaps and in_intervals and section not in frame:
            return "lacks intervals, and the total that would show whether those were empty"
    if not intervals and any(map(_holds_something, answer.frame)):
        return "lacks all intervals, although its totals are not empty"
    return ""


def _counts(report: Report, measurements: Iterable[Measurement]) -> dict[str | None, int | float]:
    """How much each section counts in all, where it counts it."""
    return {
        section: typed_value(metrics[report.total], int) or 0
        for subject, metrics, section in measurements
        if subject == ACCOUNT and report.total in metrics
    }


def _holds_something(measurement: Measurement) -> bool:
    return any(typed_value(value, float) for value in measurement.metrics.values())
