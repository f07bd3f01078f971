"""Adding measurements up, where they may be."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from airflow_provider_lp.client.measurements import Measurement, Subject
from airflow_provider_lp.export.metrics.reports import Report
from airflow_provider_lp.export.metrics.rows import LEVELS, typed_value


def add_up(report: Report, measurements: Iterable[Measurement]) -> list[Measurement]:
    """
    The sums of the report's additive metrics, by subject and section.

    A metric that the report does not document is left out: whether it may be added up is not known. Of ratios only the
    zero of a count of zero is kept: the others are recomputed from what was added up.
    """
    sums: dict[tuple[Subject, str | None], dict[str, Any]] = {}
    for subject, metrics, section in measurements:
        total = sums.setdefault((subject, section), {})
        for name in report.metrics.keys() & metrics.keys():
            value = typed_value(metrics[name], int)
            if value is not None:
                total[name] = 0 if name in report.ratios else total.get(name, 0) + value
    for total in sums.values():
        for name, ratio in report.ratios.items():
            if total.get(ratio.count) != 0:
                total.pop(name, None)
    return [Measurement(subject, total, section) for (subject, section), total in sums.items()]


def with_account(report: Report, measurements: list[Measurement], section: str | None) -> list[Measurement]:
    """
    The measurements, with the total of a section in that section.

    LivePerson may put it beside the section instead, or leave it out; then it is the sum of what the section holds.
    """
    accounts = {each.section: each for each in measurements if each.subject.level == "account"}
    own = [each for each in measurements if each.section == section and each.subject.level != "account"]
    if section in accounts or not (own or accounts):
        return measurements
    if None in accounts:
        return [*measurements, accounts[None]._replace(section=section)]
    level = min((each.subject.level for each in own), key=LEVELS.index, default=None)
    parts = [each._replace(subject=Subject("account")) for each in own if each.subject.level == level]
    return [*measurements, *add_up(report, parts)]


def zeros(report: Report) -> dict[str, int]:
    """What the report counts where nothing happened."""
    return dict.fromkeys(report.metrics, 0)
