"""The terms of a query for metrics: which report, what it may be asked for, and what its rows are made of."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from airflow_provider_lp.client.errors import LivePersonConfigurationError
from airflow_provider_lp.client.reports import Report

SOURCES_OF_TRUTH = ("operations", "conversations")
ONE_MINUTE = timedelta(minutes=1)
#: Parameters that are lengths of time.
LENGTHS = ("timeframe", "interval")


def check_options(report: Report, options: Mapping[str, Any]) -> dict[str, Any]:
    """
    What a report is asked for, as LivePerson takes it: its parameters but for those that are ``None``.

    :raises LivePersonConfigurationError: naming one that has no meaning for this report, or cannot be right.
    """
    lengths = {name: _minutes(name, options[name]) for name in LENGTHS if name in options}
    return report.check({**options, **lengths})


def is_recomputed(report: Report, source_of_truth: object, max_age: object) -> bool:
    """
    Whether a report's rows are made of conversations.

    :raises LivePersonConfigurationError: naming the argument that has no meaning for it.
    """
    if source_of_truth not in SOURCES_OF_TRUTH:
        raise LivePersonConfigurationError(
            f"source_of_truth={source_of_truth!r} must be one of {', '.join(SOURCES_OF_TRUTH)}."
        )
    is_recomputed = source_of_truth == "conversations"
    if is_recomputed and not report.recomputable:
        raise LivePersonConfigurationError(
            f"source_of_truth has no meaning for report={report.name!r}: it cannot be recomputed from conversations."
        )
    if max_age is not None and not is_recomputed:
        raise LivePersonConfigurationError("max_age has a meaning with source_of_truth='conversations' only.")
    return is_recomputed


def check_times(report: Report, timeframe: object, period: list[str]) -> None:
    """
    Refuse a period and a timeframe at once, and a period of a report that has none.

    :param period: which of ``start``, ``end`` and ``window`` are given.
    :raises LivePersonConfigurationError: naming them.
    """
    if timeframe is not None and period:
        raise LivePersonConfigurationError(
            f"timeframe={timeframe!r} counts back from now, so {' and '.join(period)} cannot go with it."
        )
    if period and not report.has_period:
        raise LivePersonConfigurationError(
            f"{' and '.join(period)} can have no meaning for report={report.name!r}: it is about the present."
        )


def _minutes(name: str, value: int | timedelta | None) -> int | None:
    if not isinstance(value, timedelta):
        return value
    minutes, rest = divmod(value, ONE_MINUTE)
    if rest:
        raise LivePersonConfigurationError(f"{name}={value!r} must be a whole number of minutes, 1 or more.")
    return minutes
