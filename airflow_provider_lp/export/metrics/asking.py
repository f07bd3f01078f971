"""Asking Messaging Operations for a portion of a report, and dating what it answers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from airflow_provider_lp.client.client import LivePersonClient
from airflow_provider_lp.client.errors import LivePersonIncompleteDataError
from airflow_provider_lp.client.metrics import Measurement, MetricsAnswer
from airflow_provider_lp.client.operations import LONGEST_TIMEFRAME_MINUTES
from airflow_provider_lp.export.metrics.buckets import MINUTE_MS, floor_bucket, frame_of, tiles
from airflow_provider_lp.export.metrics.portions import Portion
from airflow_provider_lp.export.metrics.query import MINUTES_PER_HOUR, MetricsQuery, check_reach
from airflow_provider_lp.export.metrics.reports import Dating
from airflow_provider_lp.windows import Window, to_ms

#: How often to ask for a timeframe whose bounds move while LivePerson answers.
TRIES = 5


class Dated(NamedTuple):
    """Measurements, and the period that they cover, or the moment, in epoch milliseconds, they were true."""

    covered: Window | int
    measurements: list[Measurement]


def ask(
    client: LivePersonClient, query: MetricsQuery, portion: Portion, timeframe: int = 0, interval: int | None = None
) -> MetricsAnswer:
    """
    One portion of a report.

    :param timeframe: minutes back from now, for reports that take them.
    :param interval: minutes per interval, for reports that take them.
    """
    operations, options = client.operations, query.options
    skills = portion.skill_ids
    match query.report.name:
        case "messaging_conversation":
            return operations.messaging_conversation(
                timeframe,
                skill_ids=skills,
                agent_ids=portion.agent_ids,
                group_ids=portion.group_ids,
                interval_minutes=interval,
                by_post=portion.by_post,
            )
        case "csat_distribution":
            return operations.csat_distribution(timeframe, skill_ids=skills, agent_ids=portion.agent_ids)
        case "queue_health":
            return operations.queue_health(timeframe, skill_ids=skills, interval_minutes=interval)
        case "current_queue_health":
            period = (query.window.start_ms, query.window.end_ms) if query.window else (None, None)
            return operations.current_queue_health(
                start_ms=period[0], end_ms=period[1], skill_ids=skills, group_ids=portion.group_ids, **options
            )
        case "queue_health_by_group":
            return operations.queue_health_by_group(
                timeframe_hours=query.timeframe and query.timeframe // MINUTES_PER_HOUR,
                skill_ids=skills,
                allocated_agent_group_ids=portion.group_ids,
                **options,
            )
        case "skill_segments":
            return operations.skill_segments(timeframe, skill_ids=skills, interval_minutes=interval, **options)
        case "agent_segments":
            return operations.agent_segments(
                timeframe,
                agent_ids=portion.agent_ids,
                skill_ids=skills,
                group_ids=portion.group_ids,
                interval_minutes=interval,
                **options,
            )
    raise ValueError(f"no report {query.report.name!r}")


def ask_timeframe(client: LivePersonClient, query: MetricsQuery, portion: Portion) -> list[Dated]:
    """A timeframe that ends now: as long as the query says, or as its window needs."""
    for _ in range(TRIES):
        asked_ms = _now_ms(client)
        timeframe = query.timeframe or _timeframe_for(query, client)
        answer = ask(client, query, portion, timeframe, query.interval)
        answered_ms = _now_ms(client)
        frame = _frame(query, answered_ms, timeframe)
        if query.report.dating is Dating.BUCKETS and frame != _frame(query, asked_ms, timeframe):
            continue
        if query.window and frame.start_ms > floor_start_ms(query):
            continue
        return list(_dated(query, answer, frame))
    raise LivePersonIncompleteDataError(
        f"LivePerson answered {query.report.name} so slowly, {TRIES} times, that its timeframe moved on meanwhile. "
        "Nothing was published."
    )


def ask_periods(client: LivePersonClient, query: MetricsQuery, portion: Portion) -> list[Dated]:
    """Queue health within the window, an interval at a time: neither its averages nor its percentiles add up."""
    answers = []
    for tile in tiles(query.window, query.interval) if query.window else ():
        check_reach(query, client.now)
        end_ms = min(tile.end_ms, _now_ms(client))
        if end_ms > tile.start_ms:
            covered = Window(tile.start_ms, end_ms)
            answer = client.operations.queue_health_between(covered.start_ms, end_ms, skill_ids=portion.skill_ids)
            answers.append(Dated(covered, answer.frame))
    return answers


def ask_snapshot(client: LivePersonClient, query: MetricsQuery, portion: Portion) -> list[Dated]:
    """The state of now; or, where the query has a period, what is known of that."""
    answer = ask(client, query, portion)
    now_ms = _now_ms(client)
    if query.window:
        return [Dated(query.window, answer.frame)]
    if query.timeframe:
        return [Dated(Window(now_ms - query.timeframe * MINUTE_MS, now_ms), answer.frame)]
    return [Dated(now_ms, answer.frame)]


def floor_start_ms(query: MetricsQuery) -> int:
    """The latest start of a timeframe that covers the query's window."""
    start_ms = query.window.start_ms if query.window else 0
    return floor_bucket(start_ms) if query.report.dating is Dating.BUCKETS else start_ms


def _now_ms(client: LivePersonClient) -> int:
    return to_ms(client.now)


def _timeframe_for(query: MetricsQuery, client: LivePersonClient) -> int:
    check_reach(query, client.now)
    back_ms = _now_ms(client) - floor_start_ms(query)
    if query.report.dating is Dating.BUCKETS:
        # Rounded down: LivePerson pushes the start outwards to the mark it was counted from.
        return min(max(back_ms // MINUTE_MS, 1), LONGEST_TIMEFRAME_MINUTES)
    step = query.interval or 1
    return -(-back_ms // (step * MINUTE_MS)) * step


def _frame(query: MetricsQuery, now_ms: int, timeframe: int) -> Window:
    if query.report.dating is Dating.BUCKETS:
        return frame_of(now_ms, timeframe)
    return Window(now_ms - timeframe * MINUTE_MS, now_ms)


def _dated(query: MetricsQuery, answer: MetricsAnswer, frame: Window) -> Iterator[Dated]:
    if query.interval is None:
        yield Dated(frame, answer.frame)
        return
    if answer.intervals is None and not answer.frame:
        return
    if answer.intervals is None:
        raise LivePersonIncompleteDataError(
            f"LivePerson answered {query.report.name} without the intervals of {query.interval} minutes that it was "
            "asked for. Nothing was published."
        )
    length_ms = query.interval * MINUTE_MS
    for stamp_ms, measurements in answer.intervals.items():
        if query.report.dating is Dating.BUCKETS:
            covered = Window(max(stamp_ms - length_ms, min(frame.start_ms, stamp_ms - 1)), stamp_ms)
        else:
            covered = Window(stamp_ms, stamp_ms + length_ms)
        if query.window is None or (covered.start_ms < query.window.end_ms and covered.end_ms > query.window.start_ms):
            yield Dated(covered, measurements)
