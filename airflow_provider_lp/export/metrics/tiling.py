"""Messaging conversations bucket by bucket, added up into rows that tile a window exactly."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping

from airflow_provider_lp.client.errors import LivePersonIncompleteDataError
from airflow_provider_lp.client.liveperson import LivePersonClient
from airflow_provider_lp.client.measurements import Measurement, MetricsAnswer
from airflow_provider_lp.client.operations import LONGEST_TIMEFRAME_MINUTES
from airflow_provider_lp.export.metrics.asking import PAUSES, Dated, ask
from airflow_provider_lp.export.metrics.buckets import (
    BUCKET_MINUTES,
    BUCKET_MS,
    MINUTE_MS,
    floor_bucket,
    frame_of,
    tiles,
)
from airflow_provider_lp.export.metrics.completeness import shortfall, silence
from airflow_provider_lp.export.metrics.portions import Portion
from airflow_provider_lp.export.metrics.query import MetricsQuery, check_reach
from airflow_provider_lp.export.metrics.reports import Report
from airflow_provider_lp.export.metrics.sums import add_up
from airflow_provider_lp.windows import Window, to_ms

log = logging.getLogger(__name__)


def ask_tiles(client: LivePersonClient, query: MetricsQuery, portion: Portion, window: Window) -> list[Dated]:
    """
    Measurements that tile a window, each the sum of its buckets.

    LivePerson is asked for single buckets: only their edges do not move with the moment of the request.

    :param window: what to tile, on five-minute marks: :meth:`MetricsQuery.tiled_until`.
    :raises LivePersonWindowError: if LivePerson no longer holds all of the window.
    :raises LivePersonIncompleteDataError: if buckets are missing that are not empty.
    """
    buckets = _buckets(client, query, portion, window)
    return [
        Dated(tile, add_up(query.report, (each for end_ms in _bucket_ends(tile) for each in buckets.get(end_ms, ()))))
        for tile in tiles(window, query.interval)
    ]


def _buckets(
    client: LivePersonClient, query: MetricsQuery, portion: Portion, window: Window
) -> Mapping[int, list[Measurement]]:
    """The measurements of each bucket, by its end; empty ones may be missing."""
    problem = ""
    for pause in PAUSES:
        client.wait(pause)
        timeframe = _timeframe(client, query, window)
        answer = ask(client, query, portion, timeframe, BUCKET_MINUTES)
        problem = silence(query.report, portion, answer) or _problem(query.report, answer, window)
        if _frame_start_ms(client, answer, timeframe) > window.start_ms:
            problem = "came so late that the start of the window had gone out of its reach"
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


def _frame_start_ms(client: LivePersonClient, answer: MetricsAnswer, timeframe: int) -> int:
    """The latest that the timeframe may have begun, by our clock or, as its stamps tell, by LivePerson's."""
    ours = frame_of(to_ms(client.now), timeframe).start_ms
    latest_stamp_ms = max(answer.intervals or (0,))
    return max(ours, latest_stamp_ms - BUCKET_MS - timeframe * MINUTE_MS)


def _problem(report: Report, answer: MetricsAnswer, window: Window) -> str:
    intervals = answer.intervals or {}
    stray = [stamp_ms for stamp_ms in intervals if stamp_ms != floor_bucket(stamp_ms)]
    if stray:
        return f"has intervals that do not end on five-minute marks, such as {stray[0]}"
    has_gaps = any(end_ms not in intervals for end_ms in _bucket_ends(window))
    return shortfall(report, answer, has_gaps=has_gaps)


def _warn_of_unknown(report: Report, measurements: Iterable[Measurement]) -> None:
    unknown = {name for each in measurements for name in each.metrics} - report.metrics.keys()
    if unknown:
        log.warning(
            "LivePerson sends metrics that are not documented for %s: %s. They are left out, since it is not known "
            "whether they may be added up. With timeframe, they are passed on.",
            report.name,
            ", ".join(sorted(unknown)),
        )


def _bucket_ends(window: Window) -> range:
    return range(window.start_ms + BUCKET_MS, window.end_ms + 1, BUCKET_MS)
