"""What may be waited for of a metric: its limits, whose metric it is, and over what time."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from math import isfinite
from typing import Any

from airflow_provider_lp.client.errors import LivePersonConfigurationError
from airflow_provider_lp.client.reports import Report
from airflow_provider_lp.client.spelling import nearest
from airflow_provider_lp.windows import parse_span

ONE_MINUTE = timedelta(minutes=1)
#: Whose metric it may be: the account's, if none is given.
SUBJECT = ("skill_id", "agent_id", "group_id")


def parse_limits(at_least: object, at_most: object) -> tuple[float | None, float | None]:
    """
    The limits as numbers, where they may be text.

    :raises LivePersonConfigurationError: naming the limit that is missing, wrong or at odds with the other.
    """
    lower, upper = parse_limit("at_least", at_least), parse_limit("at_most", at_most)
    if lower is None and upper is None:
        raise LivePersonConfigurationError("Give at_least, at_most or both: what to wait for.")
    if lower is not None and upper is not None and lower > upper:
        raise LivePersonConfigurationError(f"at_least={lower:.12g} is more than at_most={upper:.12g}.")
    return lower, upper


def parse_limit(name: str, value: object) -> float | None:
    """
    One of them.

    :raises LivePersonConfigurationError: if it is no number.
    """
    if value is None:
        return None
    try:
        limit = float(value) if isinstance(value, int | float | str) and not isinstance(value, bool) else None
    except (ValueError, OverflowError):
        limit = None
    if limit is None or not isfinite(limit):
        raise LivePersonConfigurationError(f"{name}={value!r} must be a number.")
    return limit


def parse_minutes(value: int | timedelta | str | None) -> Any:
    """
    Minutes, from a number of them, or from a length of time; of another type it is refused later.

    :raises LivePersonConfigurationError: for a length that is no whole minutes.
    """
    if isinstance(value, str) and value.strip().isdecimal():
        return int(value)
    if not isinstance(value, str | timedelta):
        return value
    minutes, rest = divmod(parse_span("timeframe", value), ONE_MINUTE)
    if rest:
        raise LivePersonConfigurationError(f"timeframe={value!r} must be whole minutes.")
    return minutes


def parse_id(name: str, value: object) -> str | None:
    """
    One id as text.

    :raises LivePersonConfigurationError: if it is none, or stands for several.
    """
    if value is None:
        return None
    text = str(value).strip() if isinstance(value, int | str) and not isinstance(value, bool) else ""
    if not text or text.lower() in ("all", "none"):
        raise LivePersonConfigurationError(
            f"{name}={value!r} must be one id; without it, the account's metric is taken."
        )
    return text


def check_metric(report: Report, metric: object) -> None:
    """
    Refuse a metric that a report does not have.

    :raises LivePersonConfigurationError: naming those that it has.
    """
    if metric not in report.metrics:
        known = ", ".join(report.metrics)
        raise LivePersonConfigurationError(
            f"metric={metric!r} is not in report={report.name!r}.{nearest(metric, report.metrics)} Known: {known}."
        )


def check_subject(report: Report, metric: object, ids: Mapping[str, object]) -> None:
    """
    Refuse a subject that no row is about: it would be waited for in vain.

    :param ids: by the names of :data:`SUBJECT`; ``None`` for those that are not given.
    :raises LivePersonConfigurationError: naming those that there are.
    """
    given = tuple(name for name in SUBJECT if ids[name] is not None)
    if given not in report.subjects:
        known = "; ".join(" and ".join(names) or "none of them, for the account" for names in report.subjects)
        raise LivePersonConfigurationError(
            f"report={report.name!r} has no metrics by {' and '.join(given) or 'account'}. Of skill_id, agent_id "
            f"and group_id give: {known}."
        )
    if not given and metric in report.skill_metrics:
        raise LivePersonConfigurationError(
            f"metric={metric!r} is not in the account's metrics in report={report.name!r}: give skill_id."
        )
