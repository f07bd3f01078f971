"""Rows: flat, typed, dated measurements that a table takes as they are."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from math import isfinite
from typing import Any

from airflow_provider_lp.client.measurements import Subject
from airflow_provider_lp.client.reports import Report
from airflow_provider_lp.windows import Window, from_ms

Row = dict[str, Any]

LEVELS = ("account", "skill", "agent", "skill_agent")
#: The columns of every report; its metrics follow them.
COLUMNS = (
    "report",
    "account_id",
    "level",
    "skill_id",
    "agent_id",
    "group_id",
    "interval_start",
    "interval_end",
    "derived",
)
#: What LivePerson sends for a metric that has no value.
NO_DATA = -1
#: The text of a number; Python takes more for one, such as ``1_000`` and digits of other scripts.
NUMBER = re.compile(r"\s*[+-]?(?=\.?\d)\d{0,400}(\.\d*)?(e[+-]?\d+)?\s*", re.ASCII | re.IGNORECASE)


def row_of(
    report: Report,
    account_id: str,
    subject: Subject,
    covered: Window | int,
    metrics: Mapping[str, Any],
    *,
    derived: bool = False,
) -> Row:
    """
    One row.

    :param report: what was measured.
    :param account_id: the LivePerson account.
    :param subject: whom the metrics are about.
    :param covered: the period that the numbers cover, or the moment, in epoch milliseconds, they were true.
    :param metrics: values by LivePerson's names.
    :param derived: whether they were recomputed from conversations, and not measured by LivePerson.
    """
    start_ms, end_ms = (covered, covered) if isinstance(covered, int) else (covered.start_ms, covered.end_ms)
    return {
        "report": report.name,
        "account_id": account_id,
        **subject._asdict(),
        "interval_start": from_ms(start_ms).isoformat(),
        "interval_end": from_ms(end_ms).isoformat(),
        "derived": derived,
        **typed_metrics(report, metrics),
    }


def typed_metrics(report: Report, metrics: Mapping[str, Any]) -> dict[str, Any]:
    """
    All metrics that the report documents, in its order, then others that LivePerson sent.

    What has no data is ``None``. Ratios are recomputed, so that they are those of the row's own numbers.
    """
    typed = {name: typed_value(metrics.get(name), metric.kind) for name, metric in report.metrics.items()}
    for name, metric in report.metrics.items():
        if metric.ratio:
            total, count = (typed[other] for other in metric.ratio)
            if total is not None and count:
                typed[name] = total / count
    others = {name: metrics[name] for name in sorted(metrics.keys() - typed.keys() - {*COLUMNS})}
    return typed | {name: _unknown(value) for name, value in others.items() if not isinstance(value, dict | list)}


def _unknown(value: Any) -> Any:
    """An undocumented metric's value: a number where it is one or its text, otherwise as it came."""
    number = _number(value)
    if number is not None:
        return typed_value(number, type(number))
    if isinstance(value, str):
        # Not every database that keeps XComs can hold a NUL.
        return value.replace("\0", "\N{REPLACEMENT CHARACTER}")
    return value if isinstance(value, bool) else None


def typed_value(value: Any, kind: type[int] | type[float]) -> int | float | None:
    """A documented metric's value: ``None`` for LivePerson's many ways to say that there is none."""
    number = _number(value)
    if number is None or number == NO_DATA:
        return None
    if kind is int:
        return int(number) if number == int(number) else number
    return float(number)


def _number(value: Any) -> int | float | None:
    """A number or its text; ``None`` for one that is too large for a metric."""
    if isinstance(value, str) and NUMBER.fullmatch(value):
        value = float(value) if {*value} & {*".eE"} else int(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    with suppress(OverflowError):
        return value if isfinite(value) else None
    return None


def in_order(rows: Iterable[Row]) -> list[Row]:
    """By time, then level by level; the same rows give the same order."""
    return sorted(
        rows,
        key=lambda row: (
            row["interval_start"],
            row["interval_end"],
            LEVELS.index(row["level"]),
            *(row[name] or "" for name in ("skill_id", "agent_id", "group_id")),
        ),
    )
