"""Messaging conversations bucket by bucket, added up into rows that tile a window exactly."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any

from airflow_provider_lp.client.client import LivePersonClient
from airflow_provider_lp.client.errors import LivePersonIncompleteDataError
from airflow_provider_lp.client.metrics import Measurement, MetricsAnswer, Subject
from airflow_provider_lp.client.operations import LONGEST_TIMEFRAME_MINUTES
from airflow_provider_lp.export.metrics.asking import Dated, ask
from airflow_provider_lp.export.metrics.buckets import (
    BUCKET_MINUTES,
    BUCKET_MS,
    floor_bucket,
    frame_of,
    tiles,
)
from airflow_provider_lp.export.metrics.portions import Portion
from airflow_provider_lp.export.metrics.query import MetricsQuery, check_reach
from airflow_provider_lp.export.metrics.reports import Report
from airflow_provider_lp.export.metrics.rows import typed_value
from airflow_provider_lp.windows import Window, to_ms

log = logging.getLogger(__name__)

#: How long to wait before asking again for an answer that is not whole.
PAUSES = (timedelta(0), timedelta(seconds=1), timedelta(seconds=5), timedelta(seconds=10))
COUNT = "totalResolvedConversations"

Key = tuple[Subject, str | None]
Sums = dict[Key, dict[str, Any]]


def ask_tiles(client: LivePersonClient, query: MetricsQuery, portion: Portion, window: Window) -> list[Dated]:
    """
    Measurements that tile a window, each the sum of its buckets.

    LivePerson is asked for single buckets: only their edges do not move with the moment of the request.

    :param window: what to tile, on five-minute marks: :meth:`MetricsQuery.tiled_until`.
    :raises LivePersonWindowError: if LivePerson no longer holds all of the window.
    :raises LivePersonIncompleteDataError: if buckets are missing that are not empty.
    """
    buckets = _buckets(client, query, portion, window)
    return [Dated(tile, _added(query.report, buckets, tile)) for tile in tiles(window, query.interval)]


def _buckets(
    client: LivePersonClient, query: MetricsQuery, portion: Portion, window: Window
) -> Mapping[int, list[Measurement]]:
    """The measurements of each bucket, by its end; empty ones may be missing."""
    problem = ""
    for pause in PAUSES:
        client.wait(pause)
        timeframe = _timeframe(client, query, window)
        answer = ask(client, query, portion, timeframe, BUCKET_MINUTES)
        if frame_of(to_ms(client.now), timeframe).start_ms > window.start_ms:
            problem = "took so long that the start of the window went out of its reach"
            continue
        problem = _shortfall(answer, window)
        if not problem:
            _warn_of_unknown(query.report, answer.frame)
            return answer.intervals or {}
    raise LivePersonIncompleteDataError(
        f"LivePerson's answer to {query.report.name} for the window {window} {problem}, however often asked. Nothing "
        "was published."
    )


def _timeframe(client: LivePersonClient, query: MetricsQuery, window: Window) -> int:
    check_reach(query, client.now)
    back_ms = to_ms(client.now) - window.start_ms
    # One bucket more than needed, where there is one, in case LivePerson's clock is ahead.
    buckets = -(-back_ms // BUCKET_MS) + 1
    return min(max(buckets, 1) * BUCKET_MINUTES, LONGEST_TIMEFRAME_MINUTES)


def _shortfall(answer: MetricsAnswer, window: Window) -> str:
    """What is wrong with an answer; LivePerson leaves empty buckets out, so the others must hold all that it counts."""
    intervals = answer.intervals
    if intervals is None:
        return "has no intervals" if answer.frame else ""
    stray = [stamp_ms for stamp_ms in intervals if stamp_ms != floor_bucket(stamp_ms)]
    if stray:
        return f"has intervals that do not end on five-minute marks, such as {stray[0]}"
    if all(end_ms in intervals for end_ms in _bucket_ends(window)):
        return ""
    for section, counted in _counts(answer.frame).items():
        found = sum(_counts(measurements).get(section, 0) for measurements in intervals.values())
        if found < counted:
            return f"lacks intervals: those that came hold {found} of {counted} conversations"
    return ""


def _counts(measurements: Iterable[Measurement]) -> dict[str | None, int | float]:
    """How many conversations each section counts in all."""
    return {
        section: typed_value(metrics.get(COUNT), int) or 0
        for subject, metrics, section in measurements
        if subject.level == "account"
    }


def _warn_of_unknown(report: Report, measurements: Iterable[Measurement]) -> None:
    unknown = {name for each in measurements for name in each.metrics} - report.metrics.keys()
    if unknown:
        log.warning(
            "LivePerson sends metrics that %s does not document: %s. Whether they may be added up is not known, so they "
            "are left out. With timeframe, they are passed on.",
            report.name,
            ", ".join(sorted(unknown)),
        )


def _bucket_ends(window: Window) -> range:
    return range(window.start_ms + BUCKET_MS, window.end_ms + 1, BUCKET_MS)


def _added(report: Report, buckets: Mapping[int, list[Measurement]], tile: Window) -> list[Measurement]:
    return add_up(report, (each for end_ms in _bucket_ends(tile) for each in buckets.get(end_ms, ())))


def add_up(report: Report, measurements: Iterable[Measurement]) -> list[Measurement]:
    """
    The sums of the report's additive metrics, by subject and section; the account's is there even if it is zero.

    A metric that the report does not document is left out: whether it may be added up is not known.
    """
    additive = report.metrics.keys() - report.ratios.keys()
    sums: Sums = {}
    for subject, metrics, section in measurements:
        total = sums.setdefault((subject, section), {})
        for name in additive & metrics.keys():
            value = typed_value(metrics[name], int)
            if value is not None:
                total[name] = total.get(name, 0) + value
    if not any(subject.level == "account" for subject, _ in sums):
        sums[Subject("account"), None] = dict.fromkeys(additive, 0)
    return [
        Measurement(subject, {**_empty_ratios(report, total), **total}, section)
        for (subject, section), total in sums.items()
    ]


def _empty_ratios(report: Report, sums: Mapping[str, Any]) -> dict[str, int]:
    """LivePerson gives the average of nothing as 0."""
    return {name: 0 for name, ratio in report.ratios.items() if sums.get(ratio.count) == 0}
